"""A convolutional token encoder with an LSTM in both directions on top."""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import cast

import numpy as np
import torch
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d
from torch import Tensor, nn
from torch.nn import functional as F

from ...native import kernels_for
from ...native.lstm import PackedLSTM, pack_lstm, run_bilstm
from ..layers.dropout import dropout as drop_out
from ..layers.lstm import Sequences, bilstm, pack_sequences
from ..layers.parameter_cache import ParameterCache
from .doc_encoder import CACHED_WORDS, build_doc_encoder, stock_tables
from .embed import EmbeddedWords
from .windows import WindowEncoder

CORE_TOKENS = 256  # a document is cut into pieces that overlap by OVERLAP_TOKENS to either side
OVERLAP_TOKENS = 64


@registry.architectures("spacy_mtl.HashEmbedBiLSTM.v1")
def build_hash_embed_bilstm(
    *,
    width: int = 96,
    depth: int = 2,
    lstm_depth: int = 1,
    embed_size: int = 2000,
    window_size: int = 1,
    maxout_pieces: int = 3,
    attrs: list[str] | None = None,
    rows: list[int] | None = None,
    include_static_vectors: bool = False,
    word_dropout: float = 0.0,
    cached_words: int = CACHED_WORDS,
) -> Model[list[Doc], list[Floats2d]]:
    """Build a token encoder of convolutional layers and then LSTM layers in both directions.

    The cost is linear in the length of a document, and a document's output does not depend on the
    other documents of its batch.

    width (int): Width of the embedding tables and of the output; even.
    depth (int): Number of convolutional layers.
    lstm_depth (int): Number of LSTM layers, each of half the width in either direction.
    embed_size (int): Rows of the embedding table of NORM; PREFIX, SUFFIX and SHAPE have half.
        Not used if `attrs` is given.
    window_size (int): Number of tokens to either side that a convolutional layer concatenates.
    maxout_pieces (int): Number of pieces of the convolutional layers' maxout.
    attrs (Optional[List[str]]): The token attributes to embed, instead of the above.
    rows (Optional[List[int]]): The number of rows of each attribute's table, with `attrs`.
    include_static_vectors (bool): Whether to use the static vectors of the vocabulary.
    word_dropout (float): In training, the share of words whose first attribute (NORM) is masked,
        so that the network learns to go by the others where it meets an unknown word.
    cached_words (int): The number of words whose embedded vectors and first products are cached in
        prediction, at `4 * width * (1 + maxout_pieces * (2 * window_size + 1))` bytes each; 0 for
        none.
    RETURNS (Model[List[Doc], List[Floats2d]]): The encoder. Its output are views [tokens, width]
        of consecutive rows of one matrix.
    RAISES (ValueError): If the width is odd.
    """
    if width % 2:
        raise ValueError(
            f"'width' of spacy_mtl.HashEmbedBiLSTM.v1: found {width}; each direction takes half of "
            "it, choose an even number."
        )
    attrs, rows = stock_tables(attrs, rows, embed_size, subword_features=True)
    return build_doc_encoder(
        "hash_embed_bilstm",
        partial(BiLSTMEncoder, width, depth, window_size, maxout_pieces, lstm_depth),
        width=width,
        attrs=attrs,
        rows=rows,
        static_vectors=include_static_vectors,
        word_dropout=word_dropout,
        cached_words=cached_words,
        n_layers=depth + lstm_depth,
    )


def cut_pieces(lengths: list[int]) -> Sequences:
    """Cut documents into overlapping pieces.

    lengths (List[int]): The number of tokens of each document.
    RETURNS (Sequences): The pieces, in order.
    """
    counts = np.asarray(lengths)
    doc_start = counts.cumsum() - counts
    n_pieces = -(-counts // CORE_TOKENS)
    document = np.arange(len(counts)).repeat(n_pieces)  # [pieces]
    first_piece = n_pieces.cumsum() - n_pieces
    core = (np.arange(len(document)) - first_piece[document]) * CORE_TOKENS
    core_end = np.minimum(core + CORE_TOKENS, counts[document])
    start = np.maximum(core - OVERLAP_TOKENS, 0)  # [pieces], in the document
    end = np.minimum(core_end + OVERLAP_TOKENS, counts[document])
    return Sequences(doc_start[document] + start, end - start, core - start, core_end - start)


class BiLSTMEncoder(nn.Module):
    """Convolutional layers, then LSTM layers; see `build_hash_embed_bilstm`."""

    def __init__(
        self, width: int, depth: int, window_size: int, pieces: int, lstm_depth: int
    ) -> None:
        super().__init__()
        self.windows = WindowEncoder(width, depth, window_size, pieces)
        self.lstm = nn.ModuleList(
            nn.LSTM(width, width // 2, bidirectional=True) for _ in range(lstm_depth)
        )
        self.norm = nn.ModuleList(nn.LayerNorm(width) for _ in range(lstm_depth))
        self.packed: ParameterCache[list[PackedLSTM]] = ParameterCache()

    def forward(
        self,
        words: EmbeddedWords,
        word_of_token: Tensor,
        lengths: list[int],
        dropout: float,
        layers_seen: list[Tensor] | None = None,
    ) -> Tensor:
        """Encode the tokens of a batch; see `WindowEncoder.forward`."""
        tokens = self.windows(words, word_of_token, lengths, dropout, layers_seen)
        # [tokens, width]
        pieces = cut_pieces(lengths)
        kernels = kernels_for(tokens)
        if kernels is None:
            read = self._reader(tokens.device, pieces)
        else:
            read = self._native_reader(kernels, pieces)
        for number, norm in enumerate(self.norm):
            tokens = tokens + drop_out(norm(read(number, tokens)), dropout, self.training)
            if layers_seen is not None:
                layers_seen.append(tokens)
        return tokens

    def _reader(self, device: torch.device, pieces: Sequences) -> Callable[[int, Tensor], Tensor]:
        """RETURNS (Callable[[int, Tensor], Tensor]): Takes the number of a layer and its input
        [tokens, width], gives the layer's states [tokens, width]."""
        packed_tokens, sizes, place = pack_sequences(pieces)
        token_of_step = torch.from_numpy(packed_tokens).to(device)
        step_of_token = torch.from_numpy(place).to(device)
        batch_sizes = torch.from_numpy(sizes)

        def read(number: int, tokens: Tensor) -> Tensor:
            lstm = cast(nn.LSTM, self.lstm[number])
            steps = bilstm(lstm, F.embedding(token_of_step, tokens), batch_sizes)
            return F.embedding(step_of_token, steps)

        return read

    def _native_reader(
        self, kernels: ModuleType, pieces: Sequences
    ) -> Callable[[int, Tensor], Tensor]:
        """See `_reader`; in prediction with kernels."""
        layers = [cast(nn.LSTM, lstm) for lstm in self.lstm]
        packed = self.packed.get(
            list(self.lstm.parameters()), lambda: [pack_lstm(kernels, lstm) for lstm in layers]
        )
        return lambda number, tokens: run_bilstm(kernels, packed[number], tokens, *pieces)
