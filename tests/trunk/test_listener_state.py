"""A listener must not outlive its batch: stale activations, freezing, pickling, subsets.

Where spaCy's own trunk misbehaves, the test says how.
"""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Adam

from tests.trunk.pipelines import (
    ANNOTATIONS,
    FACTORIES,
    HEADS,
    OURS,
    STOCK,
    TRUNK,
    gradient_norm,
    make_example,
    make_examples,
    make_nlp,
    parameters,
    predict,
    take_gradient,
    train,
    update,
)


def listener_of(nlp):
    return nlp.get_pipe(TRUNK).listeners[0]


def other_examples(nlp):
    return [make_example(nlp, **{**ANNOTATIONS[2], "words": ["Milan", "stinks", "often", "!"]})]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("factory", FACTORIES)
def test_update_without_the_trunk_says_that_the_trunk_is_missing(factory, head):
    nlp = make_nlp(factory, [head])
    train(nlp, make_examples(nlp), Adam(0.001))
    message = "'tok2vec' did not run on this document" if factory == OURS else "E953"
    with nlp.select_pipes(enable=[head]):
        with pytest.raises(ValueError, match=message):
            update(nlp, other_examples(nlp))


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("factory", FACTORIES)
def test_update_without_the_trunk_never_trains_on_stale_activations(factory, head):
    nlp = make_nlp(factory, [head])
    train(nlp, make_examples(nlp), Adam(0.001))
    with nlp.select_pipes(enable=[head]):
        if factory == STOCK:
            update(nlp, make_examples(nlp))  # the same words, activations from older parameters
            assert gradient_norm(nlp, head) > 0
        else:
            with pytest.raises(ValueError, match="'tok2vec' did not run on this document"):
                update(nlp, make_examples(nlp))


@pytest.mark.parametrize("head", HEADS)
def test_update_without_the_trunk_never_reads_a_step_that_is_still_open(head):
    nlp = make_nlp(OURS, [head])
    nlp.update(make_examples(nlp), sgd=Adam(0.001))
    with nlp.select_pipes(enable=[head]):
        with pytest.raises(ValueError, match="3 of 3 documents that were not in the trunk's last"):
            nlp.update(make_examples(nlp), sgd=Adam(0.001))


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("factory", FACTORIES)
def test_update_of_a_fresh_pipeline_without_the_trunk_says_so(factory, head):
    nlp = make_nlp(factory, [head])
    message = "did not run on this document.*annotating_components" if factory == OURS else "E203"
    with nlp.select_pipes(enable=[head]), pytest.raises(ValueError, match=message):
        update(nlp, make_examples(nlp))


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("factory", FACTORIES)
def test_trunk_can_be_frozen_after_training_has_begun(factory, head):
    nlp = make_nlp(factory, [head])
    train(nlp, make_examples(nlp), Adam(0.01))
    trunk = parameters(nlp)
    before = parameters(nlp, head)
    frozen = {"exclude": [TRUNK], "annotates": [TRUNK]}
    if factory == STOCK:
        with pytest.raises(ValueError, match="E953"):
            train(nlp, other_examples(nlp), Adam(0.01), **frozen)
        return
    train(nlp, other_examples(nlp), Adam(0.01), **frozen)
    assert (parameters(nlp) == trunk).all()
    assert (parameters(nlp, head) != before).any()


def test_trunk_can_be_frozen_while_a_step_is_still_open():
    nlp = make_nlp(OURS, ["tagger"])
    nlp.update(make_examples(nlp), sgd=Adam(0.01))
    trunk = parameters(nlp)
    before = parameters(nlp, "tagger")
    frozen = {"exclude": [TRUNK], "annotates": [TRUNK]}
    nlp.update(make_examples(nlp), sgd=Adam(0.01), **frozen)
    nlp.update(other_examples(nlp), sgd=Adam(0.01), **frozen)
    assert (parameters(nlp) == trunk).all()
    assert (parameters(nlp, "tagger") != before).any()


