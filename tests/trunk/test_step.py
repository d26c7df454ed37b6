"""The contract of a training step: every gradient is passed back, and once."""

import numpy as np
import pytest
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Adam, fix_random_seed

from tests.trunk.pipelines import (
    HEADS,
    OURS,
    TRUNK,
    Recorder,
    count_backward,
    gradient_norm,
    make_example,
    make_examples,
    make_nlp,
    run_loop,
    take_gradient,
    update,
)

THREE = ["ner", "textcat_multilabel", "tagger"]


class Spy:
    """A balancer that keeps what it sees and weighs every task alike."""

    named_tasks: list[str] = []

    def __init__(self):
        self.steps = []

    def weigh(self, step):
        self.steps.append(step)
        return dict.fromkeys(step.tasks, 1.0)


def spy_on(nlp):
    nlp.get_pipe(TRUNK).balancer = spy = Spy()
    return spy


def gradient_of(nlp, examples):
    update(nlp, examples)
    return take_gradient(nlp)


@pytest.mark.parametrize("n_parts", [1, 2, 3])
def test_training_loop_passes_each_part_of_a_batch_back_once(n_parts):
    nlp = make_nlp(OURS, THREE)
    calls = count_backward(nlp)
    run_loop(nlp, accumulate_gradient=n_parts)
    n_docs = [len(make_examples(nlp))] if n_parts == 1 else [1] * 3
    assert calls == 2 * n_docs  # two steps


def test_training_loop_passes_back_when_only_some_parts_have_a_gradient():
    nlp = make_nlp(OURS, ["textcat_multilabel", "ner"])
    calls = count_backward(nlp)
    for example in make_examples(nlp):
        example.reference.cats = {}
        example.reference.set_ents([], default="missing")
        update(nlp, [example])
    update(nlp, make_examples(nlp, keep=["cats"])[:2])
    take_gradient(nlp)
    take_gradient(nlp)
    assert calls == [2]


def test_accumulated_gradient_is_the_sum_over_the_parts():
    nlp = make_nlp(OURS, THREE)
    examples = make_examples(nlp)
    expected = sum(gradient_of(nlp, [example]) for example in examples)
    for example in examples:
        update(nlp, [example])
    np.testing.assert_allclose(take_gradient(nlp), expected, rtol=1e-4, atol=1e-4)


def test_update_with_optimizer_passes_every_gradient_back_one_batch_later():
    nlp = make_nlp(OURS, THREE)
    batches = [[example] for example in make_examples(nlp)]
    expected = [gradient_of(nlp, batch) for batch in batches]
    trunk = nlp.get_pipe(TRUNK)
    calls = count_backward(nlp)
    arrived = []
    for batch in [*batches, batches[0]]:
        recorder = Recorder()
        fix_random_seed(0)
        nlp.update(batch, sgd=recorder)
        arrived.append(recorder.of(trunk))
    assert calls == [1, 1, 1]
    assert not arrived[0].any()
    for gradient, expected_gradient in zip(arrived[1:], expected, strict=True):
        np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-4, atol=1e-4)


def test_gradients_that_came_before_a_head_raised_are_passed_back_once(monkeypatch):
    nlp = make_nlp(OURS, THREE)
    examples = make_examples(nlp)
    update(nlp, examples[:1], exclude=["tagger"])
    without_tagger = take_gradient(nlp)
    expected = without_tagger + gradient_of(nlp, examples[1:])
    calls = count_backward(nlp)

    def fail(*args, **kwargs):
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(nlp.get_pipe("tagger"), "get_loss", fail)
        with pytest.raises(RuntimeError):
            update(nlp, examples[:1])
    np.testing.assert_allclose(gradient_of(nlp, examples[1:]), expected, rtol=1e-4, atol=1e-4)
    assert calls == [1, 2]


def test_batch_without_any_gradient_is_let_go():
    nlp = make_nlp(OURS, ["ner"])
    calls = count_backward(nlp)
    update(nlp, make_examples(nlp, keep=[]))
    assert gradient_norm(nlp) == 0.0
    update(nlp, make_examples(nlp))
    assert gradient_norm(nlp) > 0.0
    assert calls == [3]


def test_finish_update_twice_passes_back_once():
    nlp = make_nlp(OURS, THREE)
    calls = count_backward(nlp)
    assert gradient_norm(nlp) == 0.0
    update(nlp, make_examples(nlp))
    assert gradient_norm(nlp) > 0.0
    assert gradient_norm(nlp) == 0.0
    assert calls == [3]


