"""Multi-task learning for spaCy: one shared trunk, several heads."""

from importlib.metadata import version

__version__ = version("spacy-mtl")
