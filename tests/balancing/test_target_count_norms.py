"""Norms that go by the number of decisions, and where that number comes from."""

from dataclasses import replace

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Span
from spacy.training import Example

from tests.balancing.methods import TASKS, make_balancer, make_step, steps
from tests.trained import make_docs, without

few = settings(max_examples=10, deadline=None)


@given(step=steps(min_tasks=2), power=st.sampled_from([0.4, 0.5, 0.75, 1.0]))
@few
def test_norms_are_as_powers_of_the_numbers_of_decisions(step, power):
    weights = make_balancer("TargetCountNorms", power=power).weigh(step)
    norms = {task: weights[task] * np.linalg.norm(step.gradients[task]) for task in step.tasks}
    ratios = [norms[task] / step.decisions[task] ** power for task in step.tasks]
    assert ratios == pytest.approx([ratios[0]] * len(ratios))
    plain = sum(np.linalg.norm(step.gradients[task]) ** 2 for task in step.tasks)
    assert sum(norm**2 for norm in norms.values()) == pytest.approx(plain)


@given(step=steps(min_tasks=2), other=st.integers(0, 2**31))
@few
def test_with_right_angles_no_other_weights_are_fairer(step, other):
    """The product of the tasks' improvements, to their bargaining powers, is at its maximum."""
    numbers = np.array([step.decisions[task] for task in step.tasks])
    squares = step.gram.diagonal()

    def fairness(weights):
        gains = weights * squares / np.sqrt((weights**2 * squares).sum())
        return (numbers * np.log(gains)).sum() / numbers.sum()

    ours = np.array(list(make_balancer("TargetCountNorms", power=0.5).weigh(step).values()))
    random = np.random.RandomState(other)
    for _ in range(20):
        assert fairness(ours * np.exp(random.normal(0, 0.5, len(ours)))) <= fairness(ours) + 1e-9


def test_power_zero_makes_norms_equal_and_shares_multiply():
    step = make_step(TASKS[:2], [[1.0, 0.0], [0.0, 5.0]], [1.0, 1.0], decisions=[100.0, 4.0])
    equal = make_balancer("TargetCountNorms", power=0.0).weigh(step)
    assert equal["ner"] == pytest.approx(5 * equal["srl"])
    shared = make_balancer("TargetCountNorms", power=0.0, shares={"srl": 3.0}).weigh(step)
    assert 3 * shared["ner"] == pytest.approx(5 * shared["srl"])


@pytest.mark.parametrize(("share", "settings_"), [(0.5, {}), (0.25, {"auxiliary_share": 0.25})])
def test_auxiliary_tasks_get_a_share_of_their_norm(share, settings_):
    step = make_step(TASKS[:2], [[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0], decisions=[9.0, 9.0])
    weights = make_balancer("TargetCountNorms", **settings_).weigh(
        replace(step, auxiliary={TASKS[1]})
    )
    assert weights[TASKS[1]] == pytest.approx(share * weights[TASKS[0]])
    alone = make_step(["syntax"], [[3.0]], [1.0])
    weight = make_balancer("TargetCountNorms", **settings_).weigh(
        replace(alone, auxiliary={"syntax"})
    )
    assert weight["syntax"] == pytest.approx(1.0)


def test_a_share_of_zero_keeps_a_task_from_the_trunk():
    step = make_step(["ner"], [[1.0]], [1.0])
    assert make_balancer("TargetCountNorms", shares={"ner": 0.0}).weigh(step) == {"ner": 0.0}


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"power": 2.0}, "power is 2.0"),
        ({"shares": {"ner": -1.0}}, "share of 'ner' is -1.0"),
        ({"auxiliary_share": -0.1}, "auxiliary_share is -0.1"),
    ],
)
def test_bad_settings_are_named(settings_, message):
    with pytest.raises(Exception, match=message):
        make_balancer("TargetCountNorms", **settings_)


def test_the_number_is_a_running_mean_by_task():
    balancer = make_balancer("TargetCountNorms", power=0.5)
    rows = [[1.0, 0.0], [0.0, 1.0]]
    balancer.weigh(make_step(TASKS[:2], rows, [1.0, 1.0], decisions=[100.0, 100.0]))
    weights = balancer.weigh(make_step(TASKS[:2], rows, [1.0, 1.0], decisions=[300.0, 100.0]))
    expected = (0.99 * 100 + 300) / 1.99 / 100
    assert weights["ner"] / weights["srl"] == pytest.approx(expected**0.5)


class Watcher:
    """A balancer that keeps the last step."""

    named_tasks: list[str] = []

    def weigh(self, step):
        self.step = step
        return dict.fromkeys(step.tasks, 1.0)


def test_heads_count_tags_pairs_and_documents():
    nlp = spacy.blank("en")
    trunk = nlp.add_pipe("mtl_tok2vec", name="tok2vec")
    nlp.add_pipe("mtl_ner", name="ner")
    nlp.add_pipe("mtl_textcat", name="textcat", config={"exclusive": False})
    nlp.add_pipe("mtl_srl", name="srl")
    nlp.add_pipe("mtl_syntax", name="syntax")
    nlp.add_pipe("tagger", config={"model": {"tok2vec": _listener()}})
    docs = [make_docs(nlp.vocab)[i] for i in (0, 5, 9)]
    docs[1] = without(docs[1], "ents")
    docs[2] = without(docs[2], "cats")
    examples = [Example(doc.copy(), doc) for doc in docs]
    for example in examples:
        example.predicted.ents = []
    nlp.initialize(lambda: examples)
    watcher = Watcher()
    trunk.balancer = watcher
    for _ in range(3):  # the first gradients are zero, as the output layers are
        nlp.update(examples, sgd=nlp.create_optimizer())
    trunk.flush()
    assert watcher.step.auxiliary == {"syntax"}
    decisions = watcher.step.decisions
    n_words = sum(map(len, docs))
    assert decisions["ner"] == n_words - len(docs[1])
    assert decisions["textcat"] == 2 * 2
    assert decisions["tagger"] == n_words
    assert decisions["syntax"] == n_words  # not three times as many for three attributes
    assert decisions["srl"] > n_words + 2 * sum(map(len, docs)) / 4


def _listener():
    return {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"}


def test_a_head_without_a_trunk_of_this_package_counts_for_nobody():
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    nlp.add_pipe("mtl_ner", name="ner")
    doc = nlp.make_doc("Ann left")
    doc.ents = [Span(doc, 0, 1, "PERSON")]
    example = Example(nlp.make_doc("Ann left"), doc)
    nlp.initialize(lambda: [example])
    assert nlp.update([example])["ner"] > 0.0
