"""What the semantic role head asks its network, and the answer."""

from dataclasses import dataclass, replace

import numpy as np
from thinc.types import Floats2d


@dataclass(frozen=True)
class PairQuery:
    """What to score for the predicates of a batch. The arrays are numpy's, whatever the device.

    predicates (np.ndarray): [predicates], the token of each, counted over the whole batch.
    starts (np.ndarray): [predicates], the first token that can be part of an argument.
    ends (np.ndarray): [predicates], the last such token, exclusive.
    candidates (np.ndarray): [candidates], rolesets to choose among.
    candidate_predicates (np.ndarray): [candidates], the predicate (0 to n) of each.
    is_argumentless (Optional[np.ndarray]): [predicates], bool: predicates that have no arguments to
        score; None where all may have some.
    """

    predicates: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    candidates: np.ndarray
    candidate_predicates: np.ndarray
    is_argumentless: np.ndarray | None = None

    @property
    def n_pairs(self) -> np.ndarray:
        """RETURNS (np.ndarray): [predicates], the number of tokens to score with each."""
        lengths = self.ends - self.starts
        return (
            lengths if self.is_argumentless is None else np.where(self.is_argumentless, 0, lengths)
        )

    def for_rolesets(self) -> "PairQuery":
        """RETURNS (PairQuery): What to score for the predicates' rolesets alone."""
        return replace(self, is_argumentless=np.ones(len(self.predicates), dtype=bool))

    def for_arguments(self, chosen: np.ndarray) -> "PairQuery":
        """Leave the rolesets out, and some predicates.

        chosen (np.ndarray): The predicates that are left.
        RETURNS (PairQuery): What to score for their arguments.
        """
        none = np.zeros(0, dtype=np.int64)
        return PairQuery(
            self.predicates[chosen], self.starts[chosen], self.ends[chosen], none, none
        )


@dataclass(frozen=True)
class PairScores:
    """The scores for a query.

    tags (Floats2d): [pairs, 1 + roles + 1], for each pair of a predicate and a token of its range,
        predicate by predicate: scores of O and of each role, and then of whether an argument
        begins here, if it is one. See `FactoredScores`. In prediction there can be more columns,
        which mean nothing.
    senses (Floats2d): [candidates, 1].
    """

    tags: Floats2d
    senses: Floats2d


def neighbours_of(query: PairQuery, window: int) -> np.ndarray:
    """List the tokens next to each predicate.

    query (PairQuery): The predicates and their ranges.
    window (int): How many on each side.
    RETURNS (np.ndarray): [predicates, 2 * window], in text order without the predicate; -1 for
        those out of its range.
    """
    shifts = np.delete(np.arange(-window, window + 1), window)
    tokens = query.predicates[:, None] + shifts
    inside = (tokens >= query.starts[:, None]) & (tokens < query.ends[:, None])
    return np.where(inside, tokens, -1)
