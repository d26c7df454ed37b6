"""Universal PropBank: CoNLL-U with predicates and arguments, in the three forms it is published in.

- `up1`: columns. ID, FORM, LEMMA, UPOS, XPOS, FEATS, HEAD, DEPREL, "Y" for a predicate, its
  roleset, and a column for each predicate (release 1.0 but English). The English part has all ten
  columns of CoNLL-U, the roleset, and columns in any order with "V" at their predicates.
- `up1-misc`: ten columns, with `Roleset=give.01|Args=ARG0/_/V` in MISC (the English part before it
  was split into columns).
- `up2`: CoNLL-U Plus. `# global.columns = ...` names the columns, among them UP:PRED,
  UP:ARGHEADS (`A0:3|A1:7`) and UP:ARGSPANS (`A0:1-3|A1:5-9`) (release 2.0).

Sources: https://github.com/UniversalPropositions/UP-1.0, https://universalpropositions.github.io,
https://universaldependencies.org/ext-format.html (Akbik et al. 2015, Jindal et al. 2022).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from ..srl.alignment import IndexedFrame
from .columns import Block, encode, read_blocks
from .conll09 import read_predicates, write_heads, write_predicates
from .conllu import build_sentence
from .errors import FormatError
from .heads import frames_to_heads
from .report import ConversionReport
from .sentence import NO_WORD, AnnotatedSentence

UD_COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
UP1_COLUMNS = (*UD_COLUMNS[:8], "FLAG", "PRED", "FRAME")
UP1_ENGLISH_COLUMNS = (*UD_COLUMNS, "PRED", "FRAME")
UP2_COLUMNS = (*UD_COLUMNS, "UP:PRED", "UP:ARGHEADS", "UP:ARGSPANS")

_NOTHING = "_"
_GLOBAL = re.compile(r"#\s*global\.columns\s*=\s*(.*)")
_SENT_ID = re.compile(r"#\s*sent_id\s*=?\s*(\S+)\s*")
_WORD = re.compile(r"[1-9][0-9]*")
_OTHER_ROW = re.compile(r"[0-9]+[-.][0-9]+")
_HEAD_ARGUMENT = re.compile(r"(.+):([0-9]+)")
_SPAN_ARGUMENT = re.compile(r"(.+):([0-9]+)-([0-9]+)")


def read_up(
    path: str | Path, report: ConversionReport, *, arguments: str = "spans"
) -> Iterator[AnnotatedSentence]:
    """Read a file of Universal PropBank in any of the three forms, which is found out.

    path (str | Path): The file, UTF-8. Columns are split by tabs.
    report (ConversionReport): Where to count what can't be carried over.
    arguments (str): "spans" or "heads": what to read where a file has both.
    YIELDS (AnnotatedSentence): The sentences. Words are "[WORD]" where the file has none.
    RAISES (FormatError): With file and line, where a line does not follow the form.
    """
    blocks = list(read_blocks(path, separator="\t", is_comment=lambda line: line.startswith("#")))
    names = _column_names(path, blocks)
    document = ""
    for block in blocks:
        metadata = block.metadata()
        document = metadata.get("newdoc id", document)
        if block.rows:
            sentence = _read_sentence(path, block, names, arguments, report)
            sentence.document = document
            yield sentence


def _column_names(path: str | Path, blocks: Sequence[Block]) -> tuple[str, ...]:
    """Find out the form of a file. RETURNS (tuple[str, ...]): Names without their prefix."""
    for block in blocks:
        for number, comment in block.comments:
            match = _GLOBAL.fullmatch(comment)
            if match:
                names = tuple(name.rpartition(":")[2] for name in match[1].split())
                names = tuple({"PREDS": "PRED", "FEAT": "FEATS"}.get(n, n) for n in names)
                if "ID" not in names or "PRED" not in names:
                    raise FormatError(
                        path,
                        number,
                        f"expected columns among which are ID and UP:PRED, found {match[1]!r}",
                    )
                return names
    if any(len(row) == 10 and "Roleset=" in row[9] for block in blocks for row in block.rows):
        return UD_COLUMNS
    flags = {row[8] for block in blocks for row in block.rows if len(row) > 8}
    return UP1_COLUMNS if flags <= {"Y", _NOTHING} else UP1_ENGLISH_COLUMNS


def _read_sentence(
    path: str | Path,
    block: Block,
    names: Sequence[str],
    arguments: str,
    report: ConversionReport,
) -> AnnotatedSentence:
    words = _check_rows(path, block, names)
    lines = [block.lines[i] for i in words]
    rows = [block.rows[i] for i in words]
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names) if name != "FRAME"}
    sentence = _read_words(path, block, names, lines, report)
    for _, comment in block.comments:
        match = _SENT_ID.fullmatch(comment)
        if match:
            sentence.metadata["sent_id"] = match[1]
    if "PRED" not in names:
        sentence.frames = _read_misc(path, lines, columns["MISC"], report)
    elif "FRAME" in names:
        first = names.index("FRAME")
        frame_columns = [list(column) for column in zip(*(r[first:] for r in rows), strict=True)]
        flags = columns.get("FLAG", [_NOTHING] * len(rows))
        frame_columns = [[cell or _NOTHING for cell in column] for column in frame_columns]
        marked = zip(flags, columns["PRED"], strict=True)
        predicates = [i for i, pair in enumerate(marked) if pair != (_NOTHING, _NOTHING)]
        frame_columns = _ordered(path, lines, predicates, frame_columns, report)
        sentence.frames = read_predicates(path, lines, flags, columns["PRED"], frame_columns)
    else:
        sentence.frames = _read_lists(path, lines, columns, arguments)
    return sentence


def _ordered(
    path: str | Path,
    lines: Sequence[int],
    predicates: Sequence[int],
    columns: Sequence[Sequence[str]],
    report: ConversionReport,
) -> list[list[str]]:
    """Put columns that mark their predicates with "V" in the order of these, without the marks.

    Further words with "V" in a column are the rest of its predicate, C-V; a roleset may also stand
    at a word marked "C-V". What is left goes to the predicates that are left, in order.
    """
    if len(columns) != len(predicates):
        if all(cell == _NOTHING for column in columns for cell in column):
            return []
        raise FormatError(
            path,
            lines[0],
            f"the sentence has {len(predicates)} predicates but {len(columns)} columns of"
            " arguments; every predicate needs one",
        )
    if not any("V" in column for column in columns):
        return [list(column) for column in columns]
    owners: dict[int, Sequence[str]] = {}
    unowned = []
    for column in columns:
        free = [i for i in predicates if i not in owners]
        own = [i for i in free if column[i] == "V"] or [i for i in free if column[i] == "C-V"]
        if own:
            owners[own[0]] = column
        else:
            unowned.append(column)
    for predicate, column in zip([i for i in predicates if i not in owners], unowned, strict=True):
        owners[predicate] = column
        if "V" in column:
            report.add_line(
                "predicates marked 'V' at another word than their roleset",
                path,
                lines[column.index("V")],
                f"the roleset is in line {lines[predicate]}",
            )
    return [_unmarked(owners[predicate], predicate) for predicate in predicates]


def _unmarked(column: Sequence[str], predicate: int) -> list[str]:
    cells = ["C-V" if cell == "V" else cell for cell in column]
    if column[predicate] in ("V", "C-V"):
        cells[predicate] = _NOTHING
    return cells


def _check_rows(path: str | Path, block: Block, names: Sequence[str]) -> list[int]:
    """Check widths and numbers. RETURNS (list[int]): The rows that are words."""
    words = []
    open_ended = "FRAME" in names
    smallest = len(names) - open_ended
    width = None
    for i, (number, row) in enumerate(zip(block.lines, block.rows, strict=True)):
        if len(row) < smallest or (not open_ended and len(row) != smallest):
            raise FormatError(
                path,
                number,
                f"expected {'at least ' * open_ended}{smallest} columns split by tabs"
                f" ({' '.join(names)}), found {len(row)}",
            )
        if _OTHER_ROW.fullmatch(row[0]):
            continue
        words.append(i)
        if row[0] != str(len(words)):
            raise FormatError(
                path,
                number,
                f"expected word {len(words)} of the sentence, found {row[0]!r}; an empty line parts"
                " two sentences",
            )
        width = width or len(row)
        if len(row) != width:
            raise FormatError(
                path,
                number,
                f"expected {width} columns as in the sentence's first word, found {len(row)}",
            )
    if not words:
        raise FormatError(path, block.lines[0], "the sentence has no word")
    return words


def _read_words(
    path: str | Path,
    block: Block,
    names: Sequence[str],
    lines: list[int],
    report: ConversionReport,
) -> AnnotatedSentence:
    """Read the columns of Universal Dependencies."""
    if "FORM" not in names:
        return AnnotatedSentence(path=str(path), lines=lines, words=[NO_WORD] * len(lines))
    at = {name: i for i, name in enumerate(names) if name in UD_COLUMNS}
    rows = []
    parsed = any("HEAD" in at and row[at["HEAD"]] != _NOTHING for row in block.rows)
    for number, row in zip(block.lines, block.rows, strict=True):
        cells = [row[at[name]] if name in at else _NOTHING for name in UD_COLUMNS]
        if not parsed and cells[6] == _NOTHING:
            cells[6] = "0"
        rows.append((number, cells))
        if not _WORD.fullmatch(cells[0]):
            kind = "contractions, given by their parts" if "-" in cells[0] else "empty nodes"
            report.add_line(kind, path, number, repr(cells[1]))
    read = build_sentence(path, "", {}, rows)
    sentence = AnnotatedSentence(path=str(path), lines=lines, words=read.words)
    sentence.spaces = read.spaces if "MISC" in at else None
    for layer in ("tags", "pos", "morphs", "lemmas"):
        values = getattr(read, layer)
        setattr(sentence, layer, values if any(values) else None)
    if parsed:
        sentence.heads = [i if h >= len(lines) else h for i, h in enumerate(read.heads)]
        sentence.deps = read.deps
    return sentence


def _read_misc(
    path: str | Path, lines: Sequence[int], cells: Sequence[str], report: ConversionReport
) -> list[IndexedFrame]:
    """Read predicates and arguments from MISC."""
    fields = [dict(part.partition("=")[::2] for part in cell.split("|")) for cell in cells]
    rolesets = [field.get("Roleset", "-") for field in fields]
    rolesets = [_NOTHING if roleset == "-" else roleset for roleset in rolesets]
    predicates = [i for i, roleset in enumerate(rolesets) if roleset != _NOTHING]
    rows = [field["Args"].split("/") if field.get("Args") else [] for field in fields]
    for number, row in zip(lines, rows, strict=True):
        if len(row) != len(predicates) and row not in ([], [_NOTHING]):
            raise FormatError(
                path,
                number,
                f"expected a label for each of the {len(predicates)} predicates, split by '/',"
                f" found Args={'/'.join(row)}",
            )
    columns = [
        [row[i] or _NOTHING if len(row) == len(predicates) else _NOTHING for row in rows]
        for i in range(len(predicates))
    ]
    columns = _ordered(path, lines, predicates, columns, report)
    return read_predicates(path, lines, [_NOTHING] * len(lines), rolesets, columns)


def _read_lists(
    path: str | Path,
    lines: Sequence[int],
    columns: dict[str, list[str]],
    arguments: str,
) -> list[IndexedFrame]:
    """Read predicates with lists of arguments."""
    wanted = ("ARGSPANS", "ARGHEADS") if arguments == "spans" else ("ARGHEADS", "ARGSPANS")
    name = next((name for name in wanted if name in columns), None)
    frames = []
    for i, roleset in enumerate(columns["PRED"]):
        cell = columns[name][i] if name else _NOTHING
        if roleset == _NOTHING and cell == _NOTHING:
            continue
        parts = [] if cell == _NOTHING else cell.split("|")
        own = [_read_argument(path, lines, i, part, name == "ARGSPANS") for part in parts]
        own.sort(key=lambda argument: argument[1:])
        frames.append(IndexedFrame(i, "" if roleset == _NOTHING else roleset, tuple(own)))
    return frames


def _read_argument(
    path: str | Path, lines: Sequence[int], index: int, part: str, is_span: bool
) -> tuple[str, int, int]:
    match = (_SPAN_ARGUMENT if is_span else _HEAD_ARGUMENT).fullmatch(part)
    first, last = (int(match[2]), int(match[3 if is_span else 2])) if match else (0, 0)
    if not match or not 1 <= first <= last <= len(lines):
        raise FormatError(
            path,
            lines[index],
            f"expected an argument such as {'A0:1-3' if is_span else 'A0:3'} within the sentence's"
            f" {len(lines)} words, found {part!r}",
        )
    return match[1], first - 1, last


def write_up1(sentences: Iterable[AnnotatedSentence], report: ConversionReport) -> Iterator[str]:
    """Write sentences as columns of release 1.0. Arguments are narrowed to their heads.

    sentences (Iterable[AnnotatedSentence]): The sentences.
    report (ConversionReport): Where to count what the format has no room for.
    YIELDS (str): The lines of each sentence.
    RAISES (ValueError): If an argument has several tokens and there is no dependency parse.
    """
    for sentence, comments in _with_comments(sentences):
        columns = [*_ud_columns(sentence, report)[:8], *write_predicates(sentence, report)]
        yield comments + _lines(columns)


def write_up1_misc(
    sentences: Iterable[AnnotatedSentence], report: ConversionReport
) -> Iterator[str]:
    """Write sentences with frames in MISC, as the English part of release 1.0. Arguments are
    narrowed to their heads.

    sentences (Iterable[AnnotatedSentence]): The sentences.
    report (ConversionReport): Where to count what the format has no room for.
    YIELDS (str): The lines of each sentence.
    RAISES (ValueError): If an argument has several tokens and there is no dependency parse, or a
        label has a slash in it.
    """
    for sentence, comments in _with_comments(sentences):
        columns = _ud_columns(sentence, report)
        flags, rolesets, *arguments = write_predicates(sentence, report)
        predicates = [i for i, flag in enumerate(flags) if flag != _NOTHING]
        if any("/" in label for column in arguments for label in column):
            raise ValueError("a label with '/' in it can't be written in MISC; write up1 or up2")
        for number, i in enumerate(predicates):
            arguments[number][i] = "V"
            if rolesets[i] == _NOTHING:
                report.add("predicates without a roleset, written with their lemma as roleset")
                rolesets[i] = columns[2][i] if columns[2][i] != _NOTHING else columns[1][i].lower()
        for i, space in enumerate(columns[9]):
            roleset = rolesets[i] if flags[i] != _NOTHING else "-"
            labels = "/".join(column[i] for column in arguments)
            parts = [f"Framefile={roleset.rpartition('.')[0] or roleset}", f"Roleset={roleset}"]
            parts += [f"Args={labels}"]
            columns[9][i] = "|".join(parts if space == _NOTHING else [space, *parts])
        yield comments + _lines(columns)


def write_up2(sentences: Iterable[AnnotatedSentence], report: ConversionReport) -> Iterator[str]:
    """Write sentences as release 2.0 has them after joining it with its treebank: thirteen columns,
    with heads and spans of the arguments.

    sentences (Iterable[AnnotatedSentence]): The sentences.
    report (ConversionReport): Where to count what the format has no room for.
    YIELDS (str): The line with the columns' names, then the lines of each sentence.
    RAISES (ValueError): If a label can't be written.
    """
    yield f"# global.columns = {' '.join(UP2_COLUMNS)}\n"
    for sentence, comments in _with_comments(sentences):
        length = len(sentence.words)
        rolesets, heads, spans = ([_NOTHING] * length for _ in range(3))
        place = f"the sentence {' '.join(sentence.words[:8])!r}"
        unreported = ConversionReport()  # the spans are written as well
        for frame in sentence.frames or ():
            at = frame.predicate
            if any("|" in label or "\t" in label for label, _, _ in frame.arguments):
                raise ValueError(f"{place}: a label with '|' or a tab in it can't be written")
            if not frame.roleset and not frame.arguments:
                report.add("predicates without roleset and arguments, which leave no trace", place)
            rolesets[at] = frame.roleset or _NOTHING
            spans[at] = _joined(f"{label}:{s + 1}-{e}" for label, s, e in frame.arguments)
            if sentence.heads is None and any(e - s > 1 for _, s, e in frame.arguments):
                report.add("heads of arguments in sentences that are not parsed", place)
                continue
            (narrow,) = frames_to_heads([frame], sentence.heads, place, unreported)
            heads[at] = _joined(f"{label}:{end}" for label, _, end in narrow.arguments)
        yield comments + _lines([*_ud_columns(sentence, report), rolesets, heads, spans])


def _joined(parts: Iterable[str]) -> str:
    return "|".join(parts) or _NOTHING


def _with_comments(
    sentences: Iterable[AnnotatedSentence],
) -> Iterator[tuple[AnnotatedSentence, str]]:
    """Add the comments above each sentence."""
    number = 0
    for document, group in groupby(sentences, key=lambda sentence: sentence.document):
        for position, sentence in enumerate(group, start=1):
            number += 1
            default = f"{document}-{position:04d}" if document else str(number)
            comments = f"# newdoc id = {document}\n" if document and position == 1 else ""
            sentence_id = sentence.metadata.get("sent_id") or "-".join(default.split())
            comments += f"# sent_id = {sentence_id}\n"
            yield sentence, f"{comments}# text = {_text(sentence)}\n"


def _text(sentence: AnnotatedSentence) -> str:
    spaces = sentence.spaces or [True] * len(sentence.words)
    pairs = zip(sentence.words, spaces, strict=True)
    return " ".join("".join(word + " " * space for word, space in pairs).split())


def _ud_columns(sentence: AnnotatedSentence, report: ConversionReport) -> list[list[str]]:
    length = len(sentence.words)
    deps = sentence.deps
    if deps is not None:
        deps = ["root" if dep == "ROOT" else dep for dep in deps]
    lemmas = encode(sentence.lemmas, length, _NOTHING, None, keep_spaces=True)
    return [
        list(map(str, range(1, length + 1))),
        encode(sentence.words, length, "", report, keep_spaces=True),
        lemmas,
        encode(sentence.pos, length, _NOTHING, report, keep_spaces=True),
        encode(sentence.tags, length, _NOTHING, report, keep_spaces=True),
        encode(sentence.morphs, length, _NOTHING, report, keep_spaces=True),
        write_heads(sentence),
        encode(deps, length, _NOTHING, report, keep_spaces=True),
        [_NOTHING] * length,
        [_NOTHING if space else "SpaceAfter=No" for space in sentence.spaces or [True] * length],
    ]


def _lines(columns: Sequence[Sequence[str]]) -> str:
    return "\n".join(["\t".join(row) for row in zip(*columns, strict=True)] + ["", ""])
