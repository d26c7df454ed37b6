"""The stricter counts of PriMeSRL."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import product
from typing import Any

from spacy.scorer import PRFScore

from .frames import CONTINUATION, REFERENCE, prf

# Pieces of text, each its first and last character (exclusive), in the order of their reading.
Pieces = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class PrimeArgument:
    """An argument as PriMeSRL compares it.

    label (str): The role.
    head (Tuple[Tuple[int, int], ...]): Its head word, or the head words of its joined pieces.
    span (Tuple[Tuple[int, int], ...]): Its words.
    """

    label: str
    head: Pieces
    span: Pieces


@dataclass(frozen=True, slots=True)
class PrimeFrame:
    """A frame as PriMeSRL compares it.

    predicate (Tuple[int, int]): First and last character (exclusive) of the predicate's first
        token, counted without whitespace.
    roleset (str): Its sense; empty if not known.
    arguments (Tuple[PrimeArgument, ...]): Its arguments in text order, `C-X` and `R-X` not joined.
    """

    predicate: tuple[int, int]
    roleset: str
    arguments: tuple[PrimeArgument, ...]


class Outcome(str, Enum):
    """What a comparison of arguments finds, by PriMeSRL's names, the best first."""

    CORRECT = "Correct"
    OTHER_HEAD = "SameValueSameSpanDiffHead"
    OTHER_LABEL = "SameSpanDiffValue"
    OTHER_SPAN = "SameHeadSameValueDiffSpan"
    OTHER_PLACE = "SameValueDiffSpan"
    MISSING = "Missing"
    SPURIOUS = "Spurious"


RIGHT = (Outcome.CORRECT, Outcome.OTHER_SPAN)
# An argument that is wrong in one way is both spurious and missing.
WRONG = (Outcome.OTHER_HEAD, Outcome.OTHER_LABEL, Outcome.OTHER_PLACE)


@dataclass
class PrimeCounts:
    """Counts of predicates and arguments as PriMeSRL-Eval makes them.

    predicates (PRFScore): Predicates at the right place.
    right_senses (int): Those among them that have the right roleset.
    core (Counter[Outcome]): What became of the core arguments.
    context (Counter[Outcome]): What became of the modifiers.
    """

    predicates: PRFScore = field(default_factory=PRFScore)
    right_senses: int = 0
    core: "Counter[Outcome]" = field(default_factory=Counter)
    context: "Counter[Outcome]" = field(default_factory=Counter)

    def __iadd__(self, other: "PrimeCounts") -> "PrimeCounts":
        self.predicates = self.predicates + other.predicates
        self.right_senses += other.right_senses
        self.core += other.core
        self.context += other.context
        return self

    def to_scores(self, prefix: str) -> dict[str, Any]:
        """Name the scores.

        prefix (str): First part of the names.
        RETURNS (Dict[str, Any]): `p`, `r` and `f` of all arguments, and of `predicates`
            (PredicateId), `senses` (Predicate), `core` and `context` arguments. Those of senses are
            those of predicates times the share of right senses. None where there is nothing to
            score.
        """
        accuracy = self.right_senses / self.predicates.tp if self.predicates.tp else 0.0
        senses = prf(f"{prefix}_senses", self.predicates)
        return {
            **prf(prefix, _prf_score(self.core + self.context)),
            **prf(f"{prefix}_predicates", self.predicates),
            **{name: None if value is None else value * accuracy for name, value in senses.items()},
            **prf(f"{prefix}_core", _prf_score(self.core)),
            **prf(f"{prefix}_context", _prf_score(self.context)),
        }


def prime_counts(
    gold_frames: Sequence[PrimeFrame], pred_frames: Sequence[PrimeFrame]
) -> PrimeCounts:
    """Count as PriMeSRL-Eval does.

    - Core arguments (the label has a digit) count only where predicate and roleset are right; all
      others are missing or spurious. Modifiers (`ARGM-...`, `AM-...`) count where the predicate is
      at the right place. Other labels, such as `ARGA` or `V`, do not count.
    - `C-X` becomes part of the first `X` of its frame, before or after it; without an `X` it is
      one. `R-X` takes the first `X` into its span, and is right only if both are.
    - An argument is right if head and label are. One with the right span but another label, or the
      right label at another place, is spurious as well as missing.

    Paper: Jindal et al., PriMeSRL-Eval: A Practical Quality Metric for Semantic Role Labeling
    Systems Evaluation. https://arxiv.org/abs/2210.06408

    gold_frames (Sequence[PrimeFrame]): The gold frames of a document.
    pred_frames (Sequence[PrimeFrame]): The predicted frames of the same document.
    RETURNS (PrimeCounts): The counts.
    """
    total = PrimeCounts()
    gold = {frame.predicate: frame for frame in gold_frames}
    predicted = {frame.predicate: frame for frame in pred_frames}
    total.predicates.score_set(set(predicted), set(gold))
    for predicate in gold.keys() | predicted:
        left, right = gold.get(predicate), predicted.get(predicate)
        same_sense = left is not None and right is not None and left.roleset == right.roleset
        total.right_senses += same_sense
        for outcomes, is_kind, is_gated in (
            (total.core, _is_core, True),
            (total.context, _is_context, False),
        ):
            left_arguments, right_arguments = _select(left, is_kind), _select(right, is_kind)
            if same_sense or (left and right and not is_gated):
                outcomes += _compare(left_arguments, right_arguments)
            else:
                outcomes[Outcome.MISSING] += len(left_arguments)
                outcomes[Outcome.SPURIOUS] += len(right_arguments)
    return total


