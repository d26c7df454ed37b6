"""Make existing spaCy pipelines faster with identical annotations."""

from . import ner, parser, products  # registers the factories and the callback
from .convert_pipeline import Report, accelerate

__all__ = ["Report", "accelerate", "ner", "parser", "products"]
