"""This package's own scores: every mistake counts, whether in predicates or in arguments."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from spacy.scorer import PRFScore

from .frames import PREDICATE_LABELS, CharacterFrame, add_by_role, prf, prf_per_role


@dataclass
class SymmetricCounts:
    """Counts in which gold and predicted frames have equal standing.

    predicates (PRFScore): Predicates at the right place.
    senses (PRFScore): Predicates with the right roleset, without those that have none in gold.
    found_with_sense (int): Predicates found that have a roleset in gold.
    arguments (PRFScore): Arguments with the right predicate, span and label.
    unlabelled (PRFScore): Arguments with the right predicate and span.
    per_role (DefaultDict[str, PRFScore]): The arguments of each role.
    """

    predicates: PRFScore = field(default_factory=PRFScore)
    senses: PRFScore = field(default_factory=PRFScore)
    found_with_sense: int = 0
    arguments: PRFScore = field(default_factory=PRFScore)
    unlabelled: PRFScore = field(default_factory=PRFScore)
    per_role: "defaultdict[str, PRFScore]" = field(default_factory=lambda: defaultdict(PRFScore))

    def add(self, gold: Sequence[CharacterFrame], predicted: Sequence[CharacterFrame]) -> None:
        """Count the frames of a document.

        gold (Sequence[CharacterFrame]): The gold frames.
        predicted (Sequence[CharacterFrame]): The predicted frames.
        """
        gold_senses = {frame.predicate: frame.roleset for frame in gold}
        predicted_senses = {frame.predicate: frame.roleset for frame in predicted}
        self.predicates.score_set(set(predicted_senses), set(gold_senses))
        without_sense = {predicate for predicate, roleset in gold_senses.items() if not roleset}
        scored_senses = {pair for pair in predicted_senses.items() if pair[0] not in without_sense}
        self.senses.score_set(
            scored_senses,
            {pair for pair in gold_senses.items() if pair[0] not in without_sense},
        )
        self.found_with_sense += sum(predicate in gold_senses for predicate, _ in scored_senses)
        gold_arguments = _argument_set(gold)
        predicted_arguments = _argument_set(predicted)
        self.arguments.score_set(predicted_arguments, gold_arguments)
        self.unlabelled.score_set(
            _without_label(predicted_arguments), _without_label(gold_arguments)
        )
        add_by_role(self.per_role, predicted_arguments, gold_arguments)

    def to_scores(self, prefix: str) -> dict[str, Any]:
        """Name the scores.

        prefix (str): First part of the names.
        RETURNS (Dict[str, Any]): See `score_srl`.
        """
        senses, unlabelled = self.senses, self.unlabelled
        return {
            **prf(f"{prefix}_predicates", self.predicates),
            f"{prefix}_rolesets_f": senses.fscore if len(senses) else None,
            f"{prefix}_rolesets_acc": (
                senses.tp / max(self.found_with_sense, 1) if len(senses) else None
            ),
            **prf(f"{prefix}_arguments", self.arguments),
            f"{prefix}_arguments_per_role": prf_per_role(self.per_role),
            f"{prefix}_arguments_unlabelled_f": unlabelled.fscore if len(unlabelled) else None,
        }


def _argument_set(
    frames: Iterable[CharacterFrame],
) -> set[tuple[str, tuple[int, int], int, int]]:
    return {
        (label, frame.predicate, start, end)
        for frame in frames
        for label, start, end in frame.arguments
        if label not in PREDICATE_LABELS
    }


def _without_label(
    arguments: Iterable[tuple[str, tuple[int, int], int, int]],
) -> set[tuple[tuple[int, int], int, int]]:
    return {argument[1:] for argument in arguments}
