"""A layer of LSTMs in both directions, with a backward pass that is quick on CPU.

torch's own, for packed sequences on CPU, records a dozen small operations for each step and
direction, and multiplies weights and gradients step by step. Here both directions take a step
together, and whatever does not depend on the step before is one product over all steps: the
projections of the inputs, and the gradients of inputs and weights (as in Appleyard et al., 2016,
"Optimizing Performance of Recurrent Neural Networks on GPUs", https://arxiv.org/abs/1604.01946).
"""

from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence


def bilstm(lstm: nn.LSTM, inputs: Tensor, batch_sizes: Tensor) -> Tensor:
    """Run a layer of LSTMs over sequences, both ways.

    lstm (nn.LSTM): One layer in two directions, with biases and without projections.
    inputs (Tensor): [steps of all sequences, n_in], ordered as in torch's `PackedSequence`.
    batch_sizes (Tensor): [steps of the longest sequence], the number of sequences that have such a
        step.
    RETURNS (Tensor): [steps of all sequences, 2 * hidden], in the same order.
    """
    if inputs.device.type != "cpu" or not torch.is_grad_enabled():
        return cast(Tensor, lstm(PackedSequence(inputs, batch_sizes))[0].data)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    weights = [
        torch.stack([getattr(lstm, name), getattr(lstm, f"{name}_reverse")]) for name in names
    ]
    sizes = batch_sizes.numpy()
    turned = torch.from_numpy(reverse_packed_indices(sizes))
    both = torch.stack([inputs, inputs[turned]])  # [2, steps, n_in]
    hidden = _Recurrence.apply(both, *weights, sizes)
    return torch.cat([hidden[0], hidden[1][turned]], 1)


class Sequences(NamedTuple):
    """Sequences of tokens of a batch, which may overlap: [sequences] each.

    start (np.ndarray): The first token, counted over the batch.
    size (np.ndarray): The number of tokens.
    kept_from (np.ndarray): The first token, counted in the sequence, whose state is wanted.
    kept_to (np.ndarray): The one after the last. Each token of the batch is wanted in one sequence.
    """

    start: np.ndarray
    size: np.ndarray
    kept_from: np.ndarray
    kept_to: np.ndarray


