"""Scores of semantic roles: this package's own, and those of the field's official scorers."""

from .conll05 import Conll05Counts, conll05_counts
from .conll09 import Conll09Counts, conll09_counts
from .frames import CharacterFrame
from .heads import HeadFrame
from .primesrl import PrimeArgument, PrimeCounts, PrimeFrame, prime_counts
from .scorer import make_srl_scorer, score_srl

__all__ = [
    "CharacterFrame",
    "Conll05Counts",
    "Conll09Counts",
    "HeadFrame",
    "PrimeArgument",
    "PrimeCounts",
    "PrimeFrame",
    "conll05_counts",
    "conll09_counts",
    "make_srl_scorer",
    "prime_counts",
    "score_srl",
]
