import importlib.util
import shutil
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
    if str(SCRIPTS) not in sys.path:  # as for a script that is run, for the modules beside it
        sys.path.append(str(SCRIPTS))
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
    templates = GENERATOR.read_templates(GENERATOR.TEMPLATES)
    patterns = templates.patterns.model_dump(exclude={"modals"}).values()
    sentences = {
        sentence
        for style in templates.sentences.model_dump().values()
        for group in style.values()
        for sentence in group
    }
    assert len(sentences) + sum(map(len, patterns)) >= 60
    assert sum(map(len, templates.fillers.any.values())) > 300


@pytest.mark.parametrize(
    "file, old, new, key, message",
    [
        ("names.yml", "female:", "females:", "female", "Field required"),
        ("names.yml", "female:", "females:", "females", "not permitted"),
        ("names.yml", "Anna,", "1999,", "female.0", "valid string"),
        ("names.yml", "Anna,", "'[PER: Anna]',", "female.0", "match pattern"),
        ("names.yml", "{city} Zoo", "{town} Zoo", "organisations.institutions.15", "{town} Zoo"),
        ("names.yml", "male: [", "male: [[", "", "Invalid YAML"),
        ("fillers.yml", "  who:", "  whom:", "any", "'who'"),
        ("fillers.yml", "  adv:", "  place:", "positive.place", "filled with names"),
        ("fillers.yml", "the headquarters of {org}", "{organ}", "any.sight.12", "{organ}"),
        ("fillers.yml", '"{food}"]', '"{food}", "{thing}"]', "any", "thing <- thing"),
        ("verbs.yml", "gave given giving gives,", "gave,", "verbs.1.forms", "participle"),
        ("verbs.yml", "[people]", "[persons]", "verbs.0.subjects", "'persons'"),
        ("verbs.yml", "ARG1 sight", "ARG1 site", "verbs.0.object", "'site'"),
        ("verbs.yml", "ARG1 sight", "sight", "verbs.0.object", "match pattern"),
        ("verbs.yml", "[to]", "[too]", "verbs.1.complements", "'too'"),
        ("verbs.yml", "<a.ARG2 with {who}>", "<b.ARG2 with {who}>", "complements.0", "frame 'b'"),
        ("patterns.yml", "modals: [", "modals: [] #", "modals", "at least 1 item"),
        ("patterns.yml", "$tpast.", "$past_time.", "any.0", "$past_time"),
        ("patterns.yml", "{tfront}", "{adj}", "any.1", "{adj}"),
        ("sentences.yml", "{news}>", "{news}", "news.either.0", "'<' in"),
        ("sentences.yml", "{news}>", "{news}>>", "news.either.0", "'>' in"),
        ("sentences.yml", "<a:be.01 is>", "<a;be.01 is>", "news.either.0", "<a;be.01 is"),
        ("sentences.yml", "<a:be.01 is>", "is", "news.either.0", "0 predicates <a:...>"),
        ("sentences.yml", "{news}>", "{news> {}", "news.either.0", "'{' in"),
        ("sentences.yml", "neither good nor bad", "{adj}", "review.neutral.6", "{adj}"),
    ],
)
def test_mistake_in_templates_is_reported_with_file_and_key(file, old, new, key, message, tmp_path):
    folder = shutil.copytree(GENERATOR.TEMPLATES, tmp_path / "templates")
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError) as error:
        GENERATOR.generate_inline(1, seed=0, templates=folder)
    lines = str(error.value).splitlines()
    assert lines[0].startswith(str(folder / file))
    assert any(f"{key}: " in line and message in line for line in lines), lines


def test_missing_file_of_templates_is_named(tmp_path):
    folder = shutil.copytree(GENERATOR.TEMPLATES, tmp_path / "templates")
    (folder / "verbs.yml").unlink()
    with pytest.raises(ValueError, match="verbs.yml"):
        GENERATOR.generate_inline(1, seed=0, templates=folder)


def test_too_few_entries_for_a_document_are_reported(tmp_path):
    folder = shutil.copytree(GENERATOR.TEMPLATES, tmp_path / "templates")
    few = "{either: [Yes.], positive: [Good.], negative: [Bad.], neutral: [So.]}"
    text = "".join(f"{style}: {few}\n" for style in GENERATOR.STYLES)
    (folder / "sentences.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="sentences.yml: review.negative: 2 sentences"):
        GENERATOR.generate_inline(1, seed=0, templates=folder)
    names = (folder / "names.yml").read_text(encoding="utf-8")
    start, _, rest = names.partition("surnames: [")
    names = f"{start}surnames: [Weber]\n{rest.partition(']')[2]}"
    (folder / "names.yml").write_text(names, encoding="utf-8")
    with pytest.raises(ValueError, match="names.yml: surnames: .* at least 2 items"):
        GENERATOR.generate_inline(1, seed=0, templates=folder)


def test_added_words_and_slots_appear(tmp_path):
    folder = shutil.copytree(GENERATOR.TEMPLATES, tmp_path / "templates")
    path = folder / "fillers.yml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("any:\n", "any:\n  pet: [a_ talking owl]\n", 1)
    path.write_text(text.replace('"{food}"]', '"{food}", "{pet}"]', 1), encoding="utf-8")
    assert " a talking owl" in GENERATOR.generate_inline(200, seed=0, templates=folder)


def test_slot_without_a_usable_filler_is_named(tmp_path):
    folder = shutil.copytree(GENERATOR.TEMPLATES, tmp_path / "templates")
    path = folder / "fillers.yml"
    start, _, rest = path.read_text(encoding="utf-8").partition("  speaker: [")
    end = rest.partition("]\n")[2]
    path.write_text(f'{start}  speaker: ["{{P1}}"]\n{end}', encoding="utf-8")
    with pytest.raises(ValueError, match="fillers.yml: any.speaker"):
        GENERATOR.generate_inline(50, seed=0, templates=folder)