@pytest.mark.parametrize("factory", FACTORIES)
def test_pipeline_can_be_pickled_after_an_update(factory):
    nlp = make_nlp(factory, ["ner", "textcat"])
    pickle.dumps(nlp)
    train(nlp, make_examples(nlp), Adam(0.01))
    if factory == STOCK:
        with pytest.raises((AttributeError, pickle.PicklingError), match="local object"):
            pickle.dumps(nlp)
        return
    assert predict(pickle.loads(pickle.dumps(nlp))) == predict(nlp)


@pytest.mark.parametrize("make_copy", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy])
def test_components_can_be_copied_while_a_step_is_open(make_copy):
    nlp = make_nlp(OURS, ["tagger", "ner"])
    nlp.update(make_examples(nlp), sgd=Adam(0.01))
    components = [component for _, component in nlp.pipeline]
    copied = make_copy(components)
    doc, other = (make_examples(nlp)[0].predicted for _ in range(2))
    for component, twin in zip(components, copied, strict=True):
        component(doc)
        twin(other)
    assert [t.tag_ for t in doc] == [t.tag_ for t in other]
    assert (doc.tensor == other.tensor).all()
    update(nlp, make_examples(nlp))
    assert gradient_norm(nlp) > 0


def test_pipeline_goes_through_bytes_after_an_update():
    nlp = make_nlp(OURS, ["tagger", "ner"])
    nlp.update(make_examples(nlp), sgd=Adam(0.01))
    loaded = make_nlp(OURS, ["tagger", "ner"], seed=1)
    assert predict(loaded) != predict(nlp)
    assert predict(loaded.from_bytes(nlp.to_bytes())) == predict(nlp)


def test_documents_of_a_batch_are_let_go_when_it_is_passed_back():
    nlp = make_nlp(OURS, ["tagger", "ner"])
    examples = make_examples(nlp)
    for _, component in nlp.pipeline:
        component.update(examples, losses={})
    doc = weakref.ref(examples[0].predicted)
    del examples
    gc.collect()
    assert doc() is not None
    take_gradient(nlp)
    gc.collect()
    assert doc() is None


@pytest.mark.parametrize("factory", FACTORIES)
def test_head_may_read_documents_in_another_order(factory):
    nlp = make_nlp(factory, ["tagger"])
    examples = make_examples(nlp)
    nlp.get_pipe(TRUNK).update(examples)
    docs = [eg.predicted for eg in examples]
    in_order, _ = listener_of(nlp).begin_update(docs)
    reversed_order, _ = listener_of(nlp).begin_update(docs[::-1])
    same = [a is b for a, b in zip(in_order, reversed_order[::-1], strict=True)]
    if factory == STOCK:
        assert [len(rows) for rows in reversed_order] != [len(doc) for doc in docs[::-1]]
    else:
        assert all(same)


@pytest.mark.parametrize("factory", FACTORIES)
def test_head_may_read_a_part_of_the_batch(factory):
    nlp = make_nlp(factory, ["tagger"])
    examples = make_examples(nlp)
    nlp.get_pipe(TRUNK).update(examples)
    docs = [examples[2].predicted, examples[0].predicted]
    if factory == STOCK:
        with pytest.raises(ValueError, match="E953"):
            listener_of(nlp).begin_update(docs)
        return
    outputs, _ = listener_of(nlp).begin_update(docs)
    expected = nlp.get_pipe(TRUNK).predict(docs)
    for rows, expected_rows in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(rows, expected_rows, atol=1e-5)


@pytest.mark.parametrize("order", [[2, 0], [1], [0, 1, 2], [2, 1, 0]])
def test_gradient_of_a_part_lands_in_the_rows_of_its_documents(order):
    nlp = make_nlp(OURS, ["tagger"])
    examples = make_examples(nlp)
    random = np.random.RandomState(0)
    gradient = [random.normal(size=(len(eg.predicted), 16)).astype("f") for eg in examples]

    nlp.get_pipe(TRUNK).update(examples)
    _, report = listener_of(nlp).begin_update([examples[i].predicted for i in order])
    assert report([gradient[i] for i in order]) == []
    part = take_gradient(nlp)

    nlp.get_pipe(TRUNK).update(examples)
    _, report = listener_of(nlp).begin_update([eg.predicted for eg in examples])
    report([rows * (i in order) for i, rows in enumerate(gradient)])
    np.testing.assert_allclose(part, take_gradient(nlp), atol=1e-5)


