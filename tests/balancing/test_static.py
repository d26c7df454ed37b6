import math

import numpy as np
import pytest
from spacy.util import registry

from spacy_mtl.balancing.gradients import TaskGradients
from spacy_mtl.balancing.static import StaticWeights


def make_step(**units: int) -> TaskGradients:
    """A step with the tasks named, each with its number of annotated units."""
    return TaskGradients(
        gradients={task: np.ones((3, 2), dtype="f") for task in units},
        units=units,
        losses=dict.fromkeys(units, 1.0),
    )


def test_weight_by_default_is_one_per_annotated_unit():
    assert StaticWeights().weigh(make_step(ner=4, textcat=1)) == {"ner": 0.25, "textcat": 1.0}


def test_named_tasks_get_their_weight_and_the_others_the_default():
    balancer = StaticWeights({"ner": 3.0, "srl": 2.0}, default=0.5, per_unit=False)
    assert balancer.weigh(make_step(ner=4, textcat=8)) == {"ner": 3.0, "textcat": 0.5}
    assert balancer.named_tasks == ["ner", "srl"]


def test_weight_and_units_multiply():
    balancer = StaticWeights({"ner": 3.0}, default=0.5)
    assert balancer.weigh(make_step(ner=4, textcat=8)) == {"ner": 0.75, "textcat": 0.0625}


def test_only_present_tasks_get_a_weight():
    balancer = StaticWeights({"ner": 3.0, "srl": 2.0})
    assert list(balancer.weigh(make_step(textcat=1))) == ["textcat"]
    assert balancer.weigh(make_step()) == {}


@pytest.mark.parametrize("per_unit", [True, False])
def test_weights_depend_on_neither_gradients_nor_losses(per_unit):
    balancer = StaticWeights({"ner": 3.0}, per_unit=per_unit)
    step = make_step(ner=2, textcat=5)
    other = TaskGradients(
        {task: gradient * 100 for task, gradient in step.gradients.items()},
        step.units,
        {"ner": 7.0, "textcat": 9.0},
    )
    assert balancer.weigh(step) == balancer.weigh(other) == balancer.weigh(step)


def test_weight_of_zero_is_allowed():
    assert StaticWeights({"ner": 0.0}).weigh(make_step(ner=3)) == {"ner": 0.0}
    assert StaticWeights(default=0).weigh(make_step(ner=3)) == {"ner": 0.0}


@pytest.mark.parametrize("weight", [-0.1, math.nan, math.inf, -math.inf])
def test_weight_that_is_negative_or_not_finite_is_named(weight):
    with pytest.raises(ValueError, match=f"weight of 'ner' is {weight}"):
        StaticWeights({"textcat": 1.0, "ner": weight})
    with pytest.raises(ValueError, match=f"weight of 'default' is {weight}"):
        StaticWeights(default=weight)


def test_settings_are_copied():
    weights = {"ner": 1.0}
    balancer = StaticWeights(weights)
    weights["ner"] = 5.0
    assert balancer.weights == {"ner": 1.0}


def test_registered_name():
    assert registry.misc.get("spacy_mtl.StaticWeights.v1") is StaticWeights


def test_tasks_of_a_step_keep_their_order():
    assert make_step(srl=1, ner=1, textcat=1).tasks == ["srl", "ner", "textcat"]
