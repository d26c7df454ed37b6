"""Tag sequences reduced to what decides about the best of them."""

from typing import NamedTuple

import numpy as np


class Contest(NamedTuple):
    """Sequences reduced to what decides about their best tags.

    A label whose I never scores more than the best of O and all B in a sequence needs no I there:
    wherever a span of it goes on, that best one does no worse. Few labels are left, and the others
    only count by the best of O and B. Labels can be set apart: theirs are left, too, and their B
    is not part of that best one, so that it can be forbidden later.

    closed (np.ndarray): [rows], the best of O and all B not set apart, float64.
    closed_tags (np.ndarray): [rows], its tag.
    labels (np.ndarray): [rows, labels left], the labels of the sequence; a place that it does not
        need has any label, and -inf in `inside`.
    begin (np.ndarray): [rows, labels left], the labels' B, float64.
    inside (np.ndarray): [rows, labels left], the labels' I, float64; -inf in the first rows.
    """

    closed: np.ndarray
    closed_tags: np.ndarray
    labels: np.ndarray
    begin: np.ndarray
    inside: np.ndarray


def reduce_labels(
    scores: np.ndarray, is_start: np.ndarray, apart: np.ndarray | None = None
) -> Contest:
    """Leave out the labels that need no I.

    scores (np.ndarray): [rows, 1 + 2K].
    is_start (np.ndarray): [rows], the first row of each sequence, which no span can cross.
    apart (Optional[np.ndarray]): [sequences, K], bool: labels to set apart.
    RETURNS (Contest): What is left.
    """
    n_labels = scores.shape[1] // 2
    row = np.arange(len(scores)) * scores.shape[1]  # where it begins in `flat`
    flat = scores.ravel()
    sequence = is_start.cumsum() - 1  # [rows]
    closing = scores[:, : n_labels + 1]
    if apart is not None:
        closing = closing.copy()
        closing[:, 1:][apart[sequence]] = -np.inf
    closed_tags = closing.argmax(axis=1)  # [rows]
    closed = flat.take(row + closed_tags)
    goes_on = scores[:, n_labels + 1 :] > closed[:, None]  # [rows, K]
    goes_on[is_start] = False
    is_left = np.logical_or.reduceat(goes_on, np.flatnonzero(is_start), axis=0)  # [sequences, K]
    if apart is not None:
        is_left |= apart
    own, is_unused = _list_labels(is_left)
    labels = own[sequence]
    place = labels + row[:, None] + 1
    begin = flat.take(place).astype(np.float64)
    inside = flat.take(place + n_labels).astype(np.float64)
    inside[is_unused[sequence] | is_start[:, None]] = -np.inf
    return Contest(closed.astype(np.float64), closed_tags, labels, begin, inside)


def reduce_factored(
    none: np.ndarray, labels: np.ndarray, begins: np.ndarray, is_start: np.ndarray
) -> Contest:
    """Leave out the labels that need no I, where B-x scores what x does plus the smaller of 0 and
    `begins`, and I-x what x does minus the larger.

    none (np.ndarray): [rows], the scores of O.
    labels (np.ndarray): [rows, K], the scores of the labels.
    begins (np.ndarray): [rows], whether a span begins.
    is_start (np.ndarray): [rows], the first row of each sequence, which no span can cross.
    RETURNS (Contest): What is left.
    """
    at = np.arange(len(labels))
    sequence = is_start.cumsum() - 1  # [rows]
    best = labels.argmax(axis=1)
    penalty = np.minimum(begins, 0)
    opened = labels[at, best] + penalty
    closed = np.maximum(none, opened)
    closed_tags = np.where(none >= opened, 0, 1 + best)
    open_rows = np.flatnonzero((begins < 0) & ~is_start)  # in others an I never scores more
    is_left = np.zeros((sequence[-1] + 1, labels.shape[1]), dtype=bool)
    if len(open_rows):
        goes_on = labels[open_rows] > closed[open_rows, None]
        numbers, firsts = np.unique(sequence[open_rows], return_index=True)
        is_left[numbers] = np.logical_or.reduceat(goes_on, firsts, axis=0)
    own, is_unused = _list_labels(is_left)
    left = own[sequence]
    scores = labels[at[:, None], left].astype(np.float64)
    inside = scores - np.maximum(begins, 0)[:, None]
    inside[is_unused[sequence] | is_start[:, None]] = -np.inf
    return Contest(closed.astype(np.float64), closed_tags, left, scores + penalty[:, None], inside)


def _list_labels(is_left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """List the labels that are left in each sequence: [sequences, labels left], and the places that
    a sequence does not need, as bool."""
    n_left = is_left.sum(axis=1)
    own = np.argsort(~is_left, axis=1, kind="stable")[:, : max(int(n_left.max()), 1)]
    return own, np.arange(own.shape[1]) >= n_left[:, None]
