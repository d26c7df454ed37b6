"""The names of scores, where several components of a pipeline would write the same ones.

`Language.evaluate` puts the scores of all components into one dict: of equal names the last
component's stays. A head that shares the names of its scores with another component (a rival) when
it is initialized puts its own name before them: `mood_cats_score`, `topic_cats_score`. A head
without rivals keeps spaCy's names.
"""

from collections.abc import Mapping
from typing import Any

from spacy.language import Language


def default_weights(nlp: Language, name: str) -> Mapping[str, float | None]:
    """RETURNS (Mapping[str, Optional[float]]): The `default_score_weights` of a component's
    factory, as the factory names them."""
    return nlp.get_pipe_meta(name).default_score_weights or {}


def own_weights(nlp: Language, name: str) -> dict[str, float | None]:
    """Find the weights of a component's scores by default.

    nlp (Language): The pipeline.
    name (str): The component.
    RETURNS (Dict[str, Optional[float]]): The `default_score_weights` of its factory, under the
        names that the component writes.
    """
    rename = getattr(nlp.get_pipe(name), "score_name", str)
    return {rename(score): weight for score, weight in default_weights(nlp, name).items()}


def find_rivals(nlp: Language, name: str) -> dict[str, Any]:
    """Find the components that would write scores under the same names.

    nlp (Language): The pipeline.
    name (str): The component.
    RETURNS (Dict[str, Any]): The other components, by name, also those that are disabled.
    """
    own = _plain_names(nlp, name)
    return {
        other: component
        for other, component in nlp.components
        if other != name and own & _plain_names(nlp, other)
    }


def rename_weights(nlp: Language, name: str) -> None:
    """Let `[training.score_weights]` follow the names that a component writes.

    A name that the setting does not have yet gets the weight of the factory's name, shared equally
    among the components of that factory name. The factory's name gets no weight once no component
    writes it.

    nlp (Language): The pipeline; its config is changed.
    name (str): The component.
    """
    weights = nlp.config["training"]["score_weights"]
    written = {score for other in nlp.component_names for score in own_weights(nlp, other)}
    for default, own in zip(default_weights(nlp, name), own_weights(nlp, name), strict=True):
        if own == default:
            continue
        sharing = [other for other in nlp.component_names if default in default_weights(nlp, other)]
        weight = weights.get(default)
        weights.setdefault(own, weight / len(sharing) if weight else weight)
        if default not in written:
            weights[default] = None


def _plain_names(nlp: Language, name: str) -> set[str]:
    rename = getattr(nlp.get_pipe(name), "plain_score_name", str)
    return {rename(score) for score in default_weights(nlp, name)}
