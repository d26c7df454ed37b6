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

from ..alignment import IndexedFrame
from .columns import (
    Block,
    RowRules,
    drop_sentence,
    encode,
    frame_columns,
    read_blocks,
    whole_blocks,
)
from .conll09 import NO_LABEL, read_arguments, read_flags, read_heads, write_heads, write_predicates
from .errors import FormatError
from .heads import frames_to_heads
from .report import ConversionReport
from .sentence import NO_WORD, AnnotatedSentence, filled

UD_COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
UP1_COLUMNS = (*UD_COLUMNS[:8], "FLAG", "PRED", "FRAME")
UP1_ENGLISH_COLUMNS = (*UD_COLUMNS, "PRED", "FRAME")
UP2_COLUMNS = (*UD_COLUMNS, "UP:PRED", "UP:ARGHEADS", "UP:ARGSPANS")

_NOTHING = "_"
_GLOBAL = re.compile(r"#\s*global\.columns\s*=\s*(.*)")
_SENT_ID = re.compile(r"#\s*sent_id\s*=?\s*(\S+)\s*")
_OTHER_ROW = re.compile(r"([0-9]{1,9})([-.])([0-9]{1,9})")
_HEAD_ARGUMENT = re.compile(r"(.+):([0-9]{1,9})")
_SPAN_ARGUMENT = re.compile(r"(.+):([0-9]{1,9})-([0-9]{1,9})")


def read_up(
    path: str | Path, report: ConversionReport, *, arguments: str = "spans"
) -> Iterator[AnnotatedSentence]:
    """Read a file of Universal PropBank in any of the three forms, which is found out.

    path (str | Path): The file, UTF-8. Columns are split by tabs.
    report (ConversionReport): Where to count what can't be carried over or is malformed.
    arguments (str): "spans" or "heads": what to read where a file has both.
    YIELDS (AnnotatedSentence): The sentences. Words are "[WORD]" where the file has none.
    RAISES (FormatError): With file and line, where a line does not follow the form.
    """
    blocks = list(
        read_blocks(path, report, separator="\t", is_comment=lambda line: line.startswith("#"))
    )
    names = _column_names(path, blocks)
    document = ""
    for block in blocks:
        metadata = block.metadata()
        document = metadata.get("newdoc id", document)
        words, others = _split_rows(block)
        if not words.rows:
            if others.rows:
                kind, message = "sentences without a word", "the sentence has no word"
                drop_sentence(report, kind, path, others.lines[0], message, 0)
            continue
        for whole in _whole_blocks(path, words, names, report):
            sentence = _read_sentence(path, whole, others, names, arguments, report)
            sentence.document = document
            yield sentence


def _split_rows(block: Block) -> tuple[Block, Block]:
    """Part the rows of words from those of contractions and empty nodes."""
    words, others = Block(block.comments), Block()
    for line, row in zip(block.lines, block.rows, strict=True):
        part = others if _OTHER_ROW.fullmatch(row[0]) else words
        part.lines.append(line)
        part.rows.append(row)
    return words, others


def _whole_blocks(
    path: str | Path, block: Block, names: Sequence[str], report: ConversionReport
) -> Iterator[Block]:
    """Check widths and numbers."""
    n_fixed = len(names) - ("FRAME" in names)
    rules = RowRules(
        n_fixed,
        lambda row: len(row) >= n_fixed and _is_predicate(row, names),
        number=names.index("ID"),
        word=names.index("FORM") if "FORM" in names else None,
        names=f" split by tabs ({' '.join(names)})",
    )
    for whole in whole_blocks(path, block, rules, report):
        for line, row in zip(whole.lines, whole.rows, strict=True):
            if "FRAME" not in names and not NO_LABEL.issuperset(row[n_fixed:]):
                kind = "sentences with lines of more columns than are named"
                message = f"expected {n_fixed} columns{rules.names}, found {len(row)}"
                drop_sentence(report, kind, path, line, message, rules.count_predicates(whole))
                break
        else:
            yield whole


def _is_predicate(row: Sequence[str], names: Sequence[str]) -> bool:
    cells = dict(zip(names, row, strict=False))
    if "PRED" not in cells:
        return _misc(cells["MISC"]).get("Roleset", "-") not in ("-", _NOTHING)
    is_flagged = cells.get("FLAG") == "Y"
    named = ("PRED",) if "FRAME" in names else ("PRED", "ARGHEADS", "ARGSPANS")
    return is_flagged or any(cells.get(name, _NOTHING) != _NOTHING for name in named)


