"""thinc's Adam on torch parameters, in a few passes over memory."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from thinc.api import Optimizer
from torch import Tensor
from torch.optim.adam import adam

MAX_AVERAGE_DECAY = 0.9999  # thinc's
Key = tuple[int, str]
_ENDLESS = torch.tensor(math.inf)


def can_step(optimizer: Optimizer, parameter: Tensor) -> bool:
    """Tell whether `step` does what an optimizer would.

    optimizer (Optimizer): The optimizer.
    parameter (Tensor): The parameter that it is to update.
    RETURNS (bool): True for thinc's Adam with single precision on CPU; not for its SGD and RAdam,
        nor for other classes.
    """
    return (
        type(optimizer) is Optimizer
        and not optimizer.use_radam
        and optimizer.b1 > 0.0
        and optimizer.b2 > 0.0
        and parameter.device.type == "cpu"
        and parameter.dtype == torch.float32
        and parameter.is_contiguous()
        and parameter.numel() > 0
    )


@torch.no_grad()
def step(
    optimizer: Optimizer, keys: Sequence[Key], weights: list[Tensor], gradients: list[Tensor]
) -> None:
    """Update parameters as calling the optimizer for each would, more than ten times quicker.

    The hyperparameters, schedules, moments, averages and counts stay the optimizer's, so that
    steps of either kind can follow one another. Only the order of roundings differs. thinc's
    arithmetic is that of Kingma and Ba (2015, https://arxiv.org/abs/1412.6980) with both bias
    corrections in the rate, as at the end of their section 2.

    optimizer (Optimizer): An optimizer for which `can_step`.
    keys (Sequence[Tuple[int, str]]): What the optimizer knows each parameter by.
    weights (List[Tensor]): The parameters; changed.
    gradients (List[Tensor]): Their gradients; what they hold afterwards is of no use.
    RAISES (FloatingPointError): If a gradient is not finite. Nothing is changed then.
    """
    if not weights:
        return
    if optimizer.L2 and not optimizer.L2_is_weight_decay:
        torch._foreach_add_(gradients, weights, alpha=optimizer.L2)
    _clip(keys, gradients, optimizer.grad_clip)
    by_age: defaultdict[int, list[int]] = defaultdict(list)
    for position, key in enumerate(keys):
        optimizer.nr_update[key] += 1
        by_age[optimizer.nr_update[key]].append(position)
    for n_updates, positions in by_age.items():
        _step_together(
            optimizer,
            n_updates,
            [keys[position] for position in positions],
            [weights[position] for position in positions],
            [gradients[position] for position in positions],
        )


def _step_together(
    optimizer: Optimizer,
    n_updates: int,
    keys: list[Key],
    weights: list[Tensor],
    gradients: list[Tensor],
) -> None:
    """Update parameters that have been updated equally often."""
    adam(
        weights,
        gradients,
        [_state(optimizer.mom1, key, own) for key, own in zip(keys, weights, strict=True)],
        [_state(optimizer.mom2, key, own) for key, own in zip(keys, weights, strict=True)],
        [],
        [_ENDLESS] * len(weights),  # torch's own bias corrections are then 1
        foreach=False,
        fused=True,
        amsgrad=False,
        beta1=float(np.float32(optimizer.b1)),  # thinc computes with single precision
        beta2=float(np.float32(optimizer.b2)),
        lr=_corrected_rate(optimizer, n_updates),
        weight_decay=0.0,
        eps=optimizer.eps,
        maximize=False,
    )
    if optimizer.L2 and optimizer.L2_is_weight_decay:
        torch._foreach_mul_(weights, 1.0 - optimizer.learn_rate * optimizer.L2)
    if optimizer.averages is not None:
        kept = min((1.0 + n_updates) / (10.0 + n_updates), MAX_AVERAGE_DECAY)
        averages = [
            _average(optimizer.averages, key, own) for key, own in zip(keys, weights, strict=True)
        ]
        torch._foreach_lerp_(averages, weights, 1.0 - kept)


def _corrected_rate(optimizer: Optimizer, n_updates: int) -> float:
    first, second = 1.0 - optimizer.b1**n_updates, 1.0 - optimizer.b2**n_updates
    return float(optimizer.learn_rate * math.sqrt(second) / first)


def _clip(keys: Sequence[Key], gradients: list[Tensor], threshold: float) -> None:
    """Make gradients no longer than a norm, 0 for any."""
    norms = torch.stack(torch._foreach_norm(gradients)).tolist()
    for (_, name), norm in zip(keys, norms, strict=True):
        if not math.isfinite(norm):
            raise FloatingPointError(f"the gradient of its parameter '{name}' is not finite")
    for gradient, norm in zip(gradients, norms, strict=True):
        if threshold and norm >= threshold:
            gradient.mul_(threshold / norm)


def _state(moments: Any, key: tuple[int, str], weights: Tensor) -> Tensor:
    """A moment in the shape of its parameter: the memory is the optimizer's flat array."""
    if key not in moments:
        moments[key] = torch.zeros(weights.numel()).numpy()
    return torch.from_numpy(moments[key]).view_as(weights)


def _average(averages: Any, key: Key, weights: Tensor) -> Tensor:
    if key not in averages:
        averages[key] = torch.zeros_like(weights).numpy()
    return torch.from_numpy(averages[key])
