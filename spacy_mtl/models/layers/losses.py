"""Losses that several heads use."""

import numpy as np
import torch
from thinc.types import Floats2d


def softmax_cross_entropy(scores: Floats2d, targets: np.ndarray) -> tuple[float, Floats2d]:
    """Find the summed cross-entropy of a softmax and its gradient.

    scores (Floats2d): [rows, classes], unnormalised.
    targets (np.ndarray): [rows], the right class; -1 where it is not known: no loss, no gradient.
    RETURNS (Tuple[float, Floats2d]): The sum of the losses, and the gradient [rows, classes].
    """
    logits = torch.as_tensor(scores)
    wanted = torch.as_tensor(targets, dtype=torch.long, device=logits.device)
    unknown = torch.nonzero(wanted < 0)[:, 0]
    column = wanted.clamp(min=0)[:, None]
    log_probabilities = torch.log_softmax(logits, dim=1)
    right = log_probabilities.gather(1, column)
    right[unknown] = 0.0
    loss = -right.sum()
    gradient = log_probabilities.exp_()
    gradient.scatter_add_(1, column, gradient.new_full(column.shape, -1.0))
    gradient[unknown] = 0.0
    return float(loss), _like(scores, gradient)


def binary_cross_entropy(scores: Floats2d, targets: Floats2d) -> tuple[float, Floats2d]:
    """Find the summed cross-entropy of independent sigmoids and its gradient.

    scores (Floats2d): [rows, classes], unnormalised.
    targets (Floats2d): [rows, classes], 0.0 or 1.0; NaN where not known: no loss, no gradient.
    RETURNS (Tuple[float, Floats2d]): The sum of the losses, and the gradient [rows, classes].
    """
    logits = torch.as_tensor(scores)
    wanted = torch.as_tensor(targets, device=logits.device)
    known = ~torch.isnan(wanted)
    wanted = torch.where(known, wanted, 0.0)
    losses = torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    gradient = (torch.sigmoid(logits) - wanted) * known
    return float((losses * known).sum()), _like(scores, gradient)


def segment_cross_entropy(
    scores: Floats2d, segments: np.ndarray, n_segments: int, targets: np.ndarray
) -> tuple[float, Floats2d]:
    """Find the summed cross-entropy of one softmax per segment, and its gradient.

    scores (Floats2d): [rows, 1], unnormalised.
    segments (np.ndarray): [rows], the segment of each row.
    n_segments (int): The number of segments.
    targets (np.ndarray): [segments], the row that is right; -1 where it is not known.
    RETURNS (Tuple[float, Floats2d]): The sum of the losses, and the gradient [rows, 1].
    """
    logits = torch.as_tensor(scores)[:, 0]
    segment = torch.as_tensor(segments, dtype=torch.long, device=logits.device)
    wanted = torch.as_tensor(targets, dtype=torch.long, device=logits.device)
    known = wanted >= 0
    highest = torch.full((n_segments,), -torch.inf, dtype=logits.dtype, device=logits.device)
    shifted = logits - highest.scatter_reduce(0, segment, logits, "amax")[segment]
    totals = torch.zeros_like(highest).index_add(0, segment, shifted.exp())
    log_probabilities = shifted - totals.log()[segment]
    loss = -log_probabilities[wanted[known]].sum()
    gradient = log_probabilities.exp()
    gradient[wanted[known]] -= 1.0
    gradient *= known[segment]
    return float(loss), _like(scores, gradient[:, None])


def _like(scores: Floats2d, gradient: torch.Tensor) -> Floats2d:
    if isinstance(scores, np.ndarray):
        return gradient.numpy()
    import cupy

    return cupy.from_dlpack(gradient.contiguous())
