import numpy as np
import pytest
import spacy
import torch
from spacy.cli.find_threshold import find_threshold
from spacy.scorer import Scorer
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from spacy_mtl.heads.textcat import exclusive_loss, independent_loss
from spacy_mtl.heads.textcat_scorer import score_textcat
from spacy_mtl.util.annotation import count_annotated
from tests.heads.pipelines import (
    gradient_of,
    make_examples,
    make_nlp,
    parameters_of,
    reloaded,
    train,
)

EXCLUSIVE = [
    ("I love this film", {"cats": {"good": 1.0, "bad": 0.0, "meh": 0.0}}),
    ("I hate it", {"cats": {"good": 0.0, "bad": 1.0, "meh": 0.0}}),
    ("it is a film", {"cats": {"good": 0.0, "bad": 0.0, "meh": 1.0}}),
]
INDEPENDENT = [
    ("the team won at home", {"cats": {"sport": 1.0, "politics": 0.0}}),
    ("the minister saw the team", {"cats": {"sport": 1.0, "politics": 1.0}}),
    ("nothing to see", {"cats": {"sport": 0.0, "politics": 0.0}}),
]
SETS = {True: EXCLUSIVE, False: INDEPENDENT}


def textcat(exclusive, name="mtl_textcat", **config):
    return ("mtl_textcat", name, {"exclusive": exclusive, **config})


def trained_nlp(exclusive):
    nlp = make_nlp(textcat(exclusive))
    train(nlp, make_examples(nlp, SETS[exclusive]))
    return nlp


@pytest.fixture(scope="module")
def trained():
    return {exclusive: trained_nlp(exclusive) for exclusive in (True, False)}


def initialized(exclusive):
    nlp = make_nlp(textcat(exclusive))
    nlp.initialize(lambda: make_examples(nlp, SETS[exclusive]))
    return nlp


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("trunk", ["mtl_tok2vec", "tok2vec", None])
def test_overfits_behind_each_trunk_and_alone(trunk, exclusive):
    nlp = make_nlp(textcat(exclusive), trunk=trunk)
    losses = train(nlp, make_examples(nlp, SETS[exclusive]))
    assert losses["mtl_textcat"] < 0.1
    scores = nlp.evaluate(make_examples(nlp, SETS[exclusive]))
    assert scores["cats_score"] == 1.0
    assert scores["cats_micro_f"] == 1.0


def test_hidden_layer_overfits():
    config = {"exclusive": True, "model": {"hidden_width": 16}}
    nlp = make_nlp(("mtl_textcat", "mtl_textcat", config))
    train(nlp, make_examples(nlp, EXCLUSIVE))
    assert nlp.evaluate(make_examples(nlp, EXCLUSIVE))["cats_micro_f"] == 1.0


@pytest.mark.parametrize("exclusive", [True, False])
def test_saved_pipelines_predict_the_same(trained, tmp_path, exclusive):
    for nlp in reloaded(trained[exclusive], tmp_path):
        for text, _ in SETS[exclusive]:
            assert nlp(text).cats == trained[exclusive](text).cats
        assert nlp.get_pipe("mtl_textcat").cfg == trained[exclusive].get_pipe("mtl_textcat").cfg


def test_replace_listeners_keeps_predictions(trained, tmp_path):
    trained[True].to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    nlp.replace_listeners("mtl_tok2vec", "mtl_textcat", ["model.tok2vec"])
    nlp.remove_pipe("mtl_tok2vec")
    for text, _ in EXCLUSIVE:
        assert nlp(text).cats == pytest.approx(trained[True](text).cats)


@pytest.mark.parametrize("exclusive", [True, False])
def test_scores_do_not_depend_on_the_batch(trained, exclusive):
    nlp = trained[exclusive]
    texts = [text for text, _ in SETS[exclusive]] + ["film", "", "   ", "\n\nteam\n"]
    expected = [nlp(text).cats for text in texts]
    for size in (2, 10):
        docs = list(nlp.pipe(texts[::-1], batch_size=size))[::-1]
        for doc, cats in zip(docs, expected, strict=True):
            assert doc.cats == pytest.approx(cats, abs=1e-4)


