import json
import resource
import warnings

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc
from spacy.training import Example

from spacy_mtl.heads.srl.component import MIN_COUNT_WITHOUT_ARGUMENTS
from spacy_mtl.heads.srl.frame_batch import best_of_segments, split_predicates
from spacy_mtl.heads.srl.gold import collect_gold, tag_targets
from spacy_mtl.models.heads.pair_query import PairQuery
from spacy_mtl.srl import indexed_frames
from tests.heads.pipelines import gradient_of, parameters_of, reloaded, train
from tests.heads.roles import CORPUS, frames_of, make_example, make_examples, make_nlp
from tests.srl.strategies import make_doc

NO_FRAMES = [("Ann saw Bob", None), ("it rained", None)]
FRAME = CORPUS[0]


def predictions(nlp, texts=None):
    texts = [text for text, _ in CORPUS] if texts is None else texts
    return [frames_of(doc) for doc in nlp.pipe(Doc(nlp.vocab, words=t.split()) for t in texts)]


def initialized(**kwargs):
    nlp = make_nlp(**kwargs)
    nlp.initialize(lambda: make_examples(nlp))
    return nlp


@pytest.fixture(scope="module")
def trained():
    nlp = make_nlp()
    train(nlp, make_examples(nlp))
    return nlp


@pytest.fixture
def head():
    return initialized().get_pipe("srl")


def with_every_token_a_predicate(head):
    """Make the detector say yes whatever the token; returns the bias to put back."""
    output = head.model.get_ref("detector").shims[0]._model.output
    with torch.no_grad():
        saved = output.bias.clone()
        output.bias += 1000.0
    return output, saved


# Learning


@pytest.mark.parametrize("trunk", ["mtl_tok2vec", "tok2vec", None])
def test_overfits_behind_each_trunk_and_alone(trunk):
    nlp = make_nlp(trunk=trunk)
    losses = train(nlp, make_examples(nlp))
    assert losses["srl"] < 0.1
    scores = nlp.evaluate(make_examples(nlp))
    for name in ("predicates_f", "rolesets_f", "rolesets_acc", "arguments_f", "conll05_f"):
        assert scores[f"srl_{name}"] == 1.0
    assert predictions(nlp) == [frames for _, frames in CORPUS]


def test_view_shows_predictions(trained):
    doc = trained("Ann gave Bob a book yesterday .")
    (frame,) = doc._.srl
    assert frame.predicate.text == "gave"
    assert frame.roleset == "give.01"
    assert [(argument.label, argument.span.text) for argument in frame.arguments] == [
        ("ARG0", "Ann"),
        ("ARG2", "Bob"),
        ("ARG1", "a book"),
        ("ARGM-TMP", "yesterday"),
    ]
    assert frame.description().startswith("[ARG0: Ann] [V: gave] [ARG2: Bob] [ARG1: a book]")
    assert len({span.id for span in doc.spans["srl"]}) == 1
    assert doc.spans["srl"][0].label_ == "V"


def test_documents_without_predicates_are_annotated_with_no_frames(trained):
    doc = trained("What a nice day !")
    assert "srl" in doc.spans
    assert doc._.srl == []


def test_earlier_predictions_are_replaced(trained):
    doc = trained("Ann gave Bob a book yesterday .")
    before = frames_of(doc)
    assert frames_of(trained(doc)) == before


def test_sense_depends_on_the_context(trained):
    (_, leaves, _), (left,) = predictions(trained)[1:3]
    assert (leaves[1], left[1]) == ("leave.01", "leave.02")


def with_auxiliary(n_times):
    """The corpus, and sentences whose auxiliary verb has no arguments."""
    sentence = ("Ann did bark", [(1, "do.01", []), (2, "bark.01", [("ARG0", 0, 1)])])
    return [*CORPUS, *([sentence] * n_times)]


@pytest.mark.parametrize("n_times", [MIN_COUNT_WITHOUT_ARGUMENTS - 1, MIN_COUNT_WITHOUT_ARGUMENTS])
def test_rolesets_often_seen_and_never_with_arguments_are_bare(n_times):
    nlp = make_nlp()
    nlp.initialize(lambda: make_examples(nlp, with_auxiliary(n_times)))
    expected = ["do.01"] if n_times == MIN_COUNT_WITHOUT_ARGUMENTS else []
    assert nlp.get_pipe("srl").cfg["argumentless_rolesets"] == expected


