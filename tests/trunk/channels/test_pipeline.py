"""Pipelines whose heads share more of a trunk than its output."""

import gc
import pickle

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from thinc.api import Adam

from spacy_mtl.balancing.hub import hub_gram
from spacy_mtl.trunk.channels import store as shown
from spacy_mtl.trunk.channels.usage import listener_weights
from tests.models.encoders.encoding import TEXTS
from tests.trunk.channels.pipelines import (
    GATED,
    MIX,
    PLAIN,
    PLAIN_EXPERTS,
    WIDTH,
    experts,
    layer,
    make_nlp,
)
from tests.trunk.pipelines import (
    TRUNK,
    make_examples,
    parameters,
    predict,
    take_gradient,
    train,
    update,
)

MIXED = {"tagger": layer(1), "senter": MIX, "ner": {**MIX, "layers": [-1, 0]}, "textcat": PLAIN}
GATES = {"tagger": layer(1), "senter": GATED, "ner": GATED, "textcat": PLAIN_EXPERTS}
PIPELINES = {"layers": ("bilstm", MIXED), "experts": (experts("cnn"), GATES)}
each_pipeline = pytest.mark.parametrize("kind", list(PIPELINES))


def make(kind, **settings):
    return make_nlp(*PIPELINES[kind], **settings)


class Spy:
    """Keeps what it sees; weight 1 for all."""

    named_tasks: list[str] = []

    def weigh(self, step):
        self.gram, self.tasks = step.gram, step.tasks
        return dict.fromkeys(step.tasks, 1.0)


def texts_predicted(nlp, batch_size):
    docs = [Doc(nlp.vocab, words=text.split()) for text in TEXTS]
    return list(nlp.pipe(docs, batch_size=batch_size))


@each_pipeline
def test_predictions_do_not_depend_on_the_batch_size(kind):
    nlp = make(kind)

    def outputs(batch_size):
        docs = [Doc(nlp.vocab, words=text.split()) for text in TEXTS]
        docs = list(nlp.get_pipe(TRUNK).pipe(docs, batch_size=batch_size))
        return [
            np.concatenate(nlp.get_pipe(head).model.get_ref("tok2vec").predict(docs))
            for head in ("tagger", "senter", "ner", "textcat")
        ]

    for alone, together in zip(outputs(1), outputs(100), strict=True):
        np.testing.assert_allclose(alone, together, atol=1e-5)
    alone, together = predict(nlp, batch_size=1), predict(nlp, batch_size=100)
    for doc in (*alone, *together):
        del doc["tensor"]  # compared above, without rounding
    assert alone == together


@each_pipeline
@pytest.mark.parametrize("how", ["disk", "bytes", "pickle"])
def test_a_trained_pipeline_is_saved_and_loaded(kind, how, tmp_path):
    nlp = make(kind)
    for _ in range(2):
        train(nlp, make_examples(nlp), Adam(0.1))
    if how == "disk":
        nlp.to_disk(tmp_path)
        loaded = spacy.load(tmp_path)
    elif how == "bytes":
        loaded = make(kind, initialize=False).from_bytes(nlp.to_bytes())
    else:
        loaded = pickle.loads(pickle.dumps(nlp))
    assert predict(loaded) == predict(nlp)
    docs = [eg.predicted for eg in make_examples(nlp)]
    weights = listener_weights(nlp, docs)
    assert listener_weights(loaded, docs) == weights
    uniform = listener_weights(make(kind), docs)
    assert weights["senter"] != uniform["senter"]
    train(loaded, make_examples(loaded), Adam(0.1))  # goes on


