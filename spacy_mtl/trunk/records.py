"""What happened in the trunk's last steps."""

import itertools
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..balancing.gradients import TaskGradients

CAPACITY = 1000


@dataclass(frozen=True)
class TaskRecord:
    """One task in one step.

    loss (float): Its loss, a mean over its annotated units, before weighting.
    units (int): What its gradient was divided by to be a mean: 1 where the component does so.
    norm (float): The norm of its gradient at the trunk's output, as the component sent it.
    weight (float): What the balancer multiplied that gradient by.
    """

    loss: float
    units: int
    norm: float
    weight: float


@dataclass(frozen=True)
class StepRecord:
    """One step: the tasks that took part.

    tasks (Mapping[str, TaskRecord]): By component name.
    cosines (Mapping[str, float]): Between the gradients of two tasks where the balancer compares
        them, by `"NAME NAME"`. Empty in steps where nobody needed them.
    """

    tasks: Mapping[str, TaskRecord]
    cosines: Mapping[str, float]


class StepRecords:
    """The records of the last steps, up to a fixed number, until somebody takes them."""

    def __init__(self) -> None:
        """Start without records."""
        self.cosines_every = 0
        self._n_steps = 0
        self._records: deque[StepRecord] = deque(maxlen=CAPACITY)

    @property
    def last(self) -> StepRecord | None:
        """RETURNS (Optional[StepRecord]): The newest record that nobody has taken."""
        return self._records[-1] if self._records else None

    def take(self, tasks: TaskGradients, weights: Mapping[str, float]) -> None:
        """Record a step.

        The cosines cost a matrix product per task where the balancer itself does not need them: see
        `cosines_every`, the number of steps from one such measurement to the next (0 for none).

        tasks (TaskGradients): The step's gradients and losses.
        weights (Mapping[str, float]): By task.
        """
        is_due = self.cosines_every > 0 and self._n_steps % self.cosines_every == 0
        self._n_steps += 1
        self._records.append(
            StepRecord(
                tasks={
                    task: TaskRecord(
                        loss=tasks.losses[task],
                        units=tasks.units[task],
                        norm=math.sqrt(float((gradient.ravel() ** 2).sum())),
                        weight=weights[task],
                    )
                    for task, gradient in tasks.gradients.items()
                },
                cosines=find_cosines(tasks) if is_due or tasks.has_gram else {},
            )
        )

    def drain(self) -> list[StepRecord]:
        """RETURNS (List[StepRecord]): The records so far, oldest first; they are let go."""
        records = list(self._records)
        self._records.clear()
        return records


def find_cosines(tasks: TaskGradients) -> dict[str, float]:
    """Compare the gradients of each pair of tasks.

    tasks (TaskGradients): The step.
    RETURNS (Dict[str, float]): The cosine by `"NAME NAME"`.
    """
    norms = np.sqrt(tasks.gram.diagonal())
    scale = np.outer(norms, norms)
    cosines = np.divide(tasks.gram, scale, out=np.zeros_like(tasks.gram), where=scale > 0.0)
    return {
        f"{tasks.tasks[i]} {tasks.tasks[j]}": float(cosines[i, j])
        for i, j in itertools.combinations(range(len(tasks.tasks)), 2)
    }