def _misc(cell: str) -> dict[str, str]:
    return dict(part.partition("=")[::2] for part in cell.split("|"))


def _column_names(path: str | Path, blocks: Sequence[Block]) -> tuple[str, ...]:
    """Find out the form of a file. RETURNS (tuple[str, ...]): Names without their prefix."""
    for block in blocks:
        for number, comment in block.comments:
            match = _GLOBAL.fullmatch(comment)
            if match:
                names = tuple(name.rpartition(":")[2] for name in match[1].split())
                names = tuple({"PREDS": "PRED", "FEAT": "FEATS"}.get(n, n) for n in names)
                if "ID" not in names or "PRED" not in names or "FRAME" in names:
                    raise FormatError(
                        path,
                        number,
                        f"expected columns among which are ID and UP:PRED, found {match[1]!r}",
                    )
                return names
    if any(len(row) == 10 and "Roleset=" in row[9] for block in blocks for row in block.rows):
        return UD_COLUMNS
    rows = [row for block in blocks for row in block.rows if len(row) > 9]
    n_flags = sum(row[8] == "Y" for row in rows)
    n_ud = sum(":" in row[8] or "=" in row[9] for row in rows)  # DEPS, MISC
    return UP1_ENGLISH_COLUMNS if n_ud > n_flags else UP1_COLUMNS


def _read_sentence(
    path: str | Path,
    block: Block,
    others: Block,
    names: Sequence[str],
    arguments: str,
    report: ConversionReport,
) -> AnnotatedSentence:
    lines, rows = block.lines, block.rows
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names) if name != "FRAME"}
    sentence = _read_words(path, block, others, columns, report)
    for _, comment in block.comments:
        match = _SENT_ID.fullmatch(comment)
        if match:
            sentence.metadata["sent_id"] = match[1]
    report.see(sentences=1)
    if "PRED" not in names:
        sentence.frames = _read_misc(path, lines, columns["MISC"], report)
    elif "FRAME" in names:
        sentence.frames = _read_frames(path, block, names.index("FRAME"), columns, report)
    else:
        sentence.frames = _read_lists(path, lines, columns, arguments, report)
    return sentence


def _read_frames(
    path: str | Path,
    block: Block,
    n_fixed: int,
    columns: dict[str, list[str]],
    report: ConversionReport,
) -> list[IndexedFrame]:
    """Read predicates with a column of arguments for each."""
    flags = columns.get("FLAG", [_NOTHING] * len(block.rows))
    predicates = read_flags(path, block.lines, flags, columns["PRED"], report)
    found = frame_columns(path, block, n_fixed, len(predicates), NO_LABEL, report)
    if found is None:
        return []
    found = [[cell or _NOTHING for cell in column] for column in found]
    found = _ordered(path, block.lines, predicates, found, report)
    return read_arguments(path, block.lines, predicates, columns["PRED"], found, report)


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
    if len(columns) != len(predicates) or not any("V" in column for column in columns):
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


def _read_words(
    path: str | Path,
    block: Block,
    others: Block,
    columns: dict[str, list[str]],
    report: ConversionReport,
) -> AnnotatedSentence:
    """Read the columns of Universal Dependencies."""
    lines = block.lines
    if "FORM" not in columns:
        return AnnotatedSentence(path=str(path), lines=lines, words=[NO_WORD] * len(lines))
    sentence = AnnotatedSentence(path=str(path), lines=lines, words=columns["FORM"])
    if "MISC" in columns:
        sentence.spaces = [_space(cell) for cell in columns["MISC"]]
    _read_others(path, block, others, sentence.spaces, report)
    for layer, name in (("tags", "XPOS"), ("pos", "UPOS"), ("morphs", "FEATS")):
        if name in columns:
            setattr(sentence, layer, filled(columns[name], _NOTHING))
    lemmas = columns.get("LEMMA", [_NOTHING] * len(lines))
    if any(lemma != _NOTHING for lemma in lemmas):
        sentence.lemmas = [
            "" if lemma == _NOTHING != word else lemma
            for word, lemma in zip(sentence.words, lemmas, strict=True)
        ]
    if "HEAD" in columns:
        sentence.heads = read_heads(path, lines, columns["ID"], columns["HEAD"], report)
    if sentence.heads is not None:
        deps = columns.get("DEPREL", [_NOTHING] * len(lines))
        sentence.deps = ["" if dep == _NOTHING else dep for dep in deps]
    return sentence


def _space(misc: str) -> bool:
    return "SpaceAfter=No" not in misc.split("|")


