"""What a conversion read, and what it could not carry over, by kind."""

from collections import Counter, defaultdict
from pathlib import Path

from .errors import FormatError

ON_ERROR = ("stop", "skip", "repair")
UNITS = ("sentences", "frames", "arguments")
_MAX_PLACES = 5


class ConversionReport:
    """Counts of what was read, left out and repaired.

    Of each unit (sentences, frames, arguments), whatever was read is in the output or was dropped:
    `read[unit] - dropped[unit]` are in the Docs, or in the file if one was written. The rest of a
    predicate of several tokens is an argument `C-V`. Arguments of a sentence that is dropped as
    malformed are not counted.

    strict (bool): Whether it is an error if a line of the input can't be carried over as it is.
    on_error (str): What becomes of malformed parts of the input: "stop" makes an error of the first
        one, "skip" drops the smallest unit around it, "repair" mends what can be mended without a
        guess at lost data, and drops the rest.
    keep_sentences (bool): Whether it is an error in any case if a whole sentence would be dropped
        as malformed.

    losses (Counter[str]): What could not be carried over, by kind.
    repairs (Counter[str]): What was mended, by kind.
    places (dict[str, list[str]]): The first places of each kind, the first one first.
    units (dict[str, Counter[str]]): The units that were dropped, by kind of loss.
    read (Counter[str]): The units found in the input.
    """

    def __init__(
        self, *, strict: bool = False, on_error: str = "stop", keep_sentences: bool = False
    ) -> None:
        check_on_error(on_error, strict)
        self.strict = strict
        self.on_error = on_error
        self.keep_sentences = keep_sentences
        self.losses: Counter[str] = Counter()
        self.repairs: Counter[str] = Counter()
        self.places: dict[str, list[str]] = {}
        self.units: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.read: Counter[str] = Counter()

    @property
    def drops_sentences(self) -> bool:
        """Whether malformed sentences are dropped.

        RETURNS (bool): False if they are errors.
        """
        return self.on_error != "stop" and not self.keep_sentences

    def see(self, **units: int) -> None:
        """Count what was found in the input.

        **units (int): How many of each of `UNITS`.
        """
        self.read.update(units)

    @property
    def dropped(self) -> Counter[str]:
        """The units that were dropped, for whatever reason.

        RETURNS (Counter[str]): How many of each.
        """
        return sum(self.units.values(), Counter())

    def add(self, kind: str, place: str = "", *, count: int = 1, **units: int) -> None:
        """Count what the format to be written has no room for.

        kind (str): What was lost, in the plural, e.g. "entity links".
        place (str): Where, e.g. "document 'doc-0001'".
        count (int): How many; nothing happens at 0.
        **units (int): The units that are dropped by it, keys of `UNITS`.
        """
        if count:
            self.losses[kind] += count
            self._note(kind, place)
            self._drop(kind, units)

    def add_line(self, kind: str, path: str | Path, line: int, detail: str, **units: int) -> None:
        """Count a loss at a well-formed line of an input file.

        kind (str): What was lost, in the plural, e.g. "overlapping arguments".
        path (str | Path): The file.
        line (int): Its line, starting at 1.
        detail (str): What was found there.
        **units (int): The units that are dropped by it, keys of `UNITS`.
        RAISES (FormatError): If the report is strict.
        """
        if self.strict:
            raise FormatError(path, line, f"can't be carried over: {kind} ({detail})")
        self.losses[kind] += 1
        self._note(kind, f"{path}:{line}: {detail}")
        self._drop(kind, units)

    def malformed(self, kind: str, path: str | Path, line: int, message: str, **units: int) -> None:
        """Count a malformed part of an input file that is dropped.

        kind (str): What is dropped, in the plural, e.g. "verbs without a 'V'".
        path (str | Path): The file.
        line (int): Its line, starting at 1.
        message (str): What was found and what was expected.
        **units (int): The units that are dropped with it, keys of `UNITS`.
        RAISES (FormatError): If malformed parts are errors.
        """
        if self.on_error == "stop" or (units.get("sentences") and self.keep_sentences):
            raise FormatError(path, line, message, recoverable=True)
        self.losses[kind] += 1
        self._note(kind, f"{path}:{line}: {message}")
        self._drop(kind, units)

    def repair(self, kind: str, path: str | Path, line: int, message: str) -> bool:
        """Ask whether to mend a malformed part of an input file, and count it if so.

        kind (str): What is mended and how, in the plural.
        path (str | Path): The file.
        line (int): Its line, starting at 1.
        message (str): What was found and what was expected.
        RETURNS (bool): Whether to mend it; if not, the caller drops it with `malformed`.
        RAISES (FormatError): If malformed parts are errors.
        """
        if self.on_error == "stop":
            raise FormatError(path, line, message, recoverable=True)
        if self.on_error == "skip":
            return False
        self.repairs[kind] += 1
        self._note(kind, f"{path}:{line}: {message}")
        return True

    def rows(self) -> list[tuple[str, int, str]]:
        """The losses as a table.

        RETURNS (list[tuple[str, int, str]]): Kind, count and first place, the most frequent first.
        """
        return [(kind, n, self.places[kind][0]) for kind, n in self.losses.most_common()]

    def _note(self, kind: str, place: str) -> None:
        places = self.places.setdefault(kind, [])
        if len(places) < _MAX_PLACES:
            places.append(place)

    def _drop(self, kind: str, units: dict[str, int]) -> None:
        if any(units.values()):
            self.units[kind].update(units)


def check_on_error(on_error: str, strict: bool) -> None:
    """Check a choice of what becomes of malformed parts.

    on_error (str): One of `ON_ERROR`.
    strict (bool): Whether every loss is to be an error.
    RAISES (ValueError): If it is none of these, or contradicts `strict`.
    """
    if on_error not in ON_ERROR:
        raise ValueError(f"on_error is one of {', '.join(ON_ERROR)}, not {on_error!r}")
    if strict and on_error != "stop":
        raise ValueError(
            f"strict makes an error of every loss, and on_error={on_error!r} allows losses; give"
            " one of the two"
        )
