"""The contract of all balancing methods."""

from typing import Any, Protocol

from .gradients import TaskGradients


class Balancer(Protocol):
    """One weight per task, once per step.

    The trunk multiplies each task's gradient at its output by the weight, adds them up and runs
    its backward pass once. Nothing else depends on how the weights were found.
    """

    @property
    def named_tasks(self) -> list[str]:
        """RETURNS (List[str]): The tasks that the settings name; the trunk checks that they
        exist.
        """
        ...

    def weigh(self, step: TaskGradients) -> dict[str, float]:
        """Find the weights of one step.

        step (TaskGradients): The gradients and losses of the tasks in the batch.
        RETURNS (Dict[str, float]): A weight for each of `step.tasks`.
        """
        ...

    def get_state(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): What was learned so far, JSON-able; saved with the trunk."""
        ...

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a saved state.

        state (Dict[str, Any]): What `get_state` gave.
        """
        ...
