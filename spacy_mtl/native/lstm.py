"""Layers of LSTMs in both directions in prediction."""

from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from .packing import pack_lstm as pack_direction
from .threads import parallel_for


class PackedLSTM(NamedTuple):
    """The weights of an LSTM as the kernels need them: see `packing.pack_lstm`.

    weights (np.ndarray): [2, groups, inputs + hidden, gates, lanes].
    biases (np.ndarray): [2, groups, gates, lanes].
    n_hidden (int): Hidden states of each direction.
    """

    weights: np.ndarray
    biases: np.ndarray
    n_hidden: int


def pack_lstm(kernels: ModuleType, lstm: nn.LSTM) -> PackedLSTM:
    """Lay out the weights of an LSTM.

    kernels (ModuleType): The kernels.
    lstm (nn.LSTM): One layer in two directions, with biases and without projections.
    RETURNS (PackedLSTM): What `run_bilstm` needs of it.
    """
    directions = []
    for suffix in ("l0", "l0_reverse"):
        w_input, w_hidden, b_input, b_hidden = (
            getattr(lstm, f"{name}_{suffix}").detach()
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        directions.append(pack_direction(w_input, w_hidden, b_input + b_hidden, kernels.lanes()))
    weights, biases = zip(*directions, strict=True)
    return PackedLSTM(torch.stack(weights).numpy(), torch.stack(biases).numpy(), lstm.hidden_size)


def run_bilstm(
    kernels: ModuleType,
    packed: PackedLSTM,
    tokens: Tensor,
    start: np.ndarray,
    size: np.ndarray,
    kept_from: np.ndarray,
    kept_to: np.ndarray,
) -> Tensor:
    """Run a layer of LSTMs over pieces of a batch, in both directions.

    kernels (ModuleType): The kernels.
    packed (PackedLSTM): What `pack_lstm` made of the layer.
    tokens (Tensor): [tokens, width].
    start (np.ndarray): [pieces], the first token of each.
    size (np.ndarray): [pieces], the number of its tokens, at least 1.
    kept_from (np.ndarray): [pieces], the first of its tokens whose states are wanted, counted in
        the piece.
    kept_to (np.ndarray): [pieces], the one after the last.
    RETURNS (Tensor): [tokens, 2 * hidden], the states of all tokens that are wanted in some piece.
    """
    order = np.argsort(-size, kind="stable")
    pieces = [np.ascontiguousarray(values[order]) for values in (start, size, kept_from, kept_to)]
    states = torch.empty((len(tokens), 2 * packed.n_hidden))
    inputs, outputs = tokens.contiguous().numpy(), states.numpy()

    def work(next_chunk: np.ndarray) -> None:
        kernels.read_sequences(packed.weights, packed.biases, inputs, *pieces, outputs, next_chunk)

    parallel_for(work, 2 * kernels.n_sequence_groups(len(order)))
    return states
