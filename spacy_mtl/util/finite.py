"""Numbers that are NaN or infinite: prediction writes nothing by them, and training stops."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from spacy.training.loop import DIR_MODEL_BEST, DIR_MODEL_LAST, train, train_while_improving

from .messages import warn


class DivergedError(ValueError):
    """A loss or a gradient is NaN or infinite: training can't go on."""


@dataclass(frozen=True)
class TrainingRun:
    """Where `spacy train` is.

    step (int): The number of the training step, from 0 as in spaCy.
    best_step (Optional[int]): The step of the best evaluation so far; None before the first.
    output (Optional[Path]): The output folder; None without one.
    """

    step: int
    best_step: int | None
    output: Path | None


def diverged(component: str, found: str, n_updates: int) -> DivergedError:
    """Make the error that stops a training. Raise it before the optimizer changes any parameter of
    the component.

    component (str): The component's name.
    found (str): What is not finite, such as "its loss is nan".
    n_updates (int): The updates of the component so far, this one included; the message has it
        where the number of the training step is not known.
    RETURNS (DivergedError): The error. It names the step and the checkpoints of `spacy train`.
    """
    run = find_training_run()
    when = f"update {n_updates}" if run is None else f"training step {run.step}"
    checkpoints = ""
    if run is not None and run.output is not None and run.best_step is not None:
        checkpoints = (
            f" '{run.output / DIR_MODEL_LAST}' has the parameters from before this step, "
            f"'{run.output / DIR_MODEL_BEST}' those of step {run.best_step}, the best so far."
        )
    return DivergedError(
        f"Component '{component}', {when}: {found}. Training stops; the parameters "
        f"of '{component}' are as they were before this step.{checkpoints} Lower "
        "[training.optimizer] learn_rate or raise its warm-up, set grad_clip, and check the "
        "annotation of the last batch."
    )


def find_training_run() -> TrainingRun | None:
    """Find out where `spacy train` is. It tells no component; the calls that led here do.

    RETURNS (Optional[TrainingRun]): The state of the run; None outside of `spacy train`.
    """
    frame = sys._getframe(1)
    loop: Mapping[str, Any] = {}
    while frame is not None:
        if frame.f_code is train_while_improving.__code__:
            loop = frame.f_locals
        elif frame.f_code is train.__code__ and "step" in loop:
            best = max(((score, -step) for score, step in loop["results"]), default=None)
            output = frame.f_locals["output_path"]
            best_step = None if best is None else -best[1]
            return TrainingRun(loop["step"], best_step, None if output is None else Path(output))
        frame = frame.f_back  # type: ignore[assignment]
    return None


def finite_rows(scores: np.ndarray) -> np.ndarray | None:
    """Tell which rows of scores are finite.

    scores (np.ndarray): [rows, columns].
    RETURNS (Optional[np.ndarray]): [rows], bool; None where all are finite, as they should be.
    """
    finite = np.isfinite(scores)
    return None if finite.all() else finite.all(axis=1)


def warn_not_finite(component: str, annotation: str, n_docs: int) -> None:
    """Warn that documents are left without annotation.

    component (str): The component's name.
    annotation (str): What they don't get.
    n_docs (int): The number of documents.
    """
    warn(
        f"Component '{component}' leaves {n_docs} "
        f"document{'s' if n_docs > 1 else ''} without {annotation}: the scores are NaN or "
        f"infinite. So are parameters of '{component}' or of what it reads, as after a training "
        "that diverged. Load an earlier checkpoint, or train again with a lower "
        "[training.optimizer] learn_rate. There is no warning about further documents."
    )


def without_infinity(value: Any) -> Any:
    """Prepare values for JSON, which has no NaN and no infinity.

    value (Any): Numbers, strings, and lists and dicts of them.
    RETURNS (Any): The same with None for numbers that are not finite.
    """
    if isinstance(value, Mapping):
        return {key: without_infinity(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [without_infinity(own) for own in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
