"""Each task's gradient at all of the trunk's parameters."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from thinc.api import Model
from thinc.types import FloatsXd
from thinc.util import torch2xp, xp2torch

from ..balancing.gradients import TaskGradients
from .step import TrunkStep

Key = tuple[int, str]


class ParameterGradients:
    """The exact counterpart of the hub: one backward pass of the trunk per task, and gradients of
    the tasks that can be compared and added up parameter by parameter.
    """

    def __init__(self, model: Model, by_task: Mapping[str, Mapping[Key, FloatsXd]]) -> None:
        """Keep gradients.

        model (Model): The trunk's network.
        by_task (Mapping[str, Mapping[Tuple[int, str], FloatsXd]]): By task and parameter.
        """
        self._model = model
        self.by_task = by_task

    @classmethod
    def of_each_task(
        cls, model: Model, step: TrunkStep, tasks: TaskGradients
    ) -> "ParameterGradients":
        """Pass each task's gradient back on its own.

        What the parameters' gradients held before is left as it was.

        model (Model): The trunk's network.
        step (TrunkStep): The batch.
        tasks (TaskGradients): The tasks' gradients at the trunk's output.
        RETURNS (ParameterGradients): Their gradients at its parameters.
        """
        before = _take_gradients(model)
        by_task: dict[str, dict[Key, FloatsXd]] = {}
        for task, gradient in tasks.gradients.items():
            if by_task:
                step.rerun_forward()
            step.backward(gradient)
            by_task[task] = _take_gradients(model)
        _add_gradients(model, before, 1.0)
        return cls(model, by_task)

    def gram(self) -> NDArray[np.float64]:
        """RETURNS (NDArray[float64]): Inner products of the tasks' gradients, [tasks, tasks]."""
        tasks = list(self.by_task)
        keys = sorted({key for gradients in self.by_task.values() for key in gradients})
        gram = np.zeros((len(tasks), len(tasks)))
        for key in keys:
            rows = [i for i, task in enumerate(tasks) if key in self.by_task[task]]
            stacked = torch.stack([xp2torch(self.by_task[tasks[i]][key]).ravel() for i in rows])
            gram[np.ix_(rows, rows)] += (stacked @ stacked.T).double().cpu().numpy()
        return gram

    def add_up(self, weights: Mapping[str, float]) -> None:
        """Give the parameters the weighted sum of the tasks' gradients.

        weights (Mapping[str, float]): By task.
        """
        for task, gradients in self.by_task.items():
            _add_gradients(self._model, gradients, weights[task])


def _take_gradients(model: Model) -> dict[Key, FloatsXd]:
    """Read all gradients and set them to zero."""
    taken = {}
    for key, gradient in _gradients(model):
        taken[key] = gradient.copy()
        gradient[...] = 0.0
    return taken


def _add_gradients(model: Model, gradients: Mapping[Key, FloatsXd], weight: float) -> None:
    """All parameters have gradients by now: a backward pass of this step has given them."""
    for key, gradient in _gradients(model):
        if key in gradients:
            gradient += gradients[key] * weight


def _gradients(model: Model) -> Iterator[tuple[Key, Any]]:
    """Views of the gradients that parameters have, torch's included."""
    for node in model.walk():
        for name in node.param_names:
            if node.has_param(name) and node.has_grad(name):
                yield (node.id, name), node.get_grad(name)
        for shim in node.shims:
            module = cast(torch.nn.Module, shim._model)
            for name, parameter in module.named_parameters():
                if parameter.grad is not None:
                    yield (shim.id, name), torch2xp(parameter.grad)
