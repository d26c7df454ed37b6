"""A convolutional token encoder with self-attention on top, for context as wide as a sentence."""

from functools import partial
from typing import cast

import torch
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers.dropout import dropout as drop_out
from ..layers.maxout import NormalizedMaxout
from .doc_encoder import CACHED_WORDS, build_doc_encoder, stock_tables
from .embed import EmbeddedWords
from .windows import WindowEncoder

BLOCKS_AT_ONCE = 32  # of `reach` tokens each


@registry.architectures("spacy_mtl.HashEmbedAttention.v1")
def build_hash_embed_attention(
    *,
    width: int = 96,
    depth: int = 4,
    attention_depth: int = 1,
    heads: int = 4,
    reach: int = 32,
    embed_size: int = 2000,
    window_size: int = 1,
    maxout_pieces: int = 3,
    attrs: list[str] | None = None,
    rows: list[int] | None = None,
    include_static_vectors: bool = False,
    word_dropout: float = 0.0,
    cached_words: int = CACHED_WORDS,
) -> Model[list[Doc], list[Floats2d]]:
    """Build a token encoder of convolutional layers and then layers of local self-attention.

    The cost is linear in the length of a document, and a document's output does not depend on the
    other documents of its batch.

    width (int): Width of the embedding tables and of the output.
    depth (int): Number of convolutional layers.
    attention_depth (int): Number of attention layers.
    heads (int): Number of attention heads; divides the width.
    reach (int): Number of tokens to either side that a token attends to, within its document.
    embed_size (int): Rows of the embedding table of NORM; PREFIX, SUFFIX and SHAPE have half.
        Not used if `attrs` is given.
    window_size (int): Number of tokens to either side that a convolutional layer concatenates.
    maxout_pieces (int): Number of pieces of the layers' maxout.
    attrs (Optional[List[str]]): The token attributes to embed, instead of the above.
    rows (Optional[List[int]]): The number of rows of each attribute's table, with `attrs`.
    include_static_vectors (bool): Whether to use the static vectors of the vocabulary.
    word_dropout (float): In training, the share of words whose first attribute (NORM) is masked,
        so that the network learns to go by the others where it meets an unknown word.
    cached_words (int): The number of words whose embedded vectors and first products are cached in
        prediction, at `4 * width * (1 + maxout_pieces * (2 * window_size + 1))` bytes each; 0 for
        none.
    RETURNS (Model[List[Doc], List[Floats2d]]): The encoder. Its output are views [tokens, width]
        of consecutive rows of one matrix.
    RAISES (ValueError): If the heads do not divide the width.
    """
    if width % heads:
        raise ValueError(
            f"'heads' of spacy_mtl.HashEmbedAttention.v1: {heads} does not divide the width "
            f"{width}; choose a divisor."
        )
    attrs, rows = stock_tables(attrs, rows, embed_size, subword_features=True)
    return build_doc_encoder(
        "hash_embed_attention",
        partial(
            AttentionEncoder,
            width,
            depth,
            window_size,
            maxout_pieces,
            attention_depth,
            heads,
            reach,
        ),
        width=width,
        attrs=attrs,
        rows=rows,
        static_vectors=include_static_vectors,
        word_dropout=word_dropout,
        cached_words=cached_words,
        n_layers=depth + attention_depth,
    )


class AttentionEncoder(nn.Module):
    """Convolutional layers, then attention layers; see `build_hash_embed_attention`."""

    def __init__(
        self,
        width: int,
        depth: int,
        window_size: int,
        pieces: int,
        attention_depth: int,
        heads: int,
        reach: int,
    ) -> None:
        super().__init__()
        self.windows = WindowEncoder(width, depth, window_size, pieces)
        self.attention = nn.ModuleList(
            LocalAttention(width, heads, reach, pieces) for _ in range(attention_depth)
        )

    def forward(
        self,
        words: EmbeddedWords,
        word_of_token: Tensor,
        lengths: list[int],
        dropout: float,
        layers_seen: list[Tensor] | None = None,
    ) -> Tensor:
        """Encode the tokens of a batch; see `WindowEncoder.forward`."""
        tokens = self.windows(words, word_of_token, lengths, dropout, layers_seen)
        # [tokens, width]
        counts = torch.tensor(lengths, device=tokens.device)
        document = torch.arange(len(lengths), device=tokens.device)
        document = document.repeat_interleave(counts, output_size=tokens.shape[0])
        for layer in self.attention:
            hidden = layer(tokens, document)
            tokens = tokens + drop_out(hidden, dropout, self.training)
            if layers_seen is not None:
                layers_seen.append(tokens)
        return tokens


