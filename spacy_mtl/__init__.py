"""Multi-task learning for spaCy: one shared trunk, several heads."""

from importlib.metadata import version

from .display import render
from .srl.extension import register_extension

__all__ = ["render"]
__version__ = version("spacy-mtl")

register_extension()
