"""Gradient surgery: one task's gradient is changed where it opposes another's."""

import math
import operator
from collections.abc import Sequence
from typing import Any

import torch
from spacy.util import registry
from torch import Tensor
from torchjd.aggregation import PCGradWeighting

from .method import BalancingMethod, Problem
from .normalization import Normalization
from .randomness import StepSeed

SMALL = 1e-8  # added to what is divided by, as TorchJD does


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
        if not 0.0 <= beta <= 1.0:
            raise ValueError(f"{self.name}: beta is {beta}; it must be from 0 to 1.")
        self.beta = beta
        self._seed = StepSeed(seed)
        self._targets: dict[str, dict[str, float]] = {}  # task: {other task: cosine}

    def solve(self, problem: Problem) -> Tensor:
        """Turn the gradients, on the Gram matrix.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        gram: list[list[float]] = problem.unit_gram.tolist()
        weights = [0.0] * len(gram)
        with self._seed.next_step():
            for number in range(len(gram)):
                others = [other for other in range(len(gram)) if other != number]
                order = [others[place] for place in torch.randperm(len(others)).tolist()]
                for other, share in enumerate(self._turn(gram, number, order, problem.tasks)):
                    weights[other] += share
        return torch.tensor(weights, dtype=torch.float64)

    def _turn(
        self, gram: list[list[float]], number: int, order: Sequence[int], tasks: Sequence[str]
    ) -> list[float]:
        """Turn one task's gradient towards each other one that it is farther from than usual.

        These few numbers are computed without torch, whose calls take longer than they do.

        gram (List[List[float]]): [tasks, tasks].
        number (int): The task.
        order (Sequence[int]): The other tasks.
        tasks (Sequence[str]): All names.
        RETURNS (List[float]): [tasks], what of each gradient the turned one is made of.
        """
        targets = self._targets.setdefault(tasks[number], {})
        shares = [float(other == number) for other in range(len(gram))]
        products = list(gram[number])  # with each gradient
        for other in order:
            norm = math.sqrt(max(sum(map(operator.mul, products, shares)), 0.0))
            other_norm = math.sqrt(max(gram[other][other], 0.0))
            cosine = products[other] / (norm * other_norm + SMALL)
            target = targets.get(tasks[other], 0.0)
            if cosine < target:
                sine = math.sqrt(max(1.0 - cosine**2, 0.0))
                target_sine = math.sqrt(max(1.0 - target**2, 0.0))
                added = norm * (target * sine - cosine * target_sine)
                added /= other_norm * target_sine + SMALL
                shares[other] += added
                for place, product in enumerate(gram[other]):
                    products[place] += added * product
            targets[tasks[other]] = (1.0 - self.beta) * target + self.beta * cosine
        return shares

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
