"""Predicted frames, and how they get into a Doc."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from spacy.tokens import Doc, Span, SpanGroup

from ...srl.frames import PREDICATE_LABEL, ROLESETS, SCORES
from ...srl.inventory import FrameInventory


@dataclass(slots=True)
class PredictedFrame:
    """A predicted frame as plain numbers.

    predicate (int): The predicate's first token.
    predicate_end (int): Its last token, exclusive.
    roleset (str): Its sense; empty if not known.
    arguments (List[Tuple[str, int, int]]): Label, first token and last token (exclusive).
    score (Optional[float]): The probability of the predicate.
    roleset_score (Optional[float]): The probability of the roleset.
    argument_scores (Sequence[float]): Those of the arguments, if they were asked for.
    """

    predicate: int
    predicate_end: int
    roleset: str
    arguments: list[tuple[str, int, int]] = field(default_factory=list)
    score: float | None = None
    roleset_score: float | None = None
    argument_scores: Sequence[float] = ()


def write_predictions(
    doc: Doc,
    key: str,
    frames: Sequence[PredictedFrame],
    *,
    has_scores: bool,
    inventory: FrameInventory | None,
) -> None:
    """Write predicted frames to a span group, without the checks that frames by hand need.

    doc (Doc): The document.
    key (str): The span group.
    frames (Sequence[PredictedFrame]): Its frames.
    has_scores (bool): Whether to write probabilities.
    inventory (Optional[FrameInventory]): Where the meanings of rolesets are.
    """
    spans = []
    scores: list[list[Any]] = []
    for number, frame in enumerate(frames):
        at, end = frame.predicate, frame.predicate_end
        predicate = Span(doc, at, end, PREDICATE_LABEL, kb_id=frame.roleset, span_id=number)
        arguments = [
            Span(doc, first, last, label, span_id=number) for label, first, last in frame.arguments
        ]
        spans += [predicate, *arguments]
        if has_scores:
            place = [number, predicate.start_char, predicate.end_char]
            scores.append([*place, frame.score, frame.roleset_score])
            scores += [
                [number, span.start_char, span.end_char, score]
                for span, score in zip(arguments, frame.argument_scores, strict=True)
            ]
    attrs: dict[str, Any] = {}
    if has_scores:
        attrs[SCORES] = scores
    if inventory is not None:
        attrs[ROLESETS] = {
            frame.roleset: {"name": meaning.name, "roles": dict(meaning.roles)}
            for frame in frames
            if (meaning := inventory.rolesets.get(frame.roleset)) is not None
        }
    doc.spans[key] = SpanGroup(doc, name=key, spans=spans, attrs=attrs)