def joined(arguments: Iterable[PrimeArgument]) -> list[PrimeArgument]:
    """Put discontinuous arguments together, and references with what they refer to.

    arguments (Iterable[PrimeArgument]): The arguments of a frame in text order.
    RETURNS (List[PrimeArgument]): The arguments, without continuations.
    """
    return _join_continuations(_join_references(list(arguments)))


def _join_references(arguments: list[PrimeArgument]) -> list[PrimeArgument]:
    labels = [argument.label for argument in arguments]
    result = list(arguments)
    for index, argument in enumerate(arguments):
        role = argument.label.removeprefix(REFERENCE)
        if role == argument.label:
            continue
        if role not in labels:
            result[index] = PrimeArgument(argument.label + "_", argument.head, argument.span)
            continue
        at = labels.index(role)
        first, second = (result[at], argument) if at > index else (argument, result[at])
        result[index] = PrimeArgument(
            first.label + second.label,
            merged(first.head, second.head),
            merged(first.span, second.span),
        )
    return result


def _join_continuations(arguments: list[PrimeArgument]) -> list[PrimeArgument]:
    labels = [argument.label for argument in arguments]
    result: list[PrimeArgument | None] = list(arguments)
    for index, argument in enumerate(arguments):
        role = argument.label.removeprefix(CONTINUATION)
        if role == argument.label:
            continue
        piece = result[index] or argument  # with a `C-C-X` before it
        if role not in labels:
            labels[index] = role
            result[index] = PrimeArgument(role, piece.head, piece.span)
            continue
        result[index] = None
        at = labels.index(role)
        main = result[at]
        if main is not None:  # where a `C-X` is joined already, its own `C-C-X` is dropped
            result[at] = PrimeArgument(
                role,
                merged(*_in_text_order(main.head, piece.head)),
                merged(*_in_text_order(main.span, piece.span)),
            )
    return [argument for argument in result if argument is not None]


def merged(first: Pieces, second: Pieces) -> Pieces:
    """Put pieces of text after each other.

    first (Tuple[Tuple[int, int], ...]): The pieces to read first.
    second (Tuple[Tuple[int, int], ...]): The pieces to read after them.
    RETURNS (Tuple[Tuple[int, int], ...]): All of them; two that touch are one.
    """
    if first[-1][1] == second[0][0]:
        return (*first[:-1], (first[-1][0], second[0][1]), *second[1:])
    return first + second


def _in_text_order(left: Pieces, right: Pieces) -> tuple[Pieces, Pieces]:
    return (left, right) if min(left)[0] <= min(right)[0] else (right, left)


def _select(frame: PrimeFrame | None, is_kind: Callable[[str], bool]) -> list[PrimeArgument]:
    if frame is None:
        return []
    return [argument for argument in joined(frame.arguments) if is_kind(argument.label)]


def _is_core(label: str) -> bool:
    return any(character.isdigit() for character in label)


def _is_context(label: str) -> bool:
    return "ARGM" in label or "AM" in label


def _compare(gold: list[PrimeArgument], predicted: list[PrimeArgument]) -> "Counter[Outcome]":
    """Compare every gold with every predicted argument of a frame. The best outcomes are taken
    first, with no argument taken by two outcomes."""
    outcomes: Counter[Outcome] = Counter()
    pairs = [
        (outcome, g, p)
        for (g, left), (p, right) in product(enumerate(gold), enumerate(predicted))
        if (outcome := _outcome(left, right)) is not None
    ]
    taken_gold: set[int] = set()
    taken_predicted: set[int] = set()
    for outcome in Outcome:
        taken = [
            (g, p)
            for found, g, p in pairs
            if found is outcome and g not in taken_gold and p not in taken_predicted
        ]
        outcomes[outcome] += len(taken)
        taken_gold.update(g for g, _ in taken)
        taken_predicted.update(p for _, p in taken)
    outcomes[Outcome.MISSING] += len(gold) - len(taken_gold)
    outcomes[Outcome.SPURIOUS] += len(predicted) - len(taken_predicted)
    return outcomes


def _outcome(gold: PrimeArgument, predicted: PrimeArgument) -> Outcome | None:
    same_label = gold.label == predicted.label
    same_head = gold.head == predicted.head
    if gold.span == predicted.span:
        if not same_label:
            return Outcome.OTHER_LABEL
        return Outcome.CORRECT if same_head else Outcome.OTHER_HEAD
    if not same_label:
        return None
    return Outcome.OTHER_SPAN if same_head else Outcome.OTHER_PLACE


def _prf_score(outcomes: "Counter[Outcome]") -> PRFScore:
    wrong = sum(outcomes[outcome] for outcome in WRONG)
    return PRFScore(
        tp=sum(outcomes[outcome] for outcome in RIGHT),
        fp=wrong + outcomes[Outcome.SPURIOUS],
        fn=wrong + outcomes[Outcome.MISSING],
    )
