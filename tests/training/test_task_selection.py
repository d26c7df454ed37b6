"""The logger in training runs as `spacy train` makes them."""

import json

import numpy as np
import pytest
import spacy
from spacy.training.loop import train_while_improving

from spacy_mtl.training.hooks import UpdateUnfrozen, hook, unhook
from spacy_mtl.training.stopping import Stopper
from tests.training.training import HEADS, make_config, run, save_corpus
from tests.trunk.pipelines import (
    OURS,
    STOCK,
    TRUNK,
    make_examples,
    make_nlp,
    parameters,
    predict,
    take_gradient,
    update,
)

UNTIL_STOPPED = {"patience": 1000, "max_steps": 60}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return save_corpus(tmp_path_factory.mktemp("corpus") / "train.spacy")


@pytest.fixture(scope="module", params=["adapt", "freeze"])
def stopped(request, corpus, tmp_path_factory):
    """A run in which all tasks are stopped one after another."""
    output = tmp_path_factory.mktemp("stopped") / "output"
    logger = {
        "patience": 4,
        "on_stop": request.param,
        "logger": {"@loggers": "spacy_mtl.MultiTaskLogger.v1", "cosines_every": 0},
    }
    _, shown = run(make_config(corpus, logger, **UNTIL_STOPPED), output)
    return request.param, output, shown


def state_of(output):
    return json.loads((output / "selection.json").read_text())


def test_each_task_keeps_its_best_checkpoint(stopped, corpus):
    _, output, _ = stopped
    names = {"tagger": "tag_acc", "textcat_multilabel": "cats_score", "ner": "ents_f"}
    for task, own in state_of(output)["tasks"].items():
        nlp = spacy.load(output / f"best-{task}")
        scores = nlp.evaluate(list(spacy.training.Corpus(corpus)(nlp)))
        assert scores[names[task]] == pytest.approx(own["best"]), task
        assert nlp.meta["performance"][names[task]] == pytest.approx(own["best"])
    assert (output / "model-best").exists() and (output / "model-last").exists()


def test_the_training_ends_when_all_tasks_have_stopped(stopped):
    _, output, shown = stopped
    state = state_of(output)
    stops = [own["stopped"] for own in state["tasks"].values()]
    assert max(stops) == state["step"] < 60
    assert all(own["stopped"] - own["step"] >= 4 for own in state["tasks"].values())
    assert "All tasks have stopped" in shown


def test_a_stop_is_said_with_what_happens_to_the_head(stopped):
    on_stop, _, shown = stopped
    words = " ".join(shown.split())
    for task in HEADS:
        assert f"Task '{task}' is stopped: its best score" in words
        end = "is frozen." if on_stop == "freeze" else "goes on adapting to 'tok2vec'."
        assert f"'{task}' {end}" in words


