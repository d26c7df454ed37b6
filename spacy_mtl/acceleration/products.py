"""The matrix product that a pipeline's networks use."""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.util import registry
from thinc.api import Model, NumpyOps, Ops

PRODUCTS = ("auto", "blis", "openblas")
MARGIN = 1.1  # how much faster than spaCy's own product another must be
_SIZES = ((512, 96, 288), (512, 128, 1024))  # rows, inner, columns


@registry.callbacks("spacy_mtl.gemm_backend.v1")
def create_gemm_backend(
    product: str = "auto", then: Callable[[Language], Language] | None = None
) -> Callable[[Language], Language]:
    """Create a callback for `[nlp.after_pipeline_creation]` that sets the matrix product.

    It concerns the networks of this pipeline alone: each node of a network has its own operations,
    thinc's current ones are not changed. It is a setting of the loaded pipeline, not of the
    process: pickled copies and the processes of `nlp.pipe(n_process=...)` keep it.

    product (str): "blis", thinc's default on CPU, "openblas", the product of numpy, which is
        OpenBLAS in the wheels on PyPI, or "auto": whichever is measured to be faster, once in a
        process; spaCy's own if the other is not at least a tenth faster.
    then (Optional[Callable[[Language], Language]]): Another callback to call afterwards.
    RETURNS (Callable[[Language], Language]): The callback.
    RAISES (ValueError): If there is no such product.
    """
    if product not in PRODUCTS:
        raise ValueError(
            f"[nlp.after_pipeline_creation] product is '{product}'; use one of {PRODUCTS}."
        )

    def set_products(nlp: Language) -> Language:
        for _, component in nlp.components:
            model = getattr(component, "model", None)
            if isinstance(model, Model):
                set_product(model, product)
        return then(nlp) if then is not None else nlp

    return set_products


def set_product(model: Model[Any, Any], product: str) -> None:
    """Set the matrix product of all nodes of a network that run on CPU with thinc's own operations.

    model (Model): The network.
    product (str): "auto", "blis" or "openblas".
    """
    ops = product_ops(fastest_product() if product == "auto" else product)
    for node in model.walk():
        if type(node.ops) is NumpyOps:
            node.ops = ops
    resize = model.attrs.get("resize_output")
    if callable(resize) and not isinstance(resize, ResizeWithOps):
        model.attrs["resize_output"] = ResizeWithOps(resize)


class ResizeWithOps:
    """A transition model's `resize_output`, whose new layers get the operations of the network.

    Loading resizes the last layer: spaCy makes a new one, with thinc's default operations.
    """

    def __init__(self, resize: Callable[..., Any]) -> None:
        """Wrap a function.

        resize (Callable): The function that resizes.
        """
        self.resize = resize

    def __call__(self, model: Model[Any, Any], n_outputs: int) -> Any:
        """Resize.

        model (Model): The transition model.
        n_outputs (int): The number of classes.
        RETURNS (Any): What the wrapped function returns.
        """
        result = self.resize(model, n_outputs)
        for layer in model.layers:
            if type(layer.ops) is NumpyOps:
                layer.ops = model.ops
        return result


def product_ops(product: str) -> Ops:
    """Get thinc's operations with a matrix product.

    product (str): "blis" or "openblas".
    RETURNS (Ops): The operations.
    """
    return NumpyOps(use_blis=product == "blis")


@cache
def fastest_product() -> str:
    """Measure the matrix products, a few milliseconds, once in a process.

    RETURNS (str): "blis" or "openblas".
    """
    rates = product_rates()
    return "openblas" if rates["openblas"] > MARGIN * rates["blis"] else "blis"


def product_rates(n_rounds: int = 5) -> dict[str, float]:
    """Measure the matrix products at sizes of spaCy's networks.

    n_rounds (int): The number of rounds, the quickest of which counts.
    RETURNS (Dict[str, float]): Floating point operations per second, in billions.
    """
    random = np.random.RandomState(0)
    pairs = [
        (random.rand(rows, inner).astype("f"), random.rand(columns, inner).astype("f"))
        for rows, inner, columns in _SIZES
    ]
    seconds: dict[str, float] = {}
    for _ in range(n_rounds):
        for product in ("blis", "openblas"):
            ops: Any = product_ops(product)
            start = time.perf_counter()
            for inputs, weights in pairs:
                ops.gemm(inputs, weights, trans2=True)
            taken = time.perf_counter() - start
            seconds[product] = min(taken, seconds.get(product, taken))
    work = 2 * sum(rows * inner * columns for rows, inner, columns in _SIZES)
    return {product: work / taken / 1e9 for product, taken in seconds.items()}
