"""Values computed from a network's parameters, kept for as long as these do not change."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

ValueT = TypeVar("ValueT")


class ParameterState:
    """What some parameters held at one moment.

    It notices values that are replaced and values that are changed in place, such as by loading, by
    an optimizer of torch and, through `mark_changed`, by one of thinc. What it can't notice is a
    change in place through `parameter.data`: call `mark_changed` after one.

    parameters (Iterable[Tensor]): The parameters.
    """

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        # holding the data keeps its address from being given to other values
        self._states = [(values.data, values._version) for values in parameters]

    def is_current(self, parameters: Iterable[Tensor]) -> bool:
        """Tell whether parameters still hold the same values.

        parameters (Iterable[Tensor]): The same parameters in the same order.
        RETURNS (bool): Whether none has changed, been added or been taken away.
        """
        parameters = list(parameters)
        return len(parameters) == len(self._states) and all(
            values._version == version and values.data_ptr() == data.data_ptr()
            for values, (data, version) in zip(parameters, self._states, strict=True)
        )


class Cached:
    """Something that a network keeps and could compute anew from its parameters.

    Not an `ABC`, which would make `isinstance`, called for all attributes of a network in each
    training step, many times slower.
    """

    @abstractmethod
    def invalidate(self) -> None:
        """Drop everything that was computed."""


class ParameterCache(Cached, Generic[ValueT]):
    """A value computed from parameters at most once for each of their states.

    Copies and pickles of it start without a value.
    """

    def __init__(self) -> None:
        self._kept: tuple[ParameterState, ValueT] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return ParameterCache, ()

    def invalidate(self) -> None:
        """Drop the value."""
        self._kept = None

    def get(self, parameters: Sequence[Tensor], compute: Callable[[], ValueT]) -> ValueT:
        """Get the value for the parameters as they are.

        parameters (Sequence[Tensor]): All that the value depends on.
        compute (Callable[[], ValueT]): Computes it; called without recording gradients.
        RETURNS (ValueT): The value.
        """
        kept = self._kept
        if kept is None or not kept[0].is_current(parameters):
            with torch.inference_mode(False), torch.no_grad():
                state = ParameterState(parameters)
                kept = state, compute()
            self._kept = kept
        return kept[1]


def invalidate_caches(module: nn.Module) -> None:
    """Drop what the parts of a network keep, because parameters changed unseen by torch.

    module (nn.Module): The network.
    """
    for part in module.modules():
        for value in vars(part).values():
            if isinstance(value, Cached):
                value.invalidate()
