"""Convolutions over three rows with fewer products: Winograd's minimal filtering F(2, 3).

For two neighbouring rows at once a convolution with filters of length 3 takes four products of a
row with a matrix instead of six, with the same result up to rounding (Lavin and Gray, 2016, "Fast
Algorithms for Convolutional Neural Networks", https://arxiv.org/abs/1509.09308). With rows a, b, c,
d and weights u, v, w for the row before, the row itself and the row after:

    a u + b v + c w = (b + c) p + (c - b) q + (c - a) (-u)
    b u + c v + d w = (b + c) p - (c - b) q + (d - b) w
    where p = (u + v + w) / 2 and q = (u - v + w) / 2

The backward pass, too, takes four products instead of six for the gradient of the weights, and as
many for that of the rows. The kernels compute these products; here are the transforms of weights.
"""

import torch
from torch import Tensor


def transform_filters(weight: Tensor) -> Tensor:
    """Transform weights for Winograd's products.

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


def join_weight_gradients(
    of_common: Tensor, of_opposed: Tensor, of_before: Tensor, of_after: Tensor
) -> Tensor:
    """Transform the gradients of the four products back to that of the weights.

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
