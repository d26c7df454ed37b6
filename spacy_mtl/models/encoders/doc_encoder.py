"""A torch encoder of words in context as a thinc model that reads documents."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from spacy.tokens import Doc
from thinc.api import ArgsKwargs, Model, torch2xp, xp2torch
from thinc.shims import PyTorchShim
from thinc.types import Floats2d
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers.features import (
    WordBatch,
    attribute_ids,
    extract_words,
    join_rows,
    split_rows,
    table_rows,
)
from ..layers.torch_layer import build_module, torch_layer
from .channels import (
    OUTPUT_SPEC,
    READ_CHANNELS,
    REPLACE_LISTENER,
    Channel,
    OutputSpec,
    keep_channel_listener,
)
from .embed import EmbeddedWords, HashEmbed
from .windows import WindowEncoder
from .word_cache import CacheSlots, WordCache

STOCK_ATTRS = ["NORM", "PREFIX", "SUFFIX", "SHAPE"]
CACHED_WORDS = 10_000


class EmbedAndEncode(nn.Module):
    """Embed the distinct words of a batch, then encode its tokens in context.

    In prediction on CPU the vectors of words are cached for later batches, and with them what the
    encoder's first layer computes of a word alone.

    embed (HashEmbed): The embedding.
    encode (nn.Module): Called with `EmbeddedWords`, the row of the word at each token [tokens], the
        documents' lengths, the dropout rate and a list that gets each layer's output, where that is
        wanted; returns [tokens, width]. Its `windows` is a `WindowEncoder`, its first part.
    cached_words (int): The number of words whose vectors are cached in prediction.
    """

    def __init__(self, embed: HashEmbed, encode: nn.Module, cached_words: int) -> None:
        super().__init__()
        self.embed = embed
        self.encode = encode
        self.cache = WordCache(cached_words)

    def forward(
        self, batch: WordBatch, dropout: float, layers: Sequence[int] | None = None
    ) -> Tensor:
        """Encode a batch.

        batch (WordBatch): The words of the batch.
        dropout (float): The dropout rate in training.
        layers (Optional[Sequence[int]]): The layers to give, 0 for the embedding; the last where
            None.
        RETURNS (Tensor): [tokens, width], with `layers` [tokens, layers * width].
        """
        parameters = self.embed.own_parameters()
        device = parameters[0].device
        if torch.is_grad_enabled() or device.type != "cpu":
            embedded = self._embed(batch.values, batch.vectors, dropout, device)
            words = EmbeddedWords(F.pad(embedded, (0, 0, 1, 0)))
            return self._encode(words, 1 + batch.word_of_token, batch, dropout, layers)
        windows = cast(WindowEncoder, self.encode.windows)
        widths = [self.embed.mix.width, windows.n_word_products]
        parameters += windows.word_parameters()
        with self.cache.lookup(batch.keys, parameters, widths) as slots:
            if len(slots.misses):
                self._fill(slots, batch, windows)
            words = EmbeddedWords(*slots.tables)
            return self._encode(words, slots.rows[batch.word_of_token], batch, dropout, layers)

    def _fill(self, slots: CacheSlots, batch: WordBatch, windows: WindowEncoder) -> None:
        """Compute the values of the words that are not in the cache."""
        misses = slots.misses
        static = None if batch.vectors is None else cast(Any, batch.vectors)[misses]
        vectors = self._embed(batch.values[:, misses], static, 0.0, torch.device("cpu"))
        rows = torch.from_numpy(slots.rows[misses])
        slots.tables[0].index_copy_(0, rows, vectors)
        windows.write_word_products(vectors, slots.tables[1], rows)
        slots.commit()

    def _encode(
        self,
        words: EmbeddedWords,
        word_of_token: np.ndarray,
        batch: WordBatch,
        dropout: float,
        layers: Sequence[int] | None,
    ) -> Tensor:
        rows = torch.from_numpy(word_of_token).to(words.vectors.device)
        if layers is None:
            return cast(Tensor, self.encode(words, rows, batch.lengths, dropout))
        outputs: list[Tensor] = []
        self.encode(words, rows, batch.lengths, dropout, outputs)
        return torch.cat([outputs[number] for number in layers], 1)

    def _embed(
        self, values: np.ndarray, vectors: Floats2d | None, dropout: float, device: torch.device
    ) -> Tensor:
        rows = table_rows(values, [len(table) for table in self.embed.tables])
        static = None if vectors is None else xp2torch(vectors, device=device)
        return cast(Tensor, self.embed(torch.from_numpy(rows).to(device), static, dropout))


def stock_tables(
    attrs: list[str] | None, rows: list[int] | None, embed_size: int, subword_features: bool
) -> tuple[list[str], list[int]]:
    """Fill in the attributes and table sizes that `spacy.HashEmbedCNN.v2` uses.

    attrs (Optional[List[str]]): The attributes, if chosen by hand.
    rows (Optional[List[int]]): The number of rows of each attribute's table, with `attrs`.
    embed_size (int): The number of rows of the first table otherwise.
    subword_features (bool): Whether to embed more than NORM otherwise.
    RETURNS (Tuple[List[str], List[int]]): The attributes and their tables' sizes.
    RAISES (ValueError): If only one of `attrs` and `rows` is given, or their lengths differ.
    """
    if attrs is None and rows is None:
        if subword_features:
            return list(STOCK_ATTRS), [embed_size] + [embed_size // 2] * 3
        return STOCK_ATTRS[:1], [embed_size]
    if not attrs or not rows or len(attrs) != len(rows):
        raise ValueError(
            "'attrs' and 'rows' of the encoder: one number of rows is needed for each attribute, "
            f"found attrs={attrs} and rows={rows}; leave both out for {STOCK_ATTRS}."
        )
    return attrs, rows


def build_doc_encoder(
    name: str,
    make_encode: Callable[[], nn.Module],
    *,
    width: int,
    attrs: list[str],
    rows: list[int],
    static_vectors: bool,
    word_dropout: float = 0.0,
    cached_words: int = CACHED_WORDS,
    n_layers: int,
) -> Model[list[Doc], list[Floats2d]]:
    """Build a token encoder from a torch module that encodes embedded words in context.

    name (str): The name of the model.
    make_encode (Callable[[], nn.Module]): Makes the `encode` part of `EmbedAndEncode`; can be
        pickled.
    width (int): Width of embedding and output.
    attrs (List[str]): The token attributes to embed.
    rows (List[int]): The number of rows of each attribute's table.
    static_vectors (bool): Whether to use the static vectors of the vocabulary.
    word_dropout (float): In training, the share of words whose first attribute is masked.
    cached_words (int): The number of words whose vectors are cached in prediction.
    n_layers (int): The number of layers above the embedding.
    RETURNS (Model[List[Doc], List[Floats2d]]): The encoder. Its output are views [tokens, width]
        of consecutive rows of one matrix.
    """
    layer = torch_layer(
        partial(
            _build_module,
            make_encode,
            width,
            rows,
            static_vectors,
            word_dropout,
            cached_words,
        ),
        _to_torch,
        _from_torch,
        settings={"vector_width": 0},
        dims={"nI": None, "nO": width},
    )
    return Model(
        name,
        _forward,
        init=_init,
        layers=[layer],
        dims={"nO": width},
        attrs={
            "attrs": attribute_ids(attrs),
            "static_vectors": static_vectors,
            "dropout_rate": 0.0,
            OUTPUT_SPEC: partial(_exposure, n_layers=n_layers),
            READ_CHANNELS: _read_layers,
            REPLACE_LISTENER: keep_channel_listener,
        },
    )


def _build_module(
    make_encode: Callable[[], nn.Module],
    width: int,
    rows: list[int],
    static_vectors: bool,
    word_dropout: float,
    cached_words: int,
    vector_width: int,
) -> EmbedAndEncode:
    embed = HashEmbed(width, rows, vector_width if static_vectors else None, word_dropout)
    return EmbedAndEncode(embed, make_encode(), cached_words)


def torch_module(model: Model[Any, Any]) -> EmbedAndEncode:
    """Get the torch module inside an encoder.

    model (Model): A model made by `build_doc_encoder`.
    RETURNS (EmbedAndEncode): The module that holds the weights.
    """
    return cast(EmbedAndEncode, model.layers[0].shims[0]._model)


def _forward(
    model: Model[list[Doc], list[Floats2d]], docs: Sequence[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Doc]]]:
    return _encode(model, docs, is_train)


def _exposure(model: Model[list[Doc], list[Floats2d]], *, n_layers: int) -> OutputSpec:
    return OutputSpec(layers=tuple(range(n_layers + 1)), layer_width=model.get_dim("nO"))


def _read_layers(
    model: Model[list[Doc], list[Floats2d]],
    docs: Sequence[Doc],
    is_train: bool,
    channels: Sequence[Channel],
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Doc]]]:
    return _encode(model, docs, is_train, [channel.number for channel in channels])


def _encode(
    model: Model[list[Doc], list[Floats2d]],
    docs: Sequence[Doc],
    is_train: bool,
    layers: list[int] | None = None,
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Doc]]]:
    """The output for each document, or the layers that are named next to each other."""
    lengths = [len(doc) for doc in docs]
    if not sum(lengths):
        n_parts = 1 if layers is None else len(layers)
        empty = model.ops.alloc2f(0, n_parts * model.get_dim("nO"))
        return [empty for _ in docs], lambda d_tokens: []
    attrs = model.attrs
    batch = extract_words(docs, attrs["attrs"], attrs["static_vectors"])
    flat, backprop_flat = model.layers[0]((batch, attrs["dropout_rate"], layers), is_train)

    def backprop(d_tokens: list[Floats2d]) -> list[Doc]:
        backprop_flat(join_rows(model.ops, d_tokens))
        return []

    return split_rows(flat, lengths), backprop


def _init(
    model: Model[list[Doc], list[Floats2d]],
    X: list[Doc] | None = None,
    Y: list[Floats2d] | None = None,
) -> None:
    vector_width = 0
    if model.attrs["static_vectors"]:
        if not X:
            raise ValueError(
                f"{model.name} uses static vectors, whose width is read off the documents given "
                "to initialize(); got none. Pass at least one Doc."
            )
        vector_width = X[0].vocab.vectors.shape[1]
        if not vector_width:
            raise ValueError(
                f"{model.name} is to use static vectors (include_static_vectors or "
                "pretrained_vectors), but the vocabulary has none; set [initialize] vectors to a "
                "pipeline that has them."
            )
    build_module(model.layers[0], vector_width=vector_width)


def _to_torch(
    model: Model[Any, Any], inputs: tuple[WordBatch, float], is_train: bool
) -> tuple[ArgsKwargs, Callable[[ArgsKwargs], None]]:
    return ArgsKwargs(inputs, {}), _no_gradient


def _no_gradient(d_inputs: ArgsKwargs) -> None:
    """Documents have no gradient."""


def _from_torch(
    model: Model[Any, Any], inputs_output: tuple[Any, Tensor], is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], ArgsKwargs]]:
    _, output = inputs_output
    device = cast(PyTorchShim, model.shims[0]).device

    def to_torch(d_output: Floats2d) -> ArgsKwargs:
        return ArgsKwargs(((output,),), {"grad_tensors": (xp2torch(d_output, device=device),)})

    return cast(Floats2d, torch2xp(output)), to_torch
