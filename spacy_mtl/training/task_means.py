"""The tasks' figures, averaged over some steps."""

from collections import defaultdict

from ..trunk.records import StepRecord
from .score_labels import format_number


class TaskMeans:
    """Mean loss per unit and mean weight of each task, over the steps in which it took part."""

    def __init__(self) -> None:
        """Start without steps."""
        self._losses: defaultdict[str, list[float]] = defaultdict(list)
        self._weights: defaultdict[str, list[float]] = defaultdict(list)

    def take(self, record: StepRecord) -> None:
        """Take a step in.

        record (StepRecord): The step.
        """
        for task, figures in record.tasks.items():
            self._losses[task].append(figures.loss)
            self._weights[task].append(figures.weight * figures.units)

    def as_losses(self) -> dict[str, float]:
        """RETURNS (Dict[str, float]): `TASK_per_unit`, the mean loss, and `TASK_weight`, the mean
        weight of the task's mean gradient.
        """
        figures = {}
        for task in self._losses:
            figures[f"{task}_per_unit"] = _mean(self._losses[task])
            figures[f"{task}_weight"] = _mean(self._weights[task])
        return figures

    def render(self) -> str:
        """RETURNS (str): One line with loss and weight of each task; empty without steps."""
        columns = [
            f"{task} {format_number(_mean(self._losses[task]))} x {_mean(self._weights[task]):.3g}"
            for task in self._losses
        ]
        return f"      loss x weight: {', '.join(columns)}" if columns else ""


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
