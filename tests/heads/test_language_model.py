import pickle
import warnings

import numpy as np
import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.attrs import NORM, ORTH, PREFIX, SHAPE, SUFFIX
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_mtl.corpora.annotations import count_units, keep_annotations, select_tasks
from spacy_mtl.heads.masked_lm.masking import (
    HIDDEN_WORD,
    buckets_of,
    draws_for,
    hide_words,
    rows_of,
    words_of,
)
from spacy_mtl.heads.masked_lm.scorer import score_masked_tokens
from tests.heads.pipelines import (
    gradient_of,
    make_examples,
    make_nlp,
    parameters_of,
    reloaded,
    train,
)

NLP = spacy.blank("en")
TEXTS = [
    ("the cat sat on the mat", {}),
    ("a dog ran to the park", {}),
    ("my bird flew over your house", {}),
]
ENTITIES = [("Ann lives in Rome", {"entities": [(0, 3, "PERSON"), (13, 17, "PLACE")]})]


def language_model(**config):
    return ("mtl_language_model", "lm", config)


def initialized(*others, trunk="mtl_tok2vec", data=TEXTS + ENTITIES, **config):
    nlp = make_nlp(*others, language_model(**config), trunk=trunk)
    nlp.initialize(lambda: make_examples(nlp, data))
    return nlp


@pytest.fixture(scope="module")
def trained():
    nlp = make_nlp(language_model(mask_rate=0.3))
    train(nlp, make_examples(nlp, TEXTS), steps=300)
    return nlp


@pytest.mark.parametrize("trunk", ["mtl_tok2vec", None])
def test_learns_to_guess_hidden_words(trunk):
    nlp = make_nlp(language_model(mask_rate=0.3), trunk=trunk)
    examples = make_examples(nlp, TEXTS)
    nlp.initialize(lambda: examples)
    untrained = nlp.evaluate(examples)
    assert untrained["hidden_words_perplexity"] == pytest.approx(2000)
    train(nlp, examples, steps=200)
    scores = nlp.evaluate(examples)
    assert scores["hidden_words_acc"] >= 0.8
    assert scores["hidden_words_perplexity"] < 4.0  # 15 for one who only counts words


def test_saved_pipelines_score_the_same(trained, tmp_path):
    expected = trained.evaluate(make_examples(trained, TEXTS))
    for nlp in reloaded(trained, tmp_path):
        scores = nlp.evaluate(make_examples(nlp, TEXTS))
        for key in ("hidden_words_acc", "hidden_words_perplexity"):
            assert scores[key] == pytest.approx(expected[key], rel=1e-5)


def test_prediction_computes_nothing_and_changes_nothing(trained, monkeypatch):
    head = trained.get_pipe("lm")
    monkeypatch.setattr(type(head), "_reads_trunk", lambda self: pytest.fail("was asked"))
    monkeypatch.setattr(head, "model", None)
    doc = trained.make_doc("the cat sat")
    before = doc.to_bytes()
    assert head(doc) is doc
    assert list(head.pipe([doc])) == [doc]
    assert doc.to_bytes() == before
    assert trained("the cat sat").to_bytes() == next(trained.pipe(["the cat sat"])).to_bytes()


def test_evaluation_does_not_depend_on_order_batch_or_chance(trained):
    docs = [trained.make_doc(text) for text, _ in TEXTS]
    head = trained.get_pipe("lm")
    together, _ = head.guess(docs)
    np.random.seed(7)
    apart = np.concatenate([head.guess([doc])[0] for doc in docs])
    assert np.allclose(together, apart, atol=1e-4)
    backwards, _ = head.guess(docs[::-1])
    assert np.allclose(np.sort(together), np.sort(backwards), atol=1e-4)


def test_evaluation_leaves_documents_alone(trained):
    doc = trained.make_doc(TEXTS[0][0])
    before = doc.to_bytes()
    trained.get_pipe("lm").guess([doc])
    assert doc.to_bytes() == before


