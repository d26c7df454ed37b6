import pytest
import torch

from spacy_mtl.models.dropout import dropout_mask
from spacy_mtl.models.embed import NormalizedMaxout
from spacy_mtl.models.window_training import encode_windows
from tests.native import each_way

pytestmark = each_way


def make_layers(width, depth, pieces):
    layers = []
    for _ in range(depth):
        layer = NormalizedMaxout(3 * width, width, pieces)
        for parameter in layer.own_parameters():
            torch.nn.init.normal_(parameter, 0.1, 0.3)
        layers.append(layer)
    return layers


def in_plain_words(rows, layers, masks):
    """The outputs by torch's own gradients, from copied windows."""
    outputs = []
    for number, layer in enumerate(layers):
        windows = torch.cat([rows[:-2], rows[1:-1], rows[2:]], 1)
        pieces = torch.einsum("ri,pwi->rpw", windows, layer.weight) + layer.bias
        result = torch.nn.functional.layer_norm(
            pieces.amax(1), (layer.width,), layer.norm_weight, layer.norm_bias, 1e-8
        )
        rows = rows[1:-1] + (result * masks[number] if masks else result)
        outputs.append(rows)
    return outputs


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("rate", [0.0, 0.3])
@pytest.mark.parametrize(
    ("width", "depth", "pieces", "n_rows"),
    [(16, 1, 3, 4), (96, 3, 3, 40), (32, 2, 2, 300), (20, 2, 3, 50), (16, 2, 1, 30)],
)
def test_outputs_and_gradients_are_torchs(width, depth, pieces, n_rows, rate, n_threads):
    torch.manual_seed(0)
    layers = make_layers(width, depth, pieces)
    rows = torch.randn(n_rows, width, requires_grad=True)
    sizes = [n_rows - 2 * (number + 1) for number in range(depth)]
    masks = [dropout_mask((size, width), rate) for size in sizes] if rate else []
    weights = [torch.randn(size, width) for size in sizes]  # of each output in the loss
    inputs = [rows, *(values for layer in layers for values in layer.own_parameters())]

    def run(outputs):
        loss = sum((own * weight).sum() for own, weight in zip(outputs, weights, strict=True))
        return [*outputs, *torch.autograd.grad(loss, inputs)]

    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        parameters = [layer.own_parameters() for layer in layers]
        found = run(encode_windows(rows, 1, parameters, masks))
        expected = run(in_plain_words(rows, layers, masks))
    finally:
        torch.set_num_threads(before)
    for own, other in zip(found, expected, strict=True):
        torch.testing.assert_close(
            own, other, atol=1e-4 * float(1 + other.detach().abs().max()), rtol=1e-4
        )


def test_only_the_last_output_may_be_used():
    torch.manual_seed(0)
    layers = make_layers(16, 3, 3)
    rows = torch.randn(20, 16, requires_grad=True)
    parameters = [layer.own_parameters() for layer in layers]
    first, *_ = encode_windows(rows, 1, parameters, [])
    first.sum().backward()
    assert rows.grad.any() and layers[0].weight.grad.any()
    assert layers[1].weight.grad is None
    *_, last = encode_windows(rows, 1, parameters, [])
    last.sum().backward()
    assert all(layer.weight.grad.any() for layer in layers)
