"""Weights that stay as they are set."""

import math
from collections.abc import Mapping
from typing import Any

from spacy.util import registry

from ..util.settings import NO_ENTRIES
from .gradients import TaskGradients


@registry.misc("spacy_mtl.StaticWeights.v1")
class StaticWeights:
    """A fixed weight per task, on gradients brought to the mean over annotated units.

    Well-tuned static weights are hard to beat (Kurin et al. 2022, https://arxiv.org/abs/2201.04122;
    Xin et al. 2022, https://arxiv.org/abs/2209.11379).
    """

    def __init__(
        self,
        weights: Mapping[str, float] = NO_ENTRIES,
        default: float = 1.0,
        per_unit: bool = True,
    ) -> None:
        """Check and keep the weights.

        weights (Mapping[str, float]): Weight by component name.
        default (float): Weight of every component that is not named.
        per_unit (bool): Divide the gradient of components that do not normalise it themselves
            (all of spaCy's own) by the number of tokens that it reaches. Without it spaCy's `ner`
            and `parser`, whose gradients are sums over the batch, outweigh everything else.
        RAISES (ValueError): If a weight is negative or not a finite number.
        """
        self.weights = dict(weights)
        self.default = default
        self.per_unit = per_unit
        for task, weight in [*self.weights.items(), ("default", default)]:
            if not math.isfinite(weight) or weight < 0.0:
                raise ValueError(
                    f"spacy_mtl.StaticWeights.v1: the weight of '{task}' is {weight}. "
                    "Set a finite number that is not negative (0 keeps the task's gradient "
                    "from the trunk)."
                )

    @property
    def named_tasks(self) -> list[str]:
        """RETURNS (List[str]): The components that the settings name."""
        return list(self.weights)

    def weigh(self, step: TaskGradients) -> dict[str, float]:
        """Look the weights up.

        step (TaskGradients): The gradients and losses of the tasks in the batch.
        RETURNS (Dict[str, float]): A weight for each of `step.tasks`.
        """
        return {
            task: self.weights.get(task, self.default) / (step.units[task] if self.per_unit else 1)
            for task in step.tasks
        }

    def get_state(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): Nothing: the weights are part of the config."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Do nothing.

        state (Dict[str, Any]): Any saved state.
        """
        return None
