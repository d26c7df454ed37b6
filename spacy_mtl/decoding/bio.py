"""Spans as BIO tags, and the best valid tag sequence for given scores.

With K labels the tags are 0 for O, 1..K for the first token of a span (B) and K+1..2K for its
further tokens (I), in the order of the labels. Sequences stand one after the other in the rows.
"""

from collections.abc import Sequence

import numpy as np

LOWEST_GAIN = 1e4  # clipping a gain from below only makes segments longer, never wrong


def decode_bio(scores: np.ndarray, lengths: Sequence[int]) -> np.ndarray:
    """Find the valid tag sequences with the highest sums of scores, exactly.

    A sequence is valid if each I-x follows B-x or I-x. Wherever the highest-scoring tags are valid
    they are the answer; the others are cut into segments that can be solved apart (see
    `_find_cuts`), and those run through the Viterbi algorithm together. The work is linear in
    tokens and labels.

    scores (np.ndarray): [tokens, 1 + 2K], any scores that add up, such as logits or log
        probabilities. -inf forbids a tag; O must be possible.
    lengths (Sequence[int]): The number of tokens of each sequence.
    RETURNS (np.ndarray): [tokens], the tags. Among equals, O comes before B before I.
    RAISES (ValueError): If the scores don't have the shape described.
    """
    n_tokens, n_tags = scores.shape
    if n_tags % 2 == 0 or sum(lengths) != n_tokens:
        raise ValueError(
            f"decode_bio expects scores of shape [tokens, 1 + 2 * labels]; got {scores.shape} for "
            f"sequences of {sum(lengths)} tokens."
        )
    n_labels = n_tags // 2
    tags = scores.argmax(axis=1)  # [tokens]
    if not n_labels or not n_tokens:
        return tags
    is_start = _mark_starts(lengths, n_tokens)
    invalid = _find_invalid(tags, is_start, n_labels)
    if not invalid.any():
        return tags
    sequence = is_start.cumsum() - 1  # [tokens], empty sequences not counted
    rows = np.flatnonzero(np.bincount(sequence[invalid], minlength=sequence[-1] + 1)[sequence])
    is_cut = is_start[rows] | _find_cuts(scores[rows], is_start[rows])
    segment = is_cut.cumsum() - 1
    is_bad = np.bincount(segment[_find_invalid(tags[rows], is_cut, n_labels)])[: segment[-1] + 1]
    starts = np.flatnonzero(is_cut)
    sizes = np.diff(starts, append=len(rows))
    bad = np.flatnonzero(is_bad)
    _run_viterbi(scores, rows[starts[bad]], sizes[bad], tags)
    return tags


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
    continues &= ~_mark_starts(lengths, len(tags))
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


def _mark_starts(lengths: Sequence[int], n_tokens: int) -> np.ndarray:
    """Mark the first row of each sequence that is not empty: [tokens]."""
    sizes = np.asarray(lengths, dtype=np.int64)
    is_start = np.zeros(n_tokens, dtype=bool)
    is_start[(np.cumsum(sizes) - sizes)[sizes > 0]] = True
    return is_start


def _find_invalid(tags: np.ndarray, is_start: np.ndarray, n_labels: int) -> np.ndarray:
    """Mark each I-x that follows neither B-x nor I-x: [tokens]."""
    invalid = tags > n_labels
    rows = np.flatnonzero(invalid & ~is_start)
    before = tags[rows - 1]
    invalid[rows] = (before == 0) | ((before - tags[rows]) % n_labels != 0)
    return invalid


def _find_cuts(scores: np.ndarray, is_start: np.ndarray) -> np.ndarray:
    """Mark rows that some best sequence gives O or B, so that what lies before and after can be
    solved apart.

    Take a best sequence with I-x at row t, in a span that ends with row e. Two replacements keep
    it valid and put no I anywhere: B-x for I-x at t, and the best of O and B for each of t..e. So
    if for every label either B-x scores at least what I-x does, or no sum over rows t..e of
    (I-x minus the best of O and B) is positive, there is a best sequence without I at t. As no
    replacement makes another one impossible, this holds for all such rows at once.

    scores (np.ndarray): [rows, 1 + 2K].
    is_start (np.ndarray): [rows], the first row of each sequence, which no span can cross.
    RETURNS (np.ndarray): [rows], bool.
    """
    n_labels = scores.shape[1] // 2
    begin = scores[:, 1 : n_labels + 1]
    inside = scores[:, n_labels + 1 :]
    outside = scores[:, : n_labels + 1].max(axis=1, keepdims=True)
    gain = np.maximum(inside.astype(np.float64) - outside, -LOWEST_GAIN)  # [rows, K]
    gain[is_start] = -LOWEST_GAIN
    total = gain.cumsum(axis=0)
    best_end = np.maximum.accumulate(total[::-1], axis=0)[::-1]
    best_sum = best_end - (total - gain)  # [rows, K], over the best choice of e
    rounding = 1e-12 * (1.0 + np.abs(total).max())
    return np.asarray(((best_sum < -rounding) | (begin >= inside)).all(axis=1))


def _run_viterbi(
    scores: np.ndarray, starts: np.ndarray, sizes: np.ndarray, tags: np.ndarray
) -> None:
    """Find the best valid tags of several segments, one step in time for all of them at once.

    After a step it is enough to know the best sum that ends in O, and for each label the best
    sum that ends in its B or I.

    scores (np.ndarray): [tokens, 1 + 2K].
    starts (np.ndarray): [segments], the first row of each.
    sizes (np.ndarray): [segments], the number of rows of each, at least one.
    tags (np.ndarray): [tokens]; the segments' tags are written into it.
    """
    n_labels = scores.shape[1] // 2
    order = np.argsort(-sizes, kind="stable")
    starts, sizes = starts[order], sizes[order]
    n_active = np.searchsorted(-sizes, -np.arange(sizes[0]), side="left").tolist()
    everything = np.arange(len(starts))
    best = np.zeros(len(starts))  # [segments], the best sum so far
    span_sums = np.full((len(starts), n_labels), -np.inf)
    last_states = []  # per step [segments]: 0 if the best sum ends in O, else 1 + the label
    continued = []  # per step [segments, K]: whether the best sum with the label ends in I
    for step, count in enumerate(n_active):
        rows = scores[starts[:count] + step].astype(np.float64)  # [segments, 1 + 2K]
        before = best[:count, None]
        opened = before + rows[:, 1 : n_labels + 1]
        extended = span_sums[:count] + rows[:, n_labels + 1 :]
        continued.append(extended > opened)
        span_sums = np.maximum(extended, opened)
        label = span_sums.argmax(axis=1)
        span_best = span_sums[everything[:count], label]
        outside = before[:, 0] + rows[:, 0]
        last_states.append(np.where(span_best > outside, label + 1, 0))
        best = np.maximum(span_best, outside)
    state = np.zeros(len(starts), dtype=np.int64)
    n_known = 0
    for step in reversed(range(len(n_active))):
        count = n_active[step]
        state[n_known:count] = last_states[step][n_known:]
        now = state[:count]
        stays = continued[step][everything[:count], now - 1] & (now > 0)
        tags[starts[:count] + step] = now + n_labels * stays
        if step:
            state[:count] = np.where(stays, now, last_states[step - 1][:count])
        n_known = count
