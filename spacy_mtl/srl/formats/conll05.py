"""CoNLL-2004 and CoNLL-2005: predicates and bracketed arguments in columns, in several layouts.

Source: https://www.cs.upc.edu/~srlconll/soft.html (Carreras and Màrquez 2004, 2005).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..alignment import IndexedFrame
from .brackets import read_brackets, write_brackets
from .columns import Block, RowRules, encode, frame_columns, read_blocks, whole_blocks, write_rows
from .errors import FormatError
from .propositions import (
    NO_BRACKET,
    drop_span,
    read_columns,
    read_rolesets,
    split_roleset,
    write_column,
)
from .report import ConversionReport
from .sentence import NO_WORD, AnnotatedSentence, filled

# The columns in front of those with arguments. The last one holds the predicates' lemmas.
LAYOUTS: dict[str, tuple[str, ...]] = {
    "props": ("lemma",),
    "words": ("word", "lemma"),
    "conll04": ("word", "tag", "chunk", "clause", "ne", "lemma"),
    "conll05": ("word", "ne", "tag", "chunk", "clause", "parse", "sense", "lemma"),
}
_COLUMN_PREFIX = "conll05:"
_CARRIED = ("chunk", "clause", "parse")
COLUMNS = frozenset(f"{_COLUMN_PREFIX}{name}" for name in _CARRIED)
_NOTHING = "-"
_CELL = re.compile(r"[^*\s]*\*[^*\s]*")


def parse_layout(text: str) -> tuple[str, ...]:
    """Read the name of a layout, or a layout's columns.

    text (str): A key of `LAYOUTS`, or names of columns split by spaces or commas: "word", "tag",
        "ne", "chunk", "clause", "parse", "sense", "lemma"; "_" is a column that is not read.
    RETURNS (tuple[str, ...]): The names of the columns in front of those with arguments.
    RAISES (ValueError): If a name is unknown or the last column is not "lemma".
    """
    if text in LAYOUTS:
        return LAYOUTS[text]
    names = tuple(text.replace(",", " ").split())
    known = {name for layout in LAYOUTS.values() for name in layout} | {"_"}
    unknown = [name for name in names if name not in known]
    if unknown or names[-1:] != ("lemma",):
        raise ValueError(
            f"the layout {text!r} is neither one of {', '.join(LAYOUTS)} nor names of columns of"
            f" which the last is 'lemma'; found {unknown or names[-1:]}, the names are"
            f" {', '.join(sorted(known))}"
        )
    return names


def read_conll05(
    path: str | Path, report: ConversionReport, *, columns: str | None = None
) -> Iterator[AnnotatedSentence]:
    """Read a file in columns.

    path (str | Path): The file, UTF-8.
    report (ConversionReport): Where to count what can't be carried over or is malformed.
    columns (str | None): The layout, see `parse_layout`; found out if None.
    YIELDS (AnnotatedSentence): The sentences. The words are "[WORD]" if the layout has none. The
        lemma of a predicate without a sense becomes the lemma of its token.
    RAISES (FormatError): With file and line, where a line does not follow the layout, or if no
        layout or more than one fits.
    """
    blocks = [block for block in read_blocks(path, report) if block.rows]
    names = _find_layout(path, blocks, report) if columns is None else parse_layout(columns)
    rules = RowRules(len(names), lambda row: _is_predicate(row, names))
    for block in blocks:
        for whole in whole_blocks(path, block, rules, report):
            yield _read_sentence(path, whole, names, report)


def _find_layout(
    path: str | Path, blocks: Sequence[Block], report: ConversionReport
) -> tuple[str, ...]:
    """Find the layout in which every sentence has as many columns as it has predicates, else as
    many that hold a bracket, or, where malformed sentences are allowed, the one in which most
    sentences do.
    """
    if not blocks:
        return LAYOUTS["props"]
    counts = [
        [
            sum(_fits(block, names, surplus=surplus) for block in blocks)
            for names in LAYOUTS.values()
        ]
        for surplus in (False, True)
    ]
    fitting = [_best(fits) for fits in counts]
    whole = [names for names, n in fitting if n == len(blocks)]
    some = [names for names, n in fitting if n and len(names) == 1]
    if whole and len(whole[0]) == 1:
        return whole[0][0]
    if some and report.on_error != "stop":
        return some[0][0]
    for block in blocks:
        for number, row in zip(block.lines, block.rows, strict=True):
            if len(row) != len(block.rows[0]):
                raise FormatError(
                    path,
                    number,
                    f"expected {len(block.rows[0])} columns as in the sentence's first line, found"
                    f" {len(row)}",
                    recoverable=True,
                )
    widths = sorted({len(block.rows[0]) for block in blocks})
    raise FormatError(
        path,
        blocks[0].lines[0],
        f"{'more than one' if whole else 'no'} layout of CoNLL-2005 fits the file, whose"
        f" sentences have {widths[0]} to {widths[-1]} columns; name the columns in front of the"
        " arguments, as in --columns 'word tag lemma'",
        recoverable=bool(some),
    )


def _best(fits: Sequence[int]) -> tuple[list[tuple[str, ...]], int]:
    """RETURNS (tuple[list[tuple[str, ...]], int]): The layouts that fit most sentences, and how
    many these are.
    """
    best = max(fits)
    pairs = zip(LAYOUTS.values(), fits, strict=True)
    return [names for names, n in pairs if n == best], best


def _fits(block: Block, names: Sequence[str], *, surplus: bool) -> bool:
    """Whether a sentence has a column of brackets for each predicate, and surplus ones that hold no
    bracket only if these are allowed.
    """
    size = len(names)
    width = len(block.rows[0])
    if width < size or any(len(row) != width for row in block.rows):
        return False
    columns = list(zip(*(row[size:] for row in block.rows), strict=True))
    if surplus:
        columns = [column for column in columns if not NO_BRACKET.issuperset(column)]
    n_predicates = sum(_is_predicate(row, names) for row in block.rows)
    return n_predicates == len(columns) and all(
        _CELL.fullmatch(cell) for column in columns for cell in column
    )


def _is_predicate(row: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a row has a lemma of a predicate, or a sense."""
    cells = dict(zip(names, row, strict=False))
    return any(cells.get(name, _NOTHING) != _NOTHING for name in ("lemma", "sense"))


