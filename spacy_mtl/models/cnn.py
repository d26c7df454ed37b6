"""spaCy's convolutional token encoder, in torch."""

from collections.abc import Iterable
from functools import partial
from types import ModuleType
from typing import Any, cast

import torch
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d
from torch import Tensor, nn
from torch.nn import functional as F

from ..native import find_loops
from .compiled_layers import PackedLayer, apply_compiled, pack_layer
from .compiled_windows import can_compile, encode_compiled, prepare_layers
from .doc_encoder import CACHED_WORDS, build_doc_encoder, stock_tables
from .dropout import dropout as drop_out
from .dropout import dropout_mask
from .embed import EmbeddedWords, NormalizedMaxout, in_blocks
from .paired_windows import encode_pairs
from .parameter_state import Derived
from .precision import BFLOAT16_ROWS, Precision
from .window_blocks import encode_blocks
from .window_products import pair_filters
from .window_training import encode_windows

WORD_REPETITION = 2  # tokens per distinct word from which products by word pay for the first layer


@registry.architectures("spacy_mtl.HashEmbedCNN.v1")
def build_hash_embed_cnn(
    *,
    width: int = 96,
    depth: int = 4,
    embed_size: int = 2000,
    window_size: int = 1,
    maxout_pieces: int = 3,
    subword_features: bool = True,
    pretrained_vectors: bool | None = None,
    attrs: list[str] | None = None,
    rows: list[int] | None = None,
    include_static_vectors: bool = False,
    word_dropout: float = 0.0,
    precision: Precision = "float32",
    cached_words: int = CACHED_WORDS,
) -> Model[list[Doc], list[Floats2d]]:
    """Build a token encoder that computes what `spacy.HashEmbedCNN.v2` does, several times faster.

    With `attrs` and `rows` it computes what `spacy.Tok2Vec.v2` does with `spacy.MultiHashEmbed.v2`
    and `spacy.MaxoutWindowEncoder.v2`. Work that depends on the word alone is done once per
    distinct word of a batch. `spacy_mtl.models.convert.load_stock_weights` copies the weights
    of a trained stock encoder.

    width (int): Width of the embedding tables and of the output.
    depth (int): Number of convolutional layers. A token sees `depth * window_size` tokens to
        either side.
    embed_size (int): Rows of the embedding table of NORM; PREFIX, SUFFIX and SHAPE have half.
        Not used if `attrs` is given.
    window_size (int): Number of tokens to either side that a layer concatenates.
    maxout_pieces (int): Number of pieces of the layers' maxout.
    subword_features (bool): Whether to embed PREFIX, SUFFIX and SHAPE too. Not used if `attrs`
        is given.
    pretrained_vectors (Optional[bool]): Whether to use the static vectors of the vocabulary.
    attrs (Optional[List[str]]): The token attributes to embed, instead of the above.
    rows (Optional[List[int]]): The number of rows of each attribute's table, with `attrs`.
    include_static_vectors (bool): Same as `pretrained_vectors`, as `spacy.MultiHashEmbed.v2`
        calls it.
    word_dropout (float): In training, the share of words whose first attribute (NORM) is hidden,
        so that the network learns to go by the others where it meets an unknown word.
    precision (str): Precision of the maxout layers' matrix products, "float32" or "bfloat16"; in
        training of those of the window layers, on CPU. Where the processor can't do the latter
        fast, it warns and uses float32.
    cached_words (int): The number of words whose embedded vectors and first products are kept in
        prediction, at `4 * width * (1 + maxout_pieces * (2 * window_size + 1))` bytes each; 0 for
        none. With static vectors none are kept.
    RETURNS (Model[List[Doc], List[Floats2d]]): The encoder. Its output are views [tokens, width]
        of consecutive rows of one matrix.
    """
    attrs, rows = stock_tables(attrs, rows, embed_size, subword_features)
    return build_doc_encoder(
        "hash_embed_cnn",
        partial(WindowEncoder, width, depth, window_size, maxout_pieces),
        width=width,
        attrs=attrs,
        rows=rows,
        static_vectors=bool(pretrained_vectors or include_static_vectors),
        word_dropout=word_dropout,
        precision=precision,
        cached_words=cached_words,
        n_layers=depth,
    )


