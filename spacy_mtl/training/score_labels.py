"""How the training table heads and writes scores."""

from collections.abc import Mapping
from typing import Any

# By the end of a score's name. The task's name stands above the label.
LABELS = {
    "predicates_f": "pred",
    "rolesets_f": "sense",
    "arguments_f": "arg",
    "cats_macro_f": "macro F",
    "cats_micro_f": "micro F",
    "cats_macro_auc": "AUC",
    "dep_uas": "UAS",
    "dep_las": "LAS",
    "hidden_words_acc": "acc",
    "hidden_words_perplexity": "perpl.",
    "regression_mae": "MAE",
    "regression_rmse": "RMSE",
    "regression_r": "r",
    "regression_rho": "rho",
    "regression_r2": "R2",
    "syntax_acc": "acc",
    "tag_acc": "acc",
    "lemma_acc": "acc",
    "morph_acc": "morph",
    "pos_acc": "pos",
    "ents_p": "P",
    "ents_r": "R",
    "ents_f": "F",
    "sents_p": "P",
    "sents_r": "R",
    "sents_f": "F",
    "nel_micro_f": "F",
}
NO_SHARES = ("_mae", "_rmse", "_perplexity", "speed")  # the ends of scores that are no share of 1


def label_of(score: str, scores: Mapping[str, Any] | None = None) -> str:
    """Find a short label for a score.

    score (str): Its name.
    scores (Optional[Mapping[str, Any]]): All scores of an evaluation, which may describe it.
    RETURNS (str): The label.
    """
    description = (scores or {}).get(f"{score}_desc")
    if isinstance(description, str) and description:
        return description
    for name, label in LABELS.items():
        if f"_{score}".endswith(f"_{name}"):
            return label
    is_span_score = score.startswith("spans_") and score[-2:] in ("_p", "_r", "_f")
    return score[-1].upper() if is_span_score else score


def is_share(score: str) -> bool:
    """RETURNS (bool): Whether a score is a share of 1, which is shown in percent."""
    return not score.endswith(NO_SHARES)


def format_score(score: str, value: Any) -> str:
    """Write a score.

    score (str): Its name.
    value (Any): Its value; None if the data has no annotation for it.
    RETURNS (str): Percent with one decimal; other numbers as they are; "-" for all else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "-"
    return f"{100 * value:.1f}" if is_share(score) else format_number(value)


def format_number(value: float) -> str:
    """RETURNS (str): A number in about five characters."""
    size = abs(value)
    if size and size < 0.001:
        return f"{value:.0e}"
    decimals = 3 if size < 1 else 2 if size < 10 else 1 if size < 100 else 0
    return f"{value:.{decimals}f}"
