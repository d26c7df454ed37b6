"""Losses that several heads use."""

import numpy as np
import torch
from thinc.types import Floats2d, Ints1d


def softmax_cross_entropy(scores: Floats2d, targets: Ints1d) -> tuple[float, Floats2d]:
    """Find the summed cross-entropy of a softmax and its gradient.

    scores (Floats2d): [rows, classes], unnormalised.
    targets (Ints1d): [rows], the right class; -1 where it is not known: no loss, no gradient.
    RETURNS (Tuple[float, Floats2d]): The sum of the losses, and the gradient [rows, classes].
    """
    logits = torch.as_tensor(scores)
    wanted = torch.as_tensor(targets, dtype=torch.long, device=logits.device)
    known = wanted >= 0
    gradient = torch.softmax(logits, dim=1)
    rows = torch.arange(len(wanted), device=logits.device)
    picked = gradient[rows, wanted.clamp(min=0)]
    loss = -torch.log(picked[known].clamp(min=1e-12)).sum()
    gradient[rows, wanted.clamp(min=0)] -= 1.0
    gradient *= known[:, None]
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
    scores: Floats2d, segments: Ints1d, n_segments: int, targets: Ints1d
) -> tuple[float, Floats2d]:
    """Find the summed cross-entropy of one softmax per segment, and its gradient.

    scores (Floats2d): [rows, 1], unnormalised.
    segments (Ints1d): [rows], the segment of each row.
    n_segments (int): The number of segments.
    targets (Ints1d): [segments], the row that is right; -1 where it is not known.
    RETURNS (Tuple[float, Floats2d]): The sum of the losses, and the gradient [rows, 1].
    """
    logits = torch.as_tensor(scores)[:, 0]
    segment = torch.as_tensor(segments, dtype=torch.long, device=logits.device)
    wanted = torch.as_tensor(targets, dtype=torch.long, device=logits.device)
    known = wanted >= 0
    highest = torch.full((n_segments,), -torch.inf, device=logits.device)
    highest = highest.scatter_reduce(0, segment, logits, "amax")
    exponents = torch.exp(logits - highest[segment])
    totals = torch.zeros(n_segments, device=logits.device).index_add(0, segment, exponents)
    gradient = exponents / totals[segment]
    loss = -torch.log(gradient[wanted[known]].clamp(min=1e-12)).sum()
    gradient[wanted[known]] -= 1.0
    gradient *= known[segment]
    return float(loss), _like(scores, gradient[:, None])


def _like(scores: Floats2d, gradient: torch.Tensor) -> Floats2d:
    if isinstance(scores, np.ndarray):
        return gradient.numpy()  # type: ignore[return-value]
    import cupy

    return cupy.from_dlpack(gradient.contiguous())
