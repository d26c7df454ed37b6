"""Documents as bags of their words and pairs of words."""

from collections.abc import Sequence

import numpy as np
import torch
from spacy.attrs import NORM
from spacy.tokens import Doc
from torch import Tensor, nn
from torch.nn import functional as F

N_FEATURES = 2  # of a token: its word, and that with the next
_MULTIPLIERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], dtype=np.uint64)
_ONE, _SHIFT = np.uint64(1), np.uint64(29)
_INITIAL_RANGE = 0.1


class HashedBigramBag(nn.Module):
    """One vector per document from its words and pairs of neighbouring words, whose own vectors
    are learned, summed, and divided by the square root of the number of tokens.

    This is fastText's classifier (Joulin et al. 2017, https://arxiv.org/abs/1607.01759) up to the
    scale: it takes the mean, which is the smaller the longer the document.

    width (int): Width of the vectors.
    rows (int): Number of vectors for words, and as many for pairs; those that fall into the same
        row share it.
    """

    def __init__(self, width: int, rows: int) -> None:
        super().__init__()
        self.rows = rows
        self.vectors = nn.Parameter(torch.empty(N_FEATURES * rows, width))
        nn.init.uniform_(self.vectors, -_INITIAL_RANGE, _INITIAL_RANGE)

    def forward(self, features: Tensor, lengths: list[int]) -> Tensor:
        """Bring each document to one vector.

        features (Tensor): [tokens, features], rows of the table, documents in a row.
        lengths (List[int]): The number of tokens of each document.
        RETURNS (Tensor): [documents, width], 0 for a document without tokens.
        """
        device = self.vectors.device
        sizes = torch.tensor(lengths, device=device, dtype=torch.long)
        starts = (sizes.cumsum(0) - sizes) * N_FEATURES
        rows = features.to(device).reshape(-1)
        summed = F.embedding_bag(rows, self.vectors, starts, mode="sum")
        return summed / sizes.clamp(min=1).sqrt().unsqueeze(1)


def hash_features(docs: Sequence[Doc], rows: int) -> np.ndarray:
    """Hash each token's word, and the word with the next of its document, to rows of a table.

    A word is known by its NORM. The last of a document makes a pair with nothing.

    docs (Sequence[Doc]): The documents.
    rows (int): The number of rows for words; those for pairs follow, as many.
    RETURNS (np.ndarray): [tokens of all documents, features], int64.
    """
    words = np.concatenate([doc.to_array([NORM]).reshape(-1) for doc in docs])
    words = words.astype(np.uint64, copy=False)  # [tokens]
    ends = np.cumsum([len(doc) for doc in docs])
    following = np.append(words[1:], np.zeros(min(len(words), 1), dtype=np.uint64))
    following[ends[ends > 0] - 1] = 0
    pairs = words * _MULTIPLIERS[0] ^ following * _MULTIPLIERS[1] >> _ONE
    keys = np.stack([words, (pairs ^ pairs >> _SHIFT) * _MULTIPLIERS[0]], axis=1)
    features = ((keys >> _SHIFT) % np.uint64(rows)).astype(np.int64)
    features[:, 1] += rows
    return features
