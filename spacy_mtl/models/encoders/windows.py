"""Residual layers over windows of tokens."""

from collections.abc import Callable, Iterable
from functools import partial
from types import ModuleType
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...native import kernels_for, training_kernels_for
from ...native.linear import PackedLayer, apply_layers, pack_layer
from ...native.window_training import can_train, train_windows
from ...native.windows import FirstLayer, encode_rows, has_kernels, pack_windows
from ..layers.dropout import dropout as drop_out
from ..layers.dropout import dropout_mask
from ..layers.maxout import NormalizedMaxout
from ..layers.parameter_cache import ParameterCache
from .embed import EmbeddedWords

CHUNK_ROWS = 512  # encoded at once on CPU


class WindowEncoder(nn.Module):
    """Residual layers of normalized maxout over windows of tokens, as spacy.MaxoutWindowEncoder.v2.

    Documents are separated by as many rows as a token can see to one side. These rows start as
    zeros and go through the layers like tokens: this is spaCy's arithmetic at the document's ends,
    and it makes a document's output independent of its neighbours. A layer gives no output for the
    rows at either end of the batch, which no token sees.

    width (int): Width of input and output.
    depth (int): Number of layers.
    window_size (int): Number of tokens to either side that a layer concatenates.
    pieces (int): Number of pieces of the maxout.
    """

    def __init__(self, width: int, depth: int, window_size: int, pieces: int) -> None:
        super().__init__()
        self.window_size = window_size
        self.pieces = pieces
        self.layers = nn.ModuleList(
            NormalizedMaxout(width * (2 * window_size + 1), width, pieces) for _ in range(depth)
        )
        self.packed_products: ParameterCache[PackedLayer] = (
            ParameterCache()
        )  # the first layer, by word
        self.packed: ParameterCache[Any] = ParameterCache()  # all layers but the first

    @property
    def windows(self) -> "WindowEncoder":
        """RETURNS (WindowEncoder): Itself; see `EmbedAndEncode`."""
        return self

    def forward(
        self,
        words: EmbeddedWords,
        word_of_token: Tensor,
        lengths: list[int],
        dropout: float,
        layers_seen: list[Tensor] | None = None,
    ) -> Tensor:
        """Encode the tokens of a batch.

        words (EmbeddedWords): The words, in prediction maybe with their `products`.
        word_of_token (Tensor): [tokens], the row of the word at each token.
        lengths (List[int]): The number of tokens of each document.
        dropout (float): In training, the share of each layer's outputs that is dropped.
        layers_seen (Optional[List[Tensor]]): Gets the output of each layer, [tokens, width], from
            the embedding to the last.
        RETURNS (Tensor): [tokens, width].
        """
        row_of_token, n_rows = self._rows_of_tokens(lengths, word_of_token.device)
        word_of_row = word_of_token.new_zeros(n_rows)
        word_of_row[row_of_token] = word_of_token
        kernels = kernels_for(words.vectors)
        if kernels is not None and has_kernels(self.window_size, self.pieces) and self.layers:
            return self._predict_native(kernels, words, word_of_row, row_of_token, layers_seen)
        rate = dropout if self.training else 0.0
        outputs = [drop_out(words.vectors.index_select(0, word_of_row), rate, self.training)]
        layers = self._layers()
        if words.products is not None and layers:
            outputs.append(self._encode_words(layers.pop(0), words, word_of_row))
        outputs += self._encode(layers, outputs[-1], rate)
        if layers_seen is None:
            return self._tokens_of(len(outputs) - 1, outputs[-1], row_of_token)
        layers_seen += [self._tokens_of(*one, row_of_token) for one in enumerate(outputs)]
        return layers_seen[-1]

    def _encode(self, layers: list[NormalizedMaxout], rows: Tensor, rate: float) -> list[Tensor]:
        """Apply layers.

        layers (List[NormalizedMaxout]): The layers.
        rows (Tensor): [rows, width].
        rate (float): The dropout rate.
        RETURNS (List[Tensor]): The output of each layer, [rows, width], where `window_size` rows
            are missing at either end each time.
        """
        kernels = training_kernels_for(rows)
        if kernels is not None and layers and can_train(kernels, rows, layers[0].weight):
            sizes = [len(rows) - 2 * number for number in range(1, len(layers) + 1)]
            masks = [dropout_mask((size, rows.shape[1]), rate) for size in sizes if rate]
            parameters = [layer.own_parameters() for layer in layers]
            return list(train_windows(kernels, rows, parameters, masks))
        outputs = []
        for layer in layers:
            rows = _in_chunks(partial(self._encode_windows, layer, rate), rows, self.window_size)
            outputs.append(rows)
        return outputs

    def _encode_windows(self, layer: NormalizedMaxout, rate: float, rows: Tensor) -> Tensor:
        """Apply a layer to rows: [rows - 2 * window_size, width]."""
        n_rows = len(rows) - 2 * self.window_size
        shifted = [rows[shift : shift + n_rows] for shift in range(2 * self.window_size + 1)]
        hidden = drop_out(layer(torch.cat(shifted, 1)), rate, self.training)
        return shifted[self.window_size] + hidden

    def _encode_words(
        self, layer: NormalizedMaxout, words: EmbeddedWords, word_of_row: Tensor
    ) -> Tensor:
        """Apply the first layer to rows of words, in prediction: [rows - 2 * window_size, width].

        A window's product with the weights is a sum over its words of products that depend on the
        word and its place in the window alone: see `write_word_products`."""
        size = 2 * self.window_size + 1
        products = cast(Tensor, words.products)
        by_place = products.view(len(products) * size, -1)  # [words * places, hidden]
        place = torch.arange(size)

        def encode(word_of_row: Tensor) -> Tensor:
            windows = word_of_row.unfold(0, size, 1)  # [rows, places]
            hidden = F.embedding_bag(windows * size + place, by_place, mode="sum")
            own = words.vectors.index_select(0, windows[:, self.window_size])
            return layer.activate(hidden.add_(layer.bias.flatten())).add_(own)

        return _in_chunks(encode, word_of_row, self.window_size)

    def _predict_native(
        self,
        kernels: ModuleType,
        words: EmbeddedWords,
        word_of_row: Tensor,
        row_of_token: Tensor,
        layers_seen: list[Tensor] | None,
    ) -> Tensor:
        """Encode the tokens of a batch with kernels: [tokens, width]."""
        layers = [layer.own_parameters() for layer in self._layers()]
        later, first = layers, None
        if words.products is not None:
            first, later = FirstLayer(words.products, layers[0]), layers[1:]
        token_of_row = torch.full_like(word_of_row, -1)
        token_of_row[row_of_token] = torch.arange(len(row_of_token))
        packed = self.packed.get(
            [values for parameters in later for values in parameters],
            lambda: pack_windows(kernels, later, layers[0].weight),
        )
        last = words.vectors.new_empty((len(row_of_token), words.vectors.shape[1]))
        outputs: list[Tensor | None] = [None] * len(later)
        if layers_seen is not None:
            seen = [torch.empty_like(last) for _ in later]
            outputs = list(seen)
            word_of_token = word_of_row.index_select(0, row_of_token)
            layers_seen += [words.vectors.index_select(0, word_of_token)][: first is not None]
            layers_seen += [*seen, last]
        outputs.append(last)
        encode_rows(kernels, packed, first, words.vectors, word_of_row, token_of_row, outputs)
        return last

    def _rows_of_tokens(self, lengths: list[int], device: torch.device) -> tuple[Tensor, int]:
        """The row of each token where a gap as wide as a token can see lies before, between and
        after the documents, and the number of rows, which is even."""
        gap = len(self.layers) * self.window_size
        counts = torch.tensor([length for length in lengths if length])
        n_tokens = int(counts.sum())
        n_gaps = torch.arange(1, len(counts) + 1).repeat_interleave(counts, output_size=n_tokens)
        n_rows = n_tokens + gap * (len(counts) + 1)
        return (torch.arange(n_tokens) + gap * n_gaps).to(device), n_rows + n_rows % 2

    def _tokens_of(self, number: int, rows: Tensor, row_of_token: Tensor) -> Tensor:
        """Pick the tokens out of the rows of a layer: [tokens, width]."""
        return rows.index_select(0, row_of_token - number * self.window_size)

    def _layers(self) -> list[NormalizedMaxout]:
        return list(cast(Iterable[NormalizedMaxout], self.layers))

    def word_parameters(self) -> list[Tensor]:
        """RETURNS (List[Tensor]): What `write_word_products` depends on."""
        return [layer.weight for layer in self._layers()[:1]]

    @property
    def n_word_products(self) -> int:
        """RETURNS (int): The columns of what `write_word_products` writes, 0 without layers."""
        size = 2 * self.window_size + 1
        return size * sum(layer.bias.numel() for layer in self._layers()[:1])

    def write_word_products(self, vectors: Tensor, table: Tensor, rows: Tensor) -> None:
        """Multiply words with the first layer's weights, for each place in its window, in
        prediction.

        vectors (Tensor): [words, width].
        table (Tensor): [slots, places * hidden], gets the products.
        rows (Tensor): [words], the row for each word.
        """
        if not self.layers:
            return
        weight = self._layers()[0].weight

        def by_place() -> Tensor:
            placed = weight.flatten(0, 1).unflatten(1, (2 * self.window_size + 1, -1))
            return placed.transpose(0, 1).flatten(0, 1)  # [places * hidden, width]

        kernels = kernels_for(vectors, weight)
        if kernels is None:
            table.index_copy_(0, rows, F.linear(vectors, by_place()))
            return
        packed = self.packed_products.get([weight], lambda: pack_layer(kernels, by_place()))
        apply_layers(kernels, vectors, packed, self.n_word_products, into=(table, rows))


def _in_chunks(encode: Callable[[Tensor], Tensor], rows: Tensor, window_size: int) -> Tensor:
    """Apply a layer to rows, on CPU some at a time, so that what is computed of them stays in the
    processor's cache.

    encode (Callable[[Tensor], Tensor]): Takes rows, gives an output for all but `window_size` of
        them at either end.
    rows (Tensor): [rows, ...].
    window_size (int): Number of rows to either side of a window.
    RETURNS (Tensor): [rows - 2 * window_size, width].
    """
    n_rows = len(rows) - 2 * window_size
    if rows.device.type != "cpu" or n_rows <= CHUNK_ROWS:
        return encode(rows)
    starts = range(0, n_rows, CHUNK_ROWS)
    return torch.cat(
        [encode(rows[first : first + CHUNK_ROWS + 2 * window_size]) for first in starts]
    )
