"""Mixed corpora in `spacy train`, each source annotated for one head only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from spacy import util
from spacy.cli.train import train
from spacy.tokens import Doc, Span

from spacy_mtl.srl import Frame, read_frames, write_frames
from tests.trained import CONFIGS, make_docs, save, without

HEADS = ["ner", "textcat", "srl"]
SOURCES = {"entities": ("cats", "srl"), "categories": ("ents", "srl"), "frames": ("ents", "cats")}
N_STEPS = 16


def add_rare_entity(doc: Doc) -> None:
    doc.ents = [*doc.ents, Span(doc, len(doc) - 1, len(doc), "RARE")]


def add_rare_category(doc: Doc) -> None:
    doc.cats = {**doc.cats, "RARE": 1.0}


def add_rare_roleset(doc: Doc) -> None:
    rare = Frame(doc[:1], "rare.01")
    write_frames(doc, [*read_frames(doc), rare])


RARE: dict[str, Callable[[Doc], None]] = {
    "entities": add_rare_entity,
    "categories": add_rare_category,
    "frames": add_rare_roleset,
}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file for each source, whose last document alone has one of its labels, and one to evaluate.
    Together they have more documents than the 100 from which spaCy initializes a stream."""
    folder = tmp_path_factory.mktemp("sources")
    docs = make_docs()
    paths = {"dev": save(docs, folder / "dev.spacy")}
    for name, others in SOURCES.items():
        source = [without(doc, *others) for _ in range(4) for doc in docs]
        RARE[name](source[-1])
        paths[name] = save(source, folder / f"{name}.spacy")
    return paths


def train_mixed(
    paths: dict[str, Path], folder: Path, balancer: str, corpus: dict[str, Any], max_epochs: int
) -> tuple[spacy.Language, list[dict[str, Any]], list[dict[str, Any]]]:
    """RETURNS (Tuple[Language, List, List]): The pipeline, and the lines of the log: batches and
    evaluations."""
    config = util.load_config(CONFIGS / "multitask.cfg")
    config["nlp"]["pipeline"] = ["tok2vec", *HEADS]
    del config["components"]["senter"]
    trunk = config["components"]["tok2vec"]
    trunk["model"].update(width=32, embed_size=200, word_dropout=0.0)
    trunk["balancer"] = {"@misc": balancer}
    config["components"]["textcat"]["exclusive"] = False
    config["components"]["ner"]["model"]["hidden_width"] = 16
    config["components"]["srl"]["model"].update(
        hidden_width=16, argument_width=16, sense_width=8, max_distance=16
    )
    reader = dict(config["corpora"]["dev"])
    config["corpora"]["train"] = {
        "@readers": "spacy_mtl.MixedCorpus.v1",
        "sources": {name: {**reader, "path": str(paths[name])} for name in SOURCES},
        **corpus,
    }
    config["corpora"]["dev"] = {**reader, "path": str(paths["dev"])}
    config["training"].update(
        annotating_components=[],
        dropout=0.0,
        max_epochs=max_epochs,
        max_steps=N_STEPS,
        eval_frequency=N_STEPS,
        batcher={"@batchers": "spacy.batch_by_sequence.v1", "size": 24},
        logger={
            "@loggers": "spacy_mtl.MultiTaskLogger.v1",
            "output_file": str(folder / "steps.jsonl"),
        },
    )
    config["training"]["optimizer"]["learn_rate"] = 0.01
    config.to_disk(folder / "mixed.cfg")
    train(folder / "mixed.cfg", folder / "output")
    lines = list(srsly.read_jsonl(folder / "steps.jsonl"))
    batches = [line for line in lines if "tasks" in line]
    evaluations = [line for line in lines if "scores" in line]
    return spacy.load(folder / "output" / "model-last"), batches, evaluations


def assert_one_record_a_step(batches: list[dict[str, Any]]) -> None:
    assert [batch["step"] for batch in batches] == list(range(len(batches)))
    assert len(batches) >= N_STEPS
    for batch in batches[1:]:  # the first gives no gradient to heads that start at zero
        assert set(batch["tasks"]) == set(HEADS)
        for task in batch["tasks"].values():
            assert set(task) == {"loss", "units", "norm", "weight"}
            assert task["loss"] > 0
            assert task["norm"] > 0
            assert task["weight"] > 0


def assert_all_heads_learn(
    batches: list[dict[str, Any]], evaluations: list[dict[str, Any]]
) -> None:
    for head in HEADS:
        losses = [batch["tasks"][head]["loss"] for batch in batches[1:]]
        assert sum(losses[-3:]) < 0.8 * sum(losses[:3]), head
    first, last = evaluations[0]["scores"], evaluations[-1]["scores"]
    for score in ("ents_f", "cats_score", "srl_predicates_f"):
        assert last[score] > (first.get(score) or 0.0), score


def assert_rare_labels_are_known(nlp: spacy.Language) -> None:
    assert set(nlp.get_pipe("ner").labels) == {"PERSON", "PLACE", "RARE"}
    assert set(nlp.get_pipe("textcat").labels) == {"GOOD", "FRANCE", "RARE"}
    assert "rare.01" in nlp.get_pipe("srl").label_data["senses"]["rolesets"]


def test_heads_learn_from_a_source_each(
    paths: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = {"sampling": "uniform"}
    nlp, batches, evaluations = train_mixed(paths, tmp_path, "spacy_mtl.UPGrad.v1", corpus, 0)
    assert_one_record_a_step(batches)
    assert_all_heads_learn(batches, evaluations)
    assert_rare_labels_are_known(nlp)
    assert "[corpora.train] spacy_mtl.MixedCorpus.v1, sampling = uniform" in capsys.readouterr().out


def test_heads_learn_from_streams(paths: dict[str, Path], tmp_path: Path) -> None:
    corpus = {"sampling": "uniform", "streamed": list(SOURCES)}
    nlp, batches, evaluations = train_mixed(paths, tmp_path, "spacy_mtl.GradNorm.v1", corpus, -1)
    assert_one_record_a_step(batches)
    assert_all_heads_learn(batches, evaluations)
    assert_rare_labels_are_known(nlp)