class WindowEncoder(nn.Module):
    """Residual layers of normalized maxout over windows of tokens, as spacy.MaxoutWindowEncoder.v2.

    Documents are separated by as many rows as a token can see to one side. These rows start as
    zeros and go through the layers like tokens: this is spaCy's arithmetic at the document's ends,
    and it makes a document's output independent of its neighbours.

    In training a layer computes only rows that some token still sees. In prediction on CPU it
    computes all rows, which lie next to each other in memory: see `compiled_windows` and, where
    that can't be, `paired_windows` for windows of three tokens and `window_blocks` for others and
    for products in bfloat16.

    width (int): Width of input and output.
    depth (int): Number of layers.
    window_size (int): Number of tokens to either side that a layer concatenates.
    pieces (int): Number of pieces of the maxout.
    """

    def __init__(self, width: int, depth: int, window_size: int, pieces: int) -> None:
        super().__init__()
        self.window_size = window_size
        self.layers = nn.ModuleList(
            NormalizedMaxout(width * (2 * window_size + 1), width, pieces) for _ in range(depth)
        )
        self.filters: Derived[list[Tensor]] = Derived()
        self.packed_first: Derived[PackedLayer] = Derived()  # the first layer, by word
        self.compiled: Derived[Any] = Derived()  # all layers
        self.compiled_later: Derived[Any] = Derived()  # all but the first

    def forward(
        self,
        words: EmbeddedWords,
        word_of_token: Tensor,
        lengths: list[int],
        dropout: float,
        layers_seen: list[Tensor] | None = None,
    ) -> Tensor:
        """Encode the tokens of a batch.

        words (EmbeddedWords): The words, in prediction maybe with their `word_products`.
        word_of_token (Tensor): [tokens], the row of the word at each token.
        lengths (List[int]): The number of tokens of each document.
        dropout (float): In training, the share of each layer's outputs that is dropped.
        layers_seen (Optional[List[Tensor]]): Gets the output of each layer, [tokens, width], from
            the embedding to the last.
        RETURNS (Tensor): [tokens, width].
        """
        rate = dropout if self.training else 0.0
        vectors = words.vectors
        if not self.layers:
            tokens = drop_out(F.embedding(word_of_token, vectors), rate, self.training)
            if layers_seen is not None:
                layers_seen.append(tokens)
            return tokens
        if is_on_cpu(vectors):
            if torch.is_grad_enabled():
                return self._train_rows(vectors, word_of_token, lengths, rate, layers_seen)
            return self._predict_rows(words, word_of_token, lengths, layers_seen)
        word_of_row, windows = self._place_tokens(word_of_token, lengths)
        layers = cast(Iterable[NormalizedMaxout], self.layers)
        first, *others = zip(layers, windows, strict=True)
        passed = []
        if rate or layers_seen is not None:
            passed.append(drop_out(F.embedding(word_of_row, vectors), rate, True))  # masks by token
        if rate:
            rows = self._encode_rows(*first, passed[0], rate)
        else:
            rows = self._encode_words(first[0], word_of_row[first[1]], words)
        for layer, layer_windows in others:
            if layers_seen is not None:
                passed.append(rows)
            rows = self._encode_rows(layer, layer_windows, rows, rate)
        if layers_seen is not None:
            layers_seen.extend(self._tokens_of([*passed, rows], windows))
        return rows

    def _train_rows(
        self,
        vectors: Tensor,
        word_of_token: Tensor,
        lengths: list[int],
        rate: float,
        layers_seen: list[Tensor] | None,
    ) -> Tensor:
        """Encode the tokens of a batch in training on CPU: [tokens, width]."""
        row_of_token, n_rows = self._rows_of_tokens(lengths)
        n_rows += -n_rows % self._row_step()
        word_of_row = torch.zeros(n_rows, dtype=torch.long)
        word_of_row[row_of_token] = word_of_token
        rows = drop_out(vectors.index_select(0, word_of_row), rate, True)
        layers = list(cast(Iterable[NormalizedMaxout], self.layers))
        ends = range(2 * self.window_size, n_rows, 2 * self.window_size)
        masks = [
            dropout_mask((n_rows - lost, vectors.shape[1]), rate)
            for lost, _ in zip(ends, layers, strict=False)
        ]
        outputs = encode_windows(
            rows,
            self.window_size,
            [(one.weight, one.bias, one.norm_weight, one.norm_bias) for one in layers],
            masks if rate else (),
            layers[0].product_dtype,
        )
        if layers_seen is not None:
            layers_seen.extend(
                output.index_select(0, row_of_token - number * self.window_size)
                for number, output in enumerate((rows, *outputs))
            )
            return layers_seen[-1]
        return outputs[-1].index_select(0, row_of_token - len(layers) * self.window_size)

    def _tokens_of(self, outputs: list[Tensor], windows: list[Tensor]) -> list[Tensor]:
        """Pick the tokens out of the rows of each layer: [tokens, width] each.

        outputs (List[Tensor]): [rows computed, width] of the embedding and of each layer.
        windows (List[Tensor]): What `_place_tokens` returns; the last layer's rows are the tokens.
        """
        tokens = outputs[-1:]
        row = torch.arange(len(outputs[-1]), device=outputs[-1].device)  # [tokens]
        for rows, layer_windows in zip(outputs[-2::-1], windows[::-1], strict=True):
            row = layer_windows[row, self.window_size]
            tokens.append(F.embedding(row, rows))
        return tokens[::-1]

    def _takes_pairs(self) -> bool:
        """Tell whether prediction takes pairs of tokens. Their products lose more digits than plain
        ones, which is nothing in float32, but something in bfloat16."""
        return self.window_size == 1 and self._product_dtype() == torch.float32

    def _row_step(self) -> int:
        """RETURNS (int): What the number of rows must be a multiple of."""
        return 2 if self._product_dtype() == torch.float32 else BFLOAT16_ROWS

    def _product_dtype(self) -> torch.dtype:
        return cast(NormalizedMaxout, self.layers[0]).product_dtype

    def _predict_rows(
        self,
        words: EmbeddedWords,
        word_of_token: Tensor,
        lengths: list[int],
        layers_seen: list[Tensor] | None,
    ) -> Tensor:
        """Encode the tokens of a batch in prediction on CPU: [tokens, width]."""
        vectors, size = words.vectors, self.window_size
        layers = list(cast(Iterable[NormalizedMaxout], self.layers))
        loops = find_loops()
        if loops is not None and can_compile(layers, size):
            return self._predict_compiled(loops, words, word_of_token, lengths, layers_seen)
        row_of_token, n_rows = self._rows_of_tokens(lengths)
        n_rows += -n_rows % self._row_step()
        row_of_token += size
        word_of_row = torch.zeros(n_rows + 2 * size, dtype=torch.long)  # windows end at no edge
        word_of_row[row_of_token] = word_of_token
        if layers_seen is not None:
            layers_seen.append(F.embedding(word_of_token, vectors))
        done = 0
        if _pays_by_word(words, word_of_token):
            rows = vectors.new_zeros((len(word_of_row), vectors.shape[1]))
            windows = word_of_row.unfold(0, 2 * size + 1, 1)
            self._encode_words(layers[0], windows, words, rows[size : size + n_rows])
            done = 1
        else:
            rows = vectors.index_select(0, word_of_row)
        if layers_seen is not None and done:
            layers_seen.append(rows.index_select(0, row_of_token))
        for number, layer in enumerate(layers[done:], done):
            rows = self._encode(number, layer, rows)
            if layers_seen is not None:
                layers_seen.append(rows.index_select(0, row_of_token))
        return rows.index_select(0, row_of_token)

    def _predict_compiled(
        self,
        loops: ModuleType,
        words: EmbeddedWords,
        word_of_token: Tensor,
        lengths: list[int],
        layers_seen: list[Tensor] | None,
    ) -> Tensor:
        """Encode the tokens of a batch in prediction with compiled loops: [tokens, width]."""
        layers = list(cast(Iterable[NormalizedMaxout], self.layers))
        row_of_token, n_rows = self._rows_of_tokens(lengths)
        word_of_row = torch.zeros(n_rows, dtype=torch.long)
        word_of_row[row_of_token] = word_of_token
        token_of_row = torch.full((n_rows,), -1)
        token_of_row[row_of_token] = torch.arange(len(word_of_token))
        first, later, kept = None, layers, self.compiled
        if _pays_by_word(words, word_of_token):
            first, later, kept = layers[0], layers[1:], self.compiled_later
            if words.products is None:
                words = EmbeddedWords(words.vectors, self.word_products(words.vectors))
        prepared = kept.get(
            [values for layer in layers for values in layer.own_parameters()],
            lambda: prepare_layers(loops, later, first),
        )
        outputs: list[Tensor | None] = [None] * len(later)
        outputs.append(words.vectors.new_empty((len(word_of_token), words.vectors.shape[1])))
        if layers_seen is not None:
            outputs = [torch.empty_like(cast(Tensor, outputs[-1])) for _ in outputs]
            layers_seen += [F.embedding(word_of_token, words.vectors)][: first is not None]
            layers_seen += cast(list[Tensor], outputs)
        encode_compiled(loops, prepared, first, words, word_of_row, token_of_row, outputs)
        return cast(Tensor, outputs[-1])

    def _encode(self, number: int, layer: NormalizedMaxout, rows: Tensor) -> Tensor:
        """Apply a layer in prediction on CPU: [rows, width]."""
        if not self._takes_pairs():
            return encode_blocks(layer, self.window_size, rows)
        layers = list(cast(Iterable[NormalizedMaxout], self.layers))
        filters = self.filters.get(
            [layer.weight for layer in layers],
            lambda: [pair_filters(layer.weight.detach().flatten(0, 1)) for layer in layers],
        )
        return encode_pairs(layer, filters[number], rows)

    def _rows_of_tokens(self, lengths: list[int]) -> tuple[Tensor, int]:
        """The row of each token where a gap as wide as a token can see lies before, between and
        after the documents, and the number of rows."""
        reach = len(self.layers) * self.window_size
        counts = torch.tensor([length for length in lengths if length])
        n_tokens = int(counts.sum())
        n_gaps = torch.arange(1, len(counts) + 1).repeat_interleave(counts, output_size=n_tokens)
        return torch.arange(n_tokens) + reach * n_gaps, n_tokens + reach * (len(counts) + 1)

    def _place_tokens(
        self, word_of_token: Tensor, lengths: list[int]
    ) -> tuple[Tensor, list[Tensor]]:
        """Lay documents and the gaps between them out in rows.

        word_of_token (Tensor): [tokens], the word at each token.
        lengths (List[int]): The number of tokens of each document.
        RETURNS (Tuple[Tensor, List[Tensor]]): [rows], the word at each row, 0 in gaps, and for
            each layer [rows computed, 2 * window_size + 1], which rows of its input form the
            window of each of its rows. The last layer's rows are the tokens.
        """
        device = word_of_token.device
        row_of_token, n_rows = self._rows_of_tokens(lengths)
        row_of_token = row_of_token.to(device)
        word_of_row = torch.zeros(n_rows, dtype=torch.long, device=device)
        word_of_row[row_of_token] = word_of_token

        offsets = torch.arange(-self.window_size, self.window_size + 1, device=device)
        is_seen = torch.zeros(n_rows, dtype=torch.bool, device=device)
        is_seen[row_of_token] = True
        windows = []
        for _ in self.layers:
            seen = is_seen.nonzero()  # [rows computed, 1]
            seen_before = is_seen.clone()
            for offset in range(1, self.window_size + 1):
                seen_before[offset:] |= is_seen[:-offset]
                seen_before[:-offset] |= is_seen[offset:]
            number = seen_before.cumsum(0) - 1  # of each row among the rows of the layer's input
            windows.append(number[seen + offsets])
            is_seen = seen_before
        return word_of_row, windows[::-1]

    def _encode_rows(
        self, layer: NormalizedMaxout, windows: Tensor, rows: Tensor, dropout: float
    ) -> Tensor:
        """Apply a layer to rows [rows before, width]: [rows, width]."""

        def compute(windows: Tensor) -> Tensor:
            inputs = F.embedding(windows, rows)  # [rows, 2 * window_size + 1, width]
            hidden = drop_out(layer(inputs.flatten(1)), dropout, self.training)
            return inputs[:, self.window_size] + hidden

        return in_blocks(compute, windows)

    def _encode_words(
        self,
        layer: NormalizedMaxout,
        windows: Tensor,
        words: EmbeddedWords,
        out: Tensor | None = None,
    ) -> Tensor:
        """Apply the first layer to windows of words [rows, 2 * window_size + 1]: [rows, width].

        A window's product with the weights is a sum over its words of products that depend on the
        word and its place in the window alone: they are computed once per word.

        layer (NormalizedMaxout): The layer.
        windows (Tensor): [rows, 2 * window_size + 1], words; 0 for none.
        words (EmbeddedWords): The words.
        out (Optional[Tensor]): [rows, width], gets the result.
        """
        size = 2 * self.window_size + 1
        products = self.word_products(words.vectors) if words.products is None else words.products
        products = products.view(len(products) * size, -1)  # [(1 + words) * size, hidden]
        place = torch.arange(size, device=windows.device)
        bias = layer.bias.flatten()

        def compute(windows: Tensor) -> Tensor:
            summed = F.embedding_bag(windows * size + place, products, mode="sum")
            hidden = summed.to(bias.dtype).add_(bias)
            own = F.embedding(windows[:, self.window_size], words.vectors)
            return layer.activate(hidden).add_(own)

        return in_blocks(compute, windows, out=out)

    def word_products(self, words: Tensor, into: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Multiply words with the first layer's weights, for each place in its window.

        words (Tensor): [words, width].
        into (Optional[Tuple[Tensor, Tensor]]): A table that gets the products, and the row for each
            word [words].
        RETURNS (Tensor): [words, places * hidden], in the layer's `product_dtype` in prediction; or
            the table.
        """
        layer = cast(NormalizedMaxout, self.layers[0])
        size = 2 * self.window_size + 1

        def find_weight() -> Tensor:
            weight = layer.weight.flatten(0, 1).unflatten(1, (size, -1))  # [hidden, size, width]
            return weight.transpose(0, 1).flatten(0, 1)

        loops = layer.find_loops(words)
        if loops is not None:
            packed = self.packed_first.get([layer.weight], lambda: pack_layer(loops, find_weight()))
            return apply_compiled(loops, words, packed, size * layer.bias.numel(), into=into)
        weight = find_weight()
        products = in_blocks(lambda block: layer.product(block, weight), words)
        return products if into is None else into[0].index_copy_(0, into[1], products)

    def word_parameters(self) -> list[Tensor]:
        """RETURNS (List[Tensor]): What `word_products` depends on; empty if there are none."""
        layers = cast(Iterable[NormalizedMaxout], self.layers)
        weights: list[Tensor] = [layer.weight for layer in layers]
        return weights[:1]


def _pays_by_word(words: EmbeddedWords, word_of_token: Tensor) -> bool:
    """RETURNS (bool): Whether the first layer is computed by word: where its products are known, or
    words come back often enough."""
    return words.products is not None or WORD_REPETITION * len(words.vectors) < len(word_of_token)


def is_on_cpu(values: Tensor) -> bool:
    """RETURNS (bool): Whether values are on the processor, not on an accelerator."""
    return values.device.type == "cpu"
