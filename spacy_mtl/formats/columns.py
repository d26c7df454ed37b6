"""Files in columns: one line a word, an empty line behind each sentence."""

import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .errors import FormatError
from .report import ConversionReport


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


def read_text(path: str | Path) -> str:
    """Read a file.

    path (str | Path): The file, UTF-8, with or without a byte order mark; may end in ".gz".
    RETURNS (str): Its text.
    RAISES (FormatError): With the line, if a byte is not UTF-8.
    """
    path = Path(path)
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FormatError(
            path, line, f"byte {data[error.start]:#x} is not UTF-8; convert the file to UTF-8"
        ) from None


def read_blocks(
    path: str | Path,
    *,
    separator: str | None = None,
    is_comment: Callable[[str], bool] = lambda line: False,
) -> Iterator[Block]:
    """Read the sentences of a file in columns.

    path (str | Path): The file, UTF-8.
    separator (str | None): What parts the columns; any white space if None.
    is_comment (Callable[[str], bool]): Tells comment lines from rows.
    YIELDS (Block): The sentences; at the end one without rows if there are comments below the last.
    RAISES (FormatError): If the file is not UTF-8.
    """
    block = Block()
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        line = line.rstrip("\r")
        if is_comment(line):
            if block.rows:
                yield block
                block = Block()
            block.comments.append((number, line))
        elif line.strip():
            block.lines.append(number)
            block.rows.append(line.split(separator))
        elif block.rows:
            yield block
            block = Block()
    if block.rows or block.comments:
        yield block


def check_widths(path: str | Path, block: Block, smallest: int) -> None:
    """Check that the rows of a sentence have the same number of columns.

    path (str | Path): The file, for messages.
    block (Block): The sentence.
    smallest (int): The number of columns that the format has at least.
    RAISES (FormatError): If a row has fewer columns, or not as many as the first one.
    """
    for number, row in zip(block.lines, block.rows, strict=True):
        if len(row) < smallest:
            raise FormatError(
                path, number, f"expected at least {smallest} columns, found {len(row)}"
            )
        if len(row) != len(block.rows[0]):
            raise FormatError(
                path,
                number,
                f"expected {len(block.rows[0])} columns as in the sentence's first line, "
                f"found {len(row)}",
            )


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
