"""A listener that reads one layer of the trunk."""

from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d

from .listener import ChannelListener
from .requests import Layers

NAME = "spacy_mtl.LayerListener.v1"


@registry.architectures(NAME)
def build_layer_listener(
    *, width: int, upstream: str = "*", layer: int = -1
) -> Model[list[Doc], list[Floats2d]]:
    """Build a listener that reads one layer of the trunk's encoder.

    A low-level task such as tagging can be better off with a lower layer (Søgaard and Goldberg
    2016, https://aclanthology.org/P16-2038). Its gradient then reaches only the layers up to there.

    width (int): The width of the trunk's layers.
    upstream (str): The trunk's name; "*" for any.
    layer (int): The layer's number: 0 is the embedding, 1 the first layer above it, and so on
        through convolutional and then LSTM or attention layers; -1 is the last.
    RETURNS (Model[List[Doc], List[Floats2d]]): The listener.
    """
    return ChannelListener(upstream, width, NAME, Layers((layer,)))
