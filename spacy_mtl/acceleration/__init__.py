"""Make existing spaCy pipelines faster with identical annotations."""

# registers what they create
from . import attribute_ruler, copy_trunk, lemmatizer, ner, parser, products
from .convert_pipeline import Report, accelerate

__all__ = [
    "Report",
    "accelerate",
    "attribute_ruler",
    "copy_trunk",
    "lemmatizer",
    "ner",
    "parser",
    "products",
]
