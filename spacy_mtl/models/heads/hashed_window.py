"""Scores of tokens from their words and the two words beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from spacy.attrs import NORM, PREFIX, SHAPE, SUFFIX
from spacy.tokens import Doc
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers.dropout import dropout as drop_out
from ..layers.features import extract_words

ATTRIBUTES = (NORM, PREFIX, SUFFIX, SHAPE)
N_PLACES = 3  # in a window: before, at and after a token
_MULTIPLIER, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)
_INITIAL_RANGE = 0.1


@dataclass(frozen=True)
class HashedWords:
    """The words of a batch, as rows of a table.

    rows (Tensor): [words, attributes], the rows of each distinct word.
    word_of_token (Tensor): [tokens], the number of the word at each token, documents in a row.
    followers (Tensor): The tokens that are not the first of their document.
    """

    rows: Tensor
    word_of_token: Tensor
    followers: Tensor


class HashedWindowEmbed(nn.Module):
    """A linear function of a token's word and its two neighbours, each known by the learned vectors
    of four attributes. All outputs are 0 at first where `starts_at_zero`.

    width (int): Width of the vector of each attribute.
    rows (int): Number of vectors for each attribute; values that fall into the same row share it.
    n_outputs (int): Number of outputs of a token.
    starts_at_zero (bool): Whether the linear function is zero at first.
    """

    def __init__(self, width: int, rows: int, n_outputs: int, starts_at_zero: bool) -> None:
        super().__init__()
        self.rows = rows
        self.vectors = nn.Parameter(torch.empty(len(ATTRIBUTES) * rows, width))
        nn.init.uniform_(self.vectors, -_INITIAL_RANGE, _INITIAL_RANGE)
        self.linear = nn.Linear(len(ATTRIBUTES) * width, N_PLACES * n_outputs, bias=False)
        if starts_at_zero:
            nn.init.zeros_(self.linear.weight)

    def forward(self, words: HashedWords, dropout: float) -> Tensor:
        """Compute the outputs of tokens. What depends on the word alone is computed once a word.

        words (HashedWords): The words.
        dropout (float): In training, the share of the words' vectors that is dropped.
        RETURNS (Tensor): [tokens, outputs].
        """
        device = self.vectors.device
        vectors = F.embedding(words.rows.to(device), self.vectors).flatten(1)
        vectors = drop_out(vectors, dropout, self.training)  # [words, attributes * width]
        before, own, after = self.linear(vectors).chunk(N_PLACES, dim=1)  # [words, outputs] each
        word, followers = words.word_of_token.to(device), words.followers.to(device)
        outputs = own.index_select(0, word)
        left = before.index_select(0, word.index_select(0, followers - 1))
        right = after.index_select(0, word.index_select(0, followers))
        return outputs.index_add(0, followers, left).index_add(0, followers - 1, right)


def hash_words(docs: Sequence[Doc], rows: int) -> HashedWords:
    """Find the distinct words of documents, and hash their attributes to rows of a table.

    docs (Sequence[Doc]): The documents.
    rows (int): The number of rows for each attribute; those of one attribute follow those of the
        one before.
    RETURNS (HashedWords): The words.
    """
    if not any(map(len, docs)):
        nothing = torch.zeros(0, dtype=torch.long)
        return HashedWords(nothing.view(0, len(ATTRIBUTES)), nothing, nothing)
    batch = extract_words(docs, ATTRIBUTES, static_vectors=False)
    hashed = (batch.values.T * _MULTIPLIER >> _SHIFT) % np.uint64(rows)  # [words, attributes]
    firsts = np.cumsum([0, *batch.lengths[:-1]])[np.array(batch.lengths) > 0]
    followers = np.delete(np.arange(len(batch.word_of_token)), firsts)
    return HashedWords(
        torch.from_numpy(hashed.astype(np.int64) + np.arange(len(ATTRIBUTES)) * rows),
        torch.from_numpy(batch.word_of_token.astype(np.int64, copy=False)),
        torch.from_numpy(followers),
    )
