"""What the semantic role head asks its network, and the answer."""

from dataclasses import dataclass, replace

import numpy as np
from thinc.types import Floats2d


@dataclass(frozen=True)
class FrameQuery:
    """What to score for the predicates of a batch. The arrays are numpy's, whatever the device.

    predicates (np.ndarray): [predicates], the token of each, counted over the whole batch.
    starts (np.ndarray): [predicates], the first token that can be part of an argument.
    ends (np.ndarray): [predicates], the last such token, exclusive.
    candidates (np.ndarray): [candidates], rolesets to choose among.
    candidate_predicates (np.ndarray): [candidates], the predicate (0 to n) of each.
    is_bare (Optional[np.ndarray]): [predicates], bool: predicates that have no arguments to score;
        None where all may have some.
    """

    predicates: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    candidates: np.ndarray
    candidate_predicates: np.ndarray
    is_bare: np.ndarray | None = None

    @property
    def n_pairs(self) -> np.ndarray:
        """RETURNS (np.ndarray): [predicates], the number of tokens to score with each."""
        lengths = self.ends - self.starts
        return lengths if self.is_bare is None else np.where(self.is_bare, 0, lengths)

    def for_rolesets(self) -> "FrameQuery":
        """RETURNS (FrameQuery): What to score for the predicates' rolesets alone."""
        return replace(self, is_bare=np.ones(len(self.predicates), dtype=bool))

    def for_arguments(self, chosen: np.ndarray) -> "FrameQuery":
        """Leave the rolesets out, and some predicates.

        chosen (np.ndarray): The predicates that are left.
        RETURNS (FrameQuery): What to score for their arguments.
        """
        none = np.zeros(0, dtype=np.int64)
        return FrameQuery(
            self.predicates[chosen], self.starts[chosen], self.ends[chosen], none, none
        )


@dataclass(frozen=True)
class FrameScores:
    """The scores for a query.

    tags (Floats2d): [pairs, 1 + roles + 1], for each pair of a predicate and a token of its range,
        predicate by predicate: scores of O and of each role, and then of whether an argument
        begins here, if it is one. See `FactoredScores`. In prediction there can be more columns,
        which mean nothing.
    senses (Floats2d): [candidates, 1].
    """

    tags: Floats2d
    senses: Floats2d


def neighbours_of(query: FrameQuery, window: int) -> np.ndarray:
    """List the tokens next to each predicate.

    query (FrameQuery): The predicates and their ranges.
    window (int): How many on each side.
    RETURNS (np.ndarray): [predicates, 2 * window], in text order without the predicate; -1 for
        those out of its range.
    """
    shifts = np.delete(np.arange(-window, window + 1), window)
    tokens = query.predicates[:, None] + shifts
    inside = (tokens >= query.starts[:, None]) & (tokens < query.ends[:, None])
    return np.where(inside, tokens, -1)
