import copy
import gc
import pickle

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_mtl.heads.alignment_cache import AlignmentCache, text_and_entities, text_and_spans
from tests.heads.pipelines import make_nlp

GOLD = ["I", "like", "New", "York"]
SPLIT = ["I", "like", "New", "Yo", "rk"]


def make_example(predicted=SPLIT, spaces=None):
    vocab = spacy.blank("en").vocab
    reference = Doc(vocab, words=GOLD, ents=["O", "O", "B-GPE", "I-GPE"])
    reference.spans["srl"] = [
        Span(reference, 1, 2, "V", kb_id="like.01", span_id=1),
        Span(reference, 0, 1, "ARG0", span_id=1),
    ]
    spaces = spaces or [True, True, True, False, False][: len(predicted)]
    return Example(Doc(vocab, words=predicted, spaces=spaces), reference)


@pytest.fixture
def memory():
    return AlignmentCache()


def look_up(memory, example, value, content=text_and_entities):
    return memory.get(example, content(example), lambda: value)


def spans(example):
    return text_and_spans(example, "srl")


def test_new_examples_of_the_same_documents_find_what_was_kept(memory):
    example = make_example()
    assert look_up(memory, example, "first") == "first"
    again = Example(example.predicted.copy(), example.reference)
    assert look_up(memory, again, "second") == "first"


def edit_entities(reference):
    reference.ents = [Span(reference, 2, 4, "LOC")]


def edit_roleset(reference):
    reference.spans["srl"][0].kb_id_ = "like.02"
    kept = list(reference.spans["srl"])
    reference.spans["srl"] = [
        Span(reference, span.start, span.end, span.label_, kb_id="like.02", span_id=span.id)
        for span in kept
    ]


def drop_argument(reference):
    reference.spans["srl"] = list(reference.spans["srl"])[:1]


@pytest.mark.parametrize(
    "content, edit",
    [(text_and_entities, edit_entities), (spans, edit_roleset), (spans, drop_argument)],
)
def test_edited_gold_annotation_is_found_anew(memory, content, edit):
    example = make_example()
    look_up(memory, example, "first", content)
    edit(example.reference)
    assert look_up(memory, example, "second", content) == "second"


@pytest.mark.parametrize("content", [text_and_entities, spans])
def test_another_tokenization_is_found_anew(memory, content):
    example = make_example()
    look_up(memory, example, "first", content)
    other = Example(make_example(GOLD).predicted, example.reference)
    assert look_up(memory, other, "second", content) == "second"


def test_nothing_outlives_its_reference(memory):
    example = make_example()
    look_up(memory, example, "first")
    assert len(memory._found) == 1
    del example
    gc.collect()
    assert not len(memory._found)


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda kept: pickle.loads(pickle.dumps(kept))]
)
def test_copies_start_empty(memory, duplicate):
    example = make_example()
    look_up(memory, example, "first")
    assert look_up(duplicate(memory), example, "second") == "second"


def test_entity_head_learns_from_edited_references():
    nlp = make_nlp("mtl_ner")
    words, ents = GOLD, ["O", "O", "B-GPE", "I-GPE"]
    reference = Doc(nlp.vocab, words=words, ents=ents)
    predicted = Doc(nlp.vocab, words=SPLIT, spaces=[True, True, True, False, False])
    example = Example(predicted, reference)
    nlp.initialize(lambda: [example])
    head = nlp.get_pipe("mtl_ner")
    first = head._gold_tags([example])
    np.testing.assert_array_equal(head._gold_tags([example]), first)
    assert first.tolist() == [0, 0, 1, 2, 2]
    reference.ents = []
    assert head._gold_tags([example]).tolist() == [0] * 5
