"""Sequences whose scores can't be compared."""

from collections.abc import Callable, Sequence

import numpy as np

from .scores import PlainScores, TagScores


def decode_comparable(
    scores: TagScores,
    lengths: Sequence[int],
    decode: Callable[[TagScores, Sequence[int], np.ndarray], np.ndarray],
) -> np.ndarray:
    """Decode the sequences whose scores can be compared: none is NaN or infinite, but for scores of
    -inf, which forbid a tag other than O. The others get O everywhere, as in the compiled kernels.

    scores (TagScores): The scores of all tokens.
    lengths (Sequence[int]): The number of tokens of each sequence.
    decode (Callable): Takes scores, lengths, and which of all the sequences these are [sequences
        left]; returns the tags.
    RETURNS (np.ndarray): [tokens], the tags of all.
    """
    sizes = np.asarray(lengths, dtype=np.int64)
    is_good = _find_comparable(scores)
    if is_good.all():
        return decode(scores, lengths, np.arange(len(sizes)))
    sequence = np.repeat(np.arange(len(sizes)), sizes)
    left = np.bincount(sequence[~is_good], minlength=len(sizes)) == 0
    rows = np.flatnonzero(left[sequence])
    tags = np.zeros(len(scores), dtype=np.int64)
    tags[rows] = decode(PlainScores(scores.rows(rows)), sizes[left].tolist(), np.flatnonzero(left))
    return tags


def _find_comparable(scores: TagScores) -> np.ndarray:
    """RETURNS (np.ndarray): [tokens], bool: those whose scores can be compared."""
    table = scores.table()
    is_good = np.isfinite(table.none)
    for values, added in ((table.begin, table.begin_offset), (table.inside, table.inside_offset)):
        with np.errstate(invalid="ignore", over="ignore"):
            sums = values if added is None else values + added[:, None]
        is_good &= (sums < np.inf).all(axis=1)
    return is_good
