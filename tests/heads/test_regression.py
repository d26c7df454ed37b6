import math

import numpy as np
import pytest
import spacy
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import DocBin
from spacy.training import Example

from spacy_mtl.corpora.annotations import keep_annotations, select_tasks
from spacy_mtl.heads.regression import absolute_error, squared_error
from spacy_mtl.heads.regression_scorer import measure, ranks, score_regression
from tests.heads.pipelines import (
    gradient_of,
    make_examples,
    make_nlp,
    parameters_of,
    reloaded,
    train,
)

STARS = [
    ("I love this film", {"cats": {"stars": 5.0}}),
    ("I hate it", {"cats": {"stars": 1.0}}),
    ("it is a film", {"cats": {"stars": 3}}),
    ("the film is nice", {"cats": {"stars": 4.0}}),
]
PARTIAL = [
    ("I love this film", {"cats": {"stars": 5.0, "minutes": 1e4}}),
    ("I hate it", {"cats": {"stars": 1.0}}),
    ("it is a film", {"cats": {"minutes": 2e4}}),
    ("nothing is known", {}),
]
MOODS = [("good", {"cats": {"good": 1.0, "bad": 0.0}}), ("no", {"cats": {"good": 0.0, "bad": 1.0}})]


def regression(name="mtl_regression", **config):
    return ("mtl_regression", name, config)


def initialized(data=STARS, **config):
    nlp = make_nlp(regression(**config))
    nlp.initialize(lambda: make_examples(nlp, data))
    return nlp


@pytest.fixture(scope="module")
def trained():
    nlp = make_nlp(regression())
    train(nlp, make_examples(nlp, PARTIAL), steps=100)
    return nlp


@pytest.mark.parametrize("loss", ["squared", "absolute"])
@pytest.mark.parametrize("trunk", ["mtl_tok2vec", "tok2vec", None])
def test_overfits_behind_each_trunk_and_alone(trunk, loss):
    nlp = make_nlp(regression(loss=loss), trunk=trunk)
    train(nlp, make_examples(nlp, STARS), steps=100)
    scores = nlp.evaluate(make_examples(nlp, STARS))
    assert scores["regression_mae"] < 0.3
    assert scores["regression_r"] > 0.95
    assert scores["regression_r2"] > 0.9
    assert scores["regression_per_target"]["stars"]["mae"] == scores["regression_mae"]


def test_an_untrained_head_predicts_the_mean_in_the_targets_unit():
    nlp = initialized(PARTIAL)
    assert nlp("film").cats == {"minutes": 1.5e4, "stars": 3.0}
    assert nlp.get_pipe("mtl_regression").label_data == {
        "minutes": {"mean": 1.5e4, "deviation": 5e3},
        "stars": {"mean": 3.0, "deviation": 2.0},
    }


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_loss_and_gradient_do_not_depend_on_the_unit(factor):
    data = [(text, {"cats": {"x": value["cats"]["stars"] * factor}}) for text, value in STARS]
    results = []
    for own in (STARS, data):
        nlp = initialized(own)
        losses = nlp.update(make_examples(nlp, own), sgd=False)
        results.append((losses["mtl_regression"], gradient_of(nlp, "mtl_regression")))
    assert results[0][0] == pytest.approx(1.0)  # the variance
    assert results[1][0] == pytest.approx(1.0)
    assert np.allclose(results[0][1], results[1][1], atol=1e-6)
    assert np.abs(results[0][1]).max() > 0


def test_saved_pipelines_predict_the_same(trained, tmp_path):
    for nlp in reloaded(trained, tmp_path):
        for text, _ in PARTIAL:
            assert nlp(text).cats == trained(text).cats
        assert nlp.get_pipe("mtl_regression").scales == trained.get_pipe("mtl_regression").scales


def test_predictions_do_not_depend_on_the_batch(trained):
    texts = [text for text, _ in PARTIAL] + ["film", "", "   ", "\n\nteam\n"]
    expected = [trained(text).cats for text in texts]
    for size in (2, 10):
        docs = list(trained.pipe(texts[::-1], batch_size=size))[::-1]
        for doc, cats in zip(docs, expected, strict=True):
            assert doc.cats == pytest.approx(cats, rel=1e-4)


def test_numbers_survive_a_corpus_file(tmp_path):
    nlp = spacy.blank("en")
    doc = nlp.make_doc("film")
    doc.cats = {"stars": 1 / 3}
    DocBin(docs=[doc]).to_disk(tmp_path / "docs.spacy")
    (loaded,) = DocBin().from_disk(tmp_path / "docs.spacy").get_docs(nlp.vocab)
    assert loaded.cats == {"stars": 1 / 3}


# Missing annotation


@pytest.mark.parametrize("trunk", ["mtl_tok2vec", "tok2vec", None])
def test_documents_without_the_target_do_not_change_the_gradient(trunk):
    gradients, losses = [], []
    for extra in ([], [("Bob", {}), ("", {}), ("Rome", {"cats": {"other": 1.0}})]):
        nlp = make_nlp(regression(targets=["stars"]), trunk=trunk)
        nlp.initialize(lambda nlp=nlp: make_examples(nlp, STARS))
        losses.append(nlp.update(make_examples(nlp, STARS + extra), sgd=False)["mtl_regression"])
        gradients.append(gradient_of(nlp, "mtl_regression"))
    assert losses[0] == pytest.approx(losses[1])
    assert np.allclose(*gradients, atol=1e-6)


