"""spaCy's own components behind the trunk: training, prediction, saving, and moving about."""

import numpy as np
import pytest
import spacy
from thinc.api import Adam, Config

from tests.trunk.pipelines import (
    ANNOTATIONS,
    ENCODERS,
    FACTORIES,
    HEADS,
    OURS,
    TRUNK,
    gradient_norm,
    head_config,
    make_examples,
    make_nlp,
    parameters,
    predict,
    take_gradient,
    train,
    update,
)

MAX_STEPS = 150


def has_learned(nlp, head):
    """Whether a head predicts its annotation of the training documents."""
    gold = [eg.reference for eg in make_examples(nlp)]
    docs = list(nlp.pipe([eg.predicted for eg in make_examples(nlp)]))
    read = {
        "ner": lambda doc: [(ent.start, ent.end, ent.label_) for ent in doc.ents],
        "parser": lambda doc: [(token.head.i, token.dep_) for token in doc],
        "tagger": lambda doc: [token.tag_ for token in doc],
        "morphologizer": lambda doc: [(token.pos_, str(token.morph)) for token in doc],
        "senter": lambda doc: [token.is_sent_start for token in doc],
        "textcat": lambda doc: {name: score > 0.5 for name, score in doc.cats.items()},
        "spancat": lambda doc: sorted((s.start, s.end, s.label_) for s in doc.spans["sc"]),
    }
    read["textcat_multilabel"] = read["textcat"]
    return [read[head](doc) for doc in docs] == [read[head](doc) for doc in gold]


def overfit(nlp, heads):
    optimizer = Adam(0.01)
    for step in range(MAX_STEPS):
        nlp.update(make_examples(nlp), sgd=optimizer)
        if step % 10 == 9 and all(has_learned(nlp, head) for head in heads):
            return
    raise AssertionError(f"not learned: {[head for head in heads if not has_learned(nlp, head)]}")


@pytest.mark.parametrize("head", HEADS)
def test_head_learns_and_predicts_the_same_after_saving(head, tmp_path):
    nlp = make_nlp(OURS, [head])
    overfit(nlp, [head])
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert predict(loaded) == predict(nlp)
    assert loaded.config.to_str() == nlp.config.to_str()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_heads_learn_together_behind_any_encoder(encoder):
    heads = ["tagger", "textcat_multilabel", "ner"]
    nlp = make_nlp(OURS, heads, encoder=encoder, balancer={})
    overfit(nlp, heads)
    loaded = make_nlp(OURS, heads, encoder=encoder, balancer={}, seed=1)
    assert predict(loaded.from_bytes(nlp.to_bytes())) == predict(nlp)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_averaged_parameters_are_used_and_put_back(encoder):
    nlp = make_nlp(OURS, ["tagger"], encoder=encoder)
    optimizer = Adam(0.05, use_averages=True)
    for _ in range(3):
        train(nlp, make_examples(nlp), optimizer)
    predicted = parameters(nlp)
    with nlp.use_params(optimizer.averages):
        assert (parameters(nlp) != predicted).mean() > 0.5
    assert (parameters(nlp) == predicted).all()


def test_config_round_trip_keeps_the_balancer():
    nlp = make_nlp(OURS, ["tagger"], balancer={"weights": {"tagger": 0.5}, "per_unit": False})
    loaded = spacy.util.load_model_from_config(Config().from_str(nlp.config.to_str()))
    assert loaded.get_pipe(TRUNK).balancer.weights == {"tagger": 0.5}
    assert loaded.get_pipe(TRUNK).balancer.per_unit is False


def test_factory_has_settings_of_its_own():
    nlp = spacy.blank("xx")
    trunk = nlp.add_pipe(OURS)
    nlp.add_pipe("tagger")
    examples = make_examples(nlp, keep=["tags"])
    nlp.initialize(lambda: examples)
    assert trunk.model.get_dim("nO") == 96
    assert nlp.analyze_pipes()["problems"] == {OURS: [], "tagger": []}


@pytest.mark.parametrize("factory", FACTORIES)
def test_sourced_components_predict_the_same(factory):
    """From one trunk to the other too: the listener follows whoever linked it last."""
    nlp = make_nlp(factory, ["tagger", "ner"])
    expected = predict(nlp)
    other = spacy.blank("xx")
    for name in nlp.pipe_names:
        other.add_pipe(name, source=nlp)
    assert predict(other) == expected
    train(other, make_examples(other), Adam(0.01))
    assert predict(other) != expected


@pytest.mark.parametrize("source, target", [FACTORIES, FACTORIES[::-1]])
def test_head_moves_from_one_kind_of_trunk_to_the_other(source, target):
    head = make_nlp(source, ["tagger"])
    nlp = make_nlp(target, [])
    nlp.add_pipe("tagger", source=head)
    expected = predict(make_nlp(target, ["tagger"]))
    assert predict(nlp) == expected
    for _ in range(2):
        update(nlp, make_examples(nlp))
        assert gradient_norm(nlp) > 0
    assert predict(nlp) == expected


