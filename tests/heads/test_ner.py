import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_mtl.heads.ner import UNKNOWN
from tests.heads.pipelines import (
    gradient_of,
    make_examples,
    make_nlp,
    parameters_of,
    reloaded,
    train,
)

DATA = [
    ("Ann Lee met Bob in Rome .", {"entities": [(0, 7, "PER"), (12, 15, "PER"), (19, 23, "LOC")]}),
    ("I saw nothing at all .", {"entities": []}),
    ("Rome is big , says Ann", {"entities": [(0, 4, "LOC"), (19, 22, "PER")]}),
]


def entities(doc):
    return [(ent.start, ent.end, ent.label_) for ent in doc.ents]


def gold(doc, *spans):
    """A copy of a document with these entities set, and nothing else."""
    copy = Doc(doc.vocab, words=[t.text for t in doc], spaces=[bool(t.whitespace_) for t in doc])
    copy.set_ents([Span(copy, *span) for span in spans])
    return copy


def two_tokenizations(vocab):
    merged = Doc(vocab, words=["Ann-Lee", "met", "Bob"], spaces=[True, True, False])
    words = ["Ann", "-", "Lee", "met", "Bob"]
    return merged, Doc(vocab, words=words, spaces=[False, False, True, True, False])


def tags_of(head, predicted, reference):
    return head._gold_tags([Example(predicted, reference)]).tolist()


@pytest.fixture(scope="module")
def trained():
    nlp = make_nlp("mtl_ner")
    train(nlp, make_examples(nlp, DATA))
    return nlp


@pytest.fixture
def head():
    nlp = make_nlp("mtl_ner")
    nlp.initialize(lambda: make_examples(nlp, DATA))
    return nlp.get_pipe("mtl_ner")


@pytest.mark.parametrize("trunk", ["mtl_tok2vec", "tok2vec", None])
def test_overfits_behind_each_trunk_and_alone(trunk):
    nlp = make_nlp("mtl_ner", trunk=trunk)
    losses = train(nlp, make_examples(nlp, DATA))
    assert losses["mtl_ner"] < 0.1
    scores = nlp.evaluate(make_examples(nlp, DATA))
    assert scores["ents_f"] == 1.0
    assert set(scores["ents_per_type"]) == {"PER", "LOC"}


def test_hidden_layer_overfits():
    nlp = make_nlp(("mtl_ner", "mtl_ner", {"model": {"hidden_width": 16}}))
    train(nlp, make_examples(nlp, DATA))
    assert nlp.evaluate(make_examples(nlp, DATA))["ents_f"] == 1.0


def test_replace_listeners_keeps_predictions(trained, tmp_path):
    trained.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    nlp.replace_listeners("mtl_tok2vec", "mtl_ner", ["model.tok2vec"])
    nlp.remove_pipe("mtl_tok2vec")
    for text, _ in DATA:
        assert entities(nlp(text)) == entities(trained(text))


def test_saved_pipelines_predict_the_same(trained, tmp_path):
    for nlp in reloaded(trained, tmp_path):
        assert nlp.get_pipe("mtl_ner").labels == ("LOC", "PER")
        assert nlp.get_pipe("mtl_ner").model.get_dim("nO") == 5
        for text, _ in DATA:
            assert entities(nlp(text)) == entities(trained(text))


def test_scores_do_not_depend_on_the_batch(trained):
    texts = [text for text, _ in DATA] + ["Bob", "", "   ", "Ann\n\nLee"]
    model = trained.get_pipe("mtl_ner").model
    docs = list(trained.pipe(texts, batch_size=len(texts)))
    together = np.split(model.predict(docs), np.cumsum([len(doc) for doc in docs])[:-1])
    for doc, scores in zip(docs, together, strict=True):
        if len(doc):
            assert np.allclose(model.predict([trained(doc.text)]), scores, atol=1e-4)
    expected = [entities(doc) for doc in docs]
    for size in (1, 2):
        backwards = list(trained.pipe(texts[::-1], batch_size=size))
        assert [entities(doc) for doc in backwards][::-1] == expected


@pytest.mark.parametrize("text", ["", " ", "\n\n \n", "Rome", "Rome \n\n Ann"])
def test_odd_documents(trained, text):
    doc = trained(text)
    assert doc.has_annotation("ENT_IOB", require_complete=True) or not len(doc)
    for ent in doc.ents:
        assert not ent[0].is_space and not ent[-1].is_space
    assert [entities(d) for d in trained.pipe(["", text, ""])][1] == entities(doc)


