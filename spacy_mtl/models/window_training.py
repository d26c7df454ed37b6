"""The window layers in training on CPU: one recorded operation with a backward pass of its own.

Windows of neighbouring rows are read where they lie instead of being copied together and taken
apart again, and only what the backward pass needs is kept. Windows of three rows are multiplied in
pairs where that loses no digits that count: see `window_products`.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..native import find_loops
from .compiled_training import CompiledWindows, can_train
from .window_products import multiply_pairs, pair_filters, pass_pairs_back

LAYER_NORM_EPSILON = 1e-8  # thinc's
_BELOW_ZERO = -torch.finfo(torch.float32).tiny


def encode_windows(
    rows: Tensor,
    window_size: int,
    layers: Sequence[Sequence[Tensor]],
    masks: Sequence[Tensor],
    product_dtype: torch.dtype = torch.float32,
) -> tuple[Tensor, ...]:
    """Apply residual layers of normalized maxout over windows of rows.

    A layer gives no output for the `window_size` rows at either end of its input.

    rows (Tensor): [rows, width], contiguous; an even number of rows lets three of them be
        multiplied in pairs.
    window_size (int): Number of rows to either side that a layer concatenates.
    layers (Sequence[Sequence[Tensor]]): For each layer its weights [pieces, width, windows' width],
        bias [pieces, width], and weights and bias [width] of the layer norm.
    masks (Sequence[Tensor]): For each layer what its results are multiplied with before the rows
        are added, [rows of its output, width]; empty for no dropout.
    product_dtype (torch.dtype): What matrix products are computed in, forward and backward;
        everything else is float32.
    RETURNS (Tuple[Tensor, ...]): The output of each layer, `2 * window_size` rows fewer each time.
    """
    flat = [parameter for layer in layers for parameter in layer]
    outputs: tuple[Tensor, ...]
    loops = find_loops()
    if loops is not None and window_size == 1 and product_dtype == torch.float32:
        if layers and can_train(loops, rows, layers[0][0]):
            outputs = CompiledWindows.apply(rows, loops, len(layers), *flat, *masks)
            return outputs
    outputs = _Windows.apply(rows, window_size, len(layers), product_dtype, *flat, *masks)
    return outputs


def normalized_maxout(
    inputs: Tensor, weight: Tensor, bias: Tensor, norm_weight: Tensor, norm_bias: Tensor
) -> Tensor:
    """Apply a linear layer with several pieces, the largest of which counts, and layer norm.

    inputs (Tensor): [rows, n_in].
    weight (Tensor): [pieces, width, n_in].
    bias (Tensor): [pieces, width].
    norm_weight (Tensor): [width].
    norm_bias (Tensor): [width].
    RETURNS (Tensor): [rows, width].
    """
    output: Tensor = _NormalizedMaxout.apply(inputs, weight, bias, norm_weight, norm_bias)
    return output


class _Windows(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        rows: Tensor,
        window_size: int,
        depth: int,
        product_dtype: torch.dtype,
        *tensors: Tensor,
    ) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        parameters, masks = tensors[: 4 * depth], tensors[4 * depth :]
        takes_pairs = window_size == 1 and len(rows) % 2 == 0 and product_dtype == rows.dtype
        products = [
            _PairedProducts(weight) if takes_pairs else _Products(weight, window_size)
            for weight in parameters[::4]
        ]
        saved: list[Tensor] = []
        outputs = []
        for number, product in enumerate(products):
            weight, bias, norm_weight, norm_bias = parameters[4 * number : 4 * number + 4]
            inputs = rows.to(product_dtype)
            pieces = product.multiply(inputs, bias.flatten()).view(-1, *weight.shape[:2])
            found = _activate(pieces, norm_weight, norm_bias)
            saved += (inputs, *found[1:])
            own = product.order(rows[window_size : len(rows) - window_size])
            result = found[0].view(own.shape)
            if masks:
                result.mul_(product.order(masks[number]))
            rows = product.restore(result.add_(own))
            outputs.append(rows)
        ctx.save_for_backward(*tensors, *saved)
        ctx.products, ctx.n_given, ctx.size = products, len(tensors), window_size
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor | None) -> tuple[Tensor | None, ...]:
        depth, size = len(ctx.products), ctx.size
        tensors, saved = ctx.saved_tensors[: ctx.n_given], ctx.saved_tensors[ctx.n_given :]
        parameters, masks = tensors[: 4 * depth], tensors[4 * depth :]
        d_parameters: list[Tensor | None] = [None] * (4 * depth)
        d_rows: Tensor | None = None
        for number, product in reversed(list(enumerate(ctx.products))):
            d_own = d_outputs[number]
            if d_own is not None:
                d_rows = d_own if d_rows is None else d_rows.add_(d_own)
            if d_rows is None:
                continue
            own = slice(4 * number, 4 * number + 4)
            weight, _, norm_weight, norm_bias = parameters[own]
            inputs, *kept = saved[5 * number : 5 * number + 5]
            d_found = product.order(d_rows * masks[number] if masks else d_rows)
            d_hidden, d_norm_weight, d_norm_bias = _pass_back(
                d_found.reshape(d_rows.shape), norm_weight, norm_bias, *kept
            )
            d_rows = torch.nn.functional.pad(d_rows, (0, 0, size, size))
            d_parameters[own] = (
                product.pass_back(d_hidden, inputs, d_rows).view_as(weight),
                d_hidden.sum(0).view(weight.shape[:2]),
                d_norm_weight,
                d_norm_bias,
            )
        return d_rows, None, None, None, *d_parameters, *(None for _ in masks)


class _Products:
    """The products of a layer's weights with windows of rows.

    weight (Tensor): [pieces, width, windows' width].
    window_size (int): Number of rows to either side that a window has.
    """

    def __init__(self, weight: Tensor, window_size: int) -> None:
        self.matrix = weight.flatten(0, 1)
        self.window_size = window_size

    def multiply(self, rows: Tensor, bias: Tensor) -> Tensor:
        """RETURNS (Tensor): [windows, hidden], float32, in the order of `order`."""
        return _multiply(_windows_of(rows, self.window_size), self.matrix, bias)

    def order(self, rows: Tensor) -> Tensor:
        """RETURNS (Tensor): Rows [windows, width] in the order that products have."""
        return rows

    def restore(self, rows: Tensor) -> Tensor:
        """RETURNS (Tensor): [windows, width], the reverse of `order`."""
        return rows

    def pass_back(self, d_hidden: Tensor, rows: Tensor, d_rows: Tensor) -> Tensor:
        """Find the gradients of `multiply`.

        d_hidden (Tensor): [windows, hidden], the gradient of its result.
        rows (Tensor): [rows, width], as it got them.
        d_rows (Tensor): [rows, width], float32; the gradient of the rows is added to it.
        RETURNS (Tensor): [hidden, windows' width], the gradient of the weights.
        """
        factor = d_hidden.to(rows.dtype)
        _add_window_gradients(d_rows, factor, self.matrix)
        return torch.mm(factor.t(), _windows_of(rows, self.window_size)).float()


class _PairedProducts(_Products):
    """The same for windows of three rows, an even number of them, two at a time: first come the
    first of all pairs, then the second.

    weight (Tensor): [pieces, width, 3 * width].
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__(weight, 1)
        self.filters = pair_filters(self.matrix)

    def multiply(self, rows: Tensor, bias: Tensor) -> Tensor:
        """See `_Products`."""
        return multiply_pairs(rows.view(-1, 2 * rows.shape[1]), self.filters, bias).flatten(0, 1)

    def order(self, rows: Tensor) -> Tensor:
        """RETURNS (Tensor): [2, windows / 2, width]."""
        return rows.view(-1, 2, rows.shape[1]).transpose(0, 1)

    def restore(self, rows: Tensor) -> Tensor:
        """See `_Products`."""
        return rows.transpose(0, 1).flatten(0, 1)

    def pass_back(self, d_hidden: Tensor, rows: Tensor, d_rows: Tensor) -> Tensor:
        """See `_Products`."""
        in_pairs = 2 * rows.shape[1]
        return pass_pairs_back(
            d_hidden.view(2, -1, d_hidden.shape[1]),
            rows.view(-1, in_pairs),
            self.filters,
            d_rows.view(-1, in_pairs),
        )


class _NormalizedMaxout(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        weight: Tensor,
        bias: Tensor,
        norm_weight: Tensor,
        norm_bias: Tensor,
    ) -> Tensor:
        pieces = _multiply(inputs, weight.flatten(0, 1), bias.flatten())
        found, *kept = _activate(pieces.view(-1, *weight.shape[:2]), norm_weight, norm_bias)
        ctx.save_for_backward(inputs, weight, norm_weight, norm_bias, *kept)
        return found

    @staticmethod
    def backward(ctx: Any, d_found: Tensor) -> tuple[Tensor | None, ...]:
        inputs, weight, norm_weight, norm_bias, *kept = ctx.saved_tensors
        d_hidden, *d_norm = _pass_back(d_found, norm_weight, norm_bias, *kept)
        needs_inputs = ctx.needs_input_grad[0]
        d_inputs = torch.mm(d_hidden, weight.flatten(0, 1)) if needs_inputs else None
        d_weight = torch.mm(d_hidden.t(), inputs).view_as(weight)
        return d_inputs, d_weight, d_hidden.sum(0).view(weight.shape[:2]), *d_norm


def _add_window_gradients(d_rows: Tensor, d_hidden: Tensor, matrix: Tensor) -> None:
    """Add the gradient of windows to that of the rows that they consist of.

    d_rows (Tensor): [rows, width], float32; added to.
    d_hidden (Tensor): [windows, hidden], the gradient of the windows' products.
    matrix (Tensor): [hidden, windows' width].
    """
    width = d_rows.shape[1]
    if d_hidden.dtype == matrix.dtype:  # without writing the windows' gradient down
        for offset, part in enumerate(matrix.split(width, 1)):
            d_rows[offset : offset + len(d_hidden)].addmm_(d_hidden, part)
        return
    d_windows = torch.mm(d_hidden, matrix.to(d_hidden.dtype))
    for offset, part in enumerate(d_windows.split(width, 1)):
        d_rows[offset : offset + len(d_hidden)].add_(part)


def _windows_of(rows: Tensor, window_size: int) -> Tensor:
    """The windows around all rows but those at the ends: [rows, window's width], overlapping."""
    n_rows, width = rows.shape
    size = 2 * window_size + 1
    return rows.as_strided((n_rows - size + 1, size * width), (width, 1))


def _multiply(inputs: Tensor, matrix: Tensor, bias: Tensor) -> Tensor:
    """RETURNS (Tensor): [rows, hidden], in the type of the bias; products in that of the inputs."""
    if inputs.dtype == matrix.dtype:
        return torch.addmm(bias, inputs, matrix.t())
    return torch.mm(inputs, matrix.t().to(inputs.dtype)).to(bias.dtype).add_(bias)


def _activate(pieces: Tensor, norm_weight: Tensor, norm_bias: Tensor) -> tuple[Tensor, ...]:
    """RETURNS (Tuple[Tensor, ...]): The layer's output [rows, width]; what `_pass_back` needs: the
    pieces [rows, pieces, width], the largest [rows, width], its mean and inverse deviation."""
    largest = pieces.amax(1)
    found, mean, deviation = torch.native_layer_norm(
        largest, (largest.shape[1],), norm_weight, norm_bias, LAYER_NORM_EPSILON
    )
    return found, pieces, largest, mean, deviation


def _pass_back(
    d_found: Tensor,
    norm_weight: Tensor,
    norm_bias: Tensor,
    pieces: Tensor,
    largest: Tensor,
    mean: Tensor,
    deviation: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """RETURNS (Tuple[Tensor, Tensor, Tensor]): The gradients of the pieces, [rows, pieces * width],
    and of the layer norm's weights and bias. Of equal pieces the first gets the gradient, as in
    thinc."""
    rest, d_norm_weight, d_norm_bias = torch.ops.aten.native_layer_norm_backward(
        d_found,
        largest,
        (largest.shape[1],),
        mean,
        deviation,
        norm_weight,
        norm_bias,
        (True, True, True),
    )
    if pieces.shape[1] == 1:
        return rest, d_norm_weight, d_norm_bias
    d_pieces = torch.empty_like(pieces)
    difference = torch.empty_like(largest)
    *parts, last = d_pieces.unbind(1)
    for number, part in enumerate(parts, 1):
        torch.sub(pieces[:, number - 1], largest, out=difference)
        # keeps the gradient where the difference is zero: much quicker than a boolean mask
        torch.ops.aten.threshold_backward.grad_input(rest, difference, _BELOW_ZERO, grad_input=part)
        torch.sub(rest, part, out=rest if number < len(parts) else last)
    return d_pieces.flatten(1), d_norm_weight, d_norm_bias
