"""What is read off a pattern's syntax holds for its matches."""

import re
from string import ascii_letters

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_mtl.acceleration.patterns import needs_other_than_letters, skip_letters, whole_search

ATOMS = [
    *(
        "a",
        "k",
        "s",
        "Q",
        r"\.",
        "'",
        "-",
        "7",
        "\u017f",
        "\u212a",
        ".",
        r"\d",
        r"\D",
        r"\w",
        r"\W",
        r"\s",
    ),
    *(
        r"\S",
        "[a-f]",
        "[.,]",
        "[^.,]",
        "[^a-zA-Z]",
        "[^a-z]",
        r"[^\w]",
        r"[^\W]",
        r"[\d.]",
        "[X-a]",
    ),
    *(r"\b", "^", "$", "(?=-)", "(?!-)", "(?<=-)", "(?<=[a-z])", "(?<!x)", "(?i:k)", "(?i:[^k])"),
]
patterns = st.recursive(
    st.sampled_from(ATOMS),
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map("".join),
        st.lists(parts, min_size=1, max_size=3).map(lambda some: f"({'|'.join(some)})"),
        st.tuples(parts, st.sampled_from("?*+")).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        parts.map(lambda part: f"(?=(?:{part}))"),
        parts.map(lambda part: f"(?!(?:{part}))"),
        parts.map(lambda part: f"(?:{part}){{0,2}}"),
        parts.map(lambda part: f"(?:{part}){{2,3}}?"),
    ),
    max_leaves=6,
)


@given(
    patterns,
    st.sampled_from([0, re.IGNORECASE, re.ASCII]),
    st.lists(st.text(ascii_letters, max_size=5), min_size=1, max_size=6),
)
def test_pattern_that_needs_others_matches_in_no_word_of_letters(pattern, flags, words):
    compiled = re.compile(pattern, flags)
    if needs_other_than_letters(compiled):
        assert not any(compiled.search(word) for word in [*words, "", "ks", "KS", "aQa"])


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"\.", True),
        (r"a\.|'s", True),
        (r"(?:\.a)?", False),
        (r"a\.?", False),
        (r"a|\.", False),
        (r"[0-9]+(?:km|m)", True),
        (r"(?<=[0-9])km", True),
        (r"(?<![0-9])km", False),
        (r"[^a-zA-Z]", True),
        (r"[^a-z]", False),
        (r"\w+-\w+", True),
        (r"\S+", False),
        ("\u212a", True),
        ("(?i)\u212a", False),  # the sign for kelvin matches k
        (r"(?i)\.[a-z]", True),
        (r"(?:x(?P<dot>\.))+", True),
        ("", False),
    ],
)
def test_what_a_pattern_needs(pattern, expected):
    assert needs_other_than_letters(re.compile(pattern)) is expected


@pytest.mark.parametrize("language", ["en", "de", "ru", "hi"])
def test_patterns_of_spacy_need_other_characters(language):
    tokenizer = spacy.blank(language).tokenizer
    for name in ("prefix_search", "suffix_search", "infix_finditer", "url_match"):
        assert needs_other_than_letters(getattr(tokenizer, name).__self__), name


def test_search_is_left_out_for_letters_only():
    class Calls(list):
        def search(self, string):
            self.append(string)

    dot = re.compile(r"\.")
    quick = skip_letters(dot.search, None)
    assert quick("abc") is None and quick("a.c").start() == 1 and quick("é") is None
    assert quick.__self__ is dot
    assert whole_search(quick, "search") == dot.search
    assert list(skip_letters(dot.finditer, ())("abc")) == []
    letter = re.compile("a").search
    assert skip_letters(letter, None) is letter
    other = Calls().search
    assert skip_letters(other, None) is other and whole_search(other, "search") is other
    assert skip_letters(None, None) is None
