"""The training logger that prints one table, with a progress bar."""

import shutil
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from spacy.language import Language
from spacy.util import registry
from tqdm import tqdm

from ..trunk.component import MultiTaskTok2Vec
from .output import good, info, write
from .score_labels import format_number, format_score, is_share
from .step_file import StepFile
from .task_means import TaskMeans
from .training_table import (
    Column,
    find_losses,
    find_scores,
    fit,
    loss_key,
    make_columns,
    render_header,
    render_legend,
    render_row,
)

NAME = "spacy_mtl.ConsoleLogger.v1"
WIDTH = 100  # where the output is no terminal
LogStep = Callable[[dict[str, Any] | None], None]
SetUp = Callable[[Language, IO, IO], tuple[LogStep, Callable[[], None]]]


@registry.loggers(NAME)
def create_console_logger(
    progress_bar: bool = True, output_file: str | Path | None = None
) -> SetUp:
    """Print a table with a row for each evaluation: how far the training is, each task's loss and
    scores, and the time.

    A task's loss is its mean since the row before: over the batches in which the task took part,
    and over its annotated units, if it reads a trunk of this package; else over all batches, as the
    component reports it. A trunk has no column. Columns that the terminal has no room for are left
    out, first the scores that `[training.score_weights]` gives no weight; where the output is no
    terminal, the table has at most 100 columns of text.

    progress_bar (bool): Show a progress bar, if the output is a terminal.
    output_file (Optional[Union[str, Path]]): Gets a JSON line for each evaluation. It must not
        exist yet.
    RETURNS (Callable): Sets the logger up.
    """

    def set_up(
        nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr
    ) -> tuple[LogStep, Callable[[], None]]:
        steps = StepFile(output_file) if output_file else None
        log = ConsoleLog(nlp, stdout, stderr, progress_bar=progress_bar, steps=steps)
        return log.log_step, log.finalize

    return set_up


@dataclass(frozen=True)
class Limits:
    """When a training run ends at the latest.

    max_steps (int): The number of the last step; 0 for no limit.
    max_epochs (int): The number of epochs; 0 or less for no limit.
    """

    max_steps: int
    max_epochs: int

    @property
    def is_finite(self) -> bool:
        """RETURNS (bool): Whether there is an end."""
        return self.max_steps > 0 or self.max_epochs > 0

    def share_done(self, step: int, epoch: int) -> float | None:
        """Tell how much of the training is done.

        step (int): The number of the step, from 0.
        epoch (int): The number of the epoch, from 0, which is taken to be half over.
        RETURNS (Optional[float]): From 0 to 1; None if that can't be told (yet).
        """
        shares = []
        if self.max_steps > 0:
            shares.append(step / self.max_steps)
        if self.max_epochs > 0 and epoch > 0:
            shares.append((epoch + 0.5) / self.max_epochs)
        return min(1.0, max(shares)) if shares else None


