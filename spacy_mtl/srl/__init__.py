"""Semantic roles in a Doc: frames, their alignment, their scores."""

from .alignment import IndexedFrame, aligned_frames, indexed_frames
from .frames import Argument, Frame, Frames, read_frames, write_frames
from .inventory import FrameInventory, Roleset
from .pieces import span_as_doc
from .predicates import give_predicates

__all__ = [
    "Argument",
    "Frame",
    "FrameInventory",
    "Frames",
    "IndexedFrame",
    "Roleset",
    "aligned_frames",
    "give_predicates",
    "indexed_frames",
    "read_frames",
    "span_as_doc",
    "write_frames",
]
