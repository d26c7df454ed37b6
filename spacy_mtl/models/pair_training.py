"""Tag scores of pairs in training on CPU: one recorded operation with a backward pass of its own,
a block of pairs at a time, so that what is computed for a block stays in the processor's cache."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

TRAINING_BLOCK_PAIRS = 2048


def tag_pairs(
    pairs: Tensor, parts: Sequence[Tensor], weight: Tensor, bias: Tensor, mask: Tensor | None
) -> Tensor:
    """Score the tags of pairs: a sum of rows, one nonlinearity, a linear layer.

    pairs (Tensor): [pairs, parts], a row of each part.
    parts (Sequence[Tensor]): Matrices [rows, width].
    weight (Tensor): [tags, width].
    bias (Tensor): [tags].
    mask (Optional[Tensor]): [pairs, width], what is multiplied with the hidden units; None for no
        dropout.
    RETURNS (Tensor): [pairs, tags].
    """
    sizes = [len(part) for part in parts]
    starts = torch.tensor([0, *sizes[:-1]]).cumsum(0)
    scores: Tensor = _TaggedPairs.apply(pairs + starts, torch.cat(list(parts)), weight, bias, mask)
    return scores


class _TaggedPairs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, table: Tensor, weight: Tensor, bias: Tensor, mask: Tensor | None
    ) -> Tensor:
        sums = table.new_empty(len(rows), table.shape[1])
        hidden = torch.empty_like(sums)
        scores = table.new_empty(len(rows), len(weight))
        for block in _blocks(len(rows)):
            sums[block] = embedding_bag(rows[block], table, mode="sum")
            torch.ops.aten.gelu.out(sums[block], out=hidden[block])
            if mask is not None:
                hidden[block].mul_(mask[block])
            torch.addmm(bias, hidden[block], weight.t(), out=scores[block])
        ctx.save_for_backward(rows, table, weight, sums, hidden, mask)
        return scores

    @staticmethod
    def backward(ctx: Any, d_scores: Tensor) -> tuple[Tensor | None, ...]:
        rows, table, weight, sums, hidden, mask = ctx.saved_tensors
        d_table, d_weight = torch.zeros_like(table), torch.zeros_like(weight)
        for block in _blocks(len(rows)):
            d_weight.addmm_(d_scores[block].t(), hidden[block])
            d_hidden = torch.mm(d_scores[block], weight)
            if mask is not None:
                d_hidden.mul_(mask[block])
            d_sums = torch.ops.aten.gelu_backward(d_hidden, sums[block])
            for column in rows[block].unbind(1):
                d_table.index_add_(0, column, d_sums)
        return None, d_table, d_weight, d_scores.sum(0), None


def _blocks(n_pairs: int) -> list[slice]:
    starts = range(0, n_pairs, TRAINING_BLOCK_PAIRS)
    return [slice(start, start + TRAINING_BLOCK_PAIRS) for start in starts]
