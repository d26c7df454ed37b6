"""Comparing what heads annotate in two pipelines."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from ..util.spans import stored_spans

SCORE_TOLERANCE = 1e-5

# How to read what a component declares to write (`assigns`).
ANNOTATIONS: dict[str, Callable[[Doc], Any]] = {
    "doc.ents": lambda doc: [(ent.start, ent.end, ent.label_) for ent in doc.ents],
    "token.ent_kb_id": lambda doc: [token.ent_kb_id_ for token in doc],
    "token.is_sent_start": lambda doc: [token.is_sent_start for token in doc],
    "token.tag": lambda doc: [token.tag_ for token in doc],
    "token.pos": lambda doc: [token.pos_ for token in doc],
    "token.morph": lambda doc: [str(token.morph) for token in doc],
    "token.lemma": lambda doc: [token.lemma_ for token in doc],
    "token.dep": lambda doc: [token.dep_ for token in doc],
    "token.head": lambda doc: [token.head.i for token in doc],
}


def find_differences(
    whole: Language, part: Language, heads: Iterable[str], texts: Sequence[str]
) -> Iterator[str]:
    """Compare the annotations of heads.

    whole (Language): The pipeline that the heads were taken from.
    part (Language): The pipeline with the heads.
    heads (Iterable[str]): The heads.
    texts (Sequence[str]): The texts to annotate.
    YIELDS (str): What differs, for people: a line for each head, text, and kind of annotation.
    """
    heads = list(heads)
    with whole.select_pipes(disable=_retokenizers_behind(whole, part)):
        pairs = zip(whole.pipe(texts), part.pipe(texts), strict=True)
        for number, (before, after) in enumerate(pairs):
            for head in heads:
                if head not in part.pipe_names:
                    continue
                for kind in part.get_pipe_meta(head).assigns:
                    if not _is_same(kind, before, after, part.get_pipe(head)):
                        yield f"text {number + 1}: {kind} of '{head}'"


def _retokenizers_behind(whole: Language, part: Language) -> list[str]:
    """The components that number tokens anew once all that is compared is annotated."""
    last = max(whole.component_names.index(name) for name in part.component_names)
    return [
        name
        for name in whole.component_names[last + 1 :]
        if whole.get_pipe_meta(name).retokenizes and name in whole.pipe_names
    ]


def _is_same(kind: str, before: Doc, after: Doc, component: Any) -> bool:
    if kind == "doc.cats":
        labels = getattr(component, "labels", before.cats.keys() | after.cats.keys())
        return all(
            abs(before.cats.get(label, 2.0) - after.cats.get(label, 2.0)) <= SCORE_TOLERANCE
            for label in labels
        )
    if kind == "doc.spans":
        keys = _span_keys(component) or list(after.spans)
        return all(_spans(before, key) == _spans(after, key) for key in keys)
    read = ANNOTATIONS.get(kind)
    return read is None or bool(read(before) == read(after))


def _span_keys(component: Any) -> list[str]:
    cfg = getattr(component, "cfg", {})
    names = [cfg.get("spans_key"), getattr(component, "key", None)]
    return [name for name in names if isinstance(name, str)]


def _spans(doc: Doc, key: str) -> list[tuple[Any, ...]] | None:
    if key not in doc.spans:
        return None
    return [span[2:] for span in stored_spans(doc.spans[key])]
