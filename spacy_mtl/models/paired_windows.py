"""The window layers in prediction: two neighbouring tokens at a time, without copying windows, see
`window_products`."""

import torch
from torch import Tensor
from torch.nn import functional as F

from .embed import BLOCK_ROWS, LAYER_NORM_EPSILON, NormalizedMaxout
from .window_products import multiply_pairs


def encode_pairs(layer: NormalizedMaxout, filters: Tensor, rows: Tensor) -> Tensor:
    """Apply a residual layer to windows of three rows.

    layer (NormalizedMaxout): The layer.
    filters (Tensor): What `pair_filters` made of its weights.
    rows (Tensor): [2 + rows, width], an even number, contiguous, between a first and a last row
        that get no output.
    RETURNS (Tensor): [2 + rows, width]; the first and the last row are zeros.
    """
    width, pieces = layer.width, layer.pieces
    pairs = rows.view(-1, 2 * width)  # [rows / 2 + 1, 2 * width]: a b, c d, ...
    own = rows[1:-1].view(-1, 2, width)
    encoded = torch.empty_like(rows)
    encoded[0] = 0.0
    encoded[-1] = 0.0
    out = encoded[1:-1].view(-1, 2, width)
    bias = layer.bias.flatten()
    block = BLOCK_ROWS // 2
    for first in range(0, len(own), block):
        hidden = multiply_pairs(pairs[first : first + block + 1], filters, bias)
        largest = hidden.view(-1, pieces, width).amax(1)
        normalized = F.layer_norm(
            largest, (width,), layer.norm_weight, layer.norm_bias, LAYER_NORM_EPSILON
        )
        torch.add(
            normalized.view(2, -1, width).transpose(0, 1),
            own[first : first + block],
            out=out[first : first + block],
        )
    return encoded
