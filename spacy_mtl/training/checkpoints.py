"""The kept checkpoints of a training run."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import srsly

from .progress import TaskProgress

STATE_FILE = "selection.json"


def folder_of(task: str) -> str:
    """Name the folder of a task's best checkpoint.

    task (str): The task.
    RETURNS (str): The folder's name, beside `model-best`.
    """
    return f"best-{task}"


def keep_checkpoint(saved: Path, task: str) -> None:
    """Keep the pipeline that spaCy has just saved as the best one for a task.

    spaCy saves with averaged parameters and after `[training] before_to_disk`; a copy has both.

    saved (Path): The saved pipeline.
    task (str): The task.
    """
    best = saved.parent / folder_of(task)
    new = best.with_name(f"{best.name}.new")
    if new.exists():
        shutil.rmtree(new)
    shutil.copytree(saved, new)
    if best.exists():
        shutil.rmtree(best)
    new.rename(best)


def remove_checkpoints(output: Path, tasks: Iterable[str]) -> None:
    """Remove what an earlier training run left, as spaCy does with `model-best`.

    output (Path): The output folder.
    tasks (Iterable[str]): The tasks.
    """
    (output / STATE_FILE).unlink(missing_ok=True)
    for task in tasks:
        if (output / folder_of(task)).exists():
            shutil.rmtree(output / folder_of(task))


def save_state(output: Path, step: int, progress: Mapping[str, TaskProgress]) -> None:
    """Write down how far each task has come.

    output (Path): The output folder.
    step (int): The training step.
    progress (Mapping[str, TaskProgress]): By task.
    """
    tasks = {task: own.to_json() for task, own in progress.items()}
    new = output / f"{STATE_FILE}.new"
    srsly.write_json(new, {"step": step, "tasks": tasks})
    new.replace(output / STATE_FILE)


def load_state(output: Path) -> tuple[int, dict[str, TaskProgress]]:
    """Read how far each task has come.

    output (Path): The output folder.
    RETURNS (Tuple[int, Dict[str, TaskProgress]]): The training step, and the tasks.
    RAISES (ValueError): If there is no such file, or it is broken.
    """
    path = output / STATE_FILE
    if not path.is_file():
        raise ValueError(
            f"[training.logger] resume is true, but '{path}' is missing: no earlier training with "
            "this logger has saved its state there. Set resume = false to begin anew."
        )
    try:
        state: dict[str, Any] = srsly.read_json(path)
        return state["step"], {task: TaskProgress(**own) for task, own in state["tasks"].items()}
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"'{path}' is broken ({type(error).__name__}: {error}). Set [training.logger] resume = "
            "false to begin anew."
        ) from error
