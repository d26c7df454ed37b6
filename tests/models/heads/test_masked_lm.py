import numpy as np
import pytest

from spacy_mtl.models.heads.masked_lm import build_masked_language_model
from spacy_mtl.models.heads.token_tagger import build_token_tagger
from tests.models.heads.test_token_tagger import encoder, make_docs, randomize


def built(hidden_width):
    model = build_masked_language_model(tok2vec=encoder(), hidden_width=hidden_width, n_buckets=50)
    model.initialize(X=(make_docs(2), np.zeros(0, dtype=np.int64)))
    randomize(model)
    return model


@pytest.mark.parametrize("hidden_width", [0, 7])
def test_scores_the_rows_asked_for_as_a_tagger_would(hidden_width):
    model = built(hidden_width)
    tagger = build_token_tagger(tok2vec=encoder(), hidden_width=hidden_width)
    tagger.set_dim("nO", 50)
    tagger.initialize(X=make_docs(2))
    tagger.from_bytes(model.to_bytes())
    docs, rows = make_docs(3, 0, 4), np.array([1, 2, 6])
    of_all, backprop_all = tagger.begin_update(docs)
    chosen, backprop = model.begin_update((docs, rows))
    assert np.allclose(chosen, of_all[rows], atol=1e-5)
    d_chosen = np.random.default_rng(0).normal(size=chosen.shape).astype("f")
    d_all = np.zeros_like(of_all)
    d_all[rows] = d_chosen
    backprop(d_chosen)
    backprop_all(d_all)
    assert_same_gradients(model, tagger)


def assert_same_gradients(one, other):
    for node, twin in zip(one.walk(), other.walk(), strict=True):
        for name in node.param_names:
            assert np.allclose(node.get_grad(name), twin.get_grad(name), atol=1e-5)
        for shim, twin_shim in zip(node.shims, twin.shims, strict=True):
            parameters = dict(twin_shim._model.named_parameters())
            for name, parameter in shim._model.named_parameters():
                assert np.allclose(parameter.grad, parameters[name].grad, atol=1e-5)


def test_no_rows_give_no_scores():
    model = built(0)
    scores = model.predict((make_docs(3), np.zeros(0, dtype=np.int64)))
    assert scores.shape == (0, 50)
