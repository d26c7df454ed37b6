"""What a conversion could not carry over, by kind."""

from collections import Counter
from pathlib import Path

from .errors import FormatError


class ConversionReport:
    """Counts of what was left out or changed, with the first place of each kind.

    strict (bool): Whether it is an error if a line of the input can't be carried over as it is.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.losses: Counter[str] = Counter()
        self.first: dict[str, str] = {}

    def add(self, kind: str, place: str = "", *, count: int = 1) -> None:
        """Count what the format to be written has no room for.

        kind (str): What was lost, in the plural, e.g. "entity links".
        place (str): Where, e.g. "document 'doc-0001'".
        count (int): How many; nothing happens at 0.
        """
        if count:
            self.losses[kind] += count
            self.first.setdefault(kind, place)

    def add_line(self, kind: str, path: str | Path, line: int, detail: str) -> None:
        """Count a loss at a line of an input file.

        kind (str): What was lost, in the plural, e.g. "overlapping arguments".
        path (str | Path): The file.
        line (int): Its line, starting at 1.
        detail (str): What was found there.
        RAISES (FormatError): If the report is strict.
        """
        if self.strict:
            raise FormatError(path, line, f"can't be carried over: {kind} ({detail})")
        self.losses[kind] += 1
        self.first.setdefault(kind, f"{path}:{line}: {detail}")

    def rows(self) -> list[tuple[str, int, str]]:
        """The losses as a table.

        RETURNS (list[tuple[str, int, str]]): Kind, count and first place, the most frequent first.
        """
        return [(kind, count, self.first[kind]) for kind, count in self.losses.most_common()]
