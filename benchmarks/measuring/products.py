"""Matrix products: which one thinc calls, and how fast each is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import blis.py
import numpy as np
import torch
from thinc.api import NumpyOps
from thinc.backends.ops import Ops

ROWS, INNER, COLUMNS = 8192, 288, 288  # a window of 3 x 96 columns, 96 outputs of 3 pieces
SECONDS = 0.3
REPEATS = 3


@contextmanager
def counted_products() -> Iterator[dict[str, int]]:
    """Count the calls of the two products behind `NumpyOps.gemm`, for as long as the block runs.

    Products in compiled code are not seen: spaCy's transition parser always calls the BLIS that
    `NumpyOps.cblas` gives it.

    YIELDS (Dict[str, int]): Calls of "blis" and "numpy", complete at the block's end.
    """
    counts = {"blis": 0, "numpy": 0}
    blis_gemm, numpy_gemm = blis.py.gemm, Ops.gemm

    def count_blis(*args: Any, **kwargs: Any) -> Any:
        counts["blis"] += 1
        return blis_gemm(*args, **kwargs)

    def count_numpy(*args: Any, **kwargs: Any) -> Any:
        counts["numpy"] += 1
        return numpy_gemm(*args, **kwargs)

    blis.py.gemm, Ops.gemm = count_blis, count_numpy  # type: ignore[method-assign]
    try:
        yield counts
    finally:
        blis.py.gemm, Ops.gemm = blis_gemm, numpy_gemm  # type: ignore[method-assign]


def product_rates() -> dict[str, float]:
    """Measure the products that are present, at the shape of a window layer.

    RETURNS (Dict[str, float]): GFLOP/s by name.
    """
    random = np.random.RandomState(0)
    left = random.uniform(-1, 1, (ROWS, INNER)).astype("f")
    right = random.uniform(-1, 1, (COLUMNS, INNER)).astype("f")
    a, b = torch.from_numpy(left), torch.from_numpy(right)
    a16, b16 = a.bfloat16(), b.bfloat16()
    with_blis, with_numpy = NumpyOps(use_blis=True), NumpyOps(use_blis=False)
    products: dict[str, Callable[[], Any]] = {
        "thinc BLIS": lambda: with_blis.gemm(left, right, trans2=True),
        f"numpy ({numpy_blas()})": lambda: with_numpy.gemm(left, right, trans2=True),
        "torch float32": lambda: torch.mm(a, b.T),
        "torch bfloat16": lambda: torch.mm(a16, b16.T),
    }
    return {name: rate(product) for name, product in products.items()}


def rate(product: Callable[[], Any]) -> float:
    """Time one product repeatedly.

    product (Callable[[], Any]): Multiplies [ROWS, INNER] by [INNER, COLUMNS].
    RETURNS (float): GFLOP per second of processor time, the best of `REPEATS` runs.
    """
    product()
    best = 0.0
    for _ in range(REPEATS):
        count, start = 0, time.process_time()
        while (seconds := time.process_time() - start) < SECONDS / REPEATS:
            product()
            count += 1
        best = max(best, count * 2e-9 * ROWS * INNER * COLUMNS / seconds)
    return best


def numpy_blas() -> str:
    """RETURNS (str): The name of the library that numpy multiplies matrices with."""
    built = np.show_config(mode="dicts")
    name: str = built["Build Dependencies"]["blas"]["name"]
    return name
