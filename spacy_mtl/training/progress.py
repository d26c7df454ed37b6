"""How the score of one task develops."""

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class TaskProgress:
    """The best score of a task, and how long ago it was.

    best (Optional[float]): The best score; None before the first.
    step (int): The training step of the best score.
    started (Optional[int]): The step of the first score that is not zero. Patience counts from
        there on: a task that has found nothing yet has not stopped improving.
    stopped (Optional[int]): The step at which patience ran out.
    """

    best: float | None = None
    step: int = 0
    started: int | None = None
    stopped: int | None = None

    def take(self, score: float, step: int) -> bool:
        """Take the score of an evaluation in.

        score (float): The score, higher is better.
        step (int): The training step.
        RETURNS (bool): Whether it is the best so far. Of equal ones the first is; NaN never is.
        """
        if math.isnan(score):
            return False
        if self.started is None and score:
            self.started = step
        if self.best is not None and score <= self.best:
            return False
        self.best, self.step = score, step
        return True

    def is_exhausted(self, step: int, patience: int) -> bool:
        """Tell whether the score has not improved for too long.

        step (int): The training step.
        patience (int): The number of steps; 0 for no limit.
        RETURNS (bool): Whether to stop the task, if it has not been stopped.
        """
        if self.stopped is not None or self.started is None or not patience:
            return False
        return step - max(self.step, self.started) >= patience

    def to_json(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): What `TaskProgress(**...)` takes."""
        return asdict(self)