def test_a_stopped_task_is_absent_for_the_balancer(stopped):
    _, output, shown = stopped
    rows = [line for line in shown.splitlines() if "loss x weight: " in line]
    first = min(own["stopped"] for own in state_of(output)["tasks"].values())
    task = next(t for t, own in state_of(output)["tasks"].items() if own["stopped"] == first)
    assert f" {task} " in rows[first // 2]  # the evaluation at which it is stopped
    assert not any(f" {task} " in row for row in rows[first // 2 + 1 :])


@pytest.mark.parametrize("on_stop", ["adapt", "freeze"])
@pytest.mark.parametrize("head", ["ner", "tagger"])
def test_a_stopped_task_sends_no_gradient_to_the_trunk(on_stop, head):
    others = [name for name in ("tagger", "ner", "textcat_multilabel") if name != head]
    nlp, without = make_nlp(OURS, [head, *others]), make_nlp(OURS, others)
    frozen = []
    Stopper(nlp, on_stop, frozen).stop(head)
    update(nlp, make_examples(nlp), exclude=frozen)
    update(without, make_examples(without))
    expected = take_gradient(without)
    assert np.linalg.norm(expected) > 0
    assert np.allclose(take_gradient(nlp), expected, atol=1e-6)
    assert bool(frozen) == (on_stop == "freeze")
    if on_stop == "adapt":
        assert np.linalg.norm(take_gradient(nlp, head)) > 0


def test_a_frozen_head_keeps_its_parameters_to_the_bit():
    nlp = make_nlp(OURS, ["ner", "tagger"])
    frozen: list[str] = []
    stopper = Stopper(nlp, "freeze", frozen)
    before = {}
    hook(nlp, update=UpdateUnfrozen(nlp, frozen))
    batches = [(0, make_examples(nlp))] * 6
    loop = train_while_improving(
        nlp, nlp.create_optimizer(), batches, lambda: (0.0, {}), dropout=0.0, eval_frequency=100,
        accumulate_gradient=1, patience=0, max_steps=5, exclude=[], annotating_components=[],
        before_update=None,
    )  # fmt: skip
    for step, _ in enumerate(loop):
        if step == 2:
            stopper.stop("ner")
            before = {name: parameters(nlp, name) for name in nlp.pipe_names}
    unhook(nlp)
    assert np.array_equal(parameters(nlp, "ner"), before["ner"])
    assert not np.array_equal(parameters(nlp, "tagger"), before["tagger"])
    assert not np.array_equal(parameters(nlp, TRUNK), before[TRUNK])
    assert "update" not in vars(nlp)


def test_a_component_with_its_own_encoder_is_frozen(corpus, tmp_path):
    logger = {"patience": {"tagger": 2}}
    config = make_config(corpus, logger, trunk=None, heads=["tagger", "ner"], max_steps=10)
    _, shown = run(config, tmp_path / "output")
    assert "'tagger' is frozen." in " ".join(shown.split())


def test_a_trunk_that_cannot_do_without_a_head_is_named(corpus):
    with pytest.raises(ValueError, match="patience would stop the task 'tagger', but its trunk"):
        run(make_config(corpus, {"patience": 5}, trunk=STOCK))
    run(make_config(corpus, {"patience": 0}, trunk=STOCK, max_steps=2))


def test_the_target_decides_which_model_is_best(corpus, tmp_path):
    weights = {"mtl_score": 1.0, "tag_acc": 0.0, "cats_score": 0.0, "ents_f": 0.0}
    weights |= {"pos_acc": None, "ents_p": None, "ents_r": None}
    logger = {"target": {"ner": 3.0, "tagger": 1.0}}
    config = make_config(corpus, logger, score_weights=weights)
    nlp, shown = run(config, tmp_path / "output")
    best = spacy.load(tmp_path / "output" / "model-best").meta["performance"]
    assert best["mtl_score"] == pytest.approx(0.75 * best["ents_f"] + 0.25 * best["tag_acc"])
    assert f"{100 * best['mtl_score']:.1f}*" in shown
    with pytest.raises(
        ValueError, match=r"\[training.score_weights\]. Set there:\nmtl_score = 1.0"
    ):
        run(make_config(corpus, logger))


def test_a_task_that_the_dev_set_lacks_is_left_out(corpus, tmp_path):
    dev = save_corpus(tmp_path / "dev.spacy", keep=["tags", "cats"])
    weights = {"mtl_score": 1.0, "tag_acc": 0.0, "cats_score": 0.0, "ents_f": 0.0, "pos_acc": 0.0}
    config = make_config(corpus, {"patience": 2}, dev=dev, score_weights=weights, max_steps=8)
    _, shown = run(config, tmp_path / "output")
    assert "no annotation for ner" in " ".join(shown.split())
    assert not (tmp_path / "output" / "best-ner").exists()
    last = spacy.load(tmp_path / "output" / "model-last").meta["performance"]
    assert last["mtl_score"] == pytest.approx((last["tag_acc"] + last["cats_score"]) / 2)
    assert "Task 'ner' is stopped" not in shown


def test_categories_that_the_dev_set_lacks_are_no_zero(corpus, tmp_path):
    dev = save_corpus(tmp_path / "dev.spacy", keep=["tags", "entities"])
    nlp, shown = run(make_config(corpus, {}, dev=dev, max_steps=4), tmp_path / "output")
    assert "textcat_multilabel" not in state_of(tmp_path / "output")["tasks"]
    assert "no annotation for textcat_multilabel" in " ".join(shown.split())


def test_a_run_goes_on_from_the_state_of_an_earlier_one(corpus, tmp_path):
    output = tmp_path / "output"
    run(make_config(corpus, {"patience": 4, "on_stop": "freeze"}, **UNTIL_STOPPED), output)
    before = state_of(output)
    logger = {"patience": 4, "resume": True, "end_when_stopped": False}
    config = make_config(corpus, logger, max_steps=2)
    _, shown = run(config, output)
    after = state_of(output)
    assert after["step"] == before["step"] + 2
    assert after["tasks"] == before["tasks"]
    assert shown.count("stopped before: ") == 3
    with pytest.raises(ValueError, match="resume is true, but .*selection.json' is missing"):
        run(config, tmp_path / "elsewhere")


def test_a_new_run_removes_the_checkpoints_of_an_earlier_one(corpus, tmp_path):
    old = tmp_path / "output" / "best-ner"
    old.mkdir(parents=True)
    (old / "old").touch()
    (tmp_path / "output" / "best-other").mkdir()
    run(make_config(corpus, {}, max_steps=1), tmp_path / "output")
    assert not (old / "old").exists() and (old / "config.cfg").exists()
    assert (tmp_path / "output" / "best-other").exists()


def test_nothing_is_left_on_the_pipeline_and_without_output_nothing_is_kept(corpus):
    nlp, shown = run(make_config(corpus, {"patience": 4}, max_steps=2))
    assert not {"evaluate", "update"} & set(vars(nlp))
    assert "no checkpoint is kept" in " ".join(shown.split())
    assert predict(nlp)


@pytest.mark.parametrize(
    ("logger", "message"),
    [
        ({"scores": {"nre": "ents_f"}}, r"\[training.logger\] scores names 'nre'.*tagger"),
        ({"patience": {"tok2vec": 5}}, r"\[training.logger\] patience names 'tok2vec'"),
        ({"target": "srl"}, r"\[training.logger\] target names 'srl'"),
        ({"patience": -1}, "patience is -1"),
        ({"scores": {"ner": "ents"}}, "'ents' is to decide about the task 'ner'"),
    ],
)
def test_wrong_settings_are_named(corpus, logger, message):
    with pytest.raises(ValueError, match=message):
        run(make_config(corpus, logger, max_steps=1))
