import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
import spacy
from spacy.tokens import Doc

from spacy_mtl.srl.formats.inline import read_inline

SCRIPTS = Path(__file__).parents[2] / "scripts"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


GENERATOR = load("generate_inline")
DOCUMENTS = 300


@pytest.fixture(scope="module")
def docs(tmp_path_factory) -> list[Doc]:
    """Generated documents; reading them raises the first mistake."""
    path = tmp_path_factory.mktemp("generated") / "train.txt"
    path.write_text(GENERATOR.generate_inline(DOCUMENTS, seed=1), encoding="utf-8")
    return list(read_inline(path, spacy.blank("en").tokenizer))


def test_same_seed_gives_the_same_text():
    assert GENERATOR.generate_inline(30, seed=7) == GENERATOR.generate_inline(30, seed=7)
    assert GENERATOR.generate_inline(30, seed=7) != GENERATOR.generate_inline(30, seed=8)


def test_text_has_no_mistakes_and_every_layer(docs):
    assert len(docs) == DOCUMENTS
    for doc in docs:
        assert doc.has_annotation("ENT_IOB") and "srl" in doc.spans and len(doc.cats) == 3


def test_no_mark_or_slot_is_left(docs):
    for doc in docs:
        assert not set("<>{}$[]_|") & set(doc.text.replace("$30", "").replace("$1,500", "")), (
            doc.text
        )
        assert "  " not in doc.text


def test_sentiments_take_turns(docs):
    counts = Counter(label for doc in docs for label, value in doc.cats.items() if value)
    assert set(counts.values()) == {DOCUMENTS // 3}


def test_text_shows_the_constructions_it_promises(docs):
    labels = Counter(span.label_ for doc in docs for span in doc.spans["srl"])
    for label in ("ARG0", "ARG1", "ARG2", "R-ARG0", "ARGM-NEG", "ARGM-MOD", "ARGM-TMP", "ARGM-LOC"):
        assert labels[label] > 20, label
    assert any(sentence.text.endswith("?") for doc in docs for sentence in doc.sents)
    by_phrases = [
        span
        for doc in docs
        for span in doc.spans["srl"]
        if span.label_ == "ARG0" and span[0].lower_ == "by"
    ]
    assert len(by_phrases) > 10


def test_text_is_varied(docs):
    rolesets = {span.kb_id_ for doc in docs for span in doc.spans["srl"] if span.label_ == "V"}
    sentences = Counter(sentence.text for doc in docs for sentence in doc.sents)
    assert len(rolesets) > 80
    assert len({entity.text for doc in docs for entity in doc.ents}) > 300
    assert len(sentences) > 0.9 * sentences.total()


def test_article_fits_the_word_that_follows(docs):
    for doc in docs:
        for token in doc[:-1]:
            if token.text in ("a", "an"):
                following = token.nbor().lower_
                vowel = following[0] in "aeiou" and not following.startswith(("uni", "use", "eu"))
                assert (token.text == "an") == vowel, doc[token.i : token.i + 2]


def test_there_are_enough_templates_and_fillers():
    patterns = [
        getattr(GENERATOR, f"{kind}_PATTERNS")
        for kind in ("ANY", "NAMED", "PERSON", "OBJECT", "THING", "RECIPIENT")
    ]
    templates = {template for group in GENERATOR.TEMPLATES.values() for template in group}
    assert len(templates) + sum(map(len, patterns)) >= 60
    fillers = [text for text in GENERATOR.FILLERS.values()]
    assert sum(len(text.split(";")) for text in fillers) > 300
