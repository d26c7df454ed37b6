"""Running means, one per task."""

from typing import Any


class RunningMeans:
    """An exponential moving average per task, without the bias towards zero of the first values.

    A task that is not updated keeps its value.
    """

    def __init__(self, decay: float) -> None:
        """Start without values.

        decay (float): The part of the old value that stays, from 0 up to but not including 1.
        RAISES (ValueError): If `decay` is out of range.
        """
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"The decay of a running mean must be in [0, 1), found {decay}.")
        self.decay = decay
        self._sums: dict[str, list[float]] = {}  # task: [decayed sum, decayed number]

    def update(self, task: str, value: float) -> float:
        """Take a value in.

        task (str): The task.
        value (float): Its value in this step.
        RETURNS (float): The running mean, this value included.
        """
        total, number = self._sums.get(task, (0.0, 0.0))
        total = self.decay * total + (1.0 - self.decay) * value
        number = self.decay * number + (1.0 - self.decay)
        self._sums[task] = [total, number]
        return total / number

    def get_state(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The values, JSON-able."""
        return {task: list(pair) for task, pair in self._sums.items()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from saved values.

        state (Dict[str, Any]): What `get_state` gave.
        """
        self._sums = {task: list(pair) for task, pair in state.items()}
