"""Where a running `spacy train` can be reached.

spaCy's training loop has no hook for the scores or for the frozen components. It calls two methods
of the pipeline object, `evaluate` and `update`; for the time of a training run these stand in their
place.
"""

from collections.abc import Callable, Iterable
from typing import Any

from spacy.language import Language
from spacy.training import Example

from ..util.annotation import drop_unannotated
from ..util.settings import TARGET_SCORE
from .task_scores import TaskScores

HOOKED = ("evaluate", "update")


class EvaluateTasks:
    """In the place of `Language.evaluate`: it also finds the score of each task.

    Scores without annotation in the data are None, whatever a scorer makes of them, so that spaCy
    leaves them out. The average of the tasks is `TARGET_SCORE`.
    """

    def __init__(self, nlp: Language, scores: TaskScores) -> None:
        """Stand in for the method that the pipeline has now.

        nlp (Language): The pipeline.
        scores (TaskScores): What decides about each task.
        """
        self._nlp = nlp
        self._evaluate = nlp.evaluate
        self._scores = scores
        self.tasks: dict[str, float | None] = {}

    def __call__(self, examples: Iterable[Example], **settings: Any) -> dict[str, Any]:
        """Evaluate the pipeline.

        examples (Iterable[Example]): The annotated examples.
        **settings (Any): Those of `Language.evaluate`.
        RETURNS (Dict[str, Any]): Its scores, and the average.
        RAISES (ValueError): If no example has annotation for any of the tasks.
        """
        if settings.get("per_component"):
            return self._evaluate(examples, **settings)
        examples = list(examples)
        by_component = self._evaluate(examples, **settings, per_component=True)
        speed = by_component.pop("speed")
        components = {"tokenizer": self._nlp.tokenizer, **dict(self._nlp.pipeline)}
        for name, scores in by_component.items():
            by_component[name] = drop_unannotated(scores, components[name], examples)
        self.tasks = self._scores.of_tasks(by_component)
        return {
            **merge_scores(by_component.values()),
            "speed": speed,
            TARGET_SCORE: self._scores.of_all(self.tasks),
        }


class UpdateUnfrozen:
    """In the place of `Language.update`: it leaves out what was frozen in the meantime.

    spaCy gives it the list of frozen components, and looks into the same list before it lets the
    optimizer change a component: the names are added to that list.
    """

    def __init__(self, nlp: Language, frozen: list[str]) -> None:
        """Stand in for the method that the pipeline has now.

        nlp (Language): The pipeline.
        frozen (List[str]): The components that are not to be updated; it may grow.
        """
        self._update = nlp.update
        self._frozen = frozen

    def __call__(self, examples: Iterable[Example], *args: Any, **settings: Any) -> dict[str, Any]:
        """Update the other components.

        examples (Iterable[Example]): The batch.
        *args (Any): Those of `Language.update`.
        **settings (Any): Those of `Language.update`.
        RETURNS (Dict[str, Any]): The losses; 0 for frozen components, for which loggers look.
        """
        exclude = settings.get("exclude", [])
        new = [name for name in self._frozen if name not in exclude]
        if isinstance(exclude, list):
            exclude.extend(new)
        else:
            exclude = [*exclude, *new]
        losses = settings.get("losses")
        if losses is None:
            losses = {}
        for name in self._frozen:
            losses.setdefault(name, 0.0)
        return self._update(examples, *args, **{**settings, "exclude": exclude, "losses": losses})


def hook(nlp: Language, **methods: Callable[..., Any]) -> None:
    """Put methods in the place of a pipeline object's own.

    nlp (Language): The pipeline.
    **methods (Callable): By name.
    """
    for name, method in methods.items():
        setattr(nlp, name, method)


def unhook(nlp: Language) -> None:
    """Give a pipeline object its own methods back.

    nlp (Language): The pipeline.
    """
    for name in HOOKED:
        vars(nlp).pop(name, None)


def merge_scores(by_component: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Put the scores of all components into one dict, as spaCy does: of equal names the last one
    counts, unless it has no annotation.

    by_component (Iterable[Dict[str, Any]]): The scores of each component, by name.
    RETURNS (Dict[str, Any]): All of them.
    """
    merged: dict[str, Any] = {}
    for scores in by_component:
        for name, value in scores.items():
            if value is not None or name not in merged:
                merged[name] = value
    return merged