@pytest.mark.parametrize("encoder", ENCODERS)
def test_replaced_listener_has_a_copy_of_the_trunk(encoder, tmp_path):
    nlp = make_nlp(OURS, ["tagger", "ner"], encoder=encoder)
    expected = predict(nlp)
    nlp.replace_listeners(TRUNK, "tagger", ["model.tok2vec"])
    assert nlp.get_pipe(TRUNK).listening_components == ["ner"]
    assert predict(nlp) == expected
    train(nlp, make_examples(nlp), Adam(0.01))
    assert predict(nlp) != expected
    nlp.to_disk(tmp_path)
    assert predict(spacy.load(tmp_path)) == predict(nlp)


def test_renamed_components_go_on_training():
    nlp = make_nlp(OURS, ["tagger", "ner"])
    expected = predict(nlp)
    nlp.rename_pipe(TRUNK, "shared")
    nlp.rename_pipe("tagger", "tags")
    trunk = nlp.get_pipe("shared")
    assert trunk.listening_components == ["tags", "ner"]
    assert predict(nlp) == expected
    losses = update(nlp, make_examples(nlp))
    assert gradient_norm(nlp, "shared") > 0
    assert losses["shared"] > 0
    with nlp.select_pipes(enable=["tags"]), pytest.raises(ValueError, match="'tags'.*'shared'"):
        update(nlp, make_examples(nlp))


def test_weight_belongs_to_the_name_that_a_head_has_now():
    nlp = make_nlp(OURS, ["tagger"], balancer={"weights": {"tags": 0.0}}, initialize=False)
    nlp.rename_pipe("tagger", "tags")
    nlp.initialize(lambda: make_examples(nlp))
    update(nlp, make_examples(nlp))
    assert gradient_norm(nlp) == 0.0


def make_two_trunks():
    nlp = spacy.blank("xx")
    for trunk, head in [("first", "tagger"), ("second", "ner")]:
        nlp.add_pipe(OURS, name=trunk, config={"model": ENCODERS["spacy.HashEmbedCNN.v2"]})
        nlp.add_pipe(head, config=head_config(head, upstream=trunk))
    nlp.initialize(lambda: make_examples(nlp))
    return nlp


def test_two_trunks_keep_to_the_heads_that_name_them():
    nlp = make_two_trunks()
    overfit(nlp, ["tagger", "ner"])
    for exclude, trained, untrained in (("ner", "first", "second"), ("tagger", "second", "first")):
        take_gradient(nlp, "first"), take_gradient(nlp, "second")
        update(nlp, make_examples(nlp), exclude=[exclude])
        assert gradient_norm(nlp, trained) > 0
        assert gradient_norm(nlp, untrained) == 0


def test_pipe_with_two_processes_predicts_the_same():
    nlp = make_nlp(OURS, ["tagger", "ner", "textcat"])
    nlp.update(make_examples(nlp), sgd=Adam(0.01))
    assert predict(nlp, n_process=2, batch_size=2) == predict(nlp)


def test_batches_do_not_change_predictions():
    nlp = make_nlp(OURS, HEADS[2:])
    assert predict(nlp, batch_size=1) == predict(nlp, batch_size=10)


def test_heads_can_be_switched_off_and_on():
    nlp = make_nlp(OURS, ["tagger", "ner"])
    expected = predict(nlp)
    with nlp.select_pipes(disable=["tagger"]):
        assert [doc["ents"] for doc in predict(nlp)] == [doc["ents"] for doc in expected]
        train(nlp, make_examples(nlp), Adam(0.0))
    assert predict(nlp) == expected
    train(nlp, make_examples(nlp), Adam(0.01))
    assert predict(nlp) != expected


def test_training_can_be_resumed(tmp_path):
    make_nlp(OURS, ["tagger", "ner"]).to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    before = parameters(nlp)
    optimizer = nlp.resume_training()
    train(nlp, make_examples(nlp), optimizer)
    assert (parameters(nlp) != before).any()


def test_entity_linker_that_rebuilds_documents_trains_the_trunk():
    from spacy.kb import InMemoryLookupKB

    nlp = make_nlp(OURS, [], initialize=True)
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 16}
    model = {"@architectures": "spacy.EntityLinker.v2", "tok2vec": listener}
    linker = nlp.add_pipe("entity_linker", config={"model": model})

    def make_kb(vocab):
        kb = InMemoryLookupKB(vocab, entity_vector_length=3)
        kb.add_entity("Q1", freq=1, entity_vector=[1.0, 0.0, 0.0])
        kb.add_entity("Q2", freq=1, entity_vector=[0.0, 1.0, 0.0])
        kb.add_alias("Ada", entities=["Q1", "Q2"], probabilities=[0.5, 0.5])
        return kb

    examples = make_examples(nlp)[:1]
    ada = examples[0].reference.char_span(0, 3, label="PER", kb_id="Q1")
    examples[0].reference.ents = [ada]
    linker.initialize(lambda: examples, nlp=nlp, kb_loader=make_kb)
    losses = update(nlp, examples)
    assert losses["entity_linker"] > 0
    assert gradient_norm(nlp) > 0


def test_tensor_of_every_document_has_a_row_per_token():
    nlp = make_nlp(OURS, [])
    docs = list(nlp.pipe([eg.predicted for eg in make_examples(nlp)]))
    assert [doc.tensor.shape for doc in docs] == [(len(g["words"]), 16) for g in ANNOTATIONS]
    assert all(np.isfinite(doc.tensor).all() for doc in docs)
