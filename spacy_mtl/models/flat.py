"""From one array per document to one flat array, and back."""

from collections.abc import Callable
from typing import Any

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d


def with_flat_tokens(
    tok2vec: Model[list[Doc], list[Floats2d]],
) -> Model[list[Doc], tuple[Floats2d, list[int]]]:
    """Give a head the vectors of all tokens as one matrix.

    tok2vec (Model[List[Doc], List[Floats2d]]): The token-to-vector network or listener.
    RETURNS (Model[List[Doc], Tuple[Floats2d, List[int]]]): Gives the matrix [tokens, width] and
        the number of tokens of each document. Its callback takes the gradient of the matrix.
    """
    return Model("flat_tokens", _forward, init=_init, layers=[tok2vec], refs={"tok2vec": tok2vec})


def _forward(
    model: Model, docs: list[Doc], is_train: bool
) -> tuple[tuple[Floats2d, list[int]], Callable[[Floats2d], Any]]:
    vectors, backprop_vectors = model.layers[0](docs, is_train)
    lengths = [len(doc) for doc in docs]

    def backprop(d_flat: Floats2d) -> Any:
        return backprop_vectors(model.ops.unflatten(d_flat, model.ops.asarray1i(lengths)))

    return (join_rows(model, vectors), lengths), backprop


def _init(model: Model, X: list[Doc] | None = None, Y: Any = None) -> None:
    model.layers[0].initialize(X=X)


def join_rows(model: Model, blocks: list[Floats2d]) -> Floats2d:
    """Concatenate consecutive rows, without copying where they are already one array.

    model (Model): For its array operations and its width.
    blocks (List[Floats2d]): One [tokens, width] array per document.
    RETURNS (Floats2d): [tokens of all documents, width].
    """
    blocks = [block for block in blocks if block.shape[0]]
    if not blocks:
        return model.ops.alloc2f(0, model.layers[0].get_dim("nO"))
    if len(blocks) == 1:
        return blocks[0]
    base = blocks[0].base
    if base is not None and base.ndim == 2 and all(block.base is base for block in blocks):
        n_rows = sum(block.shape[0] for block in blocks)
        if base.shape == (n_rows, blocks[0].shape[1]) and _follow_each_other(base, blocks):
            return base
    return model.ops.xp.concatenate(blocks)


def _follow_each_other(base: Any, blocks: list[Any]) -> bool:
    address = base.ctypes.data if hasattr(base, "ctypes") else base.data.ptr
    for block in blocks:
        own = block.ctypes.data if hasattr(block, "ctypes") else block.data.ptr
        if own != address or block.strides != base.strides:
            return False
        address += block.shape[0] * base.strides[0]
    return True
