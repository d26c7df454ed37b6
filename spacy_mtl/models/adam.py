"""thinc's Adam on torch parameters, in a few passes over memory."""

import math
from typing import Any, cast

import numpy as np
import torch
from thinc.api import Optimizer
from thinc.types import FloatsXd
from torch import Tensor
from torch.optim.adam import adam

MAX_AVERAGE_DECAY = 0.9999  # thinc's


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
def step(optimizer: Optimizer, key: tuple[int, str], weights: Tensor, gradient: Tensor) -> None:
    """Update a parameter as calling the optimizer would, about ten times quicker.

    The hyperparameters, schedules, moments, averages and counts stay the optimizer's, so that
    steps of either kind can follow one another. Only the order of roundings differs. thinc's
    arithmetic is that of Kingma and Ba (2015, https://arxiv.org/abs/1412.6980) with both bias
    corrections in the rate, as at the end of their section 2.

    optimizer (Optimizer): An optimizer for which `can_step`.
    key (Tuple[int, str]): What the optimizer knows the parameter by.
    weights (Tensor): The parameter; changed.
    gradient (Tensor): Its gradient; set to zero.
    """
    optimizer.nr_update[key] += 1
    n_updates = optimizer.nr_update[key]
    if optimizer.L2 and not optimizer.L2_is_weight_decay:
        gradient.add_(weights, alpha=optimizer.L2)
    if optimizer.grad_clip:
        _clip(gradient, optimizer.grad_clip)
    adam(
        [weights],
        [gradient],
        [_state(optimizer.mom1, key, weights)],
        [_state(optimizer.mom2, key, weights)],
        [],
        [torch.tensor(math.inf)],  # torch's own bias corrections are then 1
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
    gradient.zero_()
    if optimizer.L2 and optimizer.L2_is_weight_decay:
        weights.mul_(1.0 - optimizer.learn_rate * optimizer.L2)
    if optimizer.averages is not None:
        if key not in optimizer.averages:
            optimizer.averages[key] = cast(FloatsXd, torch.zeros_like(weights).numpy())
        decay = min((1.0 + n_updates) / (10.0 + n_updates), MAX_AVERAGE_DECAY)
        torch.from_numpy(optimizer.averages[key]).lerp_(weights, 1.0 - decay)


def _corrected_rate(optimizer: Optimizer, n_updates: int) -> float:
    first, second = 1.0 - optimizer.b1**n_updates, 1.0 - optimizer.b2**n_updates
    return float(optimizer.learn_rate * math.sqrt(second) / first)


def _clip(gradient: Tensor, threshold: float) -> None:
    norm = float(torch.linalg.vector_norm(gradient))
    if norm >= threshold:
        gradient.mul_(threshold / norm)


def _state(moments: Any, key: tuple[int, str], weights: Tensor) -> Tensor:
    """A moment in the shape of its parameter: the memory is the optimizer's flat array."""
    if key not in moments:
        moments[key] = torch.zeros(weights.numel()).numpy()
    return torch.from_numpy(moments[key]).view_as(weights)
