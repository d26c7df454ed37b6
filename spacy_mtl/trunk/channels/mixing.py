"""A listener, and a torch module that makes one vector a token of what it reads."""

from collections.abc import Callable
from functools import partial
from typing import Any

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d
from torch import nn

from ...models.encoders.channels import Channel, OutputSpec
from ...models.layers.features import join_rows, split_rows
from ...models.layers.torch_layer import build_module, torch_layer
from .listener import ChannelListener

Settings = Callable[[OutputSpec, tuple[Channel, ...]], dict[str, int]]


def mixing_listener(
    name: str, listener: ChannelListener, build: Callable[..., nn.Module], settings: Settings
) -> Model[list[Doc], list[Floats2d]]:
    """Build a listener that mixes the channels it reads.

    name (str): The model's name.
    listener (ChannelListener): Reads the channels.
    build (Callable[..., nn.Module]): Makes the module: takes [tokens, width of all channels],
        returns [tokens, width].
    settings (Callable): Finds the arguments of `build`, JSON-able, from the channels.
    RETURNS (Model[List[Doc], List[Floats2d]]): The listener.
    """
    width = listener.get_dim("nO")
    return Model(
        name,
        _forward,
        init=partial(_init, settings=settings),
        layers=[listener, torch_layer(build)],
        dims={"nO": width},
    )


def _forward(
    model: Model[list[Doc], list[Floats2d]], docs: list[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], Any]]:
    listener, mix = model.layers
    channels, backprop_channels = listener(docs, is_train)
    mixed, backprop_mixed = mix(join_rows(model.ops, channels), is_train)
    lengths = [len(doc) for doc in docs]

    def backprop(d_vectors: list[Floats2d]) -> Any:
        d_channels = backprop_mixed(join_rows(model.ops, d_vectors))
        return backprop_channels(split_rows(d_channels, lengths))

    return split_rows(mixed, lengths), backprop


def _init(
    model: Model[list[Doc], list[Floats2d]],
    X: list[Doc] | None = None,
    Y: Any = None,
    *,
    settings: Settings,
) -> None:
    listener, mix = model.layers
    assert isinstance(listener, ChannelListener)
    channels = listener.channels(listener.exposure)
    assert listener.exposure is not None
    build_module(mix, **settings(listener.exposure, channels))
