"""The head for numbers that describe a document."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from spacy.language import Language
from spacy.pipeline import TextCategorizer
from spacy.tokens import Doc
from spacy.training import Example, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Config, Model
from thinc.types import Floats2d

from ..corpora.faults import Fault, Places, names_labels
from ..trunk.listener import report_num_targets
from ..util.finite import finite_rows
from ..util.quoting import quote
from .head import Head
from .regression_scorer import is_finite
from .textcat import CategoryHead, write_cats

Loss = Literal["squared", "absolute"]

DEFAULT_CONFIG = """
[model]
@architectures = "spacy_mtl.TextClassifier.v1"
hidden_width = 0

[model.tok2vec]
@architectures = "spacy_mtl.TrunkListener.v1"

[scorer]
@scorers = "spacy_mtl.regression_scorer.v1"
"""


@Language.factory(
    "mtl_regression",
    assigns=["doc.cats"],
    requires=["doc.tensor"],
    default_config={
        "targets": [],
        "loss": "squared",
        **Config().from_str(DEFAULT_CONFIG),
    },
    default_score_weights={
        "regression_r": 1.0,
        "regression_mae": 0.0,
        "regression_rmse": None,
        "regression_rho": None,
        "regression_r2": None,
        "regression_per_target": None,
    },
)
def make_mtl_regression(
    nlp: Language,
    name: str,
    model: Model[list[Doc], Floats2d],
    targets: list[str],
    loss: Loss,
    scorer: Callable[..., dict[str, Any]] | None,
) -> "RegressionHead":
    """Create a head for numbers that describe a document, such as a star rating.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model[List[Doc], Floats2d]): Gives one number for each target of each document.
    targets (List[str]): The keys of `Doc.cats` to predict. Empty: all of them, which only works
        where no other component of the pipeline reads `Doc.cats`.
    loss (Literal["squared", "absolute"]): What is minimised: the squared error, whose best guess is
        a mean, or the absolute error, whose best guess is a median, and which outliers sway less.
    scorer (Optional[Callable]): The scorer.
    RETURNS (RegressionHead): The head.
    """
    return RegressionHead(nlp.vocab, model, name, scorer=scorer, targets=targets, loss=loss)


@dataclass(frozen=True)
class Scale:
    """What the values of a target were like in training.

    mean (float): Their mean.
    deviation (float): Their standard deviation; 1 where they are all the same.
    """

    mean: float
    deviation: float


class RegressionHead(Head):
    """Gives each document a number for each target, in `Doc.cats`.

    Annotation goes by target: a target that is not a key of the reference's `cats` is unknown.
    The network learns `(value - mean) / deviation`, with mean and deviation of the training
    documents, so that its loss does not depend on the unit of the target: predicting the mean has a
    squared error of about 1. Predictions are in the target's own unit.
    """

    annotation = "numbers (Doc.cats)"

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], Floats2d],
        name: str,
        *,
        targets: Sequence[str] = (),
        loss: Loss = "squared",
        scorer: Callable[..., dict[str, Any]] | None = None,
    ) -> None:
        """Create a head.

        vocab (Vocab): The shared vocabulary.
        model (Model[List[Doc], Floats2d]): Gives one number for each target of each document.
        name (str): The component's name.
        targets (Sequence[str]): The keys of `Doc.cats` to predict; empty: all.
        loss (Literal["squared", "absolute"]): What is minimised.
        scorer (Optional[Callable]): The scorer.
        RAISES (ValueError): If there is no such loss.
        """
        if loss not in get_args(Loss):
            raise ValueError(
                f"[components.{name}] loss is {loss!r}; choose one of "
                f"{', '.join(map(repr, get_args(Loss)))}."
            )
        super().__init__(
            vocab, model, name, scorer=scorer, targets=list(targets), loss=loss, scales="{}"
        )

    @property
    def targets(self) -> tuple[str, ...]:
        """RETURNS (Tuple[str, ...]): The keys of `Doc.cats` that are this head's."""
        return tuple(self.cfg["labels"] or self.cfg["targets"])

    @property
    def scales(self) -> dict[str, Scale]:
        """RETURNS (Dict[str, Scale]): Mean and deviation of each target in training."""
        return {name: Scale(**values) for name, values in json.loads(self.cfg["scales"]).items()}

    @property
    def label_data(self) -> dict[str, dict[str, float]]:  # type: ignore[override]
        """RETURNS (Dict[str, Dict[str, float]]): What `spacy init labels` saves and `initialize`
        takes: mean and deviation by target."""
        return {name: asdict(scale) for name, scale in self.scales.items()}

    def is_annotated(self, example: Example) -> bool:
        """Tell whether the reference's `cats` holds one of the head's targets; before the head has
        targets, any key.

        example (Example): The example.
        RETURNS (bool): Whether the head can learn from it.
        """
        cats = example.reference.cats
        targets = self.targets
        return any(target in cats for target in targets) if targets else bool(cats)

    def find_faults(self, doc: Doc, nlp: Language | None = None) -> list[Fault]:
        """Find values of a reference that are not finite numbers.

        doc (Doc): The reference.
        nlp (Optional[Language]): The pipeline.
        RETURNS (List[Fault]): The faults; none while it is not known which keys are this head's.
        """
        targets = self.targets
        if not targets and not names_labels(nlp, self.name):
            targets = tuple(doc.cats)
        return [
            Fault(self.name, "cats", (target,), self._describe_value(doc, target))
            for target in targets
            if target in doc.cats and not is_finite(doc.cats[target])
        ]

    def find_labels(self, examples: Iterable[Example]) -> list[str]:
        """Collect the targets.

        examples (Iterable[Example]): The annotated examples.
        RETURNS (List[str]): Those set in the config; else all keys of `Doc.cats`, sorted.
        """
        if self.targets:
            return list(self.targets)
        return sorted({key for example in examples for key in example.reference.cats})

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Mapping[str, Mapping[str, float]] | Sequence[str] | None = None,
    ) -> None:
        """Find the targets, measure mean and deviation of each, and initialize the network.

        get_examples (Callable[[], Iterable[Example]]): The training corpus, or a sample of it.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[Union[Mapping, Sequence[str]]]): Mean and deviation by target, as
            `spacy init labels` saves them; or the targets' names; or None, to use those in the
            config or the examples.
        RAISES (ValueError): If there is nothing to learn, a value is not a finite number, or it is
            not clear which keys of `Doc.cats` are this head's.
        """
        validate_get_examples(get_examples, f"{type(self).__name__}.initialize")
        names = self._choose_targets(nlp, labels)
        was_built = self._is_built()
        if isinstance(labels, Mapping):
            scales = {target: self._given_scale(target, labels[target]) for target in labels}
        elif was_built and names is not None and set(names) == set(self.labels):
            scales = self.scales
        else:
            if names is None:
                names = self._find_labels_or_explain(get_examples, nlp)
            scales = self._measure(get_examples, names)
        super().initialize(get_examples, nlp=nlp, labels=list(scales))
        if not was_built:
            self.cfg["scales"] = json.dumps({name: asdict(scales[name]) for name in scales})

    def build_output(self, docs: Sequence[Doc]) -> None:
        """Give the network one number for each target.

        docs (Sequence[Doc]): A sample of documents.
        """
        self.model.set_dim("nO", len(self.labels))
        self.model.initialize(X=list(docs))

    def predict(self, docs: Iterable[Doc]) -> np.ndarray:
        """Predict the targets of a batch.

        docs (Iterable[Doc]): The documents.
        RETURNS (np.ndarray): [documents, targets], float64, in the targets' own units; not finite
            where the network's numbers are not.
        """
        standardized = self.model.ops.to_numpy(self.model.predict(list(docs)))
        finite = finite_rows(standardized)
        if finite is not None:
            self.report_not_finite(int((~finite).sum()))
        means, deviations = self._scale_arrays()
        return standardized.astype(np.float64) * deviations + means

    def set_annotations(self, docs: Iterable[Doc], scores: np.ndarray) -> None:
        """Write the numbers to `Doc.cats`, beside what other components wrote there.

        docs (Iterable[Doc]): The documents.
        scores (np.ndarray): [documents, targets]. Nothing is written for a row that is not finite.
        """
        write_cats(docs, self.labels, scores)

    def train_step(self, examples: Sequence[Example], docs: Sequence[Doc]) -> float:
        """Run the network, find the error, and send its gradient back.

        examples (Sequence[Example]): All examples of the step.
        docs (Sequence[Doc]): Their predicted documents.
        RETURNS (float): The mean over all known targets of all documents, in deviations (squared,
            where the loss is).
        """
        means, deviations = self._scale_arrays()
        wanted = (self._gold(examples) - means) / deviations
        outputs, backprop = self.model.begin_update(list(docs))
        find_error = squared_error if self.cfg["loss"] == "squared" else absolute_error
        loss, gradient = find_error(self.model.ops.to_numpy(outputs), wanted)
        self.check_loss(loss)
        backprop(self.model.ops.asarray2f(gradient.astype(np.float32)))
        report_num_targets(self.model, int((~np.isnan(wanted)).sum()))
        return loss

    def _scale_arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Means and deviations: [targets] each."""
        scales = [self.scales[name] for name in self.labels]
        return (
            np.array([scale.mean for scale in scales]),
            np.array([scale.deviation for scale in scales]),
        )

    def _gold(self, examples: Sequence[Example]) -> np.ndarray:
        """The values, NaN where unknown: [documents, targets]."""
        return np.array(
            [[self._value(eg.reference, name) for name in self.labels] for eg in examples]
        )

    def _value(self, doc: Doc, target: str) -> float:
        """A target's value, NaN where the document has none."""
        if target not in doc.cats:
            return math.nan
        if not is_finite(doc.cats[target]):
            raise ValueError(f"Component '{self.name}': {self._describe_value(doc, target)}")
        return float(doc.cats[target])

    def _describe_value(self, doc: Doc, target: str) -> str:
        return (
            f"Doc.cats[{target!r}] is {doc.cats[target]!r} for {quote(doc)}. Annotate a finite "
            "number, or leave the key out where it is unknown."
        )

    def _measure(
        self, get_examples: Callable[[], Iterable[Example]], targets: Sequence[str]
    ) -> dict[str, Scale]:
        values: dict[str, list[float]] = {target: [] for target in targets}
        n_examples = 0
        refused = Places()
        for example in get_examples():
            n_examples += 1
            doc = example.reference
            known = values.keys() & doc.cats.keys()
            bad = sorted(target for target in known if not is_finite(doc.cats[target]))
            if bad:
                refused.add([self._describe_value(doc, target) for target in bad])
            for target in known - set(bad):
                values[target].append(float(doc.cats[target]))
        self._refuse(refused)
        for target, found in values.items():
            if not found:
                raise ValueError(
                    f"Component '{self.name}': none of {n_examples} training documents has a value "
                    f"for the target '{target}' (Doc.cats['{target}']). Correct [components."
                    f"{self.name}] targets or [corpora.train]; where the documents that "
                    "initialize the pipeline are only the first of many, save the targets of all "
                    "with `spacy init labels` and name the file in "
                    f"[initialize.components.{self.name}] labels."
                )
        return {target: _scale_of(target, found) for target, found in values.items()}

    def _choose_targets(
        self,
        nlp: Language | None,
        labels: Mapping[str, Mapping[str, float]] | Sequence[str] | None,
    ) -> list[str] | None:
        """The targets that were named anywhere; None where they are to be found."""
        own = list(self.targets)
        if labels is not None:
            if own and set(own) != set(labels):
                raise ValueError(
                    f"[initialize.components.{self.name}] labels are {', '.join(labels)}, but "
                    f"[components.{self.name}] targets are {', '.join(own)}. Remove one of the two."
                )
            return list(labels)
        if own:
            return own
        others = [] if nlp is None else self._other_readers(nlp)
        if others:
            raise ValueError(
                f"[components.{self.name}] targets is empty, so that it would take every key of "
                f"Doc.cats, but {', '.join(map(repr, others))} read Doc.cats as well. Name the "
                f'keys that are numbers, as in targets = ["stars"].'
            )
        return None

    def _other_readers(self, nlp: Language) -> list[str]:
        kinds = (CategoryHead, RegressionHead, TextCategorizer)
        return [n for n, pipe in nlp.pipeline if isinstance(pipe, kinds) and pipe is not self]

    def _given_scale(self, target: str, values: Mapping[str, float]) -> Scale:
        try:
            scale = Scale(float(values["mean"]), float(values["deviation"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"[initialize.components.{self.name}] labels: '{target}' needs a mean and a "
                f"deviation, found {values!r}. Write the file with `spacy init labels`."
            ) from error
        if not math.isfinite(scale.mean) or not 0.0 < scale.deviation < math.inf:
            raise ValueError(
                f"[initialize.components.{self.name}] labels: the mean and the deviation of "
                f"'{target}' are {scale.mean} and {scale.deviation}; they must be finite, and the "
                "deviation above 0."
            )
        return scale


def squared_error(outputs: np.ndarray, wanted: np.ndarray) -> tuple[float, np.ndarray]:
    """The squared difference, as a mean over all known values.

    outputs (np.ndarray): [documents, targets].
    wanted (np.ndarray): [documents, targets], NaN where unknown.
    RETURNS (Tuple[float, np.ndarray]): The loss and its gradient [documents, targets].
    """
    difference, n_known = _difference(outputs, wanted)
    return float((difference**2).sum()) / n_known, 2.0 * difference / n_known


def absolute_error(outputs: np.ndarray, wanted: np.ndarray) -> tuple[float, np.ndarray]:
    """The absolute difference, as a mean over all known values.

    outputs (np.ndarray): [documents, targets].
    wanted (np.ndarray): [documents, targets], NaN where unknown.
    RETURNS (Tuple[float, np.ndarray]): The loss and its gradient [documents, targets].
    """
    difference, n_known = _difference(outputs, wanted)
    return float(np.abs(difference).sum()) / n_known, np.sign(difference) / n_known


def _difference(outputs: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, int]:
    """The difference, 0 where unknown, and the number of known values, at least 1."""
    known = ~np.isnan(wanted)
    return np.where(known, outputs - wanted, 0.0), max(int(known.sum()), 1)


def _scale_of(target: str, values: Sequence[float]) -> Scale:
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = float(np.mean(values)), float(np.std(values))
    if not math.isfinite(mean) or not math.isfinite(deviation):
        raise ValueError(
            f"The values of Doc.cats['{target}'] are too large to compute with (up to "
            f"{max(map(abs, values)):g}): use another unit."
        )
    return Scale(mean, deviation or 1.0)
