"""The Gram matrix of the tasks' gradients at a layer that they share."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from thinc.types import Floats2d
from thinc.util import xp2torch


def hub_gram(
    outputs: Floats2d, gradients: Sequence[Floats2d], blocks: Sequence[slice] | None = None
) -> NDArray[np.float64]:
    """Compare gradients as a shared linear layer on the trunk's output would receive them.

    Task k's gradient at that layer, the *hub*, is `outputs.T @ gradients[k]`. Tasks whose
    annotations never meet in a document have gradients on different tokens: token by token they
    are orthogonal whatever they ask for. At the hub they meet, as they do in the trunk's own
    parameters, for one matrix product a task instead of one backward pass a task.

    Where heads read several layers or experts of the trunk, there is one such linear layer on each
    of these, and the inner products add up: what others read does not change how two heads compare
    that read the same layer. Heads without a layer in common are orthogonal.

    outputs (Floats2d): The trunk's output, [tokens, width].
    gradients (Sequence[Floats2d]): One gradient at that output per task, [tokens, width] each.
    blocks (Optional[Sequence[slice]]): The columns of each layer or expert; where None, all columns
        are one.
    RETURNS (NDArray[float64]): Inner products, [tasks, tasks].
    """
    if blocks is None:
        return _gram_of_block(outputs, gradients)
    gram = np.zeros((len(gradients), len(gradients)))
    for block in blocks:
        rows = [i for i, gradient in enumerate(gradients) if gradient[:, block].any()]
        if rows:
            parts = [gradients[i][:, block] for i in rows]
            gram[np.ix_(rows, rows)] += _gram_of_block(outputs[:, block], parts)
    return gram


def _gram_of_block(outputs: Floats2d, gradients: Sequence[Floats2d]) -> NDArray[np.float64]:
    with torch.no_grad():
        stacked = torch.cat([xp2torch(gradient) for gradient in gradients], dim=1)
        hub = xp2torch(outputs).T @ stacked  # [width, tasks * width]
        width = hub.shape[0]
        rows = hub.view(width, len(gradients), width).transpose(0, 1).reshape(len(gradients), -1)
        return (rows @ rows.T).double().cpu().numpy()
