import pytest
import torch

from spacy_mtl.models.layers import pairs as pair_training
from spacy_mtl.models.layers.pairs import score_pairs_autograd


@pytest.mark.parametrize("block_pairs", [2, 2048])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_gradient(block_pairs, dropout, monkeypatch):
    monkeypatch.setattr(pair_training, "BLOCK_PAIRS", block_pairs)
    torch.manual_seed(0)
    pairs = torch.tensor([[0, 1], [1, 0], [0, 2], [1, 2], [0, 0]])
    shapes = [(2, 3), (3, 3), (4, 3), (4,)]
    values = [torch.randn(shape, dtype=torch.double, requires_grad=True) for shape in shapes]

    def score(first, second, weight, bias):
        torch.manual_seed(1)  # the same units are left out each time
        return score_pairs_autograd(pairs, (first, second), weight, bias, dropout)

    assert torch.autograd.gradcheck(score, values)


def test_dropout_keeps_the_mean():
    torch.manual_seed(0)
    pairs, parts = torch.zeros(1, 1, dtype=torch.long), (torch.ones(1, 100_000),)
    weight, bias = torch.full((1, 100_000), 1e-5), torch.zeros(1)
    assert score_pairs_autograd(pairs, parts, weight, bias, 0.0).item() == pytest.approx(
        1.0, abs=1e-3
    )
    assert score_pairs_autograd(pairs, parts, weight, bias, 0.5).item() == pytest.approx(
        1.0, abs=0.02
    )
    assert score_pairs_autograd(pairs, parts, weight, bias, 1.0).item() == 0.0
