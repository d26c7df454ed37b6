"""A main task, and auxiliary tasks that must not be forgotten."""

from collections.abc import Sequence
from typing import Any

import torch
from spacy.util import registry
from torch import Tensor
from torchjd.aggregation import PCDWeighting

from .method import BalancingMethod, Problem
from .normalization import Normalization
from .running import RunningMeans


class _PCDOnScales(PCDWeighting):
    """TorchJD's weighting, but its scales are set for the tasks of each step."""

    scales: Tensor

    def _update_scales(self, sq_norms: Tensor) -> Tensor:
        return self.scales


@registry.misc("spacy_mtl.PriorityDescent.v1")
class PriorityDescent(BalancingMethod):
    """Priority-constrained descent: the direction nearest to the main task's gradient that gives
    each auxiliary task at least a share of the progress that its own gradient would give
    (https://arxiv.org/abs/2606.29521). Running norms are kept by task.

    The weighted sum has the norm of the main task's gradient; the main task alone gets 1. In a
    batch without the main task all others get 1.
    """

    name = "spacy_mtl.PriorityDescent.v1"

    def __init__(
        self,
        main: str,
        tau: float = 0.02,
        beta: float = 0.999,
        normalize: Normalization = "units",
    ) -> None:
        """Create the balancer.

        main (str): The main task: a component's name.
        tau (float): The share of progress, 0 to 1, that each auxiliary task is sure of.
        beta (float): The decay of the running norms.
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        RAISES (ValueError): If `tau` or `beta` is out of range.
        """
        super().__init__(normalize)
        self.main = main
        self.weighting = _PCDOnScales(tau=tau)
        self._squared_norms = RunningMeans(beta)

    @property
    def named_tasks(self) -> list[str]:
        """RETURNS (List[str]): The main task."""
        return [self.main]

    def solve(self, problem: Problem) -> Tensor:
        """Find the direction, on the Gram matrix.

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
        if self.main not in problem.tasks:
            return torch.ones(len(problem.tasks), dtype=torch.float64)
        order = main_first(problem.tasks, self.main)
        self.weighting.scales = squared_norms[order].rsqrt()
        weights = torch.zeros_like(squared_norms)
        weights[order] = self.weighting(problem.gram[order][:, order])
        return weights

    def get_memory(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The running norms."""
        return {"squared_norms": self._squared_norms.get_state()}

    def set_memory(self, memory: dict[str, Any]) -> None:
        """Take up running norms.

        memory (Dict[str, Any]): A dict with what `get_memory` gave.
        """
        self._squared_norms.set_state(memory["squared_norms"])


def main_first(tasks: Sequence[str], main: str) -> list[int]:
    """Order tasks.

    tasks (Sequence[str]): The tasks, the main one among them.
    main (str): The main task.
    RETURNS (List[int]): Positions in `tasks`, that of the main task first.
    """
    return sorted(range(len(tasks)), key=lambda position: tasks[position] != main)
