"""A token encoder with several small expert networks on top."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d
from torch import Tensor, nn

from ..layers.dropout import dropout as drop_out
from ..layers.features import join_rows, split_rows
from ..layers.flat import output_width
from ..layers.maxout import NormalizedMaxout
from ..layers.torch_layer import build_module, torch_layer
from .channels import (
    OUTPUT_SPEC,
    READ_CHANNELS,
    REPLACE_LISTENER,
    Channel,
    OutputSpec,
    find_output_spec,
    keep_channel_listener,
    with_channels,
)


@registry.architectures("spacy_mtl.MixtureOfExperts.v1")
def build_mixture_of_experts(
    *,
    encoder: Model[list[Doc], list[Floats2d]],
    width: int,
    n_experts: int = 4,
    maxout_pieces: int = 3,
) -> Model[list[Doc], list[Floats2d]]:
    """Build a trunk of an encoder and several expert networks that read it.

    Heads with a `spacy_mtl.GatedListener.v1` weigh the experts by a gate of their own (Ma et al.
    2018, https://doi.org/10.1145/3219819.3220007). All other heads, and `Doc.tensor`, get the plain
    mean of the experts. `spacy_mtl.LayerListener.v1` and `spacy_mtl.ScalarMixListener.v1` read the
    layers of the encoder.

    encoder (Model[List[Doc], List[Floats2d]]): Any token-to-vector network.
    width (int): Width of each expert's output.
    n_experts (int): Number of experts.
    maxout_pieces (int): Number of pieces of the experts' maxout.
    RETURNS (Model[List[Doc], List[Floats2d]]): The network.
    RAISES (ValueError): If the number of experts or the width is not positive.
    """
    if n_experts < 1 or width < 1:
        raise ValueError(
            f"spacy_mtl.MixtureOfExperts.v1: n_experts is {n_experts} and width {width}; set 1 or "
            "more."
        )
    build = partial(Experts, width=width, n_experts=n_experts, pieces=maxout_pieces)
    exposure = find_output_spec(encoder)
    if exposure is not None and exposure.n_experts:
        raise ValueError(
            "spacy_mtl.MixtureOfExperts.v1: its 'encoder' is such a mixture itself; set n_experts "
            "of one, with any other encoder."
        )
    return Model(
        "mixture_of_experts",
        _forward,
        init=_init,
        layers=[encoder, torch_layer(build, dims={"nI": None, "nO": width})],
        dims={"nO": width},
        attrs={
            "dropout_rate": 0.0,
            OUTPUT_SPEC: partial(_exposure, n_experts=n_experts),
            READ_CHANNELS: _read_channels,
            REPLACE_LISTENER: keep_channel_listener,
        },
    )


class Experts(nn.Module):
    """Normalized maxout layers side by side, all on the same input.

    n_in (int): Width of the input.
    width (int): Width of each expert's output.
    n_experts (int): Number of experts.
    pieces (int): Number of pieces of the maxout.
    """

    def __init__(self, n_in: int, width: int, n_experts: int, pieces: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(NormalizedMaxout(n_in, width, pieces) for _ in range(n_experts))

    def forward(self, encoding: Tensor, dropout: float, mean_only: bool) -> Tensor:
        """Apply all experts.

        encoding (Tensor): [tokens, n_in].
        dropout (float): In training, the share of each expert's outputs that is dropped.
        mean_only (bool): Whether only the mean is wanted.
        RETURNS (Tensor): [tokens, width], the mean of the experts; or
            [tokens, (n_experts + 1) * width], each expert and then their mean.
        """
        experts = [drop_out(layer(encoding), dropout, self.training) for layer in self.layers]
        mean = torch.stack(experts).mean(0)
        return mean if mean_only else torch.cat([*experts, mean], 1)


def _forward(
    model: Model[list[Doc], list[Floats2d]], docs: Sequence[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], Any]]:
    encoder, experts = model.layers
    vectors, backprop_vectors = encoder(docs, is_train)
    lengths = [len(doc) for doc in docs]
    inputs = join_rows(model.ops, vectors), model.attrs["dropout_rate"], True
    mean, backprop_mean = experts(inputs, is_train)

    def backprop(d_mean: list[Floats2d]) -> Any:
        d_encoding = backprop_mean(join_rows(model.ops, d_mean))[0]
        return backprop_vectors(split_rows(d_encoding, lengths))

    return split_rows(mean, lengths), backprop


def _read_channels(
    model: Model[list[Doc], list[Floats2d]],
    docs: Sequence[Doc],
    is_train: bool,
    channels: Sequence[Channel],
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], Any]]:
    """Give channels next to each other: layers of the encoder, then experts, then their mean."""
    encoder, experts = model.layers
    xp = model.ops.xp
    encoding = _exposure(model, n_experts=len(channels)).encoding
    passed_on = [channel for channel in channels if channel.kind == "layer"]
    mean_only = len(channels) == len(passed_on) + 1
    if find_output_spec(encoder) is not None:
        encoder = with_channels(
            encoder, passed_on if encoding in passed_on else [*passed_on, encoding]
        )
    vectors, backprop_vectors = encoder(docs, is_train)
    lengths = [len(doc) for doc in docs]
    layers = join_rows(model.ops, vectors)  # [tokens, layers * layer width]
    layer_width = experts.get_dim("nI")
    n_passed = layer_width * len(passed_on)
    inputs = xp.ascontiguousarray(layers[:, -layer_width:]), model.attrs["dropout_rate"], mean_only
    own, backprop_own = experts(inputs, is_train)

    def backprop(d_channels: list[Floats2d]) -> Any:
        d_flat = join_rows(model.ops, d_channels)
        d_layers = xp.zeros_like(layers)
        d_layers[:, :n_passed] = d_flat[:, :n_passed]
        d_layers[:, -layer_width:] += backprop_own(xp.ascontiguousarray(d_flat[:, n_passed:]))[0]
        return backprop_vectors(split_rows(d_layers, lengths))

    return split_rows(xp.concatenate([layers[:, :n_passed], own], 1), lengths), backprop


def _exposure(model: Model[list[Doc], list[Floats2d]], *, n_experts: int) -> OutputSpec:
    encoder, experts = model.layers
    inner = find_output_spec(encoder)
    layers: tuple[int, ...] = (0,)
    if inner is None:
        layer_width = encoder.get_dim("nO") if encoder.has_dim("nO") else None
    else:
        layers, layer_width = inner.layers, inner.layer_width
    if layer_width is None and experts.has_dim("nI"):
        layer_width = experts.get_dim("nI")
    return OutputSpec(layers, layer_width, n_experts, model.get_dim("nO"))


def _init(
    model: Model[list[Doc], list[Floats2d]], X: list[Doc] | None = None, Y: Any = None
) -> None:
    encoder, experts = model.layers
    encoder.initialize(X=X)
    n_in = output_width(encoder, X)
    experts.set_dim("nI", n_in)
    build_module(experts, n_in=n_in)
