"""The window layers in prediction: two neighbouring tokens at a time, without copying windows.

The product of a layer's weights with windows of three tokens is a convolution with filters of
length 3. For two neighbouring rows at once it takes four products of a row with a matrix instead of
six, with the same result up to rounding: Winograd's minimal filtering F(2, 3), as in Lavin and Gray
(2016), "Fast Algorithms for Convolutional Neural Networks", https://arxiv.org/abs/1509.09308. With
rows a, b, c, d and weights u, v, w for the row before, the row itself and the row after:

    a u + b v + c w = (b + c) p + (c - b) q + (c - a) (-u)
    b u + c v + d w = (b + c) p - (c - b) q + (d - b) w
    where p = (u + v + w) / 2 and q = (u - v + w) / 2
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from .embed import BLOCK_ROWS, LAYER_NORM_EPSILON, NormalizedMaxout


def pair_filters(layer: NormalizedMaxout) -> Tensor:
    """Prepare the weights of a layer over windows of three rows.

    layer (NormalizedMaxout): The layer; its input is three times as wide as its output.
    RETURNS (Tensor): [4, width, pieces * width], the matrices p, q, -u and w.
    """
    weight = layer.weight.detach().flatten(0, 1)  # [pieces * width, 3 * width]
    before, own, after = (part.t() for part in weight.chunk(3, dim=1))
    outer = before + after
    return torch.stack([(outer + own) / 2, (outer - own) / 2, -before, after])


def encode_pairs(layer: NormalizedMaxout, filters: Tensor, rows: Tensor) -> Tensor:
    """Apply a residual layer to windows of three rows.

    layer (NormalizedMaxout): The layer.
    filters (Tensor): What `pair_filters` made of it.
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
        left, right = pairs[first : first + block + 1][:-1], pairs[first + 1 : first + block + 1]
        b, c = left[:, width:], right[:, :width]
        steps = right - left  # [pairs, 2 * width]: c - a, d - b
        common = torch.addmm(bias, b + c, filters[0])  # [pairs, pieces * width]
        opposed = torch.mm(c - b, filters[1])
        hidden = torch.empty((2, *common.shape))
        torch.add(common, opposed, out=hidden[0]).addmm_(steps[:, :width], filters[2])
        torch.sub(common, opposed, out=hidden[1]).addmm_(steps[:, width:], filters[3])
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
