"""What the figures depend on besides the code."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from spacy_mtl.native import get_kernels

FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_bf16")
PACKAGES = ("spacy-mtl", "spacy", "thinc", "blis", "numpy", "torch")


def describe_machine() -> dict[str, Any]:
    """Describe the processor and the versions.

    RETURNS (Dict[str, Any]): Processor, instruction sets, what the compiled kernels use of them,
        usable cores, load and versions.
    """
    info = _processor_info()
    kernels = get_kernels()
    present = set((info.get("flags") or info.get("Features") or "").split())
    return {
        "processor": info.get("model name") or platform.processor() or platform.machine(),
        "instructions": [flag for flag in FLAGS if flag in present],
        "kernels": None if kernels is None else kernels.instruction_set(),
        "cores": _usable_cores(),
        "load": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _processor_info() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    first = path.read_text().split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
