"""What a balancer sees of one step."""

from collections.abc import Mapping
from dataclasses import dataclass

from thinc.types import Floats2d


@dataclass(frozen=True)
class TaskGradients:
    """The gradients that the tasks of one batch sent to the trunk's output.

    A task that did not report, or reported nothing but zeros, is not in here: absent, not zero.

    gradients (Mapping[str, Floats2d]): By task (component name), [tokens, width] of the batch.
    units (Mapping[str, int]): By task, what its gradient has to be divided by to be the mean over
        its annotated units: 1 where the component does so itself, else the number of tokens that
        get a gradient.
    losses (Mapping[str, float]): By task, what the component added to its loss in this step.
    """

    gradients: Mapping[str, Floats2d]
    units: Mapping[str, int]
    losses: Mapping[str, float]

    @property
    def tasks(self) -> list[str]:
        """RETURNS (List[str]): The names of the tasks in this step, in pipeline order."""
        return list(self.gradients)
