"""Which part of a document's annotation belongs to which task."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup
from thinc.types import Ints2d

from ..srl.frames import PREDICATE_ID, has_frames
from ..util.spans import current_spans, stored_spans

ENTITIES, CATEGORIES, ROLES, SPANS = "entities", "categories", "roles", "spans"
SENTENCES, TEXT = "sents", "text"
CLOSED_TO_TEXT = "spacy_mtl.closed_to_text"  # a key of Doc.user_data
ATTRIBUTES = {  # token attributes by kind of annotation
    ENTITIES: ["ENT_IOB", "ENT_TYPE", "ENT_ID"],
    "links": ["ENT_IOB", "ENT_TYPE", "ENT_ID", "ENT_KB_ID"],
    "tags": ["TAG"],
    "morphs": ["POS", "MORPH"],
    "lemmas": ["LEMMA"],
    "deps": ["HEAD", "DEP"],
    SENTENCES: ["SENT_START"],
}
UNITS = {  # what one annotated unit is, by kind
    ENTITIES: "tokens",
    "links": "tokens",
    "tags": "tokens",
    "morphs": "tokens",
    "lemmas": "tokens",
    "deps": "tokens",
    SENTENCES: "sentences",
    CATEGORIES: "docs",
    ROLES: "frames",
    SPANS: "spans",
    TEXT: "tokens",
}
KINDS_OF_FACTORY = {
    "ner": [ENTITIES],
    "beam_ner": [ENTITIES],
    "mtl_ner": [ENTITIES],
    "entity_linker": ["links"],
    "textcat": [CATEGORIES],
    "textcat_multilabel": [CATEGORIES],
    "mtl_textcat": [CATEGORIES],
    "mtl_regression": [CATEGORIES],
    "mtl_language_model": [TEXT],
    "mtl_syntax": ["tags", "morphs", "deps"],
    "mtl_srl": [ROLES],
    "spancat": [SPANS],
    "spancat_singlelabel": [SPANS],
    "span_finder": [SPANS],
    "tagger": ["tags"],
    "morphologizer": ["morphs"],
    "trainable_lemmatizer": ["lemmas"],
    "parser": ["deps", SENTENCES],
    "beam_parser": ["deps", SENTENCES],
    "senter": [SENTENCES],
}
MARKS: dict[str, list[int | str]] = {  # the attribute that is not zero where a token is annotated
    ENTITIES: ["ENT_IOB"],
    "links": ["ENT_KB_ID"],
    "tags": ["TAG"],
    "morphs": ["POS", "MORPH"],
    "lemmas": ["LEMMA"],
    "deps": ["DEP"],
}


@dataclass(frozen=True)
class Selection:
    """The annotations that stay in a source's documents.

    kinds (frozenset[str]): Keys of `UNITS`.
    span_keys (frozenset[str]): Span groups that stay, whatever is in them.
    targets (frozenset[str]): Keys of `Doc.cats` that stay, whatever `kinds` says.
    other_targets (frozenset[str]): Keys of `Doc.cats` that go, whatever `kinds` says.
    """

    kinds: frozenset[str]
    span_keys: frozenset[str]
    targets: frozenset[str] = frozenset()
    other_targets: frozenset[str] = frozenset()


def kinds_of_pipeline(nlp: Language) -> list[str]:
    """Find what the trainable components of a pipeline learn from.

    nlp (Language): The pipeline.
    RETURNS (List[str]): Keys of `UNITS`, in pipeline order. Components that are not known here add
        none.
    """
    factories = [nlp.get_pipe_meta(name).factory for name in nlp.pipe_names]
    kinds = [kind for factory in factories for kind in KINDS_OF_FACTORY.get(factory, [])]
    return list(dict.fromkeys(kinds))


def select_tasks(nlp: Language, tasks: Sequence[str], config_key: str) -> Selection:
    """Find the annotations that a list of tasks needs.

    nlp (Language): The pipeline.
    tasks (Sequence[str]): Names of components, or kinds of annotation.
    config_key (str): Where the list stands in the config, for messages.
    RETURNS (Selection): The annotations.
    RAISES (ValueError): If a task is neither, or is a component of unknown needs.
    """
    kinds: set[str] = set()
    span_keys: set[str] = set()
    targets: set[str] = set()
    for task in tasks:
        if task in nlp.component_names:
            factory = nlp.get_pipe_meta(task).factory
            if factory not in KINDS_OF_FACTORY:
                raise ValueError(
                    f"[{config_key}] names the component '{task}', of which it is not known which "
                    f"annotation it learns from (factory '{factory}'). Name the annotation "
                    f"instead: {', '.join(UNITS)}."
                )
            needs = KINDS_OF_FACTORY[factory]
            key = getattr(nlp.get_pipe(task), "cfg", {}).get("spans_key")
            if key is not None:
                span_keys.add(key)
                needs = [kind for kind in needs if kind not in (SPANS, ROLES)]
            own_targets = _targets_of(nlp, task)
            if own_targets:
                targets.update(own_targets)
                needs = [kind for kind in needs if kind != CATEGORIES]
            kinds.update(needs)
        elif task in UNITS:
            kinds.add(task)
        else:
            raise ValueError(
                f"[{config_key}] names the task '{task}', which is neither a component of the "
                f"pipeline ({', '.join(nlp.component_names)}) nor a kind of annotation "
                f"({', '.join(UNITS)})."
            )
    other_targets = {
        target for name in nlp.component_names for target in _targets_of(nlp, name)
    } - targets
    if CATEGORIES in tasks:
        other_targets = set()
    return Selection(
        frozenset(kinds), frozenset(span_keys), frozenset(targets), frozenset(other_targets)
    )


def keep_annotations(doc: Doc, selection: Selection) -> Doc:
    """Copy a document with a part of its annotation.

    What is left out is missing in the copy, as if nobody had annotated it: the components that
    learn from it skip the document. `Doc.user_data` stays; where the text itself is not among what
    is kept, it gets a mark.

    doc (Doc): The document; it is not changed.
    selection (Selection): What to keep.
    RETURNS (Doc): The copy.
    """
    copy = Doc(
        doc.vocab,
        words=[token.text for token in doc],
        spaces=[bool(token.whitespace_) for token in doc],
        user_data=dict(doc.user_data),
    )
    if TEXT not in selection.kinds:
        copy.user_data[CLOSED_TO_TEXT] = True
    attributes = _attributes_to_keep(doc, selection.kinds)
    if attributes and len(doc):
        copy.from_array(attributes, cast(Ints2d, doc.to_array(attributes)))
    copy.cats = {key: value for key, value in doc.cats.items() if _keeps_category(selection, key)}
    for key, group in doc.spans.items():
        if key in selection.span_keys or _kind_of(key, group) in selection.kinds:
            spans = [
                Span(copy, span.start, span.end, span.label, kb_id=span.kb_id, span_id=span.id)
                for span in current_spans(doc, key)
            ]
            copy.spans[key] = SpanGroup(copy, name=key, attrs=dict(group.attrs), spans=spans)
    return copy


def keeps_part(selection: Selection, part: str, key: str) -> bool:
    """Tell whether a selection may keep a part of documents.

    selection (Selection): What is kept.
    part (str): "spans" or "cats".
    key (str): The key in `Doc.spans` or `Doc.cats`.
    RETURNS (bool): Whether it may; of span groups that are not named, it depends on what is in
        them.
    """
    if part == "cats":
        return _keeps_category(selection, key)
    return key in selection.span_keys or bool(selection.kinds & {ROLES, SPANS})


def count_units(doc: Doc) -> dict[str, int]:
    """Count what is annotated.

    doc (Doc): The document.
    RETURNS (Dict[str, int]): Annotated units by kind, those with none left out; see `UNITS`. Text
        has units where the document is not annotated with anything else.
    """
    counts = _count_annotated(doc)
    if is_unlabelled(doc) and not is_closed_to_text(doc):
        counts[TEXT] = len(doc)
    return counts


def is_closed_to_text(doc: Doc) -> bool:
    """Tell whether a mixed corpus keeps a document from the components that learn from plain text.

    doc (Doc): The document.
    RETURNS (bool): Whether `keep_annotations` has marked it.
    """
    return CLOSED_TO_TEXT in doc.user_data


def is_unlabelled(doc: Doc) -> bool:
    """Tell whether a document has no annotation but sentence boundaries.

    doc (Doc): The document.
    RETURNS (bool): Whether that is so. An empty span group is an annotation: that there is no span.
    """
    return not doc.spans and not _count_annotated(doc).keys() - {SENTENCES}


def is_without_annotation(doc: Doc) -> bool:
    """Tell whether a document has no annotation at all.

    doc (Doc): The document.
    RETURNS (bool): Whether that is so.
    """
    return is_unlabelled(doc) and not doc.has_annotation("SENT_START")


def _count_annotated(doc: Doc) -> dict[str, int]:
    counts = {CATEGORIES: int(bool(doc.cats)), ROLES: 0, SPANS: 0}
    for key, group in doc.spans.items():
        if _kind_of(key, group) == ROLES:
            counts[ROLES] += sum(span.label == PREDICATE_ID for span in stored_spans(group))
        else:
            counts[SPANS] += len(group)
    for kind, marks in MARKS.items():
        values = doc.to_array(marks).reshape(len(doc), len(marks))  # [tokens, marks]
        counts[kind] = int(values.any(axis=1).sum())
    counts[SENTENCES] = int(np.sum(doc.to_array("SENT_START") == 1))
    if not doc.has_annotation("SENT_START"):
        counts[SENTENCES] = 0
    return {kind: count for kind, count in counts.items() if count}


def find_labels(doc: Doc) -> set[tuple[str, Any]]:
    """Collect the labels that components learn from a document.

    doc (Doc): The document.
    RETURNS (Set[Tuple[str, Any]]): Pairs of kind (or key of a span group) and label.
    """
    labels: set[tuple[str, Any]] = {(ENTITIES, ent.label) for ent in doc.ents}
    labels.update((CATEGORIES, label) for label in doc.cats)
    for key, group in doc.spans.items():
        labels.update((key, span.label) for span in stored_spans(group))
    for attribute in ("TAG", "POS", "MORPH", "DEP"):
        labels.update((attribute, value) for value in np.unique(doc.to_array(attribute)).tolist())
    return {(kind, label) for kind, label in labels if label}


def find_rolesets(doc: Doc) -> set[tuple[str, Any]]:
    """Collect the rolesets of frames.

    doc (Doc): The document.
    RETURNS (Set[Tuple[str, Any]]): Pairs of the key of a span group and a roleset.
    """
    return {
        (key, span.kb_id)
        for key, group in doc.spans.items()
        for span in stored_spans(group)
        if span.kb_id
    }


def _targets_of(nlp: Language, name: str) -> tuple[str, ...]:
    """The keys of `Doc.cats` that a component has for itself."""
    return tuple(getattr(nlp.get_pipe(name), "targets", ()))


def _keeps_category(selection: Selection, key: str) -> bool:
    return key in selection.targets or (
        CATEGORIES in selection.kinds and key not in selection.other_targets
    )


def _attributes_to_keep(doc: Doc, kinds: frozenset[str]) -> list[int | str]:
    """Sentence starts follow from heads, and can't be set beside them."""
    attributes = [name for kind, names in ATTRIBUTES.items() if kind in kinds for name in names]
    has_heads = "deps" in kinds and doc.has_annotation("DEP")
    unwanted = {"SENT_START"} if has_heads else {"HEAD", "DEP"}
    return [name for name in dict.fromkeys(attributes) if name not in unwanted]


def _kind_of(key: str, group: SpanGroup) -> str:
    return ROLES if key == "srl" or has_frames(group) else SPANS
