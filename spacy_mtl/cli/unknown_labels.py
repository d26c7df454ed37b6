"""Gold labels that a pipeline does not have, and so can't predict."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from wasabi import Printer

from ..corpora.annotations import CATEGORIES, ENTITIES, KINDS_OF_FACTORY, ROLES, SPANS
from ..srl.frames import PREDICATE_LABEL

MOST_SHOWN = 8
ROLESETS = "rolesets"
KINDS = {**KINDS_OF_FACTORY, "mtl_fast_ner": [ENTITIES], "mtl_fast_parser": ["deps"]}
NEVER_SCORED = ("mtl_syntax", "mtl_regression")  # the targets of the latter are numbers


def _roles(doc: Doc, key: str) -> Iterator[str]:
    return (span.label_ for span in doc.spans.get(key, ()) if span.label_ != PREDICATE_LABEL)


def _morphs(doc: Doc, key: str) -> Iterator[str]:
    for token in doc:
        features = token.morph.to_dict()
        if token.pos_:
            features["POS"] = token.pos_
        if features:
            yield doc.vocab.strings[doc.vocab.morphology.add(features)]


# Gold labels of a document by kind of annotation; the key is that of a span group.
GOLD: dict[str, Callable[[Doc, str], Iterable[str]]] = {
    ENTITIES: lambda doc, key: (ent.label_ for ent in doc.ents),
    CATEGORIES: lambda doc, key: (label for label, value in doc.cats.items() if value == 1),
    ROLES: _roles,
    ROLESETS: lambda doc, key: (span.kb_id_ for span in doc.spans.get(key, ()) if span.kb_id_),
    SPANS: lambda doc, key: (span.label_ for span in doc.spans.get(key, ())),
    "tags": lambda doc, key: (token.tag_ for token in doc if token.tag_),
    "morphs": _morphs,
    "deps": lambda doc, key: (token.dep_ for token in doc if token.dep_),
}


def find_unknown_labels(nlp: Language, examples: Sequence[Example]) -> dict[str, dict[str, Any]]:
    """Count the gold labels that components can't predict. A label that another component gives to
    the same annotation, as one of two text classifiers, is known.

    nlp (Language): The pipeline.
    examples (Sequence[Example]): The annotated documents.
    RETURNS (Dict[str, Dict[str, Any]]): By component, and "COMPONENT (rolesets)" for semantic
        roles: "gold", the number of gold labels; "unknown", how often each was there that is not
        known, the commonest first; and "known", the labels. Only components that lack any.
    """
    tasks = [
        (name, kind, getattr(pipe, "cfg", {}).get("spans_key", ""), set(labels))
        for name, pipe in nlp.pipeline
        for kind, labels in _labels_by_kind(nlp, name, pipe)
    ]
    known_to_all: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for _, kind, key, labels in tasks:
        known_to_all[kind, key] |= labels
    for _, pipe in nlp.pipeline:
        known_to_all[CATEGORIES, ""].update(getattr(pipe, "targets", ()))
    gold = {
        place: Counter(label for eg in examples for label in GOLD[place[0]](eg.reference, place[1]))
        for place in known_to_all
    }
    found: dict[str, dict[str, Any]] = {}
    for name, kind, key, labels in tasks:
        unknown = {
            label: count
            for label, count in gold[kind, key].most_common()
            if label not in known_to_all[kind, key]
        }
        if unknown:
            title = f"{name} ({ROLESETS})" if kind == ROLESETS else name
            total = gold[kind, key].total()
            found[title] = {"gold": total, "unknown": unknown, "known": sorted(labels)}
    return found


def report_unknown_labels(msg: Printer, found: dict[str, dict[str, Any]]) -> None:
    """Say which gold labels can't be predicted.

    msg (Printer): Prints.
    found (Dict[str, Dict[str, Any]]): What `find_unknown_labels` gave.
    """
    for name, labels in found.items():
        n_unknown = sum(labels["unknown"].values())
        shown = _list([f"{label!r} ({n})" for label, n in labels["unknown"].items()])
        if n_unknown == labels["gold"]:
            msg.fail(
                f"'{name}' has none of the labels of the data, and can't score above 0. The data "
                f"has {shown}. It has {_list([repr(label) for label in labels['known']])}."
            )
        else:
            msg.warn(
                f"'{name}' does not know {n_unknown} of {labels['gold']} gold labels, and can't "
                f"find them: {shown}."
            )


def _labels_by_kind(nlp: Language, name: str, pipe: Any) -> Iterator[tuple[str, Iterable[str]]]:
    factory = nlp.get_pipe_meta(name).factory
    if factory in NEVER_SCORED or not hasattr(pipe, "labels"):
        return
    for kind in KINDS.get(factory, ()):
        if kind in GOLD:
            yield kind, pipe.labels
        if kind == ROLES:
            yield ROLESETS, pipe.senses.rolesets


def _list(labels: Sequence[str]) -> str:
    more = len(labels) - MOST_SHOWN
    return ", ".join(labels[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
