"""Scores of guesses of hidden words."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch, registry

from ...corpora.annotations import is_closed_to_text

BATCH_SIZE = 128
HIGHEST_LOSS = 700.0  # exp of more is no finite number


@registry.scorers("spacy_mtl.masked_lm_scorer.v1")
def make_masked_lm_scorer() -> Callable[..., dict[str, Any]]:
    """RETURNS (Callable): `score_masked_tokens`."""
    return score_masked_tokens


def score_masked_tokens(
    examples: Iterable[Example],
    *,
    guess: Callable[[Sequence[Doc]], tuple[np.ndarray, np.ndarray]],
    **cfg: Any,
) -> dict[str, Any]:
    """Score guesses of hidden words, in all documents, annotated or not, but for those that a mixed
    corpus keeps from the head.

    examples (Iterable[Example]): The examples.
    guess (Callable): Takes documents; returns, for each hidden word, the logarithm of the
        probability of the right bucket, and whether that is the most probable.
    **cfg (Any): Not used.
    RETURNS (Dict[str, Any]): `hidden_words_acc`, the share of words whose bucket is guessed, and
        `hidden_words_perplexity` over buckets: the number of buckets where nothing is known, 1
        where all is. It can be compared between models of the same number of buckets. Both are
        None where there is no word.
    """
    docs = (eg.predicted for eg in examples if not is_closed_to_text(eg.reference))
    parts = [guess(batch) for batch in minibatch(docs, BATCH_SIZE)]
    log_probabilities = np.concatenate([np.zeros(0), *(part[0] for part in parts)])
    hits = np.concatenate([np.zeros(0, dtype=bool), *(part[1] for part in parts)])
    if not len(hits):
        return {"hidden_words_acc": None, "hidden_words_perplexity": None}
    loss = -float(log_probabilities.mean())
    return {
        "hidden_words_acc": float(hits.mean()),
        "hidden_words_perplexity": math.exp(min(loss, HIGHEST_LOSS)),
    }
