"""Word embedding in torch with the arithmetic of spaCy's MultiHashEmbed."""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from thinc.api import NumpyOps, glorot_uniform_init, uniform_init
from torch import Tensor, nn

from .compiled_layers import PackedLayer, SummedRows, apply_compiled, find_loops_for, pack_layer
from .parameter_state import Derived
from .precision import reduce_precision
from .window_training import normalized_maxout

LAYER_NORM_EPSILON = 1e-8  # thinc's
MIX_PIECES = 3  # spacy.MultiHashEmbed.v2 does not let one choose
BLOCK_ROWS = 1024
_BELOW_ZERO = -torch.finfo(torch.float32).tiny


class _MaxPiece(torch.autograd.Function):
    """The largest piece. Of equal pieces the first gets the gradient, as in thinc."""

    @staticmethod
    def forward(ctx: Any, pieces: Tensor) -> Tensor:
        # pieces: [rows, pieces, width]
        largest = pieces.amax(1)
        ctx.save_for_backward(pieces, largest)
        return largest

    @staticmethod
    def backward(ctx: Any, d_largest: Tensor) -> Tensor:
        pieces, largest = ctx.saved_tensors
        d_pieces = torch.empty_like(pieces)
        rest = d_largest
        for number in range(pieces.shape[1] - 1):
            # keeps the gradient where the difference is zero: much quicker than a boolean mask
            won = torch.ops.aten.threshold_backward(rest, pieces[:, number] - largest, _BELOW_ZERO)
            d_pieces[:, number] = won
            rest = rest - won
        d_pieces[:, -1] = rest
        return d_pieces


class NormalizedMaxout(nn.Module):
    """A linear layer with several pieces, the largest of which counts, then layer normalization.

    In prediction, the matrix product is computed in `product_dtype`, everything else in float32.

    n_in (int): Width of the input.
    width (int): Width of the output.
    pieces (int): Number of pieces.
    """

    def __init__(self, n_in: int, width: int, pieces: int) -> None:
        super().__init__()
        self.product_dtype = torch.float32
        self.width = width
        self.pieces = pieces
        # the distributions that thinc uses
        drawn = torch.as_tensor(glorot_uniform_init(NumpyOps(), (width, pieces, n_in)))
        self.weight = nn.Parameter(drawn.transpose(0, 1).contiguous())
        self.bias = nn.Parameter(torch.zeros(pieces, width))
        self.norm_weight = nn.Parameter(torch.ones(width))
        self.norm_bias = nn.Parameter(torch.zeros(width))
        self.packed: Derived[PackedLayer] = Derived()

    def forward(self, inputs: Tensor) -> Tensor:
        """Apply the layer.

        inputs (Tensor): [rows, n_in].
        RETURNS (Tensor): [rows, width].
        """
        if torch.is_grad_enabled() and inputs.device.type == "cpu":
            return normalized_maxout(
                inputs, self.weight, self.bias, self.norm_weight, self.norm_bias
            )
        weight, bias = self.weight.flatten(0, 1), self.bias.flatten()
        loops = self.find_loops(inputs)
        if loops is not None:
            return self.predict_compiled(loops, inputs)
        if torch.is_grad_enabled() or self.product_dtype == torch.float32:
            return self.activate(F.linear(inputs, weight, bias))
        return self.activate(self.product(inputs, weight).float() + bias)

    def product(self, inputs: Tensor, weight: Tensor) -> Tensor:
        """Multiply rows with weights, in prediction in `product_dtype`.

        inputs (Tensor): [rows, n_in].
        weight (Tensor): [hidden, n_in].
        RETURNS (Tensor): [rows, hidden], in prediction of that type.
        """
        if torch.is_grad_enabled() or self.product_dtype == torch.float32:
            return F.linear(inputs, weight)
        rows = reduce_precision(inputs, self.product_dtype)
        return F.linear(rows, weight.to(self.product_dtype))[: len(inputs)]

    def predict_compiled(self, loops: ModuleType, inputs: Tensor | SummedRows) -> Tensor:
        """Apply the layer in prediction with compiled loops.

        loops (ModuleType): The loops.
        inputs (Union[Tensor, SummedRows]): [rows, n_in].
        RETURNS (Tensor): [rows, width].
        """
        packed = self.packed.get(
            [self.weight, self.bias],
            lambda: pack_layer(loops, self.weight.flatten(0, 1), self.bias.flatten()),
        )
        maxout = self.pieces, self.norm_weight, self.norm_bias
        return apply_compiled(loops, inputs, packed, self.width, maxout=maxout)

    def find_loops(self, inputs: Tensor) -> ModuleType | None:
        """RETURNS (Optional[ModuleType]): The compiled loops, if this layer can use them."""
        if self.product_dtype != torch.float32:
            return None
        return find_loops_for(inputs, self.weight)

    def own_parameters(self) -> tuple[Tensor, ...]:
        """RETURNS (Tuple[Tensor, ...]): The same as `parameters`, many times quicker."""
        return self.weight, self.bias, self.norm_weight, self.norm_bias

    def activate(self, hidden: Tensor) -> Tensor:
        """Apply what follows the linear part.

        hidden (Tensor): [rows, pieces * width].
        RETURNS (Tensor): [rows, width].
        """
        hidden = hidden.view(-1, self.pieces, self.width)
        largest = _MaxPiece.apply(hidden) if hidden.requires_grad else hidden.amax(1)
        return F.layer_norm(
            largest, (self.width,), self.norm_weight, self.norm_bias, LAYER_NORM_EPSILON
        )


