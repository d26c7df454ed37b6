"""The counts of the CoNLL-2009 shared task's official scorer."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from spacy.scorer import PRFScore

from .frames import add_by_role, add_counts, counts, prf, prf_per_role
from .heads import HeadFrame


@dataclass
class Conll09Counts:
    """Counts of semantic dependencies as `eval09.pl` of the CoNLL-2009 shared task makes them.

    predicates (PRFScore): Predicates at the right place.
    senses (PRFScore): Those with the right sense.
    arguments (PRFScore): Arguments with the right predicate, head and label.
    unlabelled (PRFScore): Arguments with the right predicate and head.
    propositions (PRFScore): Predicates with the right sense and exactly the right arguments.
    per_role (Dict[str, PRFScore]): The arguments of each role.
    sentences (int): Sentences seen.
    exact (int): Sentences in which everything is right.
    """

    predicates: PRFScore = field(default_factory=PRFScore)
    senses: PRFScore = field(default_factory=PRFScore)
    arguments: PRFScore = field(default_factory=PRFScore)
    unlabelled: PRFScore = field(default_factory=PRFScore)
    propositions: PRFScore = field(default_factory=PRFScore)
    per_role: dict[str, PRFScore] = field(default_factory=dict)
    sentences: int = 0
    exact: int = 0

    @property
    def labelled_dependencies(self) -> PRFScore:
        """Senses and arguments together: the "labeled" semantic score of the shared task."""
        return self.senses + self.arguments

    @property
    def unlabelled_dependencies(self) -> PRFScore:
        """Predicates and unlabelled arguments together: the "unlabeled" semantic score."""
        return self.predicates + self.unlabelled

    def __iadd__(self, other: "Conll09Counts") -> "Conll09Counts":
        for name in ("predicates", "senses", "arguments", "unlabelled", "propositions"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        add_counts(self.per_role, other.per_role.items())
        self.sentences += other.sentences
        self.exact += other.exact
        return self

    def to_scores(self, prefix: str) -> dict[str, Any]:
        """Name the scores.

        prefix (str): First part of the names.
        RETURNS (Dict[str, Any]): `p`, `r` and `f` of the labelled semantic dependencies; the same
            of `unlabelled` ones, `predicates`, `senses`, `arguments` and `propositions`; those of
            arguments `per_role`; and the share of sentences that are `exact`. None where there is
            nothing to score.
        """
        return {
            **prf(prefix, self.labelled_dependencies),
            **prf(f"{prefix}_unlabelled", self.unlabelled_dependencies),
            **prf(f"{prefix}_predicates", self.predicates),
            **prf(f"{prefix}_senses", self.senses),
            **prf(f"{prefix}_arguments", self.arguments),
            **prf(f"{prefix}_propositions", self.propositions),
            f"{prefix}_per_role": prf_per_role(self.per_role),
            f"{prefix}_exact": self.exact / self.sentences if self.sentences else None,
        }


def conll09_counts(
    gold_frames: Sequence[HeadFrame],
    pred_frames: Sequence[HeadFrame],
    sentence_of: Callable[[tuple[int, int]], int] = lambda predicate: 0,
    n_sentences: int = 1,
) -> Conll09Counts:
    """Count right, excess and missed semantic dependencies as the official CoNLL-2009 scorer does.

    - The sense of a predicate is the label of a dependency from the root: that of `give.01` is
      `01`, whatever stands before the dot. Senses that are numbers are compared as numbers; what is
      not two parts around one dot is compared whole.
    - An argument is right if predicate, head and label are, even if the sense is wrong. `C-X` and
      `R-X` are labels of their own. A label `X|Y` is two arguments.
    - Arguments of predicates that are only predicted are excess.

    Paper: Hajič et al., The CoNLL-2009 Shared Task: Syntactic and Semantic Dependencies in Multiple
    Languages. https://aclanthology.org/W09-1201

    gold_frames (Sequence[HeadFrame]): The gold frames of a document.
    pred_frames (Sequence[HeadFrame]): The predicted frames of the same document.
    sentence_of (Callable[[Tuple[int, int]], int]): The number of a predicate's sentence.
    n_sentences (int): The sentences of the document.
    RETURNS (Conll09Counts): The counts.
    """
    gold = {frame.predicate: (_sense(frame.roleset), _arguments(frame)) for frame in gold_frames}
    predicted = {
        frame.predicate: (_sense(frame.roleset), _arguments(frame)) for frame in pred_frames
    }
    found = [(gold[predicate], predicted[predicate]) for predicate in gold.keys() & predicted]
    right_sense = [pair for pair in found if pair[0][0] == pair[1][0]]
    right_arguments = sum(len(left[1] & right[1]) for left, right in found)
    right_heads = sum((_heads(left[1]) & _heads(right[1])).total() for left, right in found)
    n_gold = sum(len(arguments) for _, arguments in gold.values())
    n_predicted = sum(len(arguments) for _, arguments in predicted.values())
    per_role: defaultdict[str, PRFScore] = defaultdict(PRFScore)
    for predicate in gold.keys() | predicted:
        add_by_role(
            per_role,
            predicted.get(predicate, ("", set()))[1],
            gold.get(predicate, ("", set()))[1],
        )
    wrong = {
        sentence_of(predicate)
        for predicate in gold.keys() | predicted
        if gold.get(predicate) != predicted.get(predicate)
    }
    return Conll09Counts(
        predicates=counts(len(found), len(predicted), len(gold)),
        senses=counts(len(right_sense), len(predicted), len(gold)),
        arguments=counts(right_arguments, n_predicted, n_gold),
        unlabelled=counts(right_heads, n_predicted, n_gold),
        propositions=counts(sum(left == right for left, right in found), len(predicted), len(gold)),
        per_role=dict(per_role),
        sentences=n_sentences,
        exact=n_sentences - len(wrong),
    )


def _sense(roleset: str) -> str | int:
    parts = roleset.split(".")
    sense = parts[1] if len(parts) == 2 and all(parts) else roleset
    return int(sense) if sense.isascii() and sense.isdigit() else sense


def _arguments(frame: HeadFrame) -> set[tuple[str, int]]:
    return {(part, head) for label, head in frame.arguments for part in label.split("|")}


def _heads(arguments: set[tuple[str, int]]) -> "Counter[int]":
    return Counter(head for _, head in arguments)
