"""Linear layers in prediction by compiled loops: see `spacy_mtl.native`."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ..native import find_loops
from ..native.packing import pack_columns
from ..native.threads import take_together
from .parameter_state import Derived

PackedLayer = tuple[np.ndarray, np.ndarray]  # weight and bias of a linear layer


class SummedRows(NamedTuple):
    """Rows [rows, tables * width] that are sums of rows of tables, side by side.

    tables (Sequence[Tensor]): [.., width] each.
    places (Tensor): [tables, rows, 4], the rows of each table that are summed.
    """

    tables: Sequence[Tensor]
    places: Tensor


class QuickLinear(nn.Linear):
    """A linear layer that uses the compiled loops in prediction, for many rows."""

    def __init__(self, n_in: int, n_out: int, bias: bool = True) -> None:
        super().__init__(n_in, n_out, bias=bias)
        self.packed: Derived[PackedLayer] = Derived()

    def forward(self, inputs: Tensor) -> Tensor:
        """Apply the layer.

        inputs (Tensor): [rows, n_in].
        RETURNS (Tensor): [rows, n_out].
        """
        loops = find_loops_for(inputs, self.weight)
        if loops is None:
            return super().forward(inputs)
        return apply_compiled(loops, inputs, self.pack(loops), self.out_features)

    def pack(self, loops: ModuleType) -> PackedLayer:
        """RETURNS (PackedLayer): The layer for these loops."""
        parameters = [self.weight] if self.bias is None else [self.weight, self.bias]
        return self.packed.get(parameters, lambda: pack_layer(loops, *parameters))


def find_loops_for(inputs: Tensor, weight: Tensor) -> ModuleType | None:
    """Find loops for a linear layer in prediction.

    inputs (Tensor): What the layer reads.
    weight (Tensor): Its weight.
    RETURNS (Optional[ModuleType]): The compiled loops. None where they can't be used.
    """
    if torch.is_grad_enabled() or inputs.device.type != "cpu":
        return None
    return find_loops() if inputs.dtype == weight.dtype == torch.float32 else None


def apply_quickly(
    hidden: QuickLinear | None, output: QuickLinear, inputs: Tensor, added: Tensor | None = None
) -> Tensor | None:
    """Apply a linear layer, or a hidden one with GELU before it, in prediction.

    hidden (Optional[QuickLinear]): The hidden layer.
    output (QuickLinear): The last layer.
    inputs (Tensor): [rows, n_in].
    added (Optional[Tensor]): [rows, columns of the first layer], added to what it gives.
    RETURNS (Optional[Tensor]): [rows, n_out]. None where the compiled loops can't be used.
    """
    loops = find_loops_for(inputs, output.weight)
    if loops is None:
        return None
    n_hidden = 0 if hidden is None else hidden.out_features
    first = None if hidden is None else hidden.pack(loops)
    return apply_compiled(
        loops, inputs, output.pack(loops), output.out_features, first, n_hidden, added
    )


def pack_layer(loops: ModuleType, weight: Tensor, bias: Tensor | None = None) -> PackedLayer:
    """Lay out the weights of a linear layer.

    loops (ModuleType): The compiled loops.
    weight (Tensor): [columns, n_in].
    bias (Optional[Tensor]): [columns].
    RETURNS (PackedLayer): Its weight and bias, with as many columns more as the loops need.
    """
    unused = -len(weight) % loops.lanes()
    weight = pad(weight.detach(), (0, 0, 0, unused))
    bias = weight.new_zeros(len(weight)) if bias is None else pad(bias.detach(), (0, unused))
    return pack_columns(weight, loops.lanes()).numpy(), bias.numpy()


def apply_compiled(
    loops: ModuleType,
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

    loops (ModuleType): The compiled loops.
    inputs (Union[Tensor, SummedRows]): [rows, n_in].
    output (PackedLayer): What `pack_layer` made of the layer.
    n_out (int): The number of its columns.
    hidden (Optional[PackedLayer]): The hidden layer.
    n_hidden (int): The number of its columns.
    added (Optional[Tensor]): [rows, n_hidden], or [rows, n_out] without a hidden layer: added to
        what the first layer gives.
    maxout (Optional[Tuple[int, Tensor, Tensor]]): For a maxout of layers of `n_out` columns each,
        the number of its pieces, and weight and bias of the normalization that follows.
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
    found, places = (torch.empty((n_rows, n_out)), None) if into is None else into
    outputs, output_rows = found.numpy(), None if places is None else places.numpy()
    more = None if added is None else added.contiguous().numpy()
    norm = None if maxout is None else (maxout[0], *(one.detach().numpy() for one in maxout[1:]))

    def work(n_taken: np.ndarray) -> None:
        loops.apply_layers(
            rows, hidden, output, n_hidden, more, norm, outputs, output_rows, n_taken
        )

    take_together(work, -(-n_rows // loops.LINEAR_BAND))
    return found
