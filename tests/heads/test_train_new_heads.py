"""Entities, ratings and text without annotation in one run of `spacy train`, a source each."""

from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from spacy import util
from spacy.cli.train import train
from spacy.tokens import Doc, DocBin, Span
from spacy.training.initialize import init_nlp

from tests.heads.pipelines import make_nlp
from tests.trained import run

HEADS = ["ner", "rating", "lm"]
N_STEPS = 40


def make_docs() -> dict[str, list[Doc]]:
    """Made-up documents by source."""
    nlp = spacy.blank("en")
    sources: dict[str, list[Doc]] = {"news": [], "reviews": [], "web": []}
    for i, place in enumerate(["Rome", "Oslo", "Bonn", "Lima"]):
        doc = nlp.make_doc(f"we went to {place} today")
        doc.set_ents([Span(doc, 3, 4, "PLACE")])
        sources["news"].append(doc)
        for stars, word in ((1.0, "bad"), (3.0, "plain"), (5.0, "great")):
            doc = nlp.make_doc(f"the food in {place} was {word}")
            doc.cats = {"stars": stars}
            sources["reviews"].append(doc)
        doc = nlp.make_doc(f"some people say that {place} is a town number {i}")
        doc.cats = {"stars": 1e9}  # of no concern: the source is limited
        sources["web"].append(doc)
    return sources


@pytest.fixture(scope="module")
def config_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpora")
    sources = make_docs()
    readers = {}
    for name, docs in {**sources, "dev": [*sources["news"], *sources["reviews"]]}.items():
        DocBin(docs=docs).to_disk(folder / f"{name}.spacy")
        path = str(folder / f"{name}.spacy")
        readers[name] = {"@readers": "spacy.Corpus.v1", "path": path, "gold_preproc": False}
    nlp = make_nlp(
        ("mtl_ner", "ner", {}),
        ("mtl_regression", "rating", {"targets": ["stars"], "loss": "absolute"}),
        ("mtl_language_model", "lm", {}),
    )
    config = nlp.config
    config["corpora"] = {
        "dev": readers.pop("dev"),
        "train": {
            "@readers": "spacy_mtl.MixedCorpus.v1",
            "sources": readers,
            "tasks": {"web": ["lm"]},
        },
    }
    config["training"].update(
        dropout=0.0,
        max_steps=N_STEPS,
        eval_frequency=N_STEPS // 2,
        batcher={"@batchers": "spacy.batch_by_sequence.v1", "size": 12},
        logger={
            "@loggers": "spacy_mtl.MultiTaskLogger.v1",
            "output_file": str(folder / "steps.jsonl"),
        },
    )
    config["training"]["optimizer"] = {"@optimizers": "Adam.v1", "learn_rate": 0.01}
    config.to_disk(folder / "config.cfg")
    return folder / "config.cfg"


def test_all_three_learn(
    config_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(config_path, tmp_path)
    assert "text (tokens)" in capsys.readouterr().out
    lines: list[dict[str, Any]] = list(srsly.read_jsonl(config_path.parent / "steps.jsonl"))
    tasks = {task for line in lines if "tasks" in line for task in line["tasks"]}
    assert tasks == set(HEADS)
    scores = [line["scores"] for line in lines if "scores" in line]
    assert scores[-1]["ents_f"] == 1.0
    assert scores[-1]["regression_mae"] < 0.5
    assert 0.0 <= scores[-1]["hidden_words_acc"] <= 1.0
    losses = [line["tasks"]["lm"]["loss"] for line in lines if "lm" in line.get("tasks", {})]
    assert sum(losses[-3:]) < 0.8 * sum(losses[:3])
    nlp = spacy.load(tmp_path / "model-best")
    assert nlp("the food in Rome was great").cats["stars"] == pytest.approx(5.0, abs=1.0)
    assert nlp.get_pipe("rating").scales["stars"].mean == 3.0  # not the limited source's
    assert "lm" not in nlp.meta["labels"]


def test_init_labels_saves_the_scale_and_training_takes_it(
    config_path: Path, tmp_path: Path
) -> None:
    result = run("init", "labels", config_path, tmp_path / "labels")
    assert result.exit_code == 0, result.output
    file = tmp_path / "labels" / "rating.json"
    labels = srsly.read_json(file)
    assert labels["stars"]["mean"] == 3.0
    assert not (tmp_path / "labels" / "lm.json").exists()
    labels["stars"]["mean"] = 2.0
    srsly.write_json(file, labels)
    config = util.load_config(config_path)
    config["initialize"]["components"]["rating"] = {
        "labels": {"@readers": "spacy.read_labels.v1", "path": str(file)}
    }
    nlp = init_nlp(config)
    assert nlp.get_pipe("rating").scales["stars"].mean == 2.0
