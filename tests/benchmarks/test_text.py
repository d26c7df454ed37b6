"""The text that the speed comparison is timed on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.measuring.text import TextStream, of_length, raw_text, respell

WORDS = ["the", "cat", "saw", "the", "Dog", "4711", "the", "cat"]
DOC = (WORDS, [True] * len(WORDS))


@given(st.text(), st.integers(0, 200))
def test_respelling_keeps_length_and_case_of_each_letter(word, shift):
    spelled = respell(word, shift)
    assert len(spelled) == len(word)
    assert [letter.isupper() for letter in spelled] == [letter.isupper() for letter in word]
    assert [letter.isdigit() for letter in spelled] == [letter.isdigit() for letter in word]


def test_the_first_pass_over_the_corpus_is_the_corpus():
    assert TextStream([DOC]).take(len(WORDS)).docs == [DOC]


def test_later_passes_respell_only_words_that_occur_once():
    stream = TextStream([DOC])
    stream.take(len(WORDS))
    ((words, _),) = stream.take(len(WORDS)).docs
    assert [a == b for a, b in zip(words, WORDS, strict=True)] == [
        word in ("the", "cat") for word in WORDS
    ]


def test_each_pass_meets_as_many_new_words_as_the_corpus_has_once():
    stream = TextStream([DOC])
    assert stream.take(len(WORDS)).new == 5 / 8
    assert [stream.take(len(WORDS)).new for _ in range(3)] == [3 / 8] * 3


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_windows_have_the_words_asked_for(sizes):
    stream = TextStream([DOC, DOC])
    for size in sizes:
        window = stream.take(size)
        assert sum(len(words) for words, _ in window.docs) == window.n_words == size
        assert 0 <= window.new <= window.distinct <= 1


def test_a_corpus_without_tokens_is_an_error():
    with pytest.raises(ValueError, match="no tokens"):
        TextStream([([], [])])


@given(st.integers(1, 30))
def test_other_document_lengths_keep_the_words(length):
    window = TextStream([DOC]).take(20)
    docs = of_length(window, length)
    assert [w for words, _ in docs for w in words] == [w for words, _ in window.docs for w in words]
    assert all(len(words) == length for words, _ in docs[:-1])


def test_raw_text_has_the_spaces_of_the_tokens():
    assert raw_text((["It", "'s", "on", "."], [False, True, False, False])) == "It's on."