@each_pipeline
@pytest.mark.parametrize("level", ["hub", "parameters"])
def test_gradient_is_the_same_at_both_levels_for_the_same_weights(kind, level):
    def gradient(level):
        nlp = make(kind, level=level)
        update(nlp, make_examples(nlp), drop=0.2)
        update(nlp, make_examples(nlp), drop=0.2)
        return take_gradient(nlp)

    exact = gradient("parameters")
    assert np.linalg.norm(exact) > 1e-2
    np.testing.assert_allclose(gradient("hub"), exact, rtol=1e-3, atol=1e-4 * abs(exact).max())


@each_pipeline
def test_gradient_is_the_sum_of_each_heads_own(kind):
    def gradient(*heads):
        nlp = make(kind)
        others = [head for head in nlp.pipe_names if head not in (TRUNK, *heads)]
        update(nlp, make_examples(nlp), exclude=others)
        return take_gradient(nlp)

    alone = [gradient(head) for head in ("tagger", "senter", "ner", "textcat")]
    assert all(np.linalg.norm(one) > 1e-4 for one in alone)
    total = sum(alone)
    together = gradient("tagger", "senter", "ner", "textcat")
    np.testing.assert_allclose(together, total, rtol=1e-3, atol=1e-4 * abs(total).max())


def spied(listeners):
    nlp = make_nlp("cnn", listeners)
    nlp.get_pipe(TRUNK).balancer = spy = Spy()
    update(nlp, make_examples(nlp))
    nlp.get_pipe(TRUNK).flush()
    return dict(zip(spy.tasks, spy.gram, strict=True)), spy


def test_what_other_heads_read_does_not_change_how_two_compare():
    both = {"tagger": PLAIN, "senter": PLAIN}
    _, before = spied(both)
    _, beside = spied({**both, "ner": MIX})
    np.testing.assert_allclose(beside.gram[:2, :2], before.gram, rtol=1e-4)
    assert abs(beside.gram[2, 0]) > 0  # a mixture meets the last layer


def test_heads_without_a_layer_in_common_are_orthogonal_at_the_hub():
    rows, _ = spied({"tagger": layer(1), "senter": PLAIN})
    assert rows["tagger"][1] == 0.0 and rows["tagger"][0] > 0.0


def test_hub_of_several_layers_is_the_sum_over_layers():
    random = np.random.RandomState(0)
    outputs = random.normal(size=(11, 7)).astype("f")
    gradients = [random.normal(size=(11, 7)).astype("f") for _ in range(3)]
    gradients[1][:, :4] = 0.0
    blocks = [slice(0, 4), slice(4, 7)]
    hubs = [
        np.concatenate([(outputs[:, b].T @ gradient[:, b]).ravel() for b in blocks])
        for gradient in gradients
    ]
    expected = np.stack(hubs) @ np.stack(hubs).T
    np.testing.assert_allclose(hub_gram(outputs, gradients, blocks), expected, rtol=1e-4)


@pytest.mark.parametrize("head", ["ner", "morphologizer", "textcat", "spancat"])
@pytest.mark.parametrize("kind", ["layers", "experts"])
def test_built_in_heads_learn_behind_every_listener(kind, head):
    trunk = PIPELINES[kind][0]
    nlp = make_nlp(trunk, {head: MIX if kind == "layers" else GATED})
    before, before_trunk = parameters(nlp, head), parameters(nlp)
    train(nlp, make_examples(nlp), Adam(0.01))
    assert (parameters(nlp, head) != before).any()
    assert (parameters(nlp) != before_trunk).any()
    predict(nlp)


@each_pipeline
def test_heads_of_this_package_read_parts_of_a_batch(kind):
    trunk = PIPELINES[kind][0]
    listener = MIX if kind == "layers" else GATED
    nlp = make_nlp(trunk, {"senter": listener}, initialize=False)
    for head in ("mtl_ner", "mtl_textcat"):
        nlp.add_pipe(head, config={"model": {"tok2vec": listener}})
    nlp.initialize(lambda: make_examples(nlp))
    examples = make_examples(nlp)
    examples[0].reference.set_ents([], default="missing")
    examples[1].reference.cats = {}
    for _ in range(2):  # a head's last layer is zero at first
        train(nlp, examples, Adam(0.01))
    update(nlp, examples)
    assert np.linalg.norm(take_gradient(nlp)) > 0
    predict(nlp)


