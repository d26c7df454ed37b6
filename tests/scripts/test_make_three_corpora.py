"""Three corpora that share no document, each with one kind of annotation."""

import zipfile
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.util import load_config
from thinc.api import Config

from benchmarks.measuring.systems import STOCK_CONFIG
from scripts.make_three_corpora import make_three_corpora, read_sentiment
from tests.trained import make_docs, save

CONFIG = Path(__file__).parents[2] / "configs" / "three_corpora.cfg"
LINES = {
    "amazon_cells": "It works well.  \t1\nBroken\tin two days.\t0\n",
    "imdb": "Fine\x85 film.  \t1\nDull.\t0\nI slept.\t0\n",
    "yelp": "Good tea.\t1\n",
}


def write_archive(path: Path, lines: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in lines.items():
            archive.writestr(f"sentences/{name}_labelled.txt", text)
            archive.writestr(f"__MACOSX/sentences/._{name}_labelled.txt", "no text")
    return path


@pytest.fixture
def made(tmp_path) -> Path:
    docs = make_docs()
    save(docs[:8], tmp_path / "train.spacy")
    save(docs[8:], tmp_path / "dev.spacy")
    archive = write_archive(tmp_path / "sentences.zip", LINES)
    make_three_corpora(tmp_path, archive, tmp_path / "three")
    return tmp_path / "three"


def read(path: Path) -> list:
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


def test_each_corpus_is_annotated_for_one_task_alone(made):
    entities, roles, sentiment = (
        read(made / "train" / f"{name}.spacy") for name in ("entities", "roles", "sentiment")
    )
    assert all(doc.has_annotation("ENT_IOB") and doc.ents for doc in entities)
    assert not any("srl" in doc.spans or doc.cats for doc in entities)
    assert all("srl" in doc.spans and len(doc.spans["srl"]) for doc in roles)
    assert not any(doc.has_annotation("ENT_IOB") or doc.cats for doc in roles)
    assert all(doc.cats for doc in sentiment)
    assert not any(doc.has_annotation("ENT_IOB") or "srl" in doc.spans for doc in sentiment)


def test_no_document_is_in_two_corpora(made):
    texts = [doc.text for path in made.rglob("*.spacy") for doc in read(path)]
    assert len(texts) == len(set(texts)) == 16 + 6
    assert len(read(made / "train" / "entities.spacy")) == 4
    assert len(read(made / "train" / "roles.spacy")) == 4


def test_development_documents_of_the_treebank_keep_both_annotations(made):
    docs = read(made / "dev" / "treebank.spacy")
    assert all(doc.ents and len(doc.spans["srl"]) and not doc.cats for doc in docs)


def test_sentences_keep_their_tabs_and_odd_line_ends(tmp_path):
    docs = list(read_sentiment(write_archive(tmp_path / "a.zip", LINES), spacy.blank("en")))
    assert [doc.cats["positive"] for doc in docs] == [1.0, 0.0, 1.0, 0.0, 0.0, 1.0]
    assert docs[1].text == "Broken in two days."
    assert docs[2].text == "Fine film."
    assert all(sum(doc.cats.values()) == 1.0 for doc in docs)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ({**LINES, "imdb": "No label\n"}, "imdb_labelled.txt, line 1 does not end in a tab"),
        ({"imdb": LINES["imdb"]}, "has 0 files amazon_cells_labelled.txt"),
    ],
)
def test_broken_archives_are_refused(tmp_path, lines, message):
    archive = write_archive(tmp_path / "a.zip", lines)
    with pytest.raises(ValueError, match=message):
        list(read_sentiment(archive, spacy.blank("en")))


def test_the_config_trains_each_head_from_its_own_corpus(made):
    from spacy.training.initialize import init_nlp
    from spacy.training.loop import train

    names = ("entities", "roles", "sentiment")
    paths = {f"paths.{name}": str(made / "train" / f"{name}.spacy") for name in names}
    sizes = {
        "components.tok2vec.model.width": 16,
        "components.tok2vec.model.depth": 1,
        "training.max_steps": 4,
        "training.eval_frequency": 4,
        "training.batcher.size": 30,
        "training.logger.progress_bar": False,
    }
    overrides = {**paths, **sizes, "paths.dev": str(made / "dev")}
    nlp = init_nlp(load_config(CONFIG, overrides=overrides, interpolate=True))
    assert {name: len(nlp.get_pipe(name).labels) for name in ("ner", "textcat", "srl")} == {
        "ner": 2,
        "textcat": 2,
        "srl": 3,
    }
    train(nlp)
    tasks = {task for step in nlp.get_pipe("tok2vec").records.drain() for task in step.tasks}
    assert tasks == {"ner", "textcat", "srl"}


def test_every_system_of_the_comparison_has_a_config(made):
    import sys

    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    try:
        import three_corpora
    finally:
        sys.path.pop(0)
    base = Config().from_disk(CONFIG, interpolate=False)
    for system in three_corpora.SYSTEMS:
        config = three_corpora.make_config(base, system, made, passes=2, words=1000, seed=3)
        factories = [config["components"][name]["factory"] for name in config["nlp"]["pipeline"]]
        assert all(name.startswith("mtl_") != system.is_stock for name in factories)
        assert set(config["corpora"]["train"]["sources"]) == set(system.sources)
        assert config["training"]["max_steps"] == 4
    assert "ner" in Config().from_str(STOCK_CONFIG, interpolate=False)["components"]
    assert set(base["corpora"]["train"]["sources"]) == set(three_corpora.HEADS)