class ConsoleLog:
    """Prints what happens in a training run."""

    def __init__(
        self,
        nlp: Language,
        stdout: IO,
        stderr: IO,
        *,
        progress_bar: bool,
        steps: StepFile | None,
    ) -> None:
        """Start before the first step.

        nlp (Language): The pipeline.
        stdout (IO): Where the table is printed.
        stderr (IO): Where the progress bar is shown.
        progress_bar (bool): Whether to show one, if `stderr` is a terminal.
        steps (Optional[StepFile]): Where each evaluation is written.
        """
        training = nlp.config.interpolate()["training"]
        self._nlp = nlp
        self._stdout, self._stderr = stdout, stderr
        self._limits = Limits(training["max_steps"], training["max_epochs"])
        self._weights = find_scores(nlp)
        self._losses = find_losses(nlp)
        self._trunks = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, MultiTaskTok2Vec)]
        self._sums = self._find_sums()
        self._steps = steps
        self._columns: list[Column] = []
        self._means = TaskMeans()
        self._records: list[Any] = [None] * len(self._trunks)  # the last one taken of each
        self._n_batches = 0  # since the last row
        self._last: dict[str, Any] | None = None
        last_step = self._limits.max_steps
        self._bar = tqdm(
            total=last_step + 1 if last_step else training["eval_frequency"],
            disable=None if progress_bar else True,
            leave=False,
            file=stderr,
            dynamic_ncols=True,
            unit="step",
        )
        self._show_warning = warnings.showwarning
        if not self._bar.disable:
            warnings.showwarning = self._show_warning_beside_bar

    def log_step(self, step: dict[str, Any] | None) -> None:
        """Take in a step, and print a row if it was evaluated.

        step (Optional[Dict[str, Any]]): What spaCy gives to loggers: scores at an evaluation, None
            otherwise.
        """
        self._n_batches += 1
        for i, trunk in enumerate(self._trunks):
            record = trunk.records.last
            if record is not None and record is not self._records[i]:
                self._records[i] = record
                self._means.take(record)
        if step is None:
            self._bar.update(1)
            return
        if not self._columns:
            self._print_header(step)
        write(render_row(self._columns, self._cells(step)), self._stdout)
        if self._steps is not None:
            self._steps.write_evaluation(step["step"], step)
        self._last = step
        self._means = TaskMeans()
        self._n_batches = 0
        if self._limits.max_steps:
            self._bar.update(1)
        else:
            self._bar.reset()

    def finalize(self) -> None:
        """Print how the training went, and close what is open."""
        self._bar.close()
        warnings.showwarning = self._show_warning
        if self._steps is not None:
            self._steps.close()
        if self._last is None:
            return
        time = tqdm.format_interval(self._last["seconds"])
        text = f"{self._last['step']} steps in {time}."
        if self._has_score:
            best, step = max(self._checkpoints(self._last))  # of equal ones spaCy keeps the last
            text += f" The best score was {self._format_total(best)}, at step {step}."
        write(good(text), self._stdout)

    def _find_sums(self) -> set[str]:
        """The tasks behind a trunk of this package that report sums: the trunk records means."""
        tasks = {task for trunk in self._trunks for task in trunk.listening_components}
        return {
            task
            for task in tasks
            if not getattr(self._nlp.get_pipe(task), "normalizes_gradient", False)
        }

    @property
    def _has_score(self) -> bool:
        return any(self._weights.values())

    def _print_header(self, step: Mapping[str, Any]) -> None:
        width = shutil.get_terminal_size((WIDTH, 24)).columns
        columns = make_columns(
            self._nlp, step["other_scores"], self._limits.max_steps, self._limits.is_finite
        )
        self._columns, hidden = fit(columns, width)
        write(info(render_legend(hidden, width - 2)) + "\n", self._stdout)
        write(render_header(self._columns), self._stdout)

    def _cells(self, step: Mapping[str, Any]) -> dict[str, str]:
        """The cells of a row, by the keys of their columns."""
        share = self._limits.share_done(step["step"], step["epoch"])
        left = None if not share or not step["step"] else step["seconds"] * (1 - share) / share
        cells = {
            "epoch": str(step["epoch"]),
            "step": str(step["step"]),
            "done": "-" if share is None else f"{share:.0%}",
            "words": tqdm.format_sizeof(step["words"]),
            "score": "-",
            "time": tqdm.format_interval(step["seconds"]),
            "left": "-" if left is None else tqdm.format_interval(left),
        }
        if self._has_score:
            is_best = step["score"] == max(self._checkpoints(step))[0]
            cells["score"] = f"{self._format_total(step['score'])}{'*' if is_best else ' '}"
        for task in self._losses:
            cells[loss_key(task)] = self._format_loss(task, step["losses"])
        for score in self._weights:
            cells[score] = format_score(score, step["other_scores"].get(score))
        return cells

    def _format_loss(self, task: str, losses: Mapping[str, float]) -> str:
        loss = {**self._means.as_losses(), **losses}.get(f"{task}_per_unit")
        if loss is None and task not in self._sums:
            loss = float(losses.get(task, 0.0)) / self._n_batches
        return format_number(loss) if loss else "-"

    def _format_total(self, score: float) -> str:
        """The score that decides: percent, unless other numbers go into it."""
        decides = [name for name, weight in self._weights.items() if weight]
        return f"{100 * score:.1f}" if all(map(is_share, decides)) else format_number(score)

    def _checkpoints(self, step: Mapping[str, Any]) -> list[Any]:
        return [result for result in step["checkpoints"] if result[0] < float("inf")]

    def _show_warning_beside_bar(self, *args: Any, **settings: Any) -> None:
        with tqdm.external_write_mode(file=self._stderr):
            self._show_warning(*args, **settings)
