import numpy as np
import pytest
import torch

from spacy_mtl.models.text_classifier import (
    AttentionMaxPool,
    CategoryScorer,
    build_text_classifier,
    segment_max,
)

from .test_token_tagger import encoder, make_docs, randomize


def built(hidden_width=0):
    model = build_text_classifier(tok2vec=encoder(), hidden_width=hidden_width)
    model.set_dim("nO", 3)
    model.initialize(X=make_docs(2))
    randomize(model)
    return model


@pytest.mark.parametrize("hidden_width", [0, 7])
def test_gives_one_row_per_document(hidden_width):
    model = built(hidden_width)
    docs = make_docs(3, 0, 1, 0)
    scores = model.predict(docs)
    assert scores.shape == (4, 3)
    for doc, row in zip(docs, scores, strict=True):
        assert np.allclose(model.predict([doc])[0], row, atol=1e-5)
    assert np.allclose(model.predict(docs[::-1])[::-1], scores, atol=1e-5)


def test_outputs_are_known_once_built_and_after_loading():
    model = build_text_classifier(tok2vec=encoder())
    assert not model.has_dim("nO")
    trained = built()
    model.from_bytes(trained.to_bytes())
    assert model.get_dim("nO") == 3
    assert np.array_equal(model.predict(make_docs(3)), trained.predict(make_docs(3)))
    assert np.array_equal(trained.copy().predict(make_docs(3)), trained.predict(make_docs(3)))


def test_document_without_tokens_gets_the_bias_only():
    model = built()
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


def test_segment_max():
    rows = torch.tensor([[-1.0, 2.0], [-3.0, 5.0], [-7.0, 0.0]])
    result = segment_max(rows, torch.tensor([0, 0, 2]), 3)
    assert result.tolist() == [[-1.0, 5.0], [0.0, 0.0], [-7.0, 0.0]]


@pytest.mark.parametrize("hidden_width", [0, 6])
def test_gradient_of_the_network(hidden_width):
    torch.manual_seed(0)
    module = CategoryScorer(4, 3, hidden_width).double()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    names = [name for name, _ in module.named_parameters()]

    def forward(vectors, *parameters):
        own = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(module, own, (vectors, [0, 3, 1, 0, 5], 0.0))

    vectors = torch.randn(9, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(forward, (vectors, *module.parameters()))


def test_training_on_empty_documents_only_reaches_the_bias():
    module = CategoryScorer(4, 3, hidden_width=0)
    module(torch.zeros(0, 4, requires_grad=True), [0, 0], 0.0).sum().backward()
    assert module.output.bias.grad.tolist() == [2.0, 2.0, 2.0]
    assert not module.output.weight.grad.any()
    assert not module.pool.attention.weight.grad.any()
