"""What heads read, and what they send back, against the same networks in plain torch."""

import numpy as np
import pytest
import torch
from spacy.training import Example
from thinc.api import set_dropout_rate

from spacy_mtl.models.encoders.channels import Channel, find_output_spec, with_channels
from spacy_mtl.models.encoders.doc_encoder import torch_module
from spacy_mtl.models.encoders.embed import EmbeddedWords
from spacy_mtl.models.layers.features import extract_words
from spacy_mtl.models.layers.parameter_cache import invalidate_caches
from tests.models.encoders.encoding import make_docs
from tests.trunk.channels.pipelines import (
    EXPERT_WIDTH,
    GATED,
    MIX,
    PLAIN,
    WIDTH,
    experts,
    layer,
    make_nlp,
)
from tests.trunk.pipelines import TRUNK, make_examples

ENCODER_NAMES = ["cnn", "bilstm", "attention"]


def tok2vec_of(nlp, head):
    return nlp.get_pipe(head).model.get_ref("tok2vec")


def docs_of(nlp):
    return [eg.predicted for eg in make_examples(nlp)]


def torch_layers(model, docs):
    """The layers as autograd tensors, of the tokens of all documents."""
    batch = extract_words(docs, model.attrs["attrs"], False)
    module = torch_module(model).train()
    seen = []
    words = module._embed(batch.values, None, 0.0, torch.device("cpu"))
    rows = torch.from_numpy(batch.word_of_token) + 1
    table = EmbeddedWords(torch.nn.functional.pad(words, (0, 0, 1, 0)))
    module.encode(table, rows, batch.lengths, 0.0, seen)
    return seen


def parameter_gradients(model):
    shims = [shim for node in model.walk() for shim in node.shims]
    named = [(name, p) for shim in shims for name, p in shim._model.named_parameters()]
    found = {
        f"{i} {name}": torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for i, (name, p) in enumerate(named)
    }
    for _, parameter in named:
        parameter.grad = None
    return found


