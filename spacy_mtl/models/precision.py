"""Choose the precision of matrix products."""

from typing import Literal, get_args

import torch
from thinc.util import get_torch_default_device
from torch import Tensor, nn
from torch.nn import functional as F

from ..messages import warn

Precision = Literal["float32", "bfloat16"]
BFLOAT16_ROWS = 128  # products in bfloat16 take long to prepare for a number of rows that is new


def product_dtype(precision: Precision) -> torch.dtype:
    """Find the type to compute matrix products in.

    precision (str): "float32"; or "bfloat16", which halves the memory traffic and is several times
        as fast where the processor has instructions for it, and keeps three decimal digits.
    RETURNS (torch.dtype): The type; float32 with a warning where bfloat16 is wanted and the
        processor has no instructions for it.
    RAISES (ValueError): If it is neither.
    """
    if precision not in get_args(Precision):
        raise ValueError(
            f"'precision' of the network: found {precision!r}, choose one of "
            f"{', '.join(map(repr, get_args(Precision)))}."
        )
    if precision == "float32":
        return torch.float32
    if not has_fast_bfloat16():
        warn(
            "precision = 'bfloat16' needs a processor with AVX512-BF16 or AMX, which this one does "
            "not have: using float32."
        )
        return torch.float32
    return torch.bfloat16


def has_fast_bfloat16() -> bool:
    """RETURNS (bool): Whether products in bfloat16 are faster than in float32 on thinc's device."""
    if get_torch_default_device().type == "cuda":
        return torch.cuda.is_bf16_supported()
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # not in all versions of torch
    return any(getattr(torch.cpu, name)() for name in tests if hasattr(torch.cpu, name))


def pad_rows(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Bring a matrix to a number of rows that products are prepared for.

    values (Tensor): [rows, ...].
    dtype (torch.dtype): The type of the products.
    RETURNS (Tensor): [at least rows, ...]; the rows that were added are zeros. With float32 none.
    """
    missing = 0 if dtype == torch.float32 or values.is_cuda else -len(values) % BFLOAT16_ROWS
    if not missing:
        return values
    return torch.cat([values, values.new_zeros((missing, *values.shape[1:]))])


def reduce_precision(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Prepare the input of products.

    values (Tensor): [rows, ...], floating.
    dtype (torch.dtype): The type of the products; with float32 the input stays as it is.
    RETURNS (Tensor): [at least rows, ...], see `pad_rows`.
    """
    return values if dtype == torch.float32 else pad_rows(values, dtype).to(dtype)


def restore_precision(values: Tensor, n_rows: int) -> Tensor:
    """Undo `reduce_precision` on what was computed from its result.

    values (Tensor): [at least rows, ...].
    n_rows (int): The number of rows that mean something.
    RETURNS (Tensor): [rows, ...], not in bfloat16.
    """
    if len(values) > n_rows:
        values = values[:n_rows]
    return values.float() if values.dtype == torch.bfloat16 else values


def multiply(layer: nn.Linear, inputs: Tensor) -> Tensor:
    """Apply a linear layer in the type of its inputs, whatever that of its parameters.

    layer (Linear): The layer.
    inputs (Tensor): [rows, n_in].
    RETURNS (Tensor): [rows, n_out], of the type of the inputs.
    """
    weight, bias = layer.weight.to(inputs.dtype), layer.bias
    return F.linear(inputs, weight, None if bias is None else bias.to(inputs.dtype))
