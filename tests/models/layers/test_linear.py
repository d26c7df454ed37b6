"""Linear layers give what torch does, with kernels and without."""

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from spacy_mtl.models.encoders.embed import HashEmbed
from spacy_mtl.models.layers.linear import PackedLinear, apply_mlp
from spacy_mtl.models.layers.maxout import NormalizedMaxout
from spacy_mtl.native import get_kernels, switched_off
from spacy_mtl.native.linear import pack_layer
from spacy_mtl.native.threads import set_num_threads
from tests.native import each_way

pytestmark = each_way
SIZES = [(1, 1, 1), (7, 5, 3), (96, 128, 40), (17, 33, 70), (64, 16, 129)]  # in, hidden, out
N_ROWS = [1, 5, 6, 7, 500]


@pytest.fixture(params=[1, 3])
def n_threads(request):
    set_num_threads(request.param)
    yield request.param
    set_num_threads(None)


def make_layer(n_in, n_out, bias=True):
    torch.manual_seed(n_in + n_out)
    return PackedLinear(n_in, n_out, bias=bias)


@pytest.mark.parametrize("n_rows", N_ROWS)
@pytest.mark.parametrize("n_in, n_hidden, n_out", SIZES)
def test_layers_are_torchs(n_in, n_hidden, n_out, n_rows, n_threads):
    hidden, output, alone = (
        make_layer(n_in, n_hidden),
        make_layer(n_hidden, n_out),
        make_layer(n_in, n_out, bias=False),
    )
    rows, added = torch.randn(n_rows, n_in), torch.randn(n_rows, n_hidden)
    more = torch.randn(n_rows, n_out)
    with torch.inference_mode():
        expected = F.linear(rows, alone.weight)
        torch.testing.assert_close(alone(rows), expected, atol=1e-5, rtol=1e-5)
        two = F.linear(F.gelu(F.linear(rows, hidden.weight, hidden.bias) + added), output.weight)
        for found, right in (
            (apply_mlp(hidden, output, rows, added), two + output.bias),
            (apply_mlp(None, alone, rows, more), expected + more),
        ):
            assert found.shape == right.shape and found.is_contiguous()
            torch.testing.assert_close(found, right, atol=1e-5, rtol=1e-5)


def test_gelu_is_torchs_everywhere():
    hidden, output = make_layer(1, 1), make_layer(1, 1)
    for layer in (hidden, output):
        torch.nn.init.ones_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    with torch.inference_mode():
        rows = torch.cat([torch.linspace(-12, 12, 4001), torch.tensor([-1e30, -1e4, 1e4, 1e30])])
        found = apply_mlp(hidden, output, rows[:, None])
        expected = F.gelu(rows[:, None])
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("n_rows", N_ROWS)
@pytest.mark.parametrize("width, pieces", [(8, 1), (96, 3), (20, 2)])
def test_maxout_of_summed_rows_is_torchs(width, pieces, n_rows, n_threads):
    torch.manual_seed(0)
    embed = HashEmbed(width, [50, 30], None)
    embed.mix = NormalizedMaxout(2 * width, width, pieces)
    torch.nn.init.uniform_(embed.mix.norm_weight)
    torch.nn.init.uniform_(embed.mix.norm_bias)
    torch.nn.init.uniform_(embed.mix.bias)
    rows = torch.stack([torch.randint(size, (n_rows, 4)) for size in (50, 30)])
    embed.eval()
    with torch.inference_mode():
        with switched_off():
            expected = embed(rows, None, 0.0)
        found = embed(rows, None, 0.0)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
        features = torch.randn(n_rows, 2 * width)
        with switched_off():
            expected = embed.mix(features)
        torch.testing.assert_close(embed.mix(features), expected, atol=1e-5, rtol=1e-4)


def test_gradients_are_torchs():
    layer, rows = make_layer(4, 3), torch.randn(5, 4, requires_grad=True)
    apply_mlp(None, layer, rows).sum().backward()
    assert torch.equal(rows.grad, layer.weight.sum(0).expand(5, 4))


def test_changed_weights_and_copies_are_noticed():
    layer, rows = make_layer(4, 3), torch.randn(5, 4)
    with torch.inference_mode():
        layer(rows)
    copied = copy.deepcopy(layer)
    with torch.no_grad():
        layer.weight.add_(1.0)
    with torch.inference_mode():
        for one in (layer, copied):
            right = F.linear(rows, one.weight, one.bias)
            torch.testing.assert_close(one(rows), right, atol=1e-5, rtol=1e-5)


def test_no_rows_are_no_rows():
    layer = make_layer(3, 2)
    with torch.inference_mode():
        assert layer(torch.zeros(0, 3)).shape == (0, 2)
    kernels = get_kernels()
    if kernels is not None:
        weight, bias = pack_layer(kernels, torch.ones(2, 3))
        assert len(bias) == kernels.lanes() and not np.any(bias)
