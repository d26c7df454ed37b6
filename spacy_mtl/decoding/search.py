"""Best-first search for the tags of several sequences, all of them decoded together."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import NamedTuple, cast

import numpy as np

from .bio import spans_from_bio
from .constraints import RoleConstraints, drop_violations
from .viterbi import run_viterbi

MAX_NODES = 50  # decodings of one sequence before the search gives up
TOGETHER = 2  # decodings of one sequence at a time, but for the parts that core roles split it into
MAX_PARTS = 16  # that core roles which are there twice split a node into
VERY_LOW = -1e30  # the score of a tag that is forbidden where another one is demanded

# The label, the rows (first and last, exclusive), and whether the label must start at the first of
# these rows. If not, it must not start in any.
Edit = tuple[int, int, int, bool]


class Root(NamedTuple):
    """What is known of a sequence before the search.

    tags (Optional[np.ndarray]): [rows], its best tags without constraints, where known.
    violation (Optional[Tuple[int, int]]): Label and row of a violation in them.
    is_hopeless (bool): Whether there are so many violations that those tags without the spans in
        violation have to do.
    """

    tags: np.ndarray | None
    violation: tuple[int, int] | None
    is_hopeless: bool


@dataclass
class _Node:
    """A part of the tag sequences: those that obey some edits.

    bound (float): No sequence of the part scores more.
    edits (Tuple[Edit, ...]): What they obey.
    tags (Optional[np.ndarray]): [rows], the best sequence of the part, if it was decoded.
    violation (Optional[Tuple[int, int]]): Label and row of a violation in the best sequence.
    """

    bound: float
    edits: tuple[Edit, ...] = ()
    tags: np.ndarray | None = None
    violation: tuple[int, int] | None = None


class _Search:
    """The best-first search for the tags of one sequence.

    rows (np.ndarray): [rows, 1 + 2K], scores.
    root (_Node): All tag sequences.
    open (List[Tuple[float, int, _Node]]): A heap: negative bound, age, node.
    tags (Optional[np.ndarray]): [rows], the solution, once it is found.
    n_decoded (int): Nodes decoded.
    """

    def __init__(self, rows: np.ndarray, root: _Node) -> None:
        self.rows = rows
        self.root = root
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
        at_once = TOGETHER
        while True:
            node = self.open[0][2]
            if node.tags is None:
                break
            heapq.heappop(self.open)
            if node.violation is None:
                self.tags = node.tags
                return []
            if constraints.needs[node.violation[0]] < 0:
                children = _split_repeated(node, constraints)
                at_once = max(at_once, len(children))
            else:
                children = _split_dependent(node, self.rows, constraints)
            for child in children:
                self.push(child)
        chosen: list[_Node] = []
        while self.open and self.open[0][2].tags is None and len(chosen) < at_once:
            chosen.append(heapq.heappop(self.open)[2])
        self.n_decoded += len(chosen)
        return chosen

    def give_up(self, constraints: RoleConstraints) -> None:
        """Take the best tags known that satisfy the constraints."""
        candidates = [
            node.tags if node.violation is None else drop_violations(node.tags, constraints)
            for _, _, node in self.open
            if node.tags is not None and node is not self.root
        ]
        tags = self.root.tags
        if tags is None:
            tags = run_viterbi(self.rows, np.array([len(self.rows)]))
        candidates.append(drop_violations(tags, constraints))
        self.tags = candidates[int(np.argmax([self.sum_of(tags) for tags in candidates]))]

    def sum_of(self, tags: np.ndarray) -> float:
        """RETURNS (float): The sum of the scores of tags [rows]."""
        return float(self.rows[np.arange(len(tags)), tags].sum(dtype=np.float64))


def search(
    sequences: Sequence[np.ndarray],
    roots: Sequence[Root],
    constraints: RoleConstraints,
    max_nodes: int,
) -> list[np.ndarray]:
    """Find the best tags that satisfy the constraints for several sequences, decoding together.

    sequences (Sequence[np.ndarray]): [rows, 1 + 2K] each, scores; at least one row.
    roots (Sequence[Root]): What is known of each sequence.
    constraints (RoleConstraints): The constraints on K labels.
    max_nodes (int): Decodings of one sequence; then the best tags known are taken.
    RETURNS (List[np.ndarray]): [rows] each, the tags.
    """
    searches = [
        _Search(rows, _Node(np.inf, tags=root.tags, violation=root.violation))
        for rows, root in zip(sequences, roots, strict=True)
    ]
    for one, root in zip(searches, roots, strict=True):
        if root.is_hopeless:
            one.give_up(constraints)
    while True:
        chosen: list[tuple[_Search, _Node]] = []
        for one in searches:
            if one.tags is None and one.n_decoded >= max_nodes:
                one.give_up(constraints)
            if one.tags is None:
                chosen += [(one, node) for node in one.advance(constraints)]
        if not chosen:
            break
        _decode(chosen, constraints)
        for one, node in chosen:
            one.push(node)
    return [cast(np.ndarray, one.tags) for one in searches]


def _decode(chosen: Sequence[tuple[_Search, _Node]], constraints: RoleConstraints) -> None:
    """Find the best tags of nodes and write them, their sums and violations into the nodes."""
    sizes = np.array([len(one.rows) for one, _ in chosen])
    firsts = np.cumsum(sizes) - sizes
    tags = run_viterbi(np.concatenate([_edit(one.rows, node) for one, node in chosen]), sizes)
    starts, _, label_ids = spans_from_bio(tags, sizes.tolist(), len(constraints.needs))
    owners = np.searchsorted(firsts, starts, side="right") - 1
    for (one, node), first, size in zip(chosen, firsts.tolist(), sizes.tolist(), strict=True):
        node.tags = tags[first : first + size]
        node.bound = one.sum_of(node.tags)
    violations = constraints.find_violations(owners, starts, label_ids)
    for i, label, at in zip(*(values.tolist() for values in violations[:3]), strict=True):
        chosen[i][1].violation = label, at - int(firsts[i])


def _edit(rows: np.ndarray, node: _Node) -> np.ndarray:
    """RETURNS (np.ndarray): [rows, 1 + 2K], scores under which the node's edits are obeyed."""
    rows = rows.astype(np.float64)
    for label, first, last, is_demanded in node.edits:
        if not is_demanded:
            rows[first:last, 1 + label] = -np.inf
    for label, first, _, is_demanded in node.edits:
        if is_demanded:
            score = rows[first, 1 + label]
            rows[first] = -np.inf
            rows[first, [0, 1 + label]] = VERY_LOW, score
    return rows


