"""The window layers in training on CPU with compiled loops: see `spacy_mtl.native`.

A layer is one loop forward, and on the way back one loop up to its matrix products, which are
torch's. Of the pieces of the maxout only the number of the largest is kept.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..native.packing import PIECES, pack_pieces
from ..native.threads import take_together
from .window_products import join_weight_gradients


class _Record(NamedTuple):
    """What a layer needs on the way back: see `train_layer` of the compiled loops."""

    rows: Tensor  # [2 * pairs + 2, width]
    filters: Tensor  # [4, pieces * width, width]
    piece: np.ndarray
    normalized: np.ndarray
    scale: np.ndarray


def can_train(loops: ModuleType, rows: Tensor, weight: Tensor) -> bool:
    """Tell whether there are loops for layers over windows of three rows.

    loops (ModuleType): The compiled loops.
    rows (Tensor): [rows, width], an even number of rows.
    weight (Tensor): [pieces, width, 3 * width], that of one of the layers.
    RETURNS (bool): Whether there are.
    """
    return (
        rows.dtype == weight.dtype == torch.float32
        and weight.shape[0] in PIECES
        and rows.shape[1] % loops.lanes() == 0
        and len(rows) % 2 == 0
    )


class CompiledWindows(torch.autograd.Function):
    """All layers: see `spacy_mtl.models.window_training.encode_windows`."""

    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, loops: ModuleType, depth: int, *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        parameters, masks = tensors[: 4 * depth], tensors[4 * depth :]
        ctx.records, outputs = [], []
        for number in range(depth):
            own = parameters[4 * number : 4 * number + 4]
            rows, record = _forward(loops, rows, own, masks[number] if masks else None)
            ctx.records.append(record)
            outputs.append(rows)
        ctx.save_for_backward(*tensors)
        ctx.loops = loops
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor | None) -> tuple[Tensor | None, ...]:
        depth = len(ctx.records)
        parameters, masks = ctx.saved_tensors[: 4 * depth], ctx.saved_tensors[4 * depth :]
        d_parameters: list[Tensor | None] = [None] * (4 * depth)
        room = _room_for_gradients(ctx.records)
        d_rows: Tensor | None = None
        for number in reversed(range(depth)):
            d_own = d_outputs[number]
            if d_own is not None:
                d_rows = d_own if d_rows is None else d_rows.add_(d_own)
            if d_rows is None:
                continue
            own = slice(4 * number, 4 * number + 4)
            mask = masks[number] if masks else None
            d_rows, d_parameters[own] = _backward(
                ctx.loops, d_rows.contiguous(), ctx.records[number], parameters[own], mask, room
            )
        return d_rows, None, None, *d_parameters, *(None for _ in masks)


def _forward(
    loops: ModuleType, rows: Tensor, parameters: Sequence[Tensor], mask: Tensor | None
) -> tuple[Tensor, _Record]:
    """RETURNS (Tuple[Tensor, _Record]): A layer's output [rows - 2, width], and its record."""
    weight, bias, norm_weight, norm_bias = (values.detach() for values in parameters)
    pieces, width, _ = weight.shape
    lanes = loops.lanes()
    filters = torch.empty(4, pieces * width, width)
    packed = torch.empty(width // lanes, 4, width, pieces, lanes)
    loops.pack_pairs(weight.flatten(0, 1).numpy(), filters.numpy(), packed.numpy())
    packed_bias = pack_pieces(bias.flatten(), pieces, lanes)
    output = rows.new_empty((len(rows) - 2, width))
    shape = tuple(output.shape)
    rows = rows.detach()
    record = _Record(
        rows,
        filters,
        np.empty(shape, dtype=np.uint8),
        np.empty(shape, dtype=np.float32),
        np.empty(shape[0], dtype=np.float32),
    )
    weights = [values.numpy() for values in (packed, packed_bias, norm_weight, norm_bias)]
    inputs, found = rows.numpy(), output.numpy()
    factor = None if mask is None else mask.numpy()

    def work(n_taken: np.ndarray) -> None:
        loops.train_layer(*weights, inputs, factor, *record[2:], found, n_taken)

    take_together(work, -(-len(output) // (2 * loops.PAIRS)))
    return output, record


def _room_for_gradients(records: Sequence[_Record]) -> Tensor:
    """RETURNS (Tensor): Room for the terms of any layer, and for the gradients of terms and
    products, which all layers use one after the other: it takes long to get new memory for each."""
    _, hidden, width = records[0].filters.shape
    n_pairs = max(len(record.scale) // 2 for record in records)
    return torch.empty(4 * n_pairs * (hidden + 2 * width))


def _backward(
    loops: ModuleType,
    d_output: Tensor,
    record: _Record,
    parameters: Sequence[Tensor],
    mask: Tensor | None,
    room: Tensor,
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor, Tensor]]:
    """RETURNS (Tuple[Tensor, Tuple[Tensor, ...]]): The gradient of a layer's input
    [rows + 2, width], and of its weight, bias, and the normalization's weight and bias."""
    weight, bias, norm_weight, _ = parameters
    pieces, width, _ = weight.shape
    n_pairs, hidden = len(d_output) // 2, pieces * width
    n_blocks = -(-n_pairs // loops.PAIRS)
    d_hidden, terms, d_terms = (
        part.view(4, n_pairs, -1)
        for part in room[: 4 * n_pairs * (hidden + 2 * width)].split(
            [4 * n_pairs * hidden, 4 * n_pairs * width, 4 * n_pairs * width]
        )
    )
    sums = d_output.new_empty((n_blocks, 2 * width + hidden))
    own = d_output.numpy()
    arrays = norm_weight.detach().numpy(), own, None if mask is None else mask.numpy()
    found = d_hidden.numpy(), sums.numpy()

    def work(n_taken: np.ndarray) -> None:
        loops.pass_back(*arrays, *record[2:], *found, n_taken)

    take_together(work, n_blocks)
    first, second, both, difference = d_hidden.unbind(0)
    products = (both, difference, first, second)  # what terms and filters belong to
    loops.write_terms(record.rows.numpy(), terms.numpy())
    for product, filters, d_term in zip(products, record.filters, d_terms, strict=True):
        torch.mm(product, filters, out=d_term)
    d_weight = join_weight_gradients(
        *(torch.mm(product.t(), term) for product, term in zip(products, terms, strict=True))
    )
    d_rows = torch.empty_like(record.rows)
    loops.gather_terms(d_terms.numpy(), own, d_rows.numpy())
    d_norm_weight, d_norm_bias, d_bias = sums.sum(0).split([width, width, hidden])
    return d_rows, (
        d_weight.view_as(weight),
        d_bias.view_as(bias),
        d_norm_weight.clone(),
        d_norm_bias.clone(),
    )
