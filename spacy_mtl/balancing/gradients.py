"""What a balancer sees of one step."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from thinc.types import Floats2d


@dataclass(frozen=True)
class TaskGradients:
    """The gradients that the tasks of one batch sent to the trunk's output.

    A task that did not report, or reported nothing but zeros, is not in here: absent, not zero.

    gradients (Mapping[str, Floats2d]): By task (component name), [tokens, width] of the batch.
        Where heads read several layers or experts, the columns of these lie next to each other,
        zero where a task does not read them.
    units (Mapping[str, int]): By task, what its gradient has to be divided by to be the mean over
        its annotated units: 1 where the component does so itself, else the number of tokens that
        get a gradient.
    losses (Mapping[str, float]): By task, its loss in this step, a mean over its annotated units.
    find_gram (Optional[Callable]): Computes the Gram matrix of the gradients as they are, when a
        method first asks for it: [tasks, tasks].
    decisions (Mapping[str, float]): By task, how many things it had to tell in this step: tags of
        tokens, categories of documents. Where a component did not say, the tokens that its
        gradient reaches.
    auxiliary (AbstractSet[str]): The tasks that only teach the trunk: their components predict
        nothing.
    """

    gradients: Mapping[str, Floats2d]
    units: Mapping[str, int]
    losses: Mapping[str, float]
    find_gram: Callable[[], NDArray[np.float64]] | None = None
    decisions: Mapping[str, float] = field(default_factory=dict)
    auxiliary: Set[str] = frozenset()

    @property
    def tasks(self) -> list[str]:
        """RETURNS (List[str]): The names of the tasks in this step, in pipeline order."""
        return list(self.gradients)

    @property
    def has_gram(self) -> bool:
        """RETURNS (bool): Whether the Gram matrix has been computed."""
        return "gram" in self.__dict__

    @cached_property
    def gram(self) -> NDArray[np.float64]:
        """RETURNS (NDArray[float64]): The inner products of the tasks' gradients, as they are,
            [tasks, tasks].
        RAISES (ValueError): If a gradient is not finite, or this step has no Gram matrix.
        """
        if self.find_gram is None:
            raise ValueError("These gradients came without a way to find their Gram matrix.")
        gram = self.find_gram()
        for task, squared_norm in zip(self.tasks, gram.diagonal().tolist(), strict=True):
            if not np.isfinite(squared_norm):
                raise ValueError(
                    f"The gradient that component '{task}' sent to the trunk is not finite. Lower "
                    "[training.optimizer] learn_rate, and check the component's annotations."
                )
        return gram
