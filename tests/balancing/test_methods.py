"""What every balancing method promises."""

import json
import pickle

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.balancing.methods import (
    CONFIGS,
    DRAW_RANDOM_NUMBERS,
    SOLVERS,
    TASKS,
    make_balancer,
    make_step,
    part_of,
    steps,
)

METHODS = sorted(CONFIGS)
ORDERLESS = [method for method in METHODS if method not in DRAW_RANDOM_NUMBERS]
few = settings(max_examples=6)


@pytest.fixture(autouse=True)
def solver(request):
    params = getattr(request.node, "callspec", None)
    needed = SOLVERS.get(params.params.get("method", "")) if params else None
    if needed:
        pytest.importorskip(needed, reason=f"{needed} is not installed")


def weights_of(balancer, run):
    return [balancer.weigh(step) for step in run]


def assert_close(ours, theirs):
    assert ours.keys() == theirs.keys()
    for task in ours:
        assert ours[task] == pytest.approx(theirs[task], rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("method", ORDERLESS)
@given(run=st.lists(steps(), min_size=1, max_size=4), reverse=st.booleans())
@few
def test_permutation_of_tasks_permutes_weights(method, run, reverse):
    one, other = make_balancer(method), make_balancer(method)
    for step in run:
        tasks = step.tasks[::-1] if reverse else [*step.tasks[1:], step.tasks[0]]
        assert_close(other.weigh(part_of(step, tasks)), one.weigh(step))


@pytest.mark.parametrize("method", sorted(DRAW_RANDOM_NUMBERS - {"RandomWeights"}))
@given(step=steps(min_tasks=2, max_tasks=2))
@few
def test_permutation_of_two_tasks_permutes_weights(method, step):
    swapped = part_of(step, step.tasks[::-1])
    assert_close(make_balancer(method).weigh(swapped), make_balancer(method).weigh(step))


@pytest.mark.parametrize("method", sorted(DRAW_RANDOM_NUMBERS))
@given(run=st.lists(steps(), min_size=1, max_size=4))
@few
def test_same_seed_same_weights_and_no_other_random_number_changes(method, run):
    torch.manual_seed(5)
    first = weights_of(make_balancer(method), run)
    drawn = torch.rand(3)
    assert weights_of(make_balancer(method), run) == first
    torch.manual_seed(5)
    assert torch.equal(torch.rand(3), drawn)


@pytest.mark.parametrize("method", METHODS)
@given(step=steps(max_tasks=1))
@few
def test_a_task_alone_gets_the_weight_one(method, step):
    expected = {"DBMTL": 1.0 / step.losses["ner"], "Constant": 2.0, "STCH": 2.0}
    weight = make_balancer(method).weigh(step)["ner"]
    assert weight == pytest.approx(expected.get(method, 1.0), rel=2e-3)


@pytest.mark.parametrize("method", METHODS)
@given(
    run=st.lists(steps(min_tasks=3, max_tasks=3), min_size=2, max_size=4), absent=st.integers(0, 2)
)
@few
def test_a_task_that_was_never_there_changes_nothing(method, run, absent):
    """A step without a task is the step of a pipeline without that head."""
    tasks = [task for task in run[0].tasks if task != TASKS[absent]]
    ours = [part_of(step, tasks) for step in run]
    alone = make_balancer(method)
    assert weights_of(alone, ours) == weights_of(make_balancer(method), ours)
    assert TASKS[absent] not in json.dumps(alone.get_state())


@pytest.mark.parametrize("method", METHODS)
@given(before=steps(min_tasks=3, max_tasks=3), between=steps(min_tasks=3, max_tasks=3))
@few
def test_absence_leaves_the_memory_of_a_task_untouched(method, before, between):
    balancer = make_balancer(method, normalize="norm")
    balancer.weigh(before)
    remembered = memory_of(balancer, "textcat")
    balancer.weigh(part_of(between, ["ner", "srl"]))
    assert memory_of(balancer, "textcat") == remembered


def memory_of(balancer, task):
    """All parts of a balancer's state that are filed under a task."""

    def find(state):
        for key, value in state.items():
            if key == task:
                yield json.dumps(value, sort_keys=True)
            elif isinstance(value, dict):
                yield from find(value)

    return list(find(balancer.get_state()))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("normalize", ["none", "norm"])
@given(run=st.lists(steps(), min_size=3, max_size=6))
@settings(max_examples=3)
def test_state_survives_saving_and_loading(method, normalize, run):
    balancer = make_balancer(method, normalize=normalize)
    half = len(run) // 2
    weights_of(balancer, run[:half])
    loaded = make_balancer(method, normalize=normalize)
    loaded.set_state(json.loads(json.dumps(balancer.get_state())))
    pickled = pickle.loads(pickle.dumps(balancer))
    rest = weights_of(balancer, run[half:])
    assert weights_of(loaded, run[half:]) == rest
    assert weights_of(pickled, run[half:]) == rest
    assert loaded.get_state() == balancer.get_state()


def test_state_of_another_method_is_not_taken_up():
    balancer = make_balancer("UW")
    with pytest.warns(UserWarning, match="saved balancer is spacy_mtl.FAMO.v1, the configured one"):
        balancer.set_state(make_balancer("FAMO").get_state())
    assert balancer.get_state()["parameters"] == {}


@pytest.mark.parametrize("method", METHODS)
@given(step=steps(), scale=st.sampled_from([1e-5, 1e-3, 1e2]))
@few
def test_weights_are_finite_for_tiny_gradients_too(method, step, scale):
    rows = np.concatenate([step.gradients[task] for task in step.tasks]) * scale
    weights = make_balancer(method).weigh(make_step(step.tasks, rows, step.losses.values()))
    assert list(weights) == step.tasks
    assert np.isfinite(list(weights.values())).all()


SCALE_FREE = ["AlignedMTL", "CAGrad", "DualProj", "FairGrad", "GradVac", "IMTLG", "MGDA", "PCGrad"]


@pytest.mark.parametrize("method", [*SCALE_FREE, "UPGrad", "PriorityDescent"])
@given(step=steps())
@few
def test_weights_do_not_depend_on_the_size_of_all_gradients(method, step):
    rows = np.concatenate([step.gradients[task] for task in step.tasks])
    small = make_step(step.tasks, rows * 1e-4, step.losses.values())
    assert_close(make_balancer(method).weigh(small), make_balancer(method).weigh(step))


@pytest.mark.parametrize("method", ["PCGrad", "UPGrad", "DualProj", "GradVac"])
@given(step=steps())
@few
def test_without_conflict_gradients_are_summed(method, step):
    rows = np.abs(np.concatenate([step.gradients[task] for task in step.tasks]))
    weights = make_balancer(method).weigh(make_step(step.tasks, rows, step.losses.values()))
    assert_close(weights, dict.fromkeys(step.tasks, 1.0))


@pytest.mark.parametrize("method", ["UPGrad", "DualProj", "MGDA"])
@given(step=steps(min_tasks=2))
@settings(max_examples=20)
def test_the_step_opposes_no_task(method, step):
    weights = np.array(list(make_balancer(method).weigh(step).values()))
    gains = step.gram @ weights  # inner products of the step with each task's gradient
    tolerance = 1e-2 if method == "MGDA" else 1e-3  # MGDA iterates; the solvers regularise by 1e-4
    assert (gains >= -tolerance * np.trace(step.gram) * weights.max()).all()


@given(step=steps(min_tasks=2), tau=st.sampled_from([0.02, 0.3]))
@few
def test_priority_descent_keeps_the_norm_of_the_main_task_and_opposes_no_auxiliary(step, tau):
    weights = make_balancer("PriorityDescent", main="srl", tau=tau).weigh(step)
    vector = np.array([weights[task] for task in step.tasks])
    main = step.tasks.index("srl")
    assert vector @ step.gram @ vector == pytest.approx(step.gram[main, main], rel=1e-4)
    others = [i for i in range(len(vector)) if i != main]
    infeasible = weights["srl"] == pytest.approx(1.0) and not vector[others].any()
    assume(not infeasible)
    assert ((step.gram @ vector)[others] >= -1e-6).all()


def test_priority_descent_without_its_main_task_adds_up():
    step = make_step(["ner", "textcat"], [[1.0, 0.0], [-1.0, 1.0]], [1.0, 1.0])
    assert make_balancer("PriorityDescent").weigh(step) == {"ner": 1.0, "textcat": 1.0}
    assert make_balancer("PriorityDescent").named_tasks == ["srl"]


@pytest.mark.parametrize("method", ["UW", "IMTLL"])
def test_learned_weights_settle_where_weight_times_loss_is_one(method):
    balancer = make_balancer(method, learn_rate=0.05)
    step = make_step(["ner", "srl"], np.eye(2), [4.0, 0.5])
    for _ in range(300):
        weights = balancer.weigh(step)
    assert weights == pytest.approx({"ner": 0.25, "srl": 2.0}, rel=0.05)


def test_famo_gives_more_weight_to_the_task_whose_loss_stays():
    balancer = make_balancer("FAMO")
    for i in range(30):
        weights = balancer.weigh(make_step(["ner", "srl"], np.eye(2), [0.9**i, 1.0]))
    shares = {task: weights[task] * loss for task, loss in [("ner", 0.9**29), ("srl", 1.0)]}
    assert shares["srl"] > 1.5 * shares["ner"]


def test_dwa_compares_the_last_two_periods():
    balancer = make_balancer("DWA", period=2, temperature=2.0)
    losses = [(4.0, 2.0), (2.0, 2.0), (1.0, 2.0), (2.0, 2.0), (9.0, 9.0)]
    weights = [balancer.weigh(make_step(["ner", "srl"], np.eye(2), pair)) for pair in losses]
    assert weights[:4] == [{"ner": 1.0, "srl": 1.0}] * 4
    rates = np.exp(np.array([1.5 / 3.0, 2.0 / 2.0]) / 2.0)
    assert list(weights[4].values()) == pytest.approx((2 * rates / rates.sum()).tolist())


def test_gradnorm_brings_weighted_norms_together():
    balancer = make_balancer("GradNorm", alpha=0.0, learn_rate=0.02)
    step = make_step(["ner", "srl"], [[1.0, 0.0], [0.0, 3.0]], [1.0, 1.0])
    for _ in range(300):
        weights = balancer.weigh(step)
    assert weights["ner"] * 1.0 == pytest.approx(weights["srl"] * 3.0, rel=0.1)
    assert sum(weights.values()) == pytest.approx(2.0)


def test_gradnorm_gives_more_weight_to_the_task_that_learns_more_slowly():
    balancer = make_balancer("GradNorm", alpha=1.5)
    for i in range(50):
        weights = balancer.weigh(make_step(["ner", "srl"], np.eye(2), [0.95**i, 1.0]))
    assert weights["srl"] > 1.0 > weights["ner"]


@given(step=steps(min_tasks=2))
@few
def test_db_mtl_makes_norms_equal_to_the_largest_of_the_log_losses(step):
    weights = make_balancer("DBMTL", decay=0.0).weigh(step)
    norms = np.sqrt(step.gram.diagonal())
    log_norms = norms / np.array(list(step.losses.values()))
    weighted = norms * np.array([weights[task] for task in step.tasks])
    assert weighted == pytest.approx(np.full(len(norms), log_norms.max()))


@pytest.mark.parametrize("loss", [0.0, -1.0, float("nan")])
def test_a_task_without_a_loss_is_named_and_left_out(loss):
    balancer = make_balancer("GeometricMean")
    step = make_step(["ner", "srl", "tagger"], np.eye(3), [4.0, 1.0, loss])
    with pytest.warns(
        UserWarning, match="GeometricMean.v1 weighs by losses, but component 'tagger'"
    ):
        weights = balancer.weigh(step)
    assert weights == pytest.approx({"ner": 0.5, "srl": 2.0, "tagger": 1.0})


def test_a_gradient_that_is_not_finite_is_named():
    step = make_step(["ner", "srl"], [[1.0, 2.0], [np.nan, 1.0]], [1.0, 1.0])
    with pytest.raises(ValueError, match="component 'srl' sent to the trunk is not finite"):
        make_balancer("PCGrad").weigh(step)
