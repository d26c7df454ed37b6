"""A training logger that shows what each task did in the trunk."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from spacy.language import Language
from spacy.util import registry

from ..trunk.component import MultiTaskTok2Vec
from ..util.settings import CONSOLE_LOGGER, resolve_logger
from .console import LogStep, SetUp
from .output import write
from .step_file import StepFile
from .task_means import TaskMeans

NAME = "spacy_mtl.MultiTaskLogger.v1"


@registry.loggers(NAME)
def create_multi_task_logger(
    logger: SetUp | None = CONSOLE_LOGGER,  # type: ignore[assignment]
    output_file: str | Path | None = None,
    cosines_every: int = 20,
    show_tasks: bool = True,
) -> SetUp:
    """Log each task's loss, gradient norm and weight, and how far gradients agree.

    logger (Optional[Callable]): The logger to wrap: spaCy's, one of spacy-loggers, its
        `ChainLogger`. It also gets the figures, as losses named `TASK_per_unit` and `TASK_weight`.
        `spacy_mtl.ConsoleLogger.v1` where None.
    output_file (Optional[Union[str, Path]]): Gets a JSON line for each batch and each evaluation.
        It must not exist yet.
    cosines_every (int): Compare the tasks' gradients every so many batches, where the balancer does
        not do so anyway; 0 never.
    show_tasks (bool): Print a line with the tasks' mean losses and their weights at each
        evaluation.
    RETURNS (Callable): Sets the logger up.
    RAISES (ValueError): If `cosines_every` is negative.
    """
    if cosines_every < 0:
        raise ValueError(f"[training.logger] cosines_every is {cosines_every}; set 0 or more.")

    def set_up(
        nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr
    ) -> tuple[LogStep, Callable[[], None]]:
        wrapped = resolve_logger(logger)
        multi_task = MultiTaskLog(
            trunks=_find_trunks(nlp),
            steps=StepFile(output_file) if output_file else None,
            stdout=stdout if show_tasks else None,
        )
        for trunk in multi_task.trunks.values():
            trunk.records.cosines_every = cosines_every
            trunk.records.drain()
        log_step, finalize = wrapped(nlp, stdout, stderr)

        def log_all(info: dict[str, Any] | None) -> None:
            extended = multi_task.take_step(info)
            log_step(extended)
            if extended is not None:
                multi_task.show()

        def finalize_all() -> None:
            multi_task.close()
            finalize()

        return log_all, finalize_all

    return set_up


class MultiTaskLog:
    """Collects the records of trunks, step by step."""

    def __init__(
        self,
        trunks: dict[str, MultiTaskTok2Vec],
        steps: StepFile | None,
        stdout: IO | None,
    ) -> None:
        """Start at the first step.

        trunks (Dict[str, MultiTaskTok2Vec]): The trunks, by name.
        steps (Optional[StepFile]): Where each batch is written.
        stdout (Optional[IO]): Where the means are printed.
        """
        self.trunks = trunks
        self._steps = steps
        self._stdout = stdout
        self._means = TaskMeans()
        self._step = -1

    def take_step(self, info: dict[str, Any] | None) -> dict[str, Any] | None:
        """Take in what happened since the last call.

        info (Optional[Dict[str, Any]]): What spaCy gives to loggers: scores at an evaluation, None
            otherwise.
        RETURNS (Optional[Dict[str, Any]]): The same, with the tasks' means beside the losses.
        """
        self._step += 1
        for name, trunk in self.trunks.items():
            for record in trunk.records.drain():
                self._means.take(record)
                if self._steps is not None:
                    self._steps.write_batch(self._step, name, record)
        if info is None:
            return None
        if self._steps is not None:
            self._steps.write_evaluation(self._step, info)
        return {**info, "losses": {**info["losses"], **self._means.as_losses()}}

    def show(self) -> None:
        """Print the means since the last evaluation, and begin anew."""
        line = self._means.render()
        if self._stdout is not None and line:
            write(line, self._stdout)
        self._means = TaskMeans()

    def close(self) -> None:
        """Close the file."""
        if self._steps is not None:
            self._steps.close()


def _find_trunks(nlp: Language) -> dict[str, MultiTaskTok2Vec]:
    trunks = {
        name: component
        for name, component in nlp.components
        if isinstance(component, MultiTaskTok2Vec)
    }
    if not trunks:
        raise ValueError(
            f"[training.logger] {NAME} logs what happens in a trunk of factory 'mtl_tok2vec', but "
            f"the pipeline has none: {', '.join(nlp.component_names)}. Use another logger."
        )
    return trunks
