"""The head for document categories."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Config, Model
from thinc.types import Floats2d

from ..corpora.faults import Fault, names_labels
from ..models.layers.losses import binary_cross_entropy
from ..trunk.listener import report_num_targets
from ..util.finite import finite_rows
from ..util.messages import warn
from ..util.quoting import quote
from .head import Head
from .textcat_scorer import ScoredReferences, choose_references

DEFAULT_CONFIG = """
[model]
@architectures = "spacy_mtl.TextClassifier.v1"
hidden_width = 0
private_width = 32
private_rows = 5000

[model.tok2vec]
@architectures = "spacy_mtl.TrunkListener.v1"

[scorer]
@scorers = "spacy_mtl.textcat_scorer.v1"
"""


@Language.factory(
    "mtl_textcat",
    assigns=["doc.cats"],
    requires=["doc.tensor"],
    default_config={
        "exclusive": True,
        "threshold": 0.5,
        **Config().from_str(DEFAULT_CONFIG),
    },
    default_score_weights={
        "cats_score": 1.0,
        "cats_score_desc": None,
        "cats_micro_p": None,
        "cats_micro_r": None,
        "cats_micro_f": None,
        "cats_macro_p": None,
        "cats_macro_r": None,
        "cats_macro_f": None,
        "cats_macro_auc": None,
        "cats_f_per_type": None,
        "cats_auc_per_type": None,
    },
)
def make_mtl_textcat(
    nlp: Language,
    name: str,
    model: Model[list[Doc], Floats2d],
    exclusive: bool,
    threshold: float,
    scorer: Callable[..., dict[str, Any]] | None,
) -> "CategoryHead":
    """Create a head for document categories.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model[List[Doc], Floats2d]): Scores each category of each document.
    exclusive (bool): Whether exactly one category is right for each document.
    threshold (float): The scorer counts a category that is not exclusive from this score on.
    scorer (Optional[Callable]): The scorer.
    RETURNS (CategoryHead): The head.
    """
    return CategoryHead(
        nlp.vocab, model, name, scorer=scorer, exclusive=exclusive, threshold=threshold
    )


class CategoryHead(Head):
    """Gives each document a score for each category.

    Annotation goes by label: a label that is not a key of the reference's `cats` is unknown.

    Exclusive: the scores are a probability distribution. The loss of a document is -log of the
    probability that the categories which its annotation leaves possible have together: of the
    right one if that is known, else of all but those known to be wrong.

    Not exclusive: each score is a probability of its own, and the loss is the cross-entropy of
    each known label.
    """

    annotation = "categories (Doc.cats)"

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], Floats2d],
        name: str,
        *,
        exclusive: bool,
        threshold: float,
        scorer: Callable[..., dict[str, Any]] | None = None,
    ) -> None:
        """Create a head.

        vocab (Vocab): The shared vocabulary.
        model (Model[List[Doc], Floats2d]): Scores each category of each document.
        name (str): The component's name.
        exclusive (bool): Whether exactly one category is right for each document.
        threshold (float): The scorer counts a category that is not exclusive from this score on.
        scorer (Optional[Callable]): The scorer.
        """
        super().__init__(
            vocab, model, name, scorer=scorer, exclusive=exclusive, threshold=threshold
        )
        self.cfg["targets_of_others"] = []
        self._said: set[str] = set()

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """Find the labels and initialize the network. The targets of `mtl_regression` are none.

        get_examples (Callable[[], Iterable[Example]]): The training corpus, or a sample of it.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[Sequence[str]]): The labels, as `spacy init labels` saves them. Where
            None, they are found in the examples.
        RAISES (ValueError): If there is no label to learn.
        """
        components = [] if nlp is None else nlp.components
        self.cfg["targets_of_others"] = sorted(
            {target for _, pipe in components for target in getattr(pipe, "targets", ())}
        )
        super().initialize(get_examples, nlp=nlp, labels=labels)

    def is_annotated(self, example: Example) -> bool:
        """Tell whether the reference's `cats` holds one of the head's labels; before the head
        has labels, any label.

        example (Example): The example.
        RETURNS (bool): Whether the head can learn from it.
        """
        cats = example.reference.cats
        labels = self.cfg["labels"] or cats.keys() - set(self.cfg["targets_of_others"])
        return any(label in cats for label in labels)

    def is_scored(self, example: Example) -> bool:
        """Tell whether an example has a part in the head's scores, see `choose_references`.

        example (Example): The example.
        RETURNS (bool): Whether the scorer counts it.
        """
        return bool(self._choose([example]).scored)

    def gold_labels(self, reference: Doc) -> list[str]:
        """List the right categories of a reference.

        reference (Doc): The annotated document.
        RETURNS (List[str]): The categories; the targets of `mtl_regression` are none.
        """
        right = [label for label, value in reference.cats.items() if value == 1]
        return [label for label in right if label not in self.cfg["targets_of_others"]]

    def find_faults(self, doc: Doc, nlp: Language | None = None) -> list[Fault]:
        """Find categories of a reference that are neither right nor wrong, or right together where
        one is.

        doc (Doc): The reference.
        nlp (Optional[Language]): The pipeline, whose other components have keys of their own.
        RETURNS (List[Fault]): The faults; none while it is not known which keys are this head's.
        """
        if not self.labels and names_labels(nlp, self.name):
            return []
        components = [] if nlp is None else nlp.pipeline
        others = {target for _, pipe in components for target in getattr(pipe, "targets", ())}
        keys = self.labels or doc.cats.keys() - others
        return self._describe_faults(doc, {key: v for key, v in doc.cats.items() if key in keys})

    def find_labels(self, examples: Iterable[Example]) -> list[str]:
        """Collect the keys of `Doc.cats`.

        examples (Iterable[Example]): The annotated examples.
        RETURNS (List[str]): The labels, sorted.
        RAISES (ValueError): If a document's categories can't be learnt.
        """
        labels: set[str] = set()
        without_positive: dict[frozenset[str], Doc] = {}
        for example in examples:
            cats = {
                label: value
                for label, value in example.reference.cats.items()
                if label not in self.cfg["targets_of_others"]
            }
            labels.update(cats)
            if not self._find_positives(example.reference, cats):
                without_positive.setdefault(frozenset(cats), example.reference)
        if self.cfg["exclusive"]:
            if len(labels) == 1:
                raise ValueError(
                    f"[components.{self.name}] exclusive = true needs two categories or more, but "
                    f"[corpora.train] has only '{labels.pop()}'. Add the other category, or set "
                    "exclusive = false."
                )
            if frozenset(labels) in without_positive and labels:
                self._refuse_no_positive(without_positive[frozenset(labels)])
        return sorted(labels)

    def build_output(self, docs: Sequence[Doc]) -> None:
        """Give the network one score for each label.

        docs (Sequence[Doc]): A sample of documents.
        """
        self.model.set_dim("nO", len(self.labels))
        self.model.initialize(X=list(docs))

    def predict(self, docs: Iterable[Doc]) -> np.ndarray:
        """Score the categories of a batch.

        docs (Iterable[Doc]): The documents.
        RETURNS (np.ndarray): [documents, labels], probabilities; NaN for documents with scores
            that are not finite.
        """
        scores = self.model.ops.to_numpy(self.model.predict(list(docs)))
        finite = finite_rows(scores)
        if finite is not None:
            self.report_not_finite(int((~finite).sum()))
            scores = np.where(finite[:, None], scores, 0)
        if self.cfg["exclusive"]:
            scores = np.exp(scores - _log_sum_exp(scores, np.ones_like(scores, dtype=bool)))
            scores = scores / scores.sum(axis=1, keepdims=True)
        else:
            scores = _sigmoid(scores)
        if finite is not None:
            scores[~finite] = np.nan
        return scores

    def set_annotations(self, docs: Iterable[Doc], scores: np.ndarray) -> None:
        """Write the scores to `Doc.cats`, beside what other components wrote there.

        docs (Iterable[Doc]): The documents.
        scores (np.ndarray): [documents, labels]. Nothing is written for a row with NaN.
        """
        write_cats(docs, self.labels, scores)

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score categories, and warn of references with categories that no component has. Each
        such warning is given once.

        examples (Iterable[Example]): The examples, with predictions.
        **kwargs (Any): Passed to the scorer.
        RETURNS (Dict[str, Any]): The scores.
        """
        examples = list(examples)
        message = self._choose(examples).describe(self.name)
        if message and message not in self._said:
            self._said.add(message)
            warn(message)
        return super().score(examples, **kwargs)

    def _choose(self, examples: Iterable[Example]) -> ScoredReferences:
        settings = ("exclusive", "rivals", "targets_of_others")
        return choose_references(
            examples, labels=self.labels, **{name: self.cfg[name] for name in settings}
        )

    def train_step(self, examples: Sequence[Example], docs: Sequence[Doc]) -> float:
        """Run the network, find the loss, and send its gradient back.

        examples (Sequence[Example]): All examples of the step.
        docs (Sequence[Doc]): Their predicted documents.
        RETURNS (float): The mean over the annotated documents, if exclusive; else over all known
            labels of all documents.
        """
        known, truths = self._gold(examples)
        scores, backprop = self.model.begin_update(list(docs))
        own = self.model.ops.to_numpy(scores)
        if self.cfg["exclusive"]:
            self._check_exclusive(examples, known, truths)
            loss, d_scores = exclusive_loss(own, known, truths)
        else:
            loss, d_scores = independent_loss(own, known, truths)
        self.check_loss(loss)
        backprop(self.model.ops.asarray2f(d_scores))
        decisions = known.any(axis=1) if self.cfg["exclusive"] else known
        report_num_targets(self.model, int(decisions.sum()))
        return loss

    def _gold(self, examples: Sequence[Example]) -> tuple[np.ndarray, np.ndarray]:
        """Which labels are known, and which are right: bool [documents, labels] each."""
        number = {label: i for i, label in enumerate(self.labels)}
        known = np.zeros((len(examples), len(number)), dtype=bool)
        truths = np.zeros_like(known)
        for row, example in enumerate(examples):
            cats = example.reference.cats
            own = {label: value for label, value in cats.items() if label in number}
            known[row, [number[label] for label in own]] = True
            positives = self._find_positives(example.reference, own)
            truths[row, [number[label] for label in positives]] = True
        return known, truths

    def _find_positives(self, doc: Doc, cats: dict[str, float]) -> list[str]:
        """The right categories among some of a document."""
        for fault in self._describe_faults(doc, cats):
            raise ValueError(f"Component '{self.name}': {fault.message}")
        return [label for label, value in cats.items() if value]

    def _describe_faults(self, doc: Doc, cats: dict[str, float]) -> list[Fault]:
        faults = [
            Fault(
                self.name,
                "cats",
                (label,),
                f"Doc.cats[{label!r}] is {value!r} for {quote(doc)}. Annotate a category with 1.0 "
                "or 0.0, or leave it out where it is unknown. If it is a number that another "
                "component is to predict, name it in that one's targets (mtl_regression), or name "
                f"this one's labels in [initialize.components.{self.name}] labels.",
            )
            for label, value in cats.items()
            if value not in (0, 1)
        ]
        positives = tuple(label for label, value in cats.items() if value == 1)
        if self.cfg["exclusive"] and len(positives) > 1:
            message = (
                f"the categories {', '.join(map(repr, positives))} are all 1.0 for {quote(doc)}, "
                f"but [components.{self.name}] exclusive is true. Set it to false, correct the "
                "document, or, where some labels are another component's, name this one's in "
                f"[initialize.components.{self.name}] labels."
            )
            faults.append(Fault(self.name, "cats", positives, message))
        return faults

    def _check_exclusive(
        self, examples: Sequence[Example], known: np.ndarray, truths: np.ndarray
    ) -> None:
        for row in np.flatnonzero(known.all(axis=1) & ~truths.any(axis=1)).tolist():
            self._refuse_no_positive(examples[row].reference)

    def _refuse_no_positive(self, doc: Doc) -> None:
        raise ValueError(
            f"Component '{self.name}': every category is 0.0 for {quote(doc)}, but "
            f"[components.{self.name}] exclusive is true. Set it to false, add a category for "
            "such documents, or leave out the labels that are unknown."
        )


