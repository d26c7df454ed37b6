"""Gradient surgery: one task's gradient is changed where it opposes another's."""

from typing import Any

import torch
from spacy.util import registry
from torch import Tensor
from torchjd.aggregation import GradVacWeighting, PCGradWeighting

from .method import BalancingMethod, Problem
from .normalization import Normalization
from .randomness import StepSeed


@registry.misc("spacy_mtl.PCGrad.v1")
class PCGrad(BalancingMethod):
    """Projecting conflicting gradients: the part that opposes another task's gradient is taken out,
    one task after the other in random order (Yu et al. 2020, https://arxiv.org/abs/2001.06782).

    Each weight is at least 1, and 1 for all without conflict: the plain sum. With three or more
    conflicting tasks weights depend on the random order, so on `seed`, the number of steps so far
    and the order of the tasks.
    """

    name = "spacy_mtl.PCGrad.v1"

    def __init__(self, seed: int = 0, normalize: Normalization = "units") -> None:
        """Create the balancer.

        seed (int): Seed of the order.
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        """
        super().__init__(normalize)
        self.weighting = PCGradWeighting()
        self._seed = StepSeed(seed)

    def solve(self, problem: Problem) -> Tensor:
        """Project, on the Gram matrix.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        with self._seed.next_step():
            return self.weighting(problem.unit_gram)

    def get_memory(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The number of steps so far."""
        return {"n_steps": self._seed.n_steps}

    def set_memory(self, memory: dict[str, Any]) -> None:
        """Take up the number of steps.

        memory (Dict[str, Any]): A dict with what `get_memory` gave.
        """
        self._seed.n_steps = memory["n_steps"]


class _GradVacOnTargets(GradVacWeighting):
    """TorchJD's weighting, but its targets are set for the tasks of each step."""

    def set_targets(self, targets: Tensor) -> None:
        self._phi_t = targets  # type: ignore[assignment]

    def _ensure_state(self, m: int, dtype: torch.dtype) -> None:
        return None


@registry.misc("spacy_mtl.GradVac.v1")
class GradVac(BalancingMethod):
    """Gradient vaccine: gradients are turned until each pair's cosine reaches its running mean, not
    only zero (Wang et al. 2021, https://arxiv.org/abs/2010.05874). The running means are kept by
    pair of tasks: a task that is absent changes none.

    Each weight is at least 1 or near it, and 1 for all where no cosine is below its running mean.
    Weights depend on the order of the tasks and on `seed`.
    """

    name = "spacy_mtl.GradVac.v1"

    def __init__(
        self, beta: float = 0.5, seed: int = 0, normalize: Normalization = "units"
    ) -> None:
        """Create the balancer.

        beta (float): The weight of the newest cosine in the running mean, 0 to 1. The paper uses
            0.01.
        seed (int): Seed of the order.
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        RAISES (ValueError): If `beta` is out of range.
        """
        super().__init__(normalize)
        self.weighting = _GradVacOnTargets(beta=beta)
        self._seed = StepSeed(seed)
        self._targets: dict[str, dict[str, float]] = {}  # task: {other task: cosine}

    def solve(self, problem: Problem) -> Tensor:
        """Turn the gradients, on the Gram matrix.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        tasks = problem.tasks
        rows = [[self._targets.get(one, {}).get(two, 0.0) for two in tasks] for one in tasks]
        targets = torch.tensor(rows, dtype=torch.float64)  # [tasks, tasks]
        self.weighting.set_targets(targets)
        with self._seed.next_step():
            weights = self.weighting(problem.unit_gram)
        for one, row in zip(tasks, targets.tolist(), strict=True):
            self._targets.setdefault(one, {}).update(zip(tasks, row, strict=True))
        return weights

    def get_memory(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The running cosines and the number of steps so far."""
        return {
            "n_steps": self._seed.n_steps,
            "cosines": {task: dict(row) for task, row in self._targets.items()},
        }

    def set_memory(self, memory: dict[str, Any]) -> None:
        """Take up running cosines and the number of steps.

        memory (Dict[str, Any]): A dict with what `get_memory` gave.
        """
        self._seed.n_steps = memory["n_steps"]
        self._targets = {task: dict(row) for task, row in memory["cosines"].items()}
