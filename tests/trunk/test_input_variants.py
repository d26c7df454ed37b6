"""What the trunk reads where heads want documents in another form."""

import spacy

from spacy_mtl.trunk.input_variants import InputVariant, merge_inputs

VOCAB = spacy.blank("en").vocab


def make_docs(*words):
    return [spacy.tokens.Doc(VOCAB, words=[word]) for word in words]


def test_a_reading_replaces_its_document_or_joins_the_batch():
    docs, forms = make_docs("a", "b"), make_docs("x", "y", "z")
    readings = [
        InputVariant(1, forms[0], True),
        InputVariant(1, forms[1], True),
        InputVariant(0, forms[2], False),
    ]
    assert merge_inputs(docs, readings) == [docs[0], forms[0], forms[1], forms[2]]


def test_without_readings_the_batch_is_read():
    docs = make_docs("a", "b")
    assert merge_inputs(docs, []) == docs