def test_without_a_scorer_nothing_is_scored():
    nlp = initialized(scorer=None)
    assert not any("hidden" in key for key in nlp.evaluate(make_examples(nlp, TEXTS)))


# Hiding


@given(st.lists(st.sampled_from(["Cat", "the", " ", "n't", "\n"]), min_size=1), st.data())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_hidden_words_leave_no_trace(words, data):
    doc = Doc(NLP.vocab, words=[*words, "end"])
    doc[0].norm_ = "special"
    n_words = len(words_of(doc))
    draws = np.array(data.draw(st.lists(st.floats(0, 1), min_size=n_words, max_size=n_words)))
    hidden = hide_words(doc, 0.5, draws)
    attrs = [ORTH, NORM, PREFIX, SUFFIX, SHAPE]
    before, after = doc.to_array(attrs), hidden.copy.to_array(attrs)
    is_hidden = np.zeros(len(doc), dtype=bool)
    is_hidden[hidden.tokens] = True
    assert is_hidden.any()
    assert not set(hidden.tokens) - set(words_of(doc))  # whitespace stays
    assert (after[~is_hidden] == before[~is_hidden]).all()
    assert len(np.unique(after[is_hidden], axis=0)) == 1
    assert {hidden.copy[int(i)].text for i in hidden.tokens} == {HIDDEN_WORD}
    assert (hidden.norms == before[is_hidden, 1]).all()
    assert [t.whitespace_ for t in hidden.copy] == [t.whitespace_ for t in doc]


def test_what_is_hidden_cannot_be_told_from_the_trunks_output():
    nlp = initialized()
    trunk = nlp.get_pipe("mtl_tok2vec")
    docs = [Doc(nlp.vocab, words=["the", word, "sat"]) for word in ("cat", "Xenophobia's")]
    draws = np.array([0.9, 0.1, 0.9])
    one, other = trunk.predict([hide_words(doc, 0.5, draws).copy for doc in docs])
    assert np.array_equal(one, other)


def test_rows_and_buckets_count_through_all_documents():
    docs = [NLP.make_doc("a b c"), NLP.make_doc("b d")]
    hidden = [hide_words(docs[0], 0.5, np.array([0.9, 0.1, 0.2]))]
    hidden.append(hide_words(docs[1], 0.5, np.array([0.1, 0.9])))
    assert rows_of(hidden).tolist() == [1, 2, 3]
    buckets = buckets_of(hidden, 1000)
    assert buckets[0] == buckets[2] != buckets[1]
    assert ((0 <= buckets) & (buckets < 1000)).all()


def test_the_share_that_is_hidden_is_the_share_asked_for():
    doc = Doc(NLP.vocab, words=["word"] * 20_000)
    assert len(hide_words(doc, 0.15, draws_for(doc)).tokens) / 20_000 == pytest.approx(0.15, 0.05)
    assert np.array_equal(draws_for(doc), draws_for(doc))


# Which documents


def annotated(kind):
    doc = NLP.make_doc("the cat sat")
    if kind == "entities":
        doc.ents = [Span(doc, 0, 1, "X")]
    elif kind == "no entity":
        doc.set_ents([])
    elif kind == "categories":
        doc.cats = {"a": 0.0}
    elif kind == "no frame":
        doc.spans["srl"] = []
    elif kind == "tags":
        doc[0].tag_ = "DT"
    elif kind == "sentences":
        for token in doc:
            token.is_sent_start = token.i == 0
    return Example(NLP.make_doc("the cat sat"), doc)


@pytest.mark.parametrize(
    ("kind", "is_text"),
    [
        ("nothing", True),
        ("sentences", True),
        ("entities", False),
        ("no entity", False),
        ("categories", False),
        ("no frame", False),
        ("tags", False),
    ],
)
def test_learns_from_documents_without_annotation_by_default(kind, is_text):
    by_default, of_all = (initialized(**c).get_pipe("lm") for c in ({}, {"documents": "all"}))
    example = annotated(kind)
    assert by_default.is_annotated(example) == is_text
    assert of_all.is_annotated(example)
    assert count_units(example.reference).get("text", 0) == (3 if is_text else 0)


