"""Balancing methods in the trunk's step."""

import pickle

import numpy as np
import pytest
from spacy.util import registry

from spacy_mtl.balancing.hub import hub_gram
from spacy_mtl.trunk.parameter_gradients import ParameterGradients
from tests.trunk.pipelines import (
    OURS,
    TRUNK,
    make_examples,
    make_nlp,
    parameters,
    settle_weights,
    take_gradient,
    train,
    update,
)

THREE = ["tagger", "textcat_multilabel", "ner"]
ENCODER = "spacy_mtl.HashEmbedCNN.v1"


def use(nlp, method, **settings):
    config = {"@misc": f"spacy_mtl.{method}.v1", **settings}
    nlp.get_pipe(TRUNK).balancer = registry.resolve({"balancer": config})["balancer"]
    return nlp


def make(method, heads=THREE, level="hub", **settings):
    nlp = use(make_nlp(OURS, heads, encoder=ENCODER), method, **settings)
    nlp.get_pipe(TRUNK).level = level
    return nlp


class Spy:
    """Keeps what it sees; weight 1 for all."""

    named_tasks: list[str] = []

    def weigh(self, step):
        self.step, self.gram = step, step.gram
        return dict.fromkeys(step.tasks, 1.0)


def spied(level, **kwargs):
    nlp = make_nlp(OURS, THREE, encoder=ENCODER)
    trunk = nlp.get_pipe(TRUNK)
    trunk.balancer, trunk.level = Spy(), level
    update(nlp, make_examples(nlp), **kwargs)
    trunk.flush()
    return trunk.balancer


def test_the_balancer_sees_the_gram_matrix_of_hub_gradients():
    random = np.random.RandomState(0)
    outputs = random.normal(size=(7, 4)).astype("f")
    gradients = [random.normal(size=(7, 4)).astype("f") for _ in range(3)]
    rows = np.stack([(outputs.T @ gradient).ravel() for gradient in gradients])
    np.testing.assert_allclose(hub_gram(outputs, gradients), rows @ rows.T, rtol=1e-4)


def test_tasks_on_different_tokens_meet_at_the_hub():
    outputs = np.ones((2, 3), dtype="f")
    gradients = [np.array([[1, 0, 0], [0, 0, 0]], "f"), np.array([[0, 0, 0], [-1, 0, 0]], "f")]
    gram = hub_gram(outputs, gradients)
    assert gram[0, 1] == pytest.approx(-gram[0, 0])


def test_losses_are_means_over_annotated_units():
    once = spied("hub").step
    nlp = make_nlp(OURS, THREE, encoder=ENCODER)
    trunk = nlp.get_pipe(TRUNK)
    trunk.balancer = Spy()
    update(nlp, [*make_examples(nlp), *make_examples(nlp)])
    trunk.flush()
    for task in ("tagger", "textcat_multilabel"):
        assert trunk.balancer.step.losses[task] == pytest.approx(once.losses[task], rel=1e-4)
        assert once.losses[task] > 0.0


@pytest.mark.parametrize("drop", [0.0, 0.3])
def test_parameter_level_compares_exact_gradients(drop):
    def alone(task):
        nlp = make_nlp(OURS, THREE, encoder=ENCODER, balancer={"per_unit": False})
        nlp.get_pipe(TRUNK).balancer.weights = {name: float(name == task) for name in THREE}
        update(nlp, make_examples(nlp), drop=drop)
        return take_gradient(nlp)

    gram = spied("parameters", drop=drop).gram
    rows = np.stack([alone(task).astype("d") for task in THREE])
    np.testing.assert_allclose(gram, rows @ rows.T, rtol=2e-3, atol=1e-4 * gram.max())


@pytest.mark.parametrize("encoder", ["spacy.HashEmbedCNN.v2", ENCODER])
def test_parameter_level_gives_the_same_gradient_for_the_same_weights(encoder):
    def gradient_of(level):
        nlp = make_nlp(OURS, THREE, encoder=encoder)
        use(nlp, "Constant", weights={"ner": 0.3}).get_pipe(TRUNK).level = level
        update(nlp, make_examples(nlp), drop=0.2)
        update(nlp, make_examples(nlp), drop=0.2)  # accumulates
        return take_gradient(nlp)

    exact = gradient_of("parameters")
    np.testing.assert_allclose(gradient_of("hub"), exact, rtol=1e-3, atol=1e-4 * abs(exact).max())


def test_level_is_part_of_the_config():
    nlp = make_nlp(OURS, [], initialize=False)
    assert nlp.get_pipe_config(TRUNK)["level"] == "hub"
    assert nlp.get_pipe(TRUNK).level == "hub"


def test_gradients_held_before_are_kept_at_parameter_level():
    nlp = make("Uniform", level="parameters")
    trunk = nlp.get_pipe(TRUNK)
    update(nlp, make_examples(nlp))
    trunk.flush()
    before = [shim._model for node in trunk.model.walk() for shim in node.shims][0]
    held = [parameter.grad.clone() for parameter in before.parameters()]
    update(nlp, make_examples(nlp))
    step = trunk._step
    tasks = step.gather(trunk._annotated_units, trunk._loss_units)
    ParameterGradients.of_each_task(trunk.model, step, tasks)
    for parameter, gradient in zip(before.parameters(), held, strict=True):
        assert parameter.grad.numpy() == pytest.approx(gradient.numpy(), rel=1e-5)


