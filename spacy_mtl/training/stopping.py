"""Taking a task out of a training run that goes on."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

from spacy import ty
from spacy.language import Language

from ..trunk.component import MultiTaskTok2Vec

OnStop = Literal["adapt", "freeze"]
ON_STOP: tuple[OnStop, ...] = get_args(OnStop)


class Stopper:
    """Keeps tasks that were stopped from changing the trunk.

    "adapt": the trunk ignores the head, and the head goes on learning. The trunk goes on changing
    for the other tasks; a head that follows it keeps fitting it.

    "freeze": the trunk ignores the head, and the head keeps its parameters, as with `[training]
    frozen_components`. That saves the head's time, but the trunk moves away from under it.

    A component with a network of its own is frozen in any case: nothing else would stop it.
    """

    def __init__(self, nlp: Language, on_stop: OnStop, frozen: list[str]) -> None:
        """Find out which trunk each task reads.

        nlp (Language): The pipeline.
        on_stop (Literal["adapt", "freeze"]): What happens to the head of a stopped task.
        frozen (List[str]): Gets the names of the components that are not to be updated any more.
        """
        self._on_stop = on_stop
        self._frozen = frozen
        self._trunks: dict[str, Any] = {
            name: component
            for name, component in nlp.pipeline
            if isinstance(component, ty.ListenedToComponent)
        }

    def check(self, tasks: Sequence[str]) -> None:
        """Make sure that tasks can be stopped.

        tasks (Sequence[str]): Their names.
        RAISES (ValueError): If one reads a trunk that is not of this package. Such a trunk learns
            from no task as soon as the last of its heads is frozen.
        """
        for task in tasks:
            for name, trunk in self._trunks_of(task).items():
                if not isinstance(trunk, MultiTaskTok2Vec):
                    raise ValueError(
                        f"[training.logger] patience would stop the task '{task}', but its trunk "
                        f"'{name}' can't do without a head: a {type(trunk).__name__} that misses "
                        "its last head learns nothing from the others. Use the factory "
                        f"'mtl_tok2vec' for [components.{name}], or set patience = 0."
                    )

    def stop(self, task: str) -> str:
        """Stop a task.

        task (str): Its name.
        RETURNS (str): What happens to it from now on, for people.
        """
        trunks = self._trunks_of(task)
        for trunk in trunks.values():
            trunk.detach(task)
        if trunks and self._on_stop == "adapt":
            return (
                f"{_quoted(trunks)} no longer learns from it; '{task}' goes on adapting to "
                f"{_quoted(trunks)}."
            )
        self._frozen.append(task)
        if not trunks:
            return f"'{task}' is frozen."
        return f"{_quoted(trunks)} no longer learns from it, and '{task}' is frozen."

    def _trunks_of(self, task: str) -> dict[str, Any]:
        return {
            name: trunk
            for name, trunk in self._trunks.items()
            if task in trunk.listening_components
        }


def _quoted(names: Sequence[str] | dict[str, Any]) -> str:
    return " and ".join(f"'{name}'" for name in names)
