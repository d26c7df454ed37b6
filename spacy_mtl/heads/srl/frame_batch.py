"""The tokens and predicates of a batch as arrays."""

from collections.abc import Sequence

import numpy as np
from spacy.attrs import IS_SPACE
from spacy.tokens import Doc
from thinc.types import Floats2d

from ...models.heads.pair_query import PairQuery
from ...srl.senses import SenseInventory
from ..sentences import sentence_starts

MAX_PAIRS = 2**15  # scored at once in prediction; bounds memory


class TokenBatch:
    """The tokens of several documents in a row.

    docs (List[Doc]): The documents.
    vectors (Floats2d): [tokens, width].
    doc_starts (np.ndarray): [documents], the first token of each.
    words (np.ndarray): [words], the tokens that are not whitespace.
    is_lost (np.ndarray): [documents], bool: those with scores that are not finite.
    """

    def __init__(self, docs: list[Doc], vectors: Floats2d) -> None:
        self.docs = docs
        self.vectors = vectors
        lengths = np.asarray([len(doc) for doc in docs], dtype=np.int64)
        self.doc_starts = np.cumsum(lengths) - lengths
        is_space = np.concatenate([np.atleast_1d(doc.to_array(IS_SPACE)) for doc in docs])
        self.words = np.flatnonzero(is_space == 0)
        self.is_lost = np.zeros(len(docs), dtype=bool)

    def docs_of(self, tokens: np.ndarray) -> np.ndarray:
        """RETURNS (np.ndarray): The document of each token, both counted over the batch."""
        return np.searchsorted(self.doc_starts, tokens, side="right") - 1

    def without_outer_space(
        self, starts: np.ndarray, ends: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Cut whitespace tokens off both ends of spans.

        starts (np.ndarray): [spans], the first token of each.
        ends (np.ndarray): [spans], the last token, exclusive.
        RETURNS (Tuple[np.ndarray, np.ndarray]): The same; the end is not after the start where
            nothing is left.
        """
        first = np.searchsorted(self.words, starts)
        last = np.searchsorted(self.words, ends) - 1
        is_empty = first > last
        n_words = len(self.words)
        return (
            self.words[np.minimum(first, n_words - 1)],
            np.where(is_empty, 0, self.words[np.maximum(last, 0)] + 1),
        )


def argument_ranges(docs: Sequence[Doc], max_distance: int) -> tuple[np.ndarray, np.ndarray]:
    """Find where the arguments of a predicate at each token can be: in its sentence (see
    `sentence_starts`), and at most `max_distance` tokens away.

    docs (Sequence[Doc]): The documents.
    max_distance (int): Tokens to either side.
    RETURNS (Tuple[np.ndarray, np.ndarray]): [tokens of all documents], first token and last token
        (exclusive), counted over the batch.
    """
    first_of_sentence = sentence_starts(docs)
    n_tokens = len(first_of_sentence)
    borders = np.append(np.flatnonzero(first_of_sentence), n_tokens)
    sentence = np.cumsum(first_of_sentence) - 1
    at = np.arange(n_tokens)
    return (
        np.maximum(borders[sentence], at - max_distance),
        np.minimum(borders[sentence + 1], at + max_distance + 1),
    )


def frame_query(
    predicates: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    forms: Sequence[str],
    senses: SenseInventory,
) -> PairQuery:
    """Say what the network has to score for some predicates.

    predicates (np.ndarray): [predicates], their tokens.
    starts (np.ndarray): [predicates], the first token that can be part of an argument.
    ends (np.ndarray): [predicates], the last such token, exclusive.
    forms (Sequence[str]): The predicates' words in lower case.
    senses (SenseInventory): Gives the rolesets to choose among.
    RETURNS (PairQuery): The query.
    """
    candidates = [senses.candidates(form) for form in forms]
    sizes = np.asarray([len(each) for each in candidates], dtype=np.int64)
    return PairQuery(
        predicates,
        starts,
        ends,
        np.asarray([roleset for each in candidates for roleset in each], dtype=np.int64),
        np.repeat(np.arange(len(forms)), sizes),
    )


def split_predicates(predicates: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """Split predicates so that no part has many more than `MAX_PAIRS` pairs.

    predicates (np.ndarray): [predicates], tokens in order.
    lengths (np.ndarray): [tokens], the length of the range of a predicate at each token.
    RETURNS (List[np.ndarray]): The parts, in order.
    """
    if not len(predicates):
        return []
    part = np.cumsum(lengths[predicates]) // MAX_PAIRS
    return np.split(predicates, np.flatnonzero(np.diff(part)) + 1)


def best_of_segments(scores: np.ndarray, segments: np.ndarray, n_segments: int) -> np.ndarray:
    """Find the row with the highest score of each segment.

    scores (np.ndarray): [rows].
    segments (np.ndarray): [rows], the segment of each, ascending.
    n_segments (int): The number of segments.
    RETURNS (np.ndarray): [segments], the first such row, -1 for a segment without rows.
    """
    best = np.full(n_segments, -1, dtype=np.int64)
    if not len(scores):
        return best
    starts = np.flatnonzero(np.diff(segments, prepend=-1))
    highest = np.maximum.reduceat(scores, starts)
    sizes = np.diff(starts, append=len(scores))
    rows = np.flatnonzero(scores == np.repeat(highest, sizes))
    best[segments[rows[::-1]]] = rows[::-1]  # the last one written stays: the first of each segment
    return best
