"""The way of a trunk's channels to the heads in prediction."""

from collections.abc import Iterable
from typing import cast
from weakref import WeakKeyDictionary

from spacy.tokens import Doc
from thinc.api import Ops
from thinc.types import Floats2d

from ...models.encoders.channels import Channel, Layout
from ...models.layers.features import join_rows, split_rows


class ChannelOutputs(list[Floats2d]):
    """The output of a trunk, [tokens, width] for each document, and the channels beside it."""

    def __init__(self, ops: Ops, channels: list[Floats2d], layout: Layout) -> None:
        """Take the output out of the channels.

        ops (Ops): The trunk's array operations.
        channels (List[Floats2d]): [tokens, width of all channels] for each document.
        layout (Layout): Where in these is what.
        """
        flat = join_rows(ops, channels)
        output = ops.xp.ascontiguousarray(flat[:, layout.output_columns])
        super().__init__(split_rows(output, [len(rows) for rows in channels]))
        self.channels = channels
        self.layout = layout


# by document: its tensor, all channels [tokens, width of all channels], and their layout
_SHOWN: WeakKeyDictionary[Doc, tuple[Floats2d, Floats2d, Layout]] = WeakKeyDictionary()


def store_channels(docs: Iterable[Doc], vectors: ChannelOutputs) -> None:
    """Keep the channels of documents for as long as they live. Nothing of it is saved with them.

    docs (Iterable[Doc]): The documents; their tensors are set.
    vectors (ChannelOutputs): What the trunk made of them.
    """
    for doc, channels in zip(docs, vectors.channels, strict=True):
        _SHOWN[doc] = cast(Floats2d, doc.tensor), channels, vectors.layout


def load_channels(doc: Doc) -> tuple[Floats2d, Layout] | None:
    """Find the channels of a document.

    doc (Doc): The document.
    RETURNS (Optional[Tuple[Floats2d, Layout]]): [tokens, width of all channels] and their layout;
        None where its tensor is not the one that came with them.
    """
    tensor, channels, layout = _SHOWN.get(doc, (None, None, None))
    if channels is None or layout is None or tensor is not doc.tensor:
        return None
    return channels, layout


def holds(layout: Layout, channels: Iterable[Channel]) -> bool:
    """RETURNS (bool): Whether a layout has all of some channels."""
    return set(channels) <= set(layout.channels)
