"""spaCy's own commands and habits work on a multi-task pipeline."""

import multiprocessing
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import spacy
import srsly
import torch
from spacy.cli.find_threshold import find_threshold
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.util import load_config

from tests.trained import CONFIGS, Trained, make_docs, run, small_config

pytest_plugins = ["tests.trained"]

HEADS = ("ner", "textcat", "srl")
EXTRA_TEXTS = ("", "Tea.", "Ann gave Bob bad coffee in Paris. He left. " * 8, "  \n ")


@pytest.fixture(scope="module")
def nlp(trained: Trained) -> Language:
    """The trained pipeline. Don't change it."""
    return spacy.load(trained.model)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Texts of quite different lengths, some of them empty."""
    return [*(doc.text for doc in make_docs()), *EXTRA_TEXTS]


def assert_same_predictions(ours: Sequence[Doc], theirs: Sequence[Doc]) -> None:
    """Check that documents have the same annotation, and scores that are equal to 1e-4."""
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one.text == other.text
        assert one.to_json()["ents"] == other.to_json()["ents"]
        assert [f.to_json() for f in one._.srl] == [f.to_json() for f in other._.srl]
        assert [t.tag_ for t in one] == [t.tag_ for t in other]
        assert [t.head.i for t in one] == [t.head.i for t in other]
        assert one.cats == pytest.approx(other.cats, abs=1e-4)


def test_training_learns_from_partly_annotated_documents(trained: Trained, nlp: Language) -> None:
    scores = nlp.meta["performance"]
    assert scores["ents_f"] > 0.9
    assert scores["srl_arguments_f"] > 0.7
    assert scores["cats_score"] > 0.7
    assert scores["tag_acc"] > 0.9
    assert nlp.meta["labels"]["ner"] == ["PERSON", "PLACE"]
    assert (trained.model.parent / "model-best" / "srl" / "model").exists()


def test_evaluate(trained: Trained, tmp_path: Path) -> None:
    output = tmp_path / "scores.json"
    result = run("evaluate", trained.model, trained.dev, "-o", output, "--per-component")
    assert result.exit_code == 0, result.output
    scores = srsly.read_json(output)
    assert scores["ner"]["ents_f"] > 0.9
    assert scores["srl"]["srl_arguments_f"] > 0.7


def test_apply_keeps_frames_in_the_file(
    trained: Trained, nlp: Language, texts: list[str], tmp_path: Path
) -> None:
    lines, output = tmp_path / "texts.jsonl", tmp_path / "out.spacy"
    srsly.write_jsonl(lines, [{"text": text} for text in texts])
    result = run("apply", trained.model, lines, output, "--batch-size", "3")
    assert result.exit_code == 0, result.output
    applied = list(DocBin().from_disk(output).get_docs(spacy.blank("en").vocab))
    assert_same_predictions(applied, list(nlp.pipe(texts)))
    assert sum(len(doc._.srl) for doc in applied) > len(make_docs())


def test_assemble_pipeline_of_sourced_components(
    trained: Trained, nlp: Language, texts: list[str], tmp_path: Path
) -> None:
    config = load_config(trained.config)
    config["components"] = {
        name: {"source": str(trained.model)} for name in config["nlp"]["pipeline"]
    }
    config.to_disk(tmp_path / "sourced.cfg")
    result = run("assemble", tmp_path / "sourced.cfg", tmp_path / "assembled")
    assert result.exit_code == 0, result.output
    assembled = spacy.load(tmp_path / "assembled")
    assert_same_predictions(list(assembled.pipe(texts)), list(nlp.pipe(texts)))


def test_package_declares_this_distribution(trained: Trained, tmp_path: Path) -> None:
    result = run("package", trained.model, tmp_path, "--build", "none", "--name", "tiny")
    assert result.exit_code == 0, result.output
    requirements = srsly.read_json(tmp_path / "en_tiny-0.0.0" / "meta.json")["requirements"]
    assert [entry for entry in requirements if entry.startswith("spacy-mtl>=")]
    assert [entry for entry in requirements if entry.startswith("spacy>=")]


def test_fill_config_completes_the_components(tmp_path: Path) -> None:
    config = load_config(CONFIGS / "multitask.cfg")
    for name in config["components"]:
        config["components"][name] = {"factory": config["components"][name]["factory"]}
    config.to_disk(tmp_path / "bare.cfg")
    result = run("init", "fill-config", tmp_path / "bare.cfg", tmp_path / "filled.cfg")
    assert result.exit_code == 0, result.output
    filled = load_config(tmp_path / "filled.cfg")
    for head in HEADS:
        assert filled["components"][head]["model"]["tok2vec"]["@architectures"] == (
            "spacy_mtl.TrunkListener.v1"
        )


def test_init_labels_and_training_from_them(trained: Trained, tmp_path: Path) -> None:
    result = run("init", "labels", trained.config, tmp_path / "labels", *trained.arguments)
    assert result.exit_code == 0, result.output
    config = small_config()
    names = [*HEADS, "tagger", "parser"]
    config["initialize"]["components"] = {
        name: {
            "labels": {
                "@readers": "spacy.read_labels.v1",
                "path": str(tmp_path / "labels" / f"{name}.json"),
            }
        }
        for name in names
    }
    config["training"].update(max_steps=2, eval_frequency=2)
    config.to_disk(tmp_path / "labels.cfg")
    result = run("train", tmp_path / "labels.cfg", "-o", tmp_path / "output", *trained.arguments)
    assert result.exit_code == 0, result.output
    ours, theirs = spacy.load(tmp_path / "output" / "model-last"), spacy.load(trained.model)
    for name in names:
        assert ours.get_pipe(name).label_data == theirs.get_pipe(name).label_data
        assert ours.get_pipe(name).labels == theirs.get_pipe(name).labels


def test_debug_data(trained: Trained) -> None:
    result = run("debug", "data", trained.config, "--verbose", *trained.arguments)
    assert isinstance(result.exception, SystemExit)  # it always fails for so few documents
    assert "Pipeline can be initialized with data" in result.output
    assert "2 checks passed" in result.output


def test_debug_model_and_info(trained: Trained) -> None:
    for name in ("tok2vec", "srl"):
        result = run("debug", "model", trained.config, name, "--print-step0", *trained.arguments)
        assert result.exit_code == 0, result.output
    result = run("info", trained.model)
    assert result.exit_code == 0, result.output


def test_benchmark_speed(trained: Trained) -> None:
    result = run("benchmark", "speed", trained.model, trained.dev, "--batches", "30", "-w", "1")
    assert result.exit_code == 0, result.output
    assert "words/s" in result.output


@pytest.mark.parametrize(
    "component, score", [("textcat", "cats_macro_f"), ("srl", "srl_predicates_f")]
)
def test_find_threshold(trained: Trained, component: str, score: str) -> None:
    _, best_score, scores = find_threshold(
        str(trained.model), trained.dev, component, "threshold", score, n_trials=3
    )
    assert list(scores) == [0.0, 0.5, 1.0]
    assert best_score == scores[0.5] > max(scores[0.0], scores[1.0])


def test_multiprocessing_gives_the_same_documents(nlp: Language, texts: list[str]) -> None:
    parallel = list(nlp.pipe(texts, n_process=2, batch_size=4))
    assert_same_predictions(parallel, list(nlp.pipe(texts)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only forked processes inherit a state")
def test_forked_processes_do_not_wait_for_threads_of_their_parent(nlp: Language) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert pool.apply(torch.get_num_threads) == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_pickle_and_bytes(trained: Trained, nlp: Language, texts: list[str]) -> None:
    expected = list(nlp.pipe(texts))
    assert_same_predictions(list(pickle.loads(pickle.dumps(nlp)).pipe(texts)), expected)
    empty = spacy.util.load_model_from_config(nlp.config)
    assert_same_predictions(list(empty.from_bytes(nlp.to_bytes()).pipe(texts)), expected)


def test_sourced_components_predict_the_same(trained: Trained, texts: list[str]) -> None:
    source = spacy.load(trained.model)
    expected = list(source.pipe(texts))
    nlp = spacy.blank("en")
    for name in source.pipe_names:
        nlp.add_pipe(name, source=source)
    assert_same_predictions(list(nlp.pipe(texts)), expected)


def test_replaced_listeners_predict_the_same(
    trained: Trained, texts: list[str], tmp_path: Path
) -> None:
    nlp = spacy.load(trained.model)
    expected = list(nlp.pipe(texts))
    names = [name for name in nlp.pipe_names if name != "tok2vec"]
    for name in names:
        nlp.replace_listeners("tok2vec", name, ["model.tok2vec"])
    nlp.remove_pipe("tok2vec")
    assert_same_predictions(list(nlp.pipe(texts)), expected)
    nlp.to_disk(tmp_path)
    assert_same_predictions(list(spacy.load(tmp_path).pipe(texts)), expected)


@pytest.mark.parametrize("batch_size", [1, 5])
def test_predictions_do_not_depend_on_batches_or_order(
    nlp: Language, texts: list[str], batch_size: int
) -> None:
    expected = list(nlp.pipe(texts, batch_size=len(texts)))
    docs = list(nlp.pipe(texts[::-1], batch_size=batch_size))[::-1]
    assert_same_predictions(docs, expected)
    for doc, other in zip(docs, expected, strict=True):
        np.testing.assert_allclose(doc.tensor, other.tensor, atol=1e-4)


def test_commands_are_found_by_spacy_itself(trained: Trained, tmp_path: Path) -> None:
    output = tmp_path / "scores.json"
    arguments = ["mtl", "evaluate", str(trained.model), str(trained.dev), "--output", str(output)]
    result = subprocess.run(
        [sys.executable, "-m", "spacy", *arguments], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "srl_arguments" in result.stdout
    assert output.exists()
