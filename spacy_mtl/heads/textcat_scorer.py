"""Scores of document categories."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from ..util.quoting import count_labels

NO_RIVALS: Mapping[str, Sequence[str]] = {}


@registry.scorers("spacy_mtl.textcat_scorer.v1")
def make_textcat_scorer() -> Callable[..., dict[str, Any]]:
    """RETURNS (Callable): `score_textcat`."""
    return score_textcat


@dataclass
class ScoredReferences:
    """Which examples a text classifier is scored on, and what became of the others.

    scored (List[Example]): Those that count.
    n_documents (int): All examples.
    missed (Counter[str]): Right categories that no component has, which count as missed, by the
        number of documents.
    unclear (Counter[str]): The same of documents that are left out, because it can't be told which
        of several text classifiers they are annotated for.
    n_undecided (int): Documents that are left out because the annotation only says which categories
        are wrong.
    """

    scored: list[Example] = field(default_factory=list)
    n_documents: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    unclear: Counter[str] = field(default_factory=Counter)
    n_undecided: int = 0

    def describe(self, component: str) -> str:
        """Say what is odd about the references.

        component (str): The component's name.
        RETURNS (str): A sentence for each thing; empty if there is nothing to say.
        """
        sentences = []
        if self.missed:
            sentences.append(
                "Right categories that no component has count as missed: "
                f"{count_labels(self.missed)}."
            )
        if self.unclear:
            sentences.append(
                "Documents whose right category no component has are left out, since they may be "
                f"another text classifier's: {count_labels(self.unclear)}."
            )
        if self.n_undecided:
            sentences.append(
                "Documents whose annotation only says which categories are wrong are left out: "
                f"{self.n_undecided}."
            )
        if not sentences:
            return ""
        return f"Scores of '{component}' on {self.n_documents} documents. {' '.join(sentences)}"


def choose_references(
    examples: Iterable[Example],
    *,
    labels: Sequence[str],
    exclusive: bool,
    rivals: Mapping[str, Sequence[str]] = NO_RIVALS,
    targets_of_others: Sequence[str] = (),
) -> ScoredReferences:
    """Choose the examples that a text classifier is scored on.

    A category is unknown if it is right (1.0) for the document and a label of no component: neither
    of this one nor of its rivals, the other text classifiers of the pipeline, nor a target of a
    regression. Annotation goes by label: a label that is no key of the reference's `cats` is not
    annotated. What counts:

    - Not exclusive: documents with annotation for any own label. Each annotated label is right or
      wrong by itself; unknown categories are missed.
    - Exclusive: documents of which one own label is right; any other document with annotation for
      own labels only if an unknown category is right, which is missed. Without that the annotation
      does not say what is right, and the document is left out.
    - Documents without annotation for any own label: if an unknown category is right, it is missed,
      unless there are rivals, whose category it might be. Documents that are annotated for rivals
      only never count.

    examples (Iterable[Example]): The examples.
    labels (Sequence[str]): The component's labels.
    exclusive (bool): Whether exactly one category is right.
    rivals (Mapping[str, Sequence[str]]): The labels of the other text classifiers, by component. If
        one has none (they are not known), no category is taken to be unknown.
    targets_of_others (Sequence[str]): Keys of `Doc.cats` that are numbers.
    RETURNS (ScoredReferences): The choice.
    """
    chosen = ScoredReferences()
    known = {*labels, *targets_of_others, *itertools.chain(*rivals.values())}
    for example in examples:
        chosen.n_documents += 1
        cats = example.reference.cats
        is_own = any(label in cats for label in labels)
        is_decided = not exclusive or any(cats.get(label) for label in labels)
        unknown = [label for label, value in cats.items() if value == 1 and label not in known]
        if not all(rivals.values()) or (exclusive and is_own and is_decided):
            unknown = []
        if unknown and (is_own or not rivals):
            chosen.missed.update(unknown)
            chosen.scored.append(example)
        elif unknown:
            chosen.unclear.update(unknown)
        elif is_own and is_decided:
            chosen.scored.append(example)
        elif is_own:
            chosen.n_undecided += 1
    return chosen


def score_textcat(
    examples: Iterable[Example],
    *,
    labels: Sequence[str],
    exclusive: bool,
    threshold: float | None = None,
    rivals: Mapping[str, Sequence[str]] = NO_RIVALS,
    targets_of_others: Sequence[str] = (),
    **cfg: Any,
) -> dict[str, Any]:
    """Score categories with `Scorer.score_cats`, on the references that `choose_references` takes.

    Stock scoring counts a prediction for any other document as wrong, and takes what is undefined
    for 0. Here a score is None where it is undefined: precision, recall and F of labels that are
    neither right nor predicted anywhere, AUC of labels that are right everywhere or nowhere. Macro
    averages are over the labels for which the score is defined. Unknown categories that count as
    missed are labels with a score of 0 everywhere.

    examples (Iterable[Example]): The examples.
    labels (Sequence[str]): The component's labels.
    exclusive (bool): Whether exactly one category is right.
    threshold (Optional[float]): Cutoff of categories that are not exclusive.
    rivals (Mapping[str, Sequence[str]]): See `choose_references`.
    targets_of_others (Sequence[str]): See `choose_references`.
    **cfg (Any): Further settings of `Scorer.score_cats`.
    RETURNS (Dict[str, Any]): The scores under spaCy's names; all None where nothing is annotated.
    """
    chosen = choose_references(
        examples,
        labels=labels,
        exclusive=exclusive,
        rivals=rivals,
        targets_of_others=targets_of_others,
    )
    threshold = 0.5 if threshold is None else threshold
    own = [
        label
        for label in labels
        if exclusive or any(label in eg.reference.cats for eg in chosen.scored)
    ]

    def get_cats(doc: Doc, attr: str) -> dict[str, float]:
        cats = {label: doc.cats[label] for label in own if label in doc.cats}
        return cats if exclusive and any(cats.values()) else doc.cats

    scores = Scorer.score_cats(
        chosen.scored,
        "cats",
        getter=get_cats,
        labels=[*own, *chosen.missed],
        multi_label=not exclusive,
        threshold=threshold,
        **cfg,
    )
    if not chosen.scored:
        return dict.fromkeys(scores)
    present = {*chosen.missed}
    for example in chosen.scored:
        present |= _present_labels(example, own, exclusive, threshold)
    return _leave_out_undefined(scores, present)


def _present_labels(
    example: Example, labels: Sequence[str], exclusive: bool, threshold: float
) -> set[str]:
    """RETURNS (Set[str]): The labels that are right or predicted."""
    gold, predicted = example.reference.cats, example.predicted.cats
    right = {label for label in labels if gold.get(label)}
    if exclusive:
        scores = {label: predicted[label] for label in labels if label in predicted}
        return right | ({max(scores, key=lambda label: scores[label])} if scores else set())
    return right | {
        label for label in labels if label in gold and predicted.get(label, 0.0) >= threshold
    }


def _leave_out_undefined(scores: dict[str, Any], present: set[str]) -> dict[str, Any]:
    """Put None in place of scores that are undefined, and average the others.

    scores (Dict[str, Any]): What `Scorer.score_cats` returned.
    present (Set[str]): The labels that are right or predicted anywhere.
    RETURNS (Dict[str, Any]): The scores, with the same names.
    """
    per_type = {
        label: values if label in present else dict.fromkeys(values)
        for label, values in scores["cats_f_per_type"].items()
    }
    scores = {**scores, "cats_f_per_type": per_type}
    for part in ("p", "r", "f"):
        scores[f"cats_macro_{part}"] = _mean([values[part] for values in per_type.values()])
        if not present:
            scores[f"cats_micro_{part}"] = None
    scores["cats_macro_auc"] = _mean(list(scores["cats_auc_per_type"].values()))
    main = {"macro F": "cats_macro_f", "macro AUC": "cats_macro_auc"}.get(scores["cats_score_desc"])
    return {**scores, "cats_score": scores[main]} if main else scores


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
