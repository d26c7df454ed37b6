"""spaCy's attributes of words, found in less time for ordinary words.

A word's attributes are found once, when the vocabulary meets it, by some twenty functions. The ones
here give the same values as spaCy's, but look at each character only where the first look at the
word leaves that open.
"""

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, cast

from spacy.lang import lex_attrs as stock
from spacy.lang.en import lex_attrs as english
from spacy.vocab import Vocab

Getter = Callable[[str], Any]
LONG = 100  # characters from which a shape is "LONG"
_ENGLISH_NUMBERS = frozenset([*english._num_words, *english._ordinal_words])


def use_quick_getters(vocab: Vocab) -> None:
    """Have a vocabulary find the attributes of new words faster.

    vocab (Vocab): The vocabulary. Functions of its own, or of its language, stay as they are where
        none here does the same.
    """
    has_getters = cast(Any, vocab)  # spaCy's types leave them out
    getters = has_getters.lex_attr_getters or {}
    has_getters.lex_attr_getters = {
        attr: _QUICKER.get(get, get) if isinstance(get, Hashable) else get
        for attr, get in getters.items()
    }


def word_shape(text: str) -> str:
    """RETURNS (str): What `spacy.lang.lex_attrs.word_shape` does."""
    length = len(text)
    if length < LONG and text.isascii() and text.isalpha():
        # a shape shows no more than four characters of a kind in a row
        if text.islower():
            return "xxxx"[:length]
        if text.isupper():
            return "XXXX"[:length]
        if text[1:].islower():
            return "Xxxxx"[:length]
    return stock.word_shape(text)


def like_url(text: str) -> bool:
    """RETURNS (bool): What `spacy.lang.lex_attrs.like_url` does."""
    if "." in text:
        return stock.like_url(text)
    return text.startswith(("http://", "https://"))


def like_email(text: str) -> bool:
    """RETURNS (bool): What `spacy.lang.lex_attrs.like_email` does."""
    return "@" in text and stock.like_email(text)


def like_english_number(text: str) -> bool:
    """RETURNS (bool): What `spacy.lang.en.lex_attrs.like_num` does."""
    if text.isascii() and text.isalpha():
        return text.lower() in _ENGLISH_NUMBERS
    return bool(english.like_num(text))


def unless_alphanumeric(has: Callable[[str], bool], text: str) -> bool:
    """Ask whether a word has a property that none has which begins with a letter or a digit.

    has (Callable[[str], bool]): Tells whether it has.
    text (str): The word.
    RETURNS (bool): Whether it has.
    """
    return not text[0].isalnum() and has(text)


_QUICKER: dict[Hashable, Getter] = {
    stock.is_ascii: str.isascii,
    stock.word_shape: word_shape,
    stock.like_url: like_url,
    stock.like_email: like_email,
    english.like_num: like_english_number,
    **{
        has: partial(unless_alphanumeric, has)
        for has in (
            stock.is_punct,
            stock.is_currency,
            stock.is_bracket,
            stock.is_quote,
            stock.is_left_punct,
            stock.is_right_punct,
        )
    },
}
