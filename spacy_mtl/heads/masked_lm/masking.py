"""Documents in which some words are hidden."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from spacy.attrs import IS_SPACE, NORM, ORTH, SPACY
from spacy.tokens import Doc
from thinc.types import Ints2d

from ...models.layers.features import hash_rows

HIDDEN_WORD = "[MASK]"
BUCKET_SEED = 1


@dataclass(frozen=True)
class MaskedTokens:
    """A document and its copy with words hidden.

    original (Doc): The document.
    copy (Doc): The same tokens, with `HIDDEN_WORD` in place of those hidden. Texts, spaces and
        norms are copied, no annotation.
    tokens (np.ndarray): [hidden words], their tokens, in ascending order.
    norms (np.ndarray): [hidden words], the hash of what their NORM was.
    """

    original: Doc
    copy: Doc
    tokens: np.ndarray
    norms: np.ndarray


def words_of(doc: Doc) -> np.ndarray:
    """RETURNS (np.ndarray): [words], the tokens of a document that are no whitespace."""
    return np.flatnonzero(~np.atleast_1d(doc.to_array(IS_SPACE)).astype(bool))


def hide_words(doc: Doc, share: float, draws: np.ndarray) -> MaskedTokens:
    """Hide some words of a document: those below a share in numbers drawn from 0 to 1, and always
    the one with the lowest number.

    doc (Doc): The document, at least one word in it.
    share (float): The expected share of words to hide.
    draws (np.ndarray): [words], numbers from 0 to 1.
    RETURNS (MaskedTokens): The document, its copy, and what was hidden.
    """
    tokens = words_of(doc)[(draws < share) | (draws == draws.min())]
    values = doc.to_array([ORTH, NORM, SPACY]).reshape(len(doc), 3)  # [tokens, 3]
    norms = values[tokens, 1].copy()
    values[tokens, :2] = doc.vocab.strings.add(HIDDEN_WORD)
    copy = Doc(doc.vocab, words=values[:, 0].tolist(), spaces=values[:, 2].astype(bool).tolist())
    copy.from_array([NORM], cast(Ints2d, values[:, 1:2]))
    return MaskedTokens(doc, copy, tokens, norms)


def draws_for(doc: Doc) -> np.ndarray:
    """Draw numbers that are always the same for the same text.

    doc (Doc): The document.
    RETURNS (np.ndarray): [words], from 0 to 1.
    """
    generator = np.random.default_rng(zlib.crc32(doc.text.encode("utf8")))
    return generator.random(len(words_of(doc)))


def rows_of(hidden: Sequence[MaskedTokens]) -> np.ndarray:
    """Count hidden words through several documents.

    hidden (Sequence[MaskedTokens]): The documents.
    RETURNS (np.ndarray): [hidden words of all documents], their tokens among those of all
        documents in a row.
    """
    lengths = [len(part.copy) for part in hidden]
    starts = np.cumsum([0, *lengths[:-1]])
    return np.concatenate([part.tokens + start for part, start in zip(hidden, starts, strict=True)])


def buckets_of(hidden: Sequence[MaskedTokens], n_buckets: int) -> np.ndarray:
    """Hash what was hidden.

    hidden (Sequence[MaskedTokens]): The documents, at least one.
    n_buckets (int): The number of values of the hash.
    RETURNS (np.ndarray): [hidden words of all documents], the bucket of each one's NORM.
    """
    norms = np.concatenate([part.norms for part in hidden])
    return hash_rows(np.ascontiguousarray(norms), BUCKET_SEED, n_buckets)[:, 0]