@pytest.mark.parametrize("texts", [[""], ["", ""], [" "], ["film"], ["\n\n", ""]])
def test_odd_documents_get_every_score(trained, texts):
    for doc in trained[True].pipe(texts):
        assert list(doc.cats) == ["bad", "good", "meh"]
        assert sum(doc.cats.values()) == pytest.approx(1.0)
    for doc in trained[False].pipe(texts):
        assert all(0.0 <= score <= 1.0 for score in doc.cats.values())


def test_document_of_100_000_tokens(trained):
    head = trained[True].get_pipe("mtl_textcat")
    doc = Doc(head.vocab, words=["film"] * 100_000)
    doc.tensor = np.random.default_rng(0).normal(size=(100_000, 24)).astype("f")
    head(doc)
    assert np.isfinite(list(doc.cats.values())).all()


def test_extreme_logits_give_probabilities(trained, monkeypatch):
    for exclusive, nlp in trained.items():
        head = nlp.get_pipe("mtl_textcat")
        logits = np.array([[1e4, -1e4, 0.0][: len(head.labels)]], dtype="f")
        monkeypatch.setattr(type(head.model), "predict", lambda model, docs, x=logits: x)
        with np.errstate(all="raise", under="ignore"):
            scores = head.predict([nlp.make_doc("film")])
        assert scores[0, :2].tolist() == [1.0, 0.0], exclusive


# Several heads


def test_two_heads_keep_each_others_categories():
    nlp = make_nlp(textcat(True, "mood"), textcat(False, "topic"))
    nlp.config["initialize"]["components"]["mood"] = {"labels": ["bad", "good", "meh"]}
    nlp.config["initialize"]["components"]["topic"] = {"labels": ["politics", "sport"]}
    examples = make_examples(nlp, EXCLUSIVE + INDEPENDENT)
    losses = train(nlp, examples, steps=100)
    assert losses["mood"] < 0.2 and losses["topic"] < 0.2
    for text, annotation in EXCLUSIVE + INDEPENDENT:
        cats = nlp(text).cats
        assert sorted(cats) == ["bad", "good", "meh", "politics", "sport"]
        for label, value in annotation["cats"].items():
            assert (cats[label] > 0.5) == bool(value)


def test_annotation_of_another_head_does_not_count():
    nlp = initialized(True)
    head = nlp.get_pipe("mtl_textcat")
    other, own = make_examples(nlp, [INDEPENDENT[0], ("x", {"cats": {"good": 1.0}})])
    assert not head.is_annotated(other)
    assert head.is_annotated(own)


# Missing and partial annotation


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("trunk", ["mtl_tok2vec", "tok2vec", None])
def test_documents_without_annotation_do_not_change_the_gradient(trunk, exclusive):
    gradients, losses = [], []
    data = SETS[exclusive]
    for extra in ([], [("Bob", {}), ("", {}), ("Rome", {"cats": {"other": 1.0}})]):
        nlp = make_nlp(textcat(exclusive), trunk=trunk)
        nlp.initialize(lambda nlp=nlp: make_examples(nlp, data))
        losses.append(nlp.update(make_examples(nlp, data + extra), sgd=False)["mtl_textcat"])
        gradients.append(gradient_of(nlp, "mtl_textcat"))
    assert losses[0] == pytest.approx(losses[1])
    assert np.abs(gradients[0]).max() > 0
    assert np.allclose(*gradients, atol=1e-6)


def test_batch_without_annotation_changes_nothing():
    nlp = initialized(True)
    optimizer = nlp.resume_training()
    before = parameters_of(nlp, "mtl_textcat")
    losses = nlp.update(make_examples(nlp, [("film", {})]), sgd=optimizer)
    assert losses["mtl_textcat"] == 0.0
    assert np.array_equal(before, parameters_of(nlp, "mtl_textcat"))


