"""The quicker functions find the attributes that spaCy's find."""

import pickle
import sys
import unicodedata

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.attrs import IS_STOP, SHAPE
from spacy.lang import lex_attrs as stock
from spacy.lang.en import lex_attrs as english
from spacy.vocab import Vocab

from spacy_mtl.acceleration.lexemes import use_quick_getters

LANGUAGES = ["en", "de", "tr", "zh", "xx"]
CONSTANTS = [  # all that the functions know by heart
    word
    for function in vars(stock).values()
    if hasattr(function, "__code__")
    for constant in function.__code__.co_consts
    for word in (constant if isinstance(constant, tuple) else [constant])
    if isinstance(word, str) and word
]
WORDS = [
    *CONSTANTS,
    *english._num_words,
    *english._ordinal_words,
    *"a A aB AB Ab ABc abcde ABCDE Abcde AbcDe ABcdefg d'Or é É Éa ﬁ ʰ".split(),
    *"x1 1st 22ND -7 +3,5 1/2 ½ ² 𝟙 $ US$ € a@b a.b@c.d me@x.org".split(),
    *"http://x https:/ http://x.de www. www.x x.com .com ftp.x:80".split(),
    "a" * 99,
    "A" + "b" * 99,
    "B" * 100,
]
words = st.one_of(
    st.text(min_size=1, max_size=12),
    st.text("aBcé1.@/:-'$", min_size=1, max_size=8),
    st.sampled_from(WORDS).map(str.upper),
    st.sampled_from(WORDS).map(str.title),
)


@pytest.fixture(scope="module", params=LANGUAGES)
def getters(request):
    vocab = spacy.blank(request.param).vocab
    before = dict(vocab.lex_attr_getters)
    use_quick_getters(vocab)
    return before, vocab.lex_attr_getters


def values(getters, word):
    return {attr: get(word) for attr, get in getters.items()}


def test_known_words_have_the_same_attributes(getters):
    before, fast = getters
    assert list(fast) == list(before)
    for word in WORDS:
        assert values(fast, word) == values(before, word), word


@given(word=words)
def test_words_have_the_same_attributes(getters, word):
    before, fast = getters
    assert values(fast, word) == values(before, word)


def test_no_letter_or_digit_is_punctuation_or_currency():
    for char in map(chr, range(sys.maxunicode + 1)):
        if char.isalnum():
            category = unicodedata.category(char)
            assert category != "Sc" and not category.startswith("P")


def test_functions_of_the_vocabulary_itself_stay():
    def count(text):
        return len(text)

    unhashable = type("Unhashable", (), {"__hash__": None, "__call__": lambda self, text: True})()
    own = {SHAPE: count, IS_STOP: unhashable}
    vocab = Vocab(lex_attr_getters=own)
    use_quick_getters(vocab)
    assert vocab.lex_attr_getters == own
    use_quick_getters(Vocab())


def test_the_quick_tokenizer_uses_them_and_can_be_pickled():
    config = {"nlp": {"tokenizer": {"@tokenizers": "spacy_mtl.FastTokenizer.v1"}}}
    nlp, fast = spacy.blank("en"), spacy.blank("en", config=config)
    assert fast.vocab.lex_attr_getters[SHAPE] is not nlp.vocab.lex_attr_getters[SHAPE]
    copied = pickle.loads(pickle.dumps(fast.vocab))
    for word in WORDS:
        lexemes = [vocab[word] for vocab in (nlp.vocab, fast.vocab, copied)]
        for one in lexemes[1:]:
            assert (one.shape_, one.like_num, one.like_url, one.is_quote, one.is_ascii) == (
                lexemes[0].shape_,
                lexemes[0].like_num,
                lexemes[0].like_url,
                lexemes[0].is_quote,
                lexemes[0].is_ascii,
            )
