"""Scores, losses and gradients that are NaN or infinite."""

import warnings
from functools import cache

import numpy as np
import pytest
import torch
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_mtl.heads.masked_lm.scorer import score_masked_tokens
from spacy_mtl.models.layers.torch_layer import TorchShim
from spacy_mtl.util.finite import DivergedError
from tests.heads.pipelines import parameters_of
from tests.heads.roles import CORPUS, WIDTH, frames_of, make_nlp
from tests.native import each_way
from tests.srl.strategies import make_doc

VALUES = [float("nan"), float("inf"), float("-inf")]
HEADS = {
    "ner": ("mtl_ner", {}),
    "textcat": ("mtl_textcat", {}),
    "labels": ("mtl_textcat", {"exclusive": False}),
    "stars": ("mtl_regression", {"targets": ["stars"]}),
    "srl": ("mtl_srl", {}),
}
PREDICTED = {
    "ner": lambda doc: bool(doc.ents),
    "textcat": lambda doc: "good" in doc.cats,
    "labels": lambda doc: "good" in doc.cats,
    "stars": lambda doc: "stars" in doc.cats,
    "srl": lambda doc: bool(doc.spans["srl"]),
}


def examples_of(nlp):
    examples = []
    for number, (text, frames) in enumerate(CORPUS[:3]):
        words = text.split()
        reference = make_doc(words, frames, vocab=nlp.vocab)
        reference.set_ents([Span(reference, 0, 1, "PER")])
        reference.cats = {"good": float(number % 2), "bad": float(1 - number % 2)}
        reference.cats["stars"] = float(number)
        for at, word in enumerate(words):
            reference[at].tag_ = word[:1]
        examples.append(Example(Doc(nlp.vocab, words=words), reference))
    return examples


def with_head(name, factory, config, initialize=True):
    """A trunk and one head."""
    nlp = make_nlp(name)
    if factory != "mtl_srl":
        nlp.remove_pipe(name)
        nlp.add_pipe(factory, name=name, config={**config, "model": {"tok2vec": {"width": WIDTH}}})
    if factory == "mtl_textcat":
        nlp.config["initialize"]["components"] = {name: {"labels": ["good", "bad"]}}
    if initialize:
        nlp.initialize(lambda: examples_of(nlp))
    return nlp


@cache
def learned(name):
    """What a pipeline has learned, as bytes."""
    nlp = with_head(name, *HEADS[name])
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    for _ in range(60):
        nlp.update(examples_of(nlp), sgd=optimizer)
    return nlp.to_bytes()


def trained(name):
    """A pipeline that has learned its task, and has not warned yet."""
    return with_head(name, *HEADS[name], initialize=False).from_bytes(learned(name))


def parameters(nlp, name):
    return [
        parameter
        for node in nlp.get_pipe(name).model.walk()
        for shim in node.shims
        if isinstance(shim, TorchShim) and shim._model is not None
        for parameter in shim._model.parameters()
    ]


def fill(nlp, name, value):
    with torch.no_grad():
        for parameter in parameters(nlp, name):
            parameter.fill_(value)


def poisoned(nlp, numbers, value):
    """Documents that the trunk has read, some with vectors that are not finite."""
    docs = [nlp.get_pipe("tok2vec")(eg.predicted) for eg in examples_of(nlp)]
    for number in numbers:
        docs[number].tensor[-1, 3] = value
    return docs


@each_way
@pytest.mark.parametrize("name", list(HEADS))
@pytest.mark.parametrize("value", VALUES)
def test_only_documents_with_scores_that_are_not_finite_get_no_annotation(name, value):
    nlp = trained(name)
    clean = list(nlp.get_pipe(name).pipe(iter(poisoned(nlp, [], value))))
    with pytest.warns(UserWarning, match=rf"Component '{name}' leaves 1 document w"):
        docs = list(nlp.get_pipe(name).pipe(iter(poisoned(nlp, [1], value))))
    assert all(PREDICTED[name](doc) for doc in clean)
    assert [PREDICTED[name](doc) for doc in docs] == [True, False, True]
    for number in (0, 2):
        own, expected = docs[number], clean[number]
        assert own.cats == pytest.approx(expected.cats, abs=1e-6)
        assert [ent.label_ for ent in own.ents] == [ent.label_ for ent in expected.ents]
        assert frames_of(own) == frames_of(expected) if name == "srl" else True
    assert docs[1].cats == {}