def test_batch_of_empty_documents(trained):
    assert [entities(doc) for doc in trained.pipe(["", ""])] == [[], []]
    head = trained.get_pipe("mtl_ner")
    assert head.predict([]).shape == (0, 3)
    head.set_annotations([], head.predict([]))


def test_document_of_100_000_tokens(trained):
    doc = Doc(trained.vocab, words=["Ann", "Lee", "met", "Bob", "in"] * 20_000)
    doc.tensor = np.random.default_rng(0).normal(size=(100_000, 24)).astype("f")
    head = trained.get_pipe("mtl_ner")
    head(doc)
    assert len(doc.ents) > 100


# Annotation


def test_empty_entities_are_annotation_and_none_is_not(head):
    doc = Doc(head.vocab, words=["a", "b"])
    assert not head.is_annotated(Example(doc, Doc(head.vocab, words=["a", "b"])))
    assert head.is_annotated(Example(doc, gold(doc)))
    assert tags_of(head, doc, gold(doc)) == [0, 0]


def test_gold_tags(head):
    doc = Doc(head.vocab, words=["a", "b", "c", "d", "e"])
    reference = gold(doc, (0, 2, "PER"), (2, 3, "PER"), (3, 4, "LOC"))
    assert tags_of(head, doc, reference) == [2, 4, 2, 1, 0]  # O B-LOC B-PER I-LOC I-PER


def test_entity_does_not_continue_in_the_next_document(head):
    doc = Doc(head.vocab, words=["a", "b"])
    examples = [Example(doc, gold(doc, (1, 2, "PER"))), Example(doc, gold(doc, (0, 1, "PER")))]
    assert head._gold_tags(examples).tolist() == [0, 2, 2, 0]


def test_missing_tokens_are_unknown_and_blocked_ones_are_outside(head):
    doc = Doc(head.vocab, words=["a", "b", "c"])
    reference = gold(doc)
    reference.set_ents(
        [Span(reference, 0, 1, "PER")],
        missing=[Span(reference, 1, 2)],
        blocked=[Span(reference, 2, 3)],
    )
    assert tags_of(head, doc, reference) == [2, UNKNOWN, 0]


def test_labels_that_the_head_lacks_are_outside(head):
    doc = Doc(head.vocab, words=["a", "b", "c"])
    assert tags_of(head, doc, gold(doc, (0, 1, "PER"), (1, 2, "ORG"))) == [2, 0, 0]


def test_whitespace_is_passed_over(head):
    doc = Doc(head.vocab, words=["\n", "a", "\n", "b", "c"])
    reference = gold(doc, (0, 4, "PER"), (4, 5, "PER"))
    assert tags_of(head, doc, reference) == [UNKNOWN, 2, UNKNOWN, 4, 2]


def test_entities_align_with_another_tokenization(head):
    reference = gold(Doc(head.vocab, words=["Ann", "-", "Lee", "met", "Bob"]), (0, 3, "PER"))
    merged = Doc(head.vocab, words=["Ann-Lee", "met", "Bob"], spaces=[True, True, False])
    reference = Doc(
        head.vocab,
        words=["Ann", "-", "Lee", "met", "Bob"],
        spaces=[False, False, True, True, False],
    )
    reference.set_ents([Span(reference, 0, 3, "PER")])
    assert tags_of(head, merged, reference) == [2, 0, 0]


def test_entities_that_do_not_align_are_unknown(head):
    reference = Doc(
        head.vocab,
        words=["Ann", "-", "Lee", "met", "Bob"],
        spaces=[False, False, True, True, False],
    )
    reference.set_ents([Span(reference, 0, 1, "PER"), Span(reference, 4, 5, "PER")])
    merged = Doc(head.vocab, words=["Ann-Lee", "met", "Bob"], spaces=[True, True, False])
    assert tags_of(head, merged, reference) == [UNKNOWN, 0, 2]


def test_document_without_any_aligned_token_gives_no_loss(head):
    merged = Doc(head.vocab, words=["AnnLee"], spaces=[False])
    reference = Doc(head.vocab, words=["Ann", "Lee"], spaces=[False, False])
    reference.set_ents([Span(reference, 0, 1, "PER")])
    merged.tensor = np.zeros((1, 24), dtype="f")
    assert head.update([Example(merged, reference)]) == {"mtl_ner": 0.0}


