"""BIO tags as the spans of a frame, and a frame as BIO tags."""

import re
from collections.abc import Sequence
from pathlib import Path

from ..alignment import IndexedFrame
from .brackets import LabelledSpan
from .propositions import PREDICATE_LABEL, frame_of
from .report import ConversionReport

OUTSIDE = "O"
_TAG = re.compile(r"O|[BI]-(?=.*\S).+", re.DOTALL)


def is_tag(cell: str) -> bool:
    """Whether a cell is a BIO tag.

    cell (str): The cell.
    RETURNS (bool): True for "O", "B-ARG0" and "I-ARG0".
    """
    return bool(_TAG.fullmatch(cell))


def read_tags(
    path: str | Path,
    lines: Sequence[int],
    where: str,
    tags: Sequence[str],
    report: ConversionReport,
) -> list[LabelledSpan]:
    """Read the BIO tags of a frame.

    path (str | Path): The file, for messages.
    lines (Sequence[int]): The line of each tag.
    where (str): Which frame it is, for messages.
    tags (Sequence[str]): A tag for each word.
    report (ConversionReport): What to do with an "I-" that continues nothing: it begins a span if
        repairs are allowed. Other malformed tags are dropped, with the rest of their span.
    RETURNS (list[LabelledSpan]): The spans, in order.
    RAISES (FormatError): At the first malformed tag, if malformed parts are errors.
    """
    spans: list[LabelledSpan] = []
    dropped = ""  # the tag that continues a dropped span
    for i, tag in enumerate(tags):
        if tag == dropped:
            continue
        dropped = ""
        if tag == OUTSIDE:
            continue
        label = tag[2:]
        continues = bool(spans) and spans[-1].end == i and spans[-1].label == label
        if is_tag(tag) and tag.startswith("B-"):
            spans.append(LabelledSpan(label, i, i + 1))
            continue
        if is_tag(tag) and continues:
            spans[-1] = LabelledSpan(label, spans[-1].start, i + 1)
            continue
        message = (
            f"{where}: expected 'O', 'B-LABEL' or 'I-LABEL' behind the same label at word {i + 1},"
            f" found {tag!r}"
        )
        kind = "tags 'I-' that continue nothing"
        if is_tag(tag) and report.repair(f"{kind}, read as 'B-'", path, lines[i], message):
            spans.append(LabelledSpan(label, i, i + 1))
            continue
        kind = f"{kind}, with their arguments" if is_tag(tag) else "tags that are not BIO"
        report.malformed(kind, path, lines[i], message, arguments=1)
        report.see(arguments=1)
        dropped = tag if is_tag(tag) else ""
    return spans


def read_frame(
    path: str | Path,
    lines: Sequence[int],
    where: str,
    tags: Sequence[str],
    marked: int | None,
    roleset: str,
    report: ConversionReport,
) -> IndexedFrame | None:
    """Read the BIO tags of a frame.

    path (str | Path): The file, for messages.
    lines (Sequence[int]): The line of each tag.
    where (str): Which frame it is, for messages.
    tags (Sequence[str]): A tag for each word.
    marked (int | None): The word that the file marks as the predicate beside the tags, if it does;
        then no tag "V" is needed.
    roleset (str): The frame's roleset, "" if not known.
    report (ConversionReport): What to do with malformed tags.
    RETURNS (IndexedFrame | None): The frame; None if it is dropped.
    RAISES (FormatError): If tags are malformed, or not one span is the predicate, and malformed
        parts are errors.
    """
    spans = read_tags(path, lines, where, tags, report)
    verbs = [span for span in spans if span.label == PREDICATE_LABEL]
    line = lines[verbs[0].start] if verbs else lines[0]
    predicate = verbs[0].start if verbs else marked
    if marked is not None and any(span.start <= marked < span.end for span in verbs):
        predicate = marked
    message = f"{where}: expected one span tagged V, found {len(verbs)}"
    keep = predicate is not None
    kind = "frames without a word tagged 'V'"
    if verbs and marked is not None and predicate != marked:
        message = f"{where}: word {marked + 1} is marked as the predicate, and another tagged V"
        kind = "frames whose marked word is not tagged 'V'"
        keep = report.repair(f"{kind}, of which the tag counts", path, line, message)
    elif len(verbs) > 1:
        kind = "frames with several spans tagged 'V'"
        keep = report.repair(f"{kind}, of which the first counts", path, line, message)
    if not keep or predicate is None:
        n_arguments = len(spans) - len(verbs)
        report.malformed(kind, path, line, message, frames=1, arguments=n_arguments)
        report.see(frames=1, arguments=n_arguments)
        return None
    frame = frame_of(predicate, roleset, spans)
    report.see(frames=1, arguments=len(frame.arguments))
    return frame


def write_tags(frame: IndexedFrame, length: int) -> list[str]:
    """Write a frame as BIO tags.

    frame (IndexedFrame): The frame.
    length (int): Number of words in the sentence.
    RETURNS (list[str]): A tag for each word.
    """
    tags = [OUTSIDE] * length
    predicate = (PREDICATE_LABEL, frame.predicate, frame.predicate + 1)
    for label, start, end in (predicate, *frame.arguments):
        tags[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
    return tags
