"""Bracket notation for spans in a column: `(ARG0*`, `*`, `*)`."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

_CELL = re.compile(r"((?:\([^()*\s]+)*)\*((?:[^()*\s]*\))*)")
_WHOLE = re.compile(r"\(([^()*\s|]+)\)")
_LABEL = re.compile(r"[^()*\s]+")
_MENTION = re.compile(r"(\()?([^()|\s]+)(\))?")


@dataclass(frozen=True)
class LabelledSpan:
    """A labelled stretch of tokens.

    label (str): The label, e.g. "V", "ARG0", "ARGM-TMP", "R-ARG1", "C-ARG1", "C-V", "PERSON".
    start (int): Index of the first token in the sentence.
    end (int): Index behind the last token.
    """

    label: str
    start: int
    end: int


# Takes the index of a cell and what is wrong with it. It raises, or the span is left out.
OnBroken = Callable[[int, str], None]


def read_brackets(cells: Sequence[str], on_broken: OnBroken) -> tuple[LabelledSpan, ...]:
    """Read the spans of one column. `(PER)` stands for `(PER*)`, and a closing bracket may repeat
    its label: `*PER)`.

    cells (Sequence[str]): The column's cells for a sentence.
    on_broken (OnBroken): Called for each cell that has no such form, and for each bracket that has
        no other end.
    RETURNS (tuple[LabelledSpan, ...]): The spans by start, shorter ones first.
    """
    spans: list[LabelledSpan] = []
    open_spans: list[tuple[str, int]] = []  # label, start
    for i, cell in enumerate(cells):
        match = _CELL.fullmatch(_WHOLE.sub(r"(\1*)", cell) if "*" not in cell else cell)
        if not match:
            on_broken(i, f"expected brackets such as '(ARG0*', '*' or '*)', found {cell!r}")
            continue
        open_spans.extend((label, i) for label in match[1].split("(")[1:])
        for repeated in match[2].split(")")[:-1]:
            if not open_spans:
                on_broken(i, f"{cell!r} closes a bracket that is not open")
                continue
            label, start = open_spans.pop()
            if repeated not in ("", label):
                on_broken(i, f"{cell!r} closes {repeated!r}, but '({label}' is open")
                continue
            spans.append(LabelledSpan(label, start, i + 1))
    for label, start in reversed(open_spans):
        on_broken(start, f"the bracket '({label}' is never closed")
    return tuple(sorted(spans, key=lambda span: (span.start, span.end)))


def write_brackets(spans: Iterable[LabelledSpan], length: int) -> list[str]:
    """Write spans as one column.

    spans (Iterable[LabelledSpan]): The spans; one may lie inside of another.
    length (int): Number of tokens in the sentence.
    RETURNS (list[str]): The cells.
    RAISES (ValueError): If a label cannot stand in the notation or spans cross.
    """
    before = [""] * length
    after = [""] * length
    open_ends: list[int] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not _LABEL.fullmatch(span.label):
            raise ValueError(
                f"the label {span.label!r} can't be written in brackets: it is empty or has a"
                " space, an asterisk or a bracket in it"
            )
        while open_ends and open_ends[-1] <= span.start:
            open_ends.pop()
        if open_ends and span.end > open_ends[-1]:
            raise ValueError(
                f"the span {span.label!r} at tokens {span.start}-{span.end} crosses another one"
            )
        open_ends.append(span.end)
        before[span.start] += f"({span.label}"
        after[span.end - 1] += ")"
    return [f"{start}*{end}" for start, end in zip(before, after, strict=True)]


def read_mentions(cells: Sequence[str], on_broken: OnBroken) -> tuple[LabelledSpan, ...]:
    """Read a column of coreference: `(12`, `12)`, `(3)|(12`, `-`. Mentions may cross.

    cells (Sequence[str]): The column's cells for a sentence.
    on_broken (OnBroken): Called for each cell that has no such form, and for each bracket that has
        no other end.
    RETURNS (tuple[LabelledSpan, ...]): The mentions by start, labelled with their cluster.
    """
    spans: list[LabelledSpan] = []
    open_mentions: dict[str, list[int]] = {}
    for i, cell in enumerate(cells):
        if cell in ("-", "_", "*"):
            continue
        for part in cell.split("|"):
            match = _MENTION.fullmatch(part)
            if not match or not (match[1] or match[3]):
                on_broken(i, f"expected coreference such as '(12', '12)' or '-', not {cell!r}")
                continue
            starts = open_mentions.setdefault(match[2], [])
            if match[1]:
                starts.append(i)
            if match[3]:
                if not starts:
                    on_broken(i, f"{cell!r} closes the mention {match[2]!r}: it is not open")
                    continue
                spans.append(LabelledSpan(match[2], starts.pop(), i + 1))
    for cluster, starts in open_mentions.items():
        for start in reversed(starts):
            on_broken(start, f"the mention '({cluster}' is never closed")
    return tuple(sorted(spans, key=lambda span: (span.start, span.end)))


def write_mentions(spans: Iterable[LabelledSpan], length: int) -> list[str]:
    """Write mentions as one column.

    spans (Iterable[LabelledSpan]): The mentions.
    length (int): Number of tokens in the sentence.
    RETURNS (list[str]): The cells.
    """
    parts: list[list[str]] = [[] for _ in range(length)]
    ordered = sorted(spans, key=lambda span: (span.start, -span.end))
    for span in ordered:
        if span.end - span.start > 1:
            parts[span.start].append(f"({span.label}")
    for span in ordered:
        if span.end - span.start == 1:
            parts[span.start].append(f"({span.label})")
    for span in reversed(ordered):
        if span.end - span.start > 1:
            parts[span.end - 1].append(f"{span.label})")
    return ["|".join(cell) or "-" for cell in parts]