def assert_same_gradients(actual, expected):
    assert list(actual) == list(expected)
    assert sum(float(gradient.abs().sum()) for gradient in expected.values()) > 0.1
    for name, gradient in expected.items():
        torch.testing.assert_close(actual[name], gradient, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("is_train", [False, True])
@pytest.mark.parametrize("encoder", ENCODER_NAMES)
def test_each_layer_is_what_a_shallower_encoder_gives(encoder, is_train):
    """Layer l is the output of the encoder without the layers above l, in training and not."""
    docs = make_docs()
    nlp = make_nlp(encoder, {})
    model = nlp.get_pipe(TRUNK).model
    exposure = find_output_spec(model)
    channels = [Channel("layer", number) for number in exposure.layers]
    shown = np.concatenate(with_channels(model, channels)(docs, is_train)[0])
    assert shown.shape[1] == 3 * WIDTH
    encode = torch_module(model).encode
    windows = getattr(encode, "windows", encode)
    for number in (2, 1, 0):
        last = np.concatenate(model(docs, is_train)[0])
        own = shown[:, number * WIDTH : (number + 1) * WIDTH]
        np.testing.assert_allclose(last, own, atol=1e-5)
        if number == 2 and encoder != "cnn":
            setattr(encode, {"bilstm": "lstm"}.get(encoder, encoder), torch.nn.ModuleList())
            encode.norm = torch.nn.ModuleList()
        else:
            windows.layers = windows.layers[: number - 1]
        invalidate_caches(encode)


def test_layers_seen_in_training_carry_the_dropout():
    nlp = make_nlp("cnn", {})
    model = nlp.get_pipe(TRUNK).model
    set_dropout_rate(model, 0.5)
    docs = docs_of(nlp)
    rows = np.concatenate(with_channels(model, [Channel("layer", 0)]).begin_update(docs)[0])
    assert (rows == 0).mean() > 0.3


@pytest.mark.parametrize("encoder", ENCODER_NAMES)
def test_scalar_mix_against_torch(encoder):
    nlp = make_nlp(encoder, {"tagger": MIX, "senter": {**MIX, "layers": [0, 2]}})
    trunk = nlp.get_pipe(TRUNK)
    docs = docs_of(nlp)
    trunk.update(make_examples_of(docs), sgd=None)
    expected = {}
    d_mixed = {}
    for head, numbers in (("tagger", [0, 1, 2]), ("senter", [0, 2])):
        mixed, backprop = tok2vec_of(nlp, head)(docs, True)
        mix = tok2vec_of(nlp, head).layers[1].shims[0]._model
        seen = torch_layers(trunk.model, docs)
        weights = mix.weights.softmax(0)
        own = mix.scale * sum(
            weight * seen[number] for weight, number in zip(weights, numbers, strict=True)
        )
        np.testing.assert_allclose(np.concatenate(mixed), own.detach().numpy(), atol=1e-5)
        random = np.random.RandomState(len(head))
        d_mixed[head] = random.normal(size=own.shape).astype("f")
        own.backward(torch.from_numpy(d_mixed[head]))
        expected[head] = parameter_gradients(tok2vec_of(nlp, head))
        backprop(split(d_mixed[head], docs))
    whole = parameter_gradients(trunk.model)
    assert all((mix > 0).any() for mix in map(torch.abs, expected["tagger"].values()))
    for head in d_mixed:
        assert_same_gradients(parameter_gradients(tok2vec_of(nlp, head)), expected[head])
    trunk.balancer.per_unit = False
    trunk.flush()
    assert_same_gradients(parameter_gradients(trunk.model), whole)


def make_examples_of(docs):
    return [Example(doc, doc.copy()) for doc in docs]


def split(rows, docs):
    ends = np.cumsum([len(doc) for doc in docs])
    return [rows[end - len(doc) : end] for doc, end in zip(docs, ends, strict=True)]


@pytest.mark.parametrize("encoder", ["cnn", "stock"])
def test_gate_over_experts_against_torch(encoder):
    plain = {**PLAIN, "width": EXPERT_WIDTH}
    nlp = make_nlp(experts(encoder), {"tagger": GATED, "senter": plain})
    trunk = nlp.get_pipe(TRUNK)
    docs = docs_of(nlp)
    trunk.update(make_examples_of(docs), sgd=None)
    module = trunk.model.layers[1].shims[0]._model
    gate = tok2vec_of(nlp, "tagger").layers[1].shims[0]._model.gate
    encoder_model = trunk.model.layers[0]
    if encoder == "cnn":
        encoding = torch_layers(encoder_model, docs)[-1]
    else:
        rows = np.concatenate(encoder_model.predict(docs))
        encoding = torch.from_numpy(rows).requires_grad_()
    outputs = [expert(encoding) for expert in module.layers]
    shares = gate(encoding).softmax(1)
    expected = {
        "tagger": sum(shares[:, i, None] * output for i, output in enumerate(outputs)),
        "senter": sum(outputs) / len(outputs),
    }
    random = np.random.RandomState(0)
    total = 0.0
    for head, own in expected.items():
        read, backprop = tok2vec_of(nlp, head)(docs, True)
        np.testing.assert_allclose(np.concatenate(read), own.detach().numpy(), atol=1e-5)
        gradient = random.normal(size=own.shape).astype("f")
        backprop(split(gradient, docs))
        total = total + (own * torch.from_numpy(gradient)).sum()
    of_gate = parameter_gradients(tok2vec_of(nlp, "tagger"))
    trunk.balancer.per_unit = False
    trunk.flush()
    of_trunk = parameter_gradients(trunk.model)
    total.backward()
    assert_same_gradients(of_gate, parameter_gradients(tok2vec_of(nlp, "tagger")))
    assert_same_gradients(of_trunk, parameter_gradients(trunk.model))


def test_a_lower_layer_gets_no_gradient_to_the_layers_above():
    nlp = make_nlp("cnn", {"tagger": layer(1)})
    nlp.update(make_examples(nlp), sgd=False)
    nlp.get_pipe(TRUNK).flush()
    encode = torch_module(nlp.get_pipe(TRUNK).model).encode
    assert float(encode.layers[0].weight.grad.abs().sum()) > 0
    above = encode.layers[1].weight.grad
    assert above is None or not above.any()


@pytest.mark.parametrize("number", [0, 1, 2, -1, -3])
def test_layer_listener_reads_its_layer(number):
    nlp = make_nlp("cnn", {"tagger": layer(number), "senter": PLAIN})
    docs = docs_of(nlp)
    nlp.get_pipe(TRUNK).set_annotations(docs, nlp.get_pipe(TRUNK).predict(docs))
    with torch.no_grad():
        expected = torch_layers(nlp.get_pipe(TRUNK).model, docs)
    read = np.concatenate(tok2vec_of(nlp, "tagger").predict(docs))
    np.testing.assert_allclose(read, expected[number].numpy(), atol=1e-5)
    last = np.concatenate([doc.tensor for doc in docs])
    np.testing.assert_allclose(last, expected[-1].numpy(), atol=1e-5)
    assert all(doc.tensor.shape == (len(doc), WIDTH) for doc in docs)
