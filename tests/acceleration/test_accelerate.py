import pickle
from functools import partial

import pytest
import spacy
import srsly
from spacy.tokens import Span
from spacy.util import registry
from thinc.api import get_current_ops
from typer.testing import CliRunner

from spacy_mtl.acceleration import accelerate
from spacy_mtl.acceleration.annotations import annotations, differences
from spacy_mtl.acceleration.tokenizer import FastTokenizer
from spacy_mtl.cli import mtl
from spacy_mtl.extraction import extract
from tests.acceleration.pipelines import (
    RULES,
    TEXTS,
    characters,
    classifiers,
    own_trunk,
    shared_trunk,
    trained,
    with_rules,
    with_vectors,
)


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    path = tmp_path_factory.mktemp("stock") / "pipeline"
    shared_trunk().to_disk(path)
    return path


@pytest.fixture(scope="module")
def fast(stock, tmp_path_factory):
    path = tmp_path_factory.mktemp("fast") / "pipeline"
    report = accelerate(stock, path, TEXTS, n_rounds=1)
    assert not report.differences
    assert "CNN" in report.replaced["tok2vec"]
    assert "search for entities" in report.replaced["ner"]
    assert "search for arcs" in report.replaced["parser"]
    assert "search for affixes" in report.replaced["tokenizer"]
    assert isinstance(spacy.load(path).tokenizer, FastTokenizer)
    return path


def annotated(nlp, **settings):
    return [annotations(doc) for doc in nlp.pipe(TEXTS, **settings)]


def test_shared_trunk_annotates_the_same(stock, fast):
    before = annotated(spacy.load(stock))
    assert any(values["entities"] for values in before)
    assert annotated(spacy.load(fast)) == before


@pytest.mark.parametrize(
    "make,names",
    [
        (own_trunk, ["ner"]),
        (partial(own_trunk, 1), ["ner"]),
        (with_vectors, ["tok2vec"]),
        (classifiers, ["senter", "textcat_multilabel"]),
    ],
)
def test_cnn_is_replaced(make, names, tmp_path):
    make().to_disk(tmp_path / "stock")
    report = accelerate(tmp_path / "stock", tmp_path / "fast", TEXTS, n_rounds=1)
    assert report.differences == []
    for name in names:
        assert "CNN" in report.replaced[name], report.kept


def test_characters_are_left_with_the_reason(tmp_path):
    characters().to_disk(tmp_path / "stock")
    report = accelerate(tmp_path / "stock", tmp_path / "fast", TEXTS, n_rounds=1)
    assert report.differences == []
    assert "charembed" in report.kept["ner"]


def test_saved_again_pickled_and_in_processes_it_annotates_the_same(stock, fast, tmp_path):
    before = annotated(spacy.load(stock))
    nlp = spacy.load(fast)
    nlp.to_disk(tmp_path / "again")
    assert annotated(spacy.load(tmp_path / "again")) == before
    assert annotated(pickle.loads(pickle.dumps(nlp))) == before
    assert annotated(nlp, n_process=2, batch_size=2) == before


def test_product_is_set_in_this_pipeline_alone(stock, fast):
    nlp = spacy.load(fast, config={"nlp.after_pipeline_creation.product": "openblas"})
    for name in ("tagger", "parser", "ner"):
        nodes = nlp.get_pipe(name).model.walk()
        assert not any(node.ops.use_blis for node in nodes), name
    assert get_current_ops().use_blis
    assert all(node.ops.use_blis for node in spacy.load(stock).get_pipe("ner").model.walk())


def test_unknown_product_is_named(fast):
    with pytest.raises(ValueError, match="mkl"):
        spacy.load(fast, config={"nlp.after_pipeline_creation.product": "mkl"})


def test_callback_that_was_there_is_still_called(stock, tmp_path):
    @registry.callbacks("tests.mark_pipeline.v1")
    def create_mark():
        def mark(nlp):
            nlp.meta["marked"] = True
            return nlp

        return mark

    config = {"nlp.after_pipeline_creation": {"@callbacks": "tests.mark_pipeline.v1"}}
    spacy.load(stock, config=config).to_disk(tmp_path / "marked")
    accelerate(tmp_path / "marked", tmp_path / "fast", TEXTS, n_rounds=1)
    config = spacy.load(tmp_path / "fast").config["nlp"]["after_pipeline_creation"]
    assert config["@callbacks"] == "spacy_mtl.gemm_backend.v1"
    assert config["then"] == {"@callbacks": "tests.mark_pipeline.v1"}
    nlp = spacy.blank("xx")
    assert registry.resolve({"callback": config})["callback"](nlp).meta["marked"]


