"""Constraints on the roles of one predicate, and the best tags that satisfy them."""

import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .bio import bio_from_spans, decode_bio, spans_from_bio

CORE_ROLE = re.compile(r"ARG[0-9A](-|$)")
NUMBERED_ROLE = re.compile(r"(?:[CR]-)*(ARG[0-9])(?:-|$)")
MAX_NODES = 50  # decodings of one sequence before the search gives up
MAX_VIOLATIONS = 4  # in the best tags without constraints; with more, the search would be long
TOGETHER = 2  # decodings of one sequence at a time: both ways to keep one of two core roles


@dataclass(frozen=True)
class RoleConstraints:
    """What the roles of one predicate must satisfy.

    is_unique (np.ndarray): [labels], bool: at most one argument has the label.
    needs (np.ndarray): [labels], another label that some argument must have, or -1.
    needs_before (np.ndarray): [labels], bool: that argument must begin earlier.
    """

    is_unique: np.ndarray
    needs: np.ndarray
    needs_before: np.ndarray

    @classmethod
    def from_labels(
        cls,
        labels: Sequence[str],
        *,
        unique_core_roles: bool = True,
        continuation_after: bool = True,
        reference_with: bool = True,
    ) -> "RoleConstraints":
        """Read the constraints off the names of PropBank's roles.

        A `C-x` or `R-x` whose `x` is no label (`C-V`, or an `x` never seen) is free.

        labels (Sequence[str]): The labels.
        unique_core_roles (bool): ARG0, ARG1, ..., ARGA and the like of ARG1-DSP at most once.
        continuation_after (bool): C-x only after x.
        reference_with (bool): R-x only together with x.
        RETURNS (RoleConstraints): The constraints.
        """
        index = {label: i for i, label in enumerate(labels)}
        needs = np.full(len(labels), -1, dtype=np.int64)
        for i, label in enumerate(labels):
            if continuation_after and label.startswith("C-"):
                needs[i] = index.get(label[2:], -1)
            elif reference_with and label.startswith("R-"):
                needs[i] = index.get(label[2:], -1)
        return cls(
            np.asarray(
                [unique_core_roles and bool(CORE_ROLE.match(label)) for label in labels], dtype=bool
            ),
            needs,
            np.asarray([label.startswith("C-") for label in labels], dtype=bool),
        )

    def find_violations(
        self, owners: np.ndarray, starts: np.ndarray, label_ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Find one violation of each sequence that has any, and count them.

        owners (np.ndarray): [spans], the sequence of each span, ascending.
        starts (np.ndarray): [spans], first row; ascending in a sequence.
        label_ids (np.ndarray): [spans].
        RETURNS (Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]): [sequences that violate],
            ascending: the sequence, the label that should not be there, the first row of its span,
            and the number of such spans.
        """
        n_labels = len(self.is_unique)
        keys = owners * n_labels + label_ids  # [spans]
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        again = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
        repeated = order[again[self.is_unique[label_ids[order[again]]]]]
        dependent = np.flatnonzero(self.needs[label_ids] >= 0)
        wanted = owners[dependent] * n_labels + self.needs[label_ids[dependent]]
        at = np.minimum(np.searchsorted(ordered, wanted), max(len(ordered) - 1, 0))
        absent = ordered[at] != wanted
        late = self.needs_before[label_ids[dependent]] & (starts[order[at]] > starts[dependent])
        bad = np.concatenate([repeated, dependent[absent | late]])
        sequences, first, counts = np.unique(owners[bad], return_index=True, return_counts=True)
        chosen = bad[first]
        return sequences, label_ids[chosen], starts[chosen], counts


def allowed_labels(labels: Sequence[str], roles: Sequence[str]) -> np.ndarray:
    """Tell which labels a roleset with certain numbered roles can have.

    labels (Sequence[str]): The labels, e.g. "ARG0", "R-ARG1", "ARG1-DSP" or "ARGM-TMP".
    roles (Sequence[str]): The roleset's numbered roles, e.g. "ARG0" and "ARG2".
    RETURNS (np.ndarray): [labels], bool. All labels without a number are allowed.
    """
    numbers = [NUMBERED_ROLE.match(label) for label in labels]
    return np.asarray([match is None or match[1] in roles for match in numbers], dtype=bool)


def decode_roles(
    scores: np.ndarray,
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

    scores (np.ndarray): [tokens, 1 + 2K], as in `decode_bio`.
    lengths (Sequence[int]): The number of tokens of each sequence.
    constraints (RoleConstraints): The constraints on K labels.
    allowed (Optional[np.ndarray]): [sequences, K], bool: labels that a sequence can have.
    max_nodes (int): Decodings of one sequence.
    max_violations (int): Violations of the best tags without constraints.
    RETURNS (np.ndarray): [tokens], the tags; see `decode_bio`.
    """
    tags = decode_bio(scores, lengths)
    n_labels = scores.shape[1] // 2
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
    searches = {}
    for sequence, violation in roots.items():
        part = slice(first_rows[sequence], first_rows[sequence] + sizes[sequence])
        rows = scores[part]
        if allowed is not None and not allowed[sequence].all():
            rows = rows.copy()
            rows[:, 1:][:, np.tile(~allowed[sequence], 2)] = -np.inf
        root = _Node(np.inf, (), tags[part] if violation else None, violation)
        searches[sequence] = search = _Search(rows, root)
        if sequence in hopeless:
            search.give_up(constraints)
    _run_searches(
        [search for search in searches.values() if search.tags is None], constraints, max_nodes
    )
    for sequence, search in searches.items():
        tags[first_rows[sequence] : first_rows[sequence] + sizes[sequence]] = search.tags
    return tags


