"""CoNLL-2008: syntax and semantic dependencies in columns, without a column of flags.

Words split at hyphens and slashes are the tokens: SPLIT_FORM. FORM holds the whole word at the
first part of it, and "_" at the others.

Source: https://surdeanu.cs.arizona.edu/conll08 (Surdeanu et al. 2008).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from .columns import Block, RowRules, encode, frame_columns, read_blocks, whole_blocks
from .conll09 import NO_LABEL, is_conll08, read_arguments, read_heads, write_heads, write_predicates
from .errors import FormatError
from .report import ConversionReport
from .sentence import AnnotatedSentence, filled

_NOTHING = "_"
# ID, FORM, LEMMA, GPOS, PPOS, SPLIT_FORM, SPLIT_LEMMA, PPOSS, HEAD, DEPREL, PRED
_FIXED_COLUMNS = 11
_COLUMN_PREFIX = "conll08:"
# The columns that are only carried, and the columns that stand for them where they are not known.
_CARRIED = {"form": (1, 5), "lemma": (2, 6), "gpos": (3, 7), "ppos": (4, 7)}
COLUMNS = frozenset(f"{_COLUMN_PREFIX}{name}" for name in _CARRIED)
_RULES = RowRules(
    _FIXED_COLUMNS,
    lambda row: len(row) >= _FIXED_COLUMNS and row[10] not in NO_LABEL,
    number=0,
)


def read_conll08(path: str | Path, report: ConversionReport) -> Iterator[AnnotatedSentence]:
    """Read a file of CoNLL-2008. Arguments become spans of one token.

    path (str | Path): The file, UTF-8. Columns are split by tabs.
    report (ConversionReport): Where to count what can't be carried over or is malformed.
    YIELDS (AnnotatedSentence): The sentences; FORM, LEMMA, GPOS and PPOS as columns where they
        differ from what is said of the parts of the words.
    RAISES (FormatError): With file and line, where a line does not follow the format, or if the
        file is one of CoNLL-2009.
    """
    for i, block in enumerate(read_blocks(path, report, separator="\t")):
        first = block.rows[0]
        if i == 0 and len(first) > 13 and not is_conll08(first):
            raise FormatError(
                path,
                block.lines[0],
                f"the columns are not those of CoNLL-2008 (found {first[9]!r} for DEPREL in the"
                " tenth); read a file of CoNLL-2009 with --from conll09",
            )
        for whole in whole_blocks(path, block, _RULES, report):
            yield _read_sentence(path, whole, report)


def _read_sentence(path: str | Path, block: Block, report: ConversionReport) -> AnnotatedSentence:
    lines = block.lines
    fixed = zip(*(row[:_FIXED_COLUMNS] for row in block.rows), strict=True)
    columns = [list(column) for column in fixed]
    for i, parts in ((5, 1), (6, 2)):  # unsplit words, where no part is given
        columns[i] = [
            whole if part in NO_LABEL else part
            for part, whole in zip(columns[i], columns[parts], strict=True)
        ]
    words = [word or _NOTHING for word in columns[5]]
    tags = columns[7]
    if all(tag == _NOTHING for tag in tags):
        tags = columns[3]
    sentence = AnnotatedSentence(
        path=str(path),
        lines=lines,
        words=words,
        lemmas=filled(columns[6], _NOTHING),
        tags=filled(tags, _NOTHING),
    )
    sentence.heads = read_heads(path, lines, columns[0], columns[8], report)
    if sentence.heads is not None:
        sentence.deps = ["" if dep == _NOTHING else dep for dep in columns[9]]
    for name, (index, own) in _CARRIED.items():
        if columns[index] != columns[own]:
            sentence.columns[f"{_COLUMN_PREFIX}{name}"] = columns[index]
    predicates = [i for i, sense in enumerate(columns[10]) if sense not in NO_LABEL]
    report.see(sentences=1)
    n_predicates = len(predicates)
    arguments = frame_columns(path, block, _FIXED_COLUMNS, n_predicates, NO_LABEL, report)
    sentence.frames = []
    if arguments is not None:
        sentence.frames = read_arguments(path, lines, predicates, columns[10], arguments, report)
    return sentence


def write_conll08(
    sentences: Iterable[AnnotatedSentence], report: ConversionReport
) -> Iterator[str]:
    """Write sentences as CoNLL-2008 has them. Arguments are narrowed to their heads.

    sentences (Iterable[AnnotatedSentence]): The sentences.
    report (ConversionReport): Where to count what the format has no room for.
    YIELDS (str): The lines of each sentence.
    RAISES (ValueError): If an argument has several tokens and there is no dependency parse.
    """
    for sentence in sentences:
        length = len(sentence.words)
        own = {
            5: encode(sentence.words, length, "", report, keep_spaces=True),
            6: encode(sentence.lemmas, length, _NOTHING, report, keep_spaces=True),
            7: encode(sentence.tags, length, _NOTHING, report, keep_spaces=True),
        }
        columns = [list(map(str, range(1, length + 1)))]
        for name, (_, index) in _CARRIED.items():
            carried = sentence.columns.get(f"{_COLUMN_PREFIX}{name}")
            columns.append(
                own[index] if carried is None else encode(carried, length, _NOTHING, None)
            )
        columns += own.values()
        columns.append(write_heads(sentence))
        columns.append(encode(sentence.deps, length, _NOTHING, report, keep_spaces=True))
        _, rolesets, *arguments = write_predicates(sentence, report)
        for frame in sentence.frames or ():
            if not frame.roleset:
                kind = "predicates without a roleset, written with their lemma as roleset"
                report.add(kind, " ".join(sentence.words[:5]))
                lemma = own[6][frame.predicate]
                rolesets[frame.predicate] = (
                    lemma if lemma != _NOTHING else own[5][frame.predicate].lower()
                )
        columns += [rolesets, *arguments]
        lines = ["\t".join(row) for row in zip(*columns, strict=True)]
        yield "\n".join([*lines, "", ""])
