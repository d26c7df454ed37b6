"""CoNLL-2009: syntax and semantic dependencies in columns; an argument is its head.

Source: https://ufal.mff.cuni.cz/conll2009-st/task-description.html (Hajič et al. 2009).
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..srl.alignment import IndexedFrame
from .columns import Block, check_widths, encode, read_blocks
from .errors import FormatError
from .heads import frames_to_heads
from .report import ConversionReport
from .sentence import AnnotatedSentence, filled

_NOTHING = "_"
_FILLED = "Y"
# ID, FORM, LEMMA, PLEMMA, POS, PPOS, FEAT, PFEAT, HEAD, PHEAD, DEPREL, PDEPREL, FILLPRED, PRED
_FIXED_COLUMNS = 14
_COLUMN_PREFIX = "conll09:"
_PREDICTED = {"plemma": 3, "ppos": 5, "pfeat": 7, "phead": 9, "pdeprel": 11}
_FEATURES = f"{_COLUMN_PREFIX}feat"
COLUMNS = frozenset({_FEATURES, *(f"{_COLUMN_PREFIX}{name}" for name in _PREDICTED)})


def read_conll09(path: str | Path, report: ConversionReport) -> Iterator[AnnotatedSentence]:
    """Read a file of CoNLL-2009. Arguments become spans of one token.

    path (str | Path): The file, UTF-8. Columns are split by tabs.
    report (ConversionReport): Where to count what can't be carried over.
    YIELDS (AnnotatedSentence): The sentences; the predicted layers (PLEMMA, PPOS ...) as columns
        where they differ from the others.
    RAISES (FormatError): With file and line, where a line does not follow the format.
    """
    for block in read_blocks(path, separator="\t"):
        check_widths(path, block, _FIXED_COLUMNS)
        yield _read_sentence(path, block)


def _read_sentence(path: str | Path, block: Block) -> AnnotatedSentence:
    for i, (number, row) in enumerate(zip(block.lines, block.rows, strict=True)):
        if row[0] != str(i + 1):
            raise FormatError(
                path,
                number,
                f"expected word {i + 1} of the sentence, found {row[0]!r}; an empty line parts two"
                " sentences",
            )
    columns = [list(column) for column in zip(*block.rows, strict=True)]
    sentence = AnnotatedSentence(
        path=str(path),
        lines=block.lines,
        words=columns[1],
        lemmas=filled(columns[2], _NOTHING),
        tags=filled(columns[4], _NOTHING),
    )
    if any("=" not in part for cell in columns[6] if cell != _NOTHING for part in cell.split("|")):
        sentence.columns[_FEATURES] = columns[6]  # such as "Nom|Sg|Fem"; spaCy wants names
    else:
        sentence.morphs = filled(columns[6], _NOTHING)
    if any(cell != _NOTHING for cell in columns[8]):
        sentence.heads = read_heads(path, block.lines, columns[8])
        sentence.deps = ["" if dep == _NOTHING else dep for dep in columns[10]]
    for name, index in _PREDICTED.items():
        if columns[index] != columns[index - 1] and any(v != _NOTHING for v in columns[index]):
            sentence.columns[f"{_COLUMN_PREFIX}{name}"] = columns[index]
    sentence.frames = read_predicates(
        path, block.lines, columns[12], columns[13], columns[_FIXED_COLUMNS:]
    )
    return sentence


def read_heads(path: str | Path, lines: Sequence[int], cells: Sequence[str]) -> list[int]:
    """Read a column of heads.

    path (str | Path): The file, for messages.
    lines (Sequence[int]): The line of each word.
    cells (Sequence[str]): Number of each word's head, "0" for a root.
    RETURNS (list[int]): Index of each word's head; a root points to itself.
    RAISES (FormatError): If a cell is not the number of a word.
    """
    heads = []
    for i, cell in enumerate(cells):
        if not cell.isdecimal() or int(cell) > len(cells):
            raise FormatError(
                path,
                lines[i],
                f"expected the head's number, 0 to {len(cells)}, found {cell!r}",
            )
        heads.append(int(cell) - 1 if int(cell) else i)
    return heads


def read_predicates(
    path: str | Path,
    lines: Sequence[int],
    flags: Sequence[str],
    senses: Sequence[str],
    columns: Sequence[Sequence[str]],
) -> list[IndexedFrame]:
    """Read predicates marked in one column and their arguments in a column for each.

    path (str | Path): The file, for messages.
    lines (Sequence[int]): The line of each word.
    flags (Sequence[str]): "Y" for predicates.
    senses (Sequence[str]): Their rolesets, "_" where there is none.
    columns (Sequence[Sequence[str]]): For each predicate in order the label of each word, or "_";
        several labels of a word are split by "|". No columns at all mean no arguments.
    RETURNS (list[IndexedFrame]): The frames, arguments of one token each.
    RAISES (FormatError): If a flag is neither, or there are not as many columns as predicates.
    """
    for number, flag in zip(lines, flags, strict=True):
        if flag not in (_FILLED, _NOTHING):
            raise FormatError(
                path,
                number,
                f"expected {_FILLED!r} or {_NOTHING!r} to mark predicates, found {flag!r}",
            )
    predicates = [
        i
        for i, (flag, sense) in enumerate(zip(flags, senses, strict=True))
        if flag == _FILLED or sense != _NOTHING
    ]
    if columns and len(columns) != len(predicates):
        raise FormatError(
            path,
            lines[0],
            f"the sentence has {len(predicates)} predicates but {len(columns)} columns of"
            " arguments; every predicate needs one",
        )
    frames = []
    for number, predicate in enumerate(predicates):
        cells = columns[number] if columns else ()
        arguments = tuple(
            (label, i, i + 1)
            for i, cell in enumerate(cells)
            if cell != _NOTHING
            for label in cell.split("|")
        )
        if any(not label for label, _, _ in arguments):
            at = next(i for label, i, _ in arguments if not label)
            raise FormatError(path, lines[at], f"found an empty label in {cells[at]!r}")
        sense = senses[predicate]
        frames.append(IndexedFrame(predicate, "" if sense == _NOTHING else sense, arguments))
    return frames


def write_conll09(
    sentences: Iterable[AnnotatedSentence], report: ConversionReport
) -> Iterator[str]:
    """Write sentences as CoNLL-2009 has them. Arguments are narrowed to their heads. Where the
    predicted layers are not known, they repeat the others.

    sentences (Iterable[AnnotatedSentence]): The sentences.
    report (ConversionReport): Where to count what the format has no room for.
    YIELDS (str): The lines of each sentence.
    RAISES (ValueError): If an argument has several tokens and there is no dependency parse.
    """
    for sentence in sentences:
        length = len(sentence.words)
        gold = [
            encode(sentence.lemmas, length, _NOTHING, report, keep_spaces=True),
            encode(sentence.tags, length, _NOTHING, report, keep_spaces=True),
            encode(
                sentence.columns.get(_FEATURES, sentence.morphs),
                length,
                _NOTHING,
                report if _FEATURES not in sentence.columns else None,
                keep_spaces=True,
            ),
            write_heads(sentence),
            encode(sentence.deps, length, _NOTHING, report, keep_spaces=True),
        ]
        columns = [
            list(map(str, range(1, length + 1))),
            encode(sentence.words, length, "", report, keep_spaces=True),
        ]
        for values, name in zip(gold, _PREDICTED, strict=True):
            predicted = sentence.columns.get(f"{_COLUMN_PREFIX}{name}")
            columns += [
                values,
                values if predicted is None else encode(predicted, length, _NOTHING, None),
            ]
        columns += write_predicates(sentence, report)
        lines = ["\t".join(row) for row in zip(*columns, strict=True)]
        yield "\n".join([*lines, "", ""])


def write_heads(sentence: AnnotatedSentence) -> list[str]:
    """Write a column of heads.

    sentence (AnnotatedSentence): The sentence.
    RETURNS (list[str]): Number of each word's head, "0" for a root; "_" if it is not parsed.
    """
    if sentence.heads is None:
        return [_NOTHING] * len(sentence.words)
    return [str(head + 1 if head != i else 0) for i, head in enumerate(sentence.heads)]


def write_predicates(sentence: AnnotatedSentence, report: ConversionReport) -> list[list[str]]:
    """Write predicates, rolesets and a column of arguments for each predicate.

    sentence (AnnotatedSentence): The sentence.
    report (ConversionReport): Where to count arguments that lose their extent.
    RETURNS (list[list[str]]): The columns: "Y" for predicates, their rolesets, then the arguments.
    RAISES (ValueError): If an argument has several tokens and there is no dependency parse, or a
        label can't be written.
    """
    length = len(sentence.words)
    place = f"the sentence {' '.join(sentence.words[:8])!r}"
    frames = frames_to_heads(sentence.frames or (), sentence.heads, place, report)
    frames.sort(key=lambda frame: frame.predicate)
    flags, senses = [_NOTHING] * length, [_NOTHING] * length
    columns = []
    for frame in frames:
        flags[frame.predicate] = _FILLED
        senses[frame.predicate] = frame.roleset or _NOTHING
        cells = [_NOTHING] * length
        for label, start, _ in frame.arguments:
            if label == _NOTHING or set(label) & set("|\t\n "):
                raise ValueError(f"the label {label!r} can't be written in a column of arguments")
            cells[start] = label
        columns.append(cells)
    return [flags, senses, *columns]
