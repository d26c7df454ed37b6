"""Greedy decoding of spaCy's transition-based entity recognizer, for all tokens of a batch at once.

Outside of entities, the recognizer's state is the next token alone: the scores of all tokens are
three matrix products. Only inside entities does a step depend on the one before; all entities of a
batch take these steps together. The actions are those of spaCy's `BiluoPushDown`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from thinc.api import Model

from .state_scores import StateScorer


@dataclass
class EntityMoves:
    """The transition system's classes.

    kinds (np.ndarray): [classes], one of "B", "I", "L", "U", "O".
    labels (List[str]): The entity label of each class, empty for "O".
    inside (Dict[str, Tuple[int, int]]): The classes of "I" and "L" for each label.
    """

    kinds: np.ndarray
    labels: list[str]
    inside: dict[str, tuple[int, int]]

    @classmethod
    def from_names(cls, names: Sequence[str]) -> "EntityMoves | None":
        """Read the classes off their names.

        names (Sequence[str]): Names such as "B-PERSON", in the order of the classes.
        RETURNS (Optional[EntityMoves]): The classes, None if a label lacks some of them.
        """
        kinds = np.array([name[:1] for name in names])
        labels = [name[2:] for name in names]
        number = {name: place for place, name in enumerate(names)}
        inside = {}
        for label in sorted({label for label in labels if label}):
            if f"I-{label}" not in number or f"L-{label}" not in number:
                return None
            inside[label] = (number[f"I-{label}"], number[f"L-{label}"])
        return cls(kinds, labels, inside) if "O" in number else None


def decode_entities(
    model: Model[Any, Any],
    moves: EntityMoves,
    vectors: np.ndarray,
    lengths: Sequence[int],
    starts_sentence: np.ndarray,
    is_space: np.ndarray,
) -> list[list[tuple[int, int, str]]]:
    """Find the entities that the greedy parse of each document has.

    model (Model): A transition model with features of three tokens.
    moves (EntityMoves): Its classes.
    vectors (np.ndarray): [tokens, width], what its `tok2vec` gives for the documents.
    lengths (Sequence[int]): The number of tokens of each document.
    starts_sentence (np.ndarray): [tokens], whether a token is known to start a sentence.
    is_space (np.ndarray): [tokens], whether a token is whitespace.
    RETURNS (List[List[Tuple[int, int, str]]]): Start, end and label for each document's entities.
    """
    ends = np.cumsum(lengths)
    is_last = np.zeros(len(vectors), dtype=bool)
    is_last[ends[np.asarray(lengths) > 0] - 1] = True
    must_end = is_last | np.append(starts_sentence[1:], False)  # no entity goes beyond
    scorer = StateScorer(model)
    action = _outside_actions(scorer, moves, vectors, must_end, is_space)
    kind = moves.kinds[action]
    starts = np.flatnonzero((kind == "B") | (kind == "U"))
    stops = starts + 1
    is_open = np.flatnonzero(kind[starts] == "B")
    stops[is_open] = _entity_ends(
        scorer, moves, vectors, must_end, starts[is_open], action[starts[is_open]]
    )
    document = np.searchsorted(ends, starts, side="right")
    firsts = ends - np.asarray(lengths)
    entities: list[list[tuple[int, int, str]]] = [[] for _ in lengths]
    position = 0
    for start, stop, number in zip(starts.tolist(), stops.tolist(), document.tolist(), strict=True):
        if start >= position:  # else inside of the entity before
            first = int(firsts[number])
            label = moves.labels[action[start]]
            entities[number].append((start - first, stop - first, label))
            position = stop
    return entities


def _outside_actions(
    scorer: StateScorer,
    moves: EntityMoves,
    vectors: np.ndarray,
    must_end: np.ndarray,
    is_space: np.ndarray,
) -> np.ndarray:
    """The action at each token if no entity is open there: [tokens], classes."""
    hidden = scorer.features(vectors, 0)
    hidden += scorer.padding[1]
    hidden += scorer.padding[2]
    scores = scorer.scores(hidden)
    labelled = np.array([bool(label) for label in moves.labels])
    allowed = np.zeros((3, len(moves.labels)), dtype=bool)  # anywhere, no B, only O
    allowed[:] = moves.kinds == "O"
    allowed[:2] |= labelled & (moves.kinds == "U")
    allowed[0] |= labelled & (moves.kinds == "B")
    penalty = np.where(allowed, 0.0, -np.inf).astype(scores.dtype)
    scores += penalty[np.where(is_space, 2, must_end.astype(int))]
    return scores.argmax(1)


def _entity_ends(
    scorer: StateScorer,
    moves: EntityMoves,
    vectors: np.ndarray,
    must_end: np.ndarray,
    starts: np.ndarray,
    actions: np.ndarray,
) -> np.ndarray:
    """Where entities that begin at some tokens end: [entities], the token after the last."""
    stops = np.zeros_like(starts)
    if not len(starts):
        return stops
    steps = np.array([moves.inside[moves.labels[action]] for action in actions])  # [entities, 2]
    of_start = scorer.features(vectors[starts], 1)
    active = np.arange(len(starts))
    token = starts + 1
    while len(active):
        hidden = scorer.features(vectors[token], 0)
        hidden += of_start[active]
        hidden += scorer.features(vectors[token - 1], 2)
        scores = scorer.scores(hidden)
        row = np.arange(len(active))
        go_on, end = steps[active].T
        better = scores[row, go_on] - scores[row, end]
        goes_on = ~must_end[token] & ((better > 0) | ((better == 0) & (go_on < end)))
        stops[active[~goes_on]] = token[~goes_on] + 1
        active, token = active[goes_on], token[goes_on] + 1
    return stops
