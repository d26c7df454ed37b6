"""Partly equal norms: between the sum of mean losses and gradients of the same size."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from spacy.util import registry
from torch import Tensor

from .method import BalancingMethod, Problem
from .normalization import NORM_DECAY, Normalization
from .running import RunningMeans


@registry.misc("spacy_mtl.NormPower.v1")
class NormPower(BalancingMethod):
    """Each task's gradient is divided by a power of its own running norm at the hub. With power 0
    the mean losses are added, so that the task with the largest gradient has the say; with power 1
    all gradients have the same norm on average, so that a task with much to learn gets no more than
    one with little. In between, sizes differ as the root (for 1/2) of what they were.

    Weights are relative to the geometric mean of the norms of the tasks in the batch: their product
    is 1 on average where `weights` are all 1, and a task alone gets its entry in `weights`.
    """

    name = "spacy_mtl.NormPower.v1"

    def __init__(
        self,
        power: float = 0.5,
        weights: Mapping[str, float] | None = None,
        default: float = 1.0,
        decay: float = NORM_DECAY,
        normalize: Normalization = "units",
    ) -> None:
        """Create the balancer.

        power (float): The power of the norm, 0 to 1.
        weights (Optional[Mapping[str, float]]): Further factor by component name.
        default (float): Factor of every component that is not named.
        decay (float): The decay of the running mean squares of the norms, 0 up to but not
            including 1.
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        RAISES (ValueError): If `power`, `decay` or a factor is out of range.
        """
        super().__init__(normalize)
        if not 0.0 <= power <= 1.0:
            raise ValueError(f"{self.name}: power is {power}; it must be from 0 to 1.")
        self.power = power
        self.weights = dict(weights or {})
        self.default = default
        for task, weight in [*self.weights.items(), ("default", default)]:
            if not math.isfinite(weight) or weight < 0.0:
                raise ValueError(
                    f"{self.name}: the factor of '{task}' is {weight}. Set a finite number that is "
                    "not negative."
                )
        self._squared_norms = RunningMeans(decay)

    @property
    def named_tasks(self) -> list[str]:
        """RETURNS (List[str]): The components that the settings name."""
        return list(self.weights)

    def solve(self, problem: Problem) -> Tensor:
        """Weigh by the running norms, this step's included.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        squared_norms = torch.tensor(
            [
                self._squared_norms.update(task, value)
                for task, value in zip(problem.tasks, problem.gram.diagonal().tolist(), strict=True)
            ],
            dtype=torch.float64,
        )
        logs = squared_norms.clamp(min=1e-300).log() / 2
        factors = [self.weights.get(task, self.default) for task in problem.tasks]
        relative = torch.exp(-self.power * (logs - logs.mean()))
        return relative * torch.tensor(factors, dtype=torch.float64)

    def get_memory(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The running norms."""
        return {"squared_norms": self._squared_norms.get_state()}

    def set_memory(self, memory: dict[str, Any]) -> None:
        """Take up running norms.

        memory (Dict[str, Any]): A dict with what `get_memory` gave.
        """
        self._squared_norms.set_state(memory["squared_norms"])
