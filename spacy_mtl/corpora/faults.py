"""Annotation that can't be learned from: found, counted, and left out or refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from spacy.language import Language
from spacy.tokens import Doc

from ..srl.frames import drop_faulty_frames
from ..util.messages import warn
from ..util.quoting import quote

MOST_SHOWN = 5


@dataclass(frozen=True)
class Fault:
    """A piece of a document's annotation that a component can't learn from.

    component (str): The name of the component.
    part (str): Where it is: "spans" for `Doc.spans`, "cats" for `Doc.cats`.
    keys (Tuple[str, ...]): The keys there.
    message (str): What was found, where, and what is expected.
    """

    component: str
    part: Literal["spans", "cats"]
    keys: tuple[str, ...]
    message: str


class FaultyAnnotation(ValueError):
    """Documents hold annotation that can't be learned from."""


def find_faults(nlp: Language, doc: Doc) -> list[Fault]:
    """Find what the components of a pipeline can't learn from.

    nlp (Language): The pipeline.
    doc (Doc): An annotated document.
    RETURNS (List[Fault]): The faults in what the heads of this package read; all other annotation
        is not looked at.
    """
    return [
        fault
        for _, pipe in nlp.pipeline
        if hasattr(pipe, "find_faults")
        for fault in pipe.find_faults(doc, nlp)
    ]


def without_faults(doc: Doc, faults: Sequence[Fault]) -> Doc:
    """Copy a document without faulty annotation: frames of which nothing else is known than where
    their predicates are, keys of `Doc.cats`, and span groups that reach out of the document.

    doc (Doc): The document.
    faults (Sequence[Fault]): Its faults.
    RETURNS (Doc): The copy.
    """
    unreadable = {key: doc.spans.pop(key) for key in unreadable_groups(doc)}
    try:
        data = doc.to_bytes(exclude=["tensor", "user_data"])  # Doc.copy fails on stale spans
    finally:
        doc.spans.update(unreadable)
    copy = Doc(doc.vocab).from_bytes(data)
    copy.user_data = dict(doc.user_data)
    for part, key in {(fault.part, key) for fault in faults for key in fault.keys}:
        if part == "cats":
            del copy.cats[key]
        elif key in copy.spans:
            drop_faulty_frames(copy, key)
    return copy


def unreadable_groups(doc: Doc) -> list[str]:
    """RETURNS (List[str]): The keys of span groups with a span outside of the document."""
    found = []
    for key, group in doc.spans.items():
        try:
            list(group)
        except IndexError:
            found.append(key)
    return found


def names_labels(nlp: Language | None, component: str) -> bool:
    """Tell whether the config names a component's labels, which it does not know before it is
    initialized.

    nlp (Optional[Language]): The pipeline.
    component (str): The component's name.
    RETURNS (bool): Whether `[initialize.components]` does.
    """
    if nlp is None:
        return False
    settings = nlp.config.get("initialize", {}).get("components", {}).get(component, {})
    return settings.get("labels") is not None


class Places:
    """Where documents hold annotation that can't be learned from; only the first are named.

    n_docs (int): The number of documents.
    """

    def __init__(self) -> None:
        self.n_docs = 0
        self._n_messages = 0
        self._first: list[str] = []

    def add(self, messages: Sequence[str]) -> None:
        """Add a document.

        messages (Sequence[str]): What is wrong with it, at least one.
        """
        self.n_docs += 1
        self._n_messages += len(messages)
        self._first += messages[: MOST_SHOWN - len(self._first)]

    def describe(self) -> str:
        """RETURNS (str): How many there are, and the first."""
        lines = [
            f"Annotation that can't be learned from: {self._n_messages} in "
            f"{self.n_docs} {'document' if self.n_docs == 1 else 'documents'}.",
            *(f"- {message}" for message in self._first),
        ]
        if self._n_messages > len(self._first):
            lines.append(f"- and {self._n_messages - len(self._first)} more.")
        return "\n".join(lines)


class FaultReport:
    """Counts the faults of a corpus while it is read, and says what becomes of them."""

    def __init__(self, nlp: Language) -> None:
        """Begin with no faults.

        nlp (Language): The pipeline that is to learn from the corpus.
        """
        self.nlp = nlp
        self._refused = Places()
        self._left_out = Places()

    @property
    def is_error(self) -> bool:
        """RETURNS (bool): Whether `finish` will raise an error: further documents are read only to
        count their faults."""
        return self._refused.n_docs > 0

    def check(
        self,
        doc: Doc,
        place: str,
        *,
        skip: bool = False,
        is_kept: Callable[[Fault], bool] | None = None,
    ) -> Doc | None:
        """Check a document.

        doc (Doc): The annotated document.
        place (str): Where it is, for messages.
        skip (bool): Whether faulty annotation is left out, instead of being an error.
        is_kept (Optional[Callable[[Fault], bool]]): Whether a component is to see the annotation at
            all.
        RETURNS (Optional[Doc]): The document itself, or a copy without what is faulty; None from
            the first error on.
        """
        faults = [f for f in find_faults(self.nlp, doc) if is_kept is None or is_kept(f)]
        faulty = {key for fault in faults if fault.part == "spans" for key in fault.keys}
        unreadable = [key for key in unreadable_groups(doc) if key not in faulty]
        if not faults and not unreadable:
            return None if self.is_error else doc
        if faults:
            places = self._left_out if skip else self._refused
            places.add([f"{place}: component '{f.component}': {f.message}" for f in faults])
        if unreadable:
            self._left_out.add(
                [
                    f"{place}: a span of doc.spans[{key!r}] is outside of {quote(doc)}. No "
                    "component needs it here."
                    for key in unreadable
                ]
            )
        if self.is_error:
            return None
        return without_faults(doc, faults)

    def finish(self, advice: str) -> None:
        """Say what was found, if anything. What was left out is a warning.

        advice (str): How the user can let faulty annotation be left out.
        RAISES (FaultyAnnotation): If there are faults that are not left out.
        """
        if self._refused.n_docs:
            raise FaultyAnnotation(f"{self._refused.describe()}\nCorrect the data, or {advice}.")
        if self._left_out.n_docs:
            warn(f"{self._left_out.describe()}\nIt is left out, and counts as not annotated.")
