"""A listener that chooses among the trunk's experts, token by token."""

from typing import cast

import torch
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d
from torch import Tensor, nn

from ...models.encoders.channels import Channel, OutputSpec
from .listener import ChannelListener
from .mixing import mixing_listener
from .requests import EncodingAndExperts

NAME = "spacy_mtl.GatedListener.v1"


@registry.architectures(NAME)
def build_gated_listener(*, width: int, upstream: str = "*") -> Model[list[Doc], list[Floats2d]]:
    """Build a listener with a gate of its own over the experts of `spacy_mtl.MixtureOfExperts.v1`.

    width (int): The width of the experts' outputs.
    upstream (str): The trunk's name; "*" for any.
    RETURNS (Model[List[Doc], List[Floats2d]]): The listener.
    """
    listener = ChannelListener(upstream, width, NAME, EncodingAndExperts())
    return mixing_listener("gated_listener", listener, ExpertGate, _settings)


class ExpertGate(nn.Module):
    """`sum_i g(x)_i * f_i(x)` with `g(x) = softmax(W x + b)` for shared encoding x, experts f_i.

    Ma et al. 2018, "Modeling Task Relationships in Multi-task Learning with Multi-gate
    Mixture-of-Experts", https://doi.org/10.1145/3219819.3220007, equations 6 and 7, for each token.
    It starts as the plain mean of the experts.

    n_in (int): Width of the shared encoding.
    n_experts (int): Number of experts.
    """

    def __init__(self, n_in: int, n_experts: int) -> None:
        super().__init__()
        self.n_in = n_in
        self.gate = nn.Linear(n_in, n_experts)
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)

    def forward(self, channels: Tensor) -> Tensor:
        """Mix the experts.

        channels (Tensor): [tokens, n_in + n_experts * width], the encoding and then the experts.
        RETURNS (Tensor): [tokens, width].
        """
        experts = channels[:, self.n_in :].unflatten(1, (self.gate.out_features, -1))
        # [tokens, n_experts, width]
        return torch.einsum("te,tew->tw", self.shares(channels), experts)

    def shares(self, channels: Tensor) -> Tensor:
        """Find the share of each expert.

        channels (Tensor): As in `forward`.
        RETURNS (Tensor): [tokens, n_experts], adding up to 1 for each token.
        """
        return cast(Tensor, self.gate(channels[:, : self.n_in])).softmax(1)


def _settings(exposure: OutputSpec, channels: tuple[Channel, ...]) -> dict[str, int]:
    return {"n_in": exposure.width(exposure.encoding), "n_experts": exposure.n_experts}
