"""Long documents as several shorter ones, with all their annotation."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from spacy.tokens import Doc, Span, SpanGroup

from ..srl.frames import attributes_between, frame_extents

FRAMES_LABEL = "V"


def split_doc(doc: Doc, max_length: int) -> list[Doc]:
    """Split a document at sentence boundaries.

    spaCy's own corpus reader splits with `Span.as_doc`, which drops categories and span groups:
    the pieces then count as not annotated. Here each piece keeps the document's categories, and
    its own part of entities, span groups and syntax. No entity, span or semantic frame is ever
    cut: where one crosses a sentence boundary, the document is not split there.

    doc (Doc): The document.
    max_length (int): The number of tokens that a piece should not exceed. A piece that can't be
        split further stays longer.
    RETURNS (List[Doc]): The pieces, in order; the document itself where it is short enough or has
        no sentence boundaries.
    RAISES (ValueError): If `max_length` is not positive.
    """
    if max_length < 1:
        raise ValueError(f"max_length must be at least 1 to split documents, found {max_length}.")
    if len(doc) <= max_length or not doc.has_annotation("SENT_START"):
        return [doc]
    pieces = list(_piece_bounds(_cuts(doc), len(doc), max_length))
    if len(pieces) == 1:
        return [doc]
    head = doc._get_array_attrs()
    shared = {"array_head": head, "array": doc.to_array(list(head))}  # exported once, not by piece
    return [_make_piece(doc, start, end, shared) for start, end in pieces]


def _cuts(doc: Doc) -> list[int]:
    """Sentence starts that no entity, span or frame extends across, in order."""
    is_cut = doc.to_array("SENT_START") == 1
    extents = [(ent.start, ent.end) for ent in doc.ents]
    for key, group in doc.spans.items():
        extents += _frame_extents(doc, key, group)
    for start, end in extents:
        is_cut[start + 1 : end] = False
    is_cut[0] = False
    return np.flatnonzero(is_cut).tolist()


def _frame_extents(doc: Doc, key: str, group: SpanGroup) -> Iterator[tuple[int, int]]:
    if any(span.label_ == FRAMES_LABEL for span in group):
        yield from frame_extents(doc, key)
    else:
        for span in group:
            yield span.start, span.end


def _piece_bounds(cuts: list[int], length: int, max_length: int) -> Iterator[tuple[int, int]]:
    start = 0
    for cut, following in pairwise([*cuts, length]):
        if following - start > max_length:
            yield start, cut
            start = cut
    yield start, length


def _make_piece(doc: Doc, start: int, end: int, shared: dict[str, Any]) -> Doc:
    piece = doc[start:end].as_doc(**shared)
    piece.cats = dict(doc.cats)
    for key, group in doc.spans.items():
        spans = [
            Span(
                piece,
                span.start - start,
                span.end - start,
                span.label,
                kb_id=span.kb_id,
                span_id=span.id,
            )
            for span in group
            if start <= span.start and span.end <= end
        ]
        attrs = attributes_between(group.attrs, start, end)
        piece.spans[key] = SpanGroup(piece, name=key, attrs=attrs, spans=spans)
    return piece
