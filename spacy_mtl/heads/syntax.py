"""The head that tells tags and dependencies, in training only, to teach the trunk syntax."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from spacy.attrs import DEP, HEAD, ORTH, POS, TAG
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Config, Model
from thinc.types import Floats2d

from ..models.layers.losses import softmax_cross_entropy
from ..trunk.listener import report_num_targets
from ..util.finite import finite_rows
from .alignment_cache import AlignmentCache, text_and_attributes
from .training_only import TrainingOnlyHead

DEFAULT_CONFIG = """
[model]
@architectures = "spacy_mtl.TokenTagger.v1"
hidden_width = 0

[model.tok2vec]
@architectures = "spacy_mtl.TrunkListener.v1"

[scorer]
@scorers = "spacy_mtl.syntax_scorer.v1"
"""

ATTRIBUTES = {"TAG": TAG, "POS": POS, "DEP": DEP, "HEAD": HEAD}
FARTHEST = 5  # tokens between a word and its head; those that are farther off count as so far
UNKNOWN = -1  # in place of a class

Values = dict[str, list[str | None]]  # by attribute, the value at each token


@Language.factory(
    "mtl_syntax",
    requires=["doc.tensor"],
    default_config={
        "attributes": ["TAG", "DEP", "HEAD"],
        **Config().from_str(DEFAULT_CONFIG),
    },
    default_score_weights={"syntax_acc": 0.0, "syntax_acc_per_attribute": None},
)
def make_mtl_syntax(
    nlp: Language,
    name: str,
    model: Model[list[Doc], Floats2d],
    attributes: list[str],
    scorer: Callable[..., dict[str, Any]] | None,
) -> "SyntaxHead":
    """Create a head that teaches the trunk syntax. It predicts nothing.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model[List[Doc], Floats2d]): Scores each class of each token.
    attributes (List[str]): What to tell of each token: "TAG", "POS", "DEP" (the dependency label)
        and "HEAD" (on which side the head is, and how far away).
    scorer (Optional[Callable]): The scorer; None for none. It reads the evaluation documents once
        more.
    RETURNS (SyntaxHead): The head.
    """
    return SyntaxHead(nlp.vocab, model, name, scorer=scorer, attributes=attributes)


class SyntaxHead(TrainingOnlyHead):
    """Tells tags, dependency labels and the places of syntactic heads, in training only.

    It is a syntactic scaffold (Swayamdipta et al. 2018, https://aclanthology.org/D18-1412): a task
    beside semantic roles that makes the shared vectors know the sentence's structure and costs
    nothing afterwards. Each attribute has a softmax of its own over its values; a head is told by
    its distance in tokens, the sign being its side, as in dependency parsing by tagging (Strzyz et
    al. 2019, https://aclanthology.org/N19-1077). Documents need not have all attributes.

    Documents are left as they are in prediction, and nothing is computed. The head can be removed
    from a trained pipeline. To have tags or trees in documents use spaCy's `tagger` and `parser`
    behind the trunk.
    """

    annotation = "any of its attributes (Token.tag, Token.pos, Token.dep, Token.head)"

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], Floats2d],
        name: str,
        *,
        attributes: Sequence[str] = ("TAG", "DEP", "HEAD"),
        scorer: Callable[..., dict[str, Any]] | None = None,
    ) -> None:
        """Create a head.

        vocab (Vocab): The shared vocabulary.
        model (Model[List[Doc], Floats2d]): Scores each class of each token.
        name (str): The component's name.
        attributes (Sequence[str]): What to tell of each token.
        scorer (Optional[Callable]): The scorer.
        RAISES (ValueError): If there is no attribute, an unknown one, or one twice.
        """
        unknown = [attribute for attribute in attributes if attribute not in ATTRIBUTES]
        if unknown or not attributes or len(set(attributes)) < len(attributes):
            raise ValueError(
                f"[components.{name}] attributes is {list(attributes)!r}; choose among "
                f"{', '.join(ATTRIBUTES)}, each once."
            )
        super().__init__(vocab, model, name, scorer=scorer, attributes=list(attributes))
        self._aligned: AlignmentCache[Values] = AlignmentCache()

    def is_annotated(self, example: Example) -> bool:
        """Tell whether any token of the reference has any of the attributes.

        example (Example): The example.
        RETURNS (bool): Whether the head can learn from it.
        """
        return any(_has(example.reference, attribute) for attribute in self.cfg["attributes"])

    def find_labels(self, examples: Iterable[Example]) -> list[str]:
        """Collect the values of the attributes.

        examples (Iterable[Example]): The annotated examples.
        RETURNS (List[str]): Values such as "DEP=nsubj", sorted.
        """
        found: set[str] = set()
        for example in examples:
            for attribute, values in self._values(example.reference).items():
                found.update(f"{attribute}={value}" for value in values if value is not None)
        return sorted(found)

    def build_output(self, docs: Sequence[Doc]) -> None:
        """Give the network one score for each value of each attribute.

        docs (Sequence[Doc]): A sample of documents.
        """
        self.model.set_dim("nO", len(self.labels))
        self.model.initialize(X=list(docs))

    def train_step(self, examples: Sequence[Example], docs: Sequence[Doc]) -> float:
        """Run the network, find the cross-entropy of each attribute, and send the gradient back.

        examples (Sequence[Example]): All examples of the step.
        docs (Sequence[Doc]): Their predicted documents.
        RETURNS (float): The sum over the attributes, a mean over the annotated tokens.
        """
        scores, backprop = self.model.begin_update(list(docs))
        d_scores = self.model.ops.xp.zeros_like(scores)
        n_known = 0
        loss = 0.0
        for columns, classes in self._gold_classes(examples):
            part, d_scores[:, columns] = softmax_cross_entropy(scores[:, columns], classes)
            loss += part
            n_known = max(n_known, int((classes != UNKNOWN).sum()))
        self.check_loss(loss)
        d_scores /= max(n_known, 1)
        backprop(d_scores)
        report_num_targets(self.model, n_known)  # a word's place in the sentence counts as one
        return loss / max(n_known, 1)

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score what the head tells of the examples' predicted documents.

        examples (Iterable[Example]): The examples.
        **kwargs (Any): Passed to the scorer.
        RETURNS (Dict[str, Any]): The scores; none without a scorer.
        """
        return super().score(examples, count_right=self.count_right, **kwargs)

    def count_right(self, examples: Iterable[Example]) -> dict[str, tuple[int, int]]:
        """Count the tokens of which the head tells the right value.

        examples (Iterable[Example]): The examples. The trunk has read their predicted documents.
        RETURNS (Dict[str, Tuple[int, int]]): By attribute, the right ones and all that have a
            value in the reference.
        """
        examples = [eg for eg in examples if len(eg.predicted) and self.is_annotated(eg)]
        counts = {attribute: (0, 0) for attribute in self.cfg["attributes"]}
        if not examples:
            return counts
        predicted = self.model.predict([eg.predicted for eg in examples])
        scores = self.model.ops.to_numpy(predicted)
        finite = finite_rows(scores)
        if finite is not None:
            owner = np.repeat(np.arange(len(examples)), [len(eg.predicted) for eg in examples])
            self.report_not_finite(len(np.unique(owner[~finite])))
            scores = np.where(finite[:, None], scores, 0)
        parts = self._gold_classes(examples, or_new=True)
        for attribute, (columns, classes) in zip(self._columns(), parts, strict=True):
            known = classes != UNKNOWN
            is_right = scores[:, columns].argmax(axis=1) == classes
            if finite is not None:
                is_right &= finite
            counts[attribute] = int(is_right[known].sum()), int(known.sum())
        return counts

    def _columns(self) -> dict[str, slice]:
        """RETURNS (Dict[str, slice]): The scores that each attribute with any value has."""
        prefixes = [label.partition("=")[0] for label in self.labels]
        found = [name for name in self.cfg["attributes"] if name in prefixes]
        firsts = {name: prefixes.index(name) for name in found}
        return {name: slice(at, at + prefixes.count(name)) for name, at in firsts.items()}

    def _gold_classes(
        self, examples: Sequence[Example], or_new: bool = False
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Look up the values of the predicted documents' tokens.

        examples (Sequence[Example]): The examples.
        or_new (bool): Whether a value never seen is a class that is never right, not unknown.
        YIELDS (Tuple[slice, np.ndarray]): The scores of an attribute, and [tokens] the place of the
            right one among them, or UNKNOWN.
        """
        values = [self._gold_values(example) for example in examples]
        for attribute, columns in self._columns().items():
            names = [label.partition("=")[2] for label in self.labels[columns]]
            place: dict[str | None, int] = {name: i for i, name in enumerate(names)}
            new = len(names) if or_new else UNKNOWN
            place[None] = UNKNOWN
            all_values = (value for by_name in values for value in by_name[attribute])
            yield columns, np.fromiter((place.get(value, new) for value in all_values), np.int64)

    def _gold_values(self, example: Example) -> Values:
        """RETURNS (Dict[str, List[Optional[str]]]): The values at the tokens of the predicted
        document, None where there is none or the tokens don't align.
        """
        predicted, reference = example.predicted, example.reference
        if np.array_equal(predicted.to_array(ORTH), reference.to_array(ORTH)):
            return self._values(reference)
        content = text_and_attributes(example, [TAG, POS, DEP, HEAD])
        return self._aligned.get(example, content, lambda: self._aligned_values(example))

    def _aligned_values(self, example: Example) -> Values:
        to_reference, to_predicted = example.alignment.x2y, example.alignment.y2x
        counterparts = [to_reference[i].tolist() for i in range(len(example.predicted))]
        aligned = [
            tokens[0] if len(tokens) == 1 and len(to_predicted[tokens[0]]) == 1 else None
            for tokens in counterparts
        ]
        return {
            attribute: [None if at is None else values[at] for at in aligned]
            for attribute, values in self._values(example.reference).items()
        }

    def _values(self, doc: Doc) -> Values:
        return {attribute: _read(doc, attribute) for attribute in self.cfg["attributes"]}


def _read(doc: Doc, attribute: str) -> list[str | None]:
    """RETURNS (List[Optional[str]]): The value of an attribute at each token of a document."""
    if not _has(doc, attribute):
        return [None] * len(doc)
    if attribute == "POS":
        return [token.pos_ or None for token in doc]
    if attribute == "HEAD":
        deps, heads = np.asarray(doc.to_array([DEP, HEAD])).reshape(-1, 2).T
        offsets = np.clip(heads.astype(np.int64), -FARTHEST, FARTHEST).tolist()
        pairs = zip(deps.tolist(), offsets, strict=True)
        return [f"{offset:+d}" if dep else None for dep, offset in pairs]
    strings = doc.vocab.strings
    values = doc.to_array(ATTRIBUTES[attribute]).reshape(-1).tolist()
    return [strings[value] if value else None for value in values]


def _has(doc: Doc, attribute: str) -> bool:
    return bool(doc.has_annotation("DEP" if attribute == "HEAD" else attribute))