def _split_repeated(node: _Node, constraints: RoleConstraints) -> list[_Node]:
    """Split a node in whose best sequence labels that must be unique are there more than once.

    Such a label starts either before the second of its rows, or from there up to the third, and so
    on. All labels are taken at once, as long as there are few parts. No sequence that satisfies the
    constraints is lost.

    node (_Node): The node.
    constraints (RoleConstraints): The constraints.
    RETURNS (List[_Node]): The parts.
    """
    assert node.tags is not None
    n_rows, n_labels = len(node.tags), len(constraints.needs)
    starts = np.flatnonzero((node.tags > 0) & (node.tags <= n_labels))
    rows: dict[int, list[int]] = {}
    for row, label in zip(starts.tolist(), (node.tags[starts] - 1).tolist(), strict=True):
        rows.setdefault(label, []).append(row)
    n_parts = 1
    choices: list[list[list[Edit]]] = []  # by label, the ways to have it once
    for label, own in rows.items():
        if len(own) < 2 or not constraints.is_unique[label]:
            continue
        if not choices or n_parts * len(own) <= MAX_PARTS:
            n_parts *= len(own)
            borders = [0, *own[1:], n_rows]
            choices.append(
                [
                    _keep_within(label, first, last, n_rows)
                    for first, last in zip(borders, borders[1:], strict=False)
                ]
            )
    return [
        _Node(node.bound, (*node.edits, *edits))
        for edits in map(tuple, map(chain.from_iterable, product(*choices)))
        if not _contradicts(node.edits, edits)
    ]


def _split_dependent(node: _Node, rows: np.ndarray, constraints: RoleConstraints) -> list[_Node]:
    """Split a node in whose best sequence a label lacks another one. It is either forbidden there
    (C-x: up to that row, R-x: everywhere), or the other one starts at one of the possible rows. No
    sequence that satisfies the constraints is lost.

    node (_Node): The node.
    rows (np.ndarray): [rows, 1 + 2K], the scores of the sequence.
    constraints (RoleConstraints): The constraints.
    RETURNS (List[_Node]): The parts.
    """
    assert node.violation is not None
    label, row = node.violation
    n_rows = len(rows)
    needed = int(constraints.needs[label])
    before = bool(constraints.needs_before[label])
    forbidden = (label, 0, row + 1 if before else n_rows, False)
    children = []
    if not _contradicts(node.edits, [forbidden]):
        children.append(_child(node, node.bound, forbidden))
    best = rows.max(axis=1).astype(np.float64)  # [rows]
    loss = best - rows[:, 1 + needed]
    total = float(best.sum())
    is_possible = _can_start(needed, node.edits, n_rows)
    for at in range(row if before else n_rows):
        if is_possible[at] and np.isfinite(loss[at]):
            bound = min(node.bound, total - float(loss[at]))
            children.append(_child(node, bound, (needed, at, at + 1, True)))
    return children


def _child(node: _Node, bound: float, edit: Edit) -> _Node:
    return _Node(bound, (*node.edits, edit))


def _keep_within(label: int, first: int, last: int, n_rows: int) -> list[Edit]:
    """RETURNS (List[Edit]): What forbids a label to start anywhere but from one row to another."""
    edits = ((label, 0, first, False), (label, last, n_rows, False))
    return [edit for edit in edits if edit[1] < edit[2]]


def _contradicts(old: Sequence[Edit], new: Sequence[Edit]) -> bool:
    """RETURNS (bool): Whether edits forbid what older ones demand."""
    return any(
        is_demanded and other == label and first <= row < last
        for other, row, _, is_demanded in old
        for label, first, last, _ in new
    )


def _can_start(label: int, edits: Sequence[Edit], n_rows: int) -> np.ndarray:
    """RETURNS (np.ndarray): [rows], bool: where the edits let the label start."""
    possible = np.ones(n_rows, dtype=bool)
    for other, first, last, is_demanded in edits:
        if is_demanded or other == label:
            possible[first:last] = False
    return possible
