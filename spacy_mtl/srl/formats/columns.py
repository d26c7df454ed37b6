"""Files in columns: one line a word, an empty line behind each sentence."""

import gzip
import re
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .errors import FormatError
from .report import ConversionReport

_LINE_END = re.compile(r"\r\n|\r|\n")
_CELL_BORDER = re.compile(r"[ \t]+")
_NO_TEXT = re.compile("[\ud800-\udfff]")  # what bytes that are not UTF-8 are decoded to
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass
class Block:
    """The lines of a sentence.

    comments (list[tuple[int, str]]): Number and text of the comment lines above it.
    lines (list[int]): Number of each row's line.
    rows (list[list[str]]): The columns of each row.
    """

    comments: list[tuple[int, str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def metadata(self) -> dict[str, str]:
        """The comments of the form "# key = value".

        RETURNS (dict[str, str]): Value by key.
        """
        pairs = (text[1:].partition("=") for _, text in self.comments)
        return {key.strip(): value.strip() for key, _, value in pairs}


def read_text(path: str | Path, report: ConversionReport | None = None) -> str:
    """Read a file.

    path (str | Path): The file, UTF-8, with or without a byte order mark; may end in ".gz".
    report (ConversionReport | None): What to do with bytes that are not UTF-8. They are errors, or,
        if malformed sentences are to be dropped, lone surrogates for `is_text` to find.
    RETURNS (str): Its text.
    RAISES (FormatError): With the line, if a byte is not UTF-8; if the file is UTF-16, or no whole
        gzip file.
    """
    path = Path(path)
    data = path.read_bytes()
    if path.suffix == ".gz":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise FormatError(path, 1, f"no whole gzip file: {error}") from None
    if data.startswith(_UTF16):
        raise FormatError(path, 1, "the file is UTF-16; convert it to UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(_LINE_END.findall(data[: error.start].decode("latin-1"))) + 1
        message = f"byte {data[error.start]:#x} is not UTF-8; convert the file to UTF-8"
        if report is None or not report.drops_sentences:
            raise FormatError(path, line, message, recoverable=report is not None) from None
        return data.decode("utf-8-sig", errors="surrogateescape")


def is_text(value: str) -> bool:
    """Whether a text is free of lone surrogates, which no Doc can hold.

    value (str): The text.
    RETURNS (bool): False if it has one.
    """
    return not _NO_TEXT.search(value)


def split_lines(text: str) -> list[str]:
    r"""Split a text at line ends, of whatever system: `\n`, `\r\n` or `\r`.

    text (str): The text.
    RETURNS (list[str]): The lines without their ends.
    """
    return _LINE_END.split(text)


def split_cells(line: str) -> list[str]:
    """Split a line at spaces and tabs; others, such as the no-break space, belong to words.

    line (str): The line.
    RETURNS (list[str]): The cells.
    """
    return _CELL_BORDER.split(line.strip(" \t"))


def read_blocks(
    path: str | Path,
    report: ConversionReport | None = None,
    *,
    separator: str | None = None,
    is_comment: Callable[[str], bool] = lambda line: False,
) -> Iterator[Block]:
    """Read the sentences of a file in columns.

    path (str | Path): The file, UTF-8.
    report (ConversionReport | None): What to do with bytes that are not UTF-8, see `read_text`.
    separator (str | None): What parts the columns; spaces and tabs if None.
    is_comment (Callable[[str], bool]): Tells comment lines from rows.
    YIELDS (Block): The sentences; at the end one without rows if there are comments below the last.
    RAISES (FormatError): If the file is not UTF-8.
    """
    block = Block()
    for number, line in enumerate(split_lines(read_text(path, report)), start=1):
        if is_comment(line):
            if block.rows:
                yield block
                block = Block()
            block.comments.append((number, _NO_TEXT.sub("\ufffd", line)))
        elif line.strip():
            block.lines.append(number)
            block.rows.append(split_cells(line) if separator is None else line.split(separator))
        elif block.rows:
            yield block
            block = Block()
    if block.rows or block.comments:
        yield block


def drop_sentence(
    report: ConversionReport,
    kind: str,
    path: str | Path,
    line: int,
    message: str,
    frames: int,
) -> None:
    """Drop a sentence that is malformed as a whole.

    report (ConversionReport): Where to count it.
    kind (str): What is wrong, in the plural, e.g. "sentences with lines that lack columns".
    path (str | Path): The file.
    line (int): The line with the fault.
    message (str): What was found and what was expected.
    frames (int): How many predicates are marked in it.
    RAISES (FormatError): If malformed parts are errors.
    """
    report.malformed(kind, path, line, message, sentences=1, frames=frames)
    report.see(sentences=1, frames=frames)


@dataclass(frozen=True)
class RowRules:
    """What every row of a format has.

    smallest (int): The number of columns in front of those of the predicates.
    is_predicate (Callable[[Sequence[str]], bool]): Whether a row, which may be too short, marks a
        predicate.
    number (int | None): The column with the word's number in the sentence.
    first (int): The number of the first word.
    word (int | None): The column with the word, which must not be empty.
    where (str): Where the number stands, for messages.
    names (str): What the columns are, for messages.
    """

    smallest: int
    is_predicate: Callable[[Sequence[str]], bool]
    number: int | None = None
    first: int = 1
    word: int | None = None
    where: str = ""
    names: str = ""

    def count_predicates(self, block: Block) -> int:
        """Count the marked predicates of a sentence that may be malformed.

        block (Block): The sentence.
        RETURNS (int): How many rows mark one.
        """
        return sum(map(self.is_predicate, block.rows))


def whole_blocks(
    path: str | Path, block: Block, rules: RowRules, report: ConversionReport
) -> Iterator[Block]:
    """Check what the rows of a sentence must have in any case: enough columns, text, and numbers in
    order.

    path (str | Path): The file, for messages.
    block (Block): The sentence.
    rules (RowRules): What the rows have.
    report (ConversionReport): What to do with malformed sentences.
    YIELDS (Block): The sentence, or nothing if it is dropped, or several sentences if an empty line
        was missing between them.
    RAISES (FormatError): With the first line at fault, if malformed parts are errors.
    """
    frames = rules.count_predicates(block)
    for number, row in zip(block.lines, block.rows, strict=True):
        if len(row) < rules.smallest:
            expected = f"expected at least {rules.smallest} columns{rules.names}"
            message = f"{expected}, found {len(row)}"
            kind = "sentences with lines that lack columns"
            drop_sentence(report, kind, path, number, message, frames)
            return
        if not all(map(is_text, row)):
            message = "found bytes or characters that are no text"
            kind = "sentences with bytes that are not UTF-8"
            drop_sentence(report, kind, path, number, message, frames)
            return
        if rules.word is not None and not row[rules.word]:
            kind = "sentences with empty words"
            drop_sentence(report, kind, path, number, "found an empty cell for the word", frames)
            return
    if rules.number is None:
        yield block
        return
    for part in _parts(path, block, rules, report):
        if _check_numbers(path, part, rules, report):
            yield part


def _parts(
    path: str | Path, block: Block, rules: RowRules, report: ConversionReport
) -> Iterator[Block]:
    """Split a block where the numbers begin again: there an empty line is missing."""
    first = str(rules.first)
    starts = [0]
    for i, row in enumerate(block.rows):
        if i and row[rules.number or 0] == first:
            message = _wrong_number(rules, i, first)
            kind = "empty lines that are missing between sentences, put in"
            if report.repair(kind, path, block.lines[i], message):
                starts.append(i)
    for start, end in zip(starts, [*starts[1:], len(block.rows)], strict=True):
        comments = [] if start else block.comments
        yield Block(comments, block.lines[start:end], block.rows[start:end])


def _check_numbers(
    path: str | Path, block: Block, rules: RowRules, report: ConversionReport
) -> bool:
    """Check the numbers of the words. RETURNS (bool): Whether to keep the sentence."""
    for i, (line, row) in enumerate(zip(block.lines, block.rows, strict=True)):
        found = row[rules.number or 0]
        if found == str(rules.first + i):
            continue
        message = _wrong_number(rules, i, found)
        kind = "sentences with word numbers that jump, numbered anew"
        if report.repair(kind, path, line, message):
            return True
        kind = "sentences with word numbers that jump"
        drop_sentence(report, kind, path, line, message, rules.count_predicates(block))
        return False
    return True


def _wrong_number(rules: RowRules, index: int, found: str) -> str:
    return (
        f"expected word {rules.first + index} of the sentence{rules.where}, found {found!r}; an"
        " empty line parts two sentences"
    )


def frame_columns(
    path: str | Path,
    block: Block,
    n_fixed: int,
    n_predicates: int,
    empty: Collection[str],
    report: ConversionReport,
    *,
    n_behind: int = 0,
) -> list[list[str]] | None:
    """Take the columns of the predicates, without surplus cells at the end of a line that say
    nothing.

    path (str | Path): The file, for messages.
    block (Block): The sentence. Its rows have at least `n_fixed` cells.
    n_fixed (int): The number of columns in front.
    n_predicates (int): How many predicates are marked.
    empty (Collection[str]): The cells that say nothing.
    report (ConversionReport): What to do with malformed sentences.
    n_behind (int): The number of columns behind.
    RETURNS (list[list[str]] | None): The columns, or None if the lines have different numbers of
        them: then no frame of the sentence can be read, and they are counted as dropped.
    RAISES (FormatError): If malformed parts are errors, at the first line that differs.
    """
    rests = [row[n_fixed : len(row) - n_behind] for row in block.rows]
    width = max(n_predicates, *(_said(rest, empty) for rest in rests))
    rests = [rest[:width] for rest in rests]
    for number, rest in zip(block.lines, rests, strict=True):
        if len(rest) != len(rests[0]):
            report.malformed(
                "frames of sentences whose lines have different numbers of columns",
                path,
                number,
                f"expected {n_fixed + len(rests[0]) + n_behind} columns as in the sentence's first"
                f" line, found {n_fixed + len(rest) + n_behind}",
                frames=n_predicates,
            )
            report.see(frames=n_predicates)
            return None
    return [list(column) for column in zip(*rests, strict=True)]


def _said(cells: Sequence[str], empty: Collection[str]) -> int:
    """RETURNS (int): The number of cells without those at the end that say nothing."""
    return max((i + 1 for i, cell in enumerate(cells) if cell not in empty), default=0)


def encode(
    values: Iterable[str] | None,
    length: int,
    empty: str,
    report: ConversionReport | None,
    *,
    keep_spaces: bool = False,
) -> list[str]:
    """Write values as cells of a column.

    values (Iterable[str] | None): The values, None if there are none.
    length (int): Number of words in the sentence.
    empty (str): What stands for "no value".
    report (ConversionReport | None): Where to count what does not come back as it was.
    keep_spaces (bool): Whether a cell may hold spaces.
    RETURNS (list[str]): The cells.
    """
    cells = []
    for value in [""] * length if values is None else values:
        if report and value == empty:
            report.add(f"values {empty!r}, which mean 'no value' in the format", repr(value))
        cell = " ".join(value.split()) if keep_spaces else "_".join(value.split())
        if report and cell != value:
            report.add("words and values with white space, written in another way", repr(value))
        cells.append(cell or empty)
    return cells


def write_rows(columns: Sequence[Sequence[str]]) -> str:
    """Write a sentence with its columns below each other.

    columns (Sequence[Sequence[str]]): The cells of each column.
    RETURNS (str): The lines, with an empty line behind them.
    """
    widths = [max(map(len, column), default=0) for column in columns]
    lines = []
    for row in zip(*columns, strict=True):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join(cells).rstrip())
    return "\n".join([*lines, "", ""])
