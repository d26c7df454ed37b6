import numpy as np
import pytest
import torch
from spacy.tokens import Doc

from spacy_mtl.models.heads.hashed_bigram_bag import hash_features
from spacy_mtl.models.heads.text_classifier import (
    AttentionMaxPool,
    CategoryScorer,
    build_text_classifier,
    segment_max,
)
from tests.models.heads.test_token_tagger import VOCAB, encoder, make_docs, randomize

OWN = {"private_width": 5, "private_rows": 11}


def built(hidden_width=0, **settings):
    model = build_text_classifier(tok2vec=encoder(), hidden_width=hidden_width, **settings)
    model.set_dim("nO", 3)
    model.initialize(X=make_docs(2))
    randomize(model)
    return model


@pytest.mark.parametrize("settings", [{}, {"hidden_width": 7}, OWN, {"hidden_width": 7, **OWN}])
def test_gives_one_row_per_document(settings):
    model = built(**settings)
    docs = make_docs(3, 0, 1, 0)
    scores = model.predict(docs)
    assert scores.shape == (4, 3)
    for doc, row in zip(docs, scores, strict=True):
        assert np.allclose(model.predict([doc])[0], row, atol=1e-5)
    assert np.allclose(model.predict(docs[::-1])[::-1], scores, atol=1e-5)


@pytest.mark.parametrize("settings", [{}, OWN])
def test_outputs_are_known_once_built_and_after_loading(settings):
    model = build_text_classifier(tok2vec=encoder(), **settings)
    assert not model.has_dim("nO")
    trained = built(**settings)
    model.from_bytes(trained.to_bytes())
    assert model.get_dim("nO") == 3
    assert np.array_equal(model.predict(make_docs(3)), trained.predict(make_docs(3)))
    assert np.array_equal(trained.copy().predict(make_docs(3)), trained.predict(make_docs(3)))


def test_networks_saved_before_there_were_own_words_still_load():
    old = built()
    layer = old.layers[1]
    layer.shims[0].cfg = {"width": layer.shims[0].cfg["width"], "n_categories": 3}
    for attribute in ("private_width", "private_rows"):
        del old.attrs[attribute]
    model = build_text_classifier(tok2vec=encoder(), **OWN)
    model.from_bytes(old.to_bytes())
    assert np.array_equal(model.predict(make_docs(3)), old.predict(make_docs(3)))


@pytest.mark.parametrize("settings", [{}, OWN])
def test_document_without_tokens_gets_the_bias_only(settings):
    model = built(**settings)
    bias = model.layers[1].shims[0]._model.output.bias.detach().numpy()
    assert np.allclose(model.predict(make_docs(0, 2))[0], bias)


def test_pooling_is_mean_and_max_at_first():
    pool = AttentionMaxPool(2)
    vectors = torch.tensor([[1.0, -4.0], [3.0, -2.0], [5.0, 0.5]])
    pooled = pool(vectors, [2, 0, 1]).tolist()
    assert pooled == [[2.0, -3.0, 3.0, -2.0], [0.0, 0.0, 0.0, 0.0], [5.0, 0.5, 5.0, 0.5]]


def test_attention_is_a_softmax_over_the_document():
    pool = AttentionMaxPool(3)
    torch.nn.init.normal_(pool.attention.weight)
    vectors = torch.randn(7, 3) * 50
    pooled = pool(vectors, [3, 4])
    for rows, row in zip(vectors.split([3, 4]), pooled, strict=True):
        weights = pool.attention(rows).softmax(dim=0)
        assert torch.allclose((weights * rows).sum(dim=0), row[:3], rtol=1e-4, atol=1e-3)


def test_a_document_alone_is_pooled_as_in_a_batch():
    torch.manual_seed(0)
    pool = AttentionMaxPool(3)
    torch.nn.init.normal_(pool.attention.weight)
    lengths = [4, 1, 7]
    vectors = torch.randn(sum(lengths), 3)
    with torch.inference_mode():
        together = pool(vectors, lengths)
        alone = [pool(rows, [len(rows)]) for rows in vectors.split(lengths)]
    torch.testing.assert_close(torch.cat(alone), together)
    trained = [pool(rows, [len(rows)]) for rows in vectors.split(lengths)]
    torch.testing.assert_close(torch.cat(trained).detach(), together)


def test_segment_max():
    rows = torch.tensor([[-1.0, 2.0], [-3.0, 5.0], [-7.0, 0.0]])
    result = segment_max(rows, torch.tensor([0, 0, 2]), 3)
    assert result.tolist() == [[-1.0, 5.0], [0.0, 0.0], [-7.0, 0.0]]


def test_gradient_of_segment_max_goes_to_the_highest_in_equal_parts():
    rows = torch.tensor([[1.0, 2.0], [1.0, 0.0], [0.0, 3.0]], requires_grad=True)
    segment_max(rows, torch.tensor([0, 0, 2]), 3).backward(torch.tensor([[4.0, 1], [7, 7], [2, 3]]))
    assert rows.grad.tolist() == [[2.0, 1.0], [2.0, 0.0], [2.0, 3.0]]


@pytest.mark.parametrize("settings", [(0,), (6,), (0, 3, 2), (6, 3, 2)])
def test_gradient_of_the_network(settings):
    torch.manual_seed(0)
    module = CategoryScorer(4, 3, *settings).double()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    names = [name for name, _ in module.named_parameters()]
    features = torch.randint(4, (9, 2))

    def forward(vectors, *parameters):
        own = dict(zip(names, parameters, strict=True))
        inputs = (vectors, [0, 3, 1, 0, 5], 0.0, features)
        return torch.func.functional_call(module, own, inputs)

    vectors = torch.randn(9, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(forward, (vectors, *module.parameters()))


def test_training_on_empty_documents_only_reaches_the_bias():
    module = CategoryScorer(4, 3, hidden_width=0)
    module(torch.zeros(0, 4, requires_grad=True), [0, 0], 0.0).sum().backward()
    assert module.output.bias.grad.tolist() == [2.0, 2.0, 2.0]
    assert not module.output.weight.grad.any()
    assert not module.pool.attention.weight.grad.any()


def test_network_has_no_words_of_its_own_unless_asked():
    parameters = dict(built().layers[1].shims[0]._model.named_parameters())
    assert not [name for name in parameters if name.startswith("bag")]


def test_own_words_tell_documents_apart_that_the_trunk_does_not():
    model = built(**OWN)
    trunk = model.get_ref("tok2vec")
    for node in trunk.walk():
        for name in node.param_names:
            node.set_param(name, node.get_param(name) * 0)
    first, second = model.predict([Doc(VOCAB, words=["good"]), Doc(VOCAB, words=["bad"])])
    assert not np.allclose(first, second)


def test_own_words_learn():
    model = built(**OWN)
    docs = make_docs(3, 0, 2)
    _, backprop = model.begin_update(docs)
    backprop(np.ones((3, 3), dtype="f"))
    table = model.layers[1].shims[0]._model.bag.vectors
    read = np.unique(hash_features(docs, OWN["private_rows"]))
    assert sorted(table.grad.abs().sum(1).nonzero().flatten().tolist()) == read.tolist()


@pytest.mark.parametrize(
    "setting", [{"private_width": -1}, {"private_rows": 0}, {"hidden_width": -2}]
)
def test_sizes_out_of_range_are_refused(setting):
    with pytest.raises(ValueError, match=f"'{next(iter(setting))}' of spacy_mtl.TextClassifier"):
        build_text_classifier(tok2vec=encoder(), **setting)