@pytest.mark.parametrize("pairs_at_once", [0, 1000])
def test_bare_rolesets_are_predicted_without_arguments_and_cost_no_pairs(
    tmp_path, pairs_at_once, monkeypatch
):
    monkeypatch.setattr("spacy_mtl.heads.srl.component.PAIRS_AT_ONCE", pairs_at_once)
    nlp = make_nlp()
    corpus = with_auxiliary(MIN_COUNT_WITHOUT_ARGUMENTS)
    train(nlp, make_examples(nlp, corpus))
    doc = Doc(nlp.vocab, words=corpus[-1][0].split())
    assert frames_of(nlp(doc)) == corpus[-1][1]
    head = nlp.get_pipe("srl")
    gold = {
        "spans_key": "srl",
        "roles": head.labels,
        "senses": head.senses,
        "max_distance": 64,
    }
    examples = make_examples(nlp, corpus[-1:])
    assert len(collect_gold(examples, **gold).tags) == 6
    bare = collect_gold(examples, **gold, argumentless_rolesets=["do.01"])
    assert bare.tags.tolist() == [1, 0, 0]
    assert len(bare.right_candidates) == 2  # whose rolesets are learned all the same
    assert bare.query.for_arguments(np.array([False, True])).n_pairs.tolist() == [3]

    tag = head.model.get_ref("argument_scorer").shims[0]._model.tag
    with torch.no_grad():
        tag.bias[1] += 1000.0  # every token is an ARG0
    for other in (nlp, *reloaded(nlp, tmp_path)):
        assert [bool(arguments) for _, _, arguments in frames_of(other(doc))] == [False, True]
    head.cfg["constraints"]["argumentless_rolesets"] = False
    assert all(arguments for _, _, arguments in frames_of(nlp(doc)))


def test_batches_of_bare_rolesets_only_can_be_learned_and_predicted():
    nlp = make_nlp()
    corpus = with_auxiliary(MIN_COUNT_WITHOUT_ARGUMENTS)
    train(nlp, make_examples(nlp, corpus))
    only = [("it did", [(1, "do.01", [])])]
    losses = nlp.update(make_examples(nlp, only), sgd=nlp.resume_training())
    assert np.isfinite(losses["srl"])
    assert frames_of(nlp(Doc(nlp.vocab, words=["Ann", "did"]))) == [(1, "do.01", [])]


def test_arguments_of_bare_rolesets_in_later_training_are_learned(head):
    frame = ("Ann did it", [(1, "do.01", [("ARG0", 0, 1)])])
    (example,) = make_examples(spacy.blank("en"), [frame])
    gold = collect_gold(
        [example],
        spans_key="srl",
        roles=head.labels,
        senses=head.senses,
        max_distance=64,
        argumentless_rolesets=["do.01"],
    )
    assert gold.tags.tolist() == [1, 0, 0]


# Initialization


def test_labels_and_rolesets_are_found(head):
    assert head.labels == ("ARG0", "ARG1", "ARG2", "ARGM-TMP", "R-ARG0")
    assert head.senses.rolesets[:3] == ["bark.01", "give.01", "leave.01"]
    assert head.senses.forms["left"] == [2, 3]


def test_initialize_without_frames_names_component_and_span_group():
    nlp = make_nlp()
    with pytest.raises(ValueError) as error:
        nlp.initialize(lambda: make_examples(nlp, NO_FRAMES))
    assert "'srl' has no labels to learn: none of 2 training documents" in str(error.value)
    assert "Doc.spans['srl']" in str(error.value)


def test_initialize_with_empty_groups_only_says_so():
    nlp = make_nlp()
    with pytest.raises(ValueError, match="2 of 2 training documents are annotated .* no label"):
        nlp.initialize(lambda: make_examples(nlp, [("a b", []), ("c", [])]))


