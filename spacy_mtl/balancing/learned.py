"""Loss weights that are learned beside the networks: TorchJD's, one parameter per task."""

from typing import Any

import torch
from spacy.util import registry
from torch import Tensor
from torchjd.scalarization import FAMO as ScalarFAMO
from torchjd.scalarization import IMTLL as ScalarIMTLL
from torchjd.scalarization import UW as ScalarUW

from .method import BalancingMethod, Problem
from .normalization import Normalization
from .scalarizers import derivative
from .task_parameters import TaskParameters


class LearnedMethod(BalancingMethod):
    """A loss-based method with one learned parameter per task and an Adam optimizer for them. Both
    are saved with the trunk; a task that is absent keeps its own.
    """

    needs_losses = True

    def __init__(
        self, learn_rate: float, weight_decay: float = 0.0, normalize: Normalization = "units"
    ) -> None:
        """Create the balancer.

        learn_rate (float): Adam's learning rate for the parameters.
        weight_decay (float): Adam's decay of the parameters.
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        """
        super().__init__(normalize)
        self._parameters = TaskParameters(0.0, learn_rate, weight_decay)

    def get_memory(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The parameters and the state of their optimizer."""
        return {"parameters": self._parameters.get_state()}

    def set_memory(self, memory: dict[str, Any]) -> None:
        """Take up parameters.

        memory (Dict[str, Any]): A dict with what `get_memory` gave.
        """
        self._parameters.set_state(memory["parameters"])


@registry.misc("spacy_mtl.UW.v1")
class UW(LearnedMethod):
    """Uncertainty weighting: a learned log-variance s per task, weight exp(-s) (Kendall et al.
    2018, https://arxiv.org/abs/1705.07115). Settles where weight times loss is 1.

    Weights start at 1: twice TorchJD's, whose objective has a factor 1/2.
    """

    name = "spacy_mtl.UW.v1"

    def __init__(self, learn_rate: float = 0.01, normalize: Normalization = "units") -> None:
        """Create the balancer.

        learn_rate (float): Adam's learning rate for the log-variances.
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        """
        super().__init__(learn_rate, normalize=normalize)

    def solve(self, problem: Problem) -> Tensor:
        """Weigh, then learn from the losses.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        scalarizer = ScalarUW(len(problem.tasks)).double()
        scalarizer.load_state_dict({"log_var": self._parameters.of(problem.tasks)})
        weights = 2.0 * derivative(scalarizer, problem.losses)
        self._parameters.descend(
            problem.tasks, _parameter_gradient(scalarizer, scalarizer.log_var, problem.losses)
        )
        return weights


@registry.misc("spacy_mtl.IMTLL.v1")
class IMTLL(LearnedMethod):
    """Impartial learning by losses: a learned log-scale s per task, weight exp(s) (Liu et al. 2021,
    https://discovery.ucl.ac.uk/id/eprint/10120667/). Settles where weight times loss is 1.

    Weights start at 1.
    """

    name = "spacy_mtl.IMTLL.v1"

    def __init__(self, learn_rate: float = 0.01, normalize: Normalization = "units") -> None:
        """Create the balancer.

        learn_rate (float): Adam's learning rate for the log-scales.
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        """
        super().__init__(learn_rate, normalize=normalize)

    def solve(self, problem: Problem) -> Tensor:
        """Weigh, then learn from the losses.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        scalarizer = ScalarIMTLL(len(problem.tasks)).double()
        scalarizer.load_state_dict({"log_scale": self._parameters.of(problem.tasks)})
        weights = derivative(scalarizer, problem.losses)
        self._parameters.descend(
            problem.tasks, _parameter_gradient(scalarizer, scalarizer.log_scale, problem.losses)
        )
        return weights


@registry.misc("spacy_mtl.FAMO.v1")
class FAMO(LearnedMethod):
    """Fast adaptive multitask optimization: learned logits keep the log-losses falling at the same
    pace (Liu et al. 2023, https://arxiv.org/abs/2306.03792).

    Weights add up to the number of tasks. The paper learns from the losses of the same batch before
    and after the step, at the price of a second forward pass. Here "after" is the task's loss in
    the next batch that has it.
    """

    name = "spacy_mtl.FAMO.v1"

    def __init__(
        self,
        learn_rate: float = 0.025,
        weight_decay: float = 1e-3,
        normalize: Normalization = "units",
    ) -> None:
        """Create the balancer.

        learn_rate (float): Adam's learning rate for the logits.
        weight_decay (float): Adam's decay of the logits.
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        """
        super().__init__(learn_rate, weight_decay, normalize)
        self._last_losses: dict[str, float] = {}

    def solve(self, problem: Problem) -> Tensor:
        """Learn from how the losses changed, then weigh.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        self._learn(problem)
        scalarizer = ScalarFAMO(len(problem.tasks)).double()
        logits = self._parameters.of(problem.tasks)
        scalarizer.load_state_dict({"_w": logits, "min_losses": torch.zeros_like(logits)})
        return derivative(scalarizer, problem.losses) * len(problem.tasks)

    def get_memory(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The logits, their optimizer, and each task's last loss."""
        return {**super().get_memory(), "last_losses": dict(self._last_losses)}

    def set_memory(self, memory: dict[str, Any]) -> None:
        """Take up logits and losses.

        memory (Dict[str, Any]): A dict with what `get_memory` gave.
        """
        super().set_memory(memory)
        self._last_losses = dict(memory["last_losses"])

    def _learn(self, problem: Problem) -> None:
        losses = dict(zip(problem.tasks, problem.losses.tolist(), strict=True))
        tasks = [task for task in problem.tasks if task in self._last_losses]
        if tasks:
            before = torch.tensor([self._last_losses[task] for task in tasks]).double()
            after = torch.tensor([losses[task] for task in tasks]).double()
            logits = self._parameters.of(tasks).requires_grad_()
            with torch.enable_grad():
                shares = torch.softmax(logits, dim=0)
            change = before.log() - after.log()
            (gradient,) = torch.autograd.grad(shares, logits, grad_outputs=change)
            self._parameters.descend(tasks, gradient)
        self._last_losses.update(losses)


def _parameter_gradient(scalarizer: torch.nn.Module, parameter: Tensor, losses: Tensor) -> Tensor:
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(scalarizer(losses), parameter)
    return gradient
