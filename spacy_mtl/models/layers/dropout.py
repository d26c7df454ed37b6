"""Dropout that does not dominate training on CPU."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

LEVELS = 256
_LOWEST = torch.iinfo(torch.int64).min  # random numbers from there on have 64 random bits


def dropout(values: Tensor, rate: float, training: bool) -> Tensor:
    """Leave out a share of values and scale the others so that the mean stays.

    values (Tensor): Any shape.
    rate (float): The share left out, from 0 to 1; on CPU see `dropout_mask`.
    training (bool): Where False, the values come back as they are.
    RETURNS (Tensor): The same shape.
    """
    if not training or rate <= 0.0:
        return values
    if values.device.type != "cpu":
        return torch.nn.functional.dropout(values, rate)
    return values * dropout_mask(values.shape, rate)


def dropout_mask(shape: Sequence[int], rate: float) -> Tensor:
    """Draw what values are multiplied with, on CPU.

    Each takes one random byte from torch's global generator (which `fix_random_seed` seeds), which
    is about ten times quicker than `torch.nn.functional.dropout`; the rate is rounded to a 256th.

    shape (Sequence[int]): The shape of the values.
    rate (float): The share left out, from 0 to 1.
    RETURNS (Tensor): 0 where a value is left out; elsewhere the same number, so that the mean is 1.
    """
    n_dropped = round(rate * LEVELS)
    if n_dropped >= LEVELS:
        return torch.zeros(tuple(shape))
    n_values = int(np.prod(shape))
    drawn = torch.empty(-(-n_values // 8), dtype=torch.int64).random_(_LOWEST, None)
    levels = drawn.numpy().view(np.uint8)[:n_values]
    mask = np.multiply(levels >= n_dropped, np.float32(scale_of_kept(rate)))
    return torch.from_numpy(mask).view(tuple(shape))


def scale_of_kept(rate: float) -> float:
    """RETURNS (float): The number in `dropout_mask` where a value is kept; 0 where none is."""
    n_kept = LEVELS - round(rate * LEVELS)
    return LEVELS / n_kept if n_kept > 0 else 0.0
