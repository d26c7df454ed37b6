"""A score for each category of each document."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import torch
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers.dropout import dropout as drop_out
from ..layers.flat import output_width, with_flat_tokens
from ..layers.torch_layer import TorchShim, build_module, torch_layer
from .hashed_bigram_bag import HashedBigramBag, hash_features
from .token_tagger import check_sizes


@registry.architectures("spacy_mtl.TextClassifier.v1")
def build_text_classifier(
    *,
    tok2vec: Model[list[Doc], list[Floats2d]],
    hidden_width: int = 0,
    private_width: int = 0,
    private_rows: int = 5000,
) -> Model[list[Doc], Floats2d]:
    """Build a network that scores the categories of each document.

    A document's vector is pooled from the tokens' vectors. With `private_width` it is joined with
    one from words and pairs of words that only this network learns from (see `HashedBigramBag`): a
    trunk shared with tasks that have many more decisions is shaped by those. For the same reason
    spacy.TextCatEnsemble.v2 adds a bag of words to its tok2vec.

    The number of categories is set by the component, as dimension nO, before `initialize`.

    tok2vec (Model[List[Doc], List[Floats2d]]): The token-to-vector network or listener.
    hidden_width (int): Width of a hidden layer between document vector and scores; 0 for none.
    private_width (int): Width of the vectors of words and pairs of words; 0 for none.
    private_rows (int): The number of these vectors for words, and as many for pairs. With more,
        fewer words share one. Each takes `4 * private_width` bytes.
    RETURNS (Model[List[Doc], Floats2d]): Gives [documents, categories].
    RAISES (ValueError): If a width is negative, or there is no row.
    """
    check_sizes("TextClassifier", hidden_width, private_width, private_rows)
    layer = torch_layer(partial(CategoryScorer, hidden_width=hidden_width))
    return Model(
        "text_classifier",
        _forward,
        init=_init,
        layers=[with_flat_tokens(tok2vec), layer],
        refs={"tok2vec": tok2vec},
        dims={"nO": None},
        attrs={"dropout_rate": 0.0, "private_width": private_width, "private_rows": private_rows},
    )


class CategoryScorer(nn.Module):
    """Pool the tokens of each document, then score the categories. All scores are 0 at first.

    width (int): Width of the token vectors.
    n_categories (int): Number of scores of a document.
    hidden_width (int): Width of the hidden layer; 0 for none.
    private_width (int): Width of the document vectors from words; 0 for none.
    private_rows (int): Number of vectors for words, and as many for pairs of words.
    """

    def __init__(
        self,
        width: int,
        n_categories: int,
        hidden_width: int,
        private_width: int = 0,
        private_rows: int = 0,
    ) -> None:
        super().__init__()
        self.pool = AttentionMaxPool(width)
        self.bag = HashedBigramBag(private_width, private_rows) if private_width else None
        pooled_width = 2 * width + private_width
        self.hidden = nn.Linear(pooled_width, hidden_width) if hidden_width else None
        self.output = nn.Linear(hidden_width or pooled_width, n_categories)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(
        self,
        vectors: Tensor,
        lengths: list[int],
        dropout: float,
        features: Tensor | None = None,
    ) -> Tensor:
        """Score the categories.

        vectors (Tensor): [tokens, width], documents in a row.
        lengths (List[int]): The number of tokens of each document.
        dropout (float): In training, the share of inputs of each layer that is dropped.
        features (Optional[Tensor]): [tokens, features], see `HashedBigramBag`; with `private_width`
            only.
        RETURNS (Tensor): [documents, categories].
        """
        pooled = self.pool(vectors, lengths)
        if self.bag is not None:
            pooled = torch.cat([pooled, self.bag(features, lengths)], dim=1)
        pooled = drop_out(pooled, dropout, self.training)
        if self.hidden is not None:
            pooled = drop_out(F.gelu(self.hidden(pooled)), dropout, self.training)
        scores: Tensor = self.output(pooled)
        return scores


class AttentionMaxPool(nn.Module):
    """Bring each document to one vector: a mean weighted by attention beside the maximum.

    The attention starts as the plain mean. A document without tokens gets zeros.

    width (int): Width of the token vectors.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.Linear(width, 1, bias=False)
        nn.init.zeros_(self.attention.weight)

    def forward(self, vectors: Tensor, lengths: list[int]) -> Tensor:
        """Pool the tokens.

        vectors (Tensor): [tokens, width], documents in a row.
        lengths (List[int]): The number of tokens of each document.
        RETURNS (Tensor): [documents, 2 * width].
        """
        n_docs, width = len(lengths), vectors.shape[1]
        if n_docs == 1 and len(vectors) and not torch.is_grad_enabled():
            weights = self.attention(vectors).softmax(0)  # [tokens, 1]
            return torch.cat([weights.t() @ vectors, vectors.amax(0, keepdim=True)], dim=1)
        sizes = torch.tensor(lengths, device=vectors.device, dtype=torch.long)
        document = torch.repeat_interleave(sizes, output_size=vectors.shape[0])  # [tokens]
        scores = self.attention(vectors)  # [tokens, 1]
        weights = (scores - segment_max(scores.detach(), document, n_docs)[document]).exp()
        totals = weights.new_zeros(n_docs, 1).index_add(0, document, weights)
        weighted = vectors * (weights / totals[document])
        mean = vectors.new_zeros(n_docs, width).index_add(0, document, weighted)
        return torch.cat([mean, segment_max(vectors, document, n_docs)], dim=1)


def segment_max(rows: Tensor, segment: Tensor, n_segments: int) -> Tensor:
    """Find the highest value of each column within each segment. Its gradient goes to the rows that
    have it, in equal parts.

    rows (Tensor): [rows, width].
    segment (Tensor): [rows], the segment of each row.
    n_segments (int): The number of segments.
    RETURNS (Tensor): [segments, width], 0 for a segment without rows.
    """
    index = segment.unsqueeze(1).expand_as(rows)
    lowest = rows.new_full((n_segments, rows.shape[1]), -torch.inf)
    highest = lowest.scatter_reduce(0, index, rows, "amax")
    is_empty = torch.ones(n_segments, 1, dtype=torch.bool, device=rows.device)
    return highest.masked_fill(is_empty.index_fill(0, segment, False), 0.0)


def _forward(
    model: Model[list[Doc], Floats2d], docs: Sequence[Doc], is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], Any]]:
    flat_tokens, layer = model.layers
    vectors, backprop_vectors = flat_tokens(docs, is_train)
    lengths = [len(doc) for doc in docs]
    inputs = (vectors, lengths, model.attrs["dropout_rate"], _find_features(layer, docs))
    scores, backprop_scores = layer(inputs, is_train)

    def backprop(d_scores: Floats2d) -> Any:
        return backprop_vectors(backprop_scores(d_scores)[0])

    return scores, backprop


def _find_features(layer: Model, docs: Sequence[Doc]) -> Tensor | None:
    """What the network's bag of words reads. Whether it has one goes by the network, since a loaded
    one may be older than the setting."""
    bag = getattr(cast(TorchShim, layer.shims[0])._model, "bag", None)
    return None if bag is None else torch.from_numpy(hash_features(docs, bag.rows))


def _init(
    model: Model[list[Doc], Floats2d], X: list[Doc] | None = None, Y: Floats2d | None = None
) -> None:
    flat_tokens, layer = model.layers
    flat_tokens.initialize(X=X)
    width = output_width(model.get_ref("tok2vec"), X)
    build_module(
        layer,
        width=width,
        n_categories=model.get_dim("nO"),
        private_width=model.attrs["private_width"],
        private_rows=model.attrs["private_rows"],
    )
