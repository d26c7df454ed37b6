"""Scores of the syntax that the trunk has been taught."""

from collections.abc import Callable, Iterable
from typing import Any

from spacy.training import Example
from spacy.util import minibatch, registry

BATCH_SIZE = 128


@registry.scorers("spacy_mtl.syntax_scorer.v1")
def make_syntax_scorer() -> Callable[..., dict[str, Any]]:
    """RETURNS (Callable): `score_syntax`."""
    return score_syntax


def score_syntax(
    examples: Iterable[Example],
    *,
    count_right: Callable[[Iterable[Example]], dict[str, tuple[int, int]]],
    **cfg: Any,
) -> dict[str, Any]:
    """Score attributes of tokens that are told but not written to documents. Tokens without
    counterpart in the reference don't count.

    examples (Iterable[Example]): The examples.
    count_right (Callable): Takes examples; returns, by attribute, the tokens told right and all
        that have a value.
    **cfg (Any): Not used.
    RETURNS (Dict[str, Any]): `syntax_acc_per_attribute`, the accuracy of each attribute, and
        `syntax_acc`, their mean. None where no token has a value.
    """
    counts: dict[str, tuple[int, int]] = {}
    for batch in minibatch(examples, BATCH_SIZE):
        for attribute, (n_right, n_known) in count_right(batch).items():
            right, known = counts.get(attribute, (0, 0))
            counts[attribute] = right + n_right, known + n_known
    accuracies = {name: right / known for name, (right, known) in counts.items() if known}
    return {
        "syntax_acc": sum(accuracies.values()) / len(accuracies) if accuracies else None,
        "syntax_acc_per_attribute": accuracies or None,
    }
