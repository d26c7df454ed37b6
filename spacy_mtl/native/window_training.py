"""Residual layers of normalized maxout over windows of three rows in training.

A layer is one kernel forward, and one kernel backward up to its matrix products, which are torch's.
Of the pieces of the maxout only the number of the largest is kept for the backward pass.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .packing import PIECES, pack_pieces
from .threads import parallel_for
from .windows import LayerParameters
from .winograd import join_weight_gradients


class _Record(NamedTuple):
    """What the backward pass of a layer needs: see `train_layer` of the compiled kernels."""

    rows: Tensor  # [2 * pairs + 2, width]
    filters: Tensor  # [4, pieces * width, width]
    piece: np.ndarray
    normalized: np.ndarray
    scale: np.ndarray


def can_train(kernels: ModuleType, rows: Tensor, weight: Tensor) -> bool:
    """Tell whether there are kernels for layers with a gradient.

    kernels (ModuleType): The kernels.
    rows (Tensor): [rows, width], an even number of rows.
    weight (Tensor): [pieces, width, 3 * width], that of one of the layers.
    RETURNS (bool): Whether there are.
    """
    return (
        weight.shape[0] in PIECES
        and weight.shape[2] == 3 * weight.shape[1]
        and rows.shape[1] % kernels.lanes() == 0
        and len(rows) % 2 == 0
    )


def train_windows(
    kernels: ModuleType, rows: Tensor, layers: Sequence[LayerParameters], masks: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    """Apply layers to rows with a gradient.

    A layer gives no output for the first and the last row of its input.

    kernels (ModuleType): The kernels.
    rows (Tensor): [rows, width], contiguous; see `can_train`.
    layers (Sequence[LayerParameters]): The layers.
    masks (Sequence[Tensor]): For each layer what its results are multiplied with before the rows
        are added, [rows of its output, width]; empty for no dropout.
    RETURNS (Tuple[Tensor, ...]): The output of each layer, 2 rows fewer each time.
    """
    parameters = [parameter for layer in layers for parameter in layer]
    outputs: tuple[Tensor, ...] = _Windows.apply(rows, kernels, len(layers), *parameters, *masks)
    return outputs


class _Windows(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, kernels: ModuleType, depth: int, *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        parameters, masks = tensors[: 4 * depth], tensors[4 * depth :]
        ctx.records, outputs = [], []
        for number in range(depth):
            own = parameters[4 * number : 4 * number + 4]
            rows, record = _forward(kernels, rows, own, masks[number] if masks else None)
            ctx.records.append(record)
            outputs.append(rows)
        ctx.save_for_backward(*tensors)
        ctx.kernels = kernels
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor | None) -> tuple[Tensor | None, ...]:
        depth = len(ctx.records)
        parameters, masks = ctx.saved_tensors[: 4 * depth], ctx.saved_tensors[4 * depth :]
        d_parameters: list[Tensor | None] = [None] * (4 * depth)
        workspace = _make_workspace(ctx.records)
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
                ctx.kernels,
                d_rows.contiguous(),
                ctx.records[number],
                parameters[own],
                mask,
                workspace,
            )
        return d_rows, None, None, *d_parameters, *(None for _ in masks)


def _forward(
    kernels: ModuleType, rows: Tensor, parameters: Sequence[Tensor], mask: Tensor | None
) -> tuple[Tensor, _Record]:
    """RETURNS (Tuple[Tensor, _Record]): A layer's output [rows - 2, width], and its record."""
    weight, bias, norm_weight, norm_bias = (values.detach() for values in parameters)
    pieces, width, _ = weight.shape
    lanes = kernels.lanes()
    filters = torch.empty(4, pieces * width, width)
    packed = torch.empty(width // lanes, 4, width, pieces, lanes)
    kernels.pack_pairs(weight.flatten(0, 1).numpy(), filters.numpy(), packed.numpy())
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

    def work(next_chunk: np.ndarray) -> None:
        kernels.train_layer(*weights, inputs, factor, *record[2:], found, next_chunk)

    parallel_for(work, -(-len(output) // (2 * kernels.PAIRS)))
    return output, record


def _make_workspace(records: Sequence[_Record]) -> Tensor:
    """RETURNS (Tensor): Workspace for the terms of any layer and the gradients of terms and
    products, shared by all layers: allocating it for each is slow."""
    _, hidden, width = records[0].filters.shape
    n_pairs = max(len(record.scale) // 2 for record in records)
    return torch.empty(4 * n_pairs * (hidden + 2 * width))


def _backward(
    kernels: ModuleType,
    d_output: Tensor,
    record: _Record,
    parameters: Sequence[Tensor],
    mask: Tensor | None,
    workspace: Tensor,
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor, Tensor]]:
    """RETURNS (Tuple[Tensor, Tuple[Tensor, ...]]): The gradient of a layer's input
    [rows + 2, width], and of its weight, bias, and the normalization's weight and bias."""
    weight, bias, norm_weight, _ = parameters
    pieces, width, _ = weight.shape
    n_pairs, hidden = len(d_output) // 2, pieces * width
    n_blocks = -(-n_pairs // kernels.PAIRS)
    d_hidden, terms, d_terms = (
        part.view(4, n_pairs, -1)
        for part in workspace[: 4 * n_pairs * (hidden + 2 * width)].split(
            [4 * n_pairs * hidden, 4 * n_pairs * width, 4 * n_pairs * width]
        )
    )
    sums = d_output.new_empty((n_blocks, 2 * width + hidden))
    own = d_output.numpy()
    arrays = norm_weight.detach().numpy(), own, None if mask is None else mask.numpy()
    found = d_hidden.numpy(), sums.numpy()

    def work(next_chunk: np.ndarray) -> None:
        kernels.layer_backward(*arrays, *record[2:], *found, next_chunk)

    parallel_for(work, n_blocks)
    first, second, both, difference = d_hidden.unbind(0)
    products = (both, difference, first, second)  # what terms and filters belong to
    kernels.write_terms(record.rows.numpy(), terms.numpy())
    for product, filters, d_term in zip(products, record.filters, d_terms, strict=True):
        torch.mm(product, filters, out=d_term)
    d_weight = join_weight_gradients(
        *(torch.mm(product.t(), term) for product, term in zip(products, terms, strict=True))
    )
    d_rows = torch.empty_like(record.rows)
    kernels.gather_terms(d_terms.numpy(), own, d_rows.numpy())
    d_norm_weight, d_norm_bias, d_bias = sums.sum(0).split([width, width, hidden])
    return d_rows, (
        d_weight.view_as(weight),
        d_bias.view_as(bias),
        d_norm_weight.clone(),
        d_norm_bias.clone(),
    )