@pytest.mark.parametrize("text", ["", " ", "word", "word \n"])
def test_documents_without_two_words_are_passed_over(text):
    nlp = initialized()
    losses = nlp.update(make_examples(nlp, [(text, {})]), sgd=False)
    assert losses["lm"] == 0.0
    assert nlp.evaluate(make_examples(nlp, [(text, {})]))["hidden_words_acc"] is None


def test_a_mixed_corpus_can_open_or_close_a_source():
    nlp = make_nlp("mtl_ner", language_model(documents="all"))
    head = nlp.get_pipe("lm")
    (example,) = make_examples(nlp, ENTITIES)

    def limited(*tasks):
        reference = keep_annotations(example.reference, select_tasks(nlp, tasks, "corpora"))
        return Example(example.predicted, reference)

    assert head.is_annotated(example)
    assert not head.is_annotated(limited("mtl_ner"))
    assert head.is_annotated(limited("mtl_ner", "lm"))
    only = limited("lm")
    assert head.is_annotated(only) and not only.reference.ents
    closed = limited("mtl_ner")
    assert score_masked_tokens([closed], guess=head.guess)["hidden_words_acc"] is None


# Beside other tasks


def trunk_gradient(nlp, examples):
    nlp.update(examples, sgd=False)
    trunk = nlp.get_pipe("mtl_tok2vec")
    trunk.flush()
    grads = [n.get_grad(p) for n in trunk.model.walk() for p in n.param_names if n.has_grad(p)]
    return np.concatenate([grad.ravel() for grad in grads])


@pytest.mark.parametrize("documents", ["unlabelled", "all"])
def test_the_other_heads_learn_what_they_learn_without_it(documents):
    results = []
    for head in ([], [language_model(documents=documents)]):
        nlp = make_nlp("mtl_ner", *head)
        examples = make_examples(nlp, TEXTS + ENTITIES)
        optimizer = nlp.initialize(lambda examples=examples: examples)
        del optimizer
        if head:  # the same start, and only the gradient of the entities
            nlp.get_pipe("mtl_tok2vec").model.from_bytes(results[0][2])
            nlp.get_pipe("mtl_ner").model.from_bytes(results[0][3])
            nlp.get_pipe("mtl_tok2vec").balancer.weights["lm"] = 0.0
        else:
            set_output(nlp, "mtl_ner")
        models = [nlp.get_pipe(name).model.to_bytes() for name in ("mtl_tok2vec", "mtl_ner")]
        gradient = trunk_gradient(nlp, examples)
        results.append((gradient, gradient_of(nlp, "mtl_ner"), *models))
    assert np.abs(results[0][0]).max() > 0
    assert np.allclose(results[0][0], results[1][0], atol=1e-6)
    assert np.allclose(results[0][1], results[1][1], atol=1e-6)


def set_output(nlp, name):
    """Let the zeros that a head starts with be something else, so that its gradient is as well."""
    for node in nlp.get_pipe(name).model.walk():
        for shim in node.shims:
            for parameter in shim._model.parameters():
                parameter.data += 0.1


def test_the_trunk_records_it_as_a_task():
    nlp = initialized("mtl_ner")
    for name in ("mtl_ner", "lm"):
        set_output(nlp, name)
    examples = make_examples(nlp, TEXTS + ENTITIES)
    trunk_gradient(nlp, examples)
    record = nlp.get_pipe("mtl_tok2vec").records.last
    assert set(record.tasks) == {"mtl_ner", "lm"}
    assert record.tasks["lm"].norm > 0 and record.tasks["lm"].loss > 1.0
    assert record.tasks["lm"].units == 1


