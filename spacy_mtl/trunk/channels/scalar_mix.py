"""A listener that reads a learned mixture of the trunk's layers."""

import torch
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d
from torch import Tensor, nn

from ...models.encoders.channels import Channel, OutputSpec
from .listener import ChannelListener
from .mixing import mixing_listener
from .requests import Layers

NAME = "spacy_mtl.ScalarMixListener.v1"


@registry.architectures(NAME)
def build_scalar_mix_listener(
    *, width: int, upstream: str = "*", layers: list[int] | None = None
) -> Model[list[Doc], list[Floats2d]]:
    """Build a listener that reads a mixture of the trunk's layers, which its head learns.

    width (int): The width of the trunk's layers.
    upstream (str): The trunk's name; "*" for any.
    layers (Optional[List[int]]): The layers to mix, numbered as in `spacy_mtl.LayerListener.v1`;
        all, with the embedding, where None.
    RETURNS (Model[List[Doc], List[Floats2d]]): The listener.
    RAISES (ValueError): If the list is empty or names a layer twice.
    """
    if layers is not None and (not layers or len(set(layers)) < len(layers)):
        raise ValueError(
            f"{NAME}: layers is {layers}; name each layer to mix once, or set null for all."
        )
    request = Layers(None if layers is None else tuple(layers))
    listener = ChannelListener(upstream, width, NAME, request)
    return mixing_listener("scalar_mix_listener", listener, ScalarMix, _settings)


class ScalarMix(nn.Module):
    """`scale * sum_l softmax(weights)_l * h_l` over layers l with outputs h_l.

    Peters et al. 2018, "Deep contextualized word representations",
    https://aclanthology.org/N18-1202, equation 1. It starts as the plain mean.

    n_layers (int): Number of layers.
    """

    def __init__(self, n_layers: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(n_layers))
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, layers: Tensor) -> Tensor:
        """Mix the layers.

        layers (Tensor): [tokens, n_layers * width].
        RETURNS (Tensor): [tokens, width].
        """
        stacked = layers.unflatten(1, (len(self.weights), -1))
        # [tokens, n_layers, width]
        return torch.einsum("l,tlw->tw", self.scale * self.shares(), stacked)

    def shares(self) -> Tensor:
        """RETURNS (Tensor): [n_layers], the layers' shares, which add up to 1."""
        return self.weights.softmax(0)


def _settings(exposure: OutputSpec, channels: tuple[Channel, ...]) -> dict[str, int]:
    return {"n_layers": len(channels)}