def test_document_that_is_not_in_the_batch_is_named_an_error():
    nlp = make_nlp(OURS, ["tagger"])
    examples = make_examples(nlp)
    nlp.get_pipe(TRUNK).update(examples[:2])
    docs = [eg.predicted for eg in examples]
    with pytest.raises(ValueError, match="'tagger'.*'tok2vec' for 1 of 3 documents"):
        listener_of(nlp).begin_update(docs)
    with pytest.raises(ValueError, match="'tagger'.*'tok2vec' for 1 of 1 documents"):
        listener_of(nlp).begin_update(docs[2:])


def test_component_that_rebuilds_the_documents_is_served():
    nlp = make_nlp(OURS, ["tagger"])
    examples = make_examples(nlp)
    nlp.get_pipe(TRUNK).update(examples)
    copies = [eg.predicted.copy() for eg in examples]
    outputs, report = listener_of(nlp).begin_update(copies)
    again, _ = listener_of(nlp).begin_update(copies)
    assert all(a is b for a, b in zip(outputs, again, strict=True))
    report(outputs)
    assert gradient_norm(nlp) > 0


@pytest.mark.parametrize("factory", FACTORIES)
def test_callback_called_twice_adds(factory):
    def gradient(times):
        nlp = make_nlp(factory, ["tagger"])
        examples = make_examples(nlp)
        nlp.get_pipe(TRUNK).update(examples, losses={})
        outputs, report = listener_of(nlp).begin_update([eg.predicted for eg in examples])
        for _ in range(times):
            report([rows * 0 + 1 for rows in outputs])
        return take_gradient(nlp)

    factor = 3 if factory == STOCK else 2  # once, and once more with the buffer of the first time
    np.testing.assert_allclose(gradient(2), factor * gradient(1), rtol=1e-4, atol=1e-4)


def test_gradient_array_of_a_head_may_be_used_again():
    nlp = make_nlp(OURS, ["tagger"])
    examples = make_examples(nlp)

    def gradient(overwrite):
        nlp.get_pipe(TRUNK).update(examples)
        outputs, report = listener_of(nlp).begin_update([eg.predicted for eg in examples])
        arrays = [rows * 0 + 1 for rows in outputs]
        report(arrays)
        for rows in arrays:
            rows *= overwrite
        return take_gradient(nlp)

    np.testing.assert_array_equal(gradient(1), gradient(100))


@pytest.mark.parametrize("head", ["ner", "parser", "tagger", "textcat", "textcat_multilabel"])
@pytest.mark.parametrize("factory", FACTORIES)
def test_rehearsal_reads_documents_that_the_trunk_annotated(factory, head):
    nlp = make_nlp(factory, [head])
    optimizer = nlp.resume_training()
    train(nlp, make_examples(nlp), Adam(0.01))
    examples = other_examples(nlp)
    if factory == STOCK:
        with pytest.raises(ValueError, match="E953|E203"):
            nlp.rehearse(examples, sgd=optimizer)
        return
    message = f"In nlp.rehearse, component '{head}' reads the trunk 'tok2vec', which does not run"
    with pytest.raises(ValueError, match=message):
        nlp.rehearse(examples, sgd=optimizer)
    for example in examples:
        nlp.get_pipe(TRUNK)(example.predicted)
    assert head in nlp.rehearse(examples, sgd=optimizer)


@pytest.mark.parametrize("factory", FACTORIES)
def test_empty_documents_do_no_harm(factory):
    nlp = make_nlp(factory, HEADS)
    empty = [Example(Doc(nlp.vocab), Doc(nlp.vocab)) for _ in range(2)]
    losses = update(nlp, empty)
    assert gradient_norm(nlp) == 0.0
    assert not any(losses.values())
    update(nlp, make_examples(nlp) + empty)
    assert gradient_norm(nlp) > 0
    assert [len(doc) for doc in nlp.pipe([eg.predicted for eg in empty])] == [0, 0]
