"""`python -m spacy mtl extract`: heads as pipelines of their own."""

import json
from pathlib import Path

import numpy as np
import pytest
import spacy
import srsly
from spacy.cli.package import package
from spacy.language import Language
from spacy.util import load_config

from spacy_mtl.acceleration.annotations import annotations
from spacy_mtl.extraction import extract
from spacy_mtl.extraction.needs import find_reasons
from spacy_mtl.extraction.remove_components import remove_components
from tests.trained import Trained, make_docs, run
from tests.trunk.pipelines import OURS, TRUNK, make_nlp

pytest_plugins = ["tests.trained"]
KINDS = {
    "tagger": ["tags"],
    "parser": ["heads", "deps", "sentence starts"],
    "ner": ["entities", "entity tags"],
    "srl": ["spans"],
}
TEXTS = [doc.text for doc in make_docs()] + ["", "Dan Orr gave Bob Paris. Carol left it"]


@pytest.mark.parametrize("heads", [["ner"], ["srl"], ["tagger"], ["parser"], ["ner", "textcat"]])
def test_predictions_are_identical(trained: Trained, tmp_path: Path, heads: list[str]) -> None:
    report = extract(trained.model, tmp_path / "part", heads, TEXTS)
    whole, part = spacy.load(trained.model), spacy.load(tmp_path / "part")
    assert not report.differences
    assert set(part.pipe_names) == {*heads, *report.needed}
    for before, after in zip(whole.pipe(TEXTS), part.pipe(TEXTS), strict=True):
        for head in heads:
            for kind in KINDS.get(head, []):
                assert annotations(before)[kind] == annotations(after)[kind]
        if "textcat" in heads:
            assert after.cats == pytest.approx(before.cats, abs=1e-6)
    assert report.bytes_after < report.bytes_before


def test_what_a_head_reads_is_kept_and_left_out_on_demand(trained: Trained, tmp_path: Path) -> None:
    report = extract(trained.model, tmp_path / "kept", ["srl"], TEXTS)
    assert list(report.needed) == ["tok2vec", "parser", "senter"]  # both set sentence starts
    assert "reads" in report.needed["senter"] and "trunk" in report.needed["tok2vec"]
    report = extract(trained.model, tmp_path / "only", ["srl"], TEXTS, only=True)
    assert spacy.load(tmp_path / "only").pipe_names == ["tok2vec", "srl"]
    assert set(report.missed) == {"parser", "senter"}


def test_no_trace_of_the_others_is_left(trained: Trained, tmp_path: Path) -> None:
    extract(trained.model, tmp_path / "part", ["ner"], TEXTS)
    config = load_config(tmp_path / "part" / "config.cfg")
    assert config["nlp"]["pipeline"] == ["tok2vec", "ner"]
    assert set(config["components"]) == {"tok2vec", "ner"}
    assert config["components"]["tok2vec"]["balancer"]["weights"] == {"ner": 1.0}
    assert config["training"]["annotating_components"] == []
    assert set(config["training"]["score_weights"]) <= {
        "ents_f", "ents_p", "ents_r", "ents_per_type"
    }  # fmt: skip
    meta = srsly.read_json(tmp_path / "part" / "meta.json")
    assert set(meta["labels"]) == {"tok2vec", "ner"}
    assert {name.split("_")[0] for name in meta["performance"]} <= {"ents", "tok2vec", "ner"}
    assert {path.name for path in (tmp_path / "part").iterdir() if path.is_dir()} == {
        "tok2vec", "ner", "vocab"
    }  # fmt: skip


def test_the_result_can_be_packaged_and_trained_on(trained: Trained, tmp_path: Path) -> None:
    extract(trained.model, tmp_path / "part", ["ner", "textcat"], TEXTS)
    (tmp_path / "package").mkdir()
    package(tmp_path / "part", tmp_path / "package", name="part", create_wheel=False, silent=True)
    (folder,) = (tmp_path / "package").iterdir()
    meta = srsly.read_json(folder / "meta.json")
    assert meta["pipeline"] == ["tok2vec", "ner", "textcat"]
    (model,) = folder.glob("*/*/config.cfg")
    assert spacy.load(model.parent)("Ann Lee left Paris.").has_annotation("ENT_IOB")
    result = run(
        "train", tmp_path / "part" / "config.cfg", *trained.arguments, "--training.max_steps", "1"
    )
    assert result.exit_code == 0, result.output


def test_the_command_says_what_it_did(trained: Trained, tmp_path: Path) -> None:
    output = tmp_path / "new" / "part"
    result = run("mtl", "extract", trained.model, output, "--heads", "ner, tagger")
    assert result.exit_code == 0, result.output
    assert spacy.load(output).pipe_names == ["tok2vec", "tagger", "ner"]
    for words in ("kept: asked for", "the trunk of", "left out", "Identical annotations", "MB now"):
        assert words in result.output
    result = run("mtl", "extract", trained.model, output, "--heads", "ner")
    assert result.exit_code == 1 and "exists" in result.output
    assert run("mtl", "extract", trained.model, output, "--heads", "ner", "-f").exit_code == 0