def test_label_data_goes_through_json_and_initialize(trained):
    data = json.loads(json.dumps(trained.get_pipe("srl").label_data))
    nlp = make_nlp()
    nlp.config["initialize"]["components"]["srl"] = {"labels": data}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nlp.initialize(lambda: make_examples(nlp, CORPUS[:1]))
    head = nlp.get_pipe("srl")
    assert head.label_data == trained.get_pipe("srl").label_data
    assert head.senses.candidates("left") == trained.get_pipe("srl").senses.candidates("left")
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    for _ in range(60):
        nlp.update(make_examples(nlp), sgd=optimizer)
    assert predictions(nlp) == [frames for _, frames in CORPUS]


@pytest.mark.parametrize("labels", [["ARG0"], {"roles": ["ARG0"]}])
def test_labels_of_another_kind_are_refused(labels):
    nlp = make_nlp()
    with pytest.raises(ValueError, match=r"\[initialize.components.srl\] labels must hold 'roles'"):
        nlp.get_pipe("srl").initialize(lambda: make_examples(nlp), nlp=nlp, labels=labels)


def test_initialize_again_on_the_same_corpus_keeps_the_network(head):
    module = head.model.get_ref("argument_scorer").shims[0]._model
    examples = [make_example(head.vocab, text.split(), frames) for text, frames in CORPUS]
    head.initialize(lambda: examples)
    assert head.model.get_ref("argument_scorer").shims[0]._model is module


def test_initialize_again_with_other_rolesets_builds_a_network_for_them():
    nlp = make_nlp(trunk=None)
    nlp.initialize(lambda: make_examples(nlp))
    other = [
        (text, [(at, f"{roleset}9", arguments) for at, roleset, arguments in frames])
        for text, frames in CORPUS
    ]
    more = ("Bob sang loudly .", [(1, "sing.01", [("ARG0", 0, 1)])])
    losses = train(nlp, make_examples(nlp, [*other, more]))
    assert losses["srl"] < 0.2
    head = nlp.get_pipe("srl")
    assert len(head.senses) == 7
    assert head.model.get_ref("argument_scorer").shims[0].cfg["n_rolesets"] == 7
    assert {frame[1] for frame in predictions(nlp, ["Bob sang loudly ."])[0]} == {"sing.01"}


def test_no_label_can_be_added_to_a_network_in_use(head):
    with pytest.raises(ValueError, match=r"\[components.srl\].*'ARG9' can't be added"):
        head.add_label("ARG9")
    assert head.add_label("ARG0") == 0


@pytest.mark.parametrize("threshold", [-0.1, 1.5])
def test_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(ValueError, match=r"\[components.srl\] threshold is .* from 0 to 1"):
        spacy.blank("en").add_pipe("mtl_srl", name="srl", config={"threshold": threshold})


def test_threshold_decides_what_is_a_predicate(trained):
    head = trained.get_pipe("srl")
    words = CORPUS[0][0].split()
    found = []
    try:
        for threshold in (0.0, 0.5, 1.0):
            head.cfg["threshold"] = threshold
            found.append(len(trained(Doc(trained.vocab, words=words))._.srl))
    finally:
        head.cfg["threshold"] = 0.5
    assert found == [len(words) - 1, 1, 0]  # all but the full stop


@pytest.mark.parametrize("word", [";", "...", "2026", "<3", "§ 7", "१२"])
def test_token_without_a_letter_is_no_predicate(trained, word):
    head = trained.get_pipe("srl")
    head.cfg["threshold"] = 0.0
    try:
        doc = trained(Doc(trained.vocab, words=["Ann", word, "gave", "дала", "给"]))
    finally:
        head.cfg["threshold"] = 0.5
    assert [frame.predicate.text for frame in doc._.srl] == ["Ann", "gave", "дала", "给"]


def test_gold_predicates_without_a_letter_are_counted_and_left_out():
    nlp = make_nlp()
    corpus = [*CORPUS, ("Ann ; tea .", [(1, "and.01", [("ARG0", 0, 1), ("ARG5", 2, 3)])])]
    with pytest.warns(UserWarning, match="1 gold predicates have no letter, such as ';'"):
        train(nlp, make_examples(nlp, corpus), steps=1)
    head = nlp.get_pipe("srl")
    assert "and.01" not in head.senses.rolesets
    assert "ARG5" not in head.labels
    assert not any(frame.roleset == "and.01" for frame in nlp("Ann ; tea .")._.srl)


