"""The trunk's gradient is the weighted sum of its heads' gradients."""

from itertools import permutations

import numpy as np
import pytest
from spacy.tokens import Doc

from tests.trunk.pipelines import (
    OURS,
    STOCK,
    TRUNK,
    make_examples,
    make_nlp,
    settle_weights,
    take_gradient,
    update,
)

THREE = ["ner", "textcat_multilabel", "tagger"]
NOBODY_EXCLUDED: list[str] = []


def gradient(factory=OURS, heads=THREE, exclude=NOBODY_EXCLUDED, keep=None, **balancer):
    nlp = make_nlp(factory, heads, balancer={"per_unit": False, **balancer})
    update(nlp, make_examples(nlp, keep=keep), exclude=exclude)
    return take_gradient(nlp)


def assert_same(actual, expected):
    assert np.linalg.norm(expected) > 1e-3
    np.testing.assert_allclose(actual, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("heads", list(permutations(THREE)), ids="-".join)
def test_gradient_is_the_same_as_with_the_stock_trunk_in_any_order(heads):
    assert_same(gradient(OURS, heads), gradient(STOCK, heads))


@pytest.mark.parametrize("heads", list(permutations(THREE)), ids="-".join)
def test_gradient_does_not_depend_on_the_order_of_the_heads(heads):
    assert_same(gradient(OURS, heads, keep=["cats"]), gradient(OURS, THREE, keep=["cats"]))


@pytest.mark.parametrize("head", THREE)
def test_gradient_is_linear_in_the_weights(head):
    others = gradient(exclude=[head])
    own = gradient(exclude=[name for name in THREE if name != head])
    for weight in (0.0, 0.5, 3.0):
        assert_same(gradient(weights={head: weight}), others + weight * own)


@pytest.mark.parametrize("head", THREE)
def test_weight_of_zero_is_the_run_without_that_head(head):
    without = gradient(heads=[name for name in THREE if name != head])
    assert_same(gradient(weights={head: 0.0}), without)


def test_default_weight_is_that_of_the_heads_that_are_not_named():
    named = {"ner": 1.0, "textcat_multilabel": 0.25, "tagger": 0.25}
    assert_same(gradient(weights={"ner": 1.0}, default=0.25), gradient(weights=named))


@pytest.mark.parametrize("n_untagged", [0, 5])
def test_per_unit_divides_by_the_tokens_that_get_a_gradient(n_untagged):
    def partly_tagged(per_unit):
        nlp = make_nlp(OURS, ["tagger"], balancer={"per_unit": per_unit})
        examples = make_examples(nlp, keep=["tags"])
        for token in list(examples[0].reference)[:n_untagged]:
            token.tag_ = ""
        update(nlp, examples)
        return take_gradient(nlp)

    assert_same(partly_tagged(True) * (18 - n_untagged), partly_tagged(False))


def test_per_unit_leaves_heads_alone_that_normalize_themselves():
    def gradient_of(per_unit):
        nlp = make_nlp(OURS, [], initialize=False, balancer={"per_unit": per_unit})
        nlp.add_pipe("mtl_ner", config={"model": {"tok2vec": {"width": 16}}})
        nlp.initialize(lambda: make_examples(nlp))
        settle_weights(nlp)
        update(nlp, make_examples(nlp))
        return take_gradient(nlp)

    assert_same(gradient_of(True), gradient_of(False))


def test_normalization_follows_the_head_when_its_name_changes_hands():
    nlp = make_nlp(OURS, ["tagger"], initialize=False)
    trunk = nlp.get_pipe(TRUNK)
    nlp.add_pipe("mtl_ner", name="ents", config={"model": {"tok2vec": {"width": 16}}})
    two_tokens = np.ones((2, 16), dtype="f")
    assert trunk._annotated_units("ents", two_tokens) == 1
    assert trunk._annotated_units("tagger", two_tokens) == 2
    nlp.remove_pipe("ents")
    nlp.rename_pipe("tagger", "ents")
    assert trunk._annotated_units("ents", two_tokens) == 2


def test_same_gradient_with_the_torch_encoder_of_this_package():
    def gradients(factory):
        nlp = make_nlp(factory, THREE, encoder="spacy_mtl.HashEmbedCNN.v1")
        update(nlp, make_examples(nlp))
        return take_gradient(nlp)

    assert_same(gradients(OURS), gradients(STOCK))


def test_forward_is_the_same_as_with_the_stock_trunk():
    tensors = []
    for factory in (OURS, STOCK):
        nlp = make_nlp(factory, ["tagger"])
        doc = nlp(Doc(nlp.vocab, words=["Ada", "likes", "rain"]))
        tensors.append(np.asarray(doc.tensor))
    np.testing.assert_array_equal(*tensors)