def test_batch_without_annotation_changes_nothing():
    nlp = initialized()
    optimizer = nlp.resume_training()
    before = parameters_of(nlp, "mtl_regression")
    losses = nlp.update(make_examples(nlp, [("film", {})]), sgd=optimizer)
    assert losses["mtl_regression"] == 0.0
    assert np.array_equal(before, parameters_of(nlp, "mtl_regression"))


def test_targets_are_learnt_where_they_are_known(trained):
    cats = trained("I hate it").cats
    assert cats["stars"] == pytest.approx(1.0, abs=0.3)
    assert trained("it is a film").cats["minutes"] == pytest.approx(2e4, rel=0.1)


def test_documents_without_the_target_are_not_scored():
    nlp = initialized(PARTIAL)
    scores = nlp.evaluate(make_examples(nlp, PARTIAL))
    assert scores["regression_per_target"]["stars"]["mae"] == 2.0
    assert scores["regression_per_target"]["minutes"]["mae"] == 5e3
    scores = nlp.evaluate(make_examples(nlp, [("film", {})]))
    assert all(value is None for key, value in scores.items() if key.startswith("regression"))


# Beside other components


def test_categories_and_numbers_keep_to_themselves():
    mood = ("mtl_textcat", "mood", {"exclusive": True})
    nlp = make_nlp(mood, regression("rating", targets=["stars"]))
    losses = train(nlp, make_examples(nlp, STARS + MOODS), steps=100)
    assert nlp.get_pipe("mood").labels == ("bad", "good")
    assert nlp.get_pipe("rating").labels == ("stars",)
    assert losses["mood"] < 0.2 and losses["rating"] < 0.2
    cats = nlp("I love this film").cats
    assert sorted(cats) == ["bad", "good", "stars"]
    assert cats["stars"] == pytest.approx(5.0, abs=0.7)
    scores = nlp.evaluate(make_examples(nlp, STARS + MOODS))
    assert scores["cats_micro_f"] == 1.0


def test_two_heads_need_their_targets_named():
    nlp = make_nlp(("mtl_textcat", "mood", {}), regression("rating"))
    nlp.config["initialize"]["components"]["mood"] = {"labels": ["bad", "good"]}
    with pytest.raises(ValueError, match=r"\[components.rating\] targets is empty.*'mood'"):
        nlp.initialize(lambda: make_examples(nlp, STARS + MOODS))


def test_a_source_can_be_limited_to_one_of_them():
    nlp = make_nlp(("mtl_textcat", "mood", {}), regression("rating", targets=["stars"]))
    doc = nlp.make_doc("film")
    doc.cats = {"stars": 5.0, "good": 1.0}

    def kept(*tasks):
        return dict(keep_annotations(doc, select_tasks(nlp, tasks, "corpora")).cats)

    assert kept("rating") == {"stars": 5.0}
    assert kept("mood") == {"good": 1.0}
    assert kept("mood", "rating") == kept("categories") == {"stars": 5.0, "good": 1.0}
    assert kept("entities") == {}


def test_the_trunk_records_it_as_a_task():
    nlp = make_nlp(("mtl_textcat", "mood", {}), regression("rating", targets=["stars"]))
    examples = make_examples(nlp, STARS + MOODS)
    train(nlp, examples, steps=3)
    nlp.update(examples, sgd=False)
    trunk = nlp.get_pipe("mtl_tok2vec")
    trunk.flush()
    record = trunk.records.last
    assert set(record.tasks) == {"mood", "rating"}
    assert record.tasks["rating"].units == 1
    assert record.tasks["rating"].norm > 0 and record.tasks["rating"].loss > 0


# Initialization


def test_saved_labels_set_the_scale():
    nlp = make_nlp(regression())
    head = nlp.get_pipe("mtl_regression")
    labels = {"stars": {"mean": 2.5, "deviation": 0.5}}
    head.initialize(lambda: make_examples(nlp, STARS), nlp=nlp, labels=labels)
    assert head.label_data == labels
    head.initialize(lambda: make_examples(nlp, STARS), nlp=nlp, labels=labels)


def test_labels_can_be_names():
    nlp = make_nlp(regression())
    head = nlp.get_pipe("mtl_regression")
    head.initialize(lambda: make_examples(nlp, PARTIAL), nlp=nlp, labels=["stars"])
    assert head.label_data == {"stars": {"mean": 3.0, "deviation": 2.0}}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["price"], "none of 4 training documents has a value for the target 'price'"),
        ({"stars": {"mean": 1.0}}, "'stars' needs a mean and a deviation"),
        ({"stars": {"mean": 1.0, "deviation": 0.0}}, "the deviation above 0"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, message):
    nlp = make_nlp(regression())
    head = nlp.get_pipe("mtl_regression")
    with pytest.raises(ValueError, match=message):
        head.initialize(lambda: make_examples(nlp, STARS), nlp=nlp, labels=labels)


