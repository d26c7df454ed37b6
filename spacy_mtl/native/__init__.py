"""Loops compiled to machine code, for prediction in float32 on CPU.

They are built when the package is installed and a C++ compiler is there; the package works without
them, slower, with the same predictions up to rounding. `SPACY_MTL_NATIVE=0` in the environment
leaves them out.

`find_loops` gives them. `packing` lays weights out for them, `threads` lets several threads take
part. The loops themselves are in `src`, and `_loops.pyx` is what Python sees
of them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType


def _import_loops() -> ModuleType | None:
    if os.environ.get("SPACY_MTL_NATIVE", "1") == "0":
        return None
    try:
        return import_module("._loops", __name__)
    except ModuleNotFoundError:  # not built
        return None


_found = _import_loops()
_is_on = True


def find_loops() -> ModuleType | None:
    """RETURNS (Optional[ModuleType]): The compiled loops; None where they were not built or are
    switched off."""
    return _found if _is_on else None


@contextmanager
def switched_off() -> Iterator[None]:
    """Compute with torch and numpy alone within this context, in all threads."""
    global _is_on
    before, _is_on = _is_on, False
    try:
        yield
    finally:
        _is_on = before
