"""Frames in offsets that don't depend on the tokenization, and what all scorers share.

Gold and predicted spans are compared by the characters that they cover, whitespace left out. A
predicted span is right if and only if it has exactly the characters of the gold span, and a gold
span that no sequence of predicted tokens covers is missed. Where both documents have the same
tokens this is the comparison of token indices. A predicate is identified by its first token.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from spacy.scorer import PRFScore
from spacy.tokens import Doc
from spacy.training import Example

from ...util.spans import MergedTokensError, stored_spans
from ..alignment import indexed_frames, same_tokens, unknown_predicates
from ..frames import PREDICATE_LABEL, group_by_predicate

CONTINUATION = "C-"
REFERENCE = "R-"
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


def character_offsets(doc: Doc) -> list[int]:
    """Count characters without whitespace.

    doc (Doc): The document.
    RETURNS (List[int]): [tokens + 1], the characters before each token, and before the end.
    """
    return [0, *accumulate(len("".join(token.text.split())) for token in doc)]


def character_frames(doc: Doc, key: str) -> list[CharacterFrame]:
    """Read the frames of a document as character offsets.

    doc (Doc): The document.
    key (str): The span group.
    RETURNS (List[CharacterFrame]): In the order of the group; empty if there is no such group.
    RAISES (ValueError): If the group does not have the layout of `write_frames`.
    """
    try:
        frames = indexed_frames(doc, key)
    except MergedTokensError:
        return _frames_as_written(doc, key)
    if not frames:
        return []
    offsets = character_offsets(doc)
    return [
        CharacterFrame(
            (offsets[frame.predicate], offsets[frame.predicate + 1]),
            frame.roleset,
            tuple((label, offsets[start], offsets[end]) for label, start, end in frame.arguments),
        )
        for frame in frames
    ]


def _frames_as_written(doc: Doc, key: str) -> list[CharacterFrame]:
    """The frames of a document in which tokens were merged since, by the characters they had."""
    before = [0, *accumulate(not character.isspace() for character in doc.text)]
    strings = doc.vocab.strings
    grouped, _ = group_by_predicate(stored_spans(doc.spans[key]))
    return [
        CharacterFrame(
            (before[predicate.start_char], before[predicate.end_char]),
            strings[predicate.kb_id],
            tuple(
                (strings[span.label], before[span.start_char], before[span.end_char])
                for span in arguments
            ),
        )
        for predicate, arguments in grouped
    ]


def without_unknown(
    frames: list[CharacterFrame], example: Example, key: str
) -> list[CharacterFrame]:
    """Leave out the predicted frames whose predicates may be right or wrong.

    frames (List[CharacterFrame]): The predicted frames.
    example (Example): Their example.
    key (str): The span group, which the reference has.
    RETURNS (List[CharacterFrame]): The others.
    """
    unknown = set(unknown_predicates(example, key))
    if not unknown:
        return frames
    offsets = character_offsets(example.predicted)
    starts = {offsets[token] for token in unknown}
    return [frame for frame in frames if frame.predicate[0] not in starts]


def check_same_text(example: Example) -> None:
    """Make sure that both documents of an example have the same text.

    example (Example): The example.
    RAISES (ValueError): spaCy's E949, if the texts differ in more than whitespace and case.
    """
    if not same_tokens(example):
        example.alignment  # noqa: B018


def add_by_role(per_role: dict[str, PRFScore], predicted: set[Any], gold: set[Any]) -> None:
    """Add arguments to the counts of their roles.

    per_role (Dict[str, PRFScore]): The counts, a `defaultdict`.
    predicted (Set[Any]): Tuples that begin with the role.
    gold (Set[Any]): Such tuples.
    """
    for argument in predicted:
        score = per_role[argument[0]]
        if argument in gold:
            score.tp += 1
        else:
            score.fp += 1
    for argument in gold - predicted:
        per_role[argument[0]].fn += 1


def prf(name: str, score: PRFScore) -> dict[str, float | None]:
    """Name precision, recall and F1.

    name (str): First part of the names.
    score (PRFScore): The counts.
    RETURNS (Dict[str, Optional[float]]): By name; None where nothing was counted.
    """
    if not len(score):
        return {f"{name}_{part}": None for part in "prf"}
    return {f"{name}_{part}": value for part, value in score.to_dict().items()}


def prf_per_role(per_role: dict[str, PRFScore]) -> dict[str, dict[str, float]] | None:
    """Give precision, recall and F1 by role.

    per_role (Dict[str, PRFScore]): The counts.
    RETURNS (Optional[Dict[str, Dict[str, float]]]): In the order of the names; None without roles.
    """
    return {role: per_role[role].to_dict() for role in sorted(per_role)} or None


def counts(right: int, predicted: int, gold: int) -> PRFScore:
    """Count from totals.

    right (int): How many are right.
    predicted (int): How many are predicted.
    gold (int): How many are in the gold annotation.
    RETURNS (PRFScore): The counts.
    """
    return PRFScore(tp=right, fp=predicted - right, fn=gold - right)


def add_counts(
    total: dict[str, PRFScore], other: Iterable[tuple[str, PRFScore]]
) -> dict[str, PRFScore]:
    """Add counts by role.

    total (Dict[str, PRFScore]): The counts to add to.
    other (Iterable[Tuple[str, PRFScore]]): Role and counts.
    RETURNS (Dict[str, PRFScore]): `total`.
    """
    for role, score in other:
        total[role] = total.get(role, PRFScore()) + score
    return total
