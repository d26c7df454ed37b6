import numpy as np
import spacy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from spacy.attrs import ENT_IOB, ENT_TYPE
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_mtl.heads.entity_targets import BEGIN, INSIDE, MISSING, OUTSIDE, align_entities

VOCAB = spacy.blank("en").vocab
IOB_OF_BILUO = {"B": BEGIN, "U": BEGIN, "I": INSIDE, "L": INSIDE, "O": OUTSIDE, "-": MISSING}


def cut(text, borders):
    """A document of a text whose tokens end at some characters, and at each blank."""
    ends = sorted({*borders, len(text)} | {i for i, c in enumerate(text) if c == " "})
    words, spaces, start = [], [], 0
    for end in ends:
        if end > start:
            words.append(text[start:end])
            spaces.append(text[end : end + 1] == " ")
        start = end + (text[end : end + 1] == " ")
    return Doc(VOCAB, words=words, spaces=spaces)


@st.composite
def examples(draw):
    text = draw(st.text("ab\n ", min_size=1, max_size=14).map(str.strip).filter(bool))
    borders = st.sets(st.integers(1, len(text)))
    predicted, reference = cut(text, draw(borders)), cut(text, draw(borders))
    if draw(st.booleans()):
        reference = Doc(VOCAB, words=[token.text for token in predicted])  # other blanks
    marks = draw(
        st.lists(
            st.sampled_from(["PER", "LOC", "missing", "outside", "outside"]),
            min_size=len(reference),
            max_size=len(reference),
        )
    )
    sizes = draw(st.lists(st.integers(1, 3), min_size=len(marks), max_size=len(marks)))
    spans, at = [], 0
    while at < len(marks):
        end = min(at + sizes[at], len(marks))
        spans.append((marks[at], at, end))
        at = end
    reference.set_ents(
        [Span(reference, i, j, mark) for mark, i, j in spans if mark.isupper()],
        missing=[Span(reference, i, j) for mark, i, j in spans if mark == "missing"],
    )
    assume(reference.has_annotation("ENT_IOB"))
    return Example(predicted, reference)


@settings(max_examples=300, deadline=None)
@given(examples())
def test_entities_are_those_that_spacy_aligns(example):
    iob, types = align_entities(example)
    tags = [tag if tag else "-" for tag in example.get_aligned_ner()]
    assert iob.tolist() == [IOB_OF_BILUO[tag[0]] for tag in tags]
    assert types.tolist() == [VOCAB.strings[tag[2:]] if tag[2:] else 0 for tag in tags]


def test_same_tokens_keep_their_entities():
    doc = Doc(VOCAB, words=["Ann", "met", "Bob", "Lee"])
    reference = doc.copy()
    reference.set_ents([Span(reference, 0, 1, "PER"), Span(reference, 2, 4, "PER")])
    found = np.stack(align_entities(Example(doc, reference)), axis=1)
    assert np.array_equal(found, reference.to_array([ENT_IOB, ENT_TYPE]))
