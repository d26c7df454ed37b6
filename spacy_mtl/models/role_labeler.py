"""The network of the semantic role head."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import ArgsKwargs, Model, torch2xp, xp2torch
from thinc.types import Floats2d
from torch import Tensor, nn
from torch.nn.functional import embedding, gelu, pad, relu

from ..native import kernels_for
from ..native.pairs import score_pairs
from .dropout import dropout
from .flat import with_flat_tokens
from .linear import PackedLinear, apply_mlp
from .lstm import Sequences, bilstm, pack_sequences
from .pair_training import tag_pairs
from .torch_layer import torch_layer

NEIGHBOUR_WIDTH = 16  # of the vectors by which the tokens around a predicate tell its roleset


@dataclass(frozen=True)
class FrameQuery:
    """What to score for the predicates of a batch. The arrays are numpy's, whatever the device.

    predicates (np.ndarray): [predicates], the token of each, counted over the whole batch.
    starts (np.ndarray): [predicates], the first token that can be part of an argument.
    ends (np.ndarray): [predicates], the last such token, exclusive.
    candidates (np.ndarray): [candidates], rolesets to choose among.
    candidate_predicates (np.ndarray): [candidates], the predicate (0 to n) of each.
    is_bare (Optional[np.ndarray]): [predicates], bool: predicates that have no arguments to score;
        None where all may have some.
    """

    predicates: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    candidates: np.ndarray
    candidate_predicates: np.ndarray
    is_bare: np.ndarray | None = None

    @property
    def n_pairs(self) -> np.ndarray:
        """RETURNS (np.ndarray): [predicates], the number of tokens to score with each."""
        lengths = self.ends - self.starts
        return lengths if self.is_bare is None else np.where(self.is_bare, 0, lengths)

    def for_rolesets(self) -> "FrameQuery":
        """RETURNS (FrameQuery): What to score for the predicates' rolesets alone."""
        return replace(self, is_bare=np.ones(len(self.predicates), dtype=bool))

    def for_arguments(self, chosen: np.ndarray) -> "FrameQuery":
        """Leave the rolesets out, and some predicates.

        chosen (np.ndarray): The predicates that are left.
        RETURNS (FrameQuery): What to score for their arguments.
        """
        none = np.zeros(0, dtype=np.int64)
        return FrameQuery(
            self.predicates[chosen], self.starts[chosen], self.ends[chosen], none, none
        )


@dataclass(frozen=True)
class FrameScores:
    """The scores for a query.

    tags (Floats2d): [pairs, 1 + roles + 1], for each pair of a predicate and a token of its range,
        predicate by predicate: scores of O and of each role, and then of whether an argument
        begins here, if it is one. See `FactoredScores`. In prediction there can be more columns,
        which mean nothing.
    senses (Floats2d): [candidates, 1].
    """

    tags: Floats2d
    senses: Floats2d


@registry.architectures("spacy_mtl.RoleLabeler.v1")
def build_role_labeler(
    *,
    tok2vec: Model[list[Doc], list[Floats2d]],
    hidden_width: int = 128,
    argument_width: int = 128,
    sense_width: int = 64,
    max_distance: int = 64,
    context_depth: int = 0,
    sense_window: int = 0,
) -> Model[list[Doc], Floats2d]:
    """Build a network that finds predicates, their rolesets and their arguments.

    A token is a predicate by a hidden layer and a sigmoid. A token's role, and whether it begins an
    argument, are scored from the predicate's vector, the token's vector and the signed distance
    between them, each projected to `argument_width`, added, and passed through a rectifier. With
    `context_depth` these pairs are then read in sentence order, once for each predicate, by LSTMs
    in both directions, as the models of Zhou and Xu (2015) and He et al. (2017) do with all their
    layers. A roleset is scored by the product of its own vector with a hidden layer that reads the
    predicate's vector and, with `sense_window`, those of the tokens next to it, each by weights for
    its place: the particle of "gave it up" is there, and the noun that makes "take" a light verb.

    tok2vec (Model[List[Doc], List[Floats2d]]): The token-to-vector network or listener.
    hidden_width (int): Width of the hidden layer for predicates.
    argument_width (int): Width of the vectors of (predicate, token) pairs; even if there is an
        LSTM. The time of the head grows with its square.
    sense_width (int): Width of roleset vectors.
    max_distance (int): An argument token is at most so many tokens from its predicate.
    context_depth (int): Number of LSTM layers over the pairs of a predicate; 0 scores each pair on
        its own.
    sense_window (int): How many tokens on each side of a predicate, within its sentence and
        `max_distance`, tell its roleset beside its own vector.
    RETURNS (Model[List[Doc], Floats2d]): Gives a score for each token to be a predicate
        [tokens, 1]. Refs: "tok2vec", "tokens" (the flat vectors), "detector" and "framer".
    """
    if max_distance < 1:
        raise ValueError(
            f"[components.srl.model] max_distance is {max_distance}; it must be at least 1."
        )
    if sense_window < 0:
        raise ValueError(
            f"[components.srl.model] sense_window is {sense_window}; it must be 0 (the predicate's "
            "own vector only) or more."
        )
    if context_depth and argument_width % 2:
        raise ValueError(
            f"[components.srl.model] argument_width is {argument_width}; each direction of the "
            "LSTM takes half of it, choose an even number."
        )
    width = tok2vec.get_dim("nO") if tok2vec.has_dim("nO") else None
    tokens = with_flat_tokens(tok2vec)
    detector = torch_layer(
        partial(PredicateDetector, hidden_width=hidden_width),
        _detector_inputs,
        _single_output,
    )
    framer = torch_layer(
        partial(
            FrameScorer,
            argument_width=argument_width,
            sense_width=sense_width,
            max_distance=max_distance,
            context_depth=context_depth,
            sense_window=sense_window,
        ),
        partial(_framer_inputs, sense_window=sense_window),
        _framer_outputs,
    )
    for layer in (detector, framer):
        layer.attrs["dropout_rate"] = 0.0
    return Model(
        "role_labeler",
        _detect,
        init=_init,
        layers=[tokens, detector, framer],
        dims={"nO": None, "nI": width},
        attrs={"max_distance": max_distance},
        refs={"tok2vec": tok2vec, "tokens": tokens, "detector": detector, "framer": framer},
    )


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