# Saving


def test_saved_pipelines_predict_the_same(trained, tmp_path):
    expected = predictions(trained)
    for nlp in reloaded(trained, tmp_path):
        head = nlp.get_pipe("srl")
        assert head.labels == trained.get_pipe("srl").labels
        assert head.cfg == trained.get_pipe("srl").cfg
        assert head.senses.to_json() == trained.get_pipe("srl").senses.to_json()
        assert predictions(nlp) == expected
        assert np.array_equal(parameters_of(nlp, "srl"), parameters_of(trained, "srl"))


def test_replace_listeners_keeps_predictions(trained, tmp_path):
    trained.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    nlp.replace_listeners("tok2vec", "srl", ["model.tok2vec"])
    nlp.remove_pipe("tok2vec")
    assert predictions(nlp) == [frames for _, frames in CORPUS]
    optimizer = nlp.resume_training()
    nlp.update(make_examples(nlp), sgd=optimizer)


# What is not annotated


@pytest.mark.parametrize("trunk", ["mtl_tok2vec", "tok2vec", None])
def test_documents_without_annotation_do_not_change_the_gradient(trunk):
    gradients, losses = [], []
    for corpus in (CORPUS, [NO_FRAMES[0], *CORPUS[:2], ("", None), *CORPUS[2:], NO_FRAMES[1]]):
        nlp = initialized(trunk=trunk)
        losses.append(nlp.update(make_examples(nlp, corpus), sgd=False)["srl"])
        gradients.append(gradient_of(nlp, "srl"))
    assert losses[0] == pytest.approx(losses[1])
    assert np.abs(gradients[0]).max() > 0
    assert np.allclose(*gradients, atol=1e-6)


def test_batch_without_annotation_changes_nothing(trained, tmp_path):
    nlp = reloaded(trained, tmp_path)[0]
    optimizer = nlp.resume_training()
    head = parameters_of(nlp, "srl")
    trunk = parameters_of(nlp, "tok2vec")
    losses = nlp.update(make_examples(nlp, NO_FRAMES), sgd=optimizer)
    nlp.get_pipe("tok2vec").finish_update(optimizer)
    assert losses["srl"] == 0.0
    assert np.array_equal(head, parameters_of(nlp, "srl"))
    assert np.array_equal(trunk, parameters_of(nlp, "tok2vec"))


def test_batch_without_annotation_sends_nothing_to_the_trunk():
    nlp = initialized()
    trunk = nlp.get_pipe("tok2vec")
    nlp.update(make_examples(nlp, NO_FRAMES), sgd=False)
    assert not trunk._step.has_reports
    nlp.update(make_examples(nlp, [*NO_FRAMES, FRAME]), sgd=False)
    assert trunk._step.has_reports


def test_document_with_an_empty_group_trains_the_detector_only():
    nlp = initialized()
    losses = nlp.update(make_examples(nlp, [("What a nice day !", [])]), sgd=False)
    assert losses["srl"] > 0
    head = nlp.get_pipe("srl").model
    detector = head.get_ref("detector").shims[0]._model
    assert all(parameter.grad.any() for parameter in detector.parameters())
    argument_scorer = head.get_ref("argument_scorer").shims[0]._model
    assert all(p.grad is None or not p.grad.any() for p in argument_scorer.parameters())


def test_scores_are_none_without_annotation(trained):
    scores = trained.evaluate(make_examples(trained, NO_FRAMES))
    assert scores["srl_predicates_f"] is None
    assert scores["srl_arguments_f"] is None


# Gold frames


def collect(head, *examples):
    return collect_gold(
        examples,
        spans_key="srl",
        roles=head.labels,
        senses=head.senses,
        max_distance=head.model.attrs["max_distance"],
    )


