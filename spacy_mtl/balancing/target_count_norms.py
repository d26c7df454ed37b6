"""Gradients whose norms go by how much each task has to tell."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from spacy.util import registry
from torch import Tensor

from ..util.settings import NO_ENTRIES
from .method import BalancingMethod, Problem
from .normalization import NORM_DECAY, Normalization
from .running import RunningMeans


@registry.misc("spacy_mtl.TargetCountNorms.v1")
class TargetCountNorms(BalancingMethod):
    """Each task's gradient is brought to a norm that is proportional to a power of the number of
    its decisions in a step: tags of tokens, tags of pairs of a predicate and a token, categories of
    documents. Both norm and number are running means, by task.

    Why: an optimizer such as Adam takes steps of the same size whatever the scale of the gradient,
    so what one task gets the others lose. With gradients g at right angles, a step along their
    weighted sum improves task k by about w_k |g_k|^2 / sqrt(sum of w_j^2 |g_j|^2). The weights that
    make the product of these improvements the largest, each to the power of the task's bargaining
    power b_k, are w_k = sqrt(b_k) / |g_k|. With all b equal that is Nash-MTL's answer (Navon et al.
    2022, https://arxiv.org/abs/2202.01017), equal norms; that a task with 400 decisions should not
    be worth the same as one with five is what this adds, as Nash's bargaining with unequal power
    does. Here b_k = n_k^(2 * power) for n_k decisions. A task that is there to help the others, of
    a component that predicts nothing, gets a share of that norm. Power and share were chosen on the
    English Web Treebank's development documents: with the defaults no task of entities, genre and
    roles, beside `mtl_syntax`, was half a point below a model of its own. Roles without
    `mtl_syntax` are better off with a power of 0.75.

    All tasks together get the squared norm that the unweighted gradients of the batch have in sum;
    so a task alone gets 1.
    """

    name = "spacy_mtl.TargetCountNorms.v1"

    def __init__(
        self,
        shares: Mapping[str, float] = NO_ENTRIES,
        power: float = 0.4,
        decay: float = NORM_DECAY,
        normalize: Normalization = "units",
        auxiliary_share: float = 0.5,
    ) -> None:
        """Create the balancer.

        shares (Mapping[str, float]): A further factor of the norm by component name, 1
            for those not named.
        power (float): The power of the number of decisions, 0 to 1; with 0 all norms are equal.
        decay (float): The decay of the running means, 0 up to but not including 1.
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        auxiliary_share (float): A factor of the norm of tasks whose components predict nothing,
            such as `mtl_syntax`.
        RAISES (ValueError): If `power`, `decay` or a share is out of range.
        """
        super().__init__(normalize)
        if not 0.0 <= power <= 1.0:
            raise ValueError(f"{self.name}: power is {power}; it must be from 0 to 1.")
        for task, share in shares.items():
            if not math.isfinite(share) or share < 0.0:
                raise ValueError(
                    f"{self.name}: the share of '{task}' is {share}. Set a finite number that is "
                    "not negative (0 keeps the task's gradient from the trunk)."
                )
        if not math.isfinite(auxiliary_share) or auxiliary_share < 0.0:
            raise ValueError(
                f"{self.name}: auxiliary_share is {auxiliary_share}. Set a finite number that is "
                "not negative."
            )
        self.power = power
        self.auxiliary_share = auxiliary_share
        self.shares = dict(shares)
        self._squared_norms = RunningMeans(decay)
        self._decisions = RunningMeans(decay)

    @property
    def named_tasks(self) -> list[str]:
        """RETURNS (List[str]): The components that the settings name."""
        return list(self.shares)

    def solve(self, problem: Problem) -> Tensor:
        """Weigh by running norms and numbers, this step's included.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        squared_norms = self._follow(self._squared_norms, problem, problem.gram.diagonal())
        squared_norms = squared_norms.clamp(min=torch.finfo(squared_norms.dtype).tiny)
        decisions = problem.decisions
        if decisions is None:
            decisions = torch.ones_like(squared_norms)
        numbers = self._follow(self._decisions, problem, decisions)
        shares = [
            self.shares.get(task, 1.0) * (self.auxiliary_share if task in problem.auxiliary else 1)
            for task in problem.tasks
        ]
        wanted = torch.tensor(shares, dtype=torch.float64) * numbers**self.power  # norms, relative
        if not wanted.any():
            return wanted
        scale = (squared_norms.sum() / (wanted**2).sum()).sqrt()
        return scale * wanted / squared_norms.sqrt()

    def get_memory(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The running means."""
        return {
            "squared_norms": self._squared_norms.get_state(),
            "decisions": self._decisions.get_state(),
        }

    def set_memory(self, memory: dict[str, Any]) -> None:
        """Take up running means.

        memory (Dict[str, Any]): A dict with what `get_memory` gave.
        """
        self._squared_norms.set_state(memory["squared_norms"])
        self._decisions.set_state(memory["decisions"])

    @staticmethod
    def _follow(means: RunningMeans, problem: Problem, values: Tensor) -> Tensor:
        pairs = zip(problem.tasks, values.tolist(), strict=True)
        followed = [means.update(task, value) for task, value in pairs]
        return torch.tensor(followed, dtype=torch.float64)
