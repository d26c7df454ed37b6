"""Which scores of a pipeline a data set has the annotation for."""

from collections.abc import Callable, Sequence
from typing import Any

from spacy.tokens import Doc
from spacy.training import Example

# The first part of a score's name, and how a reference shows that it has the annotation.
ANNOTATED: dict[str, Callable[[Doc], bool]] = {
    "cats": lambda doc: bool(doc.cats),
    "dep": lambda doc: doc.has_annotation("DEP"),
    "ents": lambda doc: doc.has_annotation("ENT_IOB"),
    "lemma": lambda doc: doc.has_annotation("LEMMA"),
    "morph": lambda doc: doc.has_annotation("MORPH"),
    "nel": lambda doc: any(ent.kb_id for ent in doc.ents),
    "pos": lambda doc: doc.has_annotation("POS"),
    "sents": lambda doc: doc.has_annotation("SENT_START"),
    "tag": lambda doc: doc.has_annotation("TAG"),
    "token": lambda doc: not doc.has_unknown_spaces,
}


def count_annotated(component: Any, scores: Sequence[str], examples: Sequence[Example]) -> int:
    """Count the examples that a component can be scored on.

    component (Any): A pipeline component. The heads of this package tell it themselves.
    scores (Sequence[str]): The names of its scores, which tell it for other components.
    examples (Sequence[Example]): The data.
    RETURNS (int): The examples with annotation for at least one of the scores.
    """
    is_scored = getattr(component, "is_scored", None)
    if is_scored is not None:
        return sum(map(is_scored, examples))
    return sum(any(is_scorable(name, eg.reference) for name in scores) for eg in examples)


def is_scorable(score: str, reference: Doc) -> bool:
    """Tell from a score's name whether a document has the annotation for it.

    score (str): A name such as "ents_per_type" or "spans_sc_f".
    reference (Doc): The annotated document.
    RETURNS (bool): True also for names that spaCy doesn't use.
    """
    kind, _, rest = score.partition("_")
    if kind == "spans":
        return any(rest.startswith(f"{key}_") for key in reference.spans)
    return ANNOTATED[kind](reference) if kind in ANNOTATED else True


def drop_unannotated(
    scores: dict[str, Any], component: Any, examples: Sequence[Example]
) -> dict[str, Any]:
    """Put None in place of scores that the data has no annotation for.

    scores (Dict[str, Any]): A component's scores by name.
    component (Any): The component.
    examples (Sequence[Example]): The data.
    RETURNS (Dict[str, Any]): The scores in the same order.
    """
    if hasattr(component, "is_scored"):
        return scores if count_annotated(component, [], examples) else dict.fromkeys(scores)
    return {
        name: value if any(is_scorable(name, eg.reference) for eg in examples) else None
        for name, value in scores.items()
    }