@pytest.mark.parametrize("name", list(HEADS))
def test_warning_comes_once(name):
    nlp = trained(name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            list(nlp.get_pipe(name).pipe(iter(poisoned(nlp, [0, 2], np.nan)), batch_size=1))
    assert [str(warning.message)[:11] for warning in caught] == ["Component '"]


@pytest.mark.parametrize("name", list(HEADS))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_other_components_wrote_stays(name):
    nlp = trained(name)
    doc = poisoned(nlp, [0], np.nan)[0]
    doc.cats = {"other": 0.25}
    doc.set_ents([Span(doc, 2, 3, "OTHER")])
    doc = nlp.get_pipe(name)(doc)
    assert doc.cats == {"other": 0.25}
    assert [ent.label_ for ent in doc.ents] == ["OTHER"]


@each_way
@pytest.mark.parametrize("part", ["predicate", "token", "distance", "tag", "sense", "roleset"])
@pytest.mark.parametrize("value", VALUES[:2])
def test_no_frames_whatever_part_of_the_network_is_not_finite(part, value):
    nlp = with_head("srl", "mtl_srl", {})
    nlp.get_pipe("srl").cfg["threshold"] = 0.0
    assert nlp("Ann gave Bob a book").spans["srl"]
    argument_scorer = nlp.get_pipe("srl").model.get_ref("argument_scorer").shims[0]._model
    with torch.no_grad():
        for name, parameter in argument_scorer.named_parameters():
            if name.startswith(part):
                parameter.fill_(value)
    with pytest.warns(UserWarning, match="Component 'srl' leaves 2 documents without semantic"):
        docs = list(nlp.pipe(["Ann gave Bob a book", "She left him money"]))
    assert not any(doc.spans["srl"] for doc in docs)


def test_given_predicates_stay_without_arguments():
    nlp = with_head("srl", "mtl_srl", {})
    nlp.get_pipe("srl").cfg["predicates"] = "given"
    doc = poisoned(nlp, [0], np.nan)[0]
    doc.spans["srl"] = [Span(doc, 1, 2, "V", kb_id="give.01", span_id=0)]
    with pytest.warns(UserWarning, match="Component 'srl' leaves 1 doc"):
        doc = nlp.get_pipe("srl")(doc)
    assert [(span.start, span.label_, span.kb_id_) for span in doc.spans["srl"]] == [
        (1, "V", "give.01")
    ]


def test_pipeline_without_finite_predictions_is_scored_as_finding_nothing():
    nlp = trained("ner")
    assert nlp.evaluate(examples_of(nlp))["ents_f"] == 1.0
    fill(nlp, "ner", np.nan)
    with pytest.warns(UserWarning, match="Component 'ner' leaves 3 documents without entities"):
        scores = nlp.evaluate(examples_of(nlp))
    assert scores["ents_f"] == 0.0


def test_guesses_that_are_not_finite_know_nothing():
    nlp = with_head("lm", "mtl_language_model", {"documents": "all"})
    fill(nlp, "lm", np.nan)
    head = nlp.get_pipe("lm")
    with pytest.warns(UserWarning, match="Component 'lm' leaves 3 documents without"):
        scores = score_masked_tokens(examples_of(nlp), guess=head.guess)
    assert scores["hidden_words_acc"] == 0.0
    assert scores["hidden_words_perplexity"] == pytest.approx(head.model.get_dim("nO"))


def test_syntax_that_is_not_finite_counts_as_wrong():
    nlp = with_head("syntax", "mtl_syntax", {"attributes": ["TAG"]})
    fill(nlp, "syntax", np.nan)
    examples = examples_of(nlp)
    for example in examples:
        nlp.get_pipe("tok2vec")(example.predicted)
    with pytest.warns(UserWarning, match="Component 'syntax' leaves 3 documents without"):
        counts = nlp.get_pipe("syntax").count_right(examples)
    assert counts == {"TAG": (0, sum(len(example.reference) for example in examples))}


ALL = {
    **HEADS,
    "syntax": ("mtl_syntax", {"attributes": ["TAG"]}),
    "lm": ("mtl_language_model", {"documents": "all"}),
}


@pytest.mark.parametrize("name", list(ALL))
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_training_stops_at_a_loss_that_is_not_finite(name, value):
    nlp = with_head(name, *ALL[name])
    optimizer = nlp.resume_training()
    nlp.update(examples_of(nlp), sgd=optimizer)
    fill(nlp, name, value)
    before = parameters_of(nlp, name)
    losses = {}
    with pytest.raises(DivergedError, match=rf"'{name}', update 2: its loss is (nan|-?inf)"):
        nlp.update(examples_of(nlp), sgd=False, losses=losses)
    assert losses == {"tok2vec": 0.0, name: 0.0}
    np.testing.assert_array_equal(parameters_of(nlp, name), before)
    for _, component in nlp.pipeline:  # nothing that is not finite has reached any gradient
        component.finish_update(optimizer)
    assert np.isfinite(parameters_of(nlp, "tok2vec")).all()


@pytest.mark.parametrize("grad_clip", [0.0, 1.0])
def test_training_stops_at_a_gradient_of_a_head_that_is_not_finite(grad_clip):
    nlp = with_head("ner", "mtl_ner", {})
    optimizer = nlp.resume_training()
    optimizer.grad_clip = grad_clip
    nlp.update(examples_of(nlp), sgd=False)
    parameters(nlp, "ner")[0].grad.view(-1)[0] = np.inf
    before = parameters_of(nlp, "ner")
    with pytest.raises(DivergedError, match="'ner', update 1: the gradient of its parameter '"):
        nlp.get_pipe("ner").finish_update(optimizer)
    np.testing.assert_array_equal(parameters_of(nlp, "ner"), before)
