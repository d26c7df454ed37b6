"""Which scores decide about a task, and their average over tasks."""

import math
from collections.abc import Mapping
from typing import Any

from spacy import ty
from spacy.language import Language

from ..heads.score_names import own_weights

LOGGER = "spacy_mtl.TaskSelection.v1"


class TaskScores:
    """One number for each task, higher is better, and one for all of them.

    A score that the data has no annotation for is left out, and the weights of the others are
    scaled up in its place; it never counts as zero.
    """

    def __init__(
        self,
        weights: Mapping[str, Mapping[str, float]],
        target: Mapping[str, float] | None = None,
    ) -> None:
        """Set the weights.

        weights (Mapping[str, Mapping[str, float]]): By task, the weights of its component's scores.
            Negative for scores of which less is better.
        target (Optional[Mapping[str, float]]): The weights of the tasks; equal ones where None.
        """
        self.weights = {task: dict(scores) for task, scores in weights.items()}
        self.target = dict(target) if target is not None else dict.fromkeys(self.weights, 1.0)

    def of_tasks(self, by_component: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
        """Find the score of each task.

        by_component (Mapping[str, Mapping[str, Any]]): By component, its scores by name.
        RETURNS (Dict[str, Optional[float]]): By task; None without annotation.
        RAISES (ValueError): If a component does not have a score that decides about its task.
        """
        for task, weights in self.weights.items():
            _check_known(task, weights, by_component.get(task, {}))
        return {
            task: average_present(by_component[task], weights)
            for task, weights in self.weights.items()
        }

    def of_all(self, tasks: Mapping[str, float | None]) -> float:
        """Average the tasks' scores.

        tasks (Mapping[str, Optional[float]]): What `of_tasks` found.
        RETURNS (float): The average by `target`.
        RAISES (ValueError): If none of the tasks that it names has a score.
        """
        score = average_present(tasks, self.target)
        if score is None:
            raise ValueError(
                "The dev set ([training] dev_corpus) has no annotation for any task that decides "
                f"which model is best: {', '.join(self.target)}. Give it annotated documents, or "
                "name other tasks in [training.logger] target."
            )
        return score


def average_present(scores: Mapping[str, Any], weights: Mapping[str, float]) -> float | None:
    """Average those scores that are there.

    scores (Mapping[str, Any]): By name; None and NaN are absent, as is a name that is missing.
    weights (Mapping[str, float]): By name. Those of absent scores are given to the others, in
        proportion.
    RETURNS (Optional[float]): The average; None if all are absent, or have no weight.
    """
    present = {
        name: weight
        for name, weight in weights.items()
        if weight and scores.get(name) is not None and not math.isnan(scores[name])
    }
    total = sum(map(abs, present.values()))
    if not total:
        return None
    return sum(weight * float(scores[name]) for name, weight in present.items()) / total


def find_task_scores(
    nlp: Language,
    scores: Mapping[str, str | Mapping[str, float]] | None = None,
    target: str | Mapping[str, float] | None = None,
) -> TaskScores:
    """Find out which scores decide, from the settings and the components' own score weights.

    nlp (Language): The pipeline.
    scores (Optional[Mapping]): By component, the name of its score, or weights of several. For
        other components the `default_score_weights` of their factories hold, under the names that
        the components write.
    target (Optional[Union[str, Mapping[str, float]]]): The task that decides which model is the
        best, or the weights of several; all alike where None.
    RETURNS (TaskScores): The weights.
    RAISES (ValueError): If a setting names a component that is no task of the pipeline.
    """
    named = scores or {}
    weights: dict[str, dict[str, float]] = {}
    for name in find_tasks(nlp):
        chosen = named.get(name, own_weights(nlp, name))
        own: Mapping[str, float | None] = {chosen: 1.0} if isinstance(chosen, str) else chosen
        used = {score: float(weight) for score, weight in own.items() if weight}
        if used:
            weights[name] = used
    check_tasks("scores", named, find_tasks(nlp))
    targets = {target: 1.0} if isinstance(target, str) else target
    check_tasks("target", targets or {}, list(weights))
    return TaskScores(weights, targets)


def configured_task_scores(nlp: Language) -> TaskScores:
    """Find the scores that decided when a pipeline was trained.

    nlp (Language): The pipeline.
    RETURNS (TaskScores): By the settings of `spacy_mtl.TaskSelection.v1` in its config; by default
        settings if there is none.
    """
    block = _find_block(nlp.config["training"].get("logger"), LOGGER) or {}
    return find_task_scores(nlp, block.get("scores"), block.get("target"))


def score_weights(nlp: Language) -> dict[str, float | None]:
    """RETURNS (Dict[str, Optional[float]]): A pipeline's `[training.score_weights]`."""
    return dict(nlp.config["training"]["score_weights"])


def find_tasks(nlp: Language) -> list[str]:
    """List the tasks of a pipeline.

    nlp (Language): The pipeline.
    RETURNS (List[str]): Its trainable components but for trunks.
    """
    return [
        name
        for name, component in nlp.pipeline
        if isinstance(component, ty.TrainableComponent)
        and component.is_trainable
        and not isinstance(component, ty.ListenedToComponent)
    ]


def check_tasks(setting: str, named: Mapping[str, Any], tasks: list[str]) -> None:
    """Make sure that a setting names only tasks.

    setting (str): Its name.
    named (Mapping[str, Any]): By task.
    tasks (List[str]): The tasks that there are.
    RAISES (ValueError): If there is another name.
    """
    for name in named:
        if name not in tasks:
            raise ValueError(
                f"[training.logger] {setting} names '{name}', but the tasks that are trained and "
                f"scored are: {', '.join(tasks) or 'none'}. Correct or remove the name."
            )


def _check_known(task: str, weights: Mapping[str, float], scores: Mapping[str, Any]) -> None:
    numbers = [name for name, value in scores.items() if not isinstance(value, dict | str)]
    for name in weights:
        if name not in numbers:
            raise ValueError(
                f"'{name}' is to decide about the task '{task}', but is no score of that "
                f"component. Set [training.logger.scores] {task} to one of its scores: "
                f"{', '.join(numbers) or 'it has none, so remove it from the logger'}."
            )


def _find_block(config: Any, logger: str) -> dict[str, Any] | None:
    """RETURNS (Optional[Dict[str, Any]]): The settings of a logger, which others may wrap."""
    if not isinstance(config, dict):
        return None
    if config.get("@loggers") == logger:
        return config
    found = (_find_block(part, logger) for part in config.values())
    return next((block for block in found if block is not None), None)
