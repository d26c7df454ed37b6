"""What was found out about a pair of documents, kept for the next time they come."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from spacy.attrs import ENT_IOB, ENT_TYPE, ORTH, SPACY
from spacy.tokens import Doc
from spacy.training import Example

from ..util.spans import stored_spans

Found = TypeVar("Found")
_TEXT: list[int | str] = [ORTH, SPACY]
_ENTITIES: list[int | str] = [ORTH, SPACY, ENT_IOB, ENT_TYPE]


class AlignmentCache(Generic[Found]):
    """Remembers, by reference document, something that depends on an example's gold annotation.

    spaCy reads a corpus once and trains on the same references in each epoch, but makes new
    examples in each step: what took an alignment is kept here instead. It is used only while both
    documents say what they said, so that augmented, edited or otherwise tokenized documents count
    as new; and it goes when the reference does. A copied or pickled memory is empty.
    """

    def __init__(self) -> None:
        self._found: WeakKeyDictionary[Doc, tuple[bytes, Found]] = WeakKeyDictionary()

    def __reduce__(self) -> tuple[type["AlignmentCache[Found]"], tuple[()]]:
        return AlignmentCache, ()

    def get(self, example: Example, content: bytes, find: Callable[[], Found]) -> Found:
        """Give what was found before for the same content, or find it.

        example (Example): The example.
        content (bytes): All that the finding depends on; see `text_and_entities`.
        find (Callable[[], Found]): Finds it.
        RETURNS (Found): Not to be changed.
        """
        digest = blake2b(content, digest_size=16).digest()
        known = self._found.get(example.reference)
        if known is not None and known[0] == digest:
            return known[1]
        found = find()
        self._found[example.reference] = digest, found
        return found


def text_and_entities(example: Example) -> bytes:
    """RETURNS (bytes): The tokens of both documents of an example, and the gold entities."""
    return _bytes_of(example.predicted, _TEXT) + _bytes_of(example.reference, _ENTITIES)


def text_and_attributes(example: Example, attrs: list[int | str]) -> bytes:
    """Say what the gold attributes of an example's tokens depend on.

    example (Example): The example.
    attrs (List[int]): The attributes.
    RETURNS (bytes): The tokens of both documents and the attributes.
    """
    return _bytes_of(example.predicted, _TEXT) + _bytes_of(example.reference, [*_TEXT, *attrs])


def text_and_spans(example: Example, key: str) -> bytes:
    """Say what an example's gold spans depend on.

    example (Example): The example.
    key (str): The span group, which the reference has.
    RETURNS (bytes): The tokens of both documents and the spans.
    """
    # SpanGroup.to_bytes looks through all installed entry points each time
    group = example.reference.spans[key]
    try:
        spans = [
            number
            for span in group
            for number in (span.start, span.end, span.label, span.kb_id, span.id)
        ]
    except IndexError:  # tokens were merged since
        spans = [number for span in stored_spans(group) for number in span]
    texts = _bytes_of(example.predicted, _TEXT) + _bytes_of(example.reference, _TEXT)
    return texts + np.array(spans, dtype=np.uint64).tobytes()


def _bytes_of(doc: Doc, attrs: list[int | str]) -> bytes:
    length = len(doc).to_bytes(8, "little")
    return length + bytes(doc.to_array(attrs).tobytes())
