"""Learned numbers, one per task."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


class TaskParameters:
    """One learned number per task, with an Adam optimizer of its own.

    A task that is not in a step keeps its number and the optimizer's moments.
    """

    def __init__(self, initial: float, learn_rate: float, weight_decay: float = 0.0) -> None:
        """Start without tasks.

        initial (float): The number of a task when it is first seen.
        learn_rate (float): Adam's learning rate.
        weight_decay (float): Adam's decay.
        RAISES (ValueError): If the rate or the decay is negative.
        """
        if learn_rate < 0.0 or weight_decay < 0.0:
            raise ValueError(
                f"learn_rate is {learn_rate} and weight_decay {weight_decay}; set 0 or more."
            )
        self.initial = initial
        self._learn_rate = learn_rate
        self._weight_decay = weight_decay
        self._parameters: dict[str, Tensor] = {}
        self._optimizer: torch.optim.Adam | None = None

    def of(self, tasks: Sequence[str]) -> Tensor:
        """Look numbers up.

        tasks (Sequence[str]): The tasks.
        RETURNS (Tensor): A copy of their numbers, [tasks], float64.
        """
        known = self._parameters
        values = [float(known[task]) if task in known else self.initial for task in tasks]
        return torch.tensor(values, dtype=torch.float64)

    def set(self, tasks: Sequence[str], values: Tensor) -> None:
        """Overwrite numbers.

        tasks (Sequence[str]): The tasks.
        values (Tensor): Their new numbers, [tasks].
        """
        for task, value in zip(tasks, values.tolist(), strict=True):
            self._parameter(task).fill_(value)

    def descend(self, tasks: Sequence[str], gradient: Tensor) -> None:
        """Take one step of Adam.

        tasks (Sequence[str]): The tasks to change.
        gradient (Tensor): The gradient of their numbers, [tasks].
        """
        for task, value in zip(tasks, gradient.tolist(), strict=True):
            self._parameter(task).grad = torch.tensor(value, dtype=torch.float64)
        if self._optimizer is not None:
            self._optimizer.step()
            self._optimizer.zero_grad(set_to_none=True)

    def get_state(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): Numbers and moments, JSON-able."""
        moments = {} if self._optimizer is None else self._optimizer.state
        return {
            task: {
                "value": float(parameter),
                "moments": {key: float(moment) for key, moment in moments[parameter].items()}
                if parameter in moments
                else {},
            }
            for task, parameter in self._parameters.items()
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from saved numbers and moments.

        state (Dict[str, Any]): What `get_state` gave.
        """
        self._parameters, self._optimizer = {}, None
        for task, saved in state.items():
            parameter = self._parameter(task)
            parameter.fill_(saved["value"])
            if saved["moments"] and self._optimizer is not None:
                self._optimizer.state[parameter] = {
                    key: torch.tensor(value, dtype=_dtype_of(key))
                    for key, value in saved["moments"].items()
                }

    def _parameter(self, task: str) -> Tensor:
        if task not in self._parameters:
            parameter = torch.tensor(self.initial, dtype=torch.float64)
            self._parameters[task] = parameter
            if self._optimizer is None:
                self._optimizer = torch.optim.Adam(
                    [parameter],
                    lr=self._learn_rate,
                    weight_decay=self._weight_decay,
                    foreach=False,
                )
            else:
                self._optimizer.add_param_group({"params": [parameter]})
        return self._parameters[task]


def _dtype_of(moment: str) -> torch.dtype:
    """Adam counts its steps in float32; its moments are like the parameter."""
    return torch.float32 if moment == "step" else torch.float64