def _read_sentence(
    path: str | Path, block: Block, names: Sequence[str], report: ConversionReport
) -> AnnotatedSentence:
    columns = [list(c) for c in zip(*(row[: len(names)] for row in block.rows), strict=True)]
    named = dict(zip(names, columns, strict=True))
    lines, length = block.lines, len(block.rows)
    sentence = AnnotatedSentence(
        path=str(path), lines=lines, words=named.get("word", [NO_WORD] * length)
    )
    if "tag" in named:
        sentence.tags = filled(named["tag"], _NOTHING)
    if "ne" in named and any(cell != _NOTHING for cell in named["ne"]):
        on_broken = drop_span(path, lines, "entities", report)
        sentence.entities = list(read_brackets(named["ne"], on_broken))
    for name in _CARRIED:
        if name in named and any(cell != _NOTHING for cell in named[name]):
            sentence.columns[f"{_COLUMN_PREFIX}{name}"] = named[name]
    targets = named["lemma"]
    senses = named.get("sense", [_NOTHING] * length)
    rolesets = read_rolesets(path, lines, targets, senses, _NOTHING, report)
    if any(target != _NOTHING and not r for target, r in zip(targets, rolesets, strict=True)):
        sentence.lemmas = [
            "" if target == _NOTHING or roleset else target
            for target, roleset in zip(targets, rolesets, strict=True)
        ]
    predicates = [i for i, row in enumerate(block.rows) if _is_predicate(row, names)]
    brackets = frame_columns(path, block, len(names), len(predicates), NO_BRACKET, report)
    report.see(sentences=1)
    sentence.frames = []
    if brackets is not None:
        sentence.frames = read_columns(path, lines, predicates, rolesets, brackets, report)
    return sentence


def write_conll05(
    sentences: Iterable[AnnotatedSentence],
    report: ConversionReport,
    *,
    columns: str | None = None,
) -> Iterator[str]:
    """Write sentences in columns.

    sentences (Iterable[AnnotatedSentence]): The sentences.
    report (ConversionReport): Where to count what the layout has no room for.
    columns (str | None): The layout, see `parse_layout`; all eight columns of CoNLL-2005 if None.
    YIELDS (str): The lines of each sentence.
    RAISES (ValueError): If a label can't be written in brackets.
    """
    names = LAYOUTS["conll05"] if columns is None else parse_layout(columns)
    for sentence in sentences:
        _report_layout(sentence, names, report)
        frames = sorted(sentence.frames or (), key=lambda frame: frame.predicate)
        cells = [_write_column(sentence, frames, name, names, report) for name in names]
        cells += [write_column(frame, len(sentence.words)) for frame in frames]
        yield write_rows(cells)


def _write_column(
    sentence: AnnotatedSentence,
    frames: Sequence[IndexedFrame],
    name: str,
    names: Sequence[str],
    report: ConversionReport,
) -> list[str]:
    length = len(sentence.words)
    if name == "word":
        return encode(sentence.words, length, "_", report)
    if name == "tag":
        return encode(sentence.tags, length, _NOTHING, report)
    if name == "ne":
        if sentence.entities is None:
            return [_NOTHING] * length
        return write_brackets(sentence.entities, length)
    if name in _CARRIED:
        return encode(sentence.columns.get(f"{_COLUMN_PREFIX}{name}"), length, "*", None)
    cells = [_NOTHING] * length
    if name != "_":
        for frame in frames:
            cells[frame.predicate] = _predicate_cell(sentence, frame, name, names, report)
    return cells


def _predicate_cell(
    sentence: AnnotatedSentence,
    frame: IndexedFrame,
    name: str,
    names: Sequence[str],
    report: ConversionReport,
) -> str:
    """The lemma or the sense of a predicate."""
    lemma, sense = split_roleset(frame.roleset)
    if name == "sense":
        return sense or _NOTHING
    if frame.roleset and (not sense or "sense" not in names):
        report.add("senses of predicates (only their lemmas are written)", frame.roleset)
    if not lemma and sentence.lemmas is not None:
        lemma = sentence.lemmas[frame.predicate]
    lemma = "_".join((lemma or sentence.words[frame.predicate].lower()).split())
    return lemma if lemma != _NOTHING else "_"


def _report_layout(
    sentence: AnnotatedSentence, names: Sequence[str], report: ConversionReport
) -> None:
    """Count what only wider layouts have room for."""
    place = " ".join(sentence.words[:5])
    if "word" not in names:
        report.add("words (the layout has no column for them)", place, count=len(sentence.words))
    if "tag" not in names and sentence.tags is not None:
        report.add("tags of tokens", place, count=len(sentence.tags))
    if "ne" not in names and sentence.entities:
        report.add("entities", place, count=len(sentence.entities))
    for name in _CARRIED:
        column = f"{_COLUMN_PREFIX}{name}"
        if name not in names and column in sentence.columns:
            report.add(f"columns {column!r}", place, count=len(sentence.words))