def test_labels_other_than_the_targets_are_refused():
    nlp = make_nlp(regression(targets=["price"]))
    head = nlp.get_pipe("mtl_regression")
    with pytest.raises(ValueError, match="labels are stars, but .* targets are price"):
        head.initialize(lambda: make_examples(nlp, STARS), nlp=nlp, labels=["stars"])


def test_a_target_of_one_value_is_predicted_as_that_value():
    nlp = make_nlp(regression())
    train(nlp, make_examples(nlp, [("a film", {"cats": {"stars": 4.0}})]), steps=3)
    assert nlp("another").cats["stars"] == pytest.approx(4.0)


def test_initialize_without_numbers_names_the_component():
    nlp = make_nlp(regression())
    with pytest.raises(ValueError, match="'mtl_regression' has no labels.*numbers"):
        nlp.initialize(lambda: make_examples(nlp, [("x", {})]))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "5", None])
def test_values_that_are_no_numbers_are_refused(value):
    nlp = initialized()
    example = Example(nlp.make_doc("a film"), nlp.make_doc("a film"))
    example.reference.cats = {"stars": value}
    message = r"Doc.cats\['stars'\] is .* for the document 'a film'"
    with pytest.raises(ValueError, match=message):
        nlp.update([example], sgd=False)
    new = make_nlp(regression())
    with pytest.raises(ValueError, match=message):
        new.initialize(lambda: [*make_examples(new, STARS), example])


def test_values_too_large_to_compute_with_are_refused():
    with pytest.raises(ValueError, match="too large to compute with"):
        initialized([("a", {"cats": {"x": 1e308}}), ("b", {"cats": {"x": -1e308}})])


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="loss"):
        make_nlp(regression(loss="cubic"))


# The losses


@pytest.mark.parametrize(
    ("error", "reference"),
    [(squared_error, torch.nn.functional.mse_loss), (absolute_error, torch.nn.functional.l1_loss)],
)
def test_errors_and_gradients(error, reference):
    generator = np.random.default_rng(0)
    outputs, wanted = generator.normal(size=(2, 4, 3))
    wanted[[0, 2, 2], [1, 0, 2]] = np.nan
    known = torch.tensor(~np.isnan(wanted))
    tensor = torch.tensor(outputs, requires_grad=True)
    expected = reference(tensor[known], torch.tensor(wanted)[known])
    expected.backward()
    loss, gradient = error(outputs, wanted)
    assert loss == pytest.approx(expected.item())
    assert np.allclose(gradient, tensor.grad.numpy(), atol=1e-9)


def test_errors_without_any_known_value_are_zero():
    for error in (squared_error, absolute_error):
        loss, gradient = error(np.ones((2, 2)), np.full((2, 2), np.nan))
        assert loss == 0.0 and not gradient.any()


# Scores

NUMBERS = st.integers(-5, 5).map(float)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=12)


@given(PAIRS)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_measures_keep_their_promises(pairs):
    gold, predicted = np.array(pairs).T
    scores = measure(gold, predicted)
    assert 0.0 <= scores["mae"] <= scores["rmse"] + 1e-9
    if np.ptp(gold) == 0:
        assert scores["r"] is scores["rho"] is scores["r2"] is None
        return
    assert -1.0 - 1e-9 <= scores["r"] <= 1.0 + 1e-9
    scaled = measure(gold, 3.0 * predicted + 1.0)
    assert scaled["r"] == pytest.approx(scores["r"])
    assert scaled["rho"] == pytest.approx(scores["rho"])
    cubed = measure(gold, predicted**3)
    assert cubed["rho"] == pytest.approx(scores["rho"])
    perfect = measure(gold, gold)
    assert perfect["mae"] == 0.0
    assert perfect["r"] == pytest.approx(1.0)
    assert perfect["r2"] == 1.0
    assert measure(gold, np.full_like(gold, gold.mean()))["r"] == 0.0
    assert measure(gold, np.full_like(gold, gold.mean()))["r2"] == pytest.approx(0.0)


def test_equal_values_share_a_rank():
    assert ranks(np.array([3.0, 1.0, 3.0, 7.0])).tolist() == [2.5, 1.0, 2.5, 4.0]


def test_known_correlations():
    scores = measure(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 2.0, 4.0, 3.0]))
    assert scores["r"] == pytest.approx(0.8)
    assert scores["rho"] == pytest.approx(0.8)
    assert scores["mae"] == 0.5
    assert scores["rmse"] == pytest.approx(math.sqrt(0.5))
    assert scores["r2"] == pytest.approx(1 - 0.5 / 1.25)


def test_targets_of_other_components_are_not_scored():
    nlp = spacy.blank("en")
    example = Example(nlp.make_doc("x"), nlp.make_doc("x"))
    example.reference.cats = {"a": 1.0, "b": 2.0}
    example.predicted.cats = {"a": 2.0, "b": 5.0}
    scores = score_regression([example], labels=["a"])
    assert scores["regression_mae"] == 1.0
    assert list(scores["regression_per_target"]) == ["a"]
