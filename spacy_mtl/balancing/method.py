"""What all adaptive balancing methods share."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..util.messages import warn
from .gradients import TaskGradients
from .normalization import Normalization, Normalizer


@dataclass(frozen=True)
class Problem:
    """What a method turns into weights: the tasks of one step, their losses, their gradients.

    tasks (Sequence[str]): The tasks of the step.
    losses (Tensor): Loss per annotated unit, [tasks], float64.
    find_gram (Callable): Computes the Gram matrix of the normalised gradients.
    decisions (Optional[Tensor]): How many things each task had to tell, [tasks], float64; None
        counts as one each.
    auxiliary (AbstractSet[str]): The tasks whose components predict nothing.
    """

    tasks: Sequence[str]
    losses: Tensor
    find_gram: Callable[[], Tensor]
    decisions: Tensor | None = None
    auxiliary: Set[str] = frozenset()

    @cached_property
    def gram(self) -> Tensor:
        """RETURNS (Tensor): Inner products of the normalised gradients, [tasks, tasks], float64."""
        return self.find_gram()

    @property
    def unit_gram(self) -> Tensor:
        """RETURNS (Tensor): `gram` scaled so that the mean of its diagonal is 1. Solvers compare
        with fixed tolerances; the gradients of a mean loss are far below those.
        """
        mean = self.gram.diagonal().mean()
        return self.gram / mean if mean > 0.0 else self.gram


class BalancingMethod(ABC):
    """A balancer that finds weights for normalised gradients.

    A subclass solves one problem: tasks, losses per unit, Gram matrix in; weights out. Weights are
    scaled so that a task that is alone gets 1, unless the method's own description says otherwise;
    so a batch with fewer tasks is no smaller a step for those it has.
    """

    name: str  # the registered name, to tell one method's saved state from another's
    needs_losses = False

    def __init__(self, normalize: Normalization = "units") -> None:
        """Create a method.

        normalize (Literal["none", "units", "norm"]): What each task's gradient is divided by
            before it is weighed: nothing, its annotated units, or its running norm.
        """
        self._normalizer = Normalizer(normalize)
        self._without_loss: set[str] = set()

    @property
    def named_tasks(self) -> list[str]:
        """RETURNS (List[str]): The tasks that the settings name."""
        return []

    @abstractmethod
    def solve(self, problem: Problem) -> Tensor:
        """Find the weights of normalised gradients.

        problem (Problem): The step; at least one task.
        RETURNS (Tensor): One weight per task, [tasks].
        """

    def weigh(self, step: TaskGradients) -> dict[str, float]:
        """Find the weights of one step.

        step (TaskGradients): The gradients and losses of the tasks in the batch.
        RETURNS (Dict[str, float]): A weight for each of `step.tasks`.
        """
        divisors = self._normalizer.divisors(step)
        tasks = [task for task in step.tasks if self._is_usable(task, step.losses.get(task, 0.0))]
        weights = dict.fromkeys(step.tasks, 1.0)
        if tasks:
            solved = self.solve(_make_problem(step, tasks, divisors))
            weights.update(zip(tasks, solved.tolist(), strict=True))
        return {task: weights[task] / divisors[task] for task in step.tasks}

    def get_state(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): What was learned so far, JSON-able."""
        return {"method": self.name, "norms": self._normalizer.get_state(), **self.get_memory()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a saved state. That of another method is left alone, with a warning.

        state (Dict[str, Any]): What `get_state` gave.
        """
        if state.get("method") != self.name:
            warn(
                f"The saved balancer is {state.get('method')}, the configured one {self.name}: it "
                "starts without memory."
            )
            return
        self._normalizer.set_state(state["norms"])
        self.set_memory(state)

    def get_memory(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): What this method remembers from step to step, JSON-able."""
        return {}

    def set_memory(self, memory: dict[str, Any]) -> None:
        """Take up what the method remembered.

        memory (Dict[str, Any]): A dict with what `get_memory` gave.
        """
        return None

    def _is_usable(self, task: str, loss: float) -> bool:
        """A method that compares losses can't do so with a task that reports none."""
        if not self.needs_losses or (math.isfinite(loss) and loss > 0.0):
            return True
        if task not in self._without_loss:
            self._without_loss.add(task)
            warn(
                f"{self.name} weighs by losses, but component '{task}' reported the loss {loss} "
                "for a batch from which it sent a gradient. It gets the weight 1 in such batches."
            )
        return False


def _make_problem(step: TaskGradients, tasks: list[str], divisors: dict[str, float]) -> Problem:
    def find_gram() -> Tensor:
        rows = [step.tasks.index(task) for task in tasks]
        scale = np.array([1.0 / divisors[task] for task in tasks])
        return torch.from_numpy(step.gram[np.ix_(rows, rows)] * np.outer(scale, scale))

    losses = torch.tensor([step.losses.get(task, 0.0) for task in tasks], dtype=torch.float64)
    decisions = torch.tensor([step.decisions.get(task, 1.0) for task in tasks], dtype=torch.float64)
    return Problem(tasks, losses, find_gram, decisions, step.auxiliary)