@each_pipeline
def test_heads_learn_behind_a_frozen_trunk_that_annotates(kind):
    nlp = make(kind)
    trunk = parameters(nlp)
    before = parameters(nlp, "senter")
    train(nlp, make_examples(nlp), Adam(0.01), exclude=[TRUNK], annotates=[TRUNK])
    assert (parameters(nlp) == trunk).all()
    assert (parameters(nlp, "senter") != before).any()


@each_pipeline
def test_a_head_annotates_in_training_though_the_trunk_does_not(kind):
    nlp = make(kind)
    update(nlp, make_examples(nlp), annotates=["senter"])
    assert np.linalg.norm(take_gradient(nlp)) > 0


def test_plain_listeners_keep_the_trunk_as_it_was():
    nlp = make_nlp("cnn", {"tagger": PLAIN, "senter": layer(-1)})
    beside = make_nlp("cnn", {"tagger": PLAIN, "senter": MIX})
    shown_before = len(shown._SHOWN)
    tensors = [doc.tensor for doc in texts_predicted(nlp, 4)]
    assert len(shown._SHOWN) == shown_before
    for alone, doc in zip(tensors, texts_predicted(beside, 4), strict=True):
        assert (alone == doc.tensor).all()
        assert doc.tensor.flags.c_contiguous and doc.tensor.shape == (len(doc), WIDTH)


def test_what_a_trunk_shows_lives_as_long_as_the_document():
    nlp = make_nlp("cnn", {"tagger": MIX})
    gc.collect()
    before = len(shown._SHOWN)
    docs = texts_predicted(nlp, 4)
    assert len(shown._SHOWN) == before + len(TEXTS)
    assert len(docs[0].to_bytes()) < len(docs[0]) * 4 * WIDTH * 2 + 3000
    del docs
    gc.collect()
    assert len(shown._SHOWN) == before


def test_no_documents_and_empty_documents():
    nlp = make("experts")
    assert nlp.get_pipe(TRUNK).predict([]) == []
    doc = nlp(Doc(nlp.vocab, words=[]))
    assert doc.tensor.shape == (0, 6)
    assert [len(doc) for doc in nlp.pipe([Doc(nlp.vocab), Doc(nlp.vocab, words=["a"])])] == [0, 1]


def test_weights_of_a_new_pipeline_are_uniform():
    nlp = make_nlp("bilstm", MIXED, initialize=False)
    nlp.initialize(lambda: make_examples(nlp))
    weights = listener_weights(nlp)
    assert list(weights) == ["tagger", "senter", "ner"]
    assert weights["tagger"] == {"layer 1": 1.0}
    third = pytest.approx(1 / 3)
    assert weights["senter"] == {"layer 0": third, "layer 1": third, "layer 2": third, "scale": 1.0}
    assert weights["ner"] == {"layer 2": 0.5, "layer 0": 0.5, "scale": 1.0}


def test_shares_of_experts_are_means_over_tokens():
    nlp = make("experts")
    docs = [eg.predicted for eg in make_examples(nlp)]
    assert list(listener_weights(nlp)) == ["tagger"]  # gates depend on the tokens
    weights = listener_weights(nlp, docs)
    assert list(weights["ner"]) == ["expert 0", "expert 1", "expert 2"]
    assert sum(weights["ner"].values()) == pytest.approx(1.0)
    one_by_one = [listener_weights(nlp, [doc])["ner"]["expert 1"] for doc in docs]
    mean = np.average(one_by_one, weights=[len(doc) for doc in docs])
    assert weights["ner"]["expert 1"] == pytest.approx(mean, rel=1e-5)
    assert not any(doc.tensor.size for doc in docs)
