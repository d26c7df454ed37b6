import pytest
import torch

from spacy_mtl.models import window_products
from spacy_mtl.models.window_products import multiply_pairs, pair_filters, pass_pairs_back

WIDTH, HIDDEN = 4, 6


def products(pairs, weight, bias):
    """The same, window by window."""
    rows = pairs.reshape(-1, WIDTH)
    windows = torch.cat([rows[:-2], rows[1:-1], rows[2:]], 1)
    return (windows @ weight.t() + bias).view(-1, 2, HIDDEN).transpose(0, 1)


@pytest.mark.parametrize("n_pairs", [0, 1, 2, 5])
@pytest.mark.parametrize("block_pairs", [1, 2, 256])
def test_products_and_gradients_are_those_of_windows(n_pairs, block_pairs, monkeypatch):
    monkeypatch.setattr(window_products, "BLOCK_PAIRS", block_pairs)
    torch.manual_seed(0)
    pairs = torch.randn(n_pairs + 1, 2 * WIDTH, dtype=torch.double, requires_grad=True)
    weight = torch.randn(HIDDEN, 3 * WIDTH, dtype=torch.double, requires_grad=True)
    bias = torch.randn(HIDDEN, dtype=torch.double)
    expected = products(pairs, weight, bias)
    d_hidden = torch.randn_like(expected)
    d_pairs = torch.ones_like(pairs)  # is added to
    with torch.no_grad():
        filters = pair_filters(weight)
        torch.testing.assert_close(multiply_pairs(pairs, filters, bias), expected)
        d_weight = pass_pairs_back(d_hidden, pairs, filters, d_pairs)
    expected.backward(d_hidden)
    torch.testing.assert_close(d_weight, weight.grad)
    torch.testing.assert_close(d_pairs - 1.0, pairs.grad)