def test_unknown_label_of_a_document_gets_no_gradient():
    nlp = initialized(False)
    head = nlp.get_pipe("mtl_textcat")
    known, truths = head._gold(make_examples(nlp, [("x", {"cats": {"sport": 1.0}}), ("y", {})]))
    assert known.tolist() == [[False, True], [False, False]]
    _, gradient = independent_loss(np.zeros((2, 2), dtype="f"), known, truths)
    assert gradient.tolist() == [[0.0, -0.5], [0.0, 0.0]]


def test_partial_exclusive_annotation_is_learnt():
    nlp = make_nlp(textcat(True))
    full = make_examples(nlp, EXCLUSIVE[:2])
    partial = make_examples(nlp, [("it is a film", {"cats": {"good": 0.0, "bad": 0.0}})])
    nlp.config["initialize"]["components"]["mtl_textcat"] = {"labels": ["bad", "good", "meh"]}
    train(nlp, full + partial)
    assert nlp("it is a film").cats["meh"] > 0.8
    assert nlp("I hate it").cats["bad"] > 0.8


# Errors


def test_initialize_without_categories_names_the_component():
    nlp = make_nlp(textcat(True))
    with pytest.raises(ValueError, match="'mtl_textcat' has no labels"):
        nlp.initialize(lambda: make_examples(nlp, [("x", {})]))


def initialize_with(cats, exclusive=True):
    nlp = make_nlp(textcat(exclusive))
    data = SETS[exclusive] + [("a strange film", {"cats": cats})]
    nlp.initialize(lambda: make_examples(nlp, data))


def test_two_right_categories_are_refused():
    with pytest.raises(ValueError, match="'good', 'bad' are all 1.0 for the document 'a strange"):
        initialize_with({"good": 1.0, "bad": 1.0})
    nlp = initialized(True)
    with pytest.raises(ValueError, match="exclusive is true"):
        nlp.update(make_examples(nlp, [("x", {"cats": {"good": 1.0, "bad": 1.0}})]))


def test_no_right_category_is_refused():
    cats = {"good": 0.0, "bad": 0.0, "meh": 0.0}
    with pytest.raises(ValueError, match="every category is 0.0 for the document 'a strange film'"):
        initialize_with(cats)
    nlp = initialized(True)
    with pytest.raises(ValueError, match="every category is 0.0 for the document 'x'"):
        nlp.update(make_examples(nlp, [("x", {"cats": cats})]))


def test_values_between_0_and_1_are_refused():
    with pytest.raises(ValueError, match="Doc.cats\\['sport'\\] is 0.5"):
        initialize_with({"sport": 0.5}, exclusive=False)


def test_a_single_exclusive_category_is_refused():
    nlp = make_nlp(textcat(True))
    with pytest.raises(ValueError, match="needs two categories or more.*only 'good'"):
        nlp.initialize(lambda: make_examples(nlp, [("x", {"cats": {"good": 1.0}})]))


def test_labels_can_be_given():
    nlp = make_nlp(textcat(True))
    head = nlp.get_pipe("mtl_textcat")
    head.initialize(lambda: make_examples(nlp, EXCLUSIVE), nlp=nlp, labels=["meh", "good"])
    assert head.labels == ("meh", "good")


# The losses


def torch_loss(scores, loss_of):
    logits = torch.tensor(scores, requires_grad=True)
    loss = loss_of(logits)
    loss.backward()
    return loss.item(), logits.grad.numpy()


def check(result, expected):
    assert result[0] == pytest.approx(expected[0])
    assert np.allclose(result[1], expected[1], atol=1e-6)


@pytest.fixture
def scores():
    return np.random.default_rng(0).normal(size=(4, 3))


def test_exclusive_loss(scores):
    known = np.array([[1, 1, 1], [0, 1, 0], [1, 0, 1], [0, 0, 0]], dtype=bool)
    truths = np.array([[0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0]], dtype=bool)

    def expected(logits):
        p = logits.softmax(dim=1)
        return -(p[0, 1].log() + (1 - p[1, 1]).log() + p[2, 0].log()) / 3

    check(exclusive_loss(scores, known, truths), torch_loss(scores, expected))


