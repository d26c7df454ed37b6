"""The network of the semantic role head as a thinc model."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import torch
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import ArgsKwargs, Model, torch2xp, xp2torch
from thinc.types import Floats2d
from torch import Tensor

from ..layers.flat import with_flat_tokens
from ..layers.torch_layer import torch_layer
from .pair_query import PairQuery, PairScores, neighbours_of
from .role_scorers import ArgumentScorer, PredicateDetector


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
        [tokens, 1]. Refs: "tok2vec", "tokens" (the flat vectors), "detector" and "argument_scorer".
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
    argument_scorer = torch_layer(
        partial(
            ArgumentScorer,
            argument_width=argument_width,
            sense_width=sense_width,
            max_distance=max_distance,
            context_depth=context_depth,
            sense_window=sense_window,
        ),
        partial(_argument_inputs, sense_window=sense_window),
        _argument_outputs,
    )
    for layer in (detector, argument_scorer):
        layer.attrs["dropout_rate"] = 0.0
    return Model(
        "role_labeler",
        _detect,
        init=_init,
        layers=[tokens, detector, argument_scorer],
        dims={"nO": None, "nI": width},
        attrs={"max_distance": max_distance},
        refs={
            "tok2vec": tok2vec,
            "tokens": tokens,
            "detector": detector,
            "argument_scorer": argument_scorer,
        },
    )


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


def _argument_inputs(
    model: Model, inputs: tuple[Floats2d, PairQuery], is_train: bool, sense_window: int
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


def _argument_outputs(
    model: Model, inputs_output: tuple[Any, Sequence[Tensor]], is_train: bool
) -> tuple[PairScores, Callable[[PairScores], ArgsKwargs]]:
    _, outputs = inputs_output

    def to_torch(d_scores: PairScores) -> ArgsKwargs:
        gradients = [
            xp2torch(gradient, device=output.device)
            for gradient, output in zip((d_scores.tags, d_scores.senses), outputs, strict=True)
        ]
        return ArgsKwargs((tuple(outputs),), {"grad_tensors": tuple(gradients)})

    tags, senses = (cast(Floats2d, torch2xp(output)) for output in outputs)
    return PairScores(tags, senses), to_torch