def tags_of(head, gold, at=0):
    """The gold tags of a predicate, and the token that the first of them stands for."""
    query = gold.query
    first = int((query.ends - query.starts)[:at].sum())
    return gold.tags[first : first + query.ends[at] - query.starts[at]].tolist()


def test_gold_frames_as_arrays(head):
    examples = [make_example(head.vocab, text.split(), frames) for text, frames in CORPUS[:2]]
    none = make_example(head.vocab, ["left"], None)
    gold = collect(head, examples[0], none, examples[1])
    assert gold.n_annotated_tokens == 16
    expected = [0, 1, 0, 0, 0, 0, 0, np.nan, 0, 0, 0, 1, 1, 0, 0, 1, 0]
    assert np.array_equal(gold.is_predicate[:, 0], expected, equal_nan=True)
    assert gold.query.predicates.tolist() == [1, 11, 12, 15]
    assert gold.query.starts.tolist() == [0, 8, 8, 8]
    assert gold.query.ends.tolist() == [7, 17, 17, 17]
    # O, B- and I- of ARG0, ARG1, ARG2, ARGM-TMP, R-ARG0
    assert tags_of(head, gold, 0) == [1, 0, 3, 2, 7, 4, 0]
    assert tags_of(head, gold, 1) == [1, 6, 5, 0, 0, 0, 0, 0, 0]
    assert tags_of(head, gold, 3) == [1, 6, 6, 6, 0, 0, 0, 0, 0]
    rolesets = gold.query.candidates[gold.right_candidates]
    names = [head.senses.rolesets[number] for number in rolesets]
    assert names == ["give.01", "bark.01", "leave.01", "sleep.01"]
    assert gold.query.candidate_predicates.tolist() == [0, 1, 2, 2, 3]


def test_frames_without_arguments_and_without_rolesets_can_be_learnt():
    nlp = make_nlp()
    corpus = [("It rained .", [(1, "", [])]), ("It is wet .", [])]
    losses = train(nlp, make_examples(nlp, corpus), steps=40)
    assert losses["srl"] < 0.1
    assert nlp.get_pipe("srl").labels == ("ARG0",)
    assert predictions(nlp, ["It rained ."]) == [[(1, "", [])]]
    assert nlp.evaluate(make_examples(nlp, corpus))["srl_predicates_f"] == 1.0


def test_unknown_roles_and_rolesets_are_masked(head):
    frames = [(1, "give.99", [("ARG0", 0, 1), ("ARG7", 2, 4)])]
    gold = collect(head, make_example(head.vocab, ["Ann", "gave", "Bob", "some", "."], frames))
    assert tags_of(head, gold) == [1, 0, -1, -1, 0]
    assert gold.right_candidates.tolist() == [-1]
    assert gold.is_predicate[:, 0].tolist() == [0, 1, 0, 0, 0]


def test_unknown_roleset_of_an_unknown_word_is_masked(head):
    gold = collect(head, make_example(head.vocab, ["Ann", "googled"], [(1, "google.01", [])]))
    assert gold.right_candidates.tolist() == [-1]
    assert gold.query.candidates.tolist() == []


@pytest.mark.filterwarnings("ignore:.* reach out")
def test_arguments_beyond_the_largest_distance_are_masked_where_they_are_seen():
    nlp = initialized(settings={"max_distance": 2})
    head = nlp.get_pipe("srl")
    words = ["Ann", "said", "that", "Bob", "left", "for", "Rome", "."]
    frames = [(4, "leave.01", [("ARG0", 1, 4), ("ARG1", 0, 1), ("ARG2", 5, 7)])]
    gold = collect(head, make_example(head.vocab, words, frames))
    assert (gold.query.starts.tolist(), gold.query.ends.tolist()) == ([2], [7])
    assert tags_of(head, gold) == [-1, -1, 0, 3, 8]


def test_arguments_out_of_the_sentence_are_masked_where_they_are_seen(head):
    words = ["Ann", "came", ".", "She", "left", "us", "."]
    frames = [(4, "leave.01", [("ARG0", 0, 4), ("ARG1", 5, 6)]), (1, "come.01", [("ARG2", 3, 4)])]
    example = make_example(head.vocab, words, frames)
    for token, starts in zip(example.predicted, [1, 0, 0, 1, 0, 0, 0], strict=True):
        token.is_sent_start = bool(starts)
    gold = collect(head, example)
    assert (gold.query.starts.tolist(), gold.query.ends.tolist()) == ([3, 0], [7, 3])
    assert tags_of(head, gold, 0) == [-1, 0, 2, 0]
    assert tags_of(head, gold, 1) == [0, 0, 0]


