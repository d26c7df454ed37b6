"""The attribute ruler that looks its rules up finds what spaCy's finds."""

import pickle

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.pipeline import AttributeRuler
from spacy.tokens import Doc, Token

from spacy_mtl.acceleration.attribute_ruler import FastAttributeRuler, why_not_looked_up

WORDS = ["let", "'s", "go", "Go", "nothin'", "3", " ", "\n", "café", "gon", "na"]
TAGS = ["NN", "VB", "DT", "_SP", ""]
DEPS = ["nsubj", "expl", "", "ROOT"]
MORPHS = ["", "Number=Sing", "Number=Sing|Person=3"]
RULES = [
    {"patterns": [[{"TAG": "NN"}]], "attrs": {"POS": "NOUN", "MORPH": "Number=Sing"}},
    {"patterns": [[{"TAG": "VB"}], [{"LOWER": "go"}]], "attrs": {"POS": "VERB"}},
    {"patterns": [[{"lower": {"IN": ["go", "na"]}, "TAG": "NN"}]], "attrs": {"LEMMA": "x"}},
    {"patterns": [[{"TAG": {"NOT_IN": ["VB", ""]}, "DEP": "expl"}]], "attrs": {"POS": "AUX"}},
    {"patterns": [[{"TEXT": {"REGEX": "^n[ou]thin'$"}}]], "attrs": {"LEMMA": "nothing"}},
    {"patterns": [[{"IS_SPACE": True}]], "attrs": {"TAG": "_SP", "POS": "SPACE", "MORPH": "_"}},
    {"patterns": [[{"TAG": "_SP", "IS_SPACE": False}]], "attrs": {"POS": "X"}},
    {"patterns": [[{"LENGTH": {">=": 3}, "DEP": "nsubj"}]], "attrs": {"DEP": "dep"}},
    {"patterns": [[{"MORPH": {"IS_SUPERSET": ["Number=Sing"]}}]], "attrs": {"TAG": "SG"}},
    {"patterns": [[{"MORPH": "Number=Sing"}]], "attrs": {"LEMMA": "one"}},
    {"patterns": [[{"LOWER": "let"}, {"LOWER": "'s"}]], "attrs": {"LEMMA": "us"}, "index": 1},
    {"patterns": [[{"LOWER": "gon"}, {"LOWER": "na"}]], "attrs": {"POS": "PART"}, "index": -1},
    {
        "patterns": [[{"DEP": "expl"}, {"TAG": "VB"}, {"TAG": "NN"}], [{"LOWER": "3"}]],
        "attrs": {"POS": "NUM", "NORM": "three"},
    },
    {"patterns": [[{"SHAPE": {"FUZZY": "xxx"}}]], "attrs": {"POS": "SYM"}},
]


def rulers(rules):
    nlp = spacy.blank("en")
    found = []
    for make in (AttributeRuler, FastAttributeRuler):
        ruler = make(nlp.vocab)
        ruler.add_patterns(rules)
        found.append(ruler)
    return nlp.vocab, *found


VOCAB, STOCK, FAST = rulers(RULES)


@st.composite
def docs(draw):
    words = draw(st.lists(st.sampled_from(WORDS), max_size=8))
    n = len(words)

    def some(values):
        return draw(st.lists(st.sampled_from(values), min_size=n, max_size=n))

    return Doc(
        VOCAB, words=words, tags=some(TAGS), deps=some(DEPS), morphs=some(MORPHS), heads=[0] * n
    )


def test_rules_are_looked_up():
    assert why_not_looked_up(STOCK) is None


@settings(max_examples=300, deadline=None)
@given(docs(), st.sets(st.integers(0, len(RULES) - 1)))
def test_matches_and_annotations_are_those_of_spacy(doc, numbers):
    stock, fast = STOCK, FAST
    if numbers:
        stock, fast = AttributeRuler(VOCAB), FastAttributeRuler(VOCAB)
        for ruler in (stock, fast):
            ruler.add_patterns([RULES[number] for number in sorted(numbers)])
    matches = fast.match(doc)
    assert matches == stock.match(doc)
    assert fast(doc.copy()).to_bytes() == stock(doc.copy()).to_bytes()


@pytest.mark.parametrize(
    "pattern,reason",
    [
        ([{"LOWER": "go", "OP": "+"}], "OP"),
        ([{"_": {"is_odd": True}}], "_"),
        ([{}, {"LOWER": "go"}], "asks nothing"),
    ],
)
def test_other_rules_take_the_path_of_spacy(pattern, reason):
    Token.set_extension("is_odd", default=True, force=True)
    vocab, stock, fast = rulers([*RULES, {"patterns": [pattern], "attrs": {"LEMMA": "y"}}])
    assert reason in why_not_looked_up(stock)
    doc = Doc(vocab, words=["let", "go", "go"])
    assert fast.match(doc) == stock.match(doc)
    Token.remove_extension("is_odd")


def test_rules_that_are_added_later_count():
    vocab, stock, fast = rulers(RULES[:1])
    doc = Doc(vocab, words=["go", "home"])
    assert fast.match(doc) == []
    for ruler in (stock, fast):
        ruler.add([[{"LOWER": "go"}]], {"POS": "VERB"})
    assert fast.match(doc) == stock.match(doc) != []
    fast.clear()
    with pytest.warns(UserWarning, match="W036"):
        assert fast.match(doc) == []


def test_index_beyond_the_match_is_the_error_of_spacy():
    vocab, stock, fast = rulers([{"patterns": [[{"LOWER": "go"}]], "attrs": {}, "index": 1}])
    doc = Doc(vocab, words=["go", "go"])
    for ruler in (stock, fast):
        with pytest.raises(ValueError, match="E1001"):
            ruler(doc)


def test_extension_attributes_are_set():
    Token.set_extension("kind", default=None, force=True)
    rule = {"patterns": [[{"LOWER": "go"}]], "attrs": {"_": {"kind": "move"}, "POS": "VERB"}}
    vocab, _, fast = rulers([rule])
    doc = fast(Doc(vocab, words=["go"]))
    assert (doc[0]._.kind, doc[0].pos_) == ("move", "VERB")
    Token.remove_extension("kind")


def test_it_can_be_saved_and_pickled(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("mtl_fast_attribute_ruler").add_patterns(RULES)
    text = "let's go 3 café"
    before = nlp(text).to_bytes()
    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path)(text).to_bytes() == before
    assert pickle.loads(pickle.dumps(nlp))(text).to_bytes() == before
