"""Linear layers that use the kernels in prediction."""

from types import ModuleType

from torch import Tensor, nn
from torch.nn import functional as F

from ...native import kernels_for
from ...native.linear import PackedLayer, apply_layers, pack_layer
from .dropout import dropout as drop_out
from .parameter_cache import ParameterCache


class PackedLinear(nn.Linear):
    """A linear layer whose weights are packed for the kernels once, for prediction."""

    def __init__(self, n_in: int, n_out: int, bias: bool = True) -> None:
        super().__init__(n_in, n_out, bias=bias)
        self.cache: ParameterCache[PackedLayer] = ParameterCache()

    def forward(self, inputs: Tensor) -> Tensor:
        """Apply the layer.

        inputs (Tensor): [rows, n_in].
        RETURNS (Tensor): [rows, n_out].
        """
        kernels = kernels_for(inputs, self.weight)
        if kernels is None:
            return super().forward(inputs)
        return apply_layers(kernels, inputs, self.pack(kernels), self.out_features)

    def pack(self, kernels: ModuleType) -> PackedLayer:
        """RETURNS (PackedLayer): The layer for these kernels."""
        parameters = [self.weight] if self.bias is None else [self.weight, self.bias]
        return self.cache.get(parameters, lambda: pack_layer(kernels, *parameters))


def apply_mlp(
    hidden: PackedLinear | None,
    output: PackedLinear,
    inputs: Tensor,
    added: Tensor | None = None,
    dropout: float = 0.0,
    training: bool = False,
) -> Tensor:
    """Apply a linear layer, or a hidden one with GELU before it.

    hidden (Optional[PackedLinear]): The hidden layer.
    output (PackedLinear): The last layer.
    inputs (Tensor): [rows, n_in].
    added (Optional[Tensor]): [rows, columns of the first layer], added to what it gives.
    dropout (float): In training, the share of hidden units that is dropped.
    training (bool): Whether the network is in training.
    RETURNS (Tensor): [rows, n_out].
    """
    kernels = kernels_for(inputs, output.weight)
    if kernels is not None:
        n_hidden, first = 0, None
        if hidden is not None:
            n_hidden, first = hidden.out_features, hidden.pack(kernels)
        packed = output.pack(kernels)
        return apply_layers(kernels, inputs, packed, output.out_features, first, n_hidden, added)
    outputs: Tensor = output(inputs) if hidden is None else hidden(inputs)
    if added is not None:
        outputs = outputs + added
    if hidden is not None:
        outputs = output(drop_out(F.gelu(outputs), dropout, training))
    return outputs