def _read_others(
    path: str | Path,
    block: Block,
    others: Block,
    spaces: list[bool] | None,
    report: ConversionReport,
) -> None:
    """Count contractions and empty nodes, and let the spaces be those of contractions: none inside,
    behind its last word what its row says.
    """
    first_line, last_line = block.lines[0] - 1, block.lines[-1]
    words = {row[0]: i for i, row in enumerate(block.rows)}
    for line, row in zip(others.lines, others.rows, strict=True):
        if not first_line <= line <= last_line:
            continue
        match = _OTHER_ROW.fullmatch(row[0])
        if match is None or match[2] == ".":
            report.add_line("empty nodes", path, line, repr(row[:2]))
            continue
        start, end = words.get(match[1]), words.get(match[3])
        if start is None or end is None or start >= end or block.lines[start] < line:
            report.malformed(
                "contractions that do not stand before their words",
                path,
                line,
                f"expected the numbers of the words below, found the contraction {row[0]!r}",
            )
            continue
        report.add_line("contractions, given by their parts", path, line, repr(row[1:2]))
        if spaces is not None:
            spaces[start:end] = [False] * (end - start)
            spaces[end] = _space(row[-1] if len(row) < 10 else row[9])


def _read_misc(
    path: str | Path, lines: Sequence[int], cells: Sequence[str], report: ConversionReport
) -> list[IndexedFrame]:
    """Read predicates and arguments from MISC."""
    fields = [_misc(cell) for cell in cells]
    rolesets = [field.get("Roleset", "-") for field in fields]
    rolesets = [_NOTHING if roleset == "-" else roleset for roleset in rolesets]
    predicates = [i for i, roleset in enumerate(rolesets) if roleset != _NOTHING]
    rows = [field["Args"].split("/") if field.get("Args") else [] for field in fields]
    for number, row in zip(lines, rows, strict=True):
        if len(row) != len(predicates) and row not in ([], [_NOTHING]):
            n_arguments = sum(label not in (*NO_LABEL, "V") for label in row)
            report.malformed(
                "arguments of words with more or fewer labels than predicates",
                path,
                number,
                f"expected a label for each of the {len(predicates)} predicates, split by '/',"
                f" found Args={'/'.join(row)}",
                arguments=n_arguments,
            )
            report.see(arguments=n_arguments)
    columns = [
        [row[i] or _NOTHING if len(row) == len(predicates) else _NOTHING for row in rows]
        for i in range(len(predicates))
    ]
    columns = _ordered(path, lines, predicates, columns, report)
    return read_arguments(path, lines, predicates, rolesets, columns, report)


def _read_lists(
    path: str | Path,
    lines: Sequence[int],
    columns: dict[str, list[str]],
    arguments: str,
    report: ConversionReport,
) -> list[IndexedFrame]:
    """Read predicates with lists of arguments."""
    wanted = ("ARGSPANS", "ARGHEADS") if arguments == "spans" else ("ARGHEADS", "ARGSPANS")
    name = next((name for name in wanted if name in columns), None)
    frames = []
    for i, roleset in enumerate(columns["PRED"]):
        cell = columns[name][i] if name else _NOTHING
        if roleset in NO_LABEL and cell in NO_LABEL:
            continue
        own = []
        for part in [] if cell in NO_LABEL else cell.split("|"):
            argument = _read_argument(path, lines, i, part, name == "ARGSPANS", report)
            own += [] if argument is None else [argument]
            report.see(arguments=1)
        own.sort(key=lambda argument: argument[1:])
        report.see(frames=1)
        frames.append(IndexedFrame(i, "" if roleset in NO_LABEL else roleset, tuple(own)))
    return frames


def _read_argument(
    path: str | Path,
    lines: Sequence[int],
    index: int,
    part: str,
    is_span: bool,
    report: ConversionReport,
) -> tuple[str, int, int] | None:
    match = (_SPAN_ARGUMENT if is_span else _HEAD_ARGUMENT).fullmatch(part)
    first, last = (int(match[2]), int(match[3 if is_span else 2])) if match else (0, 0)
    if match and 1 <= first <= last <= len(lines):
        return match[1], first - 1, last
    report.malformed(
        "arguments that are no label and words of the sentence",
        path,
        lines[index],
        f"expected an argument such as {'A0:1-3' if is_span else 'A0:3'} within the sentence's"
        f" {len(lines)} words, found {part!r}",
        arguments=1,
    )
    return None


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
                kind = "predicates without roleset and arguments, which leave no trace"
                report.add(kind, place, frames=1)
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
