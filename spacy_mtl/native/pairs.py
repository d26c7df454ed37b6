"""Scores for pairs of a predicate and a token in prediction."""

from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from .linear import PackedLayer
from .threads import parallel_for


def score_pairs(
    kernels: ModuleType,
    layer: PackedLayer,
    parts: tuple[Tensor, Tensor, Tensor],
    predicates: Tensor,
    starts: Tensor,
    lengths: Tensor,
    max_distance: int,
) -> Tensor:
    """Apply a linear layer to pairs: to the rectified sum of three vectors.

    kernels (ModuleType): The kernels.
    layer (PackedLayer): What `pack_layer` made of the layer.
    parts (Tuple[Tensor, Tensor, Tensor]): The vectors of distances [2 * max_distance + 1, width],
        tokens [tokens, width] and predicates [predicates, width].
    predicates (Tensor): [predicates], the token of each.
    starts (Tensor): [predicates], the first token of each predicate's range.
    lengths (Tensor): [predicates], the number of its tokens.
    max_distance (int): The longest distance there is a vector for.
    RETURNS (Tensor): [pairs, columns], predicate by predicate; at least as many columns as the
        layer has.
    """
    weight, bias = layer
    first_pair = np.concatenate([np.zeros(1, dtype=np.int64), lengths.numpy().cumsum()])
    scores = torch.empty((int(first_pair[-1]), len(bias)))
    arrays = [values.detach().contiguous().numpy() for values in parts]
    at, first_token, outputs = predicates.numpy(), starts.numpy(), scores.numpy()

    def work(next_chunk: np.ndarray) -> None:
        kernels.score_pairs(
            *arrays, weight, bias, max_distance, at, first_token, first_pair, outputs, next_chunk
        )

    parallel_for(work, -(-len(at) // kernels.PREDICATES))
    return scores
