import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from thinc.api import fix_random_seed, set_dropout_rate

from spacy_mtl.models.encoders.cnn import build_hash_embed_cnn
from spacy_mtl.models.encoders.doc_encoder import torch_module
from spacy_mtl.models.encoders.stock_weights import load_stock_weights
from tests.models.encoders.encoding import (
    assert_close,
    assert_relatively_close,
    make_docs,
    make_stock,
    make_stock_tok2vec,
)
from tests.native import each_way

pytestmark = each_way

SETTINGS = [
    {},
    {"depth": 4},
    {"depth": 1, "maxout_pieces": 1},
    {"window_size": 2, "maxout_pieces": 2},
    {"subword_features": False},
    {"pretrained_vectors": True},
]


def make_pair(docs, **settings):
    stock = make_stock(docs, **settings)
    ours = build_hash_embed_cnn(**{"width": 16, "depth": 2, "embed_size": 50, **settings})
    ours.initialize(X=docs)
    load_stock_weights(ours, stock)
    return ours, stock


@pytest.mark.parametrize("settings", SETTINGS)
def test_same_vectors_as_stock(settings):
    docs = make_docs(vectors_width=10)
    ours, stock = make_pair(docs, **settings)
    for batch in (docs, docs[1:], docs[1:3], docs[2:3], docs * 3):
        assert_close(ours.predict(batch), stock.predict(batch))
        assert_close(ours.begin_update(batch)[0], stock.predict(batch))


@pytest.mark.parametrize("settings", SETTINGS)
def test_same_gradients_as_stock(settings):
    docs = make_docs(vectors_width=10)
    ours, stock = make_pair(docs, **settings)
    assert_same_gradients(ours, stock, docs)


def test_same_gradients_as_stock_where_pieces_tie():
    docs = make_docs()
    ours, stock = make_pair(docs)
    for node in stock.walk():
        if node.name == "maxout":  # with no bias all pieces of a gap are equal
            node.set_param("b", node.get_param("b") * 0)
    load_stock_weights(ours, stock)
    assert_same_gradients(ours, stock, docs)


def assert_same_gradients(ours, stock, docs):
    vectors, backprop_ours = ours.begin_update(docs)
    _, backprop_stock = stock.begin_update(docs)
    random = np.random.RandomState(0)
    d_vectors = [random.normal(size=rows.shape).astype("f") for rows in vectors]
    assert backprop_ours([rows.copy() for rows in d_vectors]) == []
    backprop_stock([rows.copy() for rows in d_vectors])
    module = torch_module(ours)
    nodes = list(stock.walk(order="dfs_pre"))
    tables = [node.get_grad("E") for node in nodes if node.name == "hashembed"]
    for table, d_table in zip(module.embed.tables, tables, strict=True):
        assert_relatively_close(table.grad, d_table)
    for node in nodes:
        if node.name == "static_vectors":
            assert_relatively_close(module.embed.projection.grad, node.get_grad("W"))
    layers = [module.embed.mix, *module.encode.layers]
    maxouts = [node for node in nodes if node.name == "maxout"]
    norms = [node for node in nodes if node.name == "layernorm"]
    for layer, maxout, norm in zip(layers, maxouts, norms, strict=True):
        assert_relatively_close(layer.weight.grad, maxout.get_grad("W").swapaxes(0, 1))
        assert_relatively_close(layer.bias.grad, maxout.get_grad("b").T)
        assert_relatively_close(layer.norm_weight.grad, norm.get_grad("G"))
        assert_relatively_close(layer.norm_bias.grad, norm.get_grad("b"))


@pytest.mark.parametrize("static_vectors", [True, False])
@pytest.mark.parametrize("attrs", [["LOWER"], ["ORTH", "SPACY", "SUFFIX", "LENGTH", "IS_TITLE"]])
def test_same_vectors_and_gradients_as_stock_tok2vec(attrs, static_vectors):
    docs = make_docs(vectors_width=10)
    rows = [40 + number for number in range(len(attrs))]
    stock = make_stock_tok2vec(docs, attrs, rows, static_vectors)
    ours = build_hash_embed_cnn(
        width=16, depth=2, attrs=attrs, rows=rows, include_static_vectors=static_vectors
    )
    ours.initialize(X=docs)
    load_stock_weights(ours, stock)
    assert_close(ours.predict(docs), stock.predict(docs))
    assert_same_gradients(ours, stock, docs)


