"""Word embedding in torch with the arithmetic of spaCy's MultiHashEmbed."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from thinc.api import NumpyOps, glorot_uniform_init, uniform_init
from torch import Tensor, nn

from ...native import kernels_for
from ...native.linear import SummedRows
from ..layers.maxout import NormalizedMaxout

MIX_PIECES = 3  # spacy.MultiHashEmbed.v2 does not let one choose


class HashEmbed(nn.Module):
    """Hash-embedded attributes, and optionally static vectors, mixed to one vector per word.

    width (int): Width of the tables and of the output.
    table_sizes (Sequence[int]): The number of rows of each attribute's table.
    vector_width (Optional[int]): Width of the static vectors that are part of the mix; None if
        there are none.
    word_dropout (float): In training, the share of words whose first attribute is masked.
    """

    def __init__(
        self,
        width: int,
        table_sizes: Sequence[int],
        vector_width: int | None,
        word_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.word_dropout = word_dropout
        ops = NumpyOps()
        self.tables = nn.ParameterList(
            nn.Parameter(torch.as_tensor(uniform_init(ops, (size, width)))) for size in table_sizes
        )
        self.projection = None
        if vector_width is not None:
            drawn = glorot_uniform_init(ops, (width, vector_width))
            self.projection = nn.Parameter(torch.as_tensor(drawn))
        parts = len(table_sizes) + (vector_width is not None)
        self.mix = NormalizedMaxout(width * parts, width, MIX_PIECES)

    def own_parameters(self) -> list[Tensor]:
        """RETURNS (List[Tensor]): The same as `parameters`, many times quicker."""
        parameters = [*self.tables, *self.mix.own_parameters()]
        return parameters if self.projection is None else [self.projection, *parameters]

    def forward(self, rows: Tensor, vectors: Tensor | None, dropout: float) -> Tensor:
        """Embed words.

        rows (Tensor): [attributes, words, 4], rows of the tables.
        vectors (Optional[Tensor]): [words, vector width], static vectors.
        dropout (float): In training, the share of input columns that the whole batch does without.
        RETURNS (Tensor): [words, width].
        """
        kernels = kernels_for(self.tables[0])
        if kernels is not None and vectors is None:
            return self.mix.predict_native(kernels, SummedRows(list(self.tables), rows))
        parts = [
            F.embedding_bag(word_rows, table, mode="sum")
            for word_rows, table in zip(rows, self.tables, strict=True)
        ]
        if self.training and self.word_dropout:
            kept = torch.rand(rows.shape[1], 1, device=rows.device) >= self.word_dropout
            parts[0] = parts[0] * kept
        if self.projection is not None and vectors is not None:
            parts.append(F.linear(vectors, self.projection))
        features = torch.cat(parts, 1)  # [words, width * parts]
        if self.training and dropout:
            features = features * F.dropout(torch.ones_like(features[:1]), dropout)
        outputs: Tensor = self.mix(features)
        return outputs


class EmbeddedWords(NamedTuple):
    """The distinct words of a batch and maybe others, for an encoder to read.

    vectors (Tensor): [1 + words, width]. The first row is zeros, for where there is no word.
    products (Optional[Tensor]): [1 + words, columns], what the encoder computes of a word alone
        (see `WindowEncoder.write_word_products`), where that is known; the first row is zeros.
    """

    vectors: Tensor
    products: Tensor | None = None
