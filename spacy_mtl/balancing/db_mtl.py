"""Log losses, and gradients brought to the largest norm among them."""

from typing import Any

import torch
from spacy.util import registry
from torch import Tensor

from .method import BalancingMethod, Problem
from .normalization import Normalization
from .running import RunningMeans


@registry.misc("spacy_mtl.DBMTL.v1")
class DBMTL(BalancingMethod):
    """Dual balancing: the gradient of each log loss, scaled to the largest norm among them (Lin et
    al. 2023, https://arxiv.org/abs/2308.12029). The paper averages the gradients over steps; here
    only their norms are averaged, and directions are those of the batch.

    The weighted gradients have equal norms on average, that of the largest gradient of a log loss.
    A task alone gets 1 over its loss.
    """

    name = "spacy_mtl.DBMTL.v1"
    needs_losses = True

    def __init__(self, decay: float = 0.9, normalize: Normalization = "units") -> None:
        """Create the balancer.

        decay (float): The decay of the running norms, 0 up to but not including 1; 0 takes those of
            the batch.
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        RAISES (ValueError): If `decay` is out of range.
        """
        super().__init__(normalize)
        self._norms = RunningMeans(decay)

    def solve(self, problem: Problem) -> Tensor:
        """Scale to the largest norm.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        log_norms = problem.gram.diagonal().sqrt() / problem.losses  # those of the log losses
        norms = torch.tensor(
            [
                self._norms.update(task, norm)
                for task, norm in zip(problem.tasks, log_norms.tolist(), strict=True)
            ],
            dtype=torch.float64,
        )
        return norms.max() / (norms * problem.losses)

    def get_memory(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The running norms."""
        return {"norms_of_log_losses": self._norms.get_state()}

    def set_memory(self, memory: dict[str, Any]) -> None:
        """Take up running norms.

        memory (Dict[str, Any]): A dict with what `get_memory` gave.
        """
        self._norms.set_state(memory["norms_of_log_losses"])