def test_same_gradients_with_and_without_the_shared_first_layer():
    docs = make_docs()
    ours, stock = make_pair(docs)
    set_dropout_rate(ours, 1e-9)  # takes the way of training with dropout, and drops nothing
    assert_same_gradients(ours, stock, docs)


def test_output_is_cut_from_one_matrix():
    docs = make_docs()
    ours, _ = make_pair(docs)
    for vectors in (ours.predict(docs), ours.begin_update(docs)[0]):
        flat = vectors[0].base
        assert flat.shape == (sum(map(len, docs)), 16) and flat.dtype == np.float32
        np.testing.assert_array_equal(np.concatenate(vectors), flat)


def test_no_tokens():
    docs = make_docs()
    ours, _ = make_pair(docs)
    assert ours.predict([]) == []
    vectors, backprop = ours.begin_update(docs[1:2])
    assert [rows.shape for rows in vectors] == [(0, 16)]
    assert backprop(vectors) == []


def test_width_is_known_without_initialization():
    assert build_hash_embed_cnn(width=24).get_dim("nO") == 24


def test_initialization_depends_on_the_seed_alone():
    docs = make_docs()
    model = build_hash_embed_cnn(width=16, depth=1, embed_size=50)
    outputs = []
    for seed in (1, 2, 1):
        fix_random_seed(seed)
        model.initialize(X=docs)
        outputs.append(model.predict(docs)[0])
    np.testing.assert_array_equal(outputs[0], outputs[2])
    assert np.abs(outputs[0] - outputs[1]).max() > 0.1


def test_dropout_drops_in_training_only():
    docs = make_docs()
    ours, stock = make_pair(docs)
    before = ours.predict(docs)
    set_dropout_rate(ours, 0.5)
    assert_close(ours.predict(docs), before, tolerance=0.0)
    assert np.abs(ours.begin_update(docs)[0][0] - before[0]).max() > 0.1


def test_dropout_is_drawn_for_each_token():
    docs = make_docs()
    model = build_hash_embed_cnn(width=64, depth=0, embed_size=50)
    model.initialize(X=docs)
    set_dropout_rate(model, 0.5)
    vectors = np.concatenate(model.begin_update([docs[2], docs[2]])[0])  # one word twice
    dropped = vectors == 0
    assert 10 < dropped[0].sum() < 54
    assert (dropped[0] != dropped[1]).any()


def test_word_dropout_hides_the_first_attribute_in_training_only():
    nlp = spacy.blank("en")
    docs = [Doc(nlp.vocab, words=["saxyz", "sbxyz", "scxyz"] * 100)]  # equal but for NORM
    model = build_hash_embed_cnn(width=8, depth=0, embed_size=500, word_dropout=0.5)
    model.initialize(X=docs)
    assert len(np.unique(model.predict(docs)[0], axis=0)) == 3
    for seed in range(20):
        fix_random_seed(seed)
        rows = np.unique(model.begin_update(docs)[0][0], axis=0)
        if len(rows) < 3:
            break
    assert len(rows) in (1, 2)  # two or three words have lost what tells them apart


def test_missing_static_vectors_are_reported():
    model = build_hash_embed_cnn(pretrained_vectors=True)
    with pytest.raises(ValueError, match="vocabulary has none"):
        model.initialize(X=make_docs())
    with pytest.raises(ValueError, match="at least one Doc"):
        model.initialize()


@pytest.mark.parametrize("settings", [{"attrs": ["NORM"]}, {"attrs": ["NORM"], "rows": [5, 5]}])
def test_attributes_without_table_sizes_are_reported(settings):
    with pytest.raises(ValueError, match="one number of rows"):
        build_hash_embed_cnn(**settings)


def test_static_vectors_survive_serialization():
    docs = make_docs(vectors_width=10)
    settings = {"width": 16, "depth": 1, "embed_size": 50, "pretrained_vectors": True}
    trained = build_hash_embed_cnn(**settings)
    trained.initialize(X=docs)
    loaded = build_hash_embed_cnn(**settings).from_bytes(trained.to_bytes())
    assert_close(loaded.predict(docs), trained.predict(docs), tolerance=0.0)
