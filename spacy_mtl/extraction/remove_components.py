"""Removing every trace of components from a pipeline that goes on without them."""

from collections.abc import Collection
from typing import Any

from spacy.language import Language
from spacy.vectors import Vectors
from thinc.api import Config, Model

from ..balancing.static import StaticWeights
from ..heads.score_names import own_weights
from ..training.task_scores import LOGGER
from ..trunk.component import MultiTaskTok2Vec
from ..util.settings import TARGET_SCORE

BALANCER = {"@misc": "spacy_mtl.StaticWeights.v1"}


def remove_components(nlp: Language, removed: Collection[str]) -> bool:
    """Remove components, with what balancers remember of them, their scores, and word vectors that
    no other component looks at.

    nlp (Language): The pipeline; it is changed.
    removed (Collection[str]): The components.
    RETURNS (bool): Whether word vectors were removed.
    """
    scores = scores_only_of(nlp, removed)
    performance = nlp.meta.get("performance", {})
    for name in [*scores, TARGET_SCORE, *(f"{component}_loss" for component in removed)]:
        performance.pop(name, None)
    had_readers = any(_reads_vectors(component) for _, component in nlp.components)
    for name in removed:
        nlp.remove_pipe(name)
    for _, component in nlp.components:
        if isinstance(component, MultiTaskTok2Vec):
            forget_tasks(component, removed)
    has_readers = any(_reads_vectors(component) for _, component in nlp.components)
    if not had_readers or has_readers or not len(nlp.vocab.vectors):
        return False
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings)
    return True


def forget_tasks(trunk: MultiTaskTok2Vec, removed: Collection[str]) -> None:
    """Remove tasks from what a trunk's balancer remembers. A balancer that can't do without one of
    them is replaced by static weights.

    trunk (MultiTaskTok2Vec): The trunk.
    removed (Collection[str]): The tasks.
    """
    if getattr(trunk.balancer, "main", None) in removed:
        trunk.balancer = StaticWeights()
        return
    state = trunk.balancer.get_state()
    pruned = {key: _without_names(value, removed) for key, value in state.items()}
    if pruned != state:
        trunk.balancer.set_state(pruned)


def forget_in_config(config: Config, removed: Collection[str], scores: Collection[str]) -> None:
    """Remove components from the settings of a config.

    config (Config): The config of the pipeline without them; it is changed.
    removed (Collection[str]): The components.
    scores (Collection[str]): Scores that nobody writes any more.
    """
    for component in config["components"].values():
        balancer = component.get("balancer", {})
        if balancer.get("main") in removed:
            component["balancer"] = dict(BALANCER)
        elif isinstance(balancer.get("weights"), dict):
            balancer["weights"] = _without_names(balancer["weights"], removed)
    training = config["training"]
    for setting in ("annotating_components", "frozen_components"):
        training[setting] = [name for name in training.get(setting, []) if name not in removed]
    weights = training.get("score_weights", {})
    for name in scores:
        weights.pop(name, None)
    if not any(weights.values()):
        training.pop("score_weights", None)
    if "logger" in training:
        training["logger"] = _logger_without(training["logger"], removed)
    components = config.get("initialize", {}).get("components", {})
    for name in removed:
        components.pop(name, None)


def scores_only_of(nlp: Language, removed: Collection[str]) -> list[str]:
    """List the scores that only some components write.

    nlp (Language): The pipeline with all components.
    removed (Collection[str]): The components.
    RETURNS (List[str]): The names of their scores.
    """
    kept = {
        score
        for name in nlp.component_names
        if name not in removed
        for score in own_weights(nlp, name)
    }
    own = {score for name in removed for score in own_weights(nlp, name)}
    return sorted(own - kept)


def _logger_without(logger: Any, removed: Collection[str]) -> Any:
    if not isinstance(logger, dict):
        return logger
    pruned = {key: _logger_without(value, removed) for key, value in logger.items()}
    if logger.get("@loggers") == LOGGER:
        for setting in ("scores", "target", "patience"):
            value = _without_names(pruned.get(setting), removed)
            is_gone = value in removed if isinstance(value, str) else value == {}
            pruned.pop(setting, None)
            if value is not None and not is_gone:
                pruned[setting] = value
    return pruned


def _without_names(value: Any, names: Collection[str]) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _without_names(own, names) for key, own in value.items() if key not in names}


def _reads_vectors(component: Any) -> bool:
    model = getattr(component, "model", None)
    return isinstance(model, Model) and any(
        node.name == "static_vectors" or node.attrs.get("static_vectors") for node in model.walk()
    )
