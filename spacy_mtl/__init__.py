"""Multi-task learning for spaCy: one shared trunk, several heads."""

from importlib.metadata import version

from .display.html import render
from .display.server import serve
from .srl.extension import register_extension

__all__ = ["render", "serve"]
__version__ = version("spacy-mtl")

register_extension()