class FrameScorer(nn.Module):
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
            return tag_pairs(pairs, parts, self.tag.weight, self.tag.bias, rate)
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


def neighbours_of(query: FrameQuery, window: int) -> np.ndarray:
    """List the tokens next to each predicate.

    query (FrameQuery): The predicates and their ranges.
    window (int): How many on each side.
    RETURNS (np.ndarray): [predicates, 2 * window], in text order without the predicate; -1 for
        those out of its range.
    """
    shifts = np.delete(np.arange(-window, window + 1), window)
    tokens = query.predicates[:, None] + shifts
    inside = (tokens >= query.starts[:, None]) & (tokens < query.ends[:, None])
    return np.where(inside, tokens, -1)


def _detect(
    model: Model, docs: list[Doc], is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], Any]]:
    tokens, backprop_tokens = model.get_ref("tokens")(docs, is_train)
    scores, backprop_scores = model.get_ref("detector")(tokens, is_train)

    def backprop(d_scores: Floats2d) -> Any:
        return backprop_tokens(backprop_scores(d_scores))

    return scores, backprop


def _init(model: Model, X: list[Doc] | None = None, Y: Any = None) -> None:
    model.get_ref("tokens").initialize(X=X)


def _detector_inputs(
    model: Model, tokens: Floats2d, is_train: bool
) -> tuple[ArgsKwargs, Callable[[ArgsKwargs], Floats2d]]:
    tensor = xp2torch(tokens, requires_grad=is_train, device=model.shims[0].device)  # type: ignore[attr-defined]

    def d_tokens(d_inputs: ArgsKwargs) -> Floats2d:
        return cast(Floats2d, torch2xp(d_inputs.args[0]))

    return ArgsKwargs((tensor, model.attrs["dropout_rate"]), {}), d_tokens


def _framer_inputs(
    model: Model, inputs: tuple[Floats2d, FrameQuery], is_train: bool, sense_window: int
) -> tuple[ArgsKwargs, Callable[[ArgsKwargs], Floats2d]]:
    tokens, query = inputs
    device = model.shims[0].device  # type: ignore[attr-defined]
    tensor = xp2torch(tokens, requires_grad=is_train, device=device)
    indices = (
        query.predicates,
        query.starts,
        query.n_pairs,
        query.candidates,
        query.candidate_predicates,
        neighbours_of(query, sense_window),
    )
    as_long = [torch.as_tensor(index, dtype=torch.long, device=device) for index in indices]

    def d_tokens(d_inputs: ArgsKwargs) -> Floats2d:
        return cast(Floats2d, torch2xp(d_inputs.args[0]))

    return ArgsKwargs((tensor, *as_long, model.attrs["dropout_rate"]), {}), d_tokens


def _single_output(
    model: Model, inputs_output: tuple[Any, Tensor], is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], ArgsKwargs]]:
    _, output = inputs_output

    def to_torch(d_output: Floats2d) -> ArgsKwargs:
        gradient = xp2torch(d_output, device=output.device)
        return ArgsKwargs(((output,),), {"grad_tensors": (gradient,)})

    return cast(Floats2d, torch2xp(output)), to_torch


def _framer_outputs(
    model: Model, inputs_output: tuple[Any, Sequence[Tensor]], is_train: bool
) -> tuple[FrameScores, Callable[[FrameScores], ArgsKwargs]]:
    _, outputs = inputs_output

    def to_torch(d_scores: FrameScores) -> ArgsKwargs:
        gradients = [
            xp2torch(gradient, device=output.device)
            for gradient, output in zip((d_scores.tags, d_scores.senses), outputs, strict=True)
        ]
        return ArgsKwargs((tuple(outputs),), {"grad_tensors": tuple(gradients)})

    tags, senses = (cast(Floats2d, torch2xp(output)) for output in outputs)
    return FrameScores(tags, senses), to_torch
