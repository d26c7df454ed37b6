"""The solutions are optimal: no other mix is harder, and fair weights satisfy their condition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_mtl.balancing.solvers import cagrad_mixture, conflict_averse_weights, fair_weights
from tests.balancing.methods import make_balancer

few = settings(max_examples=40, deadline=None)


@st.composite
def grams(draw, least_columns=1):
    """Gram matrices of gradients that agree, conflict or lie in a few dimensions."""
    n_tasks, n_columns = draw(st.integers(1, 6)), draw(st.integers(least_columns, 8))
    random = np.random.RandomState(draw(st.integers(0, 2**31)))
    rows = random.normal(size=(n_tasks, n_columns)) * np.exp(random.normal(size=(n_tasks, 1)))
    rows += draw(st.sampled_from([0.0, 1.0, 5.0])) * random.normal(size=n_columns)
    gram = rows @ rows.T
    return gram / gram.diagonal().mean()


def height(gram, mix, radius):
    mean = np.full(len(gram), 1.0 / len(gram))
    return mix @ gram @ mean + radius * np.sqrt(max(mean @ gram @ mean, 0.0) * (mix @ gram @ mix))


@given(gram=grams(), radius=st.sampled_from([0.0, 0.4, 0.5, 2.0]), seed=st.integers(0, 2**31))
@few
def test_no_other_mix_is_harder(gram, radius, seed):
    mix = cagrad_mixture(gram, radius)
    assert (mix >= 0.0).all() and mix.sum() == pytest.approx(1.0)
    random = np.random.RandomState(seed)
    others = [*np.eye(len(gram)), *random.dirichlet(np.ones(len(gram)), 50)]
    others += [0.99 * mix + 0.01 * other for other in others]
    lowest = height(gram, mix, radius)
    assert all(lowest <= height(gram, other, radius) + 1e-4 for other in others)


def test_no_step_where_a_mix_of_the_gradients_vanishes():
    gradients = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert conflict_averse_weights(gradients @ gradients.T, 0.5).tolist() == [0.0, 0.0]


def test_without_a_ball_the_weights_are_those_of_the_mean():
    gram = np.array([[1.0, -0.2], [-0.2, 2.0]])
    assert conflict_averse_weights(gram, 0.0) == pytest.approx([0.5, 0.5])


def test_the_step_is_best_for_the_worst_task():
    gradients = np.array([[1.0, 0.0, 0.0], [-0.6, 0.3, 0.0], [0.0, 0.0, 4.0]])
    mean = gradients.mean(axis=0)
    weights = conflict_averse_weights(gradients @ gradients.T, 0.5)
    step = weights @ gradients
    reach = 0.5 * np.linalg.norm(mean)
    assert np.linalg.norm(step - mean) == pytest.approx(reach)
    random = np.random.RandomState(0)
    for _ in range(300):
        away = random.normal(size=3)
        other = mean + reach * away / np.linalg.norm(away)
        assert (gradients @ other).min() <= (gradients @ step).min() + 1e-6


@given(gram=grams(least_columns=7), alpha=st.sampled_from([0.5, 1.0, 2.0, 5.0]))
@few
def test_fair_weights_satisfy_their_condition(gram, alpha):
    gram = gram + 0.01 * np.eye(len(gram))
    weights = fair_weights(gram, alpha)
    assert (weights > 0.0).all()
    gains = weights ** (-1.0 / alpha)
    assert gram @ weights == pytest.approx(gains, abs=1e-6 * gains.max())


def test_orthogonal_gradients_get_weights_by_their_norms():
    weights = fair_weights(np.diag([4.0, 1.0, 0.25]), 1.0)
    assert weights == pytest.approx([0.5, 1.0, 2.0])


def test_fairness_of_zero_is_the_plain_sum():
    assert fair_weights(np.array([[1.0, 0.5], [0.5, 9.0]]), 0.0).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("method", "settings_", "message"),
    [
        ("CAGrad", {"c": -0.1}, "c is -0.1; set 0 or more"),
        ("FairGrad", {"alpha": -1.0}, "alpha is -1.0; set 0 or more"),
        ("GradVac", {"beta": 1.5}, "beta is 1.5; it must be from 0 to 1"),
    ],
)
def test_settings_out_of_range_are_named(method, settings_, message):
    with pytest.raises(Exception, match=message):
        make_balancer(method, **settings_)


@pytest.mark.parametrize("angle", [0.0, 1e-3, 1e-7])
def test_gradients_that_oppose_each_other_give_finite_weights(angle):
    gradients = np.array([[1.0, angle], [-1.0, angle]])
    weights = fair_weights(gradients @ gradients.T, 1.0)
    assert np.isfinite(weights).all() and weights[0] == pytest.approx(weights[1], rel=1e-3)
