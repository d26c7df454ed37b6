"""Weights in the order in which the kernels read them."""

import torch
from torch import Tensor
from torch.nn.functional import pad

PIECES = (2, 3)  # of a maxout, that there are kernels for
MOST_VECTORS = 4  # of columns that are multiplied at once in `pack_columns`


def pack_pieces(values: Tensor, pieces: int, lanes: int) -> Tensor:
    """Put the pieces of the same columns of a maxout next to each other.

    values (Tensor): [..., pieces * width].
    pieces (int): The number of pieces.
    lanes (int): The floats of a vector.
    RETURNS (Tensor): [..., groups, pieces, lanes], contiguous: columns in groups of `lanes`, zeros
        where the last is not full.
    """
    columns = values.unflatten(-1, (pieces, -1))
    columns = pad(columns, (0, -columns.shape[-1] % lanes)).unflatten(-1, (-1, lanes))
    return columns.transpose(-3, -2).contiguous()


def pack_filters(filters: Tensor, pieces: int, lanes: int) -> Tensor:
    """Lay out what `spacy_mtl.native.winograd.transform_filters` returns.

    filters (Tensor): [4, pieces * width, width].
    pieces (int): The number of pieces.
    lanes (int): The floats of a vector.
    RETURNS (Tensor): [groups, 4, width, pieces, lanes], contiguous.
    """
    packed = pack_pieces(filters.transpose(1, 2), pieces, lanes)  # [4, width, groups, ...]
    return packed.permute(2, 0, 1, 3, 4).contiguous()


def pack_columns(weight: Tensor, lanes: int) -> Tensor:
    """Lay out the weights of a linear layer.

    weight (Tensor): [columns, width]; columns are a multiple of `lanes`.
    lanes (int): The floats of a vector.
    RETURNS (Tensor): [columns * width]: for up to `MOST_VECTORS * lanes` columns at a time
        [width, these columns].
    """
    return torch.cat([part.t().flatten() for part in weight.split(MOST_VECTORS * lanes)])


def pack_lstm(w_input: Tensor, w_hidden: Tensor, bias: Tensor, lanes: int) -> tuple[Tensor, Tensor]:
    """Lay out the weights of one direction of an LSTM layer.

    w_input (Tensor): [4 * hidden, inputs], gates in torch's order.
    w_hidden (Tensor): [4 * hidden, hidden].
    bias (Tensor): [4 * hidden], the sum of both biases.
    lanes (int): The floats of a vector.
    RETURNS (Tuple[Tensor, Tensor]): Weights [groups, inputs + hidden, gates, lanes], where hidden
        is filled up to a multiple of `lanes`, and bias [groups, gates, lanes].
    """
    unused = -w_hidden.shape[1] % lanes
    both = torch.cat([w_input, pad(w_hidden, (0, unused))], 1)  # [4 * hidden, inputs + hidden]
    weight = pack_pieces(both.t(), 4, lanes)  # [inputs + hidden, groups, gates, lanes]
    return weight.transpose(0, 1).contiguous(), pack_pieces(bias, 4, lanes)
