"""Make existing spaCy pipelines faster with identical annotations."""

from . import attribute_ruler, lemmatizer, ner, parser, products  # registers what they create
from .convert_pipeline import Report, accelerate

__all__ = ["Report", "accelerate", "attribute_ruler", "lemmatizer", "ner", "parser", "products"]
