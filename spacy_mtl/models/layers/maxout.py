"""Maxout with layer normalization: the layer of spaCy's encoders."""

from types import ModuleType

import torch
from thinc.api import NumpyOps, glorot_uniform_init
from torch import Tensor, nn
from torch.nn import functional as F

from ...native import kernels_for
from ...native.linear import PackedLayer, SummedRows, apply_layers, pack_layer
from ...native.windows import LayerParameters
from .parameter_cache import ParameterCache

LAYER_NORM_EPSILON = 1e-8  # thinc's


class NormalizedMaxout(nn.Module):
    """A linear layer with several pieces, the largest of which counts, then layer normalization.

    n_in (int): Width of the input.
    width (int): Width of the output.
    pieces (int): Number of pieces.
    """

    def __init__(self, n_in: int, width: int, pieces: int) -> None:
        super().__init__()
        self.width = width
        self.pieces = pieces
        # the distributions that thinc uses
        drawn = torch.as_tensor(glorot_uniform_init(NumpyOps(), (width, pieces, n_in)))
        self.weight = nn.Parameter(drawn.transpose(0, 1).contiguous())
        self.bias = nn.Parameter(torch.zeros(pieces, width))
        self.norm_weight = nn.Parameter(torch.ones(width))
        self.norm_bias = nn.Parameter(torch.zeros(width))
        self.cache: ParameterCache[PackedLayer] = ParameterCache()

    def forward(self, inputs: Tensor) -> Tensor:
        """Apply the layer.

        inputs (Tensor): [rows, n_in].
        RETURNS (Tensor): [rows, width].
        """
        kernels = kernels_for(inputs, self.weight)
        if kernels is not None:
            return self.predict_native(kernels, inputs)
        return self.activate(F.linear(inputs, self.weight.flatten(0, 1), self.bias.flatten()))

    def activate(self, hidden: Tensor) -> Tensor:
        """Apply what follows the linear part.

        hidden (Tensor): [rows, pieces * width].
        RETURNS (Tensor): [rows, width].
        """
        largest = hidden.unflatten(1, (self.pieces, self.width)).amax(1)  # [rows, width]
        return F.layer_norm(
            largest, (self.width,), self.norm_weight, self.norm_bias, LAYER_NORM_EPSILON
        )

    def predict_native(self, kernels: ModuleType, inputs: Tensor | SummedRows) -> Tensor:
        """Apply the layer in prediction with kernels.

        kernels (ModuleType): The kernels.
        inputs (Union[Tensor, SummedRows]): [rows, n_in].
        RETURNS (Tensor): [rows, width].
        """
        packed = self.cache.get(
            [self.weight, self.bias],
            lambda: pack_layer(kernels, self.weight.flatten(0, 1), self.bias.flatten()),
        )
        maxout = self.pieces, self.norm_weight, self.norm_bias
        return apply_layers(kernels, inputs, packed, self.width, maxout=maxout)

    def own_parameters(self) -> LayerParameters:
        """RETURNS (LayerParameters): The same as `parameters`, many times quicker."""
        return LayerParameters(self.weight, self.bias, self.norm_weight, self.norm_bias)