@pytest.mark.parametrize("trunk", ["mtl_tok2vec", "tok2vec", None])
def test_documents_without_annotation_do_not_change_the_gradient(trunk):
    gradients, losses = [], []
    for extra in ([], [("Bob is big", {}), ("", {}), ("Rome", {"cats": {"x": 1.0}})]):
        nlp = make_nlp("mtl_ner", trunk=trunk)
        nlp.initialize(lambda nlp=nlp: make_examples(nlp, DATA))
        losses.append(nlp.update(make_examples(nlp, DATA + extra), sgd=False)["mtl_ner"])
        gradients.append(gradient_of(nlp, "mtl_ner"))
    assert losses[0] == pytest.approx(losses[1])
    assert np.abs(gradients[0]).max() > 0
    assert np.allclose(*gradients, atol=1e-6)


def test_batch_without_annotation_changes_nothing(trained, tmp_path):
    nlp = reloaded(trained, tmp_path)[0]
    optimizer = nlp.resume_training()
    before = parameters_of(nlp, "mtl_ner")
    losses = nlp.update(make_examples(nlp, [("Ann met Bob", {})]), sgd=optimizer)
    assert losses["mtl_ner"] == 0.0
    assert np.array_equal(before, parameters_of(nlp, "mtl_ner"))


def test_initialize_without_entities_names_the_component():
    nlp = make_nlp("mtl_ner")
    with pytest.raises(ValueError, match="'mtl_ner' has no labels.*none of 1 training documents"):
        nlp.initialize(lambda: make_examples(nlp, [("Ann", {})]))


def test_labels_can_be_given():
    nlp = make_nlp("mtl_ner")
    nlp.get_pipe("mtl_ner").initialize(
        lambda: make_examples(nlp, DATA), nlp=nlp, labels=["PER", "LOC", "ORG"]
    )
    assert nlp.get_pipe("mtl_ner").labels == ("PER", "LOC", "ORG")
    assert nlp.get_pipe("mtl_ner").label_data == ["PER", "LOC", "ORG"]


def test_unknown_gold_labels_are_misses(trained):
    examples = make_examples(
        trained, [("Ann Lee met Bob in Rome .", {"entities": [(0, 7, "PER"), (19, 23, "CITY")]})]
    )
    scores = trained.evaluate(examples)
    assert scores["ents_per_type"]["CITY"] == {"p": 0.0, "r": 0.0, "f": 0.0}
    assert scores["ents_r"] == 0.5


def test_scores_are_none_without_annotation(trained):
    assert trained.evaluate(make_examples(trained, [("Ann", {})]))["ents_f"] is None


# Other components' entities


def test_entities_of_an_earlier_component_stay(trained, tmp_path):
    nlp = reloaded(trained, tmp_path)[0]
    ruler = nlp.add_pipe("entity_ruler", before="mtl_ner")
    ruler.add_patterns([{"label": "GIFT", "pattern": "Lee met", "id": "7"}])
    doc = nlp("Ann Lee met Bob in Rome .")
    assert entities(doc) == [(1, 3, "GIFT"), (3, 4, "PER"), (5, 6, "LOC")]
    assert doc.ents[0].ent_id_ == "7"


def test_predictions_do_not_touch_blocked_tokens(trained):
    docs = [trained.make_doc("Ann Lee met Bob in Rome .") for _ in range(2)]
    docs[1].set_ents([], blocked=[docs[1][5:6]], default="missing")
    docs = list(trained.pipe(docs))
    assert entities(docs[0]) == [(0, 2, "PER"), (3, 4, "PER"), (5, 6, "LOC")]
    assert entities(docs[1]) == [(0, 2, "PER"), (3, 4, "PER")]


def test_entity_may_span_whitespace(trained):
    head = trained.get_pipe("mtl_ner")
    doc = Doc(trained.vocab, words=["Ann", "\n", "Lee", "\n"])
    doc.tensor = np.zeros((4, 24), dtype="f")
    weights = head.model.layers[1].shims[0]._model
    with torch.no_grad():
        saved = weights.output.bias.clone()
        weights.output.bias[4] += 100.0  # I-PER everywhere
    head(doc)
    with torch.no_grad():
        weights.output.bias.copy_(saved)
    assert entities(doc) == [(0, 3, "PER")]


# The loss
