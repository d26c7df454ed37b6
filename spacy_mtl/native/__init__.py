"""The engine: kernels compiled to machine code, in float32 on CPU.

They are built when the package is installed and a C++ compiler is there; the package works without
them, slower, with the same predictions up to rounding. `SPACY_MTL_NATIVE=0` in the environment
leaves them out.

This module is the only door: a torch module asks `kernels_for` in prediction, or
`training_kernels_for` where it has a kernel with a backward pass, and computes with plain torch
where the answer is None. `linear`, `windows`, `window_training`, `lstm` and `pairs` call the
kernels; `packing` and `winograd` lay weights out for them; `threads` lets several threads take
part. The kernels themselves are in `src`; `_kernels.pyx` holds the Cython bindings.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

import torch
from torch import Tensor


def _import_kernels() -> ModuleType | None:
    if os.environ.get("SPACY_MTL_NATIVE", "1") == "0":
        return None
    try:
        return import_module("._kernels", __name__)
    except ModuleNotFoundError:  # not built
        return None


_built = _import_kernels()
_is_on = True


def get_kernels() -> ModuleType | None:
    """RETURNS (Optional[ModuleType]): The kernels; None where they were not built or are switched
    off."""
    return _built if _is_on else None


def kernels_for(*values: Tensor) -> ModuleType | None:
    """Find kernels for prediction.

    *values (Tensor): What they are to compute with.
    RETURNS (Optional[ModuleType]): The kernels. None where there are none, a gradient is recorded,
        or some value is not in float32 on CPU.
    """
    return None if torch.is_grad_enabled() else _kernels_for(values)


def training_kernels_for(*values: Tensor) -> ModuleType | None:
    """Find kernels for a forward pass whose gradient is recorded.

    *values (Tensor): What they are to compute with.
    RETURNS (Optional[ModuleType]): The kernels. None where there are none, no gradient is recorded,
        or some value is not in float32 on CPU.
    """
    return _kernels_for(values) if torch.is_grad_enabled() else None


def _kernels_for(values: tuple[Tensor, ...]) -> ModuleType | None:
    kernels = get_kernels()
    if kernels is None:
        return None
    fits = all(one.dtype == torch.float32 and one.device.type == "cpu" for one in values)
    return kernels if fits else None


@contextmanager
def switched_off() -> Iterator[None]:
    """Compute with plain torch alone within this context, in all threads."""
    global _is_on
    before, _is_on = _is_on, False
    try:
        yield
    finally:
        _is_on = before
