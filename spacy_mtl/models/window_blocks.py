"""The window layers in prediction where pairs of tokens can't be taken: see `paired_windows`."""

import torch
from torch import Tensor

from .embed import BLOCK_ROWS, NormalizedMaxout


def encode_blocks(layer: NormalizedMaxout, window_size: int, rows: Tensor) -> Tensor:
    """Apply a residual layer to windows of rows, a block at a time, without copying windows.

    Products are computed in the layer's `product_dtype`.

    layer (NormalizedMaxout): The layer; its input are whole windows.
    window_size (int): Number of rows to either side that a window has.
    rows (Tensor): [rows, width], contiguous. The first and last `window_size` rows get no output.
    RETURNS (Tensor): [rows, width], zeros where there is no output.
    """
    width = layer.width
    n_rows = len(rows) - 2 * window_size
    inputs, weight = (values.to(layer.product_dtype) for values in (rows, layer.weight))
    windows = inputs.as_strided((n_rows, (2 * window_size + 1) * width), (width, 1))
    weight, bias = weight.flatten(0, 1).t(), layer.bias.flatten()
    own = rows[window_size : window_size + n_rows]
    encoded = torch.zeros_like(rows)
    out = encoded[window_size : window_size + n_rows]
    for first in range(0, n_rows, BLOCK_ROWS):
        block = slice(first, first + BLOCK_ROWS)
        hidden = torch.mm(windows[block], weight).float().add_(bias)
        torch.add(layer.activate(hidden), own[block], out=out[block])
    return encoded