def test_arguments_that_reach_out_are_counted_at_initialization():
    nlp = make_nlp(settings={"max_distance": 2})
    with pytest.warns(UserWarning) as caught:
        nlp.initialize(lambda: make_examples(nlp))
    (message,) = [str(warning.message) for warning in caught]
    # "a book" and "yesterday" of "gave", "The dog" of the three verbs
    assert "Component 'srl': 5 gold arguments reach out" in message
    assert "[components.srl.model] max_distance = 2" in message


def split_words(example):
    """The same gold frames for a document where "gave" and "book" are two tokens each."""
    words, spaces = [], []
    for token in example.reference:
        pieces = (
            [token.text[:2], token.text[2:]] if token.text in ("gave", "book") else [token.text]
        )
        words += pieces
        spaces += [False] * (len(pieces) - 1) + [bool(token.whitespace_)]
    return Example(Doc(example.reference.vocab, words=words, spaces=spaces), example.reference)


def test_gold_that_does_not_align_is_counted_at_initialization():
    nlp = make_nlp()
    examples = make_examples(nlp)
    frames = [(1, "tell.01", [("ARG0", 0, 1), ("ARG2", 2, 3)])]
    merged = make_doc(["Ann", "told", "Bob", "."], frames, vocab=nlp.vocab)
    merged = Example(Doc(nlp.vocab, words=["Ann", "told", "Bob."]), merged)
    examples = [split_words(examples[0]), *examples[1:], merged]
    with pytest.warns(UserWarning, match="'srl': 6 gold predicates or arguments do not begin"):
        nlp.initialize(lambda: examples)
    head = nlp.get_pipe("srl")
    assert "give.01" not in head.senses.rolesets
    assert "tell.01" in head.senses.rolesets
    gold = collect(head, examples[-1])
    assert tags_of(head, gold) == [1, 0, 0]


def test_frames_align_with_another_tokenization(head):
    words = ["Ann", "gave", "Bob", "note", "-", "books"]
    reference = make_doc(
        words,
        [(1, "give.01", [("ARG0", 0, 1), ("ARG1", 3, 6)])],
        vocab=head.vocab,
        spaces=[True, True, True, False, False, False],
    )
    predicted = Doc(
        head.vocab,
        words=["An", "n", "gave", "Bob", "note-books"],
        spaces=[False, True, True, True, False],
    )
    gold = collect(head, Example(predicted, reference))
    assert gold.is_predicate[:, 0].tolist() == [0, 0, 1, 0, 0]
    assert tags_of(head, gold) == [1, 6, 0, 0, 2]


def test_tag_targets_against_a_plain_loop():
    rng = np.random.default_rng(0)
    for _ in range(50):
        n_predicates, n_tokens, n_roles = rng.integers(1, 4), 12, 3
        starts = rng.integers(0, 6, n_predicates)
        ends = starts + rng.integers(1, 6, n_predicates)
        nothing = np.zeros(0, dtype=int)
        query = PairQuery(starts, starts, ends, nothing, nothing)
        arguments, expected = [], []
        for predicate in range(n_predicates):
            tags = np.zeros(n_tokens, dtype=int)
            borders = np.sort(rng.choice(n_tokens + 1, 6, replace=False))
            for start, end in borders.reshape(3, 2):
                role = int(rng.integers(-1, n_roles))
                arguments.append((predicate, role, start, end))
                if role < 0 or start < starts[predicate] or end > ends[predicate]:
                    tags[start:end] = -1
                else:
                    tags[start:end] = 1 + n_roles + role
                    tags[start] = 1 + role
            expected += tags[starts[predicate] : ends[predicate]].tolist()
        assert tag_targets(query, np.array(arguments), n_roles).tolist() == expected


