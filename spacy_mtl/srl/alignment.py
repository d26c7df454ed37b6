"""Frames as token indices, and gold frames in the tokens that a model saw."""

from collections.abc import Iterator
from dataclasses import dataclass
from sys import intern

import numpy as np
from spacy.strings import StringStore
from spacy.tokens import Doc
from spacy.training import Alignment, Example

from .frames import UNKNOWN, indexed_spans


@dataclass(frozen=True, slots=True)
class IndexedFrame:
    """A frame as plain numbers.

    predicate (int): Index of the predicate's first token in the document.
    roleset (str): Its sense, e.g. "give.01"; empty if not known.
    arguments (Tuple[Tuple[str, int, int], ...]): Label, first token and last token (exclusive) of
        each argument.
    """

    predicate: int
    roleset: str
    arguments: tuple[tuple[str, int, int], ...]


def indexed_frames(doc: Doc, key: str = "srl") -> list[IndexedFrame]:
    """Read the frames of a document as token indices.

    doc (Doc): The document.
    key (str): The span group.
    RETURNS (List[IndexedFrame]): In the order of the group; empty if there is no such group.
    RAISES (ValueError): If the group does not have the layout of `write_frames`.
    """
    names = _Names(doc.vocab.strings)
    return [
        IndexedFrame(
            predicate.start,
            names[predicate.kb_id],
            tuple([(names[row.label], row.start, row.end) for row in arguments]),
        )
        for predicate, arguments in indexed_spans(doc, key)
    ]


class _Names(dict[int, str]):
    """The strings of hashes, looked up once each: spaCy decodes a new one each time."""

    def __init__(self, strings: StringStore) -> None:
        super().__init__()
        self._strings = strings

    def __missing__(self, number: int) -> str:
        name = self[number] = intern(self._strings[number])
        return name


def aligned_frames(
    example: Example, key: str = "srl", frames: list[IndexedFrame] | None = None
) -> tuple[list[IndexedFrame], int, int]:
    """Express the gold frames in the tokens of `example.predicted`.

    A predicate aligns if one predicted token has exactly its characters, an argument if its
    characters begin and end at borders of predicted tokens. Whitespace does not matter. A frame
    whose predicate does not align is left out with its arguments.

    example (Example): Gold frames in `example.reference`; the two may be tokenized differently.
    key (str): The span group.
    frames (Optional[List[IndexedFrame]]): The gold frames, where they aren't those of the group.
    RETURNS (Tuple[List[IndexedFrame], int, int]): The frames that align, the number of predicates
        that do not, and the number of arguments that do not (those of frames left out included).
    """
    if frames is None:
        frames = indexed_frames(example.reference, key)
    if not frames or same_tokens(example):
        return frames, 0, 0
    alignment = example.alignment
    aligned: list[IndexedFrame] = []
    n_unaligned_predicates = 0
    n_unaligned_arguments = 0
    for frame in frames:
        predicate = _align_span(alignment, frame.predicate, frame.predicate + 1)
        if predicate is None or predicate[1] - predicate[0] != 1:
            n_unaligned_predicates += 1
            n_unaligned_arguments += len(frame.arguments)
            continue
        arguments = tuple(_align_arguments(alignment, frame))
        n_unaligned_arguments += len(frame.arguments) - len(arguments)
        aligned.append(IndexedFrame(predicate[0], frame.roleset, arguments))
    return aligned, n_unaligned_predicates, n_unaligned_arguments


def unknown_predicates(example: Example, key: str = "srl") -> list[int]:
    """Find the tokens of `example.predicted` that may be predicates or not, because a faulty frame
    was left out there (see `drop_faulty_frames`).

    example (Example): Gold frames in `example.reference`.
    key (str): The span group, which the reference has.
    RETURNS (List[int]): The tokens.
    """
    places = example.reference.spans[key].attrs.get(UNKNOWN, ())
    if not places or same_tokens(example):
        return [token for start, end in places for token in range(start, end)]
    to_predicted = example.alignment.y2x
    return [token for start, end in places for token in to_predicted[start:end].tolist()]


def same_tokens(example: Example) -> bool:
    """Whether predicted and reference document have the same tokens.

    example (Example): The two documents.
    RETURNS (bool): True if the token texts are equal, whatever the whitespace between them.
    """
    return np.array_equal(
        example.predicted.to_array("ORTH"),  # [predicted tokens]
        example.reference.to_array("ORTH"),  # [gold tokens]
    )


def _align_arguments(alignment: Alignment, frame: IndexedFrame) -> Iterator[tuple[str, int, int]]:
    for label, start, end in frame.arguments:
        span = _align_span(alignment, start, end)
        if span is not None:
            yield label, *span


def _align_span(alignment: Alignment, start: int, end: int) -> tuple[int, int] | None:
    """RETURNS (Optional[Tuple[int, int]]): The predicted tokens that have exactly the characters of
    these gold tokens; None if there are none.
    """
    predicted = alignment.y2x[start:end]  # predicted tokens that share characters with the span
    if not len(predicted):
        return None
    first, last = int(predicted[0]), int(predicted[-1])
    covered = alignment.x2y[first : last + 1]  # gold tokens that share characters with those
    if covered[0] < start or covered[-1] >= end:
        return None
    return first, last + 1
