import numpy as np
import pytest
import torch
from thinc.api import fix_random_seed

from spacy_mtl.models.layers.dropout import LEVELS, dropout

N_VALUES = 400_000


def mask(rate: float, n_values: int = N_VALUES) -> torch.Tensor:
    """What becomes of ones: [values]."""
    return dropout(torch.ones(n_values), rate, True)


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_evaluation_returns_the_values_themselves(rate):
    values = torch.randn(3, 4)
    assert dropout(values, rate, False) is values


@pytest.mark.parametrize("rate", [0.0, -0.1])
def test_no_rate_returns_the_values_themselves(rate):
    values = torch.randn(3, 4)
    assert dropout(values, rate, True) is values


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.9, 0.998])
def test_rate_is_right_to_a_256th(rate):
    fix_random_seed(0)
    kept = mask(rate)
    share = round(rate * LEVELS) / LEVELS
    assert abs(share - rate) <= 0.5 / LEVELS
    deviation = np.sqrt(share * (1 - share) / N_VALUES)
    assert float((kept == 0).float().mean()) == pytest.approx(share, abs=5 * deviation)


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.25, 0.5, 0.9])
def test_mean_is_preserved(rate):
    fix_random_seed(0)
    kept = mask(rate)
    share = round(rate * LEVELS) / LEVELS
    assert kept[kept > 0].unique().tolist() == pytest.approx([1 / (1 - share)])
    deviation = np.sqrt(share / (1 - share) / N_VALUES)
    assert float(kept.mean()) == pytest.approx(1.0, abs=5 * deviation + 1e-6)


def test_full_rate_leaves_nothing():
    assert not mask(1.0, 100).any()


def test_values_are_dropped_independently():
    fix_random_seed(0)
    dropped = (mask(0.3).view(-1, 8) == 0).float()  # [rows, columns]
    bound = 5 / np.sqrt(len(dropped))
    between_columns = np.corrcoef(dropped.numpy().T) - np.eye(8)
    between_rows = np.corrcoef(dropped[:-1, 0].numpy(), dropped[1:, 0].numpy())[0, 1]
    assert np.abs(between_columns).max() < bound
    assert abs(between_rows) < bound


def test_each_call_draws_a_new_mask():
    assert not torch.equal(mask(0.5, 1000), mask(0.5, 1000))


def test_seed_decides():
    masks = []
    for _ in range(2):
        fix_random_seed(7)
        masks.append(mask(0.5, 1000))
    assert torch.equal(*masks)


def test_gradient_passes_where_values_do():
    values = torch.randn(50, 20, requires_grad=True)
    fix_random_seed(1)
    dropout(values, 0.25, True).sum().backward()
    fix_random_seed(1)
    assert torch.equal(values.grad, dropout(torch.ones(50, 20), 0.25, True))


@pytest.mark.parametrize("shape", [(0,), (0, 5), (3, 0), (), (2, 3, 4)])
def test_any_shape(shape):
    assert dropout(torch.ones(shape), 0.5, True).shape == shape


def test_transposed_values_keep_their_places():
    values = torch.arange(1.0, 13.0).view(3, 4).T
    result = dropout(values, 0.5, True)
    assert bool(((result == 0) | torch.isclose(result, 2 * values)).all())