def test_meta_and_requirement_are_carried_over(stock, fast):
    before, after = (srsly.read_json(path / "meta.json") for path in (stock, fast))
    assert any(line.startswith("spacy-mtl") for line in after["requirements"])
    assert after["labels"] == before["labels"]
    assert after.get("performance") == before.get("performance")


def test_entities_set_before_are_respected(stock, fast):
    results = []
    for path in (stock, fast):
        nlp = spacy.load(path)
        doc = nlp.make_doc(TEXTS[0])
        doc.set_ents([Span(doc, 1, 3, label="ORG")], default="unmodified")
        results.append(annotations(nlp(doc)))
    assert results[0] == results[1]


def test_differences_are_found(stock):
    nlp = spacy.load(stock)
    docs, others = list(nlp.pipe(TEXTS)), list(nlp.pipe(TEXTS))
    assert list(differences(docs, others)) == []
    others[2].ents = [Span(others[2], 1, 2, label="ORG")]
    kinds = {(found.text, found.annotation) for found in differences(docs, others)}
    assert kinds == {(2, "entities"), (2, "entity tags")}


def test_flipped_annotation_fails_and_writes_nothing(stock, tmp_path, monkeypatch):
    from spacy_mtl.acceleration import ner

    monkeypatch.setattr(ner, "decode_entities", lambda m, v, x, lengths, *_: [[] for _ in lengths])
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS), encoding="utf8")
    arguments = ["accelerate", str(stock), str(tmp_path / "fast")]
    arguments += ["--sample", str(tmp_path / "texts.txt"), "--rounds", "1"]
    result = CliRunner().invoke(mtl, arguments)
    assert result.exit_code == 1
    assert "entities" in result.output
    assert not (tmp_path / "fast").exists()
    assert CliRunner().invoke(mtl, [*arguments, "--keep"]).exit_code == 1
    assert (tmp_path / "fast" / "config.cfg").exists()


def test_rules_are_replaced_and_annotate_the_same(tmp_path):
    with_rules().to_disk(tmp_path / "stock")
    report = accelerate(tmp_path / "stock", tmp_path / "fast", TEXTS, n_rounds=1)
    assert report.differences == [] and report.kept == {}
    assert report.replaced["attribute_ruler"] == ["search for rules"]
    assert report.replaced["lemmatizer"] == ["look-up of lemmas"]
    nlp = spacy.load(tmp_path / "fast")
    assert [token.lemma_ for token in nlp("Rome's soups")] == ["ROMA", "'", "soup"]
    extract(tmp_path / "fast", tmp_path / "part", ["lemmatizer"], TEXTS)
    assert spacy.load(tmp_path / "part").pipe_names == ["tok2vec", "tagger", *RULES]


def test_tokenizer_of_another_kind_is_left_with_the_reason(tmp_path):
    @registry.tokenizers("tests.other_tokenizer.v1")
    def create_tokenizer():
        return registry.tokenizers.get("spacy.Tokenizer.v1")()

    nlp = spacy.blank("en", config={"nlp.tokenizer.@tokenizers": "tests.other_tokenizer.v1"})
    nlp.to_disk(tmp_path / "stock")
    report = accelerate(tmp_path / "stock", tmp_path / "fast", TEXTS, n_rounds=1)
    assert "spacy.Tokenizer.v1" in report.kept["tokenizer"]


def test_existing_output_is_refused(stock, tmp_path):
    (tmp_path / "precious").write_text("kept", encoding="utf8")
    result = CliRunner().invoke(mtl, ["accelerate", str(stock), str(tmp_path)])
    assert result.exit_code == 1
    assert (tmp_path / "precious").read_text(encoding="utf8") == "kept"


def test_accelerated_pipeline_can_be_trained_further(fast):
    nlp = spacy.load(fast)
    assert trained(nlp, 2)("Ann visited Rome").has_annotation("ENT_IOB")
