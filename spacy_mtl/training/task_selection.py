"""A training logger that keeps the best checkpoint of each task, and stops tasks that are done."""

import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from spacy.language import Language
from spacy.util import registry
from wasabi import Printer

from ..util.settings import CONSOLE_LOGGER, NO_ENTRIES, TARGET_SCORE, resolve_logger
from .checkpoints import folder_of, keep_checkpoint, load_state, remove_checkpoints, save_state
from .console import LogStep, SetUp
from .hooks import EvaluateTasks, UpdateUnfrozen, hook, unhook
from .output import info as remark
from .output import warning, write
from .progress import TaskProgress
from .stopping import ON_STOP, OnStop, Stopper
from .task_scores import LOGGER, TaskScores, check_tasks, find_task_scores, score_weights


@registry.loggers(LOGGER)
def create_task_selection(
    logger: SetUp | None = CONSOLE_LOGGER,  # type: ignore[assignment]
    scores: dict[str, str | dict[str, float]] = NO_ENTRIES,
    target: str | dict[str, float] | None = None,
    patience: int | dict[str, int] = 0,
    on_stop: OnStop = "adapt",
    end_when_stopped: bool = True,
    resume: bool = False,
) -> SetUp:
    """Keep the best checkpoint of each task, and stop tasks that no longer improve.

    At each evaluation in which a task's score is its best, the pipeline that spaCy saved is copied
    to `best-TASK`, beside `model-best` and `model-last`.

    logger (Optional[Callable]): The logger to wrap, such as `spacy_mtl.MultiTaskLogger.v1`;
        `spacy_mtl.ConsoleLogger.v1` where None.
    scores (Dict[str, Union[str, Dict[str, float]]]): By component, the name of the score
        that decides about its task, or the weights of several (negative where less is better). For
        others the default weights of the component hold, as in spaCy.
    target (Optional[Union[str, Dict[str, float]]]): The task, or the weights of the tasks, that
        decide which model is the best of all: the score `mtl_score`. All tasks alike where None.
        Tasks without annotation in the dev set have no part in it.
    patience (Union[int, Dict[str, int]]): After so many steps without a better score a task is
        stopped; for all tasks, or by component. 0 for never.
    on_stop (Literal["adapt", "freeze"]): The trunk learns no more from a stopped task. Its head
        goes on adapting to the trunk, or is frozen.
    end_when_stopped (bool): End the training when all tasks are stopped. This needs a `[training]
        patience` that is not 0: spaCy can be ended in no other way.
    resume (bool): Go on from what an earlier training run saved in the same output folder.
    RETURNS (Callable): Sets the logger up.
    RAISES (ValueError): If a number is negative or a choice unknown.
    """
    numbers = patience.values() if isinstance(patience, dict) else [patience]
    if any(number < 0 for number in numbers):
        raise ValueError(f"[training.logger] patience is {patience}; set 0 or more steps.")
    if on_stop not in ON_STOP:
        raise ValueError(f"[training.logger] on_stop is {on_stop!r}; set one of {ON_STOP}.")

    def set_up(
        nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr
    ) -> tuple[LogStep, Callable[[], None]]:
        wrapped = resolve_logger(logger)
        task_scores = find_task_scores(nlp, scores, target)
        if target is not None:
            check_target_counts(nlp)
        steps = patience_by_task(patience, task_scores)
        frozen: list[str] = []
        stopper = Stopper(nlp, on_stop, frozen)
        stopper.check([task for task, number in steps.items() if number])
        evaluate = EvaluateTasks(nlp, task_scores)
        selection = TaskSelection(evaluate, steps, stopper, stdout, resume=resume)
        can_end = end_when_stopped and any(steps.values())
        if can_end and not nlp.config["training"]["patience"]:
            can_end = False
            selection.warn(
                "[training] patience is 0: when all tasks have stopped, the training goes on to "
                "max_steps. Set it to any large number to let it end."
            )
        log_step, finalize = wrapped(nlp, stdout, stderr)
        hook(nlp, evaluate=evaluate, update=UpdateUnfrozen(nlp, frozen))

        def log_and_select(info: dict[str, Any] | None) -> None:
            log_step(info)
            if info is not None:
                selection.take(info)
                if can_end and selection.is_done:
                    selection.end(info)

        def finalize_all() -> None:
            unhook(nlp)
            selection.summarize()
            finalize()

        return log_and_select, finalize_all

    return set_up


