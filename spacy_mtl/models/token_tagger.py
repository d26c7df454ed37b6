"""A score for each tag at each token."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d
from torch import Tensor, nn
from torch.nn import functional as F

from .dropout import dropout as drop_out
from .flat import with_flat_tokens
from .torch_layer import build_module, torch_layer


@registry.architectures("spacy_mtl.TokenTagger.v1")
def build_token_tagger(
    *, tok2vec: Model[list[Doc], list[Floats2d]], hidden_width: int = 0
) -> Model[list[Doc], Floats2d]:
    """Build a network that scores the tags of each token.

    The number of tags is set by the component, as dimension nO, before `initialize`.

    tok2vec (Model[List[Doc], List[Floats2d]]): The token-to-vector network or listener.
    hidden_width (int): Width of a hidden layer; 0 for none.
    RETURNS (Model[List[Doc], Floats2d]): Gives [tokens of all documents, tags].
    """
    layer = torch_layer(partial(TagScorer, hidden_width=hidden_width))
    return Model(
        "token_tagger",
        _forward,
        init=_init,
        layers=[with_flat_tokens(tok2vec), layer],
        refs={"tok2vec": tok2vec},
        dims={"nO": None},
        attrs={"dropout_rate": 0.0},
    )


class TagScorer(nn.Module):
    """A linear layer, or one hidden layer before it. All scores are 0 at first.

    width (int): Width of the token vectors.
    n_tags (int): Number of scores of a token.
    hidden_width (int): Width of the hidden layer; 0 for none.
    """

    def __init__(self, width: int, n_tags: int, hidden_width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, hidden_width) if hidden_width else None
        self.output = nn.Linear(hidden_width or width, n_tags)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, vectors: Tensor, dropout: float) -> Tensor:
        """Score the tags.

        vectors (Tensor): [tokens, width].
        dropout (float): In training, the share of inputs of each layer that is dropped.
        RETURNS (Tensor): [tokens, tags].
        """
        vectors = drop_out(vectors, dropout, self.training)
        if self.hidden is not None:
            vectors = drop_out(F.gelu(self.hidden(vectors)), dropout, self.training)
        scores: Tensor = self.output(vectors)
        return scores


def _forward(
    model: Model[list[Doc], Floats2d], docs: Sequence[Doc], is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], Any]]:
    flat_tokens, layer = model.layers
    vectors, backprop_vectors = flat_tokens(docs, is_train)
    scores, backprop_scores = layer((vectors, model.attrs["dropout_rate"]), is_train)

    def backprop(d_scores: Floats2d) -> Any:
        return backprop_vectors(backprop_scores(d_scores)[0])

    return scores, backprop


def _init(
    model: Model[list[Doc], Floats2d], X: list[Doc] | None = None, Y: Floats2d | None = None
) -> None:
    flat_tokens, layer = model.layers
    flat_tokens.initialize(X=X)
    width = output_width(model.get_ref("tok2vec"), X)
    build_module(layer, width=width, n_tags=model.get_dim("nO"))


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
