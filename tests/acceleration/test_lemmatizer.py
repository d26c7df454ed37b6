"""The lemmatizer that keeps lemmas finds those that spaCy's finds."""

import itertools
import pickle

import pytest
import spacy
from spacy.lookups import Lookups
from spacy.tokens import Doc

from spacy_mtl.acceleration.lemmatizer import CachedLemmas, why_not_cached

WORDS = ["dogs", "Dogs", "dog", "went", "goes", "better", "xyzzys", "Rome", "n't", "ours"]
POS = ["NOUN", "VERB", "ADJ", "PROPN", "ADV", "SPACE", "X"]
MORPHS = ["", "Number=Sing", "VerbForm=Inf", "Degree=Pos", "VerbForm=Fin|Tense=Pres"]
TABLES = {
    "lemma_index": {"noun": ["dog", "box"], "verb": ["go", "be"], "adj": ["good"]},
    "lemma_exc": {"verb": {"went": ["go"]}, "adj": {"better": ["good", "well"]}, "noun": {}},
    "lemma_rules": {"noun": [["s", ""], ["es", ""]], "verb": [["es", ""], ["s", ""]], "adj": []},
    "lemma_lookup": {"dogs": "dog", "ours": "our"},
}


def pipeline(factory, lang, mode):
    nlp = spacy.blank(lang)
    lemmatizer = nlp.add_pipe(factory, config={"mode": mode})
    lookups = Lookups()
    for name, table in TABLES.items():
        lookups.add_table(name, {key: value for key, value in table.items()})
    lemmatizer.lookups = lookups
    return nlp


def lemmas(nlp):
    found = []
    for pos, morph in itertools.product(POS, MORPHS):
        doc = Doc(nlp.vocab, words=WORDS, pos=[pos] * len(WORDS), morphs=[morph] * len(WORDS))
        found.append([token.lemma_ for token in nlp.get_pipe(nlp.pipe_names[-1])(doc)])
    return found


@pytest.mark.parametrize(
    "lang,mode", [("en", "rule"), ("fr", "rule"), ("nl", "rule"), ("xx", "lookup"), ("xx", "rule")]
)
def test_lemmas_are_those_of_spacy(lang, mode):
    expected = lemmas(pipeline("lemmatizer", lang, mode))
    fast = pipeline("mtl_fast_lemmatizer", lang, mode)
    lemmatizer = fast.get_pipe("mtl_fast_lemmatizer")
    assert isinstance(lemmatizer.lemmatize, CachedLemmas)
    assert type(lemmatizer).__module__ in (
        f"spacy.lang.{lang}.lemmatizer", "spacy.pipeline.lemmatizer"
    )  # fmt: skip
    assert lemmas(fast) == expected
    assert lemmas(fast) == expected  # those that were kept


def test_lemmatizer_that_looks_at_the_sentence_is_left():
    nlp = pipeline("mtl_fast_lemmatizer", "es", "rule")
    lemmatizer = nlp.get_pipe("mtl_fast_lemmatizer")
    assert "SpanishLemmatizer" in why_not_cached(lemmatizer)
    assert not isinstance(lemmatizer.lemmatize, CachedLemmas)


def test_base_forms_that_are_added_count():
    nlp = pipeline("mtl_fast_lemmatizer", "en", "rule")
    lemmas(nlp)
    lookups = nlp.get_pipe("mtl_fast_lemmatizer").lookups
    lookups.get_table("lemma_index")["noun"].append("blick")
    lookups.get_table("lemma_rules")["noun"].insert(0, ["es", "e"])
    doc = Doc(nlp.vocab, words=["blicks"], pos=["NOUN"])
    assert nlp.get_pipe("mtl_fast_lemmatizer")(doc)[0].lemma_ == "blick"


def test_it_can_be_saved_and_pickled_after_use(tmp_path):
    nlp = pipeline("mtl_fast_lemmatizer", "en", "rule")
    expected = lemmas(nlp)
    nlp.to_disk(tmp_path)
    assert lemmas(spacy.load(tmp_path)) == expected
    assert lemmas(pickle.loads(pickle.dumps(nlp))) == expected
    again = spacy.load(tmp_path).from_bytes(nlp.to_bytes())
    assert lemmas(again) == expected