class HashEmbed(nn.Module):
    """Hash-embedded attributes, and optionally static vectors, mixed to one vector per word.

    width (int): Width of the tables and of the output.
    table_sizes (Sequence[int]): The number of rows of each attribute's table.
    vector_width (Optional[int]): Width of the static vectors that are part of the mix; None if
        there are none.
    word_dropout (float): In training, the share of words whose first attribute is hidden.
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
        found = [*self.tables, *self.mix.own_parameters()]
        return found if self.projection is None else [self.projection, *found]

    def forward(self, rows: Tensor, vectors: Tensor | None, dropout: float) -> Tensor:
        """Embed words.

        rows (Tensor): [attributes, words, 4], rows of the tables.
        vectors (Optional[Tensor]): [words, vector width], static vectors.
        dropout (float): In training, the share of input columns that the whole batch does without.
        RETURNS (Tensor): [words, width].
        """
        loops = self.mix.find_loops(self.tables[0])
        if loops is not None and vectors is None:
            return self.mix.predict_compiled(loops, SummedRows(list(self.tables), rows))
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
        return in_blocks(self.mix, features)


class EmbeddedWords(NamedTuple):
    """The distinct words of a batch and maybe others, for an encoder to read.

    vectors (Tensor): [1 + words, width]. The first row is zeros, for where there is no word.
    products (Optional[Tensor]): [1 + words, columns], what the encoder computes of a word alone
        (see `WindowEncoder.word_products`), where that is known; the first row is zeros.
    """

    vectors: Tensor
    products: Tensor | None = None


def in_blocks(
    compute: Callable[[Tensor], Tensor],
    rows: Tensor,
    block_rows: int = BLOCK_ROWS,
    out: Tensor | None = None,
) -> Tensor:
    """Compute a function of each row, in prediction on CPU for a few rows at a time.

    The intermediate results of a block stay in the processor's cache.

    compute (Callable[[Tensor], Tensor]): A function of rows [n, ...], each on its own.
    rows (Tensor): [rows, ...].
    block_rows (int): Rows in a block.
    out (Optional[Tensor]): [rows, ...], gets the results, where it is there already.
    RETURNS (Tensor): [rows, ...], the results.
    """
    if torch.is_grad_enabled() or rows.is_cuda or rows.shape[0] <= block_rows:
        found = compute(rows)
        return found if out is None else out.copy_(found)
    if out is None:
        return torch.cat([compute(block) for block in rows.split(block_rows)])
    for block, part in zip(rows.split(block_rows), out.split(block_rows), strict=True):
        part.copy_(compute(block))
    return out
