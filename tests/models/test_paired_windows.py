import numpy as np
import pytest
import torch

from spacy_mtl.models.cnn import WindowEncoder, build_hash_embed_cnn
from spacy_mtl.models.embed import EmbeddedWords, NormalizedMaxout
from spacy_mtl.models.paired_windows import encode_pairs
from spacy_mtl.models.window_products import pair_filters
from tests.native import each_way

from .encoding import assert_close, make_docs

pytestmark = each_way


@pytest.mark.parametrize("n_rows", [2, 6, 512, 514, 1540])
@pytest.mark.parametrize("pieces", [1, 3])
def test_pairs_give_what_windows_give(n_rows, pieces):
    torch.manual_seed(0)
    layer = NormalizedMaxout(3 * 8, 8, pieces)
    torch.nn.init.normal_(layer.bias)
    rows = torch.randn(n_rows + 2, 8)
    with torch.no_grad():
        windows = torch.cat([rows[:-2], rows[1:-1], rows[2:]], 1)
        expected = rows[1:-1] + layer(windows)
        encoded = encode_pairs(layer, pair_filters(layer.weight.flatten(0, 1)), rows)
    torch.testing.assert_close(encoded[1:-1], expected, atol=2e-5, rtol=1e-5)
    assert not encoded[0].any() and not encoded[-1].any()


@pytest.mark.parametrize("lengths", [[1], [3, 0, 4], [2] * 9, [700], [5, 600]])
@pytest.mark.parametrize("n_words", [2, 5000])
def test_prediction_is_training_without_dropout(lengths, n_words):
    torch.manual_seed(0)
    encoder = WindowEncoder(8, 3, 1, 3)
    vectors = torch.cat([torch.zeros(1, 8), torch.randn(n_words, 8)])
    word_of_token = torch.randint(1, 1 + n_words, (sum(lengths),))
    trained = encoder(EmbeddedWords(vectors), word_of_token, lengths, 0.0)
    with torch.inference_mode():
        for products in (None, encoder.word_products(vectors)):
            words = EmbeddedWords(vectors, products)
            predicted = encoder(words, word_of_token, lengths, 0.0)
            torch.testing.assert_close(predicted, trained.detach(), atol=5e-5, rtol=1e-4)


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize(("width", "depth", "pieces"), [(5, 1, 3), (96, 4, 3), (20, 2, 2)])
def test_all_layers_of_prediction_are_those_of_training(width, depth, pieces, n_threads):
    torch.manual_seed(0)
    encoder = WindowEncoder(width, depth, 1, pieces)
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, 0.1, 0.3)
    vectors = torch.cat([torch.zeros(1, width), torch.randn(30, width)])
    lengths = [3, 0, 500, 1, 1000, 257]
    word_of_token = torch.randint(1, 31, (sum(lengths),))
    expected = []
    encoder(EmbeddedWords(vectors), word_of_token, lengths, 0.0, expected)
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        with torch.inference_mode():
            for products in (None, encoder.word_products(vectors)):
                for chosen in (slice(None), slice(3, 503)):  # words come back often or seldom
                    found = []
                    words, tokens = EmbeddedWords(vectors, products), word_of_token[chosen]
                    sizes = lengths if chosen == slice(None) else [500]
                    last = encoder(words, tokens, sizes, 0.0, found)
                    assert torch.equal(last, encoder(words, tokens, sizes, 0.0))
                    assert len(found) == len(expected) == 1 + depth
                    for own, trained in zip(found, expected, strict=True):
                        trained = trained.detach()[chosen]
                        torch.testing.assert_close(own, trained, atol=5e-5, rtol=1e-4)
    finally:
        torch.set_num_threads(before)


def test_changed_weights_count_at_once():
    encoder = WindowEncoder(8, 3, 1, 3)
    vectors = torch.cat([torch.zeros(1, 8), torch.randn(9, 8)])
    word_of_token = torch.randint(1, 10, (50,))

    def encode():
        with torch.inference_mode():
            return encoder(EmbeddedWords(vectors), word_of_token, [50], 0.0).clone()

    for layer in encoder.layers:
        for parameter in layer.parameters():
            before = encode()
            with torch.no_grad():
                parameter += torch.randn(parameter.shape)
            trained = encoder(EmbeddedWords(vectors), word_of_token, [50], 0.0).detach()
            assert not torch.allclose(encode(), before)
            torch.testing.assert_close(encode(), trained, atol=5e-5, rtol=1e-4)


@pytest.mark.parametrize("window_size", [1, 2])
@pytest.mark.parametrize("lengths", [[1], [3, 0, 4], [2] * 9, [700]])
def test_accelerators_compute_what_processors_compute(lengths, window_size, monkeypatch):
    """The way of other devices, taken on this one."""
    torch.manual_seed(0)
    encoder = WindowEncoder(8, 3, window_size, 3)
    vectors = torch.cat([torch.zeros(1, 8), torch.randn(50, 8)])
    word_of_token = torch.randint(1, 51, (sum(lengths),))

    def outputs():
        layers = []
        trained = encoder(EmbeddedWords(vectors), word_of_token, lengths, 0.0, layers)
        with torch.inference_mode():
            predicted = encoder(EmbeddedWords(vectors), word_of_token, lengths, 0.0)
        return [values.detach() for values in (trained, *layers, predicted)]

    expected = outputs()
    monkeypatch.setattr("spacy_mtl.models.cnn.is_on_cpu", lambda values: False)
    for found, own in zip(outputs(), expected, strict=True):
        torch.testing.assert_close(found, own, atol=5e-5, rtol=1e-4)


def test_a_very_long_document():
    docs = make_docs()
    model = build_hash_embed_cnn(width=8, depth=2, embed_size=50)
    model.initialize(X=docs)
    words = [token.text for token in docs[-1]] * 125
    long = type(docs[0])(docs[0].vocab, words=words)
    assert len(long) == 100_000
    vectors = model.predict([long])[0]
    assert vectors.shape == (100_000, 8)
    middle = type(docs[0])(docs[0].vocab, words=words[50_000:50_100])
    assert_close([vectors[50_010:50_090]], [model.predict([middle])[0][10:90]])
    assert np.isfinite(vectors).all()
