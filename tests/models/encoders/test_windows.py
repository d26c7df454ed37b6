"""The window layers, with and without kernels, are the textbook's, forward and backward."""

import pytest
import torch

from spacy_mtl.models.encoders.embed import EmbeddedWords
from spacy_mtl.models.encoders.windows import WindowEncoder
from spacy_mtl.native.threads import set_num_threads
from tests.native import each_way

pytestmark = each_way
LENGTHS = [3, 0, 1, 600, 7]
N_WORDS = 30


def make_encoder(width, depth, window_size, pieces):
    torch.manual_seed(0)
    encoder = WindowEncoder(width, depth, window_size, pieces)
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, 0.1, 0.3)
    return encoder


def make_batch(width):
    """Vectors of words with a first row of zeros, and the word at each token."""
    vectors = torch.randn(1 + N_WORDS, width)
    vectors[0] = 0.0
    return vectors, 1 + torch.randint(N_WORDS, (sum(LENGTHS),))


def in_plain_words(encoder, vectors, word_of_token):
    """The output of each layer for each token: one document at a time, each between rows that
    start as zeros and go through the layers like tokens."""
    size, gap = encoder.window_size, len(encoder.layers) * encoder.window_size
    outputs = [[] for _ in range(1 + len(encoder.layers))]
    for words in word_of_token.split([length for length in LENGTHS if length]):
        rows = torch.nn.functional.pad(vectors[words], (0, 0, gap, gap))
        outputs[0].append(vectors[words])
        for number, layer in enumerate(encoder.layers, 1):
            windows = rows.unfold(0, 2 * size + 1, 1).transpose(1, 2).flatten(1)
            pieces = torch.einsum("ri,pwi->rpw", windows, layer.weight) + layer.bias
            result = torch.nn.functional.layer_norm(
                pieces.amax(1), (layer.width,), layer.norm_weight, layer.norm_bias, 1e-8
            )
            rows = rows[size : len(rows) - size] + result
            ends = gap - number * size
            outputs[number].append(rows[ends : len(rows) - ends])
    return [torch.cat(parts) for parts in outputs]


def assert_alike(found, expected):
    for own, other in zip(found, expected, strict=True):
        largest = float(1 + other.detach().abs().max())
        torch.testing.assert_close(own, other, atol=1e-4 * largest, rtol=1e-4)


@pytest.fixture(params=[1, 3])
def n_threads(request):
    set_num_threads(request.param)
    yield request.param
    set_num_threads(None)


SIZES = [(16, 1, 1, 3), (96, 3, 1, 3), (32, 2, 1, 2), (20, 2, 1, 3), (16, 2, 1, 1), (16, 2, 2, 3)]


@pytest.mark.parametrize(("width", "depth", "window_size", "pieces"), SIZES)
def test_outputs_and_gradients_of_training(width, depth, window_size, pieces, n_threads):
    encoder = make_encoder(width, depth, window_size, pieces)
    vectors, word_of_token = make_batch(width)
    vectors.requires_grad_()
    weights = [torch.randn(len(word_of_token), width) for _ in range(1 + depth)]

    def run(outputs):
        loss = sum((own * weight).sum() for own, weight in zip(outputs, weights, strict=True))
        return [*outputs, *torch.autograd.grad(loss, [vectors, *encoder.parameters()])]

    seen = []
    last = encoder(EmbeddedWords(vectors), word_of_token, LENGTHS, 0.0, seen)
    assert torch.equal(last, seen[-1])
    found = run(seen)
    expected = run(in_plain_words(encoder, vectors, word_of_token))
    n_outputs = 1 + depth
    found[n_outputs][0] = expected[n_outputs][0] = 0.0  # of the row that is no word
    assert_alike(found, expected)


@pytest.mark.parametrize("by_word", [True, False])
@pytest.mark.parametrize(("width", "depth", "window_size", "pieces"), SIZES)
def test_outputs_of_prediction(width, depth, window_size, pieces, n_threads, by_word):
    encoder = make_encoder(width, depth, window_size, pieces).eval()
    vectors, word_of_token = make_batch(width)
    with torch.no_grad():
        products = torch.zeros(len(vectors), encoder.n_word_products)
        encoder.write_word_products(vectors[1:], products, torch.arange(1, len(vectors)))
        words = EmbeddedWords(vectors, products if by_word else None)
        seen = []
        last = encoder(words, word_of_token, LENGTHS, 0.0)
        encoder(words, word_of_token, LENGTHS, 0.0, seen)
        expected = in_plain_words(encoder, vectors, word_of_token)
    assert_alike([*seen, last], [*expected, expected[-1]])


def test_dropout_leaves_out_a_share_and_keeps_the_mean():
    encoder = make_encoder(16, 1, 1, 3)
    vectors, _ = make_batch(16)
    word_of_token = torch.ones(4000, dtype=torch.long)  # one word
    words = EmbeddedWords(vectors)
    seen, dropped = [], []
    encoder(words, word_of_token, [4000], 0.0, seen)
    encoder(words, word_of_token, [4000], 0.25, dropped)
    is_zero = (dropped[0] == 0.0).float().mean()
    assert 0.23 < float(is_zero) < 0.27
    torch.testing.assert_close(dropped[0].mean(0), seen[0].mean(0), atol=0.1, rtol=0.1)


def test_layers_without_a_gradient_get_none():
    encoder = make_encoder(16, 3, 1, 3)
    vectors, word_of_token = make_batch(16)
    vectors.requires_grad_()
    seen = []
    encoder(EmbeddedWords(vectors), word_of_token, LENGTHS, 0.0, seen)
    seen[1].sum().backward()
    assert vectors.grad.any() and encoder.layers[0].weight.grad.any()
    assert encoder.layers[1].weight.grad is None
