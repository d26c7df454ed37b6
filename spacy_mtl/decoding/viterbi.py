"""The best valid tag sequence for given scores; see `spacy_mtl.decoding.bio` for the tags."""

from collections.abc import Sequence

import numpy as np

from .bio import mark_starts
from .comparable import decode_comparable
from .compiled import decode_compiled
from .contest import Contest
from .scores import TagScores

LOWEST_GAIN = 1e4  # clipping a gain from below only makes segments longer, never wrong


def decode_bio(scores: TagScores, lengths: Sequence[int]) -> np.ndarray:
    """Find the valid tag sequences with the highest sums of scores, exactly.

    A sequence is valid if each I-x follows B-x or I-x. Wherever the highest-scoring tags are valid
    they are the answer; the others are reduced to the few labels that matter (see `Contest`), cut
    into segments that can be solved apart (see `find_cuts`), and those run through the Viterbi
    algorithm together. The work is linear in tokens and labels.

    scores (TagScores): The scores of all tokens.
    lengths (Sequence[int]): The number of tokens of each sequence.
    RETURNS (np.ndarray): [tokens], the tags. Among equals, O comes before B before I. All are O in
        a sequence whose scores can't be compared, see `decode_comparable`.
    RAISES (ValueError): If the sequences don't have as many tokens as there are scores for.
    """
    if sum(lengths) != len(scores):
        raise ValueError(
            f"decode_bio: scores of {len(scores)} tokens for sequences of {sum(lengths)} tokens."
        )
    found = decode_compiled(scores, lengths)
    if found is not None:
        return found
    return decode_comparable(scores, lengths, lambda scores, lengths, _: _decode(scores, lengths))


def _decode(scores: TagScores, lengths: Sequence[int]) -> np.ndarray:
    n_tokens, n_labels = len(scores), scores.n_labels
    tags = scores.best()  # [tokens]
    if not n_labels or not n_tokens:
        return tags
    is_start = mark_starts(lengths, n_tokens)
    invalid = _find_invalid(tags, is_start, n_labels)
    if not invalid.any():
        return tags
    sequence = is_start.cumsum() - 1  # [tokens], empty sequences not counted
    rows = np.flatnonzero(np.bincount(sequence[invalid], minlength=sequence[-1] + 1)[sequence])
    contest = scores.contest(rows, is_start[rows])
    tags[rows] = _mend(tags[rows], contest, is_start[rows], n_labels)
    return tags


def _find_invalid(tags: np.ndarray, is_start: np.ndarray, n_labels: int) -> np.ndarray:
    """Mark each I-x that follows neither B-x nor I-x: [tokens]."""
    invalid = tags > n_labels
    rows = np.flatnonzero(invalid & ~is_start)
    before = tags[rows - 1]
    invalid[rows] = (before == 0) | ((before - tags[rows]) % n_labels != 0)
    return invalid


def solve_contest(contest: Contest, is_start: np.ndarray, n_labels: int) -> np.ndarray:
    """Find the best valid tags of reduced sequences.

    contest (Contest): The sequences. A row of `closed` must not be -inf, but can be very low.
    is_start (np.ndarray): [rows], the first row of each sequence.
    n_labels (int): The number of labels, K.
    RETURNS (np.ndarray): [rows], the tags.
    """
    row = np.arange(len(is_start))
    first_inside = 1 + contest.begin.shape[1]
    best = np.column_stack([contest.closed, contest.begin, contest.inside]).argmax(axis=1)  # [rows]
    place = np.where(best < first_inside, best - 1, best - first_inside)  # of the label, -1 for O
    tags = 1 + contest.labels[row, place] + n_labels * (best >= first_inside)
    tags = np.where(best == 0, contest.closed_tags, tags)
    return _mend(tags, contest, is_start, n_labels)


def _mend(tags: np.ndarray, contest: Contest, is_start: np.ndarray, n_labels: int) -> np.ndarray:
    """RETURNS (np.ndarray): [rows], the tags, the best valid ones where they are not valid."""
    is_cut = is_start | find_cuts(contest)
    segment = is_cut.cumsum() - 1
    bad = np.flatnonzero(np.bincount(segment[_find_invalid(tags, is_cut, n_labels)]))
    if len(bad):
        starts = np.flatnonzero(is_cut)
        sizes = np.diff(starts, append=len(tags))
        _run_viterbi(contest, starts[bad], sizes[bad], n_labels, tags)
    return tags


