"""The Gram matrix of the tasks' gradients at a layer that they share."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from thinc.types import Floats2d
from thinc.util import xp2torch


def hub_gram(outputs: Floats2d, gradients: Sequence[Floats2d]) -> NDArray[np.float64]:
    """Compare gradients as a shared linear layer on the trunk's output would receive them.

    Task k's gradient at that layer, the *hub*, is `outputs.T @ gradients[k]`. Tasks whose
    annotations never meet in a document have gradients on different tokens: token by token they
    are orthogonal whatever they ask for. At the hub they meet, as they do in the trunk's own
    parameters, for one matrix product a task instead of one backward pass a task.

    outputs (Floats2d): The trunk's output, [tokens, width].
    gradients (Sequence[Floats2d]): One gradient at that output per task, [tokens, width] each.
    RETURNS (NDArray[float64]): Inner products, [tasks, tasks].
    """
    with torch.no_grad():
        stacked = torch.cat([xp2torch(gradient) for gradient in gradients], dim=1)
        hub = xp2torch(outputs).T @ stacked  # [width, tasks * width]
        width = hub.shape[0]
        rows = hub.view(width, len(gradients), width).transpose(0, 1).reshape(len(gradients), -1)
        return (rows @ rows.T).double().cpu().numpy()
