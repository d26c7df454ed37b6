"""Bringing the tasks' gradients to comparable size before they are weighed."""

import math
from typing import Any, Literal, get_args

from .gradients import TaskGradients
from .running import RunningMeans

Normalization = Literal["none", "units", "norm"]
NORM_DECAY = 0.99


class Normalizer:
    """Finds what each task's gradient is divided by before a method weighs it.

    `"none"`: by nothing. spaCy's `ner` and `parser` send sums over the batch: they outweigh
    everything else. `"units"`: by the number of annotated units, which makes each a mean. `"norm"`:
    by the running root mean square of its norm at the hub, over about 100 steps in which the task
    took part; all tasks then have the same size on average.
    """

    def __init__(self, mode: Normalization) -> None:
        """Check and keep the mode.

        mode (Literal["none", "units", "norm"]): How to normalise.
        RAISES (ValueError): If there is no such mode.
        """
        if mode not in get_args(Normalization):
            raise ValueError(
                f"normalize is '{mode}'; set one of {', '.join(get_args(Normalization))}."
            )
        self.mode = mode
        self._squared_norms = RunningMeans(NORM_DECAY)

    def divisors(self, step: TaskGradients) -> dict[str, float]:
        """Find the divisor of each gradient.

        step (TaskGradients): The gradients of the tasks in the batch.
        RETURNS (Dict[str, float]): By task, positive.
        """
        if self.mode == "none":
            return dict.fromkeys(step.tasks, 1.0)
        if self.mode == "units":
            return {task: float(step.units[task]) for task in step.tasks}
        squared_norms = zip(step.tasks, step.gram.diagonal().tolist(), strict=True)
        means = {task: self._squared_norms.update(task, value) for task, value in squared_norms}
        return {task: math.sqrt(mean) or 1.0 for task, mean in means.items()}

    def get_state(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The running norms."""
        return self._squared_norms.get_state()

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from saved running norms.

        state (Dict[str, Any]): What `get_state` gave.
        """
        self._squared_norms.set_state(state)