class LocalAttention(nn.Module):
    """Normalized maxout over a token and what it attends to among its neighbours.

    The tokens of all documents stand in one row that is cut into blocks of `reach` tokens. The
    queries of a block meet the keys of the block and of the two next to it. Of these, a mask keeps
    the tokens of the same document that are at most `reach` away, so that it does not matter
    where the cuts are.

    width (int): Width of input and output.
    heads (int): Number of attention heads.
    reach (int): Number of tokens to either side that a token attends to.
    pieces (int): Number of pieces of the maxout.
    """

    def __init__(self, width: int, heads: int, reach: int, pieces: int) -> None:
        super().__init__()
        self.heads = heads
        self.reach = reach
        self.project = nn.Linear(width, 3 * width)
        self.distance_bias = nn.Parameter(torch.zeros(heads, 2 * reach + 1))
        self.mix = NormalizedMaxout(2 * width, width, pieces)

    def forward(self, tokens: Tensor, document: Tensor) -> Tensor:
        """Apply the layer.

        tokens (Tensor): [tokens, width].
        document (Tensor): [tokens], the number of the document of each token.
        RETURNS (Tensor): [tokens, width].
        """
        n_tokens, width = tokens.shape
        reach = self.reach
        n_blocks = -(-n_tokens // reach)
        fill = n_blocks * reach - n_tokens
        projected = self.project(F.layer_norm(tokens, (width,)))
        projected = F.pad(projected, (0, 0, reach, reach + fill))
        projected = projected.unflatten(1, (3, self.heads, -1))  # [rows, 3, heads, head width]
        document = F.pad(document, (reach, reach + fill), value=-1)  # [rows]
        bias = self._bias()
        attended = []
        for first in range(0, n_blocks, BLOCKS_AT_ONCE):  # bounds the memory for attention weights
            end = min(first + BLOCKS_AT_ONCE, n_blocks)
            rows = slice(first * reach, (end + 2) * reach)
            attended.append(self._attend(projected[rows], document[rows], bias))
        inputs = torch.cat([tokens, torch.cat(attended)[:n_tokens]], 1)
        return cast(Tensor, self.mix(inputs))

    def _attend(self, projected: Tensor, document: Tensor, bias: Tensor) -> Tensor:
        """Attend from all blocks but the first and the last: [rows - 2 * reach, width]."""
        reach = self.reach
        query = projected[reach:-reach, 0].unflatten(0, (-1, reach)).transpose(1, 2)
        # [blocks, heads, head width, 3 * reach]
        key, value = (projected[:, i].unfold(0, 3 * reach, reach) for i in (1, 2))
        asking = document[reach:-reach].view(-1, reach, 1)
        asked = document.unfold(0, 3 * reach, reach).unsqueeze(1)
        # [blocks, 1, reach, 3 * reach]
        elsewhere = (asking != asked).unsqueeze(1)
        scores = torch.matmul(query * query.shape[-1] ** -0.5, key) + bias
        weights = scores.masked_fill_(elsewhere, -torch.inf).softmax(-1)
        return (
            torch.matmul(weights, value.transpose(-1, -2)).transpose(1, 2).flatten(2).flatten(0, 1)
        )

    def _bias(self) -> Tensor:
        """The bias of each pair of places by distance, minus infinity beyond the reach.

        RETURNS (Tensor): [heads, reach, 3 * reach].
        """
        reach = self.reach
        place = torch.arange(3 * reach, device=self.distance_bias.device)
        distance = place - place[reach : 2 * reach, None]  # [reach, 3 * reach]
        bias = self.distance_bias[:, distance.clamp(-reach, reach) + reach]
        return bias.masked_fill(distance.abs() > reach, -torch.inf)
