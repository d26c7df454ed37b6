"""Parts of documents as documents that keep their frames."""

from typing import Any

from spacy.tokens import Doc, Span, SpanGroup

from ..util.spans import current_spans
from .frames import SCORES, UNKNOWN, group_by_predicate, has_frames


def span_as_doc(span: Span, **settings: Any) -> Doc:
    """Copy a span as a document of its own, with its span groups.

    `Span.as_doc` drops all span groups, so that a sentence of an annotated document counts as not
    annotated. Here each group is kept, with those of its spans that lie inside; a frame is kept
    only if its predicate and all of its arguments do.

    span (Span): The span, such as a sentence.
    **settings (Any): Those of `Span.as_doc`.
    RETURNS (Doc): The copy.
    RAISES (MergedTokensError): If tokens were merged across the border of a span.
    """
    piece = span.as_doc(**settings)
    for key in span.doc.spans:
        piece.spans[key] = _group_inside(span, key, piece)
    return piece


def _group_inside(outer: Span, key: str, piece: Doc) -> SpanGroup:
    group = outer.doc.spans[key]
    spans = current_spans(outer.doc, key)
    units = [[span] for span in spans]
    if has_frames(group):
        frames, others = group_by_predicate(spans)
        units = [[predicate, *own] for predicate, own in frames] + [[span] for span in others]
    inside = [
        Span(
            piece,
            span.start - outer.start,
            span.end - outer.start,
            span.label,
            kb_id=span.kb_id,
            span_id=span.id,
        )
        for unit in units
        if all(outer.start <= span.start and span.end <= outer.end for span in unit)
        for span in unit
    ]
    attrs = dict(group.attrs)
    if SCORES in attrs and has_frames(group):
        shift = outer.start_char
        attrs[SCORES] = [
            [number, start - shift, end - shift, *scores]
            for number, start, end, *scores in attrs[SCORES]
            if shift <= start and end <= outer.end_char
        ]
    if UNKNOWN in attrs:
        attrs[UNKNOWN] = [
            [start - outer.start, end - outer.start]
            for start, end in attrs[UNKNOWN]
            if outer.start <= start and end <= outer.end
        ]
    return SpanGroup(piece, name=key, attrs=attrs, spans=inside)
