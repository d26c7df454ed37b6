"""The counts of the CoNLL-2005 shared task's official scorer."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from spacy.scorer import PRFScore

from ..alignment import IndexedFrame
from .frames import (
    CONTINUATION,
    PREDICATE_LABELS,
    CharacterFrame,
    add_by_role,
    add_counts,
    prf,
    prf_per_role,
)


@dataclass
class Conll05Counts:
    """Counts of arguments as `srl-eval.pl` of the CoNLL-2005 shared task makes them.

    per_role (Dict[str, PRFScore]): For each role the correct (`tp`), excess (`fp`) and missed
        (`fn`) arguments.
    propositions (int): Gold frames seen.
    perfect (int): Gold frames without an excess or missed argument.
    """

    per_role: dict[str, PRFScore] = field(default_factory=dict)
    propositions: int = 0
    perfect: int = 0

    @property
    def overall(self) -> PRFScore:
        """The counts of all roles together."""
        return sum(self.per_role.values(), PRFScore())

    def __iadd__(self, other: "Conll05Counts") -> "Conll05Counts":
        add_counts(self.per_role, other.per_role.items())
        self.propositions += other.propositions
        self.perfect += other.perfect
        return self

    def to_scores(self, prefix: str) -> dict[str, Any]:
        """Name the scores.

        prefix (str): First part of the names.
        RETURNS (Dict[str, Any]): `p`, `r` and `f` of all arguments, the same `per_role`, and the
            share of `perfect` propositions; None where there is nothing to score.
        """
        return {
            **prf(prefix, self.overall),
            f"{prefix}_per_role": prf_per_role(self.per_role),
            f"{prefix}_perfect": self.perfect / self.propositions if self.propositions else None,
        }


def conll05_counts(
    gold_frames: Sequence[IndexedFrame | CharacterFrame],
    pred_frames: Sequence[IndexedFrame | CharacterFrame],
) -> Conll05Counts:
    """Count right, excess and missed arguments as the official CoNLL-2005 scorer does.

    - `C-X` continues the nearest `X` before it in its frame. The discontinuous argument counts
      once, and is right only if all its pieces are. A `C-X` without an `X` before it is an `X`.
    - `V`, with its continuations, does not count. `R-X` is a role of its own.
    - All arguments of a gold frame that is not predicted are missed.
    - Frames that are only predicted are skipped: they do not lower the precision.

    Frames belong together if their predicates are at the same place; the roleset does not matter.
    Paper: Carreras and Màrquez, Introduction to the CoNLL-2005 Shared Task: Semantic Role Labeling.
    https://aclanthology.org/W05-0620

    gold_frames (Sequence[Union[IndexedFrame, CharacterFrame]]): The gold frames of a document.
    pred_frames (Sequence[Union[IndexedFrame, CharacterFrame]]): The predicted frames of the same
        document, in the same kind of offsets.
    RETURNS (Conll05Counts): The counts.
    """
    predicted = {frame.predicate: frame for frame in pred_frames}
    per_role: defaultdict[str, PRFScore] = defaultdict(PRFScore)
    perfect = 0
    for frame in gold_frames:
        gold_arguments = _joined_arguments(frame.arguments)
        match = predicted.get(frame.predicate)
        predicted_arguments = _joined_arguments(match.arguments) if match else set()
        add_by_role(per_role, predicted_arguments, gold_arguments)
        perfect += gold_arguments == predicted_arguments
    return Conll05Counts(dict(per_role), len(gold_frames), perfect)


def _joined_arguments(
    arguments: Iterable[tuple[str, int, int]],
) -> set[tuple[str, tuple[tuple[int, int], ...]]]:
    """RETURNS (Set[Tuple[str, Tuple[Tuple[int, int], ...]]]): Role and pieces of each argument."""
    joined: list[tuple[str, list[tuple[int, int]]]] = []
    latest: dict[str, list[tuple[int, int]]] = {}
    for label, start, end in sorted(arguments, key=lambda argument: argument[1]):
        role = label.removeprefix(CONTINUATION)
        if label in PREDICATE_LABELS:
            continue
        if role != label and role in latest:
            latest[role].append((start, end))
        else:
            latest[role] = [(start, end)]
            joined.append((role, latest[role]))
    return {(role, tuple(pieces)) for role, pieces in joined}
