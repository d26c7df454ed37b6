"""The error that every reader of an annotation format raises."""

from pathlib import Path


class FormatError(ValueError):
    """A line of an annotation file that does not follow its format.

    path (str | Path): The file as it was given to the reader.
    line (int): Number of the line, starting at 1.
    message (str): What was found and what was expected.
    recoverable (bool): Whether a lenient reader drops or repairs the part and reads on.
    """

    def __init__(
        self, path: str | Path, line: int, message: str, *, recoverable: bool = False
    ) -> None:
        super().__init__(f"{path}:{line}: {message}")
        self.path = str(path)
        self.line = line
        self.message = message
        self.recoverable = recoverable
