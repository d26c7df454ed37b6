"""Methods that look at the losses, or at nothing: TorchJD's scalarizers, made selectable.

A scalarizer turns losses into one number. A task's weight is that number's derivative with respect
to the task's loss.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from spacy.util import registry
from torch import Tensor
from torchjd.scalarization import DWA as ScalarDWA
from torchjd.scalarization import STCH as ScalarSTCH
from torchjd.scalarization import GeometricMean, Random

from ..util.settings import NO_ENTRIES
from .method import BalancingMethod, Problem
from .normalization import Normalization
from .randomness import StepSeed


def derivative(scalarizer: Callable[[Tensor], Tensor], losses: Tensor) -> Tensor:
    """Find the weights that a scalarizer gives to gradients.

    scalarizer (Callable[[Tensor], Tensor]): From [tasks] to one number.
    losses (Tensor): [tasks].
    RETURNS (Tensor): The derivative of that number by each loss, [tasks].
    """
    with torch.enable_grad():
        leaf = losses.detach().clone().requires_grad_()
        (weights,) = torch.autograd.grad(scalarizer(leaf), leaf)
    return weights


@registry.misc("spacy_mtl.Constant.v1")
class Constant(BalancingMethod):
    """A fixed weight per task, as with `spacy_mtl.StaticWeights.v1`, but with all three ways to
    normalise: with `"norm"` the weights say what share of the step each task gets.

    The weights are those given.
    """

    name = "spacy_mtl.Constant.v1"

    def __init__(
        self,
        weights: Mapping[str, float] = NO_ENTRIES,
        default: float = 1.0,
        normalize: Normalization = "units",
    ) -> None:
        """Keep the weights.

        weights (Mapping[str, float]): Weight by component name.
        default (float): Weight of every component that is not named.
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        """
        super().__init__(normalize)
        self.weights = dict(weights)
        self.default = default

    @property
    def named_tasks(self) -> list[str]:
        """RETURNS (List[str]): The components that the settings name."""
        return list(self.weights)

    def solve(self, problem: Problem) -> Tensor:
        """Look the weights up.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        weights = [self.weights.get(task, self.default) for task in problem.tasks]
        return torch.tensor(weights, dtype=torch.float64)


@registry.misc("spacy_mtl.Uniform.v1")
def create_uniform(normalize: Normalization = "units") -> Constant:
    """The plain sum of the normalised gradients: every weight is 1.

    normalize (Literal["none", "units", "norm"]): See `Normalizer`.
    RETURNS (Constant): The balancer.
    """
    return Constant(normalize=normalize)


@registry.misc("spacy_mtl.RandomWeights.v1")
class RandomWeights(BalancingMethod):
    """Random loss weighting (RLW): new weights each step, the softmax of normal numbers (Lin et al.
    2022, https://arxiv.org/abs/2111.10603). A baseline that is hard to beat.

    Weights add up to the number of tasks. They depend on `seed`, the number of steps so far and
    the order of the tasks.
    """

    name = "spacy_mtl.RandomWeights.v1"

    def __init__(self, seed: int = 0, normalize: Normalization = "units") -> None:
        """Create the balancer.

        seed (int): Seed of the weights.
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        """
        super().__init__(normalize)
        self._seed = StepSeed(seed)

    def solve(self, problem: Problem) -> Tensor:
        """Draw weights.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        with self._seed.next_step():
            return derivative(Random(), problem.losses) * len(problem.tasks)

    def get_memory(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The number of steps so far."""
        return {"n_steps": self._seed.n_steps}

    def set_memory(self, memory: dict[str, Any]) -> None:
        """Take up the number of steps.

        memory (Dict[str, Any]): A dict with what `get_memory` gave.
        """
        self._seed.n_steps = memory["n_steps"]


