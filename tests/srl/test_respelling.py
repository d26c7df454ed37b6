from string import ascii_lowercase

from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_mtl.srl.respelling import SpellingIndex

LETTERS = ascii_lowercase + "é"
words = st.text("abé", min_size=1, max_size=6)


def respellings(form):
    """All strings at one mistake, the plain way."""
    parts = [(form[:at], form[at:]) for at in range(1, len(form) + 1)]
    fewer = [start + rest[1:] for start, rest in parts if rest]
    swapped = [start + rest[1] + rest[0] + rest[2:] for start, rest in parts if len(rest) > 1]
    other = [start + letter + rest[1:] for start, rest in parts if rest for letter in LETTERS]
    more = [start + letter + rest for start, rest in parts for letter in LETTERS]
    return [*more, *fewer, *swapped, *other]


@settings(max_examples=300)
@given(st.sets(words, max_size=30), words)
def test_near_words_are_the_known_among_all_strings_at_one_mistake(known, word):
    expected = dict.fromkeys(string for string in respellings(word) if string in known)
    assert SpellingIndex(known).near(word) == list(expected)


def test_mistakes_of_each_kind():
    index = SpellingIndex(["recommended", "receive", "separate", "definitely"])
    for wrong in ("recomended", "recommennded", "recommedned", "recommanded"):
        assert index.near(wrong) == ["recommended"]
    assert index.near("aeparate") == []  # the first letter stays
    assert index.near("definatly") == []  # two mistakes


def test_letters_of_all_scripts_can_lack_but_digits_and_signs_can_not():
    index = SpellingIndex(["généraliser", "предложить", "2-generation"])
    assert index.near("gnéraliser") == ["généraliser"]
    assert index.near("generaliser") == []  # two mistakes
    assert index.near("предлжить") == ["предложить"]
    assert index.near("2generation") == []