def find_cuts(contest: Contest, forbiddable: np.ndarray | None = None) -> np.ndarray:
    """Mark rows that some best sequence gives O or B, so that what lies before and after can be
    solved apart.

    Take a best sequence with I-x at row t, in a span that ends with row e. Two replacements keep
    it valid and put no I anywhere: B-x for I-x at t, and the best of O and B for each of t..e. So
    if for every label either B-x scores at least what I-x does, or no sum over rows t..e of
    (I-x minus the best of O and B) is positive, there is a best sequence without I at t. As no
    replacement makes another one impossible, this holds for all such rows at once.

    contest (Contest): The sequences.
    forbiddable (Optional[np.ndarray]): [rows, labels left], bool: labels whose B, which is set
        apart, may be forbidden later. Cuts are to hold then, too.
    RETURNS (np.ndarray): [rows], bool.
    """
    gain = np.maximum(contest.inside - contest.closed[:, None], -LOWEST_GAIN)
    total = gain.cumsum(axis=0)
    best_end = np.maximum.accumulate(total[::-1], axis=0)[::-1]
    best_sum = best_end - (total - gain)  # [rows, labels left], over the best choice of e
    rounding = 1e-12 * (1.0 + np.abs(total).max())
    is_renewed = contest.begin >= contest.inside
    if forbiddable is not None:
        is_renewed &= ~forbiddable
    return np.asarray(((best_sum < -rounding) | is_renewed).all(axis=1))


def _run_viterbi(
    contest: Contest, starts: np.ndarray, sizes: np.ndarray, n_labels: int, tags: np.ndarray
) -> None:
    """Find the best valid tags of several segments, one step in time for all of them at once.

    After a step it is enough to know the best sum that ends in O or any B, and for each label left
    the best sum that ends in its B or I.

    contest (Contest): The sequences.
    starts (np.ndarray): [segments], the first row of each.
    sizes (np.ndarray): [segments], the number of rows of each, at least one.
    n_labels (int): The number of labels, K.
    tags (np.ndarray): [rows]; the segments' tags are written into it.
    """
    starts, sizes = (values[np.argsort(-sizes, kind="stable")] for values in (starts, sizes))
    steps = np.arange(sizes[0])[:, None]
    is_running = sizes > steps  # [steps, segments]
    counts = is_running.sum(axis=1)
    firsts = counts.cumsum() - counts
    rows = (starts + steps)[is_running]  # [places], step by step, the longest segments first
    places = np.arange(len(rows))
    begin, inside = contest.begin[rows].T.copy(), contest.inside[rows].T.copy()
    closed = contest.closed[rows]
    opened = np.concatenate([closed[None], begin])  # [1 + labels left, places]
    continued = np.concatenate([np.full_like(closed, -np.inf)[None], inside])
    state_sums = np.empty_like(opened)  # best sums that end in O or any B, and in a label's B or I
    sums = np.empty_like(closed)  # [places], best sums
    borders = list(zip(firsts.tolist(), (firsts + counts).tolist(), strict=True))
    best = np.zeros(len(starts))
    last = np.full((len(opened), len(starts)), -np.inf)
    for first, end in borders:
        size = end - first
        last = np.maximum(
            opened[:, first:end] + best[:size],
            continued[:, first:end] + last[:, :size],
            out=state_sums[:, first:end],
        )
        best = np.maximum.reduce(last, axis=0, out=sums[first:end])
    span_sums = state_sums[1:]  # [labels left, places]
    before = places - np.concatenate([counts[:1], counts[:-1]]).repeat(counts)
    is_first = places < counts[0]
    best_before = np.where(is_first, 0.0, sums[before])
    extended = np.where(is_first, -np.inf, inside + span_sums[:, before])
    is_span = span_sums.max(axis=0) > closed + best_before
    state = np.where(is_span, 1 + span_sums.argmax(axis=0), 0)  # 0 for closed, else a label left
    goes_on = np.zeros((1 + len(begin), len(rows)), dtype=bool)  # [states, places]
    goes_on[1:] = extended > begin + best_before
    is_inside = np.zeros(len(rows), dtype=bool)
    for (first, end), (earlier, _) in zip(borders[:0:-1], borders[-2::-1], strict=True):
        now = state[first:end]
        stays = goes_on[now, places[first:end]]
        is_inside[first:end] = stays
        np.copyto(state[earlier : earlier + len(now)], now, where=stays)
    label = contest.labels[rows, state - 1]
    tags[rows] = np.where(state > 0, 1 + label + n_labels * is_inside, contest.closed_tags[rows])
