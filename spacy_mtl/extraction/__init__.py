"""Taking single heads out of a pipeline."""

from .extract import Extraction, extract

__all__ = ["Extraction", "extract"]
