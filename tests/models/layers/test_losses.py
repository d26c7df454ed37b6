import numpy as np
import pytest
import torch
from torch.nn import functional as F

from spacy_mtl.models.layers.losses import (
    binary_cross_entropy,
    segment_cross_entropy,
    softmax_cross_entropy,
)

STEP = 1e-6


def differences(loss, scores):
    """The gradient of a loss by central differences, in double precision."""
    gradient = np.zeros_like(scores)
    for index in np.ndindex(*scores.shape):
        moved = scores.copy()
        moved[index] += STEP
        above = loss(moved)
        moved[index] -= 2 * STEP
        gradient[index] = (above - loss(moved)) / (2 * STEP)
    return gradient


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# One softmax a row


def test_softmax_is_that_of_torch(rng):
    scores = rng.normal(size=(6, 5)).astype("f")
    targets = np.array([0, 3, -1, 4, 1, -1])
    loss, gradient = softmax_cross_entropy(scores, targets)
    logits = torch.tensor(scores, requires_grad=True)
    expected = F.cross_entropy(logits, torch.tensor(targets), ignore_index=-1, reduction="sum")
    expected.backward()
    assert loss == pytest.approx(expected.item())
    assert gradient.dtype == np.float32
    assert np.allclose(gradient, logits.grad.numpy(), atol=1e-6)


def test_softmax_gradient(rng):
    scores = rng.normal(size=(4, 3))
    targets = np.array([2, -1, 0, 1])
    gradient = softmax_cross_entropy(scores, targets)[1]
    assert np.allclose(
        gradient, differences(lambda s: softmax_cross_entropy(s, targets)[0], scores), atol=1e-6
    )


def test_softmax_unknown_rows_get_nothing(rng):
    loss, gradient = softmax_cross_entropy(rng.normal(size=(2, 3)), np.array([-1, -1]))
    assert loss == 0.0
    assert not gradient.any()


def test_softmax_is_exact_far_from_the_target():
    loss, gradient = softmax_cross_entropy(np.array([[1e4, 0.0]], dtype="f"), np.array([1]))
    assert loss == pytest.approx(1e4)
    assert gradient.tolist() == [[1.0, -1.0]]


def test_softmax_leaves_the_scores_alone(rng):
    scores = rng.normal(size=(2, 3)).astype("f")
    before = scores.copy()
    softmax_cross_entropy(scores, np.array([0, -1]))
    assert np.array_equal(scores, before)


def test_softmax_without_rows():
    loss, gradient = softmax_cross_entropy(np.zeros((0, 3), dtype="f"), np.zeros(0, dtype=int))
    assert loss == 0.0
    assert gradient.shape == (0, 3)


# A sigmoid each


def test_binary_is_that_of_torch(rng):
    scores = rng.normal(size=(4, 3)).astype("f")
    targets = rng.integers(0, 2, size=(4, 3)).astype("f")
    loss, gradient = binary_cross_entropy(scores, targets)
    logits = torch.tensor(scores, requires_grad=True)
    expected = F.binary_cross_entropy_with_logits(logits, torch.tensor(targets), reduction="sum")
    expected.backward()
    assert loss == pytest.approx(expected.item())
    assert gradient.dtype == np.float32
    assert np.allclose(gradient, logits.grad.numpy(), atol=1e-6)


def test_binary_gradient_and_mask(rng):
    scores = rng.normal(size=(3, 2))
    targets = np.array([[1.0, np.nan], [0.0, 1.0], [np.nan, np.nan]])
    gradient = binary_cross_entropy(scores, targets)[1]
    assert np.allclose(
        gradient, differences(lambda s: binary_cross_entropy(s, targets)[0], scores), atol=1e-6
    )
    assert not gradient[np.isnan(targets)].any()
    assert gradient[~np.isnan(targets)].all()


def test_binary_unknown_values_do_not_count(rng):
    scores = rng.normal(size=(3, 1)).astype("f")
    targets = np.array([[1.0], [np.nan], [0.0]], dtype="f")
    loss, gradient = binary_cross_entropy(scores, targets)
    known_loss, known_gradient = binary_cross_entropy(scores[[0, 2]], targets[[0, 2]])
    assert loss == pytest.approx(known_loss)
    assert np.allclose(gradient[[0, 2]], known_gradient)


