"""The comparison of balancing methods, and that of cosines, on a tiny corpus."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from spacy.util import registry

from benchmarks.multitask.agreement import (
    Comparison,
    GradientComparer,
    agreement_rows,
    compare_grams,
    draw_comparisons,
)
from benchmarks.multitask.corpus import SharedCorpus, read_corpus
from benchmarks.multitask.cost import AGAIN, measure_costs, median_ratio
from benchmarks.multitask.methods import ALONE, METHODS, PLAIN, choose_methods
from benchmarks.multitask.results import (
    Run,
    append_run,
    differences,
    mean_and_spread,
    read_runs,
    table_rows,
)
from benchmarks.multitask.training import HEADS, Budget, Laboratory
from tests.trained import make_docs, save

BUDGET = Budget(batch_words=60, width=16, depth=1, steps=4)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> SharedCorpus:
    docs = make_docs()
    for doc in docs:
        doc.cats = {"GOOD": doc.cats["GOOD"], "BAD": 1.0 - doc.cats["GOOD"]}
    path = save(docs, tmp_path_factory.mktemp("corpus") / "docs.spacy")
    return read_corpus(path, path)


@pytest.fixture(scope="module")
def laboratory(corpus) -> Laboratory:
    return Laboratory(corpus, BUDGET)


def make_run(method: str, seed: int, **scores: float) -> Run:
    return Run(method, seed, "b", scores, cpu_seconds=2.0, wall_seconds=3.0, words=1000)


def test_every_registered_balancer_is_compared():
    functions = registry.misc.get_all()
    registered = {
        name.split(".")[1]
        for name, function in functions.items()
        if name.startswith("spacy_mtl.") and "balancing" in function.__module__
    }
    assert len(registered) > 20
    compared = {method.balancer for method in METHODS.values()}
    assert registered - compared <= {"Constant"}  # the same as StaticWeights


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_method_trains_and_moves_the_trunk(laboratory, method):
    nlp = laboratory.build(method.heads, method.block(0), 0)
    trunk = nlp.get_pipe("tok2vec")
    before = trunk.model.to_bytes()
    outcome = laboratory.run(nlp)
    assert trunk.model.to_bytes() != before
    assert outcome.words > 0
    assert set(outcome.scores) >= {"entities"} or "ner" not in method.heads
    assert 0 < len(trunk.records.drain()) <= BUDGET.steps


def test_the_same_seed_gives_the_same_scores(corpus):
    outcomes = []
    for _ in range(2):
        laboratory = Laboratory(corpus, BUDGET)
        outcomes.append(laboratory.run(laboratory.build(HEADS, METHODS[PLAIN].block(3), 3)))
    assert outcomes[0].scores == outcomes[1].scores


def test_runs_after_the_first_are_as_if_they_were_the_first(corpus):
    used = Laboratory(corpus, BUDGET)
    for _ in range(2):
        nlp = used.build(HEADS, METHODS[PLAIN].block(0), 0)
        for _ in used.train(nlp):
            pass
    fresh = Laboratory(corpus, BUDGET)
    other = fresh.build(HEADS, METHODS[PLAIN].block(0), 0)
    for _ in fresh.train(other):
        pass
    for name, component in nlp.pipeline:
        assert component.model.to_bytes() == other.get_pipe(name).model.to_bytes()


def test_unknown_methods_are_named():
    with pytest.raises(ValueError, match="no method UpGrad.*UPGrad"):
        choose_methods("UpGrad")
    assert [method.name for method in choose_methods("UW; MGDA")] == ["UW", "MGDA"]


def test_runs_survive_a_line_that_was_cut_off(tmp_path):
    path = tmp_path / "new" / "runs.jsonl"
    runs = [make_run(PLAIN, seed, entities=50.0) for seed in (0, 1)]
    append_run(path, runs[0])
    with path.open("a") as file:
        file.write('{"method": "UW", "se')
    assert read_runs(path) == runs[:1]
    append_run(path, runs[1])
    assert read_runs(path) == runs
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_single_task_runs_are_one_row():
    runs = [
        make_run(f"{ALONE}ner", 0, entities=50.0),
        make_run(f"{ALONE}srl", 0, arguments=40.0),
        make_run(f"{ALONE}ner", 1, entities=52.0),
        make_run(PLAIN, 0, entities=48.0, arguments=41.0),
    ]
    alone, plain = table_rows(runs)
    assert alone[:4] == ("alone", "2", "51.0 ± 1.4", "40.0")
    assert plain == (PLAIN, "1", "48.0", "41.0", "", "", "", "500")
    assert mean_and_spread([1.0]) == "1.0"


def test_differences_take_only_methods_with_all_seeds():
    runs = [
        *(make_run(f"{ALONE}ner", seed, entities=50.0 + seed) for seed in (0, 1)),
        *(make_run(PLAIN, seed, entities=49.0 + 3 * seed) for seed in (0, 1)),
        make_run("UW", 0, entities=60.0),
        *(make_run("roles with syntax", seed, arguments=40.0) for seed in (0, 1)),
    ]
    expected = {PLAIN: {"entities": pytest.approx(0.0)}, "roles with syntax": {}}
    assert differences(runs, [0, 1]) == expected
    assert differences(runs, [0])["UW"] == {"entities": 10.0}


def test_costs_are_against_the_plain_sum_on_the_same_batch(laboratory):
    costs = measure_costs(laboratory, [METHODS["UPGrad"]], rounds=2, warm_up=1)
    assert [cost.method for cost in costs] == [PLAIN, AGAIN, "UPGrad"]
    assert costs[0].percent == 0.0
    assert all(cost.words_per_second > 0.0 for cost in costs)
    assert median_ratio([2.0, 9.0, 3.0], [1.0, 3.0, 3.0]) == 2.0


def test_comparing_both_levels_leaves_training_as_it_is(laboratory):
    block = METHODS[PLAIN].block(0)
    plain = laboratory.build(HEADS, block, 0)
    for _ in laboratory.train(plain):
        pass
    watched = laboratory.build(HEADS, block, 0)
    comparer = GradientComparer(watched.get_pipe("tok2vec"), every=2)
    for _ in laboratory.train(watched):
        pass
    steps = [found.step for found in comparer.comparisons]
    assert set(steps) == {2}  # no gradients but of roles in the first
    assert {found.tasks for found in comparer.comparisons} == {
        "ner textcat",
        "ner srl",
        "textcat srl",
    }
    for one, other in zip(
        _parameters(plain.get_pipe("tok2vec")),
        _parameters(watched.get_pipe("tok2vec")),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def _parameters(trunk):
    for node in trunk.model.walk():
        for shim in node.shims:
            for parameter in shim._model.parameters():
                yield parameter.detach().numpy()


def test_cosines_are_those_of_the_grams():
    rows = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    hub, exact = rows @ rows.T, (2 * rows[:, ::-1] - rows) @ (2 * rows[:, ::-1] - rows).T
    (found,) = compare_grams(5, ["a", "b", "c"], hub, exact)
    assert (found.step, found.tasks) == (5, "a b")
    assert found.hub == pytest.approx(math.sqrt(0.5))
    assert found.hub_ratio == pytest.approx(math.sqrt(0.5))
    assert found.exact == pytest.approx(1 / math.sqrt(10))


def test_agreement_counts_signs_and_correlates(tmp_path: Path):
    values = [(0.1, 0.2), (0.2, 0.4), (-0.1, -0.2), (0.3, -0.1)]
    found = [
        Comparison(step, tasks, hub, exact, 2.0, 3.0)
        for tasks in ("a b", "a c")
        for step, (hub, exact) in enumerate(values[: 4 if tasks == "a b" else 3])
    ]
    first, second, both = agreement_rows(found)
    assert first[:2] == ("a b", "4") and first[4] == "75 %" and first[-2:] == ("2.00", "3.00")
    assert second[2:5] == ("1.00", "1.00", "100 %")
    assert both[:2] == ("all pairs", "7")
    pytest.importorskip("matplotlib")
    draw_comparisons(found, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000
