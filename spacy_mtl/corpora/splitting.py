"""Long documents as several shorter ones, with all their annotation."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from spacy.tokens import Doc

from ..srl.frames import frame_extents, has_frames
from ..srl.pieces import span_as_doc
from ..util.spans import current_spans


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
    for key in doc.spans:
        extents += _frame_extents(doc, key)
    for start, end in extents:
        is_cut[start + 1 : end] = False
    is_cut[0] = False
    return np.flatnonzero(is_cut).tolist()


def _frame_extents(doc: Doc, key: str) -> Iterator[tuple[int, int]]:
    if has_frames(doc.spans[key]):
        yield from frame_extents(doc, key)
    else:
        for span in current_spans(doc, key):
            yield span.start, span.end


def _piece_bounds(cuts: list[int], length: int, max_length: int) -> Iterator[tuple[int, int]]:
    start = 0
    for cut, following in pairwise([*cuts, length]):
        if following - start > max_length:
            yield start, cut
            start = cut
    yield start, length


def _make_piece(doc: Doc, start: int, end: int, shared: dict[str, Any]) -> Doc:
    piece = span_as_doc(doc[start:end], **shared)
    piece.cats = dict(doc.cats)
    return piece
