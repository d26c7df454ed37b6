"""A score for each hash bucket at some tokens."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d, Ints1d

from ..layers.flat import output_width, with_flat_tokens
from ..layers.torch_layer import build_module, torch_layer
from .token_tagger import TagScorer

Inputs = tuple[list[Doc], np.ndarray]


@registry.architectures("spacy_mtl.MaskedLanguageModel.v1")
def build_masked_language_model(
    *,
    tok2vec: Model[list[Doc], list[Floats2d]],
    hidden_width: int = 128,
    n_buckets: int = 2000,
) -> Model[Inputs, Floats2d]:
    """Build a network that guesses hidden words from their tokens' vectors.

    Only the tokens asked for are computed. The model's input are documents, and [chosen] rows among
    the tokens of all documents, each once.

    tok2vec (Model[List[Doc], List[Floats2d]]): The token-to-vector network or listener.
    hidden_width (int): Width of a hidden layer; 0 for none.
    n_buckets (int): The number of buckets that words are hashed to. With more, fewer words share
        one; time and memory of the output layer grow with it.
    RETURNS (Model[Tuple[List[Doc], np.ndarray], Floats2d]): Gives [chosen, n_buckets].
    RAISES (ValueError): If there are fewer than two buckets.
    """
    if n_buckets < 2:
        raise ValueError(
            f"'n_buckets' of spacy_mtl.MaskedLanguageModel.v1: found {n_buckets}; set 2 or more, "
            "as in n_buckets = 2000."
        )
    layer = torch_layer(partial(TagScorer, hidden_width=hidden_width))
    return Model(
        "masked_language_model",
        _forward,
        init=_init,
        layers=[with_flat_tokens(tok2vec), layer],
        refs={"tok2vec": tok2vec},
        dims={"nO": n_buckets},
        attrs={"dropout_rate": 0.0},
    )


def _forward(
    model: Model[Inputs, Floats2d], inputs: Inputs, is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], Any]]:
    flat_tokens, layer = model.layers
    docs, rows = inputs
    vectors, backprop_vectors = flat_tokens(docs, is_train)
    chosen = model.ops.asarray1i(cast(Ints1d, rows))
    scores, backprop_scores = layer((vectors[chosen], model.attrs["dropout_rate"]), is_train)

    def backprop(d_scores: Floats2d) -> Any:
        d_vectors = model.ops.alloc2f(*vectors.shape)
        d_vectors[chosen] = backprop_scores(d_scores)[0]
        return backprop_vectors(d_vectors)

    return scores, backprop


def _init(model: Model[Inputs, Floats2d], X: Inputs | None = None, Y: Any = None) -> None:
    flat_tokens, layer = model.layers
    docs = None if X is None else X[0]
    flat_tokens.initialize(X=docs)
    width = output_width(model.get_ref("tok2vec"), docs)
    build_module(layer, width=width, n_tags=model.get_dim("nO"))
