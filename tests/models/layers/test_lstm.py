"""`bilstm` computes what torch's own LSTM does, forwards and backwards."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from spacy_mtl.models.layers.lstm import bilstm, reverse_packed_indices

some_lengths = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def batch_sizes_of(lengths):
    return torch.tensor([sum(length > step for length in lengths) for step in range(max(lengths))])


def gradients_of(outputs, weighting, lstm, inputs):
    (outputs * weighting).sum().backward()
    found = [inputs.grad, *(weights.grad for weights in lstm.parameters())]
    lstm.zero_grad()
    inputs.grad = None
    return found


@settings(max_examples=30, deadline=None)
@given(lengths=some_lengths, seed=st.integers(0, 1000))
def test_outputs_and_all_gradients_are_those_of_torch(lengths, seed):
    torch.manual_seed(seed)
    lstm = nn.LSTM(6, 4, bidirectional=True)
    sizes = batch_sizes_of(lengths)
    inputs = torch.randn(sum(lengths), 6, requires_grad=True)
    weighting = torch.randn(sum(lengths), 8)
    expected = lstm(PackedSequence(inputs, sizes))[0].data
    expected_gradients = gradients_of(expected, weighting, lstm, inputs)
    found = bilstm(lstm, inputs, sizes)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    for own, theirs in zip(
        gradients_of(found, weighting, lstm, inputs), expected_gradients, strict=True
    ):
        torch.testing.assert_close(own, theirs, rtol=1e-4, atol=1e-5)


def test_prediction_gives_the_same_outputs():
    lstm = nn.LSTM(6, 4, bidirectional=True)
    sizes = batch_sizes_of([5, 3, 3])
    inputs = torch.randn(11, 6)
    trained = bilstm(lstm, inputs, sizes)
    with torch.inference_mode():
        torch.testing.assert_close(bilstm(lstm, inputs, sizes), trained.detach())


@given(lengths=some_lengths)
def test_every_sequence_is_turned_round(lengths):
    lengths = sorted(lengths, reverse=True)
    sizes = batch_sizes_of(lengths).numpy()
    places = [(at, step) for step, n in enumerate(sizes) for at in range(n)]
    turned = reverse_packed_indices(sizes)
    assert [places[row] for row in turned] == [(at, lengths[at] - 1 - step) for at, step in places]
    np.testing.assert_array_equal(turned[turned], np.arange(sum(lengths)))
