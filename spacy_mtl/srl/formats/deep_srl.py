"""BIO tags in lines, as deep_srl and its successors have them, one line a frame:

    2 My cats love hats . ||| B-A0 I-A0 B-V B-A1 O

The number is the index of the predicate, starting at 0. Lines with the same words below each other
are the frames of one sentence.

Source: https://github.com/luheng/deep_srl (He et al. 2017).
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..alignment import IndexedFrame
from .bio import OUTSIDE, read_frame, write_tags
from .columns import drop_sentence, encode, is_text, read_text, split_cells, split_lines
from .report import ConversionReport
from .sentence import AnnotatedSentence

_BORDER = "|||"
_NUMBER = re.compile("[0-9]{1,9}")
_EXPECTED = "expected the predicate's index, the words, '|||' and the tags"


def read_deep_srl(path: str | Path, report: ConversionReport) -> Iterator[AnnotatedSentence]:
    """Read a file of BIO tags in lines.

    path (str | Path): The file, UTF-8.
    report (ConversionReport): Where to count malformed lines.
    YIELDS (AnnotatedSentence): The sentences.
    RAISES (FormatError): With file and line, where a line does not follow the format.
    """
    sentence: AnnotatedSentence | None = None
    for number, line in enumerate(split_lines(read_text(path, report)), start=1):
        if not line.strip():
            continue
        left, right = _part(line)
        first, *words = split_cells(left)
        if not words or not is_text(line):
            kind, message = "lines that are no frame", f"{_EXPECTED}, found {line[:40]!r}"
            drop_sentence(report, kind, path, number, message, 1)
            continue
        frame = _read_frame(path, number, first, words, right, report)
        known = sentence.frames or () if sentence else ()
        again = frame is not None and frame.predicate in [own.predicate for own in known]
        if sentence is None or sentence.words != words or again:
            if sentence is not None:
                yield sentence
            report.see(sentences=1)
            lines = [number] * len(words)
            sentence = AnnotatedSentence(path=str(path), lines=lines, words=words, frames=[])
        if frame is not None:
            sentence.frames = [*(sentence.frames or ()), frame]
    if sentence is not None:
        yield sentence


def _part(line: str) -> tuple[str, str]:
    """Part a line at its border. The tags may be missing."""
    left, border, right = line.rpartition(f" {_BORDER} ")
    return (left, right) if border else (line.strip().removesuffix(_BORDER), "")


def _read_frame(
    path: str | Path,
    number: int,
    first: str,
    words: list[str],
    right: str,
    report: ConversionReport,
) -> IndexedFrame | None:
    tags = split_cells(right) if right.strip() else [OUTSIDE] * len(words)
    index = int(first) if _NUMBER.fullmatch(first) else -1
    message = ""
    if len(tags) != len(words):
        message = f"expected one tag for each of the {len(words)} words, found {len(tags)}"
    elif not 0 <= index < len(words):
        message = (
            f"expected the index of a predicate, 0 to {len(words) - 1}, in front of the words,"
            f" found {first!r}"
        )
        kind = "indices of predicates that are none, of which the tag 'V' decides"
        if tags.count("B-V") == 1 and report.repair(kind, path, number, message):
            index, message = tags.index("B-V"), ""
    if message:
        report.malformed(
            "frames without a predicate of the sentence or a tag a word",
            path,
            number,
            message,
            frames=1,
        )
        report.see(frames=1)
        return None
    where = f"the frame of {words[index]!r}"
    return read_frame(path, [number] * len(words), where, tags, index, "", report)


def write_deep_srl(
    sentences: Iterable[AnnotatedSentence], report: ConversionReport
) -> Iterator[str]:
    """Write sentences as BIO tags, a line for each frame.

    sentences (Iterable[AnnotatedSentence]): The sentences.
    report (ConversionReport): Where to count what the format has no room for.
    YIELDS (str): The lines of each sentence.
    RAISES (ValueError): If a label has white space in it.
    """
    last: list[str] = []
    known: set[int] = set()
    for sentence in sentences:
        length = len(sentence.words)
        place = " ".join(sentence.words[:5])
        if not sentence.frames:
            report.add("sentences without frames", place, sentences=1)
            continue
        words = " ".join(encode(sentence.words, length, "_", report))
        predicates = {frame.predicate for frame in sentence.frames}
        if sentence.words == last and not predicates & known:
            report.add("sentences that are read as one with the same one above", place, sentences=1)
            known |= predicates
        else:
            last, known = sentence.words, predicates
        for frame in sorted(sentence.frames, key=lambda frame: frame.predicate):
            if any(len(label.split()) != 1 for label, _, _ in frame.arguments):
                raise ValueError(f"{place}: a label with white space in it can't be written")
            if frame.roleset:
                report.add("rolesets of predicates", place)
            yield f"{frame.predicate} {words} {_BORDER} {' '.join(write_tags(frame, length))}\n"
