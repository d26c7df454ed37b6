"""The head that guesses hidden words, to train the trunk on text without annotation."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, get_args

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Config, Model
from thinc.types import Floats2d

from ...corpora.annotations import is_closed_to_text, is_unlabelled, is_without_annotation
from ...models.layers.losses import softmax_cross_entropy
from ...trunk.component import MultiTaskTok2Vec
from ...trunk.input_variants import InputVariant
from ...trunk.listener import is_adopted, report_num_targets
from ...util.finite import finite_rows
from ...util.messages import warn
from ..head import INIT_SAMPLE
from ..training_only import TrainingOnlyHead
from .masking import MaskedTokens, buckets_of, draws_for, hide_words, rows_of, words_of

Documents = Literal["unlabelled", "all"]
FEWEST_WORDS = 2  # below that there is nothing to guess a hidden word from

DEFAULT_CONFIG = """
[model]
@architectures = "spacy_mtl.MaskedLanguageModel.v1"
hidden_width = 128
n_buckets = 2000

[model.tok2vec]
@architectures = "spacy_mtl.TrunkListener.v1"

[scorer]
@scorers = "spacy_mtl.masked_lm_scorer.v1"
"""


@Language.factory(
    "mtl_language_model",
    requires=["doc.tensor"],
    default_config={
        "documents": "unlabelled",
        "mask_rate": 0.15,
        **Config().from_str(DEFAULT_CONFIG),
    },
    default_score_weights={"hidden_words_acc": 0.0, "hidden_words_perplexity": None},
)
def make_mtl_language_model(
    nlp: Language,
    name: str,
    model: Model[tuple[list[Doc], np.ndarray], Floats2d],
    documents: Documents,
    mask_rate: float,
    scorer: Callable[..., dict[str, Any]] | None,
) -> "LanguageModelHead":
    """Create a head that trains the trunk on text without annotation. It predicts nothing.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model[Tuple[List[Doc], np.ndarray], Floats2d]): Scores the hash buckets at some tokens.
    documents (Literal["unlabelled", "all"]): What to learn from: documents without any annotation
        but sentence boundaries; or all of them. An annotated document is then read twice by the
        trunk, once with words hidden and once as it is for the other heads.
    mask_rate (float): The share of words that are hidden.
    scorer (Optional[Callable]): The scorer; None for none. It reads the evaluation documents once
        more.
    RETURNS (LanguageModelHead): The head.
    """
    return LanguageModelHead(
        nlp.vocab, model, name, scorer=scorer, documents=documents, mask_rate=mask_rate
    )


class LanguageModelHead(TrainingOnlyHead):
    """Guesses hidden words from their context, in training only.

    In each step some words of the documents that it learns from are replaced, in what the trunk
    reads, by one word that stands for all hidden ones: nothing of them is left in its input, no
    prefix, suffix or shape. The head gets the trunk's vectors of these tokens, and has to tell the
    bucket to which the NORM of the hidden word is hashed. No vocabulary is needed, so that streams
    of text of any size will do. The other heads read what they always do.

    The loss is the cross-entropy, a mean over the hidden words. This is the cloze task of masked
    language models (Devlin et al. 2019, "BERT", https://arxiv.org/abs/1810.04805) with all chosen
    words masked, and trained beside the other tasks as in Rei (2017), "Semi-supervised Multitask
    Learning for Sequence Labeling", https://arxiv.org/abs/1704.07156.

    Documents are left as they are in prediction, and nothing is computed. The head can be removed
    from a trained pipeline.
    """

    annotation = "words to hide"
    hide_labels = True

    def __init__(
        self,
        vocab: Vocab,
        model: Model[tuple[list[Doc], np.ndarray], Floats2d],
        name: str,
        *,
        documents: Documents = "unlabelled",
        mask_rate: float = 0.15,
        scorer: Callable[..., dict[str, Any]] | None = None,
    ) -> None:
        """Create a head.

        vocab (Vocab): The shared vocabulary.
        model (Model[Tuple[List[Doc], np.ndarray], Floats2d]): Scores the hash buckets at some
            tokens.
        name (str): The component's name.
        documents (Literal["unlabelled", "all"]): What to learn from.
        mask_rate (float): The share of words that are hidden.
        scorer (Optional[Callable]): The scorer.
        RAISES (ValueError): If a setting makes no sense.
        """
        if documents not in get_args(Documents):
            raise ValueError(
                f"[components.{name}] documents is {documents!r}; choose one of "
                f"{', '.join(map(repr, get_args(Documents)))}."
            )
        if not 0.0 < mask_rate < 1.0:
            raise ValueError(
                f"[components.{name}] mask_rate is {mask_rate}; set a share between 0 and 1, "
                "such as 0.15."
            )
        super().__init__(
            vocab, model, name, scorer=scorer, documents=documents, mask_rate=mask_rate
        )
        self._trunk: MultiTaskTok2Vec | None = None
        self._prepared: dict[int, MaskedTokens] = {}
        self._has_warned = False

    @property
    def labels(self) -> tuple[str, ...]:
        """RETURNS (Tuple[str, ...]): None."""
        return ()

    @property
    def label_data(self) -> None:  # type: ignore[override]
        """There are no labels to save."""
        return None

    def add_label(self, label: str) -> int:
        """Refuse a label.

        label (str): The label.
        RAISES (NotImplementedError): Always.
        """
        raise NotImplementedError(f"Component '{self.name}' guesses words and has no labels.")

    def is_annotated(self, example: Example) -> bool:
        """Tell whether the head may learn from an example.

        example (Example): The example.
        RETURNS (bool): Whether there are words enough, a mixed corpus lets the head read it, and,
            if `documents` is "unlabelled", nothing else can be learnt from it.
        """
        reference = example.reference
        if is_closed_to_text(reference) or len(words_of(example.predicted)) < FEWEST_WORDS:
            return False
        return self.cfg["documents"] == "all" or is_unlabelled(reference)

    def find_labels(self, examples: Iterable[Example]) -> list[str]:
        """There are no labels.

        examples (Iterable[Example]): Not used.
        RETURNS (List[str]): An empty list.
        """
        return []

    def build_output(self, docs: Sequence[Doc]) -> None:
        """Initialize the network.

        docs (Sequence[Doc]): A sample of documents.
        """
        self.model.initialize(X=(list(docs), np.zeros(0, dtype=np.int64)))

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """Initialize the network.

        get_examples (Callable[[], Iterable[Example]]): The training corpus, or a sample of it.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[Sequence[str]]): Not used.
        RAISES (ValueError): If the trunk can't read documents with words hidden.
        """
        validate_get_examples(get_examples, f"{type(self).__name__}.initialize")
        self._connect_to_trunks(nlp)
        self._check_trunk()
        self._warn_without_documents(get_examples)
        if nlp is not None:
            self.meet_rivals(nlp)
        self.build_output([eg.predicted for eg in itertools.islice(get_examples(), INIT_SAMPLE)])

    def connect(self, trunk: MultiTaskTok2Vec) -> None:
        """Take note of the trunk that the head reads. Usually internal.

        trunk (MultiTaskTok2Vec): The trunk.
        """
        self._trunk = trunk

    def prepare(self, examples: Sequence[Example]) -> list[InputVariant]:
        """Hide words of a batch that the trunk is about to read. Usually internal.

        examples (Sequence[Example]): The batch.
        RETURNS (List[InputVariant]): Copies of the documents that the head learns from. One
            replaces its document where nobody can learn anything else from that.
        """
        self._prepared = {}
        readings = []
        for position, example in enumerate(examples):
            if self.is_annotated(example):
                hidden = self._hide(example.predicted)
                self._prepared[id(example.predicted)] = hidden
                replaces = is_without_annotation(example.reference)
                readings.append(InputVariant(position, hidden.copy, replaces))
        return readings

    def train_step(self, examples: Sequence[Example], docs: Sequence[Doc]) -> float:
        """Guess the hidden words, find the cross-entropy, and send its gradient back.

        examples (Sequence[Example]): The examples that the head learns from.
        docs (Sequence[Doc]): Their predicted documents.
        RETURNS (float): The mean over all hidden words.
        """
        hidden = self._take_hidden(docs)
        if not hidden:
            return 0.0
        inputs = [part.copy for part in hidden], rows_of(hidden)
        scores, backprop = self.model.begin_update(inputs)
        targets = buckets_of(hidden, self.model.get_dim("nO"))
        loss, d_scores = softmax_cross_entropy(scores, targets)
        self.check_loss(loss)
        d_scores /= len(targets)
        backprop(d_scores)
        report_num_targets(self.model, len(targets))
        return loss / len(targets)

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score guesses of hidden words.

        examples (Iterable[Example]): The examples.
        **kwargs (Any): Passed to the scorer.
        RETURNS (Dict[str, Any]): The scores; none without a scorer.
        """
        return super().score(examples, guess=self.guess, **kwargs)

    def guess(self, docs: Sequence[Doc]) -> tuple[np.ndarray, np.ndarray]:
        """Hide words and guess them. Which ones depends on the document's text alone.

        docs (Sequence[Doc]): Documents; those of a single word are passed over.
        RETURNS (Tuple[np.ndarray, np.ndarray]): [hidden words] each, the natural logarithm of the
            probability of the right bucket, and whether that is the most probable. Scores that are
            not finite count as if nothing were known.
        """
        docs = [doc for doc in docs if len(words_of(doc)) >= FEWEST_WORDS]
        if not docs:
            return np.zeros(0), np.zeros(0, dtype=bool)
        hidden = [hide_words(doc, self.cfg["mask_rate"], draws_for(doc)) for doc in docs]
        copies = [part.copy for part in hidden]
        if self._trunk is not None and self._reads_trunk():
            self._trunk.set_annotations(copies, self._trunk.predict(copies))
        predicted = self.model.predict((copies, rows_of(hidden)))
        scores = self.model.ops.to_numpy(predicted).astype(np.float64)
        finite = finite_rows(scores)
        if finite is not None:
            owner = np.repeat(np.arange(len(hidden)), [len(part.tokens) for part in hidden])
            self.report_not_finite(len(np.unique(owner[~finite])))
            scores[~finite] = 0.0
        scores -= scores.max(axis=1, keepdims=True)
        rows, buckets = np.arange(len(scores)), buckets_of(hidden, scores.shape[1])
        right = scores[rows, buckets]
        hits = scores.argmax(axis=1) == buckets
        if finite is not None:
            hits &= finite
        return right - np.log(np.exp(scores).sum(axis=1)), hits

    def _hide(self, doc: Doc) -> MaskedTokens:
        draws = np.random.random(len(words_of(doc)))
        return hide_words(doc, self.cfg["mask_rate"], draws)

    def _take_hidden(self, docs: Sequence[Doc]) -> list[MaskedTokens]:
        """The copies that the trunk has read; new ones where the head has an encoder of its own."""
        prepared, self._prepared = self._prepared, {}
        if not self._reads_trunk():
            return [self._hide(doc) for doc in docs]
        hidden = [prepared[id(doc)] for doc in docs if id(doc) in prepared]
        if len(hidden) < len(docs) and not self._has_warned:
            self._has_warned = True
            warn(
                f"Component '{self.name}' learns nothing: its trunk was not updated with the same "
                f"documents before, so that it could hide words in them. Is the trunk frozen, "
                f"excluded or disabled? Then remove '{self.name}' from the pipeline as well."
            )
        return hidden if len(hidden) == len(docs) else []

    def _reads_trunk(self) -> bool:
        return any(is_adopted(node) for node in self.model.walk())

    def _check_trunk(self) -> None:
        if not self._reads_parts():
            raise ValueError(
                f"[components.{self.name}] reads a trunk that can't hide words. The trunk's "
                'factory must be "mtl_tok2vec"; found another one, or none.'
            )

    def _warn_without_documents(self, get_examples: Callable[[], Iterable[Example]]) -> None:
        n_examples = 0
        for example in get_examples():
            n_examples += 1
            if self.is_annotated(example):
                return
        advice = (
            'none of them is without annotation. Add a source of text, or set documents = "all"'
            if self.cfg["documents"] == "unlabelled"
            else "check [corpora.train] and its tasks"
        )
        warn(
            f"Component '{self.name}' may learn nothing: of the {n_examples} documents that "
            f"initialize the pipeline it can learn from none; {advice}."
        )
