"""The best tags for the roles of predicates under constraints."""

from collections.abc import Sequence

import numpy as np

from .bio import spans_from_bio
from .comparable import decode_comparable
from .compiled import decode_compiled
from .constraints import RoleConstraints
from .scores import TagScores
from .search import MAX_NODES, Root, search
from .viterbi import decode_bio

MAX_VIOLATIONS = 4  # in the best tags without constraints; with more, the search would be long


def decode_roles(
    scores: TagScores,
    lengths: Sequence[int],
    constraints: RoleConstraints,
    allowed: np.ndarray | None = None,
    max_nodes: int = MAX_NODES,
    max_violations: int = MAX_VIOLATIONS,
) -> np.ndarray:
    """Find the valid tag sequences with the highest sums of scores among those that satisfy the
    constraints.

    Where the best tags without constraints satisfy them they are the answer. The other sequences
    are solved by best-first branch and bound: a violation is resolved in all ways there are, each
    of which forbids or demands the start of a span somewhere and so is decoded without constraints
    again, for all sequences together. The first decoding that satisfies the constraints and scores
    no less than the bounds of what is still open is optimal. A sequence not solved after
    `max_nodes` decodings gets the best tags found that satisfy the constraints, which are then not
    proven optimal; dropping the arguments in violation from the unconstrained tags is one of them.
    That is also what a sequence gets that has more than `max_violations` to begin with, as those of
    a network that has not learned anything yet.

    scores (TagScores): The scores of all tokens.
    lengths (Sequence[int]): The number of tokens of each sequence.
    constraints (RoleConstraints): The constraints on K labels.
    allowed (Optional[np.ndarray]): [sequences, K], bool: labels that a sequence can have.
    max_nodes (int): Decodings of one sequence.
    max_violations (int): Violations of the best tags without constraints.
    RETURNS (np.ndarray): [tokens], the tags; see `decode_bio`.
    """
    found = decode_compiled(scores, lengths, constraints, allowed, max_nodes, max_violations)
    if found is not None:
        return found

    def decode(scores: TagScores, lengths: Sequence[int], left: np.ndarray) -> np.ndarray:
        own = None if allowed is None else allowed[left]
        return _search(scores, lengths, constraints, own, max_nodes, max_violations)

    return decode_comparable(scores, lengths, decode)


def _search(
    scores: TagScores,
    lengths: Sequence[int],
    constraints: RoleConstraints,
    allowed: np.ndarray | None,
    max_nodes: int,
    max_violations: int,
) -> np.ndarray:
    """See `decode_roles`."""
    tags = decode_bio(scores, lengths)
    n_labels = scores.n_labels
    sizes = np.asarray(lengths, dtype=np.int64)
    first_rows = np.cumsum(sizes) - sizes
    starts, _, label_ids = spans_from_bio(tags, lengths, n_labels)
    owners = np.searchsorted(first_rows, starts, side="right") - 1
    violations = constraints.find_violations(owners, starts, label_ids)
    # by sequence: the violation, and None where a label that is not allowed comes first
    roots: dict[int, tuple[int, int] | None] = {
        sequence: (label, row - int(first_rows[sequence]))
        for sequence, label, row in zip(
            *(values.tolist() for values in violations[:3]), strict=True
        )
    }
    hopeless = set(violations[0][violations[3] > max_violations].tolist())
    if allowed is not None:
        roots.update(dict.fromkeys(owners[~allowed[owners, label_ids]].tolist()))
    if not roots:
        return tags
    parts = {
        sequence: slice(int(first_rows[sequence]), int(first_rows[sequence] + sizes[sequence]))
        for sequence in roots
    }
    sequences = [_allow(scores.rows(parts[sequence]), allowed, sequence) for sequence in roots]
    known = [
        Root(tags[parts[sequence]] if violation else None, violation, sequence in hopeless)
        for sequence, violation in roots.items()
    ]
    solved = search(sequences, known, constraints, max_nodes)
    for sequence, own in zip(roots, solved, strict=True):
        tags[parts[sequence]] = own
    return tags


def _allow(rows: np.ndarray, allowed: np.ndarray | None, sequence: int) -> np.ndarray:
    """RETURNS (np.ndarray): [rows, 1 + 2K], scores without labels that a sequence can't have."""
    if allowed is None or allowed[sequence].all():
        return rows
    rows = rows.copy()
    rows[:, 1:][:, np.tile(~allowed[sequence], 2)] = -np.inf
    return rows
