"""The window layers in prediction by compiled loops, all layers in one call: see
`spacy_mtl.native`."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..native.packing import PIECES, pack_filters, pack_pieces
from ..native.threads import take_together
from .embed import EmbeddedWords, NormalizedMaxout
from .window_products import pair_filters


def can_compile(layers: Sequence[NormalizedMaxout], window_size: int) -> bool:
    """Tell whether there are loops for layers.

    layers (Sequence[NormalizedMaxout]): The layers.
    window_size (int): The number of tokens to either side of a window.
    RETURNS (bool): Whether there are.
    """
    return window_size == 1 and all(
        layer.pieces in PIECES
        and layer.product_dtype == torch.float32
        and layer.weight.dtype == torch.float32
        for layer in layers
    )


def prepare_layers(
    loops: ModuleType, layers: Sequence[NormalizedMaxout], first: NormalizedMaxout | None
) -> Any:
    """Lay out the weights of residual layers.

    loops (ModuleType): The compiled loops.
    layers (Sequence[NormalizedMaxout]): The layers, all of the same width.
    first (Optional[NormalizedMaxout]): A layer before them, like them.
    RETURNS (WindowLayers): The layers for `encode_compiled`. It holds its own copy of the weights.
    """
    packed = []
    for layer in layers:
        weight, bias = layer.weight.detach().flatten(0, 1), layer.bias.detach().flatten()
        values = (
            pack_filters(pair_filters(weight), layer.pieces, loops.lanes()),
            pack_pieces(bias, layer.pieces, loops.lanes()),
            layer.norm_weight.detach().clone(),
            layer.norm_bias.detach().clone(),
        )
        packed.append(tuple(array.numpy() for array in values))
    like = layers[0] if first is None else first
    return loops.WindowLayers(like.width, like.pieces, packed)


def encode_compiled(
    loops: ModuleType,
    prepared: Any,
    first: NormalizedMaxout | None,
    words: EmbeddedWords,
    word_of_row: Tensor,
    token_of_row: Tensor,
    outputs: Sequence[Tensor | None],
) -> None:
    """Apply residual layers to rows of words.

    loops (ModuleType): The compiled loops.
    prepared (WindowLayers): What `prepare_layers` made of the layers, but of the first where
        `first` is given.
    first (Optional[NormalizedMaxout]): The first layer, if words have `products` with its weights.
    words (EmbeddedWords): The words.
    word_of_row (Tensor): [rows], the word at each row.
    token_of_row (Tensor): [rows], the token at each row, -1 for none; see `WindowEncoder`.
    outputs (Sequence[Optional[Tensor]]): [tokens, width] each, gets the output of the first layer
        (the words' vectors, if `first` is None) and of each layer prepared; None for those not
        wanted.
    """
    products = first_layer = None
    if first is not None and words.products is not None:
        products = words.products.numpy()
        values = (first.bias.flatten(), first.norm_weight, first.norm_bias)
        first_layer = tuple(array.detach().numpy() for array in values)
    rows, tokens, vectors = word_of_row.numpy(), token_of_row.numpy(), words.vectors.numpy()
    arrays = [None if output is None else output.numpy() for output in outputs]

    def work(n_taken: np.ndarray) -> None:
        prepared.encode(rows, tokens, vectors, products, first_layer, arrays, n_taken)

    take_together(work, -(-len(rows) // loops.BAND))
