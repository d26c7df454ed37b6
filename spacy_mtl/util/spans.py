"""Span groups of documents whose tokens were merged or split after the spans were written.

spaCy moves entities along when `Doc.retokenize` merges or splits tokens, but not the spans of
`Doc.spans`: they keep their token numbers, and so cover other words, or lie behind the end of the
document, where even iterating over the group fails. Each also keeps its characters, which stay
right.
"""

import struct
from typing import NamedTuple

import srsly
from spacy.tokens import Doc, Span, SpanGroup

_LAYOUT = ">QQQllll"  # of a span in SpanGroup.to_bytes


class StoredSpan(NamedTuple):
    """What a span group holds of a span; strings as hashes.

    start (int): The first token when the span was written.
    end (int): The token after the last one when the span was written.
    start_char (int): The first character.
    end_char (int): The character after the last one.
    label (int): The label.
    kb_id (int): The knowledge base ID.
    id (int): The span ID.
    """

    start: int
    end: int
    start_char: int
    end_char: int
    label: int
    kb_id: int
    id: int


class MergedTokensError(ValueError):
    """A span does not begin and end where tokens do any more."""


def stored_spans(group: SpanGroup) -> list[StoredSpan]:
    """Read a span group as it is, whatever happened to the tokens.

    group (SpanGroup): The group.
    RETURNS (List[StoredSpan]): Its spans, in order.
    """
    try:
        return [
            StoredSpan(s.start, s.end, s.start_char, s.end_char, s.label, s.kb_id, s.id)
            for s in group
        ]
    except IndexError:  # a span lies behind the end of the document
        unpacked = (
            struct.unpack(_LAYOUT, data) for data in srsly.msgpack_loads(group.to_bytes())["spans"]
        )
        return [
            StoredSpan(start, end, start_char, end_char, label, kb_id, span_id)
            for span_id, kb_id, label, start, end, start_char, end_char in unpacked
        ]


def current_spans(doc: Doc, key: str) -> list[Span]:
    """Read a span group in the tokens that the document has now.

    doc (Doc): The document.
    key (str): The span group, which it has.
    RETURNS (List[Span]): The spans, in order, over the characters that they were written for.
    RAISES (MergedTokensError): If one does not begin and end where tokens do any more.
    """
    group = doc.spans[key]
    spans = _readable_spans(group)
    if all(is_in_place(span) for span in spans) and len(spans) == len(group):
        return spans
    return [_move(doc, key, stored) for stored in stored_spans(group)]


def is_in_place(span: Span) -> bool:
    """Tell whether a span's tokens still are the characters that it was made for.

    span (Span): The span.
    RETURNS (bool): False where tokens were merged or split since.
    """
    doc, start, end = span.doc, span.start, span.end
    if start >= end:
        return True
    if end > len(doc) or doc[start].idx != span.start_char:
        return False
    last = doc[end - 1]
    return bool(last.idx + len(last) == span.end_char)


def _readable_spans(group: SpanGroup) -> list[Span]:
    """The spans; none where one of them lies behind the end of the document."""
    try:
        return list(group)
    except IndexError:
        return []


def _move(doc: Doc, key: str, stored: StoredSpan) -> Span:
    """RETURNS (Span): The span over the same characters."""
    moved = doc.char_span(
        stored.start_char,
        stored.end_char,
        label=stored.label,
        kb_id=stored.kb_id,
        span_id=stored.id,
    )
    if moved is None:
        covering = doc.char_span(stored.start_char, stored.end_char, alignment_mode="expand")
        if not covering:
            raise MergedTokensError(
                f"The span {doc.vocab.strings[stored.label]!r} (tokens {stored.start} to "
                f"{stored.end}) in doc.spans[{key!r}] is outside of its {len(doc)} tokens. Write "
                "the spans again after changing tokens."
            )
        raise MergedTokensError(
            f"The span {doc.text[stored.start_char : stored.end_char]!r} "
            f"({doc.vocab.strings[stored.label]!r}) in doc.spans[{key!r}] does not begin and end "
            f"where tokens do: they were merged after it was written (Doc.retokenize, or a "
            f"component such as merge_entities or merge_noun_chunks), and the tokens there are now "
            f"{[token.text for token in covering]}. In the pipeline, put the component that "
            f"merges before the one that writes doc.spans[{key!r}]; otherwise read the spans "
            "before tokens are merged."
        )
    return moved