@pytest.mark.parametrize("heads", ["ner,nre", ","])
def test_unknown_heads_are_named_with_those_there_are(
    trained: Trained, tmp_path: Path, heads: str
) -> None:
    result = run("mtl", "extract", trained.model, tmp_path / "part", "--heads", heads)
    assert result.exit_code == 1
    output = " ".join(result.output.split())
    assert ("has no 'nre'" if "nre" in heads else "at least one head") in output
    assert "tok2vec, tagger, parser, senter, ner, textcat, srl" in output
    assert not (tmp_path / "part").exists()


def test_nothing_is_written_where_annotations_differ(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    for name, label in (("first", "A"), ("second", "B")):
        ruler = nlp.add_pipe("entity_ruler", name=name, config={"overwrite_ents": True})
        ruler.add_patterns([{"label": label, "pattern": "Ann"}])
    nlp.to_disk(tmp_path / "whole")
    report = extract(tmp_path / "whole", tmp_path / "part", ["first"], ["Ann left"])
    assert report.differences == ["text 1: doc.ents of 'first'"]
    assert not (tmp_path / "part").exists()
    extract(tmp_path / "whole", tmp_path / "part", ["first"], ["Ann left"], keep=True)
    assert spacy.load(tmp_path / "part").pipe_names == ["first"]


def test_a_balancer_forgets_the_others() -> None:
    state = {"value": 0.5, "moments": {}}
    saved = {
        "method": "spacy_mtl.UW.v1",
        "norms": {"ner": [1.0, 1.0], "tagger": [2.0, 1.0]},
        "parameters": {"ner": state, "tagger": state},
    }
    balancer = {"@misc": "spacy_mtl.UW.v1", "normalize": "norm"}
    nlp = make_nlp(OURS, ["tagger", "ner"], balancer=balancer)
    nlp.get_pipe(TRUNK).balancer.set_state(saved)
    remove_components(nlp, ["tagger"])
    left = nlp.get_pipe(TRUNK).balancer.get_state()
    assert set(left["norms"]) == set(left["parameters"]) == {"ner"}


def test_a_balancer_without_its_main_task_gives_way(tmp_path: Path) -> None:
    balancer = {"@misc": "spacy_mtl.PriorityDescent.v1", "main": "tagger"}
    make_nlp(OURS, ["tagger", "ner"], balancer=balancer).to_disk(tmp_path / "whole")
    extract(tmp_path / "whole", tmp_path / "part", ["ner"], TEXTS)
    config = load_config(tmp_path / "part" / "config.cfg")
    assert config["components"][TRUNK]["balancer"]["@misc"] == "spacy_mtl.StaticWeights.v1"
    cfg = json.loads((tmp_path / "part" / TRUNK / "cfg").read_text())
    assert json.loads(cfg["balancer"]) == {}
    spacy.load(tmp_path / "part")


def test_components_of_others_are_kept_for_safety() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")

    @Language.component("test_unknown")
    def unknown(doc):
        return doc

    nlp.add_pipe("test_unknown")
    nlp.add_pipe("doc_cleaner")
    nlp.add_pipe("ner")
    nlp.add_pipe("textcat")
    assert list(find_reasons(nlp, ["ner"])) == ["sentencizer", "test_unknown"]
    assert find_reasons(nlp, ["textcat"]) == {}


def test_word_vectors_that_no_head_reads_are_left_out(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    for word in ("Ann", "left"):
        nlp.vocab.set_vector(word, np.asarray([1.0, 2.0], dtype="f"))
    encoder = {
        "@architectures": "spacy.HashEmbedCNN.v2", "width": 8, "depth": 1, "embed_size": 50,
        "window_size": 1, "maxout_pieces": 2, "subword_features": True,
    }  # fmt: skip
    for name, has_vectors in (("with", True), ("without", False)):
        model = {"tok2vec": {**encoder, "pretrained_vectors": has_vectors or None}}
        nlp.add_pipe("tagger", name=name, config={"model": model}).add_label("X")
    nlp.initialize()
    nlp.to_disk(tmp_path / "whole")
    for name, has_vectors in (("with", True), ("without", False)):
        report = extract(tmp_path / "whole", tmp_path / name, [name], ["Ann left"], only=True)
        assert not report.differences
        assert bool(spacy.load(tmp_path / name).vocab.vectors.n_keys) == has_vectors


@pytest.mark.parametrize(
    ("lang", "settings", "reads"),
    [
        ("en", {}, []),
        ("en", {"unseen_words": "lemma"}, ["lemmas"]),
        ("fr", {}, ["lemmas"]),
        ("fr", {"unseen_words": "unknown"}, []),
        ("fr", {"unseen_words": "english", "predicates": "given"}, ["first", "lemmas"]),
    ],
)
def test_semantic_roles_need_what_their_settings_read(
    lang: str, settings: dict[str, str], reads: list[str]
) -> None:
    nlp = spacy.blank(lang)
    model = {"tok2vec": {"@architectures": "spacy_mtl.HashEmbedCNN.v1", "width": 8, "depth": 1}}
    nlp.add_pipe("trainable_lemmatizer", name="lemmas")
    nlp.add_pipe("mtl_srl", name="first", config={"model": model})
    nlp.add_pipe("mtl_srl", name="srl", config={"model": model, **settings})
    assert set(find_reasons(nlp, ["srl"])) & {"lemmas", "first"} == set(reads)
