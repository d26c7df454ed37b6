"""Components that are no heads stand before and behind a trunk: plain functions, components without
a name, a network or a vocabulary, and those that change tokens or clear what the trunk wrote.
"""

import pickle
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.cli.train import train
from spacy.kb import InMemoryLookupKB
from spacy.language import Language
from spacy.lookups import Lookups
from spacy.tokens import Doc
from thinc.api import Adam

from spacy_mtl.acceleration import accelerate
from spacy_mtl.acceleration.annotations import annotations
from spacy_mtl.cli.evaluate import evaluate
from spacy_mtl.extraction import extract
from spacy_mtl.training.task_scores import find_tasks
from tests.trained import Trained, make_docs, save, small_config
from tests.trunk.pipelines import (
    ENCODERS,
    OURS,
    TRUNK,
    head_config,
    make_examples,
    make_nlp,
    update,
)

BEFORE: dict[str, dict[str, Any]] = {
    "test_shout": {},
    "entity_ruler": {},
    "span_ruler": {},
    "token_splitter": {"min_length": 6, "split_length": 3},
    "lemmatizer": {"mode": "lookup"},
}
BEHIND: dict[str, dict[str, Any]] = {
    "test_rate": {},
    "test_count": {},
    "attribute_ruler": {},
    "sentencizer": {},
    "merge_noun_chunks": {},
    "merge_entities": {},
    "merge_subtokens": {},
    "doc_cleaner": {},
}
ANN_LEE = [{"TEXT": "Ann"}, {"TEXT": "Lee"}]
TEXTS = [doc.text for doc in make_docs()]


@Language.component("test_shout")
def shout(doc: Doc) -> Doc:
    doc.user_data["shouted"] = doc.text.upper()
    return doc


@Language.component("test_rate", assigns=["doc.cats"])
def rate(doc: Doc) -> Doc:
    doc.cats["LONG"] = float(len(doc) > 12)
    return doc


@Language.factory("test_count")
class Count:
    """The least that a component can be."""

    def __init__(self, nlp: Language, name: str) -> None:
        self.n_docs = 0

    def __call__(self, doc: Doc) -> Doc:
        self.n_docs += 1
        return doc


