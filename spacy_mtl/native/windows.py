"""Residual layers of normalized maxout over windows of three rows in prediction."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from .packing import PIECES, pack_filters, pack_pieces
from .threads import parallel_for
from .winograd import transform_filters


class LayerParameters(NamedTuple):
    """The parameters of one layer.

    weight (Tensor): [pieces, width, 3 * width].
    bias (Tensor): [pieces, width].
    norm_weight (Tensor): [width].
    norm_bias (Tensor): [width].
    """

    weight: Tensor
    bias: Tensor
    norm_weight: Tensor
    norm_bias: Tensor


class FirstLayer(NamedTuple):
    """A first layer whose products with each word are known.

    products (Tensor): [words, 3 * pieces * width].
    parameters (LayerParameters): The layer.
    """

    products: Tensor
    parameters: LayerParameters


def has_kernels(window_size: int, pieces: int) -> bool:
    """Tell whether there are kernels for layers.

    window_size (int): The number of tokens to either side of a window.
    pieces (int): The number of pieces of the maxout.
    RETURNS (bool): Whether there are, in prediction.
    """
    return window_size == 1 and pieces in PIECES


def pack_windows(kernels: ModuleType, layers: Sequence[LayerParameters], like: Tensor) -> Any:
    """Lay out the weights of layers.

    kernels (ModuleType): The kernels.
    layers (Sequence[LayerParameters]): The layers, all of the same width.
    like (Tensor): [pieces, width, 3 * width], the weight of any layer of that shape.
    RETURNS (WindowLayers): The layers for `encode_rows`. It holds its own copy of the weights.
    """
    pieces, width, _ = like.shape
    lanes = kernels.lanes()
    packed = []
    for layer in layers:
        weight, bias, norm_weight, norm_bias = (values.detach() for values in layer)
        values = (
            pack_filters(transform_filters(weight.flatten(0, 1)), pieces, lanes),
            pack_pieces(bias.flatten(), pieces, lanes),
            norm_weight.clone(),
            norm_bias.clone(),
        )
        packed.append(tuple(array.numpy() for array in values))
    return kernels.WindowLayers(width, pieces, packed)


def encode_rows(
    kernels: ModuleType,
    packed: Any,
    first: FirstLayer | None,
    vectors: Tensor,
    word_of_row: Tensor,
    token_of_row: Tensor,
    outputs: Sequence[Tensor | None],
) -> None:
    """Apply residual layers to rows of words.

    kernels (ModuleType): The kernels.
    packed (WindowLayers): What `pack_windows` made of the layers, without the first where `first`
        is given.
    first (Optional[FirstLayer]): A layer before them, like them.
    vectors (Tensor): [words, width], the words' vectors.
    word_of_row (Tensor): [rows], the word at each row.
    token_of_row (Tensor): [rows], the token at each row, -1 for none. As many rows without tokens
        as there are layers lie before, between and after documents.
    outputs (Sequence[Optional[Tensor]]): [tokens, width] each, gets the output of the first layer
        (the words' vectors, if `first` is None) and of each layer packed; None for those not
        wanted.
    """
    products = first_layer = None
    if first is not None:
        products = first.products.numpy()
        _, bias, norm_weight, norm_bias = (values.detach() for values in first.parameters)
        first_layer = tuple(array.numpy() for array in (bias.flatten(), norm_weight, norm_bias))
    rows, tokens, words = word_of_row.numpy(), token_of_row.numpy(), vectors.numpy()
    arrays = [None if output is None else output.numpy() for output in outputs]

    def work(next_chunk: np.ndarray) -> None:
        packed.encode(rows, tokens, words, products, first_layer, arrays, next_chunk)

    parallel_for(work, -(-len(rows) // kernels.BAND))
