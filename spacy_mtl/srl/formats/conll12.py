"""CoNLL-2011 and CoNLL-2012: OntoNotes in columns (`*_gold_conll`, `*_skel`).

Source: https://conll.cemantix.org/2012/data.html (Pradhan et al. 2012).
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from .brackets import read_brackets, read_mentions, write_brackets, write_mentions
from .columns import Block, RowRules, encode, frame_columns, read_blocks, whole_blocks, write_rows
from .propositions import (
    NO_BRACKET,
    drop_span,
    read_columns,
    read_rolesets,
    split_roleset,
    write_column,
)
from .report import ConversionReport
from .sentence import AnnotatedSentence, filled

_FIXED_COLUMNS = 11  # document, part, number, word, tag, tree, lemma, frameset, sense, speaker, NE
_NOTHING = "-"
_COLUMN_PREFIX = "conll12:"
# The columns that are only carried, and what stands in them where nothing is known.
_CARRIED = {"parse": "*", "sense": _NOTHING, "speaker": _NOTHING}
COLUMNS = frozenset(f"{_COLUMN_PREFIX}{name}" for name in _CARRIED)
_BEGIN = re.compile(r"#begin document \((.*)\);(?: part ([0-9]+))?\s*")
_PART = re.compile(r"(.*); part ([0-9]{1,9})")
_RULES = RowRules(
    _FIXED_COLUMNS + 1,
    lambda row: len(row) > 7 and row[7] != _NOTHING,
    number=2,
    first=0,
    where=" in the third column",
)


def read_conll12(path: str | Path, report: ConversionReport) -> Iterator[AnnotatedSentence]:
    """Read a file of CoNLL-2012. A document is called by its name, its further parts
    "name; part 001" and so on.

    path (str | Path): The file, UTF-8.
    report (ConversionReport): Where to count what can't be carried over or is malformed.
    YIELDS (AnnotatedSentence): The sentences; tree, word sense and speaker as columns.
    RAISES (FormatError): With file and line, where a line does not follow the format.
    """
    begun: str | None = None
    for block in read_blocks(path, report, is_comment=_is_border):
        for number, comment in block.comments:
            match = _BEGIN.fullmatch(comment)
            begun = _document_name(match[1], match[2] or "0") if match else None
            if not match and comment.startswith("#begin"):
                report.malformed(
                    "names of documents in malformed lines",
                    path,
                    number,
                    f"expected '#begin document (NAME); part 000', found {comment!r}",
                )
        if block.rows:
            for whole in whole_blocks(path, block, _RULES, report):
                yield _read_sentence(path, whole, begun, report)


def _is_border(line: str) -> bool:
    return line.startswith(("#begin document", "#end document"))


def _document_name(name: str, part: str) -> str:
    numbered = re.fullmatch("[0-9]+", part) and part.strip("0")
    return f"{name}; part {part.lstrip('0'):0>3}" if numbered else name


def _read_sentence(
    path: str | Path, block: Block, begun: str | None, report: ConversionReport
) -> AnnotatedSentence:
    rows, lines = block.rows, block.lines
    fixed = zip(*([*row[:_FIXED_COLUMNS], row[-1]] for row in rows), strict=True)
    (name, part, _, words, tags, trees, lemmas, framesets, senses, speakers, entities, clusters) = (
        list(column) for column in fixed
    )
    sentence = AnnotatedSentence(
        path=str(path),
        lines=lines,
        document=begun if begun is not None else _document_name(name[0], part[0]),
        words=words,
        tags=filled(tags, _NOTHING),
        lemmas=filled(lemmas, _NOTHING),
        clusters=list(read_mentions(clusters, drop_span(path, lines, "mentions", report))),
        frames=[],
    )
    if any(cell != _NOTHING for cell in entities):
        on_broken = drop_span(path, lines, "entities", report)
        sentence.entities = list(read_brackets(entities, on_broken))
    for (key, empty), values in zip(_CARRIED.items(), (trees, senses, speakers), strict=True):
        if any(value != empty for value in values):
            sentence.columns[f"{_COLUMN_PREFIX}{key}"] = values
    predicates = [i for i, frameset in enumerate(framesets) if frameset != _NOTHING]
    rolesets = read_rolesets(path, lines, lemmas, framesets, _NOTHING, report)
    report.see(sentences=1)
    columns = frame_columns(
        path, block, _FIXED_COLUMNS, len(predicates), NO_BRACKET, report, n_behind=1
    )
    if columns is not None:
        sentence.frames = read_columns(path, lines, predicates, rolesets, columns, report)
    return sentence


def write_conll12(
    sentences: Iterable[AnnotatedSentence], report: ConversionReport
) -> Iterator[str]:
    """Write sentences as CoNLL-2012 has them.

    sentences (Iterable[AnnotatedSentence]): The sentences.
    report (ConversionReport): Where to count what the format has no room for.
    YIELDS (str): The lines of each sentence, and those around a document.
    RAISES (ValueError): If a label can't be written in brackets.
    """
    for document, group in groupby(sentences, key=lambda sentence: sentence.document):
        match = _PART.fullmatch(document)
        name, part = (match[1], match[2]) if match else (document, "000")
        yield f"#begin document ({name}); part {part}\n"
        cell = "_".join(name.split()) or _NOTHING
        for sentence in group:
            yield _write_sentence(sentence, cell, str(int(part)), report)
        yield "#end document\n"


def _write_sentence(
    sentence: AnnotatedSentence, name: str, part: str, report: ConversionReport
) -> str:
    length = len(sentence.words)
    frames = sorted(sentence.frames or (), key=lambda frame: frame.predicate)
    lemmas = encode(sentence.lemmas, length, _NOTHING, report)
    framesets = [_NOTHING] * length
    for frame in frames:
        lemma, sense = split_roleset(frame.roleset)
        framesets[frame.predicate] = sense or _NOTHING
        if frame.roleset and not sense:
            report.add("rolesets without a sense", frame.roleset)
        elif sense and lemma != lemmas[frame.predicate]:
            if sentence.lemmas is not None:
                report.add(
                    "lemmas of predicates, replaced by that of the roleset",
                    f"{lemmas[frame.predicate]!r} of {frame.roleset!r}",
                )
            lemmas[frame.predicate] = "_".join(lemma.split()) or "_"
    entities = (
        [_NOTHING] * length
        if sentence.entities is None
        else [_whole(cell) for cell in write_brackets(sentence.entities, length)]
    )
    carried = [
        encode(sentence.columns.get(f"{_COLUMN_PREFIX}{key}"), length, empty, None)
        for key, empty in _CARRIED.items()
    ]
    return write_rows(
        [
            [name] * length,
            [part] * length,
            list(map(str, range(length))),
            encode(sentence.words, length, "_", report),
            encode(sentence.tags, length, _NOTHING, report),
            carried[0],
            lemmas,
            framesets,
            *carried[1:],
            entities,
            *(write_column(frame, length) for frame in frames),
            write_mentions(sentence.clusters or (), length),
        ]
    )


def _whole(cell: str) -> str:
    """An entity of one word without the asterisk, as OntoNotes has it."""
    return cell.replace("*", "") if cell.startswith("(") and cell.endswith(")") else cell
