"""Scores of several heads that would have the same names."""

import pytest
import spacy
from spacy.tokens import Span

from spacy_mtl.cli.evaluate import average_score
from spacy_mtl.extraction.remove_components import scores_only_of
from spacy_mtl.heads.score_names import own_weights
from spacy_mtl.training.task_scores import find_task_scores
from tests.heads.pipelines import ENCODER, make_examples, make_nlp, reloaded, train

MOOD = [("I love it", {"cats": {"good": 1.0, "bad": 0.0}}), ("I hate it", {"cats": {"bad": 1.0}})]
TOPIC = [
    ("the team won", {"cats": {"sport": 1.0, "politics": 0.0}}),
    ("the minister", {"cats": {"politics": 1.0, "sport": 0.0}}),
]
LABELS = {"mood": ["bad", "good"], "topic": ["politics", "sport"]}


def two_classifiers(**weights):
    nlp = make_nlp(
        ("mtl_textcat", "mood", {}), ("mtl_textcat", "topic", {}), ("mtl_ner", "ner", {})
    )
    for name, labels in LABELS.items():
        nlp.config["initialize"]["components"][name] = {"labels": labels}
    nlp.config["training"]["score_weights"].update(weights)
    return nlp


def data(nlp):
    return make_examples(nlp, [*MOOD, *TOPIC, ("Ann", {"entities": [(0, 3, "PER")]})])


@pytest.fixture(scope="module")
def trained():
    nlp = two_classifiers()
    train(nlp, data(nlp), steps=60)
    return nlp


def weights_of(nlp):
    return {name: w for name, w in nlp.config["training"]["score_weights"].items() if w}


def test_each_head_is_scored_under_its_own_name(trained, tmp_path):
    worse = [("I love it", {"cats": {"bad": 1.0}}), *TOPIC]
    for nlp in [trained, *reloaded(trained, tmp_path)]:
        assert nlp.evaluate(data(nlp))["mood_cats_score"] == 1.0
        scores = nlp.evaluate(make_examples(nlp, worse))
        assert scores["mood_cats_score"] == 0.0 and scores["topic_cats_score"] == 1.0
        assert scores["mood_cats_score_desc"] == "macro F"
        assert "cats_score" not in scores
        assert set(scores["mood_cats_f_per_type"]) == set(LABELS["mood"])


def test_weights_follow_the_names(trained):
    weights = {"mood_cats_score": 0.25, "topic_cats_score": 0.25, "ents_f": 0.5}
    assert weights_of(trained) == weights
    components = trained.evaluate(data(trained), per_component=True)
    components.pop("speed")
    assert average_score(trained, components) == pytest.approx(1.0)
    tasks = find_task_scores(trained).of_tasks(components)
    assert tasks["mood"] == components["mood"]["mood_cats_score"]
    assert scores_only_of(trained, ["topic"]) == sorted(own_weights(trained, "topic"))


def test_weights_that_are_set_stay_as_they_are():
    nlp = two_classifiers(mood_cats_score=0.6, ents_f=0.4)
    nlp.initialize(lambda: data(nlp))
    weights = weights_of(nlp)
    assert weights["mood_cats_score"] / weights["ents_f"] == pytest.approx(1.5, abs=0.1)
    assert "cats_score" not in weights


def test_a_head_alone_keeps_the_names_of_spacy():
    nlp = make_nlp("mtl_textcat", "mtl_ner")
    before = dict(nlp.config["training"]["score_weights"])
    nlp.initialize(lambda: make_examples(nlp, [*MOOD, ("Ann", {"entities": [(0, 3, "PER")]})]))
    assert nlp.config["training"]["score_weights"] == before
    assert nlp.evaluate(make_examples(nlp, MOOD))["cats_score"] is not None


