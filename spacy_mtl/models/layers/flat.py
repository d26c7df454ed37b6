"""From one array per document to one flat array, and back."""

from collections.abc import Callable
from typing import Any

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from .features import join_rows, split_rows


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


def output_width(tok2vec: Model[list[Doc], list[Floats2d]], docs: list[Doc] | None) -> int:
    """Find the width of token vectors.

    tok2vec (Model[List[Doc], List[Floats2d]]): An initialized token-to-vector network.
    docs (Optional[List[Doc]]): Documents to try it on, where it does not say.
    RETURNS (int): The width.
    RAISES (ValueError): If the network does not say and there is no document to try.
    """
    if tok2vec.has_dim("nO"):
        return tok2vec.get_dim("nO")
    if not docs:
        raise ValueError(
            f"The width of '{tok2vec.name}' is only known once it has run: pass at least one Doc "
            "to initialize()."
        )
    return int(tok2vec.predict(docs[:1])[0].shape[1])
