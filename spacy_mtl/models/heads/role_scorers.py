"""The torch modules of the semantic role head."""

from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, gelu, pad, relu

from ...native import kernels_for
from ...native.pairs import score_pairs
from ..layers.dropout import dropout
from ..layers.linear import PackedLinear, apply_mlp
from ..layers.lstm import Sequences, bilstm, pack_sequences
from ..layers.pairs import score_pairs_autograd

NEIGHBOUR_WIDTH = 16  # of the vectors by which the tokens around a predicate tell its roleset


class PredicateDetector(nn.Module):
    """Scores each token for being a predicate.

    width (int): Width of the token vectors.
    hidden_width (int): Width of the hidden layer.
    """

    def __init__(self, width: int, hidden_width: int) -> None:
        super().__init__()
        self.hidden = PackedLinear(width, hidden_width)
        self.output = PackedLinear(hidden_width, 1)

    def forward(self, tokens: Tensor, dropout_rate: float) -> Tensor:
        """Score tokens.

        tokens (Tensor): [tokens, width].
        dropout_rate (float): Share of hidden units left out in training.
        RETURNS (Tensor): [tokens, 1].
        """
        return apply_mlp(
            self.hidden, self.output, tokens, dropout=dropout_rate, training=self.training
        )


class ArgumentScorer(nn.Module):
    """Scores argument tags and rolesets for given predicates; see `build_role_labeler`."""

    def __init__(
        self,
        width: int,
        n_roles: int,
        n_rolesets: int,
        argument_width: int,
        sense_width: int,
        max_distance: int,
        context_depth: int,
        sense_window: int = 0,
    ) -> None:
        super().__init__()
        self.max_distance = max_distance
        self.predicate = nn.Linear(width, argument_width)
        self.token = PackedLinear(width, argument_width, bias=False)
        self.distance = nn.Embedding(2 * max_distance + 1, argument_width)
        self.context = nn.ModuleList(RangeLSTM(argument_width) for _ in range(context_depth))
        self.tag = PackedLinear(argument_width, 1 + n_roles + 1)
        self.sense = nn.Linear(width, sense_width)
        self.neighbour: PackedLinear | None = None
        if sense_window:
            self.neighbour = PackedLinear(width, NEIGHBOUR_WIDTH, bias=False)
            n_values = 2 * sense_window * NEIGHBOUR_WIDTH
            self.neighbour_sense = nn.Linear(n_values, sense_width, bias=False)
        self.roleset = nn.Embedding(max(n_rolesets, 1), sense_width + 1)
        nn.init.normal_(self.distance.weight, std=0.1)
        nn.init.normal_(self.roleset.weight, std=0.02)

    def forward(
        self,
        tokens: Tensor,
        predicates: Tensor,
        starts: Tensor,
        lengths: Tensor,
        candidates: Tensor,
        candidate_predicates: Tensor,
        neighbours: Tensor,
        dropout_rate: float,
    ) -> tuple[Tensor, Tensor]:
        """Score pairs and candidates.

        tokens (Tensor): [tokens, width].
        predicates (Tensor): [predicates], rows of `tokens`.
        starts (Tensor): [predicates], the first token to score with each, a row of `tokens`.
        lengths (Tensor): [predicates], the number of tokens to score with each.
        candidates (Tensor): [candidates], rolesets.
        candidate_predicates (Tensor): [candidates], which predicate.
        neighbours (Tensor): [predicates, 2 * sense_window], rows of `tokens`, or -1 where there is
            none; see `neighbours_of`.
        dropout_rate (float): Share of hidden units left out in training.
        RETURNS (Tuple[Tensor, Tensor]): Tag scores [pairs, 1 + roles + 1] and roleset scores
            [candidates, 1].
        """
        of_predicate = tokens[predicates]  # [predicates, width]
        tags = self._score_tags(tokens, of_predicate, predicates, starts, lengths, dropout_rate)
        if not len(candidates) and not torch.is_grad_enabled():
            return tags, tokens.new_zeros((0, 1))
        sense = self.sense(of_predicate)  # [predicates, sense_width]
        if self.neighbour is not None:
            table = pad(self.neighbour(tokens), (0, 0, 1, 0))  # [none + tokens, NEIGHBOUR_WIDTH]
            sense = sense + self.neighbour_sense(embedding(neighbours + 1, table).flatten(1))
        sense = dropout(gelu(sense), dropout_rate, self.training)
        sense = sense[candidate_predicates]  # [candidates, sense_width]
        roleset = self.roleset(candidates)
        senses = (sense * roleset[:, :-1]).sum(1, keepdim=True) + roleset[:, -1:]
        return tags, senses

    def _score_tags(
        self,
        tokens: Tensor,
        of_predicate: Tensor,
        predicates: Tensor,
        starts: Tensor,
        lengths: Tensor,
        dropout_rate: float,
    ) -> Tensor:
        """RETURNS (Tensor): [pairs, 1 + roles + 1], in prediction maybe more; see `forward`."""
        if not lengths.any():
            return tokens.new_zeros((0, self.tag.out_features))
        parts = (self.distance.weight, self.token(tokens), self.predicate(of_predicate))
        kernels = None if self.context else kernels_for(tokens, self.tag.weight)
        if kernels is not None:
            packed = self.tag.pack(kernels)
            return score_pairs(
                kernels, packed, parts, predicates, starts, lengths, self.max_distance
            )
        pair_predicates, pair_tokens = pairs_of(starts, lengths)
        order = _order_pairs(lengths) if self.context else None
        if order is not None:
            pair_predicates = pair_predicates[order.pair_of_step]
            pair_tokens = pair_tokens[order.pair_of_step]
        distance = pair_tokens - predicates[pair_predicates] + self.max_distance
        pairs = torch.stack([distance, pair_tokens, pair_predicates], 1)  # [pairs, 3]
        if order is None and pairs.device.type == "cpu":
            rate = dropout_rate if self.training else 0.0
            return score_pairs_autograd(pairs, parts, self.tag.weight, self.tag.bias, rate)
        summed = sum(embedding(pairs[:, number], part) for number, part in enumerate(parts))
        hidden = dropout(relu(cast(Tensor, summed)), dropout_rate, self.training)
        if order is not None:
            for layer in self.context:
                read = layer(hidden, order.batch_sizes)
                hidden = hidden + dropout(read, dropout_rate, self.training)
            hidden = embedding(order.step_of_pair, hidden)
        return cast(Tensor, self.tag(hidden))


