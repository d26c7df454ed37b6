"""What all heads of this package share."""

import itertools
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate

from ..faults import Fault, FaultyAnnotation, Places
from ..serialization import CheckedFiles
from ..trunk.listener import expect_trunk, is_adopted

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
    def learn(self, examples: Sequence[Example], docs: Sequence[Doc]) -> float:
        """Run the network on documents, find the loss and its gradient, and send it back.

        examples (Sequence[Example]): All examples of the step. Those that are not annotated get
            no gradient.
        docs (Sequence[Doc]): Their predicted documents.
        RETURNS (float): The loss, a mean over the annotated units.
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
        RAISES (ValueError): If there is no label to learn.
        """
        validate_get_examples(get_examples, f"{type(self).__name__}.initialize")
        if labels is None:
            labels = self._find_labels_or_explain(get_examples, nlp)
        if self._is_built() and list(self.labels) == list(labels):
            return
        for label in labels:
            self.add_label(label)
        if not self.labels:
            raise ValueError(
                f"[initialize.components.{self.name}] labels is empty: there is nothing to learn."
            )
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
        """
        if losses is None:
            losses = {}
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.update")
        annotated = [eg for eg in examples if len(eg.predicted) and self.is_annotated(eg)]
        if self._reads_parts():
            examples = annotated
        if not any(len(eg.predicted) for eg in examples):
            return losses
        set_dropout_rate(self.model, drop)
        losses[self.name] += self.learn(examples, [eg.predicted for eg in examples])
        if sgd is not None:
            self.finish_update(sgd)
        return losses

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
