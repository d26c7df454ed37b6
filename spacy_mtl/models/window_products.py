"""Products of a layer's weights with windows of three rows, two neighbouring windows at a time.

Such products are a convolution with filters of length 3. For two neighbouring rows at once it takes
four products of a row with a matrix instead of six, with the same result up to rounding: Winograd's
minimal filtering F(2, 3), as in Lavin and Gray (2016), "Fast Algorithms for Convolutional Neural
Networks", https://arxiv.org/abs/1509.09308. With rows a, b, c, d and weights u, v, w for the row
before, the row itself and the row after:

    a u + b v + c w = (b + c) p + (c - b) q + (c - a) (-u)
    b u + c v + d w = (b + c) p - (c - b) q + (d - b) w
    where p = (u + v + w) / 2 and q = (u - v + w) / 2

Backward, it takes four products instead of six for the gradient of the weights, and as many for
that of the rows.
"""

import torch
from torch import Tensor

BLOCK_PAIRS = 512  # multiplied at once, so that they stay in the processor's cache


def pair_filters(weight: Tensor) -> Tensor:
    """Prepare weights.

    weight (Tensor): [hidden, 3 * width].
    RETURNS (Tensor): [4, hidden, width], the matrices p, q, -u and w.
    """
    before, own, after = weight.chunk(3, dim=1)
    filters = weight.new_empty(4, *own.shape)
    torch.add(before, after, out=filters[0]).mul_(0.5)
    torch.add(filters[0], own, alpha=-0.5, out=filters[1])
    filters[0].add_(own, alpha=0.5)
    torch.neg(before, out=filters[2])
    filters[3].copy_(after)
    return filters


def multiply_pairs(pairs: Tensor, filters: Tensor, bias: Tensor) -> Tensor:
    """Multiply windows of three rows with weights.

    pairs (Tensor): [pairs + 1, 2 * width], consecutive rows, two next to each other: a b, c d, ...
        The first and the last row are in windows, but have none of their own.
    filters (Tensor): What `pair_filters` made of the weights.
    bias (Tensor): [hidden], is added.
    RETURNS (Tensor): [2, pairs, hidden]: of b, d, ... and of c, e, ...
    """
    n_pairs = len(pairs) - 1
    hidden = pairs.new_empty((2, n_pairs, len(bias)))
    for start in range(0, n_pairs, BLOCK_PAIRS):
        block = slice(start, min(start + BLOCK_PAIRS, n_pairs))
        common, opposed, before, after = _terms(pairs[start : block.stop + 1])
        shared = torch.addmm(bias, common, filters[0].t())  # [pairs, hidden]
        difference = torch.mm(opposed, filters[1].t())
        torch.add(shared, difference, out=hidden[0, block]).addmm_(before, filters[2].t())
        torch.sub(shared, difference, out=hidden[1, block]).addmm_(after, filters[3].t())
    return hidden


def pass_pairs_back(d_hidden: Tensor, pairs: Tensor, filters: Tensor, d_pairs: Tensor) -> Tensor:
    """Find the gradients of `multiply_pairs`, but that of the bias.

    d_hidden (Tensor): [2, pairs, hidden], the gradient of its result.
    pairs (Tensor): [pairs + 1, 2 * width], as it got them.
    filters (Tensor): [4, hidden, width], as it got them.
    d_pairs (Tensor): [pairs + 1, 2 * width], the gradient of the rows is added to it.
    RETURNS (Tensor): [hidden, 3 * width], the gradient of the weights.
    """
    common, opposed, before, after = _terms(pairs)
    width = common.shape[1]
    first, second = d_hidden
    both, difference = first + second, first - second
    d_common = torch.mm(both, filters[0])  # [pairs, width]
    d_opposed = torch.mm(difference, filters[1])
    d_before = torch.mm(first, filters[2])
    d_after = torch.mm(second, filters[3])
    left, right = d_pairs[:-1], d_pairs[1:]
    left[:, :width].sub_(d_before)
    left[:, width:].add_(d_common - d_opposed).sub_(d_after)
    right[:, :width].add_(d_common.add_(d_opposed)).add_(d_before)
    right[:, width:].add_(d_after)
    return join_weight_gradients(
        torch.mm(both.t(), common),
        torch.mm(difference.t(), opposed),
        torch.mm(first.t(), before),
        torch.mm(second.t(), after),
    )


def join_weight_gradients(
    of_common: Tensor, of_opposed: Tensor, of_before: Tensor, of_after: Tensor
) -> Tensor:
    """Find the gradient of weights from those of the products with each term.

    of_common (Tensor): [hidden, width], of the products of both windows with b + c; changed.
    of_opposed (Tensor): [hidden, width], of the first less the second window's with c - b; changed.
    of_before (Tensor): [hidden, width], of the first window's with c - a.
    of_after (Tensor): [hidden, width], of the second window's with d - b.
    RETURNS (Tensor): [hidden, 3 * width].
    """
    of_common.mul_(0.5)
    of_opposed.mul_(0.5)
    d_own = of_common - of_opposed
    outer = of_common.add_(of_opposed)
    return torch.cat([outer - of_before, d_own, outer + of_after], 1)


def _terms(pairs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """RETURNS (Tuple[Tensor, ...]): [pairs, width] each: b + c, c - b, c - a and d - b."""
    width = pairs.shape[1] // 2
    left, right = pairs[:-1], pairs[1:]
    b, c = left[:, width:], right[:, :width]
    steps = right - left
    return b + c, c - b, steps[:, :width], steps[:, width:]