class PairOrder(NamedTuple):
    """The pairs of each predicate as sequences, ordered as in torch's `PackedSequence`.

    pair_of_step (Tensor): [pairs], the pair at each place of that order.
    batch_sizes (Tensor): [steps of the longest range], the number of ranges that have such a step.
    step_of_pair (Tensor): [pairs], the place of each pair.
    """

    pair_of_step: Tensor
    batch_sizes: Tensor
    step_of_pair: Tensor


def _order_pairs(lengths: Tensor) -> PairOrder:
    """lengths (Tensor): [predicates], the number of pairs of each."""
    sizes = lengths.cpu().numpy()
    ranges = Sequences(sizes.cumsum() - sizes, sizes, np.zeros_like(sizes), sizes)
    pair_of_step, batch_sizes, step_of_pair = map(torch.from_numpy, pack_sequences(ranges))
    device = lengths.device
    return PairOrder(pair_of_step.to(device), batch_sizes, step_of_pair.to(device))


class RangeLSTM(nn.Module):
    """An LSTM in both directions over the tokens of each predicate's range.

    width (int): Width of input and output; even.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, width // 2, bidirectional=True)
        self.norm = nn.LayerNorm(width)

    def forward(self, pairs: Tensor, batch_sizes: Tensor) -> Tensor:
        """Read the ranges.

        pairs (Tensor): [pairs, width], in the order of `PairOrder`.
        batch_sizes (Tensor): [steps], the number of ranges that have such a step.
        RETURNS (Tensor): [pairs, width], in the same order.
        """
        return cast(Tensor, self.norm(bilstm(self.lstm, pairs, batch_sizes)))


def pairs_of(starts: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """List all pairs of a predicate and a token of its range.

    starts (Tensor): [predicates], first token.
    lengths (Tensor): [predicates], number of tokens.
    RETURNS (Tuple[Tensor, Tensor]): [pairs], predicate and token of each pair.
    """
    n_pairs = int(lengths.sum())
    number = torch.arange(len(lengths), device=lengths.device)
    predicate = number.repeat_interleave(lengths, output_size=n_pairs)
    first_pair = lengths.cumsum(0) - lengths
    token = torch.arange(n_pairs, device=lengths.device) + (starts - first_pair)[predicate]
    return predicate, token
