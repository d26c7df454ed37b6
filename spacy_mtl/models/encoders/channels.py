"""What a trunk's network can show besides its output: its layers, and its experts."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, cast

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d, Ints1d

# in `Model.attrs`
OUTPUT_SPEC, READ_CHANNELS = "exposure", "read_channels"
REPLACE_LISTENER = "replace_listener"  # spaCy's
Kind = Literal["layer", "expert", "output"]
Columns = slice | Ints1d


class Channel(NamedTuple):
    """One of the matrices [tokens, width] that a network can show.

    kind (Literal["layer", "expert", "output"]): What gives it: a layer of the encoder, an expert,
        or the network as a whole.
    number (int): Which of that kind, from 0.
    """

    kind: Kind
    number: int = 0


@dataclass(frozen=True)
class OutputSpec:
    """The channels of a network.

    layers (Tuple[int, ...]): The numbers of the layers that can be shown: 0 is the embedding, 1 the
        first layer above it.
    layer_width (Optional[int]): The width of a layer's output; None while it is not known.
    n_experts (int): The number of experts; 0 for none.
    expert_width (int): The width of an expert's output, which is that of the network's.
    """

    layers: tuple[int, ...]
    layer_width: int | None
    n_experts: int = 0
    expert_width: int = 0

    @property
    def encoding(self) -> Channel:
        """RETURNS (Channel): The encoder's last layer: what the experts read."""
        return Channel("layer", self.layers[-1])

    @property
    def output(self) -> Channel:
        """RETURNS (Channel): What the network gives where nobody asks for channels."""
        return Channel("output") if self.n_experts else self.encoding

    @property
    def experts(self) -> tuple[Channel, ...]:
        """RETURNS (Tuple[Channel, ...]): The experts."""
        return tuple(Channel("expert", number) for number in range(self.n_experts))

    def width(self, channel: Channel) -> int:
        """Look up the width of a channel.

        channel (Channel): The channel.
        RETURNS (int): Its number of columns.
        RAISES (ValueError): If it is not known yet.
        """
        width = self.layer_width if channel.kind == "layer" else self.expert_width
        if width is None:
            raise ValueError(
                "The width of the trunk's encoder is only known once it is initialized: "
                "initialize the trunk before the components that read it."
            )
        return width

    def total_width(self, channels: Iterable[Channel]) -> int:
        """RETURNS (int): The number of columns of several channels."""
        return sum(self.width(channel) for channel in channels)


class Layout:
    """Which columns of a matrix hold which channels."""

    def __init__(self, exposure: OutputSpec, channels: Iterable[Channel]) -> None:
        """Place channels and the network's output next to one another.

        exposure (OutputSpec): What the network can show.
        channels (Iterable[Channel]): The channels that are wanted.
        """
        self.exposure = exposure
        order: list[Kind] = ["layer", "expert", "output"]
        wanted = {*channels, exposure.output}
        self.channels = tuple(sorted(wanted, key=lambda c: (order.index(c.kind), c.number)))
        ends = np.cumsum([exposure.width(channel) for channel in self.channels]).tolist()
        self.blocks = [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
        self.width: int = ends[-1]

    @property
    def output_columns(self) -> slice:
        """RETURNS (slice): The columns of the network's output."""
        return self.blocks[self.channels.index(self.exposure.output)]

    def columns(self, channels: Sequence[Channel]) -> Columns:
        """Find the columns of some channels.

        channels (Sequence[Channel]): The channels, in the order wanted.
        RETURNS (Union[slice, Ints1d]): A slice where they lie next to each other in that order,
            else the columns' numbers.
        """
        blocks = [self.blocks[self.channels.index(channel)] for channel in channels]
        if all(left.stop == right.start for left, right in zip(blocks, blocks[1:], strict=False)):
            return slice(blocks[0].start, blocks[-1].stop)
        numbers = np.concatenate([np.arange(block.start, block.stop) for block in blocks])
        return cast(Ints1d, numbers)


def find_output_spec(model: Model[Any, Any]) -> OutputSpec | None:
    """Tell what a network can show.

    model (Model): The network.
    RETURNS (Optional[OutputSpec]): Its channels; None where it shows nothing but its output.
    """
    find: Callable[[Model[Any, Any]], OutputSpec] | None = model.attrs.get(OUTPUT_SPEC)
    return None if find is None else find(model)


def with_channels(
    model: Model[list[Doc], list[Floats2d]], channels: Sequence[Channel]
) -> Model[list[Doc], list[Floats2d]]:
    """Look at a network from the side.

    model (Model[List[Doc], List[Floats2d]]): A network with an exposure.
    channels (Sequence[Channel]): The channels to show.
    RETURNS (Model[List[Doc], List[Floats2d]]): A model that shares the network's parameters and
        gives the channels next to each other, [tokens, width of all channels] for each document.
    """
    forward = partial(_forward, channels=tuple(channels))
    return Model("showing_channels", forward, layers=[model])


def _forward(
    model: Model[Any, Any], docs: list[Doc], is_train: bool, channels: tuple[Channel, ...]
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], Any]]:
    network = model.layers[0]
    outputs, backprop = network.attrs[READ_CHANNELS](network, docs, is_train, channels)
    return outputs, backprop


def keep_channel_listener(
    model: Model[Any, Any], listener: Model[Any, Any], trunk: Any
) -> Model[Any, Any]:
    """Refuse to put a copy of the trunk in the place of a listener that reads several channels.

    model (Model): The copy.
    listener (Model): The listener.
    trunk (Any): The trunk.
    RETURNS (Model): The copy, in the place of spaCy's own listener.
    RAISES (ValueError): If it is another listener.
    """
    architecture = getattr(listener, "architecture", None)
    if architecture is not None:
        raise ValueError(
            f"nlp.replace_listeners can't replace {architecture}: it reads more of the trunk "
            f"'{trunk.name}' than its output. Keep '{trunk.name}' in the pipeline, or use "
            "spacy.Tok2VecListener.v1."
        )
    return model