@registry.misc("spacy_mtl.GeometricMean.v1")
class GeometricLoss(BalancingMethod):
    """Geometric loss strategy (GLS): descends the geometric mean of the losses, so that each counts
    by its relative change (Chennupati et al. 2019, https://arxiv.org/abs/1904.08492).

    The product of the weights is 1.
    """

    name = "spacy_mtl.GeometricMean.v1"
    needs_losses = True

    def solve(self, problem: Problem) -> Tensor:
        """Derive the geometric mean.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        return derivative(GeometricMean(), problem.losses) * len(problem.tasks)


@registry.misc("spacy_mtl.STCH.v1")
class STCH(BalancingMethod):
    """Smooth Tchebycheff scalarization: a smooth maximum of the losses above their ideal points, so
    that the worst task counts most (Lin et al. 2024, https://arxiv.org/abs/2402.19078).

    Weights add up to the number of tasks where no `preferences` are given.
    """

    name = "spacy_mtl.STCH.v1"
    needs_losses = True

    def __init__(
        self,
        mu: float = 0.1,
        preferences: Mapping[str, float] = NO_ENTRIES,
        ideal: Mapping[str, float] = NO_ENTRIES,
        normalize: Normalization = "units",
    ) -> None:
        """Create the balancer.

        mu (float): Smoothing, more than 0; the smaller, the nearer to the maximum.
        preferences (Mapping[str, float]): By component name, what its loss counts; 1
            where not named. Losses of heads are on unlike scales: this makes up for it.
        ideal (Mapping[str, float]): By component name, the loss that can't be beaten; 0
            where not named.
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        RAISES (ValueError): If `mu` is not positive.
        """
        super().__init__(normalize)
        self.mu = ScalarSTCH(mu).mu
        self.preferences = dict(preferences)
        self.ideal = dict(ideal)

    @property
    def named_tasks(self) -> list[str]:
        """RETURNS (List[str]): The components that the settings name."""
        return list({**self.preferences, **self.ideal})

    def solve(self, problem: Problem) -> Tensor:
        """Derive the smooth maximum.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        n_tasks = len(problem.tasks)
        preferences = torch.tensor(
            [self.preferences.get(task, 1.0) / n_tasks for task in problem.tasks],
            dtype=torch.float64,
        )
        ideal = torch.tensor(
            [self.ideal.get(task, 0.0) for task in problem.tasks], dtype=torch.float64
        )
        scalarizer = ScalarSTCH(self.mu, preferences, ideal)
        return derivative(scalarizer, problem.losses) * n_tasks**2


@registry.misc("spacy_mtl.DWA.v1")
class DWA(BalancingMethod):
    """Dynamic weight average: a task whose mean loss fell less between the last two periods than
    the others' gets more weight (Liu et al. 2019, https://arxiv.org/abs/1803.10704).

    Weights add up to the number of tasks, and are 1 in a task's first two periods. The paper's
    period is an epoch. A trunk does not know epochs: here it is `period` steps in which the task
    took part.
    """

    name = "spacy_mtl.DWA.v1"
    needs_losses = True

    def __init__(
        self, temperature: float = 2.0, period: int = 200, normalize: Normalization = "units"
    ) -> None:
        """Create the balancer.

        temperature (float): The larger, the more alike the weights. The paper uses 2.
        period (int): The number of steps over which a task's loss is averaged.
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        RAISES (ValueError): If `temperature` or `period` is not positive.
        """
        super().__init__(normalize)
        if period < 1:
            raise ValueError(f"spacy_mtl.DWA.v1: period is {period}; set 1 or more.")
        self.temperature = ScalarDWA(temperature).temperature
        self.period = period
        self._current: dict[str, list[float]] = {}  # task: the losses of its current period
        self._means: dict[str, list[float]] = {}  # task: the means of its last two periods

    def solve(self, problem: Problem) -> Tensor:
        """Compare the last two periods.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        known = [self._means.get(task, []) for task in problem.tasks]
        older, newer = zip(*[pair if len(pair) == 2 else (1.0, 1.0) for pair in known], strict=True)
        scalarizer = ScalarDWA(self.temperature)
        for means in (older, newer):
            scalarizer(torch.tensor(means, dtype=torch.float64))
            scalarizer.step()
        weights = derivative(scalarizer, problem.losses)
        for task, loss in zip(problem.tasks, problem.losses.tolist(), strict=True):
            self._take_in(task, loss)
        return weights

    def get_memory(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The losses of the current period and the last two means."""
        return {
            "current": {task: list(losses) for task, losses in self._current.items()},
            "means": {task: list(means) for task, means in self._means.items()},
        }

    def set_memory(self, memory: dict[str, Any]) -> None:
        """Take up losses and means.

        memory (Dict[str, Any]): A dict with what `get_memory` gave.
        """
        self._current = {task: list(losses) for task, losses in memory["current"].items()}
        self._means = {task: list(means) for task, means in memory["means"].items()}

    def _take_in(self, task: str, loss: float) -> None:
        losses = self._current.setdefault(task, [])
        losses.append(loss)
        if len(losses) == self.period:
            mean = sum(losses) / self.period
            self._means[task] = [*self._means.get(task, []), mean][-2:]
            self._current[task] = []