class TaskSelection:
    """Follows the tasks of a training run, evaluation by evaluation."""

    def __init__(
        self,
        evaluate: EvaluateTasks,
        patience: Mapping[str, int],
        stopper: Stopper,
        stdout: IO,
        *,
        resume: bool,
    ) -> None:
        """Start before the first evaluation.

        evaluate (EvaluateTasks): Has the tasks' scores after each evaluation.
        patience (Mapping[str, int]): By task, in steps.
        stopper (Stopper): Stops tasks.
        stdout (IO): Where messages go.
        resume (bool): Whether to go on from an earlier run's state.
        """
        self.progress: dict[str, TaskProgress] = {}
        self._evaluate = evaluate
        self._patience = patience
        self._stopper = stopper
        self._stdout = stdout
        self._resume = resume
        self._is_first = True
        self._steps_before = 0  # of the run that this one goes on from
        self._output: Path | None = None

    @property
    def is_done(self) -> bool:
        """RETURNS (bool): Whether all tasks that have ever been scored are stopped."""
        return bool(self.progress) and all(
            own.stopped is not None for own in self.progress.values()
        )

    def take(self, info: Mapping[str, Any]) -> None:
        """Take an evaluation in: keep checkpoints, stop tasks.

        info (Mapping[str, Any]): What spaCy gives to loggers.
        """
        saved = Path(info["output_path"]) if "output_path" in info else None
        if self._is_first:
            self._begin(saved)
        step = self._steps_before + info["step"]
        gained, exhausted = [], []
        for task, score in self._evaluate.tasks.items():
            if score is None:
                continue
            own = self.progress.setdefault(task, TaskProgress())
            if own.take(score, step):
                gained.append(f"{task} {100 * score:.2f}")
                if saved is not None:
                    keep_checkpoint(saved, task)
            if own.is_exhausted(step, self._patience.get(task, 0)):
                exhausted.append(task)
        if gained:
            self._print(f"     best so far: {', '.join(gained)}")
        for task in exhausted:
            self._stop(task, self.progress[task], step)
        if self._output is not None:
            save_state(self._output, step, self.progress)

    def end(self, info: Mapping[str, Any]) -> None:
        """Let spaCy's own patience run out.

        info (Mapping[str, Any]): What spaCy gives to loggers: its list of checkpoints is the one
            that patience goes by.
        """
        self._print(remark("All tasks have stopped: the training ends."))
        info["checkpoints"].append((math.inf, -math.inf))

    def summarize(self) -> None:
        """Print the best score of each task."""
        if not self.progress:
            return
        rows = [
            (
                task,
                f"{100 * (own.best or 0.0):.2f}",
                own.step,
                "" if own.stopped is None else own.stopped,
                folder_of(task) if self._output is not None else "",
            )
            for task, own in self.progress.items()
        ]
        header = ("Task", "Best score", "Step", "Stopped", "Folder")
        table = Printer(no_print=True).table(rows, header=header, aligns=("l", "r", "r", "r", "l"))
        self._print(str(table))

    def warn(self, message: str) -> None:
        """Print a warning.

        message (str): The warning.
        """
        self._print(warning(message))

    def _begin(self, saved: Path | None) -> None:
        self._is_first = False
        self._output = saved.parent if saved is not None else None
        absent = [task for task, score in self._evaluate.tasks.items() if score is None]
        if absent:
            self.warn(
                f"The dev set has no annotation for {', '.join(absent)}: no part of {TARGET_SCORE}"
                ", no checkpoint of its own, never stopped."
            )
        if self._output is None:
            self.warn("There is no output folder (--output): no checkpoint is kept for any task.")
        elif self._resume:
            self._steps_before, self.progress = load_state(self._output)
            for task, own in self.progress.items():
                if own.stopped is not None and task in self._evaluate.tasks:
                    self._print(f"     stopped before: {task}. {self._stopper.stop(task)}")
        else:
            remove_checkpoints(self._output, self._evaluate.tasks)

    def _stop(self, task: str, own: TaskProgress, step: int) -> None:
        own.stopped = step
        kept = f" (kept in '{folder_of(task)}')" if self._output is not None else ""
        self.warn(
            f"Task '{task}' is stopped: its best score, {100 * (own.best or 0.0):.2f} at step "
            f"{own.step}{kept}, is {step - own.step} steps old. {self._stopper.stop(task)}"
        )

    def _print(self, text: Any) -> None:
        write(text, self._stdout)


def patience_by_task(patience: int | Mapping[str, int], scores: TaskScores) -> dict[str, int]:
    """Find the patience of each task.

    patience (Union[int, Mapping[str, int]]): For all tasks, or by task.
    scores (TaskScores): The tasks that have a score.
    RETURNS (Dict[str, int]): By task; tasks that are not named have none.
    RAISES (ValueError): If another task is named.
    """
    if isinstance(patience, Mapping):
        check_tasks("patience", patience, list(scores.weights))
        return dict(patience)
    return dict.fromkeys(scores.weights, patience)


def check_target_counts(nlp: Language) -> None:
    """Make sure that spaCy chooses `model-best` by the target, and by nothing else.

    nlp (Language): The pipeline.
    RAISES (ValueError): If other scores have a weight.
    """
    weights = score_weights(nlp)
    others = [name for name, weight in weights.items() if weight and name != TARGET_SCORE]
    if others or not weights.get(TARGET_SCORE):
        block = "\n".join(f"{name} = 0.0" for name in others)
        raise ValueError(
            "[training.logger] target is to decide which model is the best, but spaCy goes by "
            f"[training.score_weights]. Set there:\n{TARGET_SCORE} = 1.0\n{block}"
        )
