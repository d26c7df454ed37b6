"""The quick tokenizer finds what spaCy's does."""

import pickle
import re
from pathlib import Path

import pytest
import spacy
import srsly
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokenizer import Tokenizer

from spacy_mtl.acceleration.tokenizer import FastTokenizer

FAST = {"nlp": {"tokenizer": {"@tokenizers": "spacy_mtl.FastTokenizer.v1"}}}
TEXTS = [
    "Don't go to the U.S.A., (it's \"great\")... see https://example.com/a?b=c or me@example.org!",
    "gimme 5km/h of well-known,unknown stuff;ok:fine... I'll've done it <3 :) word--word a.B C.d",
    "Im Jahr 1990 z.B. kam's  so.\n\nÀ l'heure, aujourd'hui: «où?» Кто-то сказал, что 5 % — мало.",
    "",
    "   ",
]
PIECES = [
    "word",
    "don't",
    "U.S.",
    "e.g.",
    "(a)",
    "x-y",
    "a/b",
    "5km",
    "...",
    "é",
    "\u017f",
    "\u212a",
    ":)",
]
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6))).map(" ".join)


def tokens(tokenizer, text):
    doc = tokenizer(text)
    return [(token.text, token.norm_, bool(token.whitespace_)) for token in doc]


@pytest.fixture(scope="module")
def english():
    return spacy.blank("en"), spacy.blank("en", config=FAST)


@pytest.mark.parametrize("language", ["en", "de", "fr", "tr", "hu", "ru", "xx"])
def test_tokens_of_a_language_are_those_of_spacy(language):
    nlp, fast = spacy.blank(language), spacy.blank(language, config=FAST)
    assert isinstance(fast.tokenizer, FastTokenizer)
    for text in TEXTS:
        assert tokens(fast.tokenizer, text) == tokens(nlp.tokenizer, text)


@given(texts)
def test_tokens_are_those_of_spacy(english, text):
    nlp, fast = english
    assert tokens(fast.tokenizer, text) == tokens(nlp.tokenizer, text)


def test_words_of_letters_are_not_searched():
    fast = spacy.blank("en", config=FAST).tokenizer
    assert fast.suffix_search.__self__.search("cats") is None
    assert fast.suffix_search("cats") is None and fast.suffix_search("cats'")
    assert fast.suffix_search != fast.suffix_search.__self__.search


def test_patterns_that_match_letters_are_heeded():
    nlp, fast = spacy.blank("en"), spacy.blank("en", config=FAST)
    for pipeline in (nlp, fast):
        pipeline.tokenizer.suffix_search = re.compile("ish$").search
    again = FastTokenizer(fast.vocab).from_bytes(nlp.tokenizer.to_bytes())
    expected = ["green", "ish"]
    for tokenizer in (nlp.tokenizer, fast.tokenizer, again):
        assert [token.text for token in tokenizer("greenish")] == expected


@pytest.mark.parametrize("exclude", [(), ("exceptions",), ("suffix_search",)])
def test_bytes_are_those_of_spacy_and_give_the_same_tokenizer(english, exclude):
    nlp, fast = english
    data = nlp.tokenizer.to_bytes()
    assert fast.tokenizer.to_bytes() == data
    again = FastTokenizer(fast.vocab).from_bytes(data, exclude=exclude)
    stock = Tokenizer(nlp.vocab).from_bytes(data, exclude=exclude)
    assert again.to_bytes() == stock.to_bytes()
    for text in TEXTS:
        assert tokens(again, text) == tokens(stock, text)
    if not exclude:
        assert again.prefix_search != again.prefix_search.__self__.search


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:1000]),
        lambda file: srsly.write_msgpack(file, {"nodes": []}),
    ],
    ids=["missing", "empty", "truncated", "something else"],
)
def test_damaged_file_is_named(english, tmp_path, damage):
    _, fast = english
    fast.to_disk(tmp_path)
    damage(tmp_path / "tokenizer")
    with pytest.raises(ValueError, match=f"tokenizer can't be loaded.*'{tmp_path / 'tokenizer'}'"):
        spacy.load(tmp_path)


def test_saved_pipeline_keeps_the_tokenizer(english, tmp_path):
    _, fast = english
    fast.tokenizer.add_special_case("wanna", [{"ORTH": "wan"}, {"ORTH": "na"}])
    fast.to_disk(tmp_path)
    loaded = spacy.load(tmp_path).tokenizer
    assert isinstance(loaded, FastTokenizer)
    assert [token.text for token in loaded("I wanna go")] == ["I", "wan", "na", "go"]
    copied = pickle.loads(pickle.dumps(loaded))
    assert isinstance(copied, FastTokenizer)
    assert copied.max_cache_size == loaded.max_cache_size
    for text in [*TEXTS, "I wanna go"]:
        assert tokens(copied, text) == tokens(loaded, text)