def test_a_head_beside_a_trained_one_is_named_apart_and_the_other_keeps_its_name():
    old = make_nlp(("mtl_textcat", "mood", {}), trunk=None)
    train(old, make_examples(old, MOOD))
    nlp = make_nlp(("mtl_textcat", "topic", {}), trunk=None)
    nlp.add_pipe("mood", source=old)
    with nlp.select_pipes(disable=["mood"]):  # as for a component that is sourced and goes on
        nlp.initialize(lambda: make_examples(nlp, TOPIC))
    scores = nlp.evaluate(make_examples(nlp, [*MOOD, *TOPIC]))
    assert scores["cats_micro_r"] == 1.0  # of the two documents for it
    assert scores["topic_cats_score"] is not None
    assert set(weights_of(nlp)) == {"cats_score", "topic_cats_score"}


def test_a_head_beside_one_of_spacy_is_named_apart():
    nlp = make_nlp(("mtl_textcat", "mood", {}), trunk=None)
    model = {"@architectures": "spacy.TextCatReduce.v1", "tok2vec": ENCODER}
    model |= {"exclusive_classes": True, "use_reduce_mean": True, "use_reduce_max": False}
    model |= {"use_reduce_first": False, "use_reduce_last": False}
    nlp.add_pipe("textcat", config={"model": model})
    nlp.config["initialize"]["components"]["mood"] = {"labels": LABELS["mood"]}
    nlp.config["initialize"]["components"]["textcat"] = {"labels": LABELS["topic"]}
    nlp.initialize(lambda: make_examples(nlp, [*MOOD, *TOPIC]))
    scores = nlp.evaluate(make_examples(nlp, [*MOOD, *TOPIC]))
    assert set(scores["cats_f_per_type"]) == set(LABELS["topic"])
    assert set(scores["mood_cats_f_per_type"]) == set(LABELS["mood"])


def test_entity_heads_are_scored_on_their_own_labels():
    nlp = make_nlp(("mtl_ner", "people", {}), ("mtl_ner", "places", {}))
    for name, label in {"people": "PER", "places": "LOC"}.items():
        nlp.config["initialize"]["components"][name] = {"labels": [label]}
    gold = [("Ann left Rome", {"entities": [(0, 3, "PER"), (9, 13, "LOC")]})]
    nlp.initialize(lambda: make_examples(nlp, gold))
    odd = [("Ann left Rome May", {"entities": [(0, 3, "PER"), (9, 13, "LOC"), (14, 17, "DATE")]})]
    for data, recall in ((gold, {"people": 1.0, "places": 0.0}), (odd, {"people": 0.5})):
        examples = make_examples(nlp, data)
        for example in examples:
            example.predicted.ents = [Span(example.predicted, 0, 1, "PER")]
        for name, expected in recall.items():
            scores = nlp.get_pipe(name).score(examples)
            assert scores[f"{name}_ents_r"] == expected, (name, data)
    assert examples[0].reference.ents[-1].label_ == "DATE"  # untouched


@pytest.mark.parametrize(
    ("factory", "first", "second", "score"),
    [
        ("mtl_regression", {"targets": ["stars"]}, {"targets": ["age"]}, "regression_mae"),
        ("mtl_syntax", {"attributes": ["TAG"]}, {"attributes": ["DEP"]}, "syntax_acc"),
    ],
)
def test_other_heads_are_named_apart(factory, first, second, score):
    nlp = make_nlp((factory, "one", first), (factory, "two", second))
    annotation = {"cats": {"stars": 4.0, "age": 30.0}, "tags": ["N", "V"]}
    annotation |= {"heads": [1, 1], "deps": ["nsubj", "ROOT"]}
    examples = make_examples(nlp, [("Ann walks", annotation)])
    nlp.initialize(lambda: examples)
    scores = nlp.evaluate(examples)
    assert scores[f"one_{score}"] is not None and scores[f"two_{score}"] is not None
    assert score not in scores


def test_weights_of_semantic_roles_follow_the_span_group():
    nlp = spacy.blank("en")
    model = {"tok2vec": ENCODER}
    nlp.add_pipe("mtl_srl", name="verbs", config={"model": model})
    nlp.add_pipe("mtl_srl", name="nouns", config={"model": model, "spans_key": "nouns"})
    assert "nouns_arguments_f" in own_weights(nlp, "nouns")
    assert find_task_scores(nlp).weights["nouns"] == {"nouns_arguments_f": 1.0}