def test_independent_loss(scores):
    known = np.array([[1, 1, 1], [0, 1, 0], [1, 0, 1], [0, 0, 0]], dtype=bool)
    truths = np.array([[0, 1, 1], [0, 0, 0], [1, 0, 0], [0, 0, 0]], dtype=bool)
    target, mask = torch.tensor(truths).double(), torch.tensor(known)

    def expected(logits):
        return torch.nn.functional.binary_cross_entropy_with_logits(logits[mask], target[mask])

    check(independent_loss(scores, known, truths), torch_loss(scores, expected))


def test_losses_without_annotation_are_zero(scores):
    nothing = np.zeros((4, 3), dtype=bool)
    for loss_of in (exclusive_loss, independent_loss):
        loss, gradient = loss_of(scores, nothing, nothing)
        assert loss == 0.0
        assert not gradient.any()


# Scores


def example_of(nlp, gold, predicted):
    reference = nlp.make_doc("x")
    reference.cats = gold
    doc = nlp.make_doc("x")
    doc.cats = predicted
    return Example(doc, reference)


def scores_of(gold, exclusive, predicted=None, **settings):
    """The scores of documents for each of which "a" is predicted."""
    nlp = spacy.blank("en")
    predicted = predicted or {"a": 0.9, "b": 0.1}
    examples = [example_of(nlp, cats, predicted) for cats in gold]
    return score_textcat(examples, labels=["a", "b"], exclusive=exclusive, **settings)


@pytest.mark.parametrize("exclusive", [True, False])
def test_references_without_annotation_are_not_scored(exclusive):
    scores = scores_of([{"a": 1.0, "b": 0.0}, {}, {"c": 0.0}], exclusive)
    assert scores["cats_micro_f"] == 1.0
    assert scores["cats_f_per_type"].keys() == {"a", "b"}


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("wrong", [{"c": 1.0}, {"a": 0.0, "b": 0.0, "c": 1.0}])
def test_right_categories_that_nobody_has_are_missed(exclusive, wrong):
    scores = scores_of([{"a": 1.0, "b": 0.0}, *[wrong] * 9], exclusive)
    assert scores["cats_micro_r"] == pytest.approx(0.1)
    assert scores["cats_f_per_type"]["c"] == {"p": 0.0, "r": 0.0, "f": 0.0}
    assert scores["cats_macro_f"] < 0.6


@pytest.mark.parametrize("exclusive", [True, False])
def test_annotation_for_another_component_does_not_count(exclusive):
    gold = [{"a": 1.0, "b": 0.0}, {"sport": 1.0}, {"stars": 1.0}, {"odd": 1.0}, {"stars": 4.0}]
    settings = {"rivals": {"topic": ["sport", "politics"]}, "targets_of_others": ["stars"]}
    assert scores_of(gold, exclusive, **settings)["cats_micro_f"] == 1.0
    own = {"a": 0.0, "sport": 0.0, "odd": 1.0}  # annotated for this component, too
    assert scores_of([*gold, own], exclusive, **settings)["cats_micro_r"] == 0.5
    unknown_rival = {"topic": []}  # its labels may be anything
    assert scores_of([*gold, own], exclusive, rivals=unknown_rival)["cats_micro_r"] == 1.0


def test_exclusive_references_without_a_right_category_are_not_scored():
    assert scores_of([{"a": 1.0}, {"a": 0.0}, {"b": 0.0}], True)["cats_micro_f"] == 1.0
    both = {"c": 1.0, "a": 1.0}  # the right one is known: there can't be another
    assert scores_of([both], True)["cats_micro_f"] == 1.0


