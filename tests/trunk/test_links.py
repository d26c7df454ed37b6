"""A head finds its trunk and takes its width, or says what is missing."""

import warnings
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Adam

from tests.trunk.pipelines import (
    ENCODERS,
    HEADS,
    OURS,
    STOCK,
    TRUNK,
    gradient_norm,
    head_config,
    make_examples,
    settle_weights,
    update,
)

OWN_HEADS = [
    "mtl_ner",
    "mtl_textcat",
    "mtl_srl",
    "mtl_syntax",
    "mtl_regression",
    "mtl_language_model",
]
LISTENER = {"@architectures": "spacy_mtl.TrunkListener.v1"}
NETWORKS = ["spacy.HashEmbedCNN.v2", "spacy_mtl.HashEmbedCNN.v1"]


def add_trunk(nlp: Language, factory: str = OURS, network: str = NETWORKS[1], **where: Any) -> None:
    nlp.add_pipe(factory, name=TRUNK, config={"model": ENCODERS[network]}, **where)


def annotated(nlp: Language) -> list[Example]:
    """Examples for every head of this package and of spaCy."""
    examples = make_examples(nlp)
    for example in examples:
        doc = example.reference
        doc.spans["srl"] = [Span(doc, 1, 2, "V", kb_id="do.01"), Span(doc, 0, 1, "ARG0")]
    plain = nlp.make_doc("some plain words")
    return [*examples, Example(plain, plain.copy())]


def learn(nlp: Language) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nlp.initialize(lambda: annotated(nlp))
    settle_weights(nlp)
    update(nlp, annotated(nlp))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("head", OWN_HEADS)
def test_head_from_add_pipe_takes_the_width_of_the_trunk(
    head: str, network: str, tmp_path: Any
) -> None:
    nlp = spacy.blank("xx")
    add_trunk(nlp, network=network)
    nlp.add_pipe(head)
    learn(nlp)
    assert gradient_norm(nlp) > 0
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert loaded("Ada likes London").to_json() == nlp("Ada likes London").to_json()
    update(loaded, annotated(loaded))


def test_head_takes_the_width_of_a_trunk_that_comes_later_or_is_spacys() -> None:
    nlp = spacy.blank("xx")
    nlp.add_pipe("mtl_ner")
    add_trunk(nlp, first=True)
    learn(nlp)
    nlp = spacy.blank("xx")
    add_trunk(nlp, STOCK)
    nlp.add_pipe("mtl_ner")
    learn(nlp)
    loaded = spacy.blank("xx").from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert loaded("Ada likes London").to_json() == nlp("Ada likes London").to_json()


@pytest.mark.parametrize("head", HEADS)
def test_component_of_spacy_takes_the_width_with_the_same_listener(head: str) -> None:
    nlp = spacy.blank("xx")
    add_trunk(nlp)
    config = head_config(head)
    config["model"]["tok2vec"] = LISTENER
    nlp.add_pipe(head, config=config)
    learn(nlp)
    assert gradient_norm(nlp) > 0


def test_width_that_is_set_must_fit() -> None:
    nlp = spacy.blank("xx")
    add_trunk(nlp)
    nlp.add_pipe("mtl_ner", config={"model": {"tok2vec": {**LISTENER, "width": 24}}})
    with pytest.raises(ValueError, match="'mtl_ner' expects vectors of width 24.* gives 16"):
        learn(nlp)


@pytest.mark.parametrize("head", OWN_HEADS)
def test_head_without_a_trunk_says_so_at_initialization(head: str) -> None:
    nlp = spacy.blank("xx")
    nlp.add_pipe(head)
    with pytest.raises(ValueError, match=rf"'{head}' reads .* has none: {head}. Add one, such as"):
        learn(nlp)


@pytest.mark.parametrize("factory", [OURS, STOCK])
def test_head_before_its_trunk_says_so_at_initialization(factory: str) -> None:
    nlp = spacy.blank("xx")
    nlp.add_pipe("mtl_ner")
    add_trunk(nlp, factory)
    with pytest.raises(ValueError, match="'tok2vec' comes behind it. Put 'tok2vec' before"):
        learn(nlp)


def test_head_that_names_another_trunk_says_so_at_initialization() -> None:
    nlp = spacy.blank("xx")
    add_trunk(nlp)
    nlp.add_pipe("mtl_ner", config={"model": {"tok2vec": {"upstream": "trunk"}}})
    with pytest.raises(
        ValueError, match="named 'trunk', but the pipeline has only 'tok2vec'.*upst"
    ):
        learn(nlp)


def test_head_with_an_encoder_of_its_own_needs_no_trunk() -> None:
    nlp = spacy.blank("xx")
    nlp.add_pipe("mtl_ner", config={"model": {"tok2vec": ENCODERS[NETWORKS[1]]}})
    nlp.initialize(lambda: annotated(nlp))
    nlp.update(annotated(nlp), sgd=Adam(0.01))


def test_analysis_names_heads_without_what_they_read() -> None:
    nlp = spacy.blank("xx")
    for head in OWN_HEADS:
        nlp.add_pipe(head)
    assert nlp.analyze_pipes()["problems"] == {head: ["doc.tensor"] for head in OWN_HEADS}
    add_trunk(nlp, first=True)
    analysis = nlp.analyze_pipes()
    assert not any(analysis["problems"].values())
    assert analysis["summary"]["mtl_srl"]["assigns"] == ["doc.spans"]


@pytest.mark.parametrize("head", OWN_HEADS)
def test_rehearsal_is_refused_unless_heads_are_left_out(head: str) -> None:
    nlp = spacy.blank("xx")
    add_trunk(nlp)
    nlp.add_pipe(head)
    nlp.add_pipe("tagger", config=head_config("tagger"))
    learn(nlp)
    optimizer = nlp.resume_training()
    docs = [nlp(Doc(nlp.vocab, words=["Ada", "walks"]))]
    examples = [Example(doc, doc.copy()) for doc in docs]
    with pytest.raises(
        NotImplementedError, match=rf"'{head}' can't rehearse.*exclude=\['{head}'\]"
    ):
        nlp.rehearse(examples, sgd=optimizer)
    assert "tagger" in nlp.rehearse(examples, sgd=optimizer, exclude=[head])