@pytest.fixture(scope="module")
def surrounded(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A pipeline that `spacy train` made, with other components all around the trunk and heads."""
    folder = tmp_path_factory.mktemp("surrounded")
    config = small_config()
    config["nlp"]["pipeline"] = [*BEFORE, *config["nlp"]["pipeline"], *BEHIND]
    for name, settings in {**BEFORE, **BEHIND}.items():
        config["components"][name] = {"factory": name, **settings}
    config["training"].update(max_steps=2, eval_frequency=1)
    config["training"]["annotating_components"] = ["senter", "test_shout", "token_splitter"]
    config["initialize"]["components"] = {
        "lemmatizer": {"lookups": {"@misc": "test_lookups"}},
        "entity_ruler": {"patterns": [{"label": "PERSON", "pattern": ANN_LEE}]},
        "span_ruler": {"patterns": [{"label": "PERSON", "pattern": ANN_LEE}]},
        "attribute_ruler": {"patterns": [{"patterns": [ANN_LEE], "attrs": {"POS": "PROPN"}}]},
    }
    config.to_disk(folder / "config.cfg")
    data = save(make_docs(), folder / "docs.spacy")
    trained = Trained(folder / "output" / "model-last", folder / "config.cfg", data, data)
    train(trained.config, folder / "output", overrides=trained.overrides)
    return trained


@spacy.registry.misc("test_lookups")
def make_lookups() -> Lookups:
    lookups = Lookups()
    lookups.add_table("lemma_lookup", {"gave": "give"})
    return lookups


@pytest.fixture(scope="module")
def nlp(surrounded: Trained) -> Language:
    return spacy.load(surrounded.model)


def annotations_of(nlp: Language) -> list[dict[str, Any]]:
    return [annotations(doc) for doc in nlp.pipe(TEXTS)]


def test_every_component_did_its_part(nlp: Language) -> None:
    doc = nlp(TEXTS[0])
    assert doc.user_data["shouted"] == doc.text.upper()
    assert [ent.text for ent in doc.ents][0] == "Ann Lee" == doc[0].text  # found, then merged
    assert {token.text: token.lemma_ for token in doc}["gave"] == "give"
    assert doc.cats.keys() >= {"LONG", "GOOD"}
    assert "srl" in doc.spans
    assert doc.tensor is None  # by doc_cleaner
    assert {"test_shout", "test_count"}.isdisjoint(find_tasks(nlp))


def test_copies_predict_the_same(nlp: Language, tmp_path: Path) -> None:
    expected = annotations_of(nlp)
    assert annotations_of(pickle.loads(pickle.dumps(nlp))) == expected
    nlp.to_disk(tmp_path)
    assert annotations_of(spacy.load(tmp_path)) == expected
    blank = spacy.blank("en").from_config(nlp.config)
    assert annotations_of(blank.from_bytes(nlp.to_bytes())) == expected


def test_pipeline_goes_on_learning(surrounded: Trained) -> None:
    nlp = spacy.load(surrounded.model)
    trunk = nlp.get_pipe(TRUNK)
    examples = [spacy.training.Example(nlp.make_doc(doc.text), doc) for doc in make_docs(nlp.vocab)]
    losses = nlp.update(examples, sgd=Adam(0.01), annotates=["test_shout", "senter"])
    trunk.flush()
    assert set(trunk.records.last.tasks) == {"tagger", "parser", "senter", "ner", "textcat", "srl"}
    assert losses["srl"] > 0


@pytest.mark.parametrize("name", [*BEFORE, *BEHIND])
def test_pipeline_runs_without_any_one_of_them(nlp: Language, name: str) -> None:
    with nlp.select_pipes(disable=[name]):
        assert nlp(TEXTS[0]).has_annotation("ENT_IOB")
    assert name in nlp.pipe_names


def test_all_but_trunk_and_heads_can_be_evaluated(surrounded: Trained) -> None:
    annotated = evaluate(surrounded.model, surrounded.dev)["annotated"]
    assert annotated["ner"] == annotated["srl"] == len(TEXTS)
    assert not {"test_shout", "merge_entities"} & annotated.keys()


@pytest.mark.parametrize("head", ["ner", "test_rate", "merge_entities"])
def test_extraction_keeps_annotations(surrounded: Trained, tmp_path: Path, head: str) -> None:
    report = extract(surrounded.model, tmp_path / "part", [head], TEXTS)
    assert not report.differences
    assert head in spacy.load(tmp_path / "part").pipe_names


def test_acceleration_keeps_annotations(surrounded: Trained, tmp_path: Path) -> None:
    report = accelerate(surrounded.model, tmp_path / "fast", TEXTS, n_rounds=1)
    assert not report.differences
    assert report.kept["test_shout"] == "it has no network"


def test_entity_linker_listens_beside_a_plain_function() -> None:
    def make_kb(vocab: Any) -> InMemoryLookupKB:
        kb = InMemoryLookupKB(vocab, entity_vector_length=2)
        kb.add_entity("Q1", freq=1, entity_vector=[1.0, 0.0])
        kb.add_alias("Ada", entities=["Q1"], probabilities=[1.0])
        return kb

    nlp = make_nlp(OURS, ["ner"])
    nlp.add_pipe("test_shout")
    nlp.add_pipe("sentencizer")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 16}
    model = {"@architectures": "spacy.EntityLinker.v2", "tok2vec": listener}
    linker: Any = nlp.add_pipe("entity_linker", config={"model": model})
    linker.initialize(lambda: make_examples(nlp), nlp=nlp, kb_loader=make_kb)
    assert nlp.get_pipe(TRUNK).listening_components == ["ner", "entity_linker"]  # type: ignore
    update(nlp, make_examples(nlp))
    assert nlp("Ada likes London").user_data["shouted"]


@pytest.mark.parametrize("head", ["tagger", "mtl_textcat"])
@pytest.mark.parametrize("between", ["doc_cleaner", "token_splitter"])
def test_component_that_takes_the_output_away_is_named(between: str, head: str) -> None:
    nlp = spacy.blank("xx")
    nlp.add_pipe(OURS, name=TRUNK, config={"model": ENCODERS["spacy_mtl.HashEmbedCNN.v1"]})
    nlp.add_pipe(
        between, config={"min_length": 4, "split_length": 2} if between == "token_splitter" else {}
    )
    settings = head_config(head) if head == "tagger" else {"model": {"tok2vec": {"width": 16}}}
    nlp.add_pipe(head, config=settings)
    nlp.initialize(lambda: make_examples(nlp))
    update(nlp, make_examples(nlp))
    with pytest.raises(ValueError, match=f"'{head}' reads the trunk.*{between}"):
        nlp("Ada likes London")
    if between == "token_splitter":
        with pytest.raises(ValueError, match="7 tokens of a document that has .* merges or splits"):
            update(nlp, make_examples(nlp), annotates=[between])