@pytest.mark.parametrize("level", ["hub", "parameters"])
def test_its_gradient_reaches_the_trunk_through_hidden_copies_only(level):
    nlp = initialized("mtl_ner", documents="all")
    set_output(nlp, "lm")
    trunk = nlp.get_pipe("mtl_tok2vec")
    trunk.level = level
    examples = make_examples(nlp, TEXTS + ENTITIES)
    nlp.update(examples, sgd=False)
    step = trunk._step
    assert len(step.inputs) == 5  # the labelled document twice, the others once
    assert [HIDDEN_WORD in doc.text for doc in step.inputs] == [True] * 3 + [False, True]
    tasks = step.gather(trunk._annotated_units, trunk._loss_units)
    touched = tasks.gradients["lm"].any(axis=1)
    words = [token.text for doc in step.inputs for token in doc]
    assert touched.tolist() == [word == HIDDEN_WORD for word in words]
    trunk.flush()


def test_training_after_a_pickle_and_with_gradient_accumulation():
    nlp = initialized("mtl_ner")
    examples = make_examples(nlp, TEXTS + ENTITIES)
    optimizer = nlp.resume_training()
    before = parameters_of(nlp, "lm")
    for part in (examples[:2], examples[2:]):
        losses = nlp.update(part, sgd=False)
        assert losses["lm"] > 0
    nlp = pickle.loads(pickle.dumps(nlp))
    nlp.update(make_examples(nlp, TEXTS), sgd=optimizer)
    assert not np.array_equal(before, parameters_of(nlp, "lm"))


def test_it_can_be_removed_after_training(trained, tmp_path):
    trained.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    vectors = nlp("the cat sat").tensor
    nlp.remove_pipe("lm")
    assert np.array_equal(nlp("the cat sat").tensor, vectors)
    nlp.update(make_examples(nlp, TEXTS), sgd=False)
    assert not nlp.get_pipe("mtl_tok2vec").listening_components


def test_own_encoder_after_replacing_listeners(trained, tmp_path):
    trained.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    expected = nlp.evaluate(make_examples(nlp, TEXTS))["hidden_words_perplexity"]
    nlp.replace_listeners("mtl_tok2vec", "lm", ["model.tok2vec"])
    nlp.remove_pipe("mtl_tok2vec")
    found = nlp.evaluate(make_examples(nlp, TEXTS))["hidden_words_perplexity"]
    assert found == pytest.approx(expected, rel=1e-4)


# What users are told


def test_a_trunk_that_cannot_hide_words_is_refused():
    with pytest.raises(ValueError, match="can't hide words.*mtl_tok2vec"):
        initialized(trunk="tok2vec")


def test_a_corpus_without_documents_for_it_is_said():
    nlp = make_nlp("mtl_ner", language_model())
    with pytest.warns(UserWarning, match="'lm' may learn nothing: of the 1 documents"):
        nlp.initialize(lambda: make_examples(nlp, ENTITIES))


def test_a_frozen_trunk_is_said_once():
    nlp = initialized("mtl_ner")
    examples = make_examples(nlp, TEXTS + ENTITIES)
    for example in examples:
        nlp.get_pipe("mtl_tok2vec")(example.predicted)
    optimizer = nlp.resume_training()
    with pytest.warns(UserWarning, match="'lm' learns nothing"):
        nlp.update(examples, sgd=optimizer, exclude=["mtl_tok2vec"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        losses = nlp.update(examples, sgd=optimizer, exclude=["mtl_tok2vec"])
    assert losses["lm"] == 0.0


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"documents": "some"}, "documents"),
        ({"mask_rate": 0.0}, "mask_rate is 0.0"),
        ({"mask_rate": 1.0}, "mask_rate is 1.0"),
        ({"model": {"n_buckets": 1}}, "n_buckets"),
    ],
)
def test_settings_that_make_no_sense_are_named(config, message):
    with pytest.raises(ValueError, match=message):
        make_nlp(language_model(**config))


def test_it_has_no_labels():
    nlp = initialized()
    head = nlp.get_pipe("lm")
    assert head.labels == () and head.label_data is None
    with pytest.raises(NotImplementedError, match="no labels"):
        head.add_label("x")
