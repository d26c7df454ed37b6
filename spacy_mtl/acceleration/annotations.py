"""What a pipeline annotates, in a form that can be compared."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from spacy.tokens import Doc

from ..util.spans import stored_spans

SCORE_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Difference:
    """An annotation that two pipelines disagree on.

    text (int): The number of the text, from 0.
    annotation (str): The kind of annotation.
    before (str): The first pipeline's.
    after (str): The second pipeline's.
    """

    text: int
    annotation: str
    before: str
    after: str

    def __str__(self) -> str:
        """RETURNS (str): The difference, for people."""
        return f"text {self.text + 1}, {self.annotation}: {self.before} became {self.after}"


def annotations(doc: Doc) -> dict[str, list[Any]]:
    """Collect the annotations of a document.

    doc (Doc): The document.
    RETURNS (Dict[str, List[Any]]): By kind of annotation, its values.
    """
    return {
        "tokens": [token.text_with_ws for token in doc],
        "tags": [token.tag_ for token in doc],
        "parts of speech": [token.pos_ for token in doc],
        "morphs": [str(token.morph) for token in doc],
        "lemmas": [token.lemma_ for token in doc],
        "heads": [token.head.i for token in doc],
        "deps": [token.dep_ for token in doc],
        "sentence starts": [token.is_sent_start for token in doc],
        "entities": [(ent.start, ent.end, ent.label_, ent.kb_id_, ent.ent_id_) for ent in doc.ents],
        "entity tags": [token.ent_iob_ for token in doc],
        "categories": sorted(doc.cats),
        "spans": [
            (key, span.start_char, span.end_char, doc.vocab.strings[span.label])
            for key in sorted(doc.spans)
            for span in stored_spans(doc.spans[key])
        ],
    }


def differences(before: Iterable[Doc], after: Iterable[Doc]) -> Iterator[Difference]:
    """Compare what two pipelines annotate.

    before (Iterable[Doc]): The first pipeline's documents.
    after (Iterable[Doc]): The second's, of the same texts.
    YIELDS (Difference): The first difference of each kind in each text; category scores differ if
        they are more than 1e-4 apart, or another category is the best.
    """
    for number, (first, second) in enumerate(zip(before, after, strict=True)):
        ours = annotations(second)
        for kind, values in annotations(first).items():
            if values != ours[kind]:
                yield Difference(number, kind, *_first_difference(values, ours[kind]))
        for label, score in first.cats.items():
            other = second.cats.get(label, float("nan"))
            if not abs(score - other) <= SCORE_TOLERANCE or (score >= 0.5) != (other >= 0.5):
                yield Difference(number, f"score of {label}", f"{score:.6f}", f"{other:.6f}")
        if first.cats and _best(first) != _best(second):
            yield Difference(number, "best category", _best(first), _best(second))


def _best(doc: Doc) -> str:
    return max(doc.cats, key=lambda label: doc.cats[label], default="")


def _first_difference(before: list[Any], after: list[Any]) -> tuple[str, str]:
    for place, (first, second) in enumerate(zip(before, after, strict=False)):
        if first != second:
            return f"{first!r} at {place}", repr(second)
    return f"{len(before)} of them", f"{len(after)}"
