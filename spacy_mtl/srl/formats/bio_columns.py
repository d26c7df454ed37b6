"""BIO tags in columns, as projects for semantic roles exchange them: a word, what marks the
predicates, and a column of tags for each predicate.

    The     _         B-ARG0  O
    cook    _         I-ARG0  B-ARG0
    pours   pour.01   B-V     O
    and     _         O       O
    serves  serve.06  O       B-V

The column of marks holds rolesets, lemmas, or "Y"; a file may also have no such column.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .bio import OUTSIDE, is_tag, read_frame, write_tags
from .columns import Block, RowRules, encode, frame_columns, read_blocks, whole_blocks, write_rows
from .errors import FormatError
from .propositions import PREDICATE_LABEL, is_roleset, pair_columns
from .report import ConversionReport
from .sentence import AnnotatedSentence, filled

COLUMN_NAMES = ("word", "tag", "lemma", "predicate", "_")
_NOTHING = "_"
_NO_PREDICATE = frozenset({_NOTHING, "-", OUTSIDE, "0"})
_MARKS = frozenset({"Y", "1", PREDICATE_LABEL, f"B-{PREDICATE_LABEL}"})
_NO_TAG = frozenset({OUTSIDE, _NOTHING, "-"})
_DEFAULT = ("word", "predicate")
_LAYOUTS = (_DEFAULT, ("word",))


def parse_columns(text: str) -> tuple[str, ...]:
    """Read the names of the columns in front of the tags.

    text (str): Names split by spaces or commas: "word", "tag", "lemma", "predicate"; "_" is a
        column that is not read.
    RETURNS (tuple[str, ...]): The names.
    RAISES (ValueError): If a name is unknown or "word" is missing.
    """
    names = tuple(text.replace(",", " ").split())
    unknown = [name for name in names if name not in COLUMN_NAMES]
    if unknown or "word" not in names:
        raise ValueError(
            f"the columns {text!r} are not the names of columns in front of BIO tags: found"
            f" {unknown or 'no word'}, the names are {', '.join(COLUMN_NAMES)}, and 'word' must be"
            " among them"
        )
    return names


def read_bio(
    path: str | Path, report: ConversionReport, *, columns: str | None = None
) -> Iterator[AnnotatedSentence]:
    """Read a file of BIO tags in columns.

    path (str | Path): The file, UTF-8. Columns are split by spaces or tabs.
    report (ConversionReport): Where to count what can't be carried over or is malformed.
    columns (str | None): The columns in front of the tags, see `parse_columns`; if None, "word
        predicate" or "word", which is found out.
    YIELDS (AnnotatedSentence): The sentences. A mark that is a lemma becomes that of its token.
    RAISES (FormatError): With file and line, where a line does not follow the format, or if it
        can't be found out whether there is a column of marks.
    """
    blocks = [block for block in read_blocks(path, report) if block.rows]
    names = _find_columns(path, blocks, report) if columns is None else parse_columns(columns)
    at = names.index("predicate") if "predicate" in names else None
    rules = RowRules(len(names), lambda row: _is_predicate(row, at))
    for block in blocks:
        for whole in whole_blocks(path, block, rules, report):
            yield _read_sentence(path, whole, names, report)


def _is_predicate(row: Sequence[str], at: int | None) -> bool:
    if at is None:  # a column of tags has one predicate
        return f"B-{PREDICATE_LABEL}" in row
    return len(row) > at and row[at] not in _NO_PREDICATE


def _find_columns(
    path: str | Path, blocks: Sequence[Block], report: ConversionReport
) -> tuple[str, ...]:
    """Find out whether there is a column of marks: from the number of columns of the sentences, or,
    where malformed ones are allowed and that does not tell, from whether the second column holds
    tags.
    """
    n_marked, n_argumentless = (sum(_fits(block, names) for block in blocks) for names in _LAYOUTS)
    second = [row[1] for block in blocks for row in block.rows if len(row) > 1]
    said = [cell for cell in second if cell not in _NO_TAG]
    is_argumentless = n_argumentless > n_marked
    if n_marked == n_argumentless:
        is_argumentless = not second or (bool(said) and all(map(is_tag, said)))
    is_clear = max(n_marked, n_argumentless) == len(blocks) and (
        n_marked != n_argumentless or not said
    )
    if not is_clear and report.on_error == "stop":
        raise FormatError(
            path,
            blocks[0].lines[0],
            "expected a word, a mark of predicates or none, and a column of BIO tags for each"
            " predicate; name the columns in front of the tags, as in --columns 'word tag"
            " predicate'",
            recoverable=True,
        )
    return _LAYOUTS[is_argumentless]


def _fits(block: Block, names: Sequence[str]) -> bool:
    """Whether a sentence has a column for each predicate, of which most cells are tags."""
    at = names.index("predicate") if "predicate" in names else None
    rests = [row[len(names) :] for row in block.rows]
    if any(
        len(rest) != len(rests[0]) or len(row) < len(names)
        for rest, row in zip(rests, block.rows, strict=True)
    ):
        return False
    columns = [column for column in zip(*rests, strict=True) if not _NO_TAG.issuperset(column)]
    cells = [cell for column in columns for cell in column]
    if 2 * sum(map(is_tag, cells)) < len(cells):
        return False
    if at is None:
        return all(f"B-{PREDICATE_LABEL}" in column for column in columns)
    n_marked = sum(_is_predicate(row, at) for row in block.rows)
    return n_marked in (len(rests[0]), len(columns))


def _read_sentence(
    path: str | Path, block: Block, names: Sequence[str], report: ConversionReport
) -> AnnotatedSentence:
    lines, length = block.lines, len(block.rows)
    fixed = zip(*(row[: len(names)] for row in block.rows), strict=True)
    named = dict(zip(names, map(list, fixed), strict=False))
    sentence = AnnotatedSentence(path=str(path), lines=lines, words=named["word"], frames=[])
    if "tag" in named:
        sentence.tags = filled(named["tag"], _NOTHING)
    if "lemma" in named:
        sentence.lemmas = filled(named["lemma"], _NOTHING)
    report.see(sentences=1)
    marks = named.get("predicate")
    predicates = [i for i, mark in enumerate(marks or ()) if mark not in _NO_PREDICATE]
    n_predicates = len(predicates) if marks else _count_columns(block, len(names))
    tags = frame_columns(path, block, len(names), n_predicates, _NO_TAG, report)
    if tags is None:
        return sentence
    if len(tags) > n_predicates:
        tags = [column for column in tags if not _NO_TAG.issuperset(column)]
    pairs = list(zip(predicates, range(len(tags)), strict=False))
    if marks is not None and len(tags) != n_predicates:
        verb = f"B-{PREDICATE_LABEL}"
        pairs = pair_columns(
            path,
            lines[0],
            predicates,
            [column.index(verb) if verb in column else None for column in tags],
            f"the sentence has {n_predicates} marked predicates but {len(tags)} columns of tags;"
            " every predicate needs one",
            report,
        )
    rolesets = [mark if is_roleset(mark) else "" for mark in marks or [""] * length]
    if marks is not None and sentence.lemmas is None:
        lemmas = [
            "" if mark in _NO_PREDICATE | _MARKS or roleset else mark
            for mark, roleset in zip(marks, rolesets, strict=True)
        ]
        sentence.lemmas = lemmas if any(lemmas) else None
    frames = []
    owners = {number: predicate for predicate, number in pairs}
    for number, cells in enumerate(tags):
        marked = owners.get(number)
        if marks is not None and marked is None:
            continue
        column = [OUTSIDE if cell in _NO_TAG else cell for cell in cells]
        where = f"column {number + 1} of tags"
        roleset = "" if marked is None else rolesets[marked]
        frame = read_frame(path, lines, where, column, marked, roleset, report)
        frames += [] if frame is None else [frame]
    sentence.frames = frames
    return sentence


def _count_columns(block: Block, n_fixed: int) -> int:
    """The number of columns up to the last one that says something."""
    ends = (
        i for row in block.rows for i, cell in enumerate(row[n_fixed:], 1) if cell not in _NO_TAG
    )
    return max(ends, default=0)


def write_bio(
    sentences: Iterable[AnnotatedSentence],
    report: ConversionReport,
    *,
    columns: str | None = None,
) -> Iterator[str]:
    """Write sentences as BIO tags in columns.

    sentences (Iterable[AnnotatedSentence]): The sentences.
    report (ConversionReport): Where to count what the columns have no room for.
    columns (str | None): The columns in front of the tags, see `parse_columns`; "word predicate" if
        None.
    YIELDS (str): The lines of each sentence.
    RAISES (ValueError): If a label has white space in it.
    """
    names = _DEFAULT if columns is None else parse_columns(columns)
    for sentence in sentences:
        length = len(sentence.words)
        place = " ".join(sentence.words[:5])
        frames = sorted(sentence.frames or (), key=lambda frame: frame.predicate)
        marks = [_NOTHING] * length
        for frame in frames:
            marks[frame.predicate] = "_".join(frame.roleset.split()) or "Y"
            if any(len(label.split()) != 1 for label, _, _ in frame.arguments):
                raise ValueError(f"{place}: a label with white space in it can't be written")
            if frame.roleset and "predicate" not in names:
                report.add("rolesets (there is no column for them)", place)
            elif frame.roleset and not is_roleset(frame.roleset):
                report.add("rolesets without a sense, which read back as lemmas", place)
        for name, layer in (("tag", sentence.tags), ("lemma", sentence.lemmas)):
            if name not in names and layer is not None:
                report.add(f"{name}s of tokens", place, count=length)
        cells = {
            "word": encode(sentence.words, length, _NOTHING, report),
            "tag": encode(sentence.tags, length, _NOTHING, report),
            "lemma": encode(sentence.lemmas, length, _NOTHING, report),
            "predicate": marks,
            "_": [_NOTHING] * length,
        }
        yield write_rows(
            [*(cells[name] for name in names), *(write_tags(frame, length) for frame in frames)]
        )
