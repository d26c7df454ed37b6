"""A score for each tag at each token."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d
from torch import Tensor, nn

from ..layers.dropout import dropout as drop_out
from ..layers.flat import output_width, with_flat_tokens
from ..layers.linear import PackedLinear, apply_mlp
from ..layers.torch_layer import TorchShim, build_module, torch_layer
from .hashed_window import HashedWindowEmbed, HashedWords, hash_words


@registry.architectures("spacy_mtl.TokenTagger.v1")
def build_token_tagger(
    *,
    tok2vec: Model[list[Doc], list[Floats2d]],
    hidden_width: int = 0,
    private_width: int = 0,
    private_rows: int = 3000,
) -> Model[list[Doc], Floats2d]:
    """Build a network that scores the tags of each token.

    With `private_width` it reads the token's word and its two neighbours by itself too, from
    vectors that only this network learns from (see `HashedWindowEmbed`): what single words tell it
    need not come from a trunk that other tasks shape.

    The number of tags is set by the component, as dimension nO, before `initialize`.

    tok2vec (Model[List[Doc], List[Floats2d]]): The token-to-vector network or listener.
    hidden_width (int): Width of a hidden layer; 0 for none.
    private_width (int): Width of the vectors of NORM, PREFIX, SUFFIX and SHAPE; 0 for none.
    private_rows (int): The number of these vectors for each of the four. With more, fewer values
        share one. Each takes `4 * private_width` bytes.
    RETURNS (Model[List[Doc], Floats2d]): Gives [tokens of all documents, tags].
    RAISES (ValueError): If a width is negative, or there is no row.
    """
    check_sizes("TokenTagger", hidden_width, private_width, private_rows)
    layer = torch_layer(partial(TagScorer, hidden_width=hidden_width))
    return Model(
        "token_tagger",
        _forward,
        init=_init,
        layers=[with_flat_tokens(tok2vec), layer],
        refs={"tok2vec": tok2vec},
        dims={"nO": None},
        attrs={"dropout_rate": 0.0, "private_width": private_width, "private_rows": private_rows},
    )


class TagScorer(nn.Module):
    """A linear layer, or one hidden layer before it. All scores are 0 at first.

    width (int): Width of the token vectors.
    n_tags (int): Number of scores of a token.
    hidden_width (int): Width of the hidden layer; 0 for none.
    private_width (int): Width of the vectors of words' attributes; 0 for none.
    private_rows (int): Number of vectors for each attribute.
    """

    def __init__(
        self,
        width: int,
        n_tags: int,
        hidden_width: int,
        private_width: int = 0,
        private_rows: int = 0,
    ) -> None:
        super().__init__()
        self.words: HashedWindowEmbed | None = None
        if private_width:
            n_first = hidden_width or n_tags
            self.words = HashedWindowEmbed(
                private_width, private_rows, n_first, starts_at_zero=not hidden_width
            )
        self.hidden = PackedLinear(width, hidden_width) if hidden_width else None
        self.output = PackedLinear(hidden_width or width, n_tags)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, vectors: Tensor, dropout: float, words: HashedWords | None = None) -> Tensor:
        """Score the tags.

        vectors (Tensor): [tokens, width].
        dropout (float): In training, the share of inputs of each layer that is dropped.
        words (Optional[HashedWords]): The words; with `private_width` only.
        RETURNS (Tensor): [tokens, tags].
        """
        of_words = None
        if self.words is not None and words is not None:
            of_words = self.words(words, dropout)
        inputs = drop_out(vectors, dropout, self.training)
        return apply_mlp(self.hidden, self.output, inputs, of_words, dropout, self.training)


def _forward(
    model: Model[list[Doc], Floats2d], docs: Sequence[Doc], is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], Any]]:
    flat_tokens, layer = model.layers
    vectors, backprop_vectors = flat_tokens(docs, is_train)
    inputs = (vectors, model.attrs["dropout_rate"], _find_words(layer, docs))
    scores, backprop_scores = layer(inputs, is_train)

    def backprop(d_scores: Floats2d) -> Any:
        return backprop_vectors(backprop_scores(d_scores)[0])

    return scores, backprop


def _init(
    model: Model[list[Doc], Floats2d], X: list[Doc] | None = None, Y: Floats2d | None = None
) -> None:
    flat_tokens, layer = model.layers
    flat_tokens.initialize(X=X)
    width = output_width(model.get_ref("tok2vec"), X)
    build_module(
        layer,
        width=width,
        n_tags=model.get_dim("nO"),
        private_width=model.attrs["private_width"],
        private_rows=model.attrs["private_rows"],
    )


def _find_words(layer: Model, docs: Sequence[Doc]) -> HashedWords | None:
    """What the network reads of the words itself. Whether it does goes by the network, since a
    loaded one may be older than the setting."""
    window = getattr(cast(TorchShim, layer.shims[0])._model, "words", None)
    return None if window is None else hash_words(docs, window.rows)


def check_sizes(
    architecture: str, hidden_width: int, private_width: int, private_rows: int
) -> None:
    """Refuse sizes that no network can have.

    architecture (str): The registered name without `spacy_mtl.` and `.v1`, for the message.
    hidden_width (int): Width of the hidden layer; 0 for none.
    private_width (int): Width of the head's own vectors; 0 for none.
    private_rows (int): The number of them.
    RAISES (ValueError): If a width is negative, or there is no row.
    """
    settings = {"hidden_width": (hidden_width, 0), "private_width": (private_width, 0)}
    for setting, (value, least) in {**settings, "private_rows": (private_rows, 1)}.items():
        if value < least:
            raise ValueError(
                f"'{setting}' of spacy_mtl.{architecture}.v1: found {value}; set {least} or more."
            )
