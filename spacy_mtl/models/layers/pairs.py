"""Tag scores of pairs on CPU: one recorded operation with a backward pass of its own, a block of
pairs at a time, so that what is computed for a block stays in the processor's cache."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from .dropout import dropout_mask, scale_of_kept

BLOCK_PAIRS = 2048


def score_pairs_autograd(
    pairs: Tensor, parts: Sequence[Tensor], weight: Tensor, bias: Tensor, dropout: float
) -> Tensor:
    """Score the tags of pairs: a sum of rows, a rectifier, a linear layer.

    pairs (Tensor): [pairs, parts], a row of each part.
    parts (Sequence[Tensor]): Matrices [rows, width].
    weight (Tensor): [tags, width].
    bias (Tensor): [tags].
    dropout (float): Share of hidden units left out, see `dropout_mask`.
    RETURNS (Tensor): [pairs, tags].
    """
    sizes = [len(part) for part in parts]
    starts = torch.tensor([0, *sizes[:-1]]).cumsum(0)
    table = torch.cat(list(parts))
    scores: Tensor = _TaggedPairs.apply(pairs + starts, table, weight, bias, dropout)
    return scores


class _TaggedPairs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, table: Tensor, weight: Tensor, bias: Tensor, dropout: float
    ) -> Tensor:
        hidden = table.new_empty(len(rows), table.shape[1])
        scores = table.new_empty(len(rows), len(weight))
        for block in _blocks(len(rows)):
            sums = embedding_bag(rows[block], table, mode="sum")
            torch.clamp(sums, min=0.0, out=hidden[block])
            if dropout:
                hidden[block].mul_(dropout_mask(sums.shape, dropout))
            torch.addmm(bias, hidden[block], weight.t(), out=scores[block])
        ctx.save_for_backward(rows, table, weight, hidden)
        ctx.scale = scale_of_kept(dropout)
        return scores

    @staticmethod
    def backward(ctx: Any, d_scores: Tensor) -> tuple[Tensor | None, ...]:
        rows, table, weight, hidden = ctx.saved_tensors
        d_table, d_weight = torch.zeros_like(table), torch.zeros_like(weight)
        for block in _blocks(len(rows)):
            d_weight.addmm_(d_scores[block].t(), hidden[block])
            d_hidden = torch.mm(d_scores[block], weight)
            # units that are not above zero had no influence, or were left out
            d_sums = torch.ops.aten.threshold_backward(d_hidden, hidden[block], 0.0)
            if ctx.scale != 1.0:
                d_sums.mul_(ctx.scale)
            for column in rows[block].unbind(1):
                d_table.index_add_(0, column, d_sums)
        return None, d_table, d_weight, d_scores.sum(0), None


def _blocks(n_pairs: int) -> list[slice]:
    starts = range(0, n_pairs, BLOCK_PAIRS)
    return [slice(start, start + BLOCK_PAIRS) for start in starts]