def test_update_of_the_trunk_alone_with_an_optimizer_applies_what_is_pending():
    nlp = make_nlp(OURS, ["tagger"])
    examples = make_examples(nlp)
    trunk = nlp.get_pipe(TRUNK)
    update(nlp, examples)
    recorder = Recorder()
    losses = trunk.update(examples, sgd=recorder)
    assert np.linalg.norm(recorder.flat) > 0
    assert losses == {TRUNK: 0.0}


def test_balancer_sees_present_tasks_only():
    nlp = make_nlp(OURS, ["ner", "textcat_multilabel", "tagger", "morphologizer"])
    spy = spy_on(nlp)
    for keep in (["tags"], ["cats", "entities"], ["entities", "tags", "pos"], []):
        update(nlp, make_examples(nlp, keep=keep))
        take_gradient(nlp)
    assert [step.tasks for step in spy.steps] == [
        ["tagger"],
        ["ner", "textcat_multilabel"],
        ["ner", "tagger", "morphologizer"],
    ]


def test_balancer_sees_each_gradient_in_its_rows():
    nlp = make_nlp(OURS, ["tagger", "textcat_multilabel"])
    spy = spy_on(nlp)
    tagged, categorized, both = make_examples(nlp)
    tagged.reference.cats = {}
    for token in categorized.reference:
        token.tag_ = ""
    update(nlp, [tagged, categorized, both])
    take_gradient(nlp)
    (step,) = spy.steps
    rows = {task: gradient.any(axis=1).tolist() for task, gradient in step.gradients.items()}
    assert rows == {
        "tagger": [True] * 7 + [False] * 7 + [True] * 4,
        "textcat_multilabel": [False] * 7 + [True] * 7 + [True] * 4,
    }
    assert step.units == {"tagger": 11, "textcat_multilabel": 11}


def test_balancer_sees_the_losses_of_the_step_alone_per_unit():
    nlp = make_nlp(OURS, ["ner", "tagger"])
    spy = spy_on(nlp)
    losses = {"ner": 1000.0}
    totals = []
    for example in make_examples(nlp):
        nlp.update([example], sgd=False, losses=losses)
        totals.append(dict(losses))
    take_gradient(nlp)
    before = {"ner": 1000.0, "tagger": 0.0}
    for step, total in zip(spy.steps, totals, strict=True):
        for task in ("ner", "tagger"):
            added = total[task] - before[task]
            assert step.losses[task] * step.units[task] == pytest.approx(added, abs=1e-2)
        before = total


def test_loss_of_the_trunk_is_set_on_every_update():
    nlp = make_nlp(OURS, ["ner"])
    assert update(nlp, [Example(Doc(nlp.vocab), Doc(nlp.vocab))])[TRUNK] == 0.0
    assert update(nlp, make_examples(nlp, keep=[]))[TRUNK] == 0.0
    assert update(nlp, make_examples(nlp), exclude=["ner"])[TRUNK] == 0.0
    assert nlp.get_pipe(TRUNK).update(make_examples(nlp))[TRUNK] == 0.0


def test_loss_of_the_trunk_is_the_squared_norm_of_its_gradient():
    nlp = make_nlp(OURS, ["tagger"])
    spy = spy_on(nlp)
    losses = update(nlp, make_examples(nlp))
    assert losses[TRUNK] == 0.0
    take_gradient(nlp)
    assert losses[TRUNK] == pytest.approx(float((spy.steps[0].gradients["tagger"] ** 2).sum()))


def test_training_loop_reports_a_loss_for_every_component():
    nlp = make_nlp(OURS, HEADS)
    for _, info, _ in run_loop(nlp):
        assert set(info["losses"]) == {TRUNK, *HEADS}


def test_documents_of_one_batch_may_be_equal():
    nlp = make_nlp(OURS, ["tagger"])
    once = gradient_of(nlp, make_examples(nlp)[:1])
    same = [make_examples(nlp)[0] for _ in range(2)]
    np.testing.assert_allclose(gradient_of(nlp, same), 2 * once, rtol=1e-4, atol=1e-4)


def test_trunk_without_heads_trains_nothing_and_raises_nothing():
    nlp = make_nlp(OURS, [])
    nlp.update([make_example(nlp, ["a", "b"])], sgd=Adam(0.01))
    assert gradient_norm(nlp) == 0.0
