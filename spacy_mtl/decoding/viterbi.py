"""The best valid tag sequence for given scores; see `spacy_mtl.decoding.bio` for the tags."""

from collections.abc import Sequence

import numpy as np

from .bio import mark_starts
from .comparable import decode_comparable
from .compiled import decode_compiled
from .scores import TagScores


def decode_bio(scores: TagScores, lengths: Sequence[int]) -> np.ndarray:
    """Find the valid tag sequences with the highest sums of scores, exactly.

    A sequence is valid if each I-x follows B-x or I-x. Wherever the highest-scoring tags are valid
    they are the answer; the others run through the Viterbi algorithm. The work is linear in tokens
    and labels.

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
    sequence = np.repeat(np.arange(len(lengths)), lengths)  # [tokens]
    is_solved = np.bincount(sequence[invalid], minlength=len(lengths)) == 0
    rows = np.flatnonzero(~is_solved[sequence])
    tags[rows] = run_viterbi(scores.rows(rows), np.asarray(lengths)[~is_solved])
    return tags


def run_viterbi(rows: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Find the best valid tags of several sequences, one step in time for all of them at once.

    After a step it is enough to know the best sum, and for each label the best sum that ends in its
    B or I.

    rows (np.ndarray): [rows, 1 + 2K], the scores of the sequences, one after the other; K > 0.
    sizes (np.ndarray): [sequences], the number of rows of each, at least one.
    RETURNS (np.ndarray): [rows], the tags.
    """
    n_labels = rows.shape[1] // 2
    order = np.argsort(-sizes, kind="stable")
    starts = (np.cumsum(sizes) - sizes)[order]  # the longest sequence first
    n_running = (sizes > np.arange(sizes.max())[:, None]).sum(axis=1)  # [steps]
    steps = [starts[:number] + step for step, number in enumerate(n_running.tolist())]
    label = np.full(len(rows), -1)  # [rows], that of the best sum, -1 for O
    is_inside = np.zeros((len(rows), n_labels), dtype=bool)  # whether a label's best sum ends in I
    best = np.zeros(len(sizes))  # [sequences]
    span = np.full((len(sizes), n_labels), -np.inf)  # [sequences, labels]
    for at in steps:
        before, span = best[: len(at), None], span[: len(at)]
        scores = rows[at].astype(np.float64)
        opened = scores[:, 1 : 1 + n_labels] + before
        continued = scores[:, 1 + n_labels :] + span
        is_inside[at] = continued > opened
        span = np.maximum(opened, continued)
        none, highest = scores[:, 0] + before[:, 0], span.max(axis=1)
        label[at] = np.where(none >= highest, -1, span.argmax(axis=1))
        best = np.maximum(none, highest)
    tags = np.zeros(len(rows), dtype=np.int64)
    carried = np.full(len(sizes), -1)  # [sequences], the label of the span that the next row is in
    for at in reversed(steps):
        later = carried[: len(at)]
        own = np.where(later >= 0, later, label[at])
        inside = (own >= 0) & is_inside[at, own]
        tags[at] = 1 + own + n_labels * inside  # own is -1 for O
        carried[: len(at)] = np.where(inside, own, -1)
    return tags


def _find_invalid(tags: np.ndarray, is_start: np.ndarray, n_labels: int) -> np.ndarray:
    """Mark each I-x that follows neither B-x nor I-x: [tokens]."""
    invalid = tags > n_labels
    rows = np.flatnonzero(invalid & ~is_start)
    before = tags[rows - 1]
    invalid[rows] = (before == 0) | ((before - tags[rows]) % n_labels != 0)
    return invalid
