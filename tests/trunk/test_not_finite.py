"""Training stops before anything that is not finite reaches a balancer or a parameter."""

import math
from typing import Any

import numpy as np
import pytest
import spacy
from spacy.util import registry

from spacy_mtl.trunk.step import squared_norm
from spacy_mtl.util.finite import DivergedError, find_training_run
from tests.training.training import make_config, run, save_corpus
from tests.trunk.pipelines import OURS, TRUNK, WIDTH, make_examples, make_nlp

STOCK_HEADS = ["ner", "parser", "textcat", "textcat_multilabel", "spancat"]


def fill(component: Any, value: float) -> None:
    """Give all parameters of a component's own layers a value."""
    for node in component.model.walk():
        for name in node.param_names:
            if node.has_param(name):
                node.set_param(name, np.full_like(node.get_param(name), value))
        for shim in node.shims:
            for parameter in shim._model.parameters():
                parameter.data.fill_(value)


def parameters(nlp: Any) -> np.ndarray:
    component = nlp.get_pipe(TRUNK)
    return np.concatenate(
        [
            np.ravel(node.get_param(name)).copy()
            for node in component.model.walk()
            for name in node.param_names
            if node.has_param(name)
        ]
    )


class BadBalancer:
    """Finds no weights."""

    named_tasks: list[str] = []

    def __init__(self, value: float) -> None:
        self.value = value
        self.seen: list[Any] = []

    def weigh(self, step: Any) -> dict[str, float]:
        self.seen.append(step)
        return dict.fromkeys(step.tasks, self.value)

    def get_state(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize("head", STOCK_HEADS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_stock_head_whose_gradient_is_not_finite_is_named(head):
    nlp = make_nlp(OURS, [head])
    optimizer = nlp.resume_training()
    fill(nlp.get_pipe(head), math.nan)
    before = parameters(nlp)
    losses: dict[str, float] = {}
    with pytest.raises(DivergedError, match=f"Component '{head}', update 1: the gradient that it"):
        nlp.update(make_examples(nlp), sgd=False, losses=losses)
    assert all(map(math.isfinite, losses.values()))
    nlp.get_pipe(TRUNK).finish_update(optimizer)  # what the head sent is forgotten
    np.testing.assert_array_equal(parameters(nlp), before)


@pytest.mark.parametrize("level", ["hub", "parameters"])
@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30])
def test_balancer_whose_weights_are_not_finite_is_named(level, value):
    nlp = make_nlp(OURS, ["tagger"])
    trunk = nlp.get_pipe(TRUNK)
    trunk.balancer, trunk.level = BadBalancer(value), level
    optimizer = nlp.resume_training()
    before = parameters(nlp)
    nlp.update(make_examples(nlp), sgd=False)
    with pytest.raises(DivergedError, match=f"'{TRUNK}', update 1: its gradient, with BadBalancer"):
        trunk.finish_update(optimizer)
    np.testing.assert_array_equal(parameters(nlp), before)
    trunk.finish_update(optimizer)
    assert np.isfinite(parameters(nlp)).all()


def test_loss_that_is_not_finite_reaches_no_balancer():
    nlp = make_nlp(OURS, ["tagger"])
    trunk = nlp.get_pipe(TRUNK)
    trunk.balancer = BadBalancer(1.0)
    losses: dict[str, float] = {}
    nlp.update(make_examples(nlp), sgd=False, losses=losses)
    losses["tagger"] = math.nan
    with pytest.raises(DivergedError, match="'tagger', update 1: its loss is nan"):
        trunk.flush()
    assert trunk.balancer.seen == []
    assert losses[TRUNK] == 0.0


def test_norm_shows_what_is_not_finite():
    gradient = np.ones((3, 4), dtype="f")
    assert squared_norm(gradient) == 12.0
    for value in (np.nan, np.inf, -np.inf):
        gradient[1, 2] = value
        assert not math.isfinite(squared_norm(gradient))


# In `spacy train`


@registry.callbacks("test_poison")
def make_poison(component: str, step: int) -> Any:
    """Before a training step, give a component parameters that are NaN."""

    def poison(nlp: Any, info: dict[str, Any]) -> None:
        if info["step"] == step:
            fill(nlp.get_pipe(component), math.nan)

    return poison


def config_of(tmp_path: Any, component: str, step: int = 5) -> Any:
    corpus = save_corpus(tmp_path / "train.spacy")
    poison = {"@callbacks": "test_poison", "component": component, "step": step}
    config = make_config(corpus, {}, heads=["ner"], before_update=poison)
    config["components"]["mtl_ner"] = {"factory": "mtl_ner", "model": {"tok2vec": {"width": WIDTH}}}
    config["nlp"]["pipeline"].append("mtl_ner")
    return config


@pytest.mark.parametrize(
    "component, found", [("mtl_ner", "its loss is nan"), ("ner", "the gradient that it sent")]
)
def test_error_names_step_and_checkpoints(component, found, tmp_path):
    output = tmp_path / "output"
    with pytest.raises(DivergedError) as caught:
        run(config_of(tmp_path, component), output)
    message = str(caught.value)
    assert f"Component '{component}', training step 5: {found}" in message
    assert f"'{output / 'model-last'}' has the parameters from before this step" in message
    assert f"'{output / 'model-best'}' those of step " in message
    for folder in ("model-last", "model-best"):
        nlp = spacy.load(output / folder, exclude=[component])  # it was given NaN by the test
        assert np.isfinite(nlp("Ada likes London .").tensor).all()


@pytest.mark.parametrize("step, has_output", [(5, False), (0, True)])
def test_error_names_no_checkpoint_where_there_is_none(step, has_output, tmp_path):
    config = config_of(tmp_path, "mtl_ner", step)
    with pytest.raises(DivergedError, match=f"'mtl_ner', training step {step}") as caught:
        run(config, tmp_path / "output" if has_output else None)
    assert "model-" not in str(caught.value)


def test_there_is_no_training_run_outside_of_one():
    assert find_training_run() is None
