"""Scores of semantic roles: predicates, senses and arguments, end to end and by CoNLL-2005 rules.

Gold and predicted spans are compared by the characters that they cover, whitespace left out. That
makes the scores independent of tokenization: a predicted span is right if and only if it has
exactly the characters of the gold span, and a gold span that no sequence of predicted tokens covers
is missed. Where both documents have the same tokens this is the comparison of token indices.
A predicate is identified by its first token.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import Any

from spacy import registry
from spacy.scorer import PRFScore
from spacy.tokens import Doc
from spacy.training import Example

from .alignment import IndexedFrame, indexed_frames, same_tokens
from .frames import PREDICATE_LABEL

CONTINUATION = "C-"
PREDICATE_LABELS = (PREDICATE_LABEL, CONTINUATION + PREDICATE_LABEL)


@dataclass(frozen=True, slots=True)
class CharacterFrame:
    """A frame as character offsets, counted without whitespace.

    predicate (Tuple[int, int]): First and last character (exclusive) of the predicate's first
        token.
    roleset (str): Its sense; empty if not known.
    arguments (Tuple[Tuple[str, int, int], ...]): Label, first and last character (exclusive) of
        each argument.
    """

    predicate: tuple[int, int]
    roleset: str
    arguments: tuple[tuple[str, int, int], ...]


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
        for role, score in other.per_role.items():
            self.per_role[role] = self.per_role.get(role, PRFScore()) + score
        self.propositions += other.propositions
        self.perfect += other.perfect
        return self


@registry.scorers("spacy_mtl.srl_scorer.v1")
def make_srl_scorer(key: str | None = None) -> Callable[..., dict[str, Any]]:
    """Build the scorer of the semantic role component.

    The names of the scores begin with the span group, so that two components with different groups
    are scored apart.

    key (Optional[str]): The span group that holds the frames; where None, the component's own,
        `spans_key`.
    RETURNS (Callable[[Iterable[Example]], Dict[str, Any]]): See `score_srl`.
    """
    return partial(_score_component, key=key)


def _score_component(examples: Iterable[Example], *, key: str | None, **cfg: Any) -> dict[str, Any]:
    """Score as a component's scorer, which spaCy also gives all settings of the component. A
    function of the module, so that pipelines can be pickled."""
    key = key or cfg.get("spans_key", "srl")
    return score_srl(examples, key=key, prefix=key)


def score_srl(
    examples: Iterable[Example], *, key: str = "srl", prefix: str = "srl"
) -> dict[str, Any]:
    """Score predicted frames against gold frames.

    Only examples whose reference has the span group are scored; a predicted document without it has
    no frames. A score is None where there is nothing, gold or predicted, to score. `V` and its
    continuation `C-V` are parts of the predicate, not arguments.

    examples (Iterable[Example]): The examples.
    key (str): The span group that holds the frames.
    prefix (str): First part of the names of the scores.
    RETURNS (Dict[str, Any]): With the prefix "srl":
        srl_predicates_p/r/f: predicates found.
        srl_rolesets_f: predicates found with the right roleset.
        srl_rolesets_acc: share of right rolesets among the predicates found. Both leave out gold
            predicates without a roleset.
        srl_arguments_p/r/f: arguments with the right predicate, span and label; all arguments of
            missed predicates are missed, all of spurious predicates are excess.
        srl_arguments_per_role: dict of role to p, r and f.
        srl_arguments_unlabelled_f: the same without regard to the label.
        srl_conll05_p/r/f: by the rules of the CoNLL-2005 shared task, which ignore spurious
            predicates; see `conll05_counts`.
    RAISES (ValueError): If the texts of the two documents differ in more than whitespace and case,
        or if a group does not have the layout of `write_frames`.
    """
    predicates, senses, arguments, spans = PRFScore(), PRFScore(), PRFScore(), PRFScore()
    per_role: defaultdict[str, PRFScore] = defaultdict(PRFScore)
    conll05 = Conll05Counts()
    found_with_sense = 0
    for example in examples:
        if key not in example.reference.spans:
            continue
        _check_same_text(example)
        gold = _character_frames(example.reference, key)
        predicted = _character_frames(example.predicted, key)
        gold_senses = {frame.predicate: frame.roleset for frame in gold}
        predicted_senses = {frame.predicate: frame.roleset for frame in predicted}
        predicates.score_set(set(predicted_senses), set(gold_senses))
        without_sense = {predicate for predicate, roleset in gold_senses.items() if not roleset}
        scored_senses = {pair for pair in predicted_senses.items() if pair[0] not in without_sense}
        senses.score_set(
            scored_senses,
            {pair for pair in gold_senses.items() if pair[0] not in without_sense},
        )
        found_with_sense += sum(predicate in gold_senses for predicate, _ in scored_senses)
        gold_arguments = _argument_set(gold)
        predicted_arguments = _argument_set(predicted)
        arguments.score_set(predicted_arguments, gold_arguments)
        spans.score_set(_without_label(predicted_arguments), _without_label(gold_arguments))
        _score_by_role(per_role, predicted_arguments, gold_arguments)
        conll05 += conll05_counts(gold, predicted)
    return {
        **_prf(f"{prefix}_predicates", predicates),
        f"{prefix}_rolesets_f": senses.fscore if len(senses) else None,
        f"{prefix}_rolesets_acc": senses.tp / max(found_with_sense, 1) if len(senses) else None,
        **_prf(f"{prefix}_arguments", arguments),
        f"{prefix}_arguments_per_role": {
            role: per_role[role].to_dict() for role in sorted(per_role)
        }
        or None,
        f"{prefix}_arguments_unlabelled_f": spans.fscore if len(spans) else None,
        **_prf(f"{prefix}_conll05", conll05.overall),
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
        _score_by_role(per_role, predicted_arguments, gold_arguments)
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


def _character_frames(doc: Doc, key: str) -> list[CharacterFrame]:
    frames = indexed_frames(doc, key)
    if not frames:
        return []
    offsets = [0, *accumulate(len("".join(token.text.split())) for token in doc)]  # [tokens + 1]
    return [
        CharacterFrame(
            (offsets[frame.predicate], offsets[frame.predicate + 1]),
            frame.roleset,
            tuple((label, offsets[start], offsets[end]) for label, start, end in frame.arguments),
        )
        for frame in frames
    ]


def _check_same_text(example: Example) -> None:
    """RAISES (ValueError): spaCy's E949, if the texts differ in more than whitespace and case."""
    if not same_tokens(example):
        example.alignment  # noqa: B018


def _argument_set(
    frames: Iterable[CharacterFrame],
) -> set[tuple[str, tuple[int, int], int, int]]:
    return {
        (label, frame.predicate, start, end)
        for frame in frames
        for label, start, end in frame.arguments
        if label not in PREDICATE_LABELS
    }


def _score_by_role(per_role: dict[str, PRFScore], predicted: set[Any], gold: set[Any]) -> None:
    """Add the arguments, tuples that begin with the role, to the counts of their roles."""
    for argument in predicted | gold:
        per_role[argument[0]].score_set(predicted & {argument}, gold & {argument})


def _without_label(
    arguments: Iterable[tuple[str, tuple[int, int], int, int]],
) -> set[tuple[tuple[int, int], int, int]]:
    return {argument[1:] for argument in arguments}


def _prf(name: str, score: PRFScore) -> dict[str, float | None]:
    if not len(score):
        return {f"{name}_{part}": None for part in "prf"}
    return {f"{name}_{part}": value for part, value in score.to_dict().items()}