@dataclass
class _Node:
    """A part of the tag sequences: those that obey some edits.

    bound (float): No sequence of the part scores more.
    edits (Tuple): Each is the label, the rows (first and last, exclusive), and whether the label
        must start at the first of these rows. If not, it must not start in any.
    tags (Optional[np.ndarray]): [rows], the best sequence of the part, if it was decoded.
    violation (Optional[Tuple[int, int]]): Label and row of a violation in the best sequence.
    """

    bound: float
    edits: tuple[tuple[int, int, int, bool], ...] = ()
    tags: np.ndarray | None = None
    violation: tuple[int, int] | None = None


class _Search:
    """The best-first search for the tags of one sequence.

    rows (np.ndarray): [rows, 1 + 2K], scores.
    root_tags (Optional[np.ndarray]): [rows], the best tags without constraints, where known.
    open (List[Tuple[float, int, _Node]]): A heap: negative bound, age, node.
    tags (Optional[np.ndarray]): [rows], the solution, once it is found.
    n_decoded (int): Nodes decoded.
    """

    def __init__(self, rows: np.ndarray, root: _Node) -> None:
        self.rows = rows
        self.root_tags = root.tags
        self.open: list[tuple[float, int, _Node]] = []
        self.tags: np.ndarray | None = None
        self.n_decoded = 0
        self._n_pushed = 0
        self.push(root)

    def push(self, node: _Node) -> None:
        self._n_pushed += 1
        heapq.heappush(self.open, (-node.bound, self._n_pushed, node))

    def advance(self, constraints: RoleConstraints) -> list[_Node]:
        """Work on the most promising nodes until one of them has to be decoded.

        RETURNS (List[_Node]): The nodes to decode; none if the sequence is solved.
        """
        while True:
            node = self.open[0][2]
            if node.tags is None:
                break
            heapq.heappop(self.open)
            if node.violation is None:
                self.tags = node.tags
                return []
            for child in _branch(node, self.rows, constraints):
                self.push(child)
        chosen: list[_Node] = []
        while self.open and self.open[0][2].tags is None and len(chosen) < TOGETHER:
            chosen.append(heapq.heappop(self.open)[2])
        self.n_decoded += len(chosen)
        return chosen

    def give_up(self, constraints: RoleConstraints) -> None:
        """Take the best tags known that satisfy the constraints."""
        candidates = [
            node.tags if node.violation is None else _drop_violations(node.tags, constraints)
            for _, _, node in self.open
            if node.tags is not None and node.tags is not self.root_tags
        ]
        tags = decode_bio(self.rows, [len(self.rows)]) if self.root_tags is None else self.root_tags
        candidates.append(_drop_violations(tags, constraints))
        at = np.arange(len(self.rows))
        sums = [self.rows[at, tags].sum(dtype=np.float64) for tags in candidates]
        self.tags = candidates[int(np.argmax(sums))]


def _run_searches(
    searches: Sequence[_Search], constraints: RoleConstraints, max_nodes: int
) -> None:
    running = list(searches)
    while running:
        owners: list[_Search] = []
        nodes: list[_Node] = []
        for search in running:
            if search.n_decoded >= max_nodes:
                search.give_up(constraints)
                continue
            chosen = search.advance(constraints)
            owners += [search] * len(chosen)
            nodes += chosen
        if nodes:
            _decode_nodes(owners, nodes, constraints)
        for search, node in zip(owners, nodes, strict=True):
            search.push(node)
        running = [search for search in running if search.tags is None]


