"""The configs of `docs/official-pipelines.md`, read from the page: heads added to a trained
pipeline, its trunk frozen or taken over.

They run on a small pipeline that is made here, and on `en_core_web_sm` where it is installed.
"""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.lookups import Lookups
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from thinc.api import Adam, Config, fix_random_seed

from benchmarks.measuring.released import RELEASED
from spacy_mtl.acceleration.annotations import annotations
from tests.acceleration.pipelines import LISTENER, cnn, tagger_model, transition_model
from tests.trained import make_docs, without

PAGE = (Path(__file__).parents[2] / "docs" / "official-pipelines.md").read_text(encoding="utf8")
FROZEN, TAKEN_OVER = re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL)
(SNIPPET,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
OFFICIAL = ["tok2vec", "tagger", "parser", "attribute_ruler", "lemmatizer", "ner"]
NEW = {"spans", "categories"}  # what the added heads annotate
TEXTS = [doc.text for doc in make_docs()] + ["", "Dan Orr  gave us tea in Oslo?", "Paris"]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def make_official(path):
    """A small pipeline with the components, and the settings of the trunk, of `en_core_web_sm`."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.vocab.lookups.add_table("lexeme_norm", {"tea": "chai", "oslo": "city"})
    nlp = spacy.blank("en", vocab=spacy.vocab.Vocab().from_bytes(nlp.vocab.to_bytes()))
    ours = Config().from_str(TAKEN_OVER)["components"]["tok2vec"]["model"]
    embed = {name: ours[name] for name in ("width", "attrs", "rows", "include_static_vectors")}
    encode = {name: ours[name] for name in ("width", "depth", "window_size", "maxout_pieces")}
    trunk = {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {"@architectures": "spacy.MultiHashEmbed.v2", **embed},
        "encode": {"@architectures": "spacy.MaxoutWindowEncoder.v2", **encode},
    }
    listener = {**LISTENER, "width": ours["width"]}
    nlp.add_pipe("tok2vec", config={"model": trunk})
    nlp.add_pipe("tagger", config={"model": tagger_model(listener)})
    parser = {"model": transition_model("parser", listener), "min_action_freq": 1}
    nlp.add_pipe("parser", config=parser)
    nlp.add_pipe("ner", config={"model": transition_model("ner", cnn())})
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in make_docs(nlp.vocab)]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(6):
        nlp.update(examples, sgd=optimizer)
    ruler = nlp.add_pipe("attribute_ruler", before="ner")
    ruler.add([[{"TAG": "NNP"}]], {"POS": "PROPN"})
    ruler.add([[{"TAG": "NN"}]], {"POS": "NOUN", "MORPH": "Number=Sing"})
    lookups = Lookups()
    for table in ("lemma_rules", "lemma_exc", "lemma_index"):
        lookups.add_table(table, {"noun": {"tea": ["TEA"]} if table == "lemma_exc" else []})
    nlp.add_pipe("lemmatizer", before="ner").lookups = lookups
    nlp.to_disk(path)
    return str(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_official(tmp_path_factory.mktemp("official"))


@pytest.fixture(scope="module", params=["made here", "en_core_web_sm"])
def official(request, made):
    if request.param == "made here":
        return made
    found = next(released for released in RELEASED if released.name == request.param).find()
    if found is None:
        pytest.skip(f"{request.param} is not installed")
    return found


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Documents of which some lack frames, some a category, and all tags and heads."""
    path = tmp_path_factory.mktemp("corpus") / "train.spacy"
    docs = [without(doc, "ents") for doc in make_docs()]
    for number, doc in enumerate(docs):
        doc.from_array(["TAG", "DEP"], np.zeros((len(doc), 2), dtype="uint64"))
        doc.cats = {"GOOD": doc.cats["GOOD"], "BAD": 1 - doc.cats["GOOD"]}
        if number % 4 == 0:
            del doc.spans["srl"]
        if number % 4 == 1:
            doc.cats = {}
    DocBin(docs=docs).to_disk(path)
    return path


def read_config(text, official, corpus, **overrides):
    paths = {"official": official, "train": str(corpus), "dev": str(corpus)}
    overrides = {f"paths.{name}": value for name, value in paths.items()} | overrides
    config = Config().from_str(text, interpolate=False, overrides=overrides)
    config["training"]["max_steps"] = 3
    if "optimizer" in config["training"]:
        config["training"]["optimizer"]["learn_rate"]["warmup_steps"] = 1
    return config


def run_training(nlp, folder):
    train(nlp, folder, stdout=io.StringIO(), stderr=io.StringIO())
    return spacy.load(folder / "model-last")


def official_annotations(nlp):
    docs = list(nlp.pipe(TEXTS))
    kept = [{k: v for k, v in annotations(doc).items() if k not in NEW} for doc in docs]
    return kept, [doc.tensor for doc in docs]


def test_frozen_pipeline_annotates_the_same_after_training(official, corpus, tmp_path):
    expected, vectors = official_annotations(spacy.load(official))
    nlp = init_nlp(read_config(FROZEN, official, corpus))
    before = nlp.get_pipe("srl").model.to_bytes()
    trained = run_training(nlp, tmp_path)
    assert trained.pipe_names == [*OFFICIAL, "srl", "textcat"]
    assert trained.get_pipe("srl").model.to_bytes() != before
    found, trained_vectors = official_annotations(trained)
    assert found == expected
    for first, second in zip(vectors, trained_vectors, strict=True):
        np.testing.assert_array_equal(first, second)
    doc = trained(TEXTS[0])
    assert "srl" in doc.spans and set(doc.cats) == {"GOOD", "BAD"}


def test_pipeline_with_the_trunk_taken_over_annotates_the_same_and_then_trains(
    official, corpus, tmp_path
):
    expected, vectors = official_annotations(spacy.load(official))
    nlp = init_nlp(read_config(TAKEN_OVER, official, corpus))
    found, own_vectors = official_annotations(nlp)
    assert found == expected
    for first, second in zip(vectors, own_vectors, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-4)
    trained = run_training(nlp, tmp_path)
    assert trained.get_pipe("tok2vec").model.name == "hash_embed_cnn"
    trained_vectors = official_annotations(trained)[1]
    assert np.abs(trained_vectors[0] - own_vectors[0]).max() > 1e-3
    doc = trained(TEXTS[0])
    assert "srl" in doc.spans and set(doc.cats) == {"GOOD", "BAD"}


def test_official_heads_learn_along_from_their_own_predictions(official, corpus, tmp_path):
    namespace = {}
    exec(SNIPPET, namespace)
    namespace["add_official_syntax"](corpus, tmp_path / "train.spacy", official)
    nlp = spacy.load(official)
    docs = list(DocBin().from_disk(tmp_path / "train.spacy").get_docs(nlp.vocab))
    originals = list(DocBin().from_disk(corpus).get_docs(nlp.vocab))
    for doc, original in zip(docs, originals, strict=True):
        assert doc.cats == original.cats
        assert set(doc.spans) == set(original.spans)
        assert doc.has_annotation("TAG") and doc.has_annotation("DEP")
    nlp = init_nlp(read_config(TAKEN_OVER, official, tmp_path / "train.spacy"))
    losses = {}
    before = {name: nlp.get_pipe(name).model.to_bytes() for name in ("tok2vec", "tagger", "parser")}
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in docs]
    optimizer = Adam(0.001)  # that of the config begins with tiny steps
    for _ in range(2):
        nlp.update(examples, sgd=optimizer, losses=losses, exclude=["ner"], annotates=["parser"])
    assert losses["tagger"] > 0 and losses["parser"] > 0
    for name, weights in before.items():
        assert nlp.get_pipe(name).model.to_bytes() != weights, name


