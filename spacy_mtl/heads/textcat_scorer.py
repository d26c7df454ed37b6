"""Scores of document categories."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from spacy.scorer import Scorer
from spacy.training import Example
from spacy.util import registry


@registry.scorers("spacy_mtl.textcat_scorer.v1")
def make_textcat_scorer() -> Callable[..., dict[str, Any]]:
    """RETURNS (Callable): `score_textcat`."""
    return score_textcat


def score_textcat(
    examples: Iterable[Example],
    *,
    labels: Sequence[str],
    exclusive: bool,
    threshold: float | None = None,
    **cfg: Any,
) -> dict[str, Any]:
    """Score categories with `Scorer.score_cats`, on annotated references only.

    With exclusive categories a reference is annotated if it says which one is right. Stock scoring
    counts a prediction for any other document as wrong. Otherwise annotation goes by label, and
    labels that no reference mentions are left out of the averages. Gold categories that are not
    among `labels` are another component's and don't count.

    examples (Iterable[Example]): The examples.
    labels (Sequence[str]): The component's labels.
    exclusive (bool): Whether exactly one category is right.
    threshold (Optional[float]): Cutoff of categories that are not exclusive.
    **cfg (Any): Further settings of `Scorer.score_cats`.
    RETURNS (Dict[str, Any]): The scores under spaCy's names; all None where nothing is annotated.
    """
    settings = {**cfg, "multi_label": not exclusive, "threshold": threshold}
    gold = [(example, example.reference.cats) for example in examples]
    if exclusive:
        annotated = [eg for eg, cats in gold if any(cats.get(label) for label in labels)]
    else:
        annotated = [eg for eg, cats in gold if any(label in cats for label in labels)]
        labels = [label for label in labels if any(label in cats for _, cats in gold)]
    scores = Scorer.score_cats(annotated, "cats", labels=labels, **settings)
    return scores if annotated else dict.fromkeys(scores)
