"""Scores of numbers that describe a document."""

import math
from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np
from spacy.training import Example
from spacy.util import registry

from ..util.quoting import quote

MEASURES = ("mae", "rmse", "r", "rho", "r2")


@registry.scorers("spacy_mtl.regression_scorer.v1")
def make_regression_scorer() -> Callable[..., dict[str, Any]]:
    """RETURNS (Callable): `score_regression`."""
    return score_regression


def score_regression(
    examples: Iterable[Example], *, labels: Sequence[str], **cfg: Any
) -> dict[str, Any]:
    """Score predicted numbers on the documents whose reference has them.

    examples (Iterable[Example]): The examples.
    labels (Sequence[str]): The targets: keys of `Doc.cats`.
    **cfg (Any): Not used.
    RETURNS (Dict[str, Any]): The means over targets of `regression_mae` (mean absolute error) and
        `regression_rmse` (root mean squared error), in the targets' units; `regression_r`
        (Pearson's correlation), `regression_rho` (Spearman's) and `regression_r2` (the share of
        variance explained; below 0 where the mean would be the better guess); and
        `regression_per_target`, the same for each target. A score that can't be told is None:
        all of them without annotation, the last three where a target has the same value
        everywhere. Constant predictions have a correlation of 0.
    RAISES (ValueError): If a gold value is not a finite number.
    """
    pairs: dict[str, list[tuple[float, float]]] = {label: [] for label in labels}
    for example in examples:
        gold, predicted = example.reference.cats, example.predicted.cats
        for label in labels:
            if label in gold and label in predicted:
                if not is_finite(gold[label]):
                    raise ValueError(
                        f"Can't score Doc.cats[{label!r}] = {gold[label]!r} of "
                        f"{quote(example.reference)}: expected a finite number, or no such key."
                    )
                pairs[label].append((gold[label], predicted[label]))
    per_target = {
        label: measure(*np.array(found, dtype=np.float64).T)
        for label, found in pairs.items()
        if found
    }
    scores: dict[str, Any] = {f"regression_{name}": None for name in MEASURES}
    for name in MEASURES:
        values = [found[name] for found in per_target.values()]
        known = [value for value in values if value is not None]
        if known:
            scores[f"regression_{name}"] = sum(known) / len(known)
    scores["regression_per_target"] = per_target or None
    return scores


def is_finite(value: object) -> bool:
    """RETURNS (bool): Whether a value of `Doc.cats` is a finite number."""
    return isinstance(value, Real) and math.isfinite(value)


def measure(gold: np.ndarray, predicted: np.ndarray) -> dict[str, float | None]:
    """Compare two lists of numbers.

    gold (np.ndarray): [documents], at least one.
    predicted (np.ndarray): [documents].
    RETURNS (Dict[str, Optional[float]]): The scores by the names in `MEASURES`.
    """
    errors = predicted - gold
    varies = bool(np.ptp(gold) > 0)
    return {
        "mae": float(np.abs(errors).mean()),
        "rmse": math.sqrt(float((errors**2).mean())),
        "r": correlation(gold, predicted) if varies else None,
        "rho": correlation(ranks(gold), ranks(predicted)) if varies else None,
        "r2": 1.0 - float((errors**2).mean() / gold.var()) if varies else None,
    }


def correlation(gold: np.ndarray, predicted: np.ndarray) -> float:
    """Pearson's correlation.

    gold (np.ndarray): [documents], not all the same.
    predicted (np.ndarray): [documents].
    RETURNS (float): From -1 to 1; 0 where the predictions are all the same.
    """
    if np.ptp(predicted) == 0:
        return 0.0
    return float(np.corrcoef(gold, predicted)[0, 1])


def ranks(values: np.ndarray) -> np.ndarray:
    """Rank numbers; equal ones share the mean of their ranks.

    values (np.ndarray): [values].
    RETURNS (np.ndarray): [values], from 1.
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum()
    mean_rank: np.ndarray = last - (counts - 1) / 2
    return mean_rank[place]