METHODS = ["StaticWeights", "UPGrad", "UW", "GradNorm", "PCGrad", "FAMO", "AlignedMTL"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ner", ["ner", "mtl_ner"])
def test_a_head_without_annotation_leaves_the_others_gradients_alone(method, ner):
    """With the entity head last and no entities, gradients are those without that head."""
    if method == "UPGrad":
        pytest.importorskip("quadprog")

    def gradients(with_ner):
        others = ["tagger", "textcat_multilabel"]
        nlp = make_nlp(OURS, others, encoder=ENCODER, initialize=False)
        if with_ner and ner == "ner":
            nlp = make_nlp(OURS, [*others, "ner"], encoder=ENCODER, initialize=False)
        elif with_ner:
            nlp.add_pipe("mtl_ner", config={"model": {"tok2vec": {"width": 16}}})
        nlp.initialize(lambda: make_examples(nlp))
        settle_weights(nlp)
        use(nlp, method)
        found = []
        for _ in range(3):
            update(nlp, make_examples(nlp, keep=["cats", "tags"]))
            found += [take_gradient(nlp, name) for name in (TRUNK, *others)]
        return np.concatenate(found)

    np.testing.assert_allclose(gradients(True), gradients(False), rtol=0, atol=1e-6)


def trained(nlp, n_steps):
    sgd = nlp.create_optimizer()
    for _ in range(n_steps):
        train(nlp, make_examples(nlp), sgd)
    return nlp


@pytest.mark.parametrize("how", ["disk", "bytes", "pickle"])
@pytest.mark.parametrize("method", ["UW", "GradNorm", "GradVac", "FAMO"])
def test_what_a_balancer_learned_is_saved_with_the_pipeline(how, method, tmp_path):
    nlp = trained(make(method, normalize="norm"), 3)
    state = nlp.get_pipe(TRUNK).balancer.get_state()
    other = make(method, normalize="norm")
    trunk = other.get_pipe(TRUNK)
    if how == "disk":
        nlp.get_pipe(TRUNK).to_disk(tmp_path / "trunk")
        trunk.from_disk(tmp_path / "trunk")
    elif how == "bytes":
        trunk.from_bytes(nlp.get_pipe(TRUNK).to_bytes())
    else:
        trunk = pickle.loads(pickle.dumps(nlp)).get_pipe(TRUNK)
    assert trunk.balancer.get_state() == state
    assert len(str(state)) > 200  # something was learned


def test_a_pipeline_saved_without_balancer_state_still_loads():
    nlp, other = make("UW"), make("UW")
    trunk = nlp.get_pipe(TRUNK)
    data = super(type(trunk), trunk).to_bytes()  # as `Tok2Vec` saves it
    other.get_pipe(TRUNK).from_bytes(data)
    assert other.get_pipe(TRUNK).balancer.get_state()["parameters"] == {}


@pytest.mark.parametrize("level", ["hub", "parameters"])
def test_training_with_a_method_changes_the_trunk(level):
    nlp = make("PCGrad", level=level)
    before = parameters(nlp)
    trained(nlp, 2)
    assert np.isfinite(parameters(nlp)).all()
    assert not np.allclose(before, parameters(nlp))


def test_the_trunk_records_each_step():
    nlp = make("PCGrad", normalize="units")
    records = nlp.get_pipe(TRUNK).records
    update(nlp, make_examples(nlp))
    nlp.get_pipe(TRUNK).flush()
    record = records.last
    assert list(record.tasks) == THREE
    assert set(record.cosines) == {
        "tagger textcat_multilabel",
        "tagger ner",
        "textcat_multilabel ner",
    }
    assert all(-1.0 <= cosine <= 1.0 for cosine in record.cosines.values())
    for figures in record.tasks.values():
        assert figures.loss > 0.0 and figures.norm > 0.0 and figures.weight > 0.0
    assert records.drain() == [record] and records.drain() == []


def test_cosines_are_measured_only_where_somebody_wants_them():
    nlp = make_nlp(OURS, THREE)
    records = nlp.get_pipe(TRUNK).records
    for _ in range(3):
        train(nlp, make_examples(nlp), nlp.create_optimizer())
    assert [len(record.cosines) for record in records.drain()] == [0, 0, 0]
    records.cosines_every = 2
    for _ in range(4):
        train(nlp, make_examples(nlp), nlp.create_optimizer())
    assert sorted(len(record.cosines) for record in records.drain()) == [0, 0, 3, 3]


def test_records_do_not_grow_without_end():
    nlp = make_nlp(OURS, ["tagger"])
    records = nlp.get_pipe(TRUNK).records
    update(nlp, make_examples(nlp))
    nlp.get_pipe(TRUNK).flush()
    for _ in range(1100):
        records._records.append(records.last)
    assert len(records.drain()) == 1000
