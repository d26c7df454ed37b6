import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_mtl.heads.sentences import sentence_starts

NLP = spacy.blank("en")
SENTENCIZER = NLP.add_pipe("sentencizer")
WORDS = st.sampled_from(["We", "left", ".", "!", "?", '"', ")", ",", "...", "\n\n", "。", "$"])


@given(st.lists(st.lists(WORDS, max_size=12), max_size=4))
def test_without_boundaries_they_are_those_of_the_sentencizer(texts):
    docs = [Doc(NLP.vocab, words=words) for words in texts]
    found = sentence_starts(docs)
    expected = [token.is_sent_start for doc in docs for token in SENTENCIZER(doc.copy())]
    assert found.tolist() == expected


def test_boundaries_of_the_document_come_first():
    words = ["We", "left", ".", "They", "stayed"]
    docs = [Doc(NLP.vocab, words=words, sent_starts=[True, True, False, False, False])]
    np.testing.assert_array_equal(sentence_starts(docs), [True, True, False, False, False])


@pytest.mark.parametrize("mark", ["。", "？", "！", "؟", "۔", "।", "።", "։", "။"])
def test_full_stops_of_other_scripts_end_sentences(mark):
    doc = Doc(spacy.blank("xx").vocab, words=["a", "b", mark, "c", mark])
    assert sentence_starts([doc]).tolist() == [True, False, False, True, False]