def test_binary_extreme_scores_stay_finite():
    scores = np.array([[1e4], [-1e4]], dtype="f")
    loss, gradient = binary_cross_entropy(scores, np.array([[0.0], [1.0]], dtype="f"))
    assert loss == pytest.approx(2e4)
    assert gradient.tolist() == [[1.0], [-1.0]]


# A softmax a segment


def by_hand(scores, segments, n_segments, targets):
    loss = 0.0
    gradient = np.zeros_like(scores)
    for segment in range(n_segments):
        rows = np.flatnonzero(segments == segment)
        if targets[segment] < 0:
            continue
        probabilities = np.exp(scores[rows, 0]) / np.exp(scores[rows, 0]).sum()
        loss -= np.log(probabilities[rows == targets[segment]].item())
        gradient[rows, 0] = probabilities
        gradient[targets[segment], 0] -= 1.0
    return loss, gradient


SEGMENTS = np.array([0, 0, 0, 2, 3, 3])  # none for segment 1
TARGETS = np.array([1, -1, 3, -1])


def test_segments_are_as_by_hand(rng):
    scores = rng.normal(size=(6, 1)).astype("f")
    loss, gradient = segment_cross_entropy(scores, SEGMENTS, 4, TARGETS)
    expected_loss, expected_gradient = by_hand(scores, SEGMENTS, 4, TARGETS)
    assert loss == pytest.approx(expected_loss, abs=1e-6)
    assert gradient.dtype == np.float32
    assert np.allclose(gradient, expected_gradient, atol=1e-6)


def test_segments_of_equal_size_are_rows_of_a_softmax(rng):
    scores = rng.normal(size=(4, 3))
    targets = np.array([2, 0, -1, 1])
    rows = np.where(targets < 0, -1, np.arange(4) * 3 + targets)
    flat_loss, flat_gradient = segment_cross_entropy(
        scores.reshape(-1, 1), np.repeat(np.arange(4), 3), 4, rows
    )
    loss, gradient = softmax_cross_entropy(scores, targets)
    assert flat_loss == pytest.approx(loss)
    assert np.allclose(flat_gradient.reshape(4, 3), gradient)


def test_segment_gradient(rng):
    scores = rng.normal(size=(6, 1))
    gradient = segment_cross_entropy(scores, SEGMENTS, 4, TARGETS)[1]
    expected = differences(
        lambda s: segment_cross_entropy(s, SEGMENTS, 4, TARGETS)[0], scores.copy()
    )
    assert np.allclose(gradient, expected, atol=1e-6)


def test_segment_order_does_not_matter(rng):
    scores = rng.normal(size=(6, 1))
    order = rng.permutation(6)
    place = np.argsort(order)
    moved = np.where(TARGETS < 0, -1, place[TARGETS])
    loss, gradient = segment_cross_entropy(scores, SEGMENTS, 4, TARGETS)
    loss_moved, gradient_moved = segment_cross_entropy(scores[order], SEGMENTS[order], 4, moved)
    assert loss_moved == pytest.approx(loss)
    assert np.allclose(gradient_moved, gradient[order])


def test_segments_with_extreme_scores_are_exact():
    scores = np.array([[1e4], [0.0], [-1e4], [5.0]], dtype="f")
    loss, gradient = segment_cross_entropy(scores, np.array([0, 0, 1, 1]), 2, np.array([1, 3]))
    assert loss == pytest.approx(1e4)
    assert gradient[:, 0].tolist() == [1.0, -1.0, 0.0, 0.0]


@pytest.mark.parametrize("n_segments", [0, 2])
def test_no_rows_in_any_segment(n_segments):
    loss, gradient = segment_cross_entropy(
        np.zeros((0, 1), dtype="f"), np.zeros(0, dtype=int), n_segments, np.full(n_segments, -1)
    )
    assert loss == 0.0
    assert gradient.shape == (0, 1)