def pack_sequences(sequences: Sequences) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Order the tokens of sequences step by step.

    sequences (Sequences): The sequences, at least one of them with a token.
    RETURNS (Tuple[np.ndarray, np.ndarray, np.ndarray]): [steps of all sequences], the token at
        each, ordered as in torch's `PackedSequence`; [steps of the longest sequence], the number of
        sequences that have such a step; and [tokens], where in the first array each token stands
        whose state is wanted.
    """
    size = sequences.size
    rank = np.empty_like(size)
    rank[np.argsort(-size, kind="stable")] = np.arange(len(size))  # [sequences], the longest first
    n_running = (size[None, :] > np.arange(size.max())[:, None]).sum(1)  # [steps]
    first_of_step = n_running.cumsum() - n_running
    sequence = np.arange(len(size)).repeat(size)  # [steps of all sequences]
    step = np.arange(len(sequence)) - (size.cumsum() - size)[sequence]
    place = first_of_step[step] + rank[sequence]
    token = sequences.start[sequence] + step
    token_of_step = np.empty_like(token)
    token_of_step[place] = token
    is_kept = (step >= sequences.kept_from[sequence]) & (step < sequences.kept_to[sequence])
    step_of_token = np.empty(is_kept.sum(), dtype=np.int64)
    step_of_token[token[is_kept]] = place[is_kept]
    return token_of_step, n_running, step_of_token


def reverse_packed_indices(batch_sizes: np.ndarray) -> np.ndarray:
    """Find where each step of packed sequences lies once every sequence is turned round.

    batch_sizes (np.ndarray): [steps of the longest sequence], the number of sequences that have
        such a step.
    RETURNS (np.ndarray): [steps of all sequences]; applied twice it gives the same order again.
    """
    first_of_step = batch_sizes.cumsum() - batch_sizes
    lengths = (batch_sizes[:, None] > np.arange(batch_sizes[0])).sum(0)  # [sequences]
    step = np.arange(len(batch_sizes)).repeat(batch_sizes)  # [steps of all sequences]
    sequence = np.arange(len(step)) - first_of_step[step]
    return np.asarray(first_of_step[lengths[sequence] - 1 - step] + sequence)


class _Recurrence(torch.autograd.Function):
    """The LSTMs of both directions, each of which gets its sequences in reading order.

    Gates are kept in the order input, forget, output, cell; torch's is input, forget, cell, output.
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,  # [2, steps, n_in]
        w_input: Tensor,  # [2, 4 * hidden, n_in]
        w_hidden: Tensor,  # [2, 4 * hidden, hidden]
        b_input: Tensor,  # [2, 4 * hidden]
        b_hidden: Tensor,  # [2, 4 * hidden]
        sizes: np.ndarray,
    ) -> Tensor:
        n_hidden = w_hidden.shape[2]
        w_input, w_hidden = _reorder(w_input), _reorder(w_hidden)
        bias = _reorder(b_input + b_hidden)
        gates = torch.baddbmm(bias[:, None], inputs, w_input.transpose(1, 2))
        hidden, cells, squashed = (
            gates.new_empty(2, gates.shape[1], n_hidden) for _ in range(3)
        )  # [2, steps, hidden]
        recurrent = w_hidden.transpose(1, 2)
        counts = sizes.tolist()
        parts = (*gates.split(n_hidden, 2), gates[:, :, : 3 * n_hidden], gates)
        by_step = [part.split(counts, 1) for part in (*parts, hidden, cells, squashed)]
        last_hidden = last_cell = None
        for i, f, o, g, switches, all_gates, h, c, tanh_c in zip(*by_step, strict=True):
            if last_hidden is not None and last_cell is not None:
                n_running = h.shape[1]
                if last_hidden.shape[1] != n_running:
                    last_hidden, last_cell = last_hidden[:, :n_running], last_cell[:, :n_running]
                all_gates.baddbmm_(last_hidden, recurrent)
            switches.sigmoid_()
            g.tanh_()
            torch.mul(i, g, out=c)
            if last_cell is not None:
                c.addcmul_(f, last_cell)
            torch.tanh(c, out=tanh_c)
            torch.mul(o, tanh_c, out=h)
            last_hidden, last_cell = h, c
        ctx.save_for_backward(inputs, w_input, w_hidden, gates, hidden, cells, squashed)
        ctx.sizes = sizes
        return hidden

    @staticmethod
    def backward(ctx: Any, d_hidden: Tensor) -> tuple[Tensor | None, ...]:
        inputs, w_input, w_hidden, gates, hidden, cells, squashed = ctx.saved_tensors
        sizes, n_hidden = ctx.sizes, hidden.shape[2]
        before = torch.from_numpy(
            np.arange(sizes[0], len(inputs[0])) - sizes[:-1].repeat(sizes[1:])
        )
        i, f, o, g = gates.split(n_hidden, 2)
        last_cells = torch.zeros_like(cells)  # [2, steps, hidden]
        last_cells[:, sizes[0] :] = cells[:, before]
        # what the gradients of cell (first three gates but the output's) and hidden state are
        # multiplied with to become those of the gates, before their nonlinearities
        factors = torch.cat(
            [
                g * i * (1.0 - i),
                last_cells * f * (1.0 - f),
                squashed * o * (1.0 - o),
                i * (1.0 - g * g),
            ],
            2,
        )
        to_cell = o * (1.0 - squashed * squashed)
        counts = sizes.tolist()
        d_gates = factors  # overwritten step by step
        by_step = [
            part.split(counts, 1)
            for part in (*d_gates.split(n_hidden, 2), d_gates, f, to_cell, d_hidden)
        ]
        d_next = d_cell_next = None
        for d_i, d_f, d_o, d_g, d_all, forget, slope, d_own in reversed(
            list(zip(*by_step, strict=True))
        ):
            d_h = d_own
            if d_next is not None:
                n_running = d_next.shape[1]
                d_h = d_own.clone()
                d_h[:, :n_running] += d_next
            d_c = d_h * slope
            if d_cell_next is not None:
                d_c[:, : d_cell_next.shape[1]] += d_cell_next
            d_i.mul_(d_c)
            d_f.mul_(d_c)
            d_g.mul_(d_c)
            d_o.mul_(d_h)
            d_cell_next = d_c.mul_(forget)
            d_next = torch.bmm(d_all, w_hidden)
        d_w_hidden = torch.bmm(d_gates[:, sizes[0] :].transpose(1, 2), hidden[:, before])
        d_w_input = torch.bmm(d_gates.transpose(1, 2), inputs)
        d_inputs = torch.bmm(d_gates, w_input) if ctx.needs_input_grad[0] else None
        d_bias = _restore(d_gates.sum(1))
        d_weights = _restore(d_w_input), _restore(d_w_hidden)
        return d_inputs, *d_weights, d_bias, d_bias.clone(), None  # each bias owns its gradient


def _reorder(weights: Tensor) -> Tensor:
    """From torch's order of gates, input, forget, cell, output, to the one used here."""
    i, f, g, o = weights.chunk(4, 1)
    return torch.cat([i, f, o, g], 1)


def _restore(weights: Tensor) -> Tensor:
    """The reverse of `_reorder`."""
    i, f, o, g = weights.chunk(4, 1)
    return torch.cat([i, f, g, o], 1)
