"""Linear layers in prediction."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from .packing import pack_columns
from .threads import parallel_for

PackedLayer = tuple[np.ndarray, np.ndarray]  # weight and bias of a linear layer


class SummedRows(NamedTuple):
    """Rows [rows, tables * width] that are sums of rows of tables, side by side.

    tables (Sequence[Tensor]): [.., width] each.
    places (Tensor): [tables, rows, 4], the rows of each table that are summed.
    """

    tables: Sequence[Tensor]
    places: Tensor


def pack_layer(kernels: ModuleType, weight: Tensor, bias: Tensor | None = None) -> PackedLayer:
    """Lay out the weights of a linear layer.

    kernels (ModuleType): The kernels.
    weight (Tensor): [columns, n_in].
    bias (Optional[Tensor]): [columns].
    RETURNS (PackedLayer): Its weight and bias, with as many columns more as the kernels need.
    """
    unused = -len(weight) % kernels.lanes()
    weight = pad(weight.detach(), (0, 0, 0, unused))
    bias = weight.new_zeros(len(weight)) if bias is None else pad(bias.detach(), (0, unused))
    return pack_columns(weight, kernels.lanes()).numpy(), bias.numpy()


def apply_layers(
    kernels: ModuleType,
    inputs: Tensor | SummedRows,
    output: PackedLayer,
    n_out: int,
    hidden: PackedLayer | None = None,
    n_hidden: int = 0,
    added: Tensor | None = None,
    maxout: tuple[int, Tensor, Tensor] | None = None,
    into: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Apply a linear layer, or a hidden one with GELU before it.

    kernels (ModuleType): The kernels.
    inputs (Union[Tensor, SummedRows]): [rows, n_in].
    output (PackedLayer): What `pack_layer` made of the layer.
    n_out (int): The number of its columns.
    hidden (Optional[PackedLayer]): The hidden layer.
    n_hidden (int): The number of its columns.
    added (Optional[Tensor]): [rows, n_hidden], or [rows, n_out] without a hidden layer: added to
        what the first layer gives.
    maxout (Optional[Tuple[int, Tensor, Tensor]]): For a maxout of layers of `n_out` columns each,
        the number of its pieces, and weight and bias of the layer norm that follows.
    into (Optional[Tuple[Tensor, Tensor]]): A table [.., n_out] that gets the result, and the row of
        it for each row [rows].
    RETURNS (Tensor): [rows, n_out], or the table.
    """
    rows: Any
    if isinstance(inputs, SummedRows):
        n_rows = inputs.places.shape[1]
        rows = [table.detach().numpy() for table in inputs.tables], inputs.places.numpy()
    else:
        n_rows = len(inputs)
        rows = inputs.contiguous().numpy()
    result, places = (torch.empty((n_rows, n_out)), None) if into is None else into
    outputs, output_rows = result.numpy(), None if places is None else places.numpy()
    more = None if added is None else added.contiguous().numpy()
    norm = None if maxout is None else (maxout[0], *(one.detach().numpy() for one in maxout[1:]))

    def work(next_chunk: np.ndarray) -> None:
        kernels.apply_layers(
            rows, hidden, output, n_hidden, more, norm, outputs, output_rows, next_chunk
        )

    parallel_for(work, -(-n_rows // kernels.LINEAR_BAND))
    return result
