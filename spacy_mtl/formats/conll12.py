"""CoNLL-2011 and CoNLL-2012: OntoNotes in columns (`*_gold_conll`, `*_skel`).

Source: https://conll.cemantix.org/2012/data.html (Pradhan et al. 2012).
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from .brackets import read_brackets, read_mentions, write_brackets, write_mentions
from .columns import Block, check_widths, encode, read_blocks, write_rows
from .errors import FormatError
from .propositions import read_columns, split_roleset, write_column
from .report import ConversionReport
from .sentence import AnnotatedSentence, filled

_FIXED_COLUMNS = 11  # document, part, number, word, tag, tree, lemma, frameset, sense, speaker, NE
_NOTHING = "-"
_COLUMN_PREFIX = "conll12:"
# The columns that are only carried, and what stands in them where nothing is known.
_CARRIED = {"parse": "*", "sense": _NOTHING, "speaker": _NOTHING}
COLUMNS = frozenset(f"{_COLUMN_PREFIX}{name}" for name in _CARRIED)
_BEGIN = re.compile(r"#begin document \((.*)\);(?: part (\d+))?\s*")
_PART = re.compile(r"(.*); part (\d+)")


def read_conll12(path: str | Path, report: ConversionReport) -> Iterator[AnnotatedSentence]:
    """Read a file of CoNLL-2012. A document is called by its name, its further parts
    "name; part 001" and so on.

    path (str | Path): The file, UTF-8.
    report (ConversionReport): Where to count what can't be carried over; nothing here.
    YIELDS (AnnotatedSentence): The sentences; tree, word sense and speaker as columns.
    RAISES (FormatError): With file and line, where a line does not follow the format.
    """
    begun: str | None = None
    for block in read_blocks(path, is_comment=_is_border):
        for number, comment in block.comments:
            if comment.startswith("#begin"):
                match = _BEGIN.fullmatch(comment)
                if not match:
                    raise FormatError(
                        path,
                        number,
                        f"expected '#begin document (NAME); part 000', found {comment!r}",
                    )
                begun = _document_name(match[1], match[2] or "0")
            else:
                begun = None
        if block.rows:
            yield _read_sentence(path, block, begun)


def _is_border(line: str) -> bool:
    return line.startswith(("#begin document", "#end document"))


def _document_name(name: str, part: str) -> str:
    return f"{name}; part {int(part):03}" if part.isdecimal() and int(part) else name


def _read_sentence(path: str | Path, block: Block, begun: str | None) -> AnnotatedSentence:
    check_widths(path, block, _FIXED_COLUMNS + 1)
    for i, (number, row) in enumerate(zip(block.lines, block.rows, strict=True)):
        if row[2] != str(i):
            raise FormatError(
                path,
                number,
                f"expected word {i} of the sentence in the third column, found {row[2]!r}; an empty"
                " line parts two sentences",
            )
    name, part, _, words, tags, trees, lemmas, framesets, senses, speakers, entities, *columns = (
        list(column) for column in zip(*block.rows, strict=True)
    )
    *columns, clusters = columns
    predicates = [i for i, frameset in enumerate(framesets) if frameset != _NOTHING]
    rolesets = [
        f"{lemma}.{frameset}" if frameset != _NOTHING else ""
        for lemma, frameset in zip(lemmas, framesets, strict=True)
    ]
    sentence = AnnotatedSentence(
        path=str(path),
        lines=block.lines,
        document=begun if begun is not None else _document_name(name[0], part[0]),
        words=words,
        tags=filled(tags, _NOTHING),
        lemmas=filled(lemmas, _NOTHING),
        frames=read_columns(path, block.lines, predicates, rolesets, columns),
        clusters=list(read_mentions(path, block.lines, clusters)),
    )
    if any(cell != _NOTHING for cell in entities):
        sentence.entities = list(read_brackets(path, block.lines, entities))
    for (key, empty), values in zip(_CARRIED.items(), (trees, senses, speakers), strict=True):
        if any(value != empty for value in values):
            sentence.columns[f"{_COLUMN_PREFIX}{key}"] = values
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
