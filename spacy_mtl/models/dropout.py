"""Dropout that does not dominate training on CPU."""

import numpy as np
import torch
from torch import Tensor

LEVELS = 256


def dropout(values: Tensor, rate: float, training: bool) -> Tensor:
    """Leave out a share of values and scale the others so that the mean stays.

    On CPU the mask is drawn as one random byte a value from numpy's global generator (which
    `fix_random_seed` seeds), about ten times quicker than `torch.nn.functional.dropout`; the rate
    is rounded to a 256th.

    values (Tensor): Any shape.
    rate (float): The share left out, from 0 to 1.
    training (bool): Where False, the values come back as they are.
    RETURNS (Tensor): The same shape.
    """
    if not training or rate <= 0.0:
        return values
    if values.device.type != "cpu":
        return torch.nn.functional.dropout(values, rate)
    n_dropped = round(rate * LEVELS)
    if n_dropped >= LEVELS:
        return values * 0.0
    drawn = np.frombuffer(np.random.bytes(values.numel()), dtype=np.uint8)
    scale = np.float32(LEVELS / (LEVELS - n_dropped))
    mask = torch.from_numpy(np.multiply(drawn >= n_dropped, scale))  # float32
    return values * mask.view(values.shape)
