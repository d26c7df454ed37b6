"""Choose the precision of matrix products."""

import warnings
from typing import Literal, get_args

import torch
from thinc.util import get_torch_default_device

Precision = Literal["float32", "bfloat16"]


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
            f"'precision' of the encoder: found {precision!r}, choose one of "
            f"{', '.join(map(repr, get_args(Precision)))}."
        )
    if precision == "float32":
        return torch.float32
    if not has_fast_bfloat16():
        warnings.warn(
            "precision = 'bfloat16' needs a processor with AVX512-BF16 or AMX, which this one does "
            "not have: using float32.",
            stacklevel=2,
        )
        return torch.float32
    return torch.bfloat16


def has_fast_bfloat16() -> bool:
    """RETURNS (bool): Whether products in bfloat16 are faster than in float32 on thinc's device."""
    if get_torch_default_device().type == "cuda":
        return torch.cuda.is_bf16_supported()
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # not in all versions of torch
    return any(getattr(torch.cpu, name)() for name in tests if hasattr(torch.cpu, name))
