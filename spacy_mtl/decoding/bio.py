"""Spans as BIO tags.

With K labels the tags are 0 for O, 1..K for the first token of a span (B) and K+1..2K for its
further tokens (I), in the order of the labels. Sequences stand one after the other in the rows.
"""

from collections.abc import Sequence

import numpy as np


def spans_from_bio(
    tags: np.ndarray, lengths: Sequence[int], n_labels: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the spans off tags.

    An I that continues nothing starts a span.

    tags (np.ndarray): [tokens].
    lengths (Sequence[int]): The number of tokens of each sequence.
    n_labels (int): The number of labels, K.
    RETURNS (Tuple[np.ndarray, np.ndarray, np.ndarray]): [spans] each, in order: the first row,
        the row after the last, and the label (0..K-1).
    """
    inside = tags > 0
    label = np.where(inside, (tags - 1) % max(n_labels, 1), -1)
    continues = tags > n_labels
    continues[:1] = False
    continues[1:] &= label[1:] == label[:-1]
    continues &= ~mark_starts(lengths, len(tags))
    starts = np.flatnonzero(inside & ~continues)
    ends = np.flatnonzero(inside & ~np.append(continues[1:], False)) + 1
    return starts, ends, label[starts]


def bio_from_spans(
    starts: np.ndarray, ends: np.ndarray, label_ids: np.ndarray, n_tokens: int, n_labels: int
) -> np.ndarray:
    """Write spans as tags.

    starts (np.ndarray): [spans], the first row of each; spans must not overlap.
    ends (np.ndarray): [spans], the row after the last.
    label_ids (np.ndarray): [spans], 0..K-1.
    n_tokens (int): The number of rows.
    n_labels (int): The number of labels, K.
    RETURNS (np.ndarray): [tokens], the tags.
    """
    starts, ends, label_ids = np.asarray(starts), np.asarray(ends), np.asarray(label_ids)
    tags = np.zeros(n_tokens, dtype=np.int64)
    sizes = ends - starts
    first = np.cumsum(sizes) - sizes  # [spans], where a span starts in the list of inside rows
    rows = np.arange(sizes.sum()) + np.repeat(starts - first, sizes)
    tags[rows] = np.repeat(label_ids, sizes) + 1 + n_labels
    tags[starts] = label_ids + 1
    return tags


def mark_starts(lengths: Sequence[int], n_tokens: int) -> np.ndarray:
    """Mark the first row of each sequence that is not empty: [tokens]."""
    sizes = np.asarray(lengths, dtype=np.int64)
    is_start = np.zeros(n_tokens, dtype=bool)
    is_start[(np.cumsum(sizes) - sizes)[sizes > 0]] = True
    return is_start
