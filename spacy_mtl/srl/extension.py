"""`Doc._.srl`: the semantic frames of a document."""

from collections.abc import Iterable, Mapping
from typing import Any

from spacy.tokens import Doc

from .frames import Frame, Frames, read_frames, write_frames

EXTENSION = "srl"


def register_extension() -> None:
    """Register `Doc._.srl`, a view over the span group `doc.spans["srl"]`. Reading it gives
    `Frames`, a list of `Frame`, empty if the document has no such group; assigning frames or their
    JSON form replaces the group. Nothing is stored beside the group. Can be called again at any
    time.
    """
    Doc.set_extension(EXTENSION, getter=_get_frames, setter=_set_frames, force=True)


def _get_frames(doc: Doc) -> Frames:
    return read_frames(doc)


def _set_frames(doc: Doc, frames: Iterable[Frame | Mapping[str, Any]]) -> None:
    write_frames(doc, frames)