@pytest.mark.parametrize(
    "override,message",
    [
        ({"components.tok2vec.model.depth": 3}, "depth = 4"),
        (
            {"components.tok2vec.model.attrs": ["NORM"], "components.tok2vec.model.rows": [9]},
            "SPACY",
        ),
        ({"initialize.after_init.component": "tagger"}, "'tagger'.*0 encoders"),
        ({"initialize.after_init.component": "cnn"}, "no component 'cnn'"),
        ({"initialize.after_init.trunk": "trunk"}, "No component 'trunk'"),
        ({"initialize.after_init.trunk": "srl"}, "network of 'srl'"),
    ],
)
def test_what_does_not_fit_is_named(override, message, made, corpus):
    with pytest.raises(ValueError, match=re.compile(rf"after_init.*{message}", re.DOTALL)):
        init_nlp(read_config(TAKEN_OVER, made, corpus, **override))


def test_vectors_that_differ_are_an_error(made, corpus, tmp_path):
    nlp = spacy.load(made)
    nlp.vocab.set_vector("tea", np.ones(5, dtype="f"))
    trunk = {"model": cnn(pretrained_vectors=True, width=96)}
    nlp.add_pipe("tok2vec", name="with_vectors", config=trunk, first=True)
    doc = nlp.make_doc("tea")
    nlp.get_pipe("with_vectors").initialize(lambda: [Example(doc, doc)], nlp=nlp)
    nlp.to_disk(tmp_path / "vectors")
    copy = {"initialize.after_init.component": "with_vectors"}
    copy["initialize.after_init.source"] = str(tmp_path / "vectors")
    with pytest.raises(ValueError, match="vectors, which differ here"):
        init_nlp(read_config(TAKEN_OVER, made, corpus, **copy))
