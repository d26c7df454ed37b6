"""Weights learned so that all tasks train at the same pace."""

from typing import Any

import torch
from spacy.util import registry
from torch import Tensor

from .method import BalancingMethod, Problem
from .normalization import Normalization
from .task_parameters import TaskParameters

SMALLEST_WEIGHT = 1e-3


@registry.misc("spacy_mtl.GradNorm.v1")
class GradNorm(BalancingMethod):
    """GradNorm: weights are learned so that the norm of each weighted gradient comes near the mean
    norm times the task's relative inverse training rate to the power `alpha` (Chen et al. 2018,
    https://arxiv.org/abs/1711.02257). Norms are those of the hub gradients, the paper's "last
    shared layer"; the training rate is the loss relative to the task's first loss.

    Weights start at 1, and an update leaves the sum over the tasks of the batch as it is. The paper
    has all tasks in each batch.
    """

    name = "spacy_mtl.GradNorm.v1"
    needs_losses = True

    def __init__(
        self,
        alpha: float = 1.5,
        learn_rate: float = 0.01,
        normalize: Normalization = "units",
    ) -> None:
        """Create the balancer.

        alpha (float): How strongly tasks are pulled to the same pace; 0 only makes norms equal.
            The paper uses 0.12 to 1.5.
        learn_rate (float): Adam's learning rate for the weights.
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        """
        super().__init__(normalize)
        self.alpha = alpha
        self._weights = TaskParameters(1.0, learn_rate)
        self._first_losses: dict[str, float] = {}

    def solve(self, problem: Problem) -> Tensor:
        """Weigh, then learn from norms and losses.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        weights = self._weights.of(problem.tasks)
        norms = problem.gram.diagonal().sqrt()
        gradient = grad_norm_gradient(weights, norms, self._relative_losses(problem), self.alpha)
        self._weights.descend(problem.tasks, gradient)
        updated = self._weights.of(problem.tasks).clamp(min=SMALLEST_WEIGHT)
        self._weights.set(problem.tasks, updated * (weights.sum() / updated.sum()))
        return weights

    def get_memory(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The weights, their optimizer, and each task's first loss."""
        return {"weights": self._weights.get_state(), "first_losses": dict(self._first_losses)}

    def set_memory(self, memory: dict[str, Any]) -> None:
        """Take up weights and losses.

        memory (Dict[str, Any]): A dict with what `get_memory` gave.
        """
        self._weights.set_state(memory["weights"])
        self._first_losses = dict(memory["first_losses"])

    def _relative_losses(self, problem: Problem) -> Tensor:
        for task, loss in zip(problem.tasks, problem.losses.tolist(), strict=True):
            self._first_losses.setdefault(task, loss)
        first = [self._first_losses[task] for task in problem.tasks]
        return problem.losses / torch.tensor(first, dtype=torch.float64)


def grad_norm_gradient(
    weights: Tensor, norms: Tensor, relative_losses: Tensor, alpha: float
) -> Tensor:
    """Derive GradNorm's objective, the sum of the distances of the weighted norms from their
    targets, by the weights. The targets count as constants.

    weights (Tensor): [tasks].
    norms (Tensor): Norms of the gradients before weighting, [tasks].
    relative_losses (Tensor): Each task's loss over its first loss, [tasks].
    alpha (float): The power of the relative inverse training rate.
    RETURNS (Tensor): [tasks].
    """
    weighted = weights * norms
    rates = relative_losses / relative_losses.mean()
    targets = weighted.mean() * rates**alpha
    return torch.sign(weighted - targets) * norms
