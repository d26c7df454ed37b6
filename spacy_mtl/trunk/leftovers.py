"""What a config still says of components that were taken out of the pipeline."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from spacy.language import Language

from ..util.settings import TARGET_SCORE


def unknown_tasks_message(nlp: Language, trunk: str, unknown: Collection[str]) -> str:
    """Explain that a balancer names components that are not there, and list all other settings
    that have to go with them.

    nlp (Language): The pipeline.
    trunk (str): The trunk's name.
    unknown (Collection[str]): The names.
    RETURNS (str): The message.
    """
    names = ", ".join(f"'{name}'" for name in unknown)
    lines = [
        f"[components.{trunk}.balancer] names {names}, but the pipeline has only: "
        f"{', '.join(nlp.component_names)}. Correct or remove the name."
    ]
    leftovers = list(find_leftovers(nlp))
    if leftovers:
        lines.append("All that the config still says of components that are not in the pipeline:")
        lines += [f"- {leftover}" for leftover in leftovers]
    return "\n".join(lines)


def find_leftovers(nlp: Language) -> Iterator[str]:
    """List the settings of a pipeline's config that are about components it does not have.

    nlp (Language): The pipeline.
    YIELDS (str): The section, the setting, and the name.
    """
    config = nlp.config
    training = config.get("training", {})
    initialize = config.get("initialize", {}).get("components", {})
    named = {
        *(name for part in config["components"].values() for name in _named_by_balancer(part)),
        *training.get("annotating_components", []),
        *training.get("frozen_components", []),
        *initialize,
    }
    gone = named - set(nlp.component_names)
    for name, component in config["components"].items():
        yield from _mentions(component.get("balancer"), f"components.{name}.balancer", gone)
    settings = {key: value for key, value in training.items() if key != "score_weights"}
    yield from _mentions(settings, "training", gone)
    yield from _mentions(config.get("corpora"), "corpora", gone)
    yield from (f"[initialize.components.{name}]" for name in initialize if name in gone)
    written = {
        score
        for name in nlp.component_names
        for score in nlp.get_pipe_meta(name).default_score_weights or ()
    }
    for score, weight in training.get("score_weights", {}).items():
        if gone and weight and score not in written | {TARGET_SCORE}:
            yield f"[training.score_weights] {score} = {weight} (no component writes it)"


def _named_by_balancer(component: Mapping[str, Any]) -> Iterator[str]:
    balancer = component.get("balancer") or {}
    for value in balancer.values():
        if isinstance(value, Mapping):
            yield from value
    if "main" in balancer:
        yield balancer["main"]


def _mentions(settings: Any, section: str, names: Collection[str]) -> Iterator[str]:
    """Find names among the keys and values of a section and of those within it."""
    if not isinstance(settings, Mapping):
        return
    for key, value in settings.items():
        if key in names:
            yield f"[{section}] {key}"
        elif isinstance(value, Mapping):
            yield from _mentions(value, f"{section}.{key}", names)
        else:
            values = value if isinstance(value, list | tuple) else [value]
            yield from (
                f"[{section}] {key}: {one}"
                for one in values
                if isinstance(one, str) and one in names
            )
