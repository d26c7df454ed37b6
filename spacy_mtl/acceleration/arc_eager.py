"""Greedy arc-eager parsing, as spaCy's parser does it, of all sentences of a batch in lockstep.

When the stack is empty and nothing was put back into the buffer, what spaCy's parser does next
depends on the next token alone, not on what was parsed before. So a parse can be begun at every
token that may start a sentence, before it is known whether the parser gets there with an empty
stack. A run ends where it meets the start of another; the runs that follow one another from the
first token of a document are its parse, the others are dropped. Every step is made by all runs
together, in a few operations on arrays. The actions and their conditions are those of spaCy's
`ArcEager` (Honnibal & Johnson, 2015, https://aclanthology.org/D15-1162/).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .state_scores import StateScorer

KINDS = "SDLRB"  # shift, reduce, left arc, right arc, break
SHIFT, REDUCE, LEFT, RIGHT, BREAK = range(5)
N_FEATURES = 8
REACH = 8  # how many starts after its own a run can look at, before it is run again with more
UNSEEN = -1e30


@dataclass
class ArcMoves:
    """The transition system's classes.

    kinds (np.ndarray): [classes], places in "SDLRB".
    labels (List[str]): The dependency label of each class, empty where it has none.
    penalties (np.ndarray): [16, classes], what to add to the scores of classes if shifting (1),
        reducing (2), arcs (4) and breaking (8) are allowed.
    """

    kinds: np.ndarray
    labels: list[str]
    penalties: np.ndarray

    @classmethod
    def from_names(cls, names: Sequence[str], unseen: set[int]) -> "ArcMoves | None":
        """Read the classes off their names.

        names (Sequence[str]): Names such as "L-nsubj", in the order of the classes.
        unseen (Set[int]): The classes that were not there in training.
        RETURNS (Optional[ArcMoves]): The classes, None if they include subtokens, whose arcs have
            a condition of their own, or an unseen one before a seen one.
        """
        labels = [name[2:] for name in names]
        if "subtok" in labels or (unseen and min(unseen) < len(names) - len(unseen)):
            return None
        kinds = np.array([KINDS.index(name[:1]) for name in names])
        bits = np.array([1, 2, 4, 4, 8])[kinds]
        allowed = (np.arange(16)[:, None] & bits) > 0  # [16, classes]
        penalties = np.where(allowed, 0.0, -np.inf).astype("f")
        penalties[:, sorted(unseen)] += UNSEEN
        return cls(kinds, labels, penalties)


def parse(
    scorer: StateScorer,
    moves: ArcMoves,
    vectors: np.ndarray,
    lengths: Sequence[int],
    sent_starts: np.ndarray,
    may_start: np.ndarray,
    memory: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Parse documents greedily.

    scorer (StateScorer): The scores of states of eight tokens.
    moves (ArcMoves): The classes.
    vectors (np.ndarray): [tokens, width], what the model's `tok2vec` gives for the documents.
    lengths (Sequence[int]): The number of tokens of each document.
    sent_starts (np.ndarray): [tokens], 1 for tokens known to start a sentence, -1 for tokens known
        not to, else 0.
    may_start (np.ndarray): [tokens], where parses are begun. It changes the time, not the result.
    memory (Optional[np.ndarray]): Where to put the table of the scorer.
    RETURNS (Tuple[np.ndarray, np.ndarray]): [tokens], the head of each token relative to it, and
        the class whose label its arc has, -1 if it has no head.
    """
    n_tokens = len(vectors)
    ends = np.cumsum([length for length in lengths if length])
    begins = np.append(0, ends[:-1])
    is_run = may_start.copy()
    is_run[begins] = True
    starts = np.flatnonzero(is_run)
    ends_of = ends[np.searchsorted(ends, starts, side="right")]  # of their documents
    table = torch.from_numpy(scorer.table(vectors, memory))
    heads = np.zeros(n_tokens, dtype=np.int64)
    classes = np.full(n_tokens, -1)
    stops = np.full(n_tokens, -1)  # by first token: where the run stopped, -1 if out of reach
    made_in = np.zeros(n_tokens, dtype=int)  # by first token: the round
    rounds: list[_Runs] = []
    pending, reached, reach = starts, begins, REACH
    while len(pending):
        places = np.searchsorted(starts, pending)
        last = np.append(starts, n_tokens)[np.minimum(places + reach, len(starts))]
        runs = _Runs(pending, np.minimum(last, ends_of[places]), ends_of[places], n_tokens)
        runs.run(scorer, moves, table, sent_starts, is_run)
        stops[pending] = runs.stops
        made_in[pending] = len(rounds)
        rounds.append(runs)
        lost = []
        while len(reached):
            has_stopped = stops[reached] >= 0
            lost.append(reached[~has_stopped])
            reached = reached[has_stopped]
            for number in np.unique(made_in[reached]):
                rounds[number].write(reached[made_in[reached] == number], heads, classes)
            following = stops[reached]
            reached = following[following < ends_of[np.searchsorted(starts, reached)]]
        pending = reached = np.sort(np.concatenate(lost))
        reach *= 8
    return heads, classes


