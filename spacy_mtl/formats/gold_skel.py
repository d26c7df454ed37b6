"""Reader of PropBank's `gold_skel` files: semantic roles in columns, words left out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .brackets import LabelledSpan, read_brackets
from .columns import read_text
from .errors import FormatError
from .propositions import PREDICATE_LABEL, PREDICATE_REST_LABEL, narrow_predicate

_FIXED_COLUMNS = 8  # file, sentence, token, word, tag, tree, lemma, roleset
_NOTHING = "-"

SkelSpan = LabelledSpan


@dataclass(frozen=True)
class SkelFrame:
    """A predicate and what is bracketed in its column.

    predicate (int): Index of the token that carries the roleset.
    roleset (str): The sense, e.g. "give.01" or "take.LV".
    spans (tuple[SkelSpan, ...]): All spans by start, the predicate's own "V" and "C-V" among them.
    """

    predicate: int
    roleset: str
    spans: tuple[SkelSpan, ...]


@dataclass
class SkelSentence:
    """The frames of a sentence.

    line (int): Line of the first token in the file, starting at 1. The tokens stand on
        consecutive lines.
    words (list[str]): The words; "[WORD]" in the published files.
    tags (list[str]): Part-of-speech tags of the treebank.
    frames (list[SkelFrame]): One frame per predicate, in the predicates' order.
    document (str): Name of the file with the tree, e.g. "google/ewt/email/00/mail.xml".
    trees (list[str]): Brackets of the constituents, e.g. "(TOP(S(NP*)".
    lemmas (list[str]): Base forms of the predicates, "-" elsewhere.
    """

    line: int
    words: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    frames: list[SkelFrame] = field(default_factory=list)
    document: str = ""
    trees: list[str] = field(default_factory=list)
    lemmas: list[str] = field(default_factory=list)


def read_gold_skel(path: str | Path) -> Iterator[SkelSentence]:
    """Read the sentences of a `gold_skel` file.

    A line holds, split by spaces: file, sentence, token, word, tag, tree, lemma, roleset, and one
    column of span brackets for each roleset of the sentence, in the order of the rolesets.

    path (str | Path): The file, UTF-8.
    YIELDS (SkelSentence): The sentences in the file's order.
    RAISES (FormatError): With file and line, where a line does not follow the format.
    """
    rows: list[list[str]] = []
    text = read_text(path)
    number = 0
    for number, line in enumerate(text.split("\n"), start=1):
        columns = line.split()
        if columns:
            _check_row(path, number, columns, rows)
            rows.append(columns)
        elif rows:
            yield _build_sentence(path, number - len(rows), rows)
            rows = []
    if rows:
        yield _build_sentence(path, number + 1 - len(rows), rows)


def _check_row(path: str | Path, number: int, columns: list[str], rows: list[list[str]]) -> None:
    """Check a line against the lines of its sentence above it."""
    if len(columns) < _FIXED_COLUMNS:
        raise FormatError(
            path, number, f"expected at least {_FIXED_COLUMNS} columns, found {len(columns)}"
        )
    if rows and len(columns) != len(rows[0]):
        raise FormatError(
            path,
            number,
            f"expected {len(rows[0])} columns as in the sentence's first line, "
            f"found {len(columns)}",
        )
    if columns[2] != str(len(rows)):
        raise FormatError(
            path,
            number,
            f"expected token {len(rows)} of the sentence in the third column, "
            f"found {columns[2]!r}; an empty line parts two sentences",
        )


def _build_sentence(path: str | Path, line: int, rows: list[list[str]]) -> SkelSentence:
    """Put the lines of a sentence together."""
    columns = list(zip(*rows, strict=True))
    words, tags, rolesets, brackets = columns[3], columns[4], columns[7], columns[_FIXED_COLUMNS:]
    predicates = [i for i, roleset in enumerate(rolesets) if roleset != _NOTHING]
    if len(predicates) != len(brackets):
        raise FormatError(
            path,
            line,
            f"the sentence has {len(predicates)} roleset(s) but {len(brackets)} column(s) of "
            "brackets; every roleset needs one",
        )
    frames = []
    lines = range(line, line + len(rows))
    for predicate, cells in zip(predicates, brackets, strict=True):
        frame = SkelFrame(predicate, rolesets[predicate], read_brackets(path, lines, cells))
        _check_predicate(path, line, frame)
        frames.append(frame)
    return SkelSentence(
        line, list(words), list(tags), frames, columns[0][0], list(columns[5]), list(columns[6])
    )


def _check_predicate(path: str | Path, line: int, frame: SkelFrame) -> None:
    """Check that a column has one "V" and covers the token with the roleset."""
    labels = [span.label for span in frame.spans]
    if labels.count(PREDICATE_LABEL) != 1:
        raise FormatError(
            path,
            line + frame.predicate,
            f"the column of {frame.roleset!r} brackets {labels.count(PREDICATE_LABEL)} spans as "
            f"'{PREDICATE_LABEL}'; expected one",
        )
    covered = any(
        span.start <= frame.predicate < span.end
        for span in frame.spans
        if span.label in (PREDICATE_LABEL, PREDICATE_REST_LABEL)
    )
    if not covered:
        raise FormatError(
            path,
            line + frame.predicate,
            f"the column of {frame.roleset!r} brackets another token as '{PREDICATE_LABEL}'; are "
            "the columns in the order of the rolesets?",
        )


def split_predicate(frame: SkelFrame) -> list[SkelSpan]:
    """Narrow the predicate's span to the token with the roleset.

    frame (SkelFrame): The frame as PropBank brackets it.
    RETURNS (list[SkelSpan]): The predicate's span first, then all others by start; tokens around
        the predicate that were bracketed with it are labelled C-V.
    """
    return narrow_predicate(frame.predicate, frame.spans)
