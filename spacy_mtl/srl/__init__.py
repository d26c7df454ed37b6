"""Semantic roles in a Doc: frames, their alignment, their scores."""

from .alignment import IndexedFrame, aligned_frames, indexed_frames
from .frames import Argument, Frame, read_frames, write_frames
from .given import give_gold_predicates, give_predicates

__all__ = [
    "Argument",
    "Frame",
    "IndexedFrame",
    "aligned_frames",
    "give_gold_predicates",
    "give_predicates",
    "indexed_frames",
    "read_frames",
    "write_frames",
]