class _Runs:
    """Parses begun at some tokens.

    Each run has its own copy of the tokens that it may look at, its cells. Two more cells stand
    for "no token" and "a token that is out of reach". Per cell: the one below it in the stack (or
    in the tokens put back into the buffer), the last child to each side, the right sibling
    attached before it, its head and the class of its arc.
    """

    def __init__(
        self, starts: np.ndarray, limits: np.ndarray, ends: np.ndarray, n_tokens: int
    ) -> None:
        """Make the cells.

        starts (np.ndarray): [runs], the first token of each.
        limits (np.ndarray): [runs], the token after the last that each may look at.
        ends (np.ndarray): [runs], the token after the last of each one's document.
        n_tokens (int): The number of tokens, of all documents.
        """
        sizes = limits - starts
        self.starts = starts
        self.firsts = np.cumsum(sizes) - sizes  # cells
        self.none = int(sizes.sum())
        self.beyond = self.none + 1
        n_cells = self.none + 2
        self.token = np.full(n_cells, n_tokens)
        self.token[: self.none] = np.arange(self.none) + np.repeat(starts - self.firsts, sizes)
        self.next = np.arange(1, n_cells + 1)
        self.next[self.firsts + sizes - 1] = np.where(limits == ends, self.none, self.beyond)
        self.next[self.none :] = [self.none, self.beyond]
        empty = np.full(n_cells, self.none)
        self.below, self.left, self.right = empty.copy(), empty.copy(), empty.copy()
        self.older, self.head = empty.copy(), empty
        self.action = np.full(n_cells, -1)
        self.stops = np.full(len(starts), -1)
        self.ends = ends

    def run(
        self,
        scorer: StateScorer,
        moves: ArcMoves,
        table: torch.Tensor,
        sent_starts: np.ndarray,
        is_run: np.ndarray,
    ) -> None:
        """Take all runs to their stops.

        scorer (StateScorer): The scores of states.
        moves (ArcMoves): The classes.
        table (torch.Tensor): [(tokens + 1) * features, pieces * hidden].
        sent_starts (np.ndarray): [tokens], 1, 0 or -1.
        is_run (np.ndarray): [tokens], where runs start.
        """
        none, following = self.none, self.next
        preset = np.append(sent_starts, 0)[self.token]
        is_start, not_start = preset == 1, preset == -1
        no_break = preset != 0
        broken = np.zeros(len(preset), dtype=bool)  # starts of sentences that runs chose
        kept = np.zeros(len(preset), dtype=bool)  # were put back once, can't be shifted again
        is_stop = np.append(is_run, False)[self.token]
        is_stop[none] = True
        places = np.arange(N_FEATURES)
        below, left, right, older, head = self.below, self.left, self.right, self.older, self.head

        number = np.arange(len(self.starts))
        front = self.firsts.copy()  # of what was never taken off the buffer
        stack, back = np.full(len(front), none), np.full(len(front), none)  # top cells
        while len(number):
            first, second = front, following[front]
            has_back = back != none
            some_back = has_back.any()
            if some_back:
                deeper = below[back]
                second = np.where(has_back, np.where(deeper != none, deeper, front), second)
                first = np.where(has_back, back, front)
            is_lost = second == self.beyond
            if is_lost.any():
                go = ~is_lost
                number, front, stack, back = number[go], front[go], stack[go], back[go]
                continue
            second_in_stack = below[stack]
            cells = np.stack(
                [
                    first,
                    second,
                    stack,
                    second_in_stack,
                    below[second_in_stack],
                    left[first],
                    left[stack],
                    right[stack],
                ],
                axis=1,
            )  # [runs, features]
            rows = self.token[cells]
            rows *= N_FEATURES
            rows += places
            sums = torch.embedding_bag(
                table, torch.from_numpy(rows.reshape(-1)), _offsets(len(rows))
            )
            scores = scorer.scores(sums[0].numpy())
            filled = stack != none
            has_first, has_second = first != none, second != none
            within = has_first & ~is_start[first]
            allowed = (has_second & within & ~kept[first]) | ~filled
            allowed = allowed + 2 * (
                filled & ~(has_first & (second_in_stack == none) & not_start[first])
            )
            allowed += 4 * (filled & within)
            allowed += 8 * (has_second & (second == first + 1) & ~no_break[second])
            scores += moves.penalties[allowed]
            action = scores.argmax(1)
            kind = moves.kinds[action]

            which = np.flatnonzero(kind == LEFT)
            child, parent = stack[which], first[which]
            previous = head[child]
            was_attached = previous != none  # to the one below, as its last child
            right[previous[was_attached]] = older[child[was_attached]]
            head[child] = parent
            self.action[child] = action[which]
            left[parent] = child
            kept[parent] = False
            new_stack = np.where((kind == LEFT) | (kind == REDUCE), second_in_stack, stack)

            which = np.flatnonzero(kind == REDUCE)
            child = stack[which]
            is_put_back = (head[child] == none) & (second_in_stack[which] != none)
            if is_put_back.any():
                which, child = which[is_put_back], child[is_put_back]
                kept[child] = True
                below[child] = back[which]
                back[which] = child

            which = np.flatnonzero(kind == RIGHT)
            child, parent = first[which], stack[which]
            head[child] = parent
            self.action[child] = action[which]
            older[child] = right[parent]
            right[parent] = child

            which = np.flatnonzero((kind == SHIFT) | (kind == RIGHT))
            pushed = first[which]
            if some_back:
                was_back = has_back[which]
                back[which[was_back]] = below[pushed[was_back]]
                fresh = which[~was_back]
                front[fresh] = following[front[fresh]]
            else:
                front[which] = following[pushed]
            below[pushed] = stack[which]
            new_stack[which] = pushed
            stack = new_stack

            target = second[kind == BREAK]
            is_start[target] = no_break[target] = broken[target] = True

            is_clear = (stack == none) & (back == none)
            if is_clear.any():
                is_clear &= is_stop[front] & (left[front] == none) & ~broken[following[front]]
                done = number[is_clear]
                self.stops[done] = self.token[front[is_clear]]
                go = ~is_clear
                number, front, stack, back = number[go], front[go], stack[go], back[go]
        at_end = self.stops == self.token[none]
        self.stops[at_end] = self.ends[at_end]

    def write(self, starts: np.ndarray, heads: np.ndarray, classes: np.ndarray) -> None:
        """Write what runs have found.

        starts (np.ndarray): [some runs], their first tokens.
        heads (np.ndarray): [tokens], relative heads, to be written to.
        classes (np.ndarray): [tokens], classes of arcs, to be written to.
        """
        which = np.searchsorted(self.starts, starts)
        sizes = self.stops[which] - starts
        places = np.cumsum(sizes) - sizes
        cells = np.arange(sizes.sum()) + np.repeat(self.firsts[which] - places, sizes)
        tokens = self.token[cells]
        head = self.head[cells]
        heads[tokens] = np.where(head == self.none, 0, self.token[head] - tokens)
        classes[tokens] = self.action[cells]


def _offsets(n_states: int) -> torch.Tensor:
    return torch.arange(0, n_states * N_FEATURES, N_FEATURES)