def test_undefined_scores_are_left_out_of_means():
    gold = [{"a": 1.0, "b": 1.0}, {"a": 0.0, "b": 1.0}]
    scores = scores_of(gold, False, {"a": 0.6, "b": 0.7})
    assert scores["cats_auc_per_type"] == {"a": 0.5, "b": None}
    assert scores["cats_macro_auc"] == scores["cats_score"] == 0.5  # Scorer.score_cats: 0.25
    scores = scores_of([{"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 0.0}], False)
    assert scores["cats_f_per_type"]["b"] == {"p": None, "r": None, "f": None}
    assert scores["cats_macro_p"] == scores["cats_f_per_type"]["a"]["p"] == 0.5
    nothing = scores_of([{"a": 0.0}], False, {"a": 0.1})
    assert nothing["cats_micro_f"] is nothing["cats_macro_f"] is nothing["cats_score"] is None


def test_scores_are_those_of_spacy_where_all_are_defined():
    nlp = spacy.blank("en")
    golds = [{"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 1.0}, {"a": 1.0, "b": 0.0}]
    guesses = [{"a": 0.9, "b": 0.1}, {"a": 0.6, "b": 0.4}, {"a": 0.2, "b": 0.8}]
    examples = [example_of(nlp, *pair) for pair in zip(golds, guesses, strict=True)]
    for exclusive in (True, False):
        expected = Scorer.score_cats(
            examples, "cats", labels=["a", "b"], multi_label=not exclusive, threshold=0.5
        )
        assert score_textcat(examples, labels=["a", "b"], exclusive=exclusive) == expected


def test_categories_that_the_pipeline_lacks_lower_its_scores_and_are_said_once(trained):
    nlp = trained[True]
    data = [("I love this film", {"cats": {"good": 1.0}})]
    data += [("I love this film", {"cats": {"sarcastic": 1.0}})] * 9
    data += [("I love this film", {"cats": {"good": 0.0}})]
    examples = make_examples(nlp, data)
    with pytest.warns(UserWarning) as caught:
        scores = [nlp.evaluate(examples) for _ in range(2)]
    assert [own["cats_micro_r"] for own in scores] == [pytest.approx(0.1)] * 2
    message = (
        "Scores of 'mtl_textcat' on 11 documents. Right categories that no component has count as "
        "missed: 'sarcastic' (9). Documents whose annotation only says which categories are wrong "
        "are left out: 1."
    )
    assert [str(warning.message) for warning in caught] == [message]
    head = nlp.get_pipe("mtl_textcat")
    assert count_annotated(head, [], examples) == 10


def test_categories_that_are_not_learned_are_said_once():
    nlp = initialized(True)
    batch = make_examples(nlp, [EXCLUSIVE[0], *[("x", {"cats": {"other": 1.0}})] * 2])
    message = r"2 of 3 documents in a training batch have labels .*: 'other' \(2\). They are not"
    with pytest.warns(UserWarning, match=message) as caught:
        for _ in range(2):
            nlp.update(batch, sgd=False)
    assert len(caught) == 1


@pytest.mark.parametrize("exclusive", [True, False])
def test_scores_are_none_without_annotation(trained, exclusive):
    nlp = trained[exclusive]
    scores = nlp.evaluate(make_examples(nlp, [("film", {})]))
    assert scores["cats_score"] is None
    assert scores["cats_micro_f"] is None
    assert scores["cats_f_per_type"] is None


def test_labels_without_annotation_do_not_lower_the_average():
    nlp = spacy.blank("en")
    examples = [
        example_of(nlp, {"a": 1.0}, {"a": 0.9, "b": 0.9}),
        example_of(nlp, {"a": 0.0}, {"a": 0.1, "b": 0.9}),
    ]
    scores = score_textcat(examples, labels=["a", "b"], exclusive=False, threshold=0.5)
    assert scores["cats_macro_f"] == scores["cats_macro_auc"] == 1.0


def test_find_threshold(trained, tmp_path):
    nlp = trained[False]
    nlp.to_disk(tmp_path / "model")
    docs = [example.reference for example in make_examples(nlp, INDEPENDENT)]
    DocBin(docs=docs).to_disk(tmp_path / "dev.spacy")
    threshold, score, scores = find_threshold(
        tmp_path / "model",
        tmp_path / "dev.spacy",
        "mtl_textcat",
        "threshold",
        "cats_macro_f",
        n_trials=3,
    )
    assert threshold == 0.5
    assert score == 1.0
    assert scores[0.0] < 1.0
