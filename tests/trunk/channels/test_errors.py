"""Listeners that their trunk can't serve say so and name the setting."""

import pytest
from spacy.tokens import Doc

from spacy_mtl.models.encoders.experts import build_mixture_of_experts
from spacy_mtl.trunk.channels.scalar_mix import build_scalar_mix_listener
from tests.trunk.channels.pipelines import GATED, MIX, PLAIN, WIDTH, experts, layer, make_nlp
from tests.trunk.pipelines import TRUNK, make_examples, update

SECTION = r"\[components.tagger.model.tok2vec\] "


@pytest.mark.parametrize("listener", [MIX, layer(1), GATED])
def test_network_that_shows_only_its_output(listener):
    key = r"\[components.tok2vec.model\] @architectures"
    with pytest.raises(ValueError, match=SECTION + f".*{key}"):
        make_nlp("stock", {"tagger": listener})


@pytest.mark.parametrize("listener", [MIX, layer(1), GATED])
def test_trunk_of_spacy(listener):
    with pytest.raises(ValueError, match='needs a component with factory = "mtl_tok2vec"'):
        make_nlp("cnn", {"tagger": listener}, factory="tok2vec")


def test_no_trunk_of_that_name():
    with pytest.raises(ValueError, match="upstream', is 'other'"):
        make_nlp("cnn", {"tagger": {**MIX, "upstream": "other"}})


@pytest.mark.parametrize("number", [3, -4])
def test_layer_that_does_not_exist(number):
    message = rf"asks for layer {number} of the trunk 'tok2vec', which has layers 0 .* to 2"
    with pytest.raises(ValueError, match=SECTION + ".*" + message):
        make_nlp("cnn", {"tagger": layer(number)})


def test_layers_of_an_unknown_encoder_below_experts():
    make_nlp(experts("stock"), {"tagger": layer(-1)})
    with pytest.raises(ValueError, match="shows only its last one"):
        make_nlp(experts("stock"), {"tagger": layer(0)})


def test_width_that_does_not_fit():
    with pytest.raises(ValueError, match=rf"has width = 5, .* has {WIDTH}. Set width = {WIDTH}"):
        make_nlp("cnn", {"tagger": {**MIX, "width": 5}})
    with pytest.raises(ValueError, match="Set width = 6"):
        make_nlp(experts(), {"tagger": {**GATED, "width": WIDTH}})


@pytest.mark.parametrize("layers", [[], [1, 1]])
def test_layers_that_are_no_set(layers):
    with pytest.raises(ValueError, match="name each layer to mix once"):
        build_scalar_mix_listener(width=4, layers=layers)


@pytest.mark.parametrize("settings", [{"n_experts": 0}, {"width": 0}])
def test_no_experts(settings):
    encoder = make_nlp("cnn", {}).get_pipe(TRUNK).model
    with pytest.raises(ValueError, match="set 1 or more"):
        build_mixture_of_experts(encoder=encoder, **{"width": 4, **settings})


def test_experts_upon_experts():
    encoder = make_nlp(experts(), {}).get_pipe(TRUNK).model
    with pytest.raises(ValueError, match="a mixture itself"):
        build_mixture_of_experts(encoder=encoder, width=4)


def test_document_that_the_trunk_has_not_seen_or_not_as_it_is_now():
    nlp = make_nlp("cnn", {"tagger": MIX})
    tagger = nlp.get_pipe("tagger")
    message = "'tagger' reads layers or experts of the trunk 'tok2vec', but 'tok2vec' did not run"
    with pytest.raises(ValueError, match=message):
        tagger(Doc(nlp.vocab, words=["Ada", "likes", "rain"]))
    doc = nlp(Doc(nlp.vocab, words=["Ada", "likes", "rain"]))
    with pytest.raises(ValueError, match=message):
        tagger(doc.copy())
    tagger(doc)
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[:2])
    with pytest.raises(ValueError, match=message):
        tagger(doc)


def test_frozen_trunk_that_does_not_annotate():
    nlp = make_nlp("cnn", {"tagger": MIX})
    with pytest.raises(ValueError, match=r"list 'tok2vec' in \[training\] annotating_components"):
        update(nlp, make_examples(nlp), exclude=[TRUNK])


def test_replaced_listeners():
    nlp = make_nlp("cnn", {"tagger": PLAIN, "senter": MIX})
    nlp.replace_listeners(TRUNK, "tagger", ["model.tok2vec"])
    with pytest.raises(ValueError, match="can't replace spacy_mtl.ScalarMixListener.v1"):
        nlp.replace_listeners(TRUNK, "senter", ["model.tok2vec"])
