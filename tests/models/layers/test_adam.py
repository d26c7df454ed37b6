"""`adam.step` does what thinc's own Optimizer does."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from thinc.api import SGD, Adam, Optimizer, RAdam, constant, warmup_linear

from spacy_mtl.models.layers.adam import can_step, step

KEY = (1, "weight")
SHAPE = (7, 5)


def gradients(n_steps, scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal(SHAPE) * scale).astype("f") for _ in range(n_steps)]


def start():
    return np.random.default_rng(1).standard_normal(SHAPE).astype("f")


def run_thinc(optimizer, all_gradients, weights):
    for gradient in all_gradients:
        weights, _ = optimizer(KEY, weights, gradient.copy())
        optimizer.step_schedules()
    return weights


def run_ours(optimizer, all_gradients, weights):
    parameter = torch.tensor(weights)
    for gradient in all_gradients:
        own = torch.tensor(gradient)
        step(optimizer, [KEY], [parameter], [own])
        optimizer.step_schedules()
    return parameter.numpy()


def assert_same_state(ours, theirs):
    assert ours.nr_update == theirs.nr_update
    for state in ("mom1", "mom2", "averages"):
        own, expected = getattr(ours, state), getattr(theirs, state)
        assert (own is None) == (expected is None)
        for key in expected or ():
            assert own[key].shape == expected[key].shape
            assert own[key].dtype == expected[key].dtype
            rounding = 1e-6 * np.abs(expected[key]).max()
            np.testing.assert_allclose(own[key], expected[key], rtol=1e-5, atol=rounding)


@settings(max_examples=40)
@given(
    L2=st.sampled_from([0.0, 0.01, 0.3]),
    L2_is_weight_decay=st.booleans(),
    grad_clip=st.sampled_from([0.0, 0.5, 100.0]),
    use_averages=st.booleans(),
    eps=st.sampled_from([1e-8, 1e-3]),
    beta1=st.sampled_from([0.5, 0.9]),
    scale=st.sampled_from([1e-4, 1.0, 30.0]),
    seed=st.integers(0, 100),
)
def test_step_is_thinc_adam(scale, seed, **hyperparameters):
    ours, theirs = (Optimizer(warmup_linear(0.05, 5, 20), **hyperparameters) for _ in range(2))
    drawn = gradients(12, scale, seed)
    expected = run_thinc(theirs, drawn, start())
    found = run_ours(ours, drawn, start())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert_same_state(ours, theirs)


def test_schedules_of_every_hyperparameter_count():
    def optimizer():
        return Optimizer(
            constant(0.01),
            L2=itertools.count(0.0, 0.01),
            beta1=iter([0.9, 0.8, 0.7, 0.6]),
            eps=iter([1e-8, 1e-6, 1e-4, 1e-2]),
            grad_clip=iter([5.0, 4.0, 3.0, 0.1]),
        )

    ours, theirs = optimizer(), optimizer()
    expected = run_thinc(theirs, gradients(4), start())
    np.testing.assert_allclose(run_ours(ours, gradients(4), start()), expected, rtol=1e-4)
    assert_same_state(ours, theirs)


def test_steps_of_both_kinds_follow_one_another():
    ours, theirs = Adam(0.01), Adam(0.01)
    drawn = gradients(6)
    expected = run_thinc(theirs, drawn, start())
    weights = run_thinc(ours, drawn[:2], start())
    weights = run_ours(ours, drawn[2:4], weights)
    weights = run_thinc(ours, drawn[4:], weights)
    np.testing.assert_allclose(weights, expected, rtol=1e-4, atol=1e-6)
    assert_same_state(ours, theirs)


def test_parameters_stepped_together_keep_their_own_counts_and_clipping():
    ours, theirs = (Optimizer(0.01, grad_clip=4.0) for _ in range(2))
    keys = [(1, "small"), (1, "large"), (1, "late")]
    drawn = [gradients(5, scale, seed) for seed, scale in enumerate((0.1, 9.0, 1.0))]
    expected = [start() for _ in keys]
    parameters = [torch.tensor(start()) for _ in keys]
    for number in range(5):
        due = range(3 if number >= 2 else 2)  # the last one begins at the third step
        for at in due:
            expected[at], _ = theirs(keys[at], expected[at], drawn[at][number].copy())
        own = [torch.tensor(drawn[at][number]) for at in due]
        step(ours, [keys[at] for at in due], [parameters[at] for at in due], own)
    for parameter, weights in zip(parameters, expected, strict=True):
        np.testing.assert_allclose(parameter.numpy(), weights, rtol=1e-4, atol=1e-5)
    assert_same_state(ours, theirs)


class OwnOptimizer(Optimizer):
    """What a user may have written."""


@pytest.mark.parametrize(
    "optimizer, expected",
    [(Adam(0.01), True), (RAdam(0.01), False), (SGD(0.01), False), (OwnOptimizer(0.01), False)],
)
def test_only_adam_of_thinc_is_replaced(optimizer, expected):
    assert can_step(optimizer, torch.zeros(3)) is expected


def test_other_parameters_are_left_to_thinc():
    assert not can_step(Adam(0.01), torch.zeros(3, dtype=torch.float64))
    assert not can_step(Adam(0.01), torch.zeros(3, 2).T)
    assert not can_step(Adam(0.01), torch.zeros(0, 2))


@pytest.mark.parametrize("grad_clip", [0.0, 1.0])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nothing_changes_where_a_gradient_is_not_finite(grad_clip, value):
    optimizer = Optimizer(0.01, grad_clip=grad_clip)
    drawn = [torch.tensor(gradient) for gradient in gradients(2)]
    drawn[1][3, 2] = value
    parameters = [torch.tensor(start()) for _ in drawn]
    with pytest.raises(FloatingPointError, match="'second' is not finite"):
        step(optimizer, [(1, "first"), (1, "second")], parameters, drawn)
    for parameter in parameters:
        np.testing.assert_array_equal(parameter.numpy(), start())
    assert not optimizer.nr_update and not optimizer.mom1