def test_best_of_segments():
    scores = np.array([1.0, 3.0, 3.0, -5.0, 2.0])
    assert best_of_segments(scores, np.array([0, 0, 0, 2, 3]), 5).tolist() == [1, -1, 3, 4, -1]


# Rolesets


def test_rolesets_of_words_not_seen(trained):
    head = trained.get_pipe("srl")
    output, saved = with_every_token_a_predicate(head)
    try:
        frames = predictions(trained, ["gave leaving googled Sleeps"])[0]
    finally:
        with torch.no_grad():
            output.bias.copy_(saved)
    rolesets = [roleset for _, roleset, _ in frames]
    assert rolesets[0] == "give.01"  # the only one seen for the form
    assert rolesets[1] in ("leave.01", "leave.02")  # those of the lemma
    assert rolesets[2] == "google.01"  # the word's own first sense
    assert rolesets[3] == "sleep.01"  # whatever the case


# Prediction


def test_predictions_do_not_depend_on_the_batch(trained):
    texts = [text for text, _ in CORPUS] * 3 + ["", "gave", "Bob left", "  "]
    docs = [trained(text) for text in texts]
    expected = [frames_of(doc) for doc in docs]
    for size in (1, 2, 7, 100):
        backwards = list(trained.pipe(texts[::-1], batch_size=size))
        assert [frames_of(doc) for doc in backwards][::-1] == expected


def test_predictions_do_not_depend_on_the_parts(trained, monkeypatch):
    text = " ".join(text for text, _ in CORPUS)
    output, saved = with_every_token_a_predicate(trained.get_pipe("srl"))
    try:
        expected = predictions(trained, [text, text])
        assert len(expected[0]) == sum(map(str.isalpha, text.split()))
        for pairs_at_once in (0, 10**9):
            monkeypatch.setattr("spacy_mtl.heads.srl.component.PAIRS_AT_ONCE", pairs_at_once)
            assert predictions(trained, [text, text]) == expected
        monkeypatch.setattr("spacy_mtl.heads.srl.frame_batch.MAX_PAIRS", 7)
        assert predictions(trained, [text, text]) == expected
    finally:
        with torch.no_grad():
            output.bias.copy_(saved)


def test_parts_hold_all_predicates_and_not_too_many_pairs(monkeypatch):
    monkeypatch.setattr("spacy_mtl.heads.srl.frame_batch.MAX_PAIRS", 10)
    predicates = np.array([1, 2, 5, 6, 9])
    lengths = np.array([0, 4, 4, 0, 0, 4, 25, 0, 0, 4])
    parts = split_predicates(predicates, lengths)
    assert np.concatenate(parts).tolist() == predicates.tolist()
    assert all(len(part) for part in parts)
    assert all(lengths[part[:-1]].sum() <= 10 for part in parts)
    assert split_predicates(np.zeros(0, dtype=int), lengths) == []


@pytest.mark.filterwarnings("ignore:.* reach out")
def test_arguments_stay_within_the_sentence_and_the_distance():
    nlp = initialized(settings={"max_distance": 3}, trunk=None)
    head = nlp.get_pipe("srl")
    with_every_token_a_predicate(head)
    head.cfg["constraints"]["unique_core_roles"] = False
    tag = head.model.get_ref("argument_scorer").shims[0]._model.tag
    with torch.no_grad():
        tag.bias[1] += 1000.0  # every token is an ARG0
        tag.bias[-1] += 500.0  # of its own
    doc = Doc(nlp.vocab, words=["a"] * 12, sent_starts=[True, *[False] * 6, True, *[False] * 4])
    frames = frames_of(head(doc))
    assert len(frames) == 12
    for predicate, _, arguments in frames:
        first, last = (0, 7) if predicate < 7 else (7, 12)
        tokens = range(max(first, predicate - 3), min(last, predicate + 4))
        assert arguments == [("ARG0", i, i + 1) for i in tokens if i != predicate]


