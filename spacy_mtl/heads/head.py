"""What all heads of this package share."""

import itertools
import math
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate

from ..corpora.faults import Fault, FaultyAnnotation, Places
from ..trunk.links import connect_to_trunks
from ..trunk.listener import expect_trunk, is_adopted
from ..util.finite import diverged, warn_not_finite
from ..util.messages import warn
from ..util.quoting import count_labels
from ..util.serialization import CheckedFiles
from .score_names import find_rivals, rename_weights

INIT_SAMPLE = 10


class Head(CheckedFiles, TrainablePipe):
    """A trainable component that learns from the documents annotated for its task, and from
    those only.

    A subclass says when an example is annotated, which labels a corpus holds, what the loss is,
    and how scores become annotations. Its gradient is the mean over the annotated units of the
    batch, so that the trunk need not normalise it.
    """

    normalizes_gradient = True
    annotation: str  # what the head needs, for messages: "entities (Doc.ents)"

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str,
        *,
        scorer: Callable[..., dict[str, Any]] | None = None,
        **cfg: Any,
    ) -> None:
        """Create a head.

        vocab (Vocab): The shared vocabulary.
        model (Model): The network, with a token-to-vector layer or a listener inside.
        name (str): The component's name: the name of its task.
        scorer (Optional[Callable]): Scores examples; see `spacy.scorer.Scorer`.
        **cfg (Any): Settings that are saved with the component.
        """
        super().__init__(vocab, model, name, **cfg)
        self.scorer = scorer
        self.cfg.setdefault("labels", [])
        self.cfg.update(score_prefix="", rivals={})
        self._has_warned_of_labels = False
        self._n_updates = 0
        self._has_warned_not_finite = False
        expect_trunk(model, name)

    @property
    def labels(self) -> tuple[str, ...]:
        """RETURNS (Tuple[str, ...]): The labels, in the order of the network's outputs."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> list[str]:
        """RETURNS (List[str]): What `spacy init labels` saves and `initialize` takes."""
        return list(self.cfg["labels"])

    @abstractmethod
    def is_annotated(self, example: Example) -> bool:
        """Tell whether an example's reference is annotated for this task.

        example (Example): The example.
        RETURNS (bool): Whether the head can learn from it.
        """

    def is_scored(self, example: Example) -> bool:
        """Tell whether an example has a part in the head's scores.

        example (Example): The example.
        RETURNS (bool): Whether the scorer counts it.
        """
        return self.is_annotated(example)

    def gold_labels(self, reference: Doc) -> Collection[str]:
        """List the labels that a reference holds for this kind of head, to find those that the head
        does not have.

        reference (Doc): The annotated document.
        RETURNS (Collection[str]): The labels; none for heads whose labels are not a closed set.
        """
        return ()

    def find_unknown(self, labels: Iterable[str]) -> list[str]:
        """Choose the labels that no component has: neither this head nor its rivals, see `score`.

        labels (Iterable[str]): Labels of references.
        RETURNS (List[str]): Those that nobody has. None at all where it is not known which labels
            a rival has.
        """
        rivals: dict[str, list[str]] = self.cfg["rivals"]
        known = {*self.labels, *itertools.chain(*rivals.values())}
        return [label for label in labels if label not in known] if all(rivals.values()) else []

    @abstractmethod
    def find_labels(self, examples: Iterable[Example]) -> list[str]:
        """Collect the labels of a corpus.

        examples (Iterable[Example]): The annotated examples.
        RETURNS (List[str]): The labels, sorted.
        """

    def find_faults(self, doc: Doc, nlp: Language | None = None) -> list[Fault]:
        """Find annotation of a reference that this head can't learn from.

        doc (Doc): The reference.
        nlp (Optional[Language]): The pipeline, whose other components have annotation of their own.
        RETURNS (List[Fault]): The faults; none where a subclass can learn from anything.
        """
        return []

    @abstractmethod
    def build_output(self, docs: Sequence[Doc]) -> None:
        """Give the network its output for `self.labels`, and initialize it.

        docs (Sequence[Doc]): A sample of documents.
        """

    @abstractmethod
    def train_step(self, examples: Sequence[Example], docs: Sequence[Doc]) -> float:
        """Run the network on documents, find the loss and its gradient, and send it back.

        examples (Sequence[Example]): All examples of the step. Those that are not annotated get
            no gradient.
        docs (Sequence[Doc]): Their predicted documents.
        RETURNS (float): The loss, a mean over the annotated units.
        RAISES (DivergedError): If it is not finite; see `check_loss`.
        """

    def add_label(self, label: str) -> int:
        """Add a label to a head that is not initialized yet.

        label (str): The label.
        RETURNS (int): 0 if the label was there already, 1 otherwise.
        RAISES (ValueError): If the label is not a string, or the network has its outputs already.
        """
        if not isinstance(label, str):
            raise ValueError(f"[components.{self.name}] A label must be a string, not {label!r}.")
        if label in self.cfg["labels"]:
            return 0
        if self._is_built():
            raise ValueError(
                f"[components.{self.name}] The network is already built for the labels "
                f"{', '.join(self.labels)}; '{label}' can't be added. Name all labels in "
                f"[initialize.components.{self.name}] labels and initialize again."
            )
        self.cfg["labels"].append(label)
        return 1

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """Find the labels and initialize the network.

        get_examples (Callable[[], Iterable[Example]]): The training corpus, or a sample of it.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[Sequence[str]]): The labels, as `spacy init labels` saves them. Where
            None, they are found in the examples.
        RAISES (ValueError): If there is no label to learn, or no trunk to read.
        """
        validate_get_examples(get_examples, f"{type(self).__name__}.initialize")
        self._connect_to_trunks(nlp)
        if labels is None:
            labels = self._find_labels_or_explain(get_examples, nlp)
        is_ready = self._is_built() and list(self.labels) == list(labels)
        for label in labels:
            self.add_label(label)
        if not self.labels:
            raise ValueError(
                f"[initialize.components.{self.name}] labels is empty: there is nothing to learn."
            )
        if nlp is not None:
            self.meet_rivals(nlp)
        if is_ready:
            return
        sample = [eg.predicted for eg in itertools.islice(get_examples(), INIT_SAMPLE)]
        self.build_output(sample)

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from the annotated examples of a batch.

        Without any, nothing is computed and no gradient is sent to a trunk of this package.

        examples (Iterable[Example]): The batch.
        drop (float): The dropout rate.
        sgd (Optional[Optimizer]): The optimizer.
        losses (Optional[Dict[str, float]]): Gets the loss under the component's name.
        RETURNS (Dict[str, float]): The updated losses.
        RAISES (DivergedError): If the loss is not finite.
        """
        if losses is None:
            losses = {}
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.update")
        self._warn_of_unknown_labels(examples)
        annotated = [eg for eg in examples if len(eg.predicted) and self.is_annotated(eg)]
        if self._reads_parts():
            examples = annotated
        if not any(len(eg.predicted) for eg in examples):
            return losses
        set_dropout_rate(self.model, drop)
        self._n_updates += 1
        losses[self.name] += self.train_step(examples, [eg.predicted for eg in examples])
        if sgd is not None:
            self.finish_update(sgd)
        return losses

    def finish_update(self, sgd: Optimizer) -> None:
        """Update the parameters.

        sgd (Optimizer): The optimizer.
        RAISES (DivergedError): If a gradient is not finite.
        """
        try:
            super().finish_update(sgd)
        except FloatingPointError as error:
            raise diverged(self.name, str(error), self._n_updates) from error

    def check_loss(self, loss: float) -> None:
        """Stop a training that has diverged, before any gradient is sent back.

        loss (float): The loss of a batch, or a part of it.
        RAISES (DivergedError): If it is not finite.
        """
        if not math.isfinite(loss):
            raise diverged(self.name, f"its loss is {loss}", self._n_updates)

    def report_not_finite(self, n_docs: int) -> None:
        """Warn, the first time, that documents get no annotation.

        n_docs (int): The number of documents in this batch whose scores are not finite.
        """
        if not self._has_warned_not_finite:
            self._has_warned_not_finite = True
            warn_not_finite(self.name, self.annotation, n_docs)

    def plain_score_name(self, score: str) -> str:
        """Name a score as the head's scorer does.

        score (str): A name among the `default_score_weights` of the factory.
        RETURNS (str): The name.
        """
        return score

    def score_name(self, score: str) -> str:
        """Name a score as `score` does.

        score (str): A name among the `default_score_weights` of the factory.
        RETURNS (str): The name, which begins with that of the head if it has rivals.
        """
        return f"{self.cfg['score_prefix']}{self.plain_score_name(score)}"

    def meet_rivals(self, nlp: Language) -> None:
        """Find the components whose scores have the same names, and name those of this head apart.
        Usually internal.

        nlp (Language): The pipeline. Its `[training.score_weights]` follow.
        """
        rivals = find_rivals(nlp, self.name)
        self.cfg["rivals"] = {
            name: list(getattr(pipe, "labels", ())) for name, pipe in rivals.items()
        }
        for pipe in rivals.values():
            if isinstance(pipe, Head):
                pipe.cfg["rivals"][self.name] = list(self.labels)
        self.cfg["score_prefix"] = f"{self.name}_" if rivals else ""
        rename_weights(nlp, self.name)

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score examples.

        examples (Iterable[Example]): The examples, with predictions.
        **kwargs (Any): Passed to the scorer.
        RETURNS (Dict[str, Any]): The scores. If other components of the pipeline, its rivals, would
            write the same names when the head is initialized, the head's name and `_` come before
            them.
        """
        scores = super().score(examples, **kwargs)
        return {f"{self.cfg['score_prefix']}{name}": value for name, value in scores.items()}

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
        **config: Any,
    ) -> dict[str, float]:
        """Refuse `nlp.rehearse`, rather than learn nothing there.

        examples (Iterable[Example]): Not used.
        sgd (Optional[Optimizer]): Not used.
        losses (Optional[Dict[str, float]]): Not used.
        **config (Any): Not used.
        RAISES (NotImplementedError): Always.
        """
        raise NotImplementedError(
            f"Component '{self.name}' can't rehearse. Go on training with nlp.update, on documents "
            "of the earlier tasks among the new ones, or pass nlp.rehearse(..., "
            f"exclude=['{self.name}']), with all other components of this package."
        )

    def _connect_to_trunks(self, nlp: Language | None) -> None:
        if nlp is not None and self.name in nlp.component_names:
            connect_to_trunks(nlp, self.name)

    def _warn_of_unknown_labels(self, examples: Sequence[Example]) -> None:
        """Once, for the first batch that has any. It is not said before, because the rivals' labels
        are not all known while the pipeline is being initialized."""
        if self._has_warned_of_labels:
            return
        unknown = [set(self.find_unknown(self.gold_labels(eg.reference))) for eg in examples]
        if not any(unknown):
            return
        self._has_warned_of_labels = True
        counts = Counter(label for labels in unknown for label in labels)
        warn(
            f"Component '{self.name}': {sum(map(bool, unknown))} of {len(examples)} documents in a "
            f"training batch have labels that no component has: {count_labels(counts)}. They are "
            f"not learned. To learn them, name them in [initialize.components.{self.name}] labels; "
            "`spacy init labels` finds all of a corpus. Later batches are not reported."
        )

    def _reads_parts(self) -> bool:
        """Listeners of spaCy's own trunks give the whole batch or nothing, and the last of them has
        to send a gradient, if only zeros; all other networks take any part of a batch.
        """
        return all(is_adopted(node) for node in self.model.walk() if hasattr(node, "upstream_name"))

    def _is_built(self) -> bool:
        return bool(self.model.has_dim("nO"))

    def _find_labels_or_explain(
        self, get_examples: Callable[[], Iterable[Example]], nlp: Language | None
    ) -> list[str]:
        n_examples = 0
        n_annotated = 0
        refused = Places()

        def annotated() -> Iterator[Example]:
            nonlocal n_examples, n_annotated
            for example in get_examples():
                n_examples += 1
                faults = self.find_faults(example.reference, nlp)
                if faults:
                    refused.add([fault.message for fault in faults])
                elif self.is_annotated(example):
                    n_annotated += 1
                    yield example

        labels = self.find_labels(annotated())
        self._refuse(refused)
        if not labels and not self.labels:
            found = (
                f"none of {n_examples} training documents is annotated with {self.annotation}"
                if not n_annotated
                else f"{n_annotated} of {n_examples} training documents are annotated with "
                f"{self.annotation}, but hold no label"
            )
            raise ValueError(
                f"Component '{self.name}' has no labels to learn: {found}. Check [corpora.train], "
                f"name the labels in [initialize.components.{self.name}] labels, or remove "
                f"'{self.name}' from [nlp] pipeline."
            )
        return labels

    def _refuse(self, places: Places) -> None:
        """RAISES (FaultyAnnotation): If there is annotation that can't be learned from."""
        if places.n_docs:
            raise FaultyAnnotation(
                f"Component '{self.name}': {places.describe()}\nCorrect the data, or read it with "
                "spacy_mtl.Corpus.v1, which leaves such annotation out where skip_malformed = true."
            )
