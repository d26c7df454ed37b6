"""Settings that do not fit, and trunks that do not run, say so and name the setting."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from spacy.util import load_config, load_model_from_config
from thinc.api import Adam

from tests.trained import CONFIGS
from tests.trunk.pipelines import (
    ENCODERS,
    FACTORIES,
    HEADS,
    OURS,
    STOCK,
    STOCK_ENCODER,
    TRUNK,
    gradient_norm,
    head_config,
    make_examples,
    make_nlp,
    parameters,
    settle_weights,
    train,
    update,
)

WIDTH_MESSAGE = (
    r"'tagger' expects vectors of width 24, but its trunk 'tok2vec' gives 16. "
    r"Set \[components.tagger.model.tok2vec\] width = 16"
)


def make_too_wide():
    nlp = make_nlp(OURS, [])
    nlp.add_pipe("tagger", config=head_config("tagger", width=24))
    return nlp


def sentence(nlp):
    return Doc(nlp.vocab, words=["Ada", "likes", "rain"])


def test_width_that_does_not_fit_is_named_at_initialization():
    nlp = make_too_wide()
    with pytest.raises(ValueError, match=WIDTH_MESSAGE):
        nlp.initialize(lambda: make_examples(nlp))


def test_width_that_does_not_fit_an_initialized_trunk_is_named():
    nlp = make_too_wide()
    with nlp.select_pipes(disable=[TRUNK]):
        nlp.initialize(lambda: make_examples(nlp))
    with pytest.raises(ValueError, match=WIDTH_MESSAGE):
        update(nlp, make_examples(nlp))
    with pytest.raises(ValueError, match=WIDTH_MESSAGE):
        nlp(sentence(nlp))


def test_unknown_component_in_the_weights_is_named_at_initialization():
    with pytest.raises(ValueError, match=r"\[components.tok2vec.balancer\] names 'tager', but"):
        make_nlp(OURS, ["tagger"], balancer={"weights": {"tager": 2.0}})


def test_all_that_is_left_of_removed_heads_is_named_at_once():
    config = load_config(CONFIGS / "multitask.cfg")
    config["nlp"]["pipeline"] = ["tok2vec", "ner"]
    config["initialize"]["components"] = {"srl": {"frames": "frames"}}
    config["training"]["frozen_components"] = ["srl"]
    config["training"]["logger"] = {
        "@loggers": "spacy_mtl.TaskSelection.v1",
        "target": "srl",
        "patience": {"ner": 10, "textcat": 10},
    }
    nlp = load_model_from_config(config, auto_fill=True)
    with pytest.raises(ValueError) as error:
        nlp.initialize(lambda: make_examples(nlp))
    first, _, *leftovers = str(error.value).splitlines()
    assert first.startswith(
        "[components.tok2vec.balancer] names 'senter', 'textcat', 'srl', but the pipeline has only:"
    )
    assert set(leftovers) == {
        "- [components.tok2vec.balancer.weights] senter",
        "- [components.tok2vec.balancer.weights] textcat",
        "- [components.tok2vec.balancer.weights] srl",
        "- [training] annotating_components: senter",
        "- [training] frozen_components: srl",
        "- [training.logger] target: srl",
        "- [training.logger.patience] textcat",
        "- [initialize.components.srl]",
        "- [training.score_weights] cats_score = 0.15 (no component writes it)",
        "- [training.score_weights] srl_arguments_f = 0.5 (no component writes it)",
    }


def make_two_trunks(order, upstream):
    """Both heads name the trunk that `upstream` maps them to."""
    nlp = spacy.blank("xx")
    for name in order:
        if name in upstream:
            nlp.add_pipe(name, config=head_config(name, upstream=upstream[name]))
        else:
            nlp.add_pipe(OURS, name=name, config={"model": ENCODERS[STOCK_ENCODER]})
    nlp.initialize(lambda: make_examples(nlp))
    settle_weights(nlp)
    return nlp


def test_trunk_between_a_head_and_its_own_trunk_is_named():
    named = {"tagger": "first", "ner": "second"}
    with pytest.raises(ValueError, match=r"'tagger'.*'first', but 'second'.*before 'second'"):
        make_two_trunks(["first", "second", "tagger", "ner"], named)
    make_two_trunks(["first", "tagger", "second", "ner"], named)
    anywhere = {"tagger": "*", "ner": "*"}
    nlp = make_two_trunks(["first", "tagger", "second", "ner"], anywhere)
    update(nlp, make_examples(nlp))
    assert gradient_norm(nlp, "first") > 0
    assert gradient_norm(nlp, "second") > 0


@pytest.mark.parametrize("settings", [{"weights": {"tagger": -1.0}}, {"default": -1.0}])
def test_negative_weight_in_the_config_is_named(settings):
    task = "tagger" if "weights" in settings else "default"
    with pytest.raises(ValueError, match=f"weight of '{task}' is -1.0"):
        make_nlp(OURS, ["tagger"], balancer=settings)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("factory", FACTORIES)
def test_prediction_without_the_trunk_says_so(factory, head):
    nlp = make_nlp(factory, [head])
    with nlp.select_pipes(disable=[TRUNK]):
        if factory == STOCK:
            assert nlp(sentence(nlp)).tensor.size == 0  # predicted, from vectors of zeros
            return
        with pytest.raises(ValueError, match=f"'{head}' reads the trunk 'tok2vec', but 'tok2vec'"):
            nlp(sentence(nlp))


@pytest.mark.parametrize("head", HEADS)
def test_head_can_be_initialized_behind_a_trunk_that_is_not(head):
    nlp = make_nlp(OURS, [])
    nlp.add_pipe(head, config=head_config(head))
    with nlp.select_pipes(disable=[TRUNK]):
        nlp.initialize(lambda: make_examples(nlp))
    before = parameters(nlp, head)
    train(nlp, make_examples(nlp), Adam(0.01))
    assert (parameters(nlp, head) != before).any()
    assert nlp(sentence(nlp)).tensor.shape == (3, 16)


@pytest.mark.parametrize("head", HEADS)
def test_head_trains_behind_a_frozen_trunk_that_annotates(head):
    nlp = make_nlp(OURS, [head])
    trunk = parameters(nlp)
    before = parameters(nlp, head)
    train(nlp, make_examples(nlp), Adam(0.01), exclude=[TRUNK], annotates=[TRUNK])
    assert (parameters(nlp) == trunk).all()
    assert (parameters(nlp, head) != before).any()


@pytest.mark.parametrize("head", HEADS)
def test_frozen_trunk_that_does_not_annotate_is_named(head):
    nlp = make_nlp(OURS, [head])
    with pytest.raises(ValueError, match=r"list 'tok2vec' in \[training\] annotating_components"):
        update(nlp, make_examples(nlp), exclude=[TRUNK])


@pytest.mark.parametrize("sgd", [False, Adam(0.0)], ids=["spacy train", "own loop"])
@pytest.mark.parametrize("factory", FACTORIES)
def test_senter_annotates_though_the_trunk_does_not(factory, sgd, monkeypatch):
    nlp = make_nlp(factory, ["senter", "tagger"])
    seen = []
    learn = nlp.get_pipe("tagger").update

    def keep_documents(examples, **kwargs):
        seen.extend(eg.predicted for eg in examples)
        return learn(examples, **kwargs)

    monkeypatch.setattr(nlp.get_pipe("tagger"), "update", keep_documents)
    nlp.update(make_examples(nlp), sgd=sgd, annotates=["senter"])
    starts = [[token.is_sent_start for token in doc] for doc in seen]
    expected = [
        [token.is_sent_start for token in nlp(Doc(nlp.vocab, words=[t.text for t in doc]))]
        for doc in seen
    ]
    assert (starts == expected) == (factory == OURS)
    assert sgd or gradient_norm(nlp) > 0


def test_trunk_that_annotates_while_it_trains_gets_its_gradient():
    nlp = make_nlp(OURS, ["senter", "tagger"])
    update(nlp, make_examples(nlp), annotates=[TRUNK, "senter"])
    assert gradient_norm(nlp) > 0


def test_message_names_the_tensor_that_was_found():
    nlp = make_nlp(OURS, ["tagger"])
    doc = sentence(nlp)
    doc.tensor = np.zeros((2, 16), dtype="f")
    with pytest.raises(ValueError, match=r"3 tokens, Doc.tensor of shape \(2, 16\)"):
        nlp.get_pipe("tagger")(doc)
