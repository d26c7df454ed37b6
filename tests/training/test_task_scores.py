"""Which score decides, and what absent scores count."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_mtl.training.progress import TaskProgress
from spacy_mtl.training.task_scores import TaskScores, average_present

names = st.sampled_from("abcdef")
numbers = st.floats(0, 1)
weights = st.dictionaries(names, st.floats(0.01, 10), min_size=1)


@given(st.dictionaries(names, st.none() | numbers), weights)
def test_absent_scores_change_nothing(scores, weights):
    present = {name: score for name, score in scores.items() if score is not None}
    known = {name: weight for name, weight in weights.items() if name in present}
    average = average_present(scores, weights)
    assert average == average_present(present, known)
    if known:
        values = [present[name] for name in known]
        assert min(values) - 1e-9 <= average <= max(values) + 1e-9
    else:
        assert average is None


@given(st.dictionaries(names, numbers, min_size=1), st.floats(0.1, 100))
def test_only_the_ratio_of_weights_matters(scores, factor):
    one = average_present(scores, dict.fromkeys(scores, 1.0))
    assert math.isclose(average_present(scores, dict.fromkeys(scores, factor)), one, abs_tol=1e-9)


def test_less_is_better_with_a_negative_weight():
    scores = TaskScores({"stars": {"mean_absolute_error": -1.0}})
    assert scores.of_tasks({"stars": {"mean_absolute_error": 0.7}}) == {"stars": -0.7}


def test_a_score_that_its_component_does_not_have_is_named():
    scores = TaskScores({"ner": {"ents_g": 1.0}})
    with pytest.raises(ValueError, match=r"'ents_g'.*\[training.logger.scores\] ner.*ents_f"):
        scores.of_tasks({"ner": {"ents_f": 0.5, "ents_per_type": {}}})


def test_a_target_without_annotation_is_an_error():
    scores = TaskScores({"ner": {"ents_f": 1.0}, "srl": {"srl_f": 1.0}}, {"srl": 1.0})
    with pytest.raises(ValueError, match="no annotation for any task .*: srl"):
        scores.of_all({"ner": 0.9, "srl": None})


def test_patience_counts_from_the_best_score():
    own = TaskProgress()
    assert [own.take(score, step) for step, score in enumerate([0.1, 0.3, 0.3, 0.2])] == [
        True, True, False, False
    ]  # fmt: skip
    assert (own.best, own.step) == (0.3, 1)
    assert not own.is_exhausted(3, patience=3)
    assert own.is_exhausted(4, patience=3)
    assert not own.is_exhausted(400, patience=0)


def test_patience_does_not_count_before_anything_is_found():
    own = TaskProgress()
    for step in (0, 10, 20):
        own.take(0.0, step)
        assert not own.is_exhausted(step, patience=5)
    own.take(0.1, 30)
    own.take(0.1, 40)
    assert own.is_exhausted(40, patience=5)


def test_score_that_is_no_number_is_absent():
    assert average_present({"a": math.nan, "b": 0.5}, {"a": 3.0, "b": 1.0}) == 0.5
    assert average_present({"a": math.nan}, {"a": 1.0}) is None


def test_score_that_is_no_number_is_never_the_best():
    progress = TaskProgress()
    assert not progress.take(math.nan, 0)
    assert progress.take(0.4, 10)
    assert not progress.take(math.nan, 20)
    assert not progress.take(0.3, 30)
    assert (progress.best, progress.step, progress.started) == (0.4, 10, 10)