def _decode_nodes(
    searches: Sequence[_Search], nodes: Sequence[_Node], constraints: RoleConstraints
) -> None:
    """Find the best sequences of nodes and write them, their sums and violations into the nodes."""
    n_labels = len(constraints.needs)
    lengths = [len(search.rows) for search in searches]
    scores = np.concatenate([search.rows for search in searches])
    borders = np.cumsum([0, *lengths]).tolist()
    for node, offset in zip(nodes, borders, strict=False):
        for label, first, last, is_demanded in node.edits:
            if is_demanded:
                kept = scores[offset + first, 1 + label]
                scores[offset + first] = -np.inf
                scores[offset + first, 1 + label] = kept
            else:
                scores[offset + first : offset + last, 1 + label] = -np.inf
    tags = decode_bio(scores, lengths)
    sums = np.add.reduceat(scores[np.arange(len(tags)), tags].astype(np.float64), borders[:-1])
    starts, _, label_ids = spans_from_bio(tags, lengths, n_labels)
    owners = np.searchsorted(borders, starts, side="right") - 1
    violations = constraints.find_violations(owners, starts, label_ids)
    for i, (node, total) in enumerate(zip(nodes, sums.tolist(), strict=True)):
        node.tags = tags[borders[i] : borders[i + 1]]
        node.bound = total
    for i, label, row in zip(*(values.tolist() for values in violations[:3]), strict=True):
        nodes[i].violation = label, row - borders[i]


def _branch(node: _Node, rows: np.ndarray, constraints: RoleConstraints) -> list[_Node]:
    """Split a node whose best sequence is in violation.

    A label that is there twice starts either never before the second of the two rows, or never
    from there on. A label that lacks another one is either forbidden there (C-x: up to that row,
    R-x: everywhere), or the other one starts at one of the possible rows. No sequence that
    satisfies the constraints is lost.

    node (_Node): The node.
    rows (np.ndarray): [rows, 1 + 2K], the scores of the sequence.
    constraints (RoleConstraints): The constraints.
    RETURNS (List[_Node]): The children.
    """
    assert node.violation is not None
    label, row = node.violation
    n_rows = len(rows)
    needed = int(constraints.needs[label])
    if needed < 0:
        return _forbid(node, label, 0, row) + _forbid(node, label, row, n_rows)
    before = bool(constraints.needs_before[label])
    children = _forbid(node, label, 0, row + 1 if before else n_rows)
    best = rows.max(axis=1).astype(np.float64)  # [rows]
    loss = best - rows[:, 1 + needed]
    total = float(best.sum())
    is_possible = _can_start(needed, node.edits, n_rows)
    for at in range(row if before else n_rows):
        if is_possible[at] and np.isfinite(loss[at]):
            bound = min(node.bound, total - float(loss[at]))
            children.append(_Node(bound, (*node.edits, (needed, at, at + 1, True))))
    return children


def _forbid(node: _Node, label: int, first: int, last: int) -> list[_Node]:
    """RETURNS (List[_Node]): The part of a node where the label does not start in some rows, unless
    it must.
    """
    for other, row, _, is_demanded in node.edits:
        if is_demanded and other == label and first <= row < last:
            return []
    return [_Node(node.bound, (*node.edits, (label, first, last, False)))]


def _can_start(label: int, edits: Sequence[tuple[int, int, int, bool]], n_rows: int) -> np.ndarray:
    """RETURNS (np.ndarray): [rows], bool: where the edits let the label start."""
    possible = np.ones(n_rows, dtype=bool)
    for other, first, last, is_demanded in edits:
        if is_demanded or other == label:
            possible[first:last] = False
    return possible


def _drop_violations(tags: np.ndarray, constraints: RoleConstraints) -> np.ndarray:
    """Drop spans until the constraints are satisfied: of a repeated label the later ones.

    tags (np.ndarray): [rows], the valid tags of one sequence.
    constraints (RoleConstraints): The constraints.
    RETURNS (np.ndarray): [rows], the tags of the spans that are left.
    """
    n_labels = len(constraints.needs)
    starts, ends, label_ids = spans_from_bio(tags, [len(tags)], n_labels)
    is_unique, needs = constraints.is_unique.tolist(), constraints.needs.tolist()
    needs_before = constraints.needs_before.tolist()
    spans = list(zip(starts.tolist(), ends.tolist(), label_ids.tolist(), strict=True))
    while True:
        everywhere = {label for _, _, label in spans}
        before: set[int] = set()
        kept = []
        for span in spans:
            label = span[2]
            known = before if needs_before[label] else everywhere
            if (is_unique[label] and label in before) or (
                needs[label] >= 0 and needs[label] not in known
            ):
                continue
            before.add(label)
            kept.append(span)
        if len(kept) == len(spans):
            break
        spans = kept
    starts, ends, label_ids = np.asarray(spans, dtype=np.int64).reshape(-1, 3).T
    return bio_from_spans(starts, ends, label_ids, len(tags), n_labels)
