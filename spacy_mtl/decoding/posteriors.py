"""How probable a span is among all valid tag sequences."""

from collections.abc import Sequence

import numpy as np


def span_probabilities(
    scores: np.ndarray,
    lengths: Sequence[int],
    starts: np.ndarray,
    ends: np.ndarray,
    label_ids: np.ndarray,
) -> np.ndarray:
    """Find the probability that exactly a span with this label is there.

    A tag sequence has a probability proportional to the exponential of the sum of its scores if it
    is valid (each I-x follows B-x or I-x), else zero: independent softmaxes, given that the result
    is valid. Summed over all valid sequences by the forward-backward algorithm, all sequences of
    the batch together; linear in tokens and labels.

    scores (np.ndarray): [tokens, 1 + 2K], logits; -inf forbids a tag.
    lengths (Sequence[int]): The number of tokens of each sequence.
    starts (np.ndarray): [spans], first row.
    ends (np.ndarray): [spans], the row after the last, in the same sequence.
    label_ids (np.ndarray): [spans], 0..K-1.
    RETURNS (np.ndarray): [spans], from 0 to 1.
    """
    if not len(starts):
        return np.zeros(0)
    n_labels = scores.shape[1] // 2
    sizes = np.asarray(lengths, dtype=np.int64)
    first_rows = np.cumsum(sizes) - sizes
    best = scores.max(axis=1, keepdims=True)
    weights = np.exp(scores - best)  # [tokens, 1 + 2K]
    before, total = _sums_before(weights, first_rows, sizes)
    after = _sums_after(weights, first_rows, sizes)
    owners = np.searchsorted(first_rows, starts, side="right") - 1
    lengths_of = ends - starts
    offsets = np.cumsum(lengths_of) - lengths_of
    rows = np.arange(lengths_of.sum()) + np.repeat(starts - offsets, lengths_of)
    column = np.repeat(1 + n_labels + label_ids, lengths_of)
    column[offsets] = 1 + label_ids
    own = np.add.reduceat((scores[rows, column] - best[rows, 0]).astype(np.float64), offsets)
    last = first_rows[owners] + sizes[owners]
    remaining = np.where(ends < last, after[np.minimum(ends, len(after) - 1)], 0.0)
    logarithm = before[starts] + own + remaining - total[owners]
    return np.asarray(np.exp(np.minimum(logarithm, 0.0)))


def _by_length(sizes: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """RETURNS (Tuple[np.ndarray, List[int]]): The sequences, the longest first, and how many of
    them have each step."""
    order = np.argsort(-sizes, kind="stable")
    n_active = np.searchsorted(-sizes[order], -np.arange(sizes.max(initial=0)), side="left")
    return order, n_active.tolist()


def _sums_before(
    weights: np.ndarray, first_rows: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sum over all valid beginnings.

    RETURNS (Tuple[np.ndarray, np.ndarray]): The logarithm of the sum over what can stand before
        each row, [tokens], and over whole sequences, [sequences].
    """
    n_labels = weights.shape[1] // 2
    order, n_active = _by_length(sizes)
    first = first_rows[order]
    logs = np.zeros(len(order))
    inside = np.zeros((len(order), n_labels))  # share of each label as the last one
    before = np.zeros(len(weights))
    for step, count in enumerate(n_active):
        rows = first[:count] + step
        now = weights[rows]  # [sequences, 1 + 2K]
        before[rows] = logs[:count]
        spans = now[:, 1 : n_labels + 1] + inside[:count] * now[:, n_labels + 1 :]
        sums = now[:, 0] + spans.sum(axis=1)
        inside[:count] = spans / sums[:, None]
        logs[:count] += np.log(sums)
    total = np.zeros(len(order))
    total[order] = logs
    return before, total


def _sums_after(weights: np.ndarray, first_rows: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Sum over all valid continuations from each row on that do not begin with an I.

    RETURNS (np.ndarray): [tokens], logarithms.
    """
    n_labels = weights.shape[1] // 2
    order, n_active = _by_length(sizes)
    first = first_rows[order]
    logs = np.zeros(len(order))
    # Sum of what can follow a label, in proportion to what can follow O.
    following = np.ones((len(order), n_labels))
    after = np.zeros(len(weights))
    for step in reversed(range(len(n_active))):
        count = n_active[step]
        rows = first[:count] + step
        now = weights[rows]
        closed = now[:, 0] + (now[:, 1 : n_labels + 1] * following[:count]).sum(axis=1)
        opened = closed[:, None] + now[:, n_labels + 1 :] * following[:count]
        following[:count] = opened / closed[:, None]
        logs[:count] += np.log(closed)
        after[rows] = logs[:count]
    return after
