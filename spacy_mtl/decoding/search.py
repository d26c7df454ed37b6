"""Best-first search for the tags of several sequences, all of them decoded together."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, product

import numpy as np

from .bio import mark_starts, spans_from_bio
from .constraints import RoleConstraints, drop_violations
from .contest import Contest, reduce_labels
from .scores import PlainScores
from .viterbi import decode_bio, find_cuts, solve_contest

MAX_NODES = 50  # decodings of one sequence before the search gives up
TOGETHER = 2  # decodings of one sequence at a time, but for the parts that core roles split it into
MAX_PARTS = 16  # that core roles which are there twice split a node into
VERY_LOW = -1e30  # the score of a tag that is forbidden where another one is demanded

# The label, the rows (first and last, exclusive), and whether the label must start at the first of
# these rows. If not, it must not start in any.
Edit = tuple[int, int, int, bool]


@dataclass
class _Node:
    """A part of the tag sequences: those that obey some edits.

    bound (float): No sequence of the part scores more.
    edits (Tuple[Edit, ...]): What they obey.
    n_old_edits (int): How many of them the part obeyed, too, that this one was split from.
    before (Optional[np.ndarray]): [rows], the best sequence of that part; None for the whole.
    tags (Optional[np.ndarray]): [rows], the best sequence of the part, if it was decoded.
    violation (Optional[Tuple[int, int]]): Label and row of a violation in the best sequence.
    """

    bound: float
    edits: tuple[Edit, ...] = ()
    n_old_edits: int = 0
    before: np.ndarray | None = None
    tags: np.ndarray | None = None
    violation: tuple[int, int] | None = None


class _Search:
    """The best-first search for the tags of one sequence.

    number (int): Its number in the pool.
    rows (np.ndarray): [rows, 1 + 2K], scores.
    root (_Node): All tag sequences.
    open (List[Tuple[float, int, _Node]]): A heap: negative bound, age, node.
    tags (Optional[np.ndarray]): [rows], the solution, once it is found.
    n_decoded (int): Nodes decoded.
    """

    def __init__(self, number: int, rows: np.ndarray, root: _Node) -> None:
        self.number = number
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
            tags = decode_bio(PlainScores(self.rows), [len(self.rows)])
        candidates.append(drop_violations(tags, constraints))
        at = np.arange(len(self.rows))
        sums = [self.rows[at, tags].sum(dtype=np.float64) for tags in candidates]
        self.tags = candidates[int(np.argmax(sums))]


class Pool:
    """Sequences that are searched at the same time.

    What decides about their best tags is worked out once (see `Contest`). The labels that violate a
    constraint somewhere are set apart there, so that a decoding only has to forbid or demand some
    of their starts.
    """

    def __init__(self, sequences: Sequence[np.ndarray], constraints: RoleConstraints) -> None:
        """Take sequences.

        sequences (Sequence[np.ndarray]): [rows, 1 + 2K] each, scores; at least one row.
        constraints (RoleConstraints): The constraints on K labels.
        """
        self.scores = np.concatenate(sequences)
        self.sizes = [len(rows) for rows in sequences]
        self.borders = np.cumsum([0, *self.sizes]).tolist()
        self.constraints = constraints
        self.is_start = mark_starts(self.sizes, len(self.scores))
        self.searches: list[_Search] = []
        self._apart = np.zeros((len(sequences), len(constraints.needs)), dtype=bool)
        self._contest: Contest | None = None
        self._cuts = self.is_start  # where sequences can be cut, whatever is forbidden
        self._places: dict[int, dict[int, int]] = {}  # of labels in the contest, by sequence

    def search(
        self, number: int, tags: np.ndarray | None, violation: tuple[int, int] | None
    ) -> None:
        """Begin the search for the tags of the next sequence.

        number (int): The sequence.
        tags (Optional[np.ndarray]): [rows], its best tags without constraints, where known.
        violation (Optional[Tuple[int, int]]): Label and row of a violation in them.
        """
        root = _Node(np.inf, tags=tags, violation=violation)
        rows = self.scores[self.borders[number] : self.borders[number + 1]]
        self.searches.append(_Search(number, rows, root))
        if tags is not None:
            self._set_apart(number, np.unique((tags[tags > 0] - 1) % self._apart.shape[1]))

    def give_up(self, number: int) -> None:
        """Be content with tags that satisfy the constraints.

        number (int): The sequence.
        """
        self.searches[number].give_up(self.constraints)

    def run(self, max_nodes: int) -> Iterator[np.ndarray]:
        """Search.

        max_nodes (int): Decodings of one sequence.
        YIELDS (np.ndarray): [rows], the tags of each sequence.
        """
        running = [search for search in self.searches if search.tags is None]
        while running:
            owners: list[_Search] = []
            nodes: list[_Node] = []
            for search in running:
                if search.n_decoded >= max_nodes:
                    search.give_up(self.constraints)
                    continue
                chosen = search.advance(self.constraints)
                owners += [search] * len(chosen)
                nodes += chosen
            if nodes:
                self._decode([search.number for search in owners], nodes)
            for search, node in zip(owners, nodes, strict=True):
                search.push(node)
            running = [search for search in running if search.tags is None]
        for search in self.searches:
            assert search.tags is not None
            yield search.tags

    def _set_apart(self, number: int, labels: Sequence[int] | np.ndarray) -> None:
        """Set those labels of a sequence apart that constraints are about, and what they need."""
        for label in labels:
            needed = int(self.constraints.needs[label])
            if needed >= 0:
                self._apart[number, [label, needed]] = True
            elif self.constraints.is_unique[label]:
                self._apart[number, label] = True

    def _reduce(self, numbers: Sequence[int], nodes: Sequence[_Node]) -> Contest:
        """RETURNS (Contest): All sequences; labels that the nodes edit are apart."""
        for number, node in zip(numbers, nodes, strict=True):
            for label, *_ in node.edits:
                if not self._apart[number, label]:
                    self._apart[number, label] = True
                    self._contest = None
        if self._contest is None:
            self._contest = reduce_labels(self.scores, self.is_start, self._apart)
            of_row = self._apart[self.is_start.cumsum() - 1]  # [rows, K]
            forbiddable = np.take_along_axis(of_row, self._contest.labels, axis=1)
            self._cuts = find_cuts(self._contest, forbiddable)
            self._places = {}
        return self._contest

    def _place(self, contest: Contest, number: int, label: int) -> int:
        """RETURNS (int): The place of a label among those left in a sequence."""
        if number not in self._places:
            labels = contest.labels[self.borders[number]].tolist()
            self._places[number] = {label: place for place, label in enumerate(labels)}
        return self._places[number][label]

    def _decode(self, numbers: Sequence[int], nodes: Sequence[_Node]) -> None:
        """Find the best sequences of nodes and write them, their sums and violations into the
        nodes."""
        contest = self._reduce(numbers, nodes)
        n_labels = self._apart.shape[1]
        sizes = [self.sizes[number] for number in numbers]
        borders = np.cumsum([0, *sizes]).tolist()
        shifts = [self.borders[n] - border for n, border in zip(numbers, borders, strict=False)]
        row = np.arange(borders[-1]) + np.repeat(shifts, sizes)  # in the pool
        tags = np.concatenate(
            [_tags_before(node, size) for node, size in zip(nodes, sizes, strict=True)]
        )
        self._solve(numbers, nodes, contest, row, borders, tags)
        scored = self.scores.ravel().take(row * self.scores.shape[1] + tags)
        sums = np.add.reduceat(scored.astype(np.float64), borders[:-1])
        starts, _, label_ids = spans_from_bio(tags, sizes, n_labels)
        owners = np.searchsorted(borders, starts, side="right") - 1
        violations = self.constraints.find_violations(owners, starts, label_ids)
        for i, (node, total) in enumerate(zip(nodes, sums.tolist(), strict=True)):
            node.tags = tags[borders[i] : borders[i + 1]]
            node.bound = total
        for i, label, at in zip(*(values.tolist() for values in violations[:3]), strict=True):
            nodes[i].violation = label, at - borders[i]

    def _solve(
        self,
        numbers: Sequence[int],
        nodes: Sequence[_Node],
        contest: Contest,
        row: np.ndarray,
        borders: Sequence[int],
        tags: np.ndarray,
    ) -> None:
        """Find the best tags of nodes. Segments without a start that the new edits forbid stay as
        they were before them.

        numbers (Sequence[int]): The sequence of each node.
        nodes (Sequence[_Node]): The nodes.
        contest (Contest): All sequences.
        row (np.ndarray): [rows], where the nodes' rows are in the pool.
        borders (Sequence[int]): [nodes + 1], the first row of each node among these, and the end.
        tags (np.ndarray): [rows], the tags before the new edits; those after are written into it.
        """
        n_labels = self._apart.shape[1]
        is_start = np.zeros(len(row), dtype=bool)
        is_start[borders[:-1]] = True
        begin = contest.begin[row]
        is_open = np.zeros(len(row), dtype=bool)  # rows to be solved again
        for number, node, offset, end in zip(numbers, nodes, borders, borders[1:], strict=False):
            for label, first, last, is_demanded in node.edits:
                if not is_demanded:
                    place = self._place(contest, number, label)
                    begin[offset + first : offset + last, place] = -np.inf
            if _is_restricted(node):
                for label, first, last, _ in node.edits[node.n_old_edits :]:
                    edited = slice(offset + first, offset + last)
                    is_open[edited] |= tags[edited] == 1 + label
            else:
                is_open[offset:end] = True
        is_cut = is_start | (self._cuts[row] & (tags <= n_labels) & ~is_open)
        segment = is_cut.cumsum() - 1
        is_open = np.bincount(segment[is_open], minlength=segment[-1] + 1)[segment] > 0
        chosen = row[is_open]
        part = Contest(
            contest.closed[chosen],
            contest.closed_tags[chosen],
            contest.labels[chosen],
            begin[is_open],
            contest.inside[chosen],
        )
        part.inside[is_cut[is_open]] = -np.inf
        place_of = is_open.cumsum() - 1  # in the part, of each row that is there
        for number, node, offset in zip(numbers, nodes, borders, strict=False):
            for label, first, _, is_demanded in node.edits:
                if is_demanded:
                    place = self._place(contest, number, label)
                    self._demand(part, place_of[offset + first], place)
        tags[is_open] = solve_contest(part, is_cut[is_open], n_labels)

    @staticmethod
    def _demand(contest: Contest, row: int, place: int) -> None:
        """Let nothing but one label's B be at a row."""
        kept = contest.begin[row, place]
        contest.closed[row] = VERY_LOW
        contest.begin[row] = -np.inf
        contest.inside[row] = -np.inf
        contest.begin[row, place] = kept


def _is_restricted(node: _Node) -> bool:
    """RETURNS (bool): Whether a node only forbids what the node that it was split from had."""
    return node.before is not None and not any(is_demanded for *_, is_demanded in node.edits)


def _tags_before(node: _Node, size: int) -> np.ndarray:
    """RETURNS (np.ndarray): [rows], the best tags before the new edits, where known."""
    return np.zeros(size, dtype=np.int64) if node.before is None else node.before


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
        _Node(node.bound, (*node.edits, *edits), len(node.edits), node.tags)
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
    return _Node(bound, (*node.edits, edit), len(node.edits), node.tags)


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