def test_arguments_do_not_include_the_predicate():
    nlp = initialized(trunk=None)
    head = nlp.get_pipe("srl")
    with_every_token_a_predicate(head)
    head.cfg["constraints"]["unique_core_roles"] = False
    tag = head.model.get_ref("argument_scorer").shims[0]._model.tag
    with torch.no_grad():
        tag.bias[1] += 1000.0  # every token is an ARG0
        tag.bias[-1] -= 500.0  # that goes on
    frames = frames_of(head(Doc(nlp.vocab, words=["a", "b", "c", "d"])))
    assert [arguments for _, _, arguments in frames] == [
        [("ARG0", 1, 4)],
        [("ARG0", 0, 1), ("ARG0", 2, 4)],
        [("ARG0", 0, 2), ("ARG0", 3, 4)],
        [("ARG0", 0, 3)],
    ]


def test_whitespace_is_no_predicate_and_at_no_border_of_an_argument():
    nlp = initialized(trunk=None)
    head = nlp.get_pipe("srl")
    with_every_token_a_predicate(head)
    head.cfg["constraints"]["unique_core_roles"] = False
    tag = head.model.get_ref("argument_scorer").shims[0]._model.tag
    with torch.no_grad():
        tag.bias[1] += 1000.0
        tag.bias[-1] -= 500.0
    words = ["\n", "a", "\n", "b", "\n", "\n", "c", "\n"]
    first, second = (Doc(nlp.vocab, words=words) for _ in range(2))
    for doc in nlp.pipe([first, Doc(nlp.vocab, words=["\n", " "]), second]):
        if len(doc) == 2:
            assert frames_of(doc) == []
            continue
        assert [(at, arguments) for at, _, arguments in frames_of(doc)] == [
            (1, [("ARG0", 3, 7)]),
            (3, [("ARG0", 1, 2), ("ARG0", 6, 7)]),
            (6, [("ARG0", 1, 4)]),
        ]


@pytest.mark.parametrize("texts", [[""], ["", ""], ["   "], ["\n\n", ""], ["gave"], []])
def test_odd_documents(trained, texts):
    for doc in trained.pipe(texts):
        assert "srl" in doc.spans
        for frame in indexed_frames(doc):
            assert not doc[frame.predicate].is_space
            assert not frame.arguments


def test_odd_documents_in_training():
    nlp = initialized()
    corpus = [("", []), ("left", [(0, "leave.01", [])])]
    losses = nlp.update(make_examples(nlp, corpus), sgd=nlp.resume_training())
    assert losses["srl"] > 0
    space = make_example(nlp.vocab, [" ", "\n"], [])
    empty = make_example(nlp.vocab, [], [])
    assert nlp.update([space, empty], sgd=nlp.resume_training())["srl"] > 0
    assert nlp.update([empty], sgd=nlp.resume_training())["srl"] == 0.0


def test_document_of_100_000_tokens(trained):
    words = [word for text, _ in CORPUS for word in text.split()]
    words = (words * (100_000 // len(words) + 1))[:100_000]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes
    doc = trained(Doc(trained.vocab, words=words))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_500_000
    assert len(doc.spans["srl"]) > 10_000


# Several heads


def test_two_heads_write_their_own_span_groups():
    nlp = make_nlp("srl", "nominal", spans_keys={"nominal": "nouns"})
    nominal = nlp.get_pipe("nominal")
    examples = make_examples(nlp, CORPUS[:3])
    nouns = [(0, "gift.01", [("ARG1", 1, 2)])]
    examples.append(make_example(nlp.vocab, ["gift", "books", "."], nouns, key="nouns"))
    losses = train(nlp, examples)
    assert losses["srl"] < 0.1 and losses["nominal"] < 0.1
    assert nlp.get_pipe("srl").labels != nominal.labels == ("ARG1",)
    doc = nlp(Doc(nlp.vocab, words=["gift", "books", "."]))
    assert frames_of(doc, "nouns") == nouns
    doc = nlp(Doc(nlp.vocab, words=CORPUS[0][0].split()))
    assert frames_of(doc) == CORPUS[0][1]
    predicted = [Example(nlp(example.predicted), example.reference) for example in examples]
    for name, key in (("srl", "srl"), ("nominal", "nouns")):
        assert nlp.get_pipe(name).score(predicted)[f"{key}_arguments_f"] == 1.0
