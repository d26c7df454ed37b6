"""From one array per document to one flat array, and back."""

from collections.abc import Callable
from typing import Any

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..encoders.features import join_rows, split_rows


def with_flat_tokens(
    tok2vec: Model[list[Doc], list[Floats2d]],
) -> Model[list[Doc], Floats2d]:
    """Give a head the vectors of all tokens as one matrix.

    tok2vec (Model[List[Doc], List[Floats2d]]): The token-to-vector network or listener.
    RETURNS (Model[List[Doc], Floats2d]): Gives the matrix [tokens of all documents, width]. Its
        callback takes the gradient of the matrix.
    """
    return Model("flat_tokens", _forward, init=_init, layers=[tok2vec], refs={"tok2vec": tok2vec})


def _forward(
    model: Model, docs: list[Doc], is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], Any]]:
    vectors, backprop_vectors = model.layers[0](docs, is_train)
    lengths = [len(doc) for doc in docs]

    def backprop(d_flat: Floats2d) -> Any:
        return backprop_vectors(split_rows(d_flat, lengths))

    return join_rows(model.ops, vectors), backprop


def _init(model: Model, X: list[Doc] | None = None, Y: Any = None) -> None:
    model.layers[0].initialize(X=X)
