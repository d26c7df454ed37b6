import warnings

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from spacy_mtl.srl import FrameInventory, Roleset, give_predicates, indexed_frames
from tests.heads.pipelines import reloaded, train
from tests.heads.roles import CORPUS, frames_of, make_example, make_examples, make_nlp
from tests.srl.strategies import make_doc

INVENTORY = FrameInventory(
    [
        Roleset("give.01", "transfer", {"ARG0": "giver", "ARG1": "gift", "ARG2": "receiver"}),
        Roleset("leave.02", "give", {"ARG0": "giver", "ARG2": "receiver"}, ("leave",)),
    ]
)
GAVE = CORPUS[0][0]
HEADS = [
    (text, [(at, sense, [(r, e - 1, e) for r, _, e in roles]) for at, sense, roles in frames])
    for text, frames in CORPUS
]


def predicted(nlp, text=GAVE):
    return nlp(Doc(nlp.vocab, words=text.split()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    nlp = make_nlp()
    train(nlp, make_examples(nlp))
    path = tmp_path_factory.mktemp("trained")
    nlp.to_disk(path)
    return path


@pytest.fixture
def nlp(folder):
    return spacy.load(folder)


# Kinds of arguments


@pytest.fixture(scope="module")
def heads_nlp():
    nlp = make_nlp()
    nlp.get_pipe("srl").cfg["argument_kind"] = "heads"
    nlp.config["components"]["srl"]["argument_kind"] = "heads"
    train(nlp, make_examples(nlp, HEADS))
    return nlp


def test_heads_are_learned_and_saved(heads_nlp, tmp_path):
    config = heads_nlp.config.copy()
    config["components"]["srl"]["argument_kind"] = "heads"
    heads_nlp.to_disk(tmp_path)
    for text, frames in HEADS:
        doc = predicted(heads_nlp, text)
        assert frames_of(doc) == [(at, s, sorted(r, key=lambda x: x[1])) for at, s, r in frames]
        assert all(len(a.span) == 1 for frame in doc._.srl for a in frame.arguments)
    with pytest.raises(ValueError, match="argument_kind is 'spans', but .* trained with 'heads'"):
        spacy.load(tmp_path, config={"components.srl.argument_kind": "spans"})


def test_longer_arguments_become_heads_by_the_parse():
    nlp = make_nlp()
    head = nlp.get_pipe("srl")
    head.cfg["argument_kind"] = "heads"
    frames = [(1, "eat.01", [("ARG0", 0, 1), ("ARG1", 2, 5)])]
    reference = make_doc(["She", "ate", "the", "red", "apple"], frames, vocab=nlp.vocab)
    example = Example(Doc(nlp.vocab, words=[t.text for t in reference]), reference)
    with pytest.raises(ValueError, match=r"ARG1 'the red apple' \(tokens 2-5\) .*no dependency"):
        head.initialize(lambda: [example], nlp=nlp)
    for token, at in zip(reference, [1, 1, 4, 4, 1], strict=True):
        token.head, token.dep_ = reference[at], "dep"
    head.initialize(lambda: [example], nlp=nlp)
    example.predicted.spans["srl"] = []
    given = Example(make_doc(["She", "ate", "the", "red", "apple"], HEADS[3][1]), reference)
    wanted = [(1, "eat.01", [("ARG0", 0, 1), ("ARG1", 4, 5)])]
    given = Example(make_doc([t.text for t in reference], wanted, vocab=nlp.vocab), reference)
    head.scorer = spacy.registry.scorers.get("spacy_mtl.srl_scorer.v1")()
    assert head.score([given])["srl_arguments_f"] == 1.0


# Settings


@pytest.mark.parametrize(
    ("setting", "value"),
    [("argument_kind", "words"), ("predicates", "guess"), ("constraints", {"none": True})],
)
def test_unknown_settings_are_refused(setting, value):
    with pytest.raises(ValueError, match=setting):
        spacy.blank("en").add_pipe("mtl_srl", name="srl", config={setting: value})


def test_settings_can_be_changed_at_load(folder, tmp_path):
    changes = {"components.srl.predicates": "given", "components.srl.threshold": 0.9}
    head = spacy.load(folder, config=changes).get_pipe("srl")
    assert (head.cfg["predicates"], head.cfg["threshold"]) == ("given", 0.9)
    nlp = spacy.load(folder)
    nlp.get_pipe("srl").cfg["threshold"] = 0.7
    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path).get_pipe("srl").cfg["threshold"] == pytest.approx(0.7)


# Given predicates


def test_given_predicates_are_labelled_and_no_others(nlp):
    nlp.get_pipe("srl").cfg["predicates"] = "given"
    doc = Doc(nlp.vocab, words=GAVE.split())
    doc._.srl = [{"predicate": {"start": 1, "end": 2}, "arguments": []}]
    assert frames_of(nlp(doc)) == frames_of(make_doc(GAVE.split(), CORPUS[0][1]))
    doc = Doc(nlp.vocab, words=GAVE.split())
    doc._.srl = [{"predicate": {"start": 3, "end": 5}, "roleset": "book.09", "arguments": []}]
    (frame,) = nlp(doc)._.srl
    assert (frame.predicate.text, frame.roleset) == ("a book", "book.09")
    with pytest.raises(ValueError, match=r"predicates is 'given', but .* no doc.spans\['srl'\]"):
        predicted(nlp)


def test_gold_predicates_are_given(nlp):
    nlp.get_pipe("srl").cfg["predicates"] = "given"
    examples = make_examples(nlp)
    assert [give_predicates(example) for example in examples] == [0] * len(examples)
    assert nlp.evaluate(examples)["srl_arguments_f"] == 1.0


# Frame inventory


def test_inventory_restricts_and_describes(nlp, tmp_path):
    nlp.get_pipe("srl").use_frames(INVENTORY)
    for again in (nlp, *reloaded(nlp, tmp_path)):
        (frame,) = predicted(again)._.srl
        assert frame.name == "transfer"
        assert frame["ARG2"].description == "receiver"
        assert frame["ARGM-TMP"].description == ""
        data = frame.to_json()
        assert data["name"] == "transfer"
        assert data["arguments"][0]["description"] == "giver"
        (frame,) = predicted(again, CORPUS[2][0])._.srl
        assert frame.roleset == "leave.02"
        assert "ARG1" not in frame and "ARG2" in frame
    nlp.get_pipe("srl").cfg["constraints"]["inventory_roles"] = False
    assert "ARG1" in predicted(nlp, CORPUS[2][0])._.srl[0]


def test_inventory_is_read_at_initialization(tmp_path):
    xml = (
        '<frameset><predicate lemma="give"><roleset id="give.07" name="x"><roles/></roleset>'
        "</predicate></frameset>"
    )
    (tmp_path / "give.xml").write_text(xml, encoding="utf8")
    nlp = make_nlp()
    nlp.config["initialize"]["components"]["srl"] = {"frames": str(tmp_path)}
    with pytest.warns(UserWarning, match="1 of 6 gold predicates have a roleset that the frame"):
        nlp.initialize(lambda: make_examples(nlp))
    assert "give.07" in nlp.get_pipe("srl").frames


# Probabilities


def test_probabilities_are_kept(nlp):
    assert predicted(nlp)._.srl[0].score is None
    nlp.get_pipe("srl").cfg["probabilities"] = True
    doc = predicted(nlp)
    for other in (
        doc,
        doc.copy(),
        Doc(nlp.vocab).from_bytes(doc.to_bytes()),
        *DocBin(docs=[doc]).get_docs(nlp.vocab),
    ):
        (frame,) = other._.srl
        assert 0.5 < frame.score <= 1.0
        assert frame.roleset_score == 1.0
        assert all(0.5 < argument.score <= 1.0 for argument in frame.arguments)
    blank = Doc(nlp.vocab, words=GAVE.split())
    blank._.srl = [frame.to_json() for frame in doc._.srl]
    assert [f.to_json() for f in blank._.srl] == [f.to_json() for f in doc._.srl]


# With other pipelines


def test_sourced_into_another_pipeline(nlp):
    other = spacy.blank("en")
    nlp.replace_listeners("tok2vec", "srl", ["model.tok2vec"])
    other.add_pipe("srl", source=nlp)
    assert frames_of(predicted(other)) == frames_of(make_doc(GAVE.split(), CORPUS[0][1]))


@pytest.mark.parametrize("trunk", ["tok2vec", "mtl_tok2vec"])
def test_added_behind_a_trained_trunk(trunk):
    nlp = spacy.blank("en")
    nlp.add_pipe(trunk, name="tok2vec")
    tagger = nlp.add_pipe("tagger")
    tagger.add_label("X")
    nlp.initialize()
    head = nlp.add_pipe("mtl_srl", name="srl")
    examples = make_examples(nlp)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        head.initialize(lambda: examples, nlp=nlp)
    optimizer = nlp.resume_training()
    for _ in range(40):
        nlp.update(examples, sgd=optimizer, exclude=["tagger"])
    assert predicted(nlp)._.srl[0].roleset == "give.01"


def test_look_ups_on_a_doc_made_by_hand():
    doc = make_doc(GAVE.split(), CORPUS[0][1])
    frames = doc._.srl
    assert frames.find("give.*", predicate="GAVE", role="ARG2", text="bob") == frames
    assert frames.find(role="ARG0", text="Bob") == frames.find("take.01") == []
    assert frames[0]["ARG1"].span.text == "a book"
    assert frames[0].get("ARG4") is None
    with pytest.raises(KeyError, match="its roles: ARG0, ARG2, ARG1, ARGM-TMP"):
        frames[0]["ARG4"]
    assert len(indexed_frames(doc)) == len(frames) == 1
    assert make_example(doc.vocab, ["a"], []).reference._.srl.find() == []


# Languages

FRENCH = [
    ("Anne donne un livre .", [(1, "donner.01", [("ARG0", 0, 1), ("ARG1", 2, 4)])]),
    ("Il parle .", [(1, "parler.01", [("ARG0", 0, 1)])]),
    ("Elle chantait .", [(1, "chanter.01", [("ARG0", 0, 1)])]),
]
UNSEEN = ["Anne", "walked", "."]  # by English rules, of the lemma "walk"


def rolesets_of(nlp, words, lemmas=None):
    """The rolesets of the second word, given as a predicate."""
    doc = make_doc(words, [(1, "", [])], vocab=nlp.vocab)
    for token, lemma in zip(doc, lemmas or (), strict=bool(lemmas)):
        token.lemma_ = lemma
    return [frame.roleset for frame in nlp(doc)._.srl]


def other_language(lang, tmp_path, **settings):
    """A pipeline of another language, trained on frames of its own."""
    english = make_nlp()
    config = english.config.copy()
    config["nlp"]["lang"] = lang
    config["components"]["srl"].update(settings)
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    train(nlp, make_examples(nlp, FRENCH), steps=2)
    nlp.to_disk(tmp_path / "model")
    return spacy.load(tmp_path / "model", config={"components.srl.predicates": "given"})


def test_english_rules_are_for_english_pipelines_only(folder, tmp_path):
    english = spacy.load(folder, config={"components.srl.predicates": "given"})
    assert rolesets_of(english, UNSEEN) == ["walk.01"]
    assert rolesets_of(english, UNSEEN, ["Anne", "wander", "."]) == ["walk.01"]
    for lang in ("fr", "es", "xx"):
        nlp = other_language(lang, tmp_path)
        assert rolesets_of(nlp, UNSEEN) == [""]
        assert rolesets_of(nlp, UNSEEN, ["Anne", "marcher", "."]) == ["marcher.01"]
        assert rolesets_of(nlp, ["Il", "parlera", "."], ["il", "parler", "."]) == ["parler.01"]
        assert rolesets_of(nlp, ["Il", "parle", "."]) == ["parler.01"]


def test_what_unseen_words_get_can_be_set_and_set_again(tmp_path):
    nlp = other_language("fr", tmp_path, unseen_words="unknown")
    lemmas = ["Anne", "marcher", "."]
    assert rolesets_of(nlp, UNSEEN, lemmas) == [""]
    expected = {"english": "walk.01", "lemma": "marcher.01", "auto": "marcher.01"}
    for setting, roleset in expected.items():
        changed = {"components.srl.predicates": "given", "components.srl.unseen_words": setting}
        assert rolesets_of(spacy.load(tmp_path / "model", config=changed), UNSEEN, lemmas) == [
            roleset
        ]
    with pytest.raises(ValueError, match="'french' is not .*'auto', 'english', 'lemma'"):
        spacy.load(tmp_path / "model", config={"components.srl.unseen_words": "french"})


def test_unknown_rolesets_are_scored_as_wrong(tmp_path):
    nlp = other_language("fr", tmp_path)
    example = make_example(nlp.vocab, UNSEEN, [(1, "marcher.01", [])])
    give_predicates(example)
    example.predicted = nlp(example.predicted)
    scores = nlp.get_pipe("srl").score([example])
    assert scores["srl_predicates_f"] == 1.0
    assert scores["srl_rolesets_acc"] == 0.0
    assert example.predicted._.srl[0].to_json()["roleset"] == ""
