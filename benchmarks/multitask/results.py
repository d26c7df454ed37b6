"""A file of runs that grows run by run, and the table made from it."""

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .methods import ALONE, METHODS
from .training import SCORES


@dataclass(frozen=True)
class Run:
    """One training run.

    method (str): A name in `METHODS`.
    seed (int): Its seed.
    budget (str): What it could spend; runs of different budgets are never in one table.
    scores (Dict[str, float]): Percent, by the names in `SCORES`.
    cpu_seconds (float): Processor time of training.
    wall_seconds (float): The same on the wall clock.
    words (int): Words trained on.
    weights (Dict[str, float]): By task, the mean weight over the second half of the steps.
    norms (Dict[str, float]): By task, the mean norm of the gradient at the trunk's output over the
        same steps, before weighting.
    test_scores (Dict[str, float]): The scores on test documents, where they were wanted.
    """

    method: str
    seed: int
    budget: str
    scores: dict[str, float]
    cpu_seconds: float
    wall_seconds: float
    words: int
    weights: dict[str, float] = field(default_factory=dict)
    norms: dict[str, float] = field(default_factory=dict)
    test_scores: dict[str, float] = field(default_factory=dict)


def read_runs(path: Path) -> list[Run]:
    """Read a file of runs. A last line that was cut off is left out.

    path (Path): The file; it need not exist.
    RETURNS (List[Run]): The runs.
    """
    if not path.exists():
        return []
    runs = []
    for line in path.read_text(encoding="utf8").split("\n")[:-1]:
        runs.append(Run(**json.loads(line)))
    return runs


def append_run(path: Path, run: Run) -> None:
    """Add a run to a file.

    path (Path): The file; its folder is made.
    run (Run): The run.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text(encoding="utf8") if path.exists() else ""
    if text and not text.endswith("\n"):  # cut off: that run is done again
        path.write_text(text[: text.rfind("\n") + 1], encoding="utf8")
    with path.open("a", encoding="utf8") as file:
        file.write(json.dumps(asdict(run)) + "\n")


def mean_and_spread(values: Sequence[float]) -> str:
    """RETURNS (str): The mean, and plus or minus the standard deviation where there are several
    values.
    """
    mean = f"{statistics.mean(values):.1f}"
    return f"{mean} ± {statistics.stdev(values):.1f}" if len(values) > 1 else mean


def table_rows(runs: Iterable[Run]) -> list[tuple[str, ...]]:
    """Make the rows of the table, in the order of `METHODS`; others come last.

    Single-task runs are one row: each column from the run of its task.

    runs (Iterable[Run]): Runs of one budget.
    RETURNS (List[Tuple[str, ...]]): Method, seeds, one column per score, words per second of
        processor time.
    """
    by_method: dict[str, list[Run]] = {}
    for run in runs:
        name = "alone" if run.method.startswith(ALONE) else run.method
        by_method.setdefault(name, []).append(run)
    order = dict.fromkeys(["alone", *METHODS, *by_method])
    return [_row(name, by_method[name]) for name in order if name in by_method]


def _row(name: str, runs: Sequence[Run]) -> tuple[str, ...]:
    columns = []
    for score in SCORES:
        values = [run.scores[score] for run in runs if score in run.scores]
        columns.append(mean_and_spread(values) if values else "")
    seeds = len({run.seed for run in runs})
    is_mixed = len({run.method for run in runs}) > 1
    speed = statistics.median(run.words / run.cpu_seconds for run in runs)
    return (name, str(seeds), *columns, "" if is_mixed else f"{speed:,.0f}")


def differences(runs: Iterable[Run], seeds: Sequence[int]) -> dict[str, dict[str, float]]:
    """Compare methods with single-task models.

    runs (Iterable[Run]): Runs of one budget.
    seeds (Sequence[int]): The seeds to average over.
    RETURNS (Dict[str, Dict[str, float]]): For each method that has all of these seeds, the mean
        score minus that of the single-task models, by score.
    """
    scores: dict[str, dict[int, Mapping[str, float]]] = {}
    for run in runs:
        scores.setdefault(run.method, {})[run.seed] = run.scores
    alone: dict[str, float] = {}
    for method, by_seed in scores.items():
        if method.startswith(ALONE) and set(seeds) <= by_seed.keys():
            for score in by_seed[seeds[0]]:
                alone[score] = statistics.mean(by_seed[seed][score] for seed in seeds)
    return {
        method: {
            score: statistics.mean(by_seed[seed][score] for seed in seeds) - alone[score]
            for score in SCORES
            if score in alone and all(score in by_seed[seed] for seed in seeds)
        }
        for method, by_seed in scores.items()
        if not method.startswith(ALONE) and set(seeds) <= by_seed.keys()
    }


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """RETURNS (str): A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
