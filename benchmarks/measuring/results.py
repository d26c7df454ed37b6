"""What was measured, and the arithmetic of its tables."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import srsly

BUSY = 1.1  # wall time over processor time, of one thread


@dataclass(frozen=True)
class Run:
    """One measurement.

    section (str): "predict", "cores", "train", "length", "batch" or "labels".
    corpus (str): The corpus.
    workload (str): What was run.
    system (str): The system that ran it.
    setting (str): What the section varies, as "20000" or "n_process=2"; "" if nothing.
    round (int): The round. Systems are compared within a round.
    words (int): Tokens.
    wall (float): Seconds on the wall clock.
    cpu (float): Seconds of processor time.
    found (Dict[str, float]): Counts of what was predicted, and what the text was like.
    """

    section: str
    corpus: str
    workload: str
    system: str
    setting: str
    round: int
    words: int
    wall: float
    cpu: float
    found: dict[str, float] = field(default_factory=dict)


@dataclass
class Results:
    """Everything that a run of the benchmark found.

    machine (Dict[str, Any]): Processor, versions, product rates.
    settings (Dict[str, Any]): The options.
    corpora (Dict[str, Any]): By corpus: words, distinct words, annotation per 1000 words.
    checks (Dict[str, Any]): What was verified.
    runs (List[Run]): All timings, round by round.
    fresh (List[Dict[str, Any]]): Memory and load times of new processes.
    """

    machine: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    corpora: dict[str, Any] = field(default_factory=dict)
    checks: dict[str, Any] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    fresh: list[dict[str, Any]] = field(default_factory=list)

    def to_disk(self, path: Path) -> None:
        """Write everything as JSON.

        path (Path): The file.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        srsly.write_json(path, asdict(self))

    @classmethod
    def from_disk(cls, path: Path) -> "Results":
        """Read what `to_disk` wrote.

        path (Path): The file.
        RETURNS (Results): The results.
        """
        data: dict[str, Any] = srsly.read_json(path)  # type: ignore[assignment]
        return cls(**{**data, "runs": [Run(**run) for run in data["runs"]]})

    def select(self, **values: str) -> list[Run]:
        """Choose runs.

        **values (str): The values that the fields of a run must have.
        RETURNS (List[Run]): The runs, in the order in which they were made.
        """
        return [
            run
            for run in self.runs
            if all(getattr(run, name) == value for name, value in values.items())
        ]


@dataclass(frozen=True)
class Spread:
    """The middle and the ends of some values.

    median (float): The median.
    low (float): The smallest.
    high (float): The largest.
    """

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def spread(values: Iterable[float]) -> Spread:
    """Find the middle and the ends of values.

    values (Iterable[float]): At least one.
    RETURNS (Spread): Median, minimum and maximum.
    """
    values = list(values)
    return Spread(statistics.median(values), min(values), max(values))


def speeds(runs: Iterable[Run], clock: str = "wall") -> Spread:
    """Find the words per second of a system.

    runs (Iterable[Run]): Its runs.
    clock (str): "wall" or "cpu".
    RETURNS (Spread): Over the rounds.
    """
    return spread(run.words / getattr(run, clock) for run in runs)


def ratios(runs: Sequence[Run], base: Sequence[Run], clock: str = "wall") -> Spread:
    """Find how many times as fast a system is as another, round by round.

    runs (Sequence[Run]): Its runs.
    base (Sequence[Run]): Those of the other.
    clock (str): "wall" or "cpu".
    RETURNS (Spread): The ratios of the rounds that both have.
    RAISES (ValueError): If there is no such round.
    """
    by_round = {run.round: run for run in base}
    pairs = [(run, by_round[run.round]) for run in runs if run.round in by_round]
    if not pairs:
        raise ValueError("The two systems were never measured in the same round.")
    return spread(
        (run.words / getattr(run, clock)) / (other.words / getattr(other, clock))
        for run, other in pairs
    )


def busy_share(runs: Iterable[Run]) -> float:
    """Find how many runs of one thread had to wait for other programs.

    runs (Iterable[Run]): Runs of one process with one thread.
    RETURNS (float): The share of runs with more than `BUSY` times as much wall as processor time.
    """
    waited = [run.wall > BUSY * run.cpu for run in runs]
    return sum(waited) / len(waited) if waited else 0.0


def per_thousand(runs: Iterable[Run], name: str) -> float:
    """Count what a system found.

    runs (Iterable[Run]): Its runs.
    name (str): "entities" or "frames".
    RETURNS (float): Per 1000 words.
    """
    runs = list(runs)
    return 1000 * sum(run.found[name] for run in runs) / sum(run.words for run in runs)