def write_cats(docs: Iterable[Doc], labels: Sequence[str], values: np.ndarray) -> None:
    """Write numbers to `Doc.cats`, beside what is there.

    docs (Iterable[Doc]): The documents.
    labels (Sequence[str]): The keys.
    values (np.ndarray): [documents, labels]. Nothing is written for a row that is not finite.
    """
    finite = finite_rows(values)
    for number, (doc, row) in enumerate(zip(docs, values.tolist(), strict=True)):
        if finite is None or finite[number]:
            doc.cats.update(zip(labels, row, strict=True))


def exclusive_loss(
    scores: np.ndarray, known: np.ndarray, truths: np.ndarray
) -> tuple[float, np.ndarray]:
    """-log of the probability that the categories which can be right have together under a
    softmax, as a mean over the documents with any known label.

    scores (np.ndarray): [documents, labels], logits.
    known (np.ndarray): [documents, labels], bool, which labels are annotated.
    truths (np.ndarray): [documents, labels], bool, which are right: one at most in a row.
    RETURNS (Tuple[float, np.ndarray]): The loss and its gradient [documents, labels].
    """
    possible = np.where(truths.any(axis=1, keepdims=True), truths, ~known)
    everything = np.ones_like(possible)
    annotated = known.any(axis=1, keepdims=True)  # [documents, 1]
    n_annotated = max(int(annotated.sum()), 1)
    log_all = _log_sum_exp(scores, everything)  # [documents, 1]
    log_possible = _log_sum_exp(scores, possible)
    among_possible = np.exp(np.where(possible, scores, -np.inf) - log_possible)
    gradient = (np.exp(scores - log_all) - among_possible) * annotated
    loss = float(((log_all - log_possible) * annotated).sum()) / n_annotated
    return loss, gradient / n_annotated


def independent_loss(
    scores: np.ndarray, known: np.ndarray, truths: np.ndarray
) -> tuple[float, np.ndarray]:
    """Cross-entropy of each label by itself, as a mean over all known labels.

    scores (np.ndarray): [documents, labels], logits.
    known (np.ndarray): [documents, labels], bool, which labels are annotated.
    truths (np.ndarray): [documents, labels], bool, which are right.
    RETURNS (Tuple[float, np.ndarray]): The loss and its gradient [documents, labels].
    """
    n_known = max(int(known.sum()), 1)
    targets = np.where(known, truths, np.nan)
    loss, gradient = binary_cross_entropy(cast(Floats2d, scores), cast(Floats2d, targets))
    return loss / n_known, gradient / n_known


def _log_sum_exp(scores: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """log of the sum of exp over the chosen columns, at least one in a row: [rows, 1]."""
    masked = np.where(chosen, scores, -np.inf)
    highest = masked.max(axis=1, keepdims=True, initial=-np.inf)
    return np.asarray(highest + np.log(np.exp(masked - highest).sum(axis=1, keepdims=True)))


def _sigmoid(scores: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(-np.logaddexp(0.0, -scores)))
