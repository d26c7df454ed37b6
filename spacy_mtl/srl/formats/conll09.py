"""CoNLL-2009: syntax and semantic dependencies in columns; an argument is its head.

Source: https://ufal.mff.cuni.cz/conll2009-st/task-description.html (Hajič et al. 2009).
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..alignment import IndexedFrame
from .columns import Block, RowRules, encode, frame_columns, read_blocks, whole_blocks
from .errors import FormatError
from .heads import MALFORMED_TREES, frames_to_heads
from .propositions import PREDICATE_LABEL, PREDICATE_REST_LABEL
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
NO_LABEL = frozenset({_NOTHING, ""})  # cells of a column of arguments that say nothing
_RULES = RowRules(
    _FIXED_COLUMNS,
    lambda row: len(row) >= _FIXED_COLUMNS and (row[12] == _FILLED or row[13] != _NOTHING),
    number=0,
    word=1,
)


def read_conll09(path: str | Path, report: ConversionReport) -> Iterator[AnnotatedSentence]:
    """Read a file of CoNLL-2009. Arguments become spans of one token.

    path (str | Path): The file, UTF-8. Columns are split by tabs.
    report (ConversionReport): Where to count what can't be carried over or is malformed.
    YIELDS (AnnotatedSentence): The sentences; the predicted layers (PLEMMA, PPOS ...) as columns
        where they differ from the others.
    RAISES (FormatError): With file and line, where a line does not follow the format, or if the
        file is one of CoNLL-2008.
    """
    for i, block in enumerate(read_blocks(path, report, separator="\t")):
        if i == 0 and is_conll08(block.rows[0]):
            raise FormatError(
                path,
                block.lines[0],
                f"the columns are those of CoNLL-2008 (DEPREL {block.rows[0][9]!r} in the tenth);"
                " read it with --from conll08",
            )
        for whole in whole_blocks(path, block, _RULES, report):
            yield _read_sentence(path, whole, report)


def is_conll08(row: Sequence[str]) -> bool:
    """Whether a row is one of CoNLL-2008: the tenth column holds a relation, not a head.

    row (Sequence[str]): Its cells.
    RETURNS (bool): False for rows of CoNLL-2009 and rows with too few columns for both.
    """
    return len(row) > 10 and row[8].isdecimal() and row[9] != _NOTHING and not row[9].isdecimal()


def _read_sentence(path: str | Path, block: Block, report: ConversionReport) -> AnnotatedSentence:
    lines = block.lines
    fixed = zip(*(row[:_FIXED_COLUMNS] for row in block.rows), strict=True)
    columns = [list(column) for column in fixed]
    sentence = AnnotatedSentence(
        path=str(path),
        lines=lines,
        words=columns[1],
        lemmas=filled(columns[2], _NOTHING),
        tags=filled(columns[4], _NOTHING),
    )
    if any("=" not in part for cell in columns[6] if cell != _NOTHING for part in cell.split("|")):
        sentence.columns[_FEATURES] = columns[6]  # such as "Nom|Sg|Fem"; spaCy wants names
    else:
        sentence.morphs = filled(columns[6], _NOTHING)
    sentence.heads = read_heads(path, lines, columns[0], columns[8], report)
    if sentence.heads is not None:
        sentence.deps = ["" if dep == _NOTHING else dep for dep in columns[10]]
    for name, index in _PREDICTED.items():
        if columns[index] != columns[index - 1] and any(v != _NOTHING for v in columns[index]):
            sentence.columns[f"{_COLUMN_PREFIX}{name}"] = columns[index]
    report.see(sentences=1)
    predicates = read_flags(path, lines, columns[12], columns[13], report)
    n_predicates = len(predicates)
    arguments = frame_columns(path, block, _FIXED_COLUMNS, n_predicates, NO_LABEL, report)
    sentence.frames = []
    if arguments is not None:
        sentence.frames = read_arguments(path, lines, predicates, columns[13], arguments, report)
    return sentence


def read_heads(
    path: str | Path,
    lines: Sequence[int],
    numbers: Sequence[str],
    cells: Sequence[str],
    report: ConversionReport,
) -> list[int] | None:
    """Read a column of heads.

    path (str | Path): The file, for messages.
    lines (Sequence[int]): The line of each word.
    numbers (Sequence[str]): The number of each word.
    cells (Sequence[str]): Number of each word's head, "0" for a root; all "_" if it is not parsed.
    report (ConversionReport): What to do if a head is malformed.
    RETURNS (list[int] | None): Index of each word's head; a root points to itself. None if the
        sentence is not parsed, or its tree is dropped.
    RAISES (FormatError): If a cell is not the number of a word, and malformed parts are errors.
    """
    if all(cell == _NOTHING for cell in cells):
        return None
    index = {number: i for i, number in enumerate(numbers)}
    heads = []
    for i, cell in enumerate(cells):
        if cell != "0" and cell not in index:
            message = f"expected the head's number, 0 to {len(cells)}, found {cell!r}"
            report.malformed(MALFORMED_TREES, path, lines[i], message)
            return None
        heads.append(i if cell == "0" else index[cell])
    return heads


def read_flags(
    path: str | Path,
    lines: Sequence[int],
    flags: Sequence[str],
    senses: Sequence[str],
    report: ConversionReport,
) -> list[int]:
    """Find the predicates by a column of flags and one of rolesets.

    path (str | Path): The file, for messages.
    lines (Sequence[int]): The line of each word.
    flags (Sequence[str]): "Y" for predicates.
    senses (Sequence[str]): Their rolesets, "_" where there is none.
    report (ConversionReport): What to do with other flags.
    RETURNS (list[int]): The words that have a flag or a roleset.
    RAISES (FormatError): If a flag is neither "Y" nor "_", and malformed parts are errors.
    """
    for number, flag in zip(lines, flags, strict=True):
        if flag not in (_FILLED, _NOTHING):
            report.malformed(
                "flags of predicates that are neither, of which the roleset decides",
                path,
                number,
                f"expected {_FILLED!r} or {_NOTHING!r} to mark predicates, found {flag!r}",
            )
    return [
        i
        for i, (flag, sense) in enumerate(zip(flags, senses, strict=True))
        if flag == _FILLED or sense != _NOTHING
    ]


def read_arguments(
    path: str | Path,
    lines: Sequence[int],
    predicates: Sequence[int],
    senses: Sequence[str],
    columns: Sequence[Sequence[str]],
    report: ConversionReport,
) -> list[IndexedFrame]:
    """Read the arguments of predicates in a column for each.

    path (str | Path): The file, for messages.
    lines (Sequence[int]): The line of each word.
    predicates (Sequence[int]): The predicates, in order.
    senses (Sequence[str]): The roleset of each word, "_" where there is none.
    columns (Sequence[Sequence[str]]): For each predicate in order the label of each word, or "_";
        several labels of a word are split by "|". A label "V" marks the predicate or, at another
        word, the rest of it. Columns without a label are not needed.
    report (ConversionReport): What to do with malformed columns.
    RETURNS (list[IndexedFrame]): The frames, arguments of one token each.
    RAISES (FormatError): If there are not as many columns as predicates or a label is empty, and
        malformed parts are errors.
    """
    if len(columns) != len(predicates):
        if all(cell in NO_LABEL for column in columns for cell in column):
            columns = [[_NOTHING] * len(lines)] * len(predicates)
        else:
            n_frames = max(len(predicates), len(columns))
            report.malformed(
                "frames of sentences with more or fewer columns than predicates",
                path,
                lines[0],
                f"the sentence has {len(predicates)} predicates but {len(columns)} columns of"
                " arguments; every predicate needs one",
                frames=n_frames,
            )
            report.see(frames=n_frames)
            return []
    frames = []
    for predicate, cells in zip(predicates, columns, strict=True):
        arguments = []
        for i, cell in enumerate(cells):
            labels = [] if cell in NO_LABEL else cell.split("|")
            if i == predicate and PREDICATE_LABEL in labels:
                labels.remove(PREDICATE_LABEL)
            report.see(arguments=len(labels))
            for label in labels:
                if label == PREDICATE_LABEL:
                    label = PREDICATE_REST_LABEL
                if not label.strip():
                    kind, message = "arguments without a label", f"found an empty label in {cell!r}"
                    report.malformed(kind, path, lines[i], message, arguments=1)
                else:
                    arguments.append((label, i, i + 1))
        sense = senses[predicate]
        roleset = "" if sense in NO_LABEL else sense
        frames.append(IndexedFrame(predicate, roleset, tuple(arguments)))
    report.see(frames=len(frames))
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
