import numpy as np
import pytest
import spacy
from spacy.vectors import Vectors

from spacy_mtl.models.encoders.attention import build_hash_embed_attention
from spacy_mtl.models.encoders.cnn import build_hash_embed_cnn
from spacy_mtl.models.encoders.stock_weights import load_stock_weights
from tests.models.encoders.encoding import assert_close, make_docs, make_stock


@pytest.mark.parametrize(
    "settings,named",
    [
        ({"depth": 3}, "window_size"),
        ({"window_size": 2}, "window_size"),
        ({"width": 24}, "width"),
        ({"embed_size": 60}, "rows"),
        ({"maxout_pieces": 2}, "maxout_pieces"),
        ({"subword_features": False}, "attrs"),
        ({"attrs": ["NORM", "LOWER"], "rows": [50, 25]}, "attrs"),
    ],
)
def test_other_settings_are_named(settings, named):
    stock = make_stock(make_docs())
    model = build_hash_embed_cnn(**{"width": 16, "depth": 2, "embed_size": 50, **settings})
    with pytest.raises(ValueError, match=named):
        load_stock_weights(model, stock)


def test_static_vectors_on_one_side_only_are_named():
    docs = make_docs(vectors_width=10)
    stock = make_stock(docs, pretrained_vectors=True)
    with pytest.raises(ValueError, match="static vectors"):
        load_stock_weights(build_hash_embed_cnn(width=16, depth=2, embed_size=50), stock)


def test_other_encoders_cannot_hold_stock_weights():
    stock = make_stock(make_docs())
    with pytest.raises(ValueError, match="HashEmbedCNN"):
        load_stock_weights(build_hash_embed_attention(width=16, embed_size=50), stock)


def test_same_vectors_as_stock_with_floret_vectors():
    nlp = spacy.blank("en")
    table = np.random.RandomState(0).normal(size=(50, 10)).astype("f")
    nlp.vocab.vectors = Vectors(
        strings=nlp.vocab.strings,
        data=table,
        mode="floret",
        minn=2,
        maxn=3,
        hash_count=2,
        hash_seed=1,
        bow="<",
        eow=">",
    )
    docs = [nlp("some words that no table lists"), nlp("words")]
    stock = make_stock(docs, pretrained_vectors=True)
    ours = build_hash_embed_cnn(width=16, depth=2, embed_size=50, pretrained_vectors=True)
    ours.initialize(X=docs)
    load_stock_weights(ours, stock)
    assert_close(ours.predict(docs), stock.predict(docs))
    assert np.abs(ours.predict(docs)[0]).max() > 0.1
