"""The head for named entities."""

import itertools
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, cast

import numpy as np
from spacy.attrs import ENT_IOB, ENT_TYPE, IS_SPACE, ORTH
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Config, Model
from thinc.types import Floats2d, Ints2d

from ..decoding.bio import spans_from_bio
from ..decoding.scores import PlainScores
from ..decoding.viterbi import decode_bio
from ..models.layers.losses import softmax_cross_entropy
from ..trunk.listener import report_num_targets
from ..util.finite import finite_rows
from .alignment_cache import AlignmentCache, text_and_entities
from .entity_targets import BEGIN, INSIDE, MISSING, OUTSIDE, align_entities
from .head import Head

DEFAULT_CONFIG = """
[model]
@architectures = "spacy_mtl.TokenTagger.v1"
hidden_width = 0
private_width = 32
private_rows = 3000

[model.tok2vec]
@architectures = "spacy_mtl.TrunkListener.v1"

[scorer]
@scorers = "spacy.ner_scorer.v1"
"""

UNKNOWN = -1  # in place of a tag, for tokens that carry no annotation to learn from


@Language.factory(
    "mtl_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    requires=["doc.tensor"],
    default_config=Config().from_str(DEFAULT_CONFIG),
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_mtl_ner(
    nlp: Language,
    name: str,
    model: Model[list[Doc], Floats2d],
    scorer: Callable[..., dict[str, Any]] | None,
) -> "EntityHead":
    """Create a head for named entities.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model[List[Doc], Floats2d]): Scores each tag of each token.
    scorer (Optional[Callable]): The scorer.
    RETURNS (EntityHead): The head.
    """
    return EntityHead(nlp.vocab, model, name, scorer=scorer)


class EntityHead(Head):
    """Finds named entities: scores BIO tags and takes the best valid tag sequence of a document.

    Whitespace tokens are passed over: they neither start nor end an entity, but may lie within
    one. Entities that an earlier component has set stay, and predictions that overlap them are
    dropped.
    """

    annotation = "entities (Doc.ents)"

    def __init__(self, vocab: Vocab, model: Model, name: str, **cfg: Any) -> None:
        """Create a head.

        vocab (Vocab): The shared vocabulary.
        model (Model[List[Doc], Floats2d]): Scores each tag of each token.
        name (str): The component's name.
        **cfg (Any): See `Head`.
        """
        super().__init__(vocab, model, name, **cfg)
        self._aligned: AlignmentCache[tuple[np.ndarray, np.ndarray]] = AlignmentCache()

    def is_annotated(self, example: Example) -> bool:
        """Tell whether any token of the reference says whether it is in an entity.

        example (Example): The example.
        RETURNS (bool): Whether the head can learn from it. A document whose entities were set to
            none at all is annotated.
        """
        return bool(example.reference.has_annotation("ENT_IOB"))

    def gold_labels(self, reference: Doc) -> set[str]:
        """List the labels of a reference's entities.

        reference (Doc): The annotated document.
        RETURNS (Set[str]): The labels.
        """
        types = np.unique(reference.to_array(ENT_TYPE)).tolist()
        return {reference.vocab.strings[label] for label in types if label}

    def find_labels(self, examples: Iterable[Example]) -> list[str]:
        """Collect the labels of the entities.

        examples (Iterable[Example]): The annotated examples.
        RETURNS (List[str]): The labels, sorted.
        """
        return sorted({ent.label_ for example in examples for ent in example.reference.ents})

    def build_output(self, docs: Sequence[Doc]) -> None:
        """Give the network one score for O and two for each label.

        docs (Sequence[Doc]): A sample of documents.
        """
        self.model.set_dim("nO", 1 + 2 * len(self.labels))
        self.model.initialize(X=list(docs))

    def predict(self, docs: Iterable[Doc]) -> np.ndarray:
        """Find the entities of a batch.

        docs (Iterable[Doc]): The documents.
        RETURNS (np.ndarray): [entities, 3]: the first token, the token after the last, both counted
            through all documents, and the number of the label. None in documents with scores that
            are not finite.
        """
        docs = list(docs)
        if not any(len(doc) for doc in docs):
            return np.zeros((0, 3), dtype=np.int64)
        scores = self.model.ops.to_numpy(self.model.predict(docs))  # [tokens, tags]
        is_space = _concatenate([doc.to_array(IS_SPACE) for doc in docs]).astype(bool)
        lengths = [len(doc) for doc in docs]
        finite = finite_rows(scores)
        if finite is not None:
            owner = np.repeat(np.arange(len(docs)), lengths)
            is_lost = np.bincount(owner[~finite], minlength=len(docs)) > 0
            self.report_not_finite(int(is_lost.sum()))
            scores = np.where(is_lost[owner][:, None], 0, scores)  # O is the first of equals
        if not is_space.any():
            tags = decode_bio(PlainScores(scores), lengths)
            return np.stack(spans_from_bio(tags, lengths, len(self.labels)), axis=1)
        tokens = np.flatnonzero(~is_space)
        n_before = np.searchsorted(tokens, np.cumsum([0, *lengths]))
        lengths = np.diff(n_before).tolist()
        tags = decode_bio(PlainScores(scores[tokens]), lengths)
        starts, ends, labels = spans_from_bio(tags, lengths, len(self.labels))
        return np.stack([tokens[starts], tokens[ends - 1] + 1, labels], axis=1)

    def set_annotations(self, docs: Iterable[Doc], scores: np.ndarray) -> None:
        """Write entities.

        docs (Iterable[Doc]): The documents.
        scores (np.ndarray): What `predict` returned for them.
        """
        docs = [doc for doc in docs if len(doc)]
        if not docs:
            return
        attrs = [ENT_IOB, ENT_TYPE]
        values = np.concatenate([doc.to_array(attrs).reshape(-1, 2) for doc in docs])
        iob, types = values[:, 0], values[:, 1]  # [tokens], views
        is_preset = (iob == BEGIN) | (iob == INSIDE)
        iob[~is_preset] = OUTSIDE
        starts, ends, labels = scores.T
        if is_preset.any():
            n_preset = np.append(0, is_preset.cumsum())
            free = n_preset[ends] == n_preset[starts]
            starts, ends, labels = starts[free], ends[free], labels[free]
        names = np.array([self.vocab.strings.add(label) for label in self.labels], dtype=np.uint64)
        tokens, span_of_token = _tokens_of_spans(starts, ends)
        iob[tokens] = INSIDE
        iob[starts] = BEGIN
        types[tokens] = names[labels[span_of_token]]
        last = 0
        for doc in docs:
            first, last = last, last + len(doc)
            doc.from_array(attrs, cast(Ints2d, values[first:last]))

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score entities, as spaCy does: gold entities with labels that the head does not have
        count as missed. If the pipeline has several entity recognizers, those with labels that only
        the others have don't count, be they gold or predicted.

        examples (Iterable[Example]): The examples, with predictions.
        **kwargs (Any): Passed to the scorer.
        RETURNS (Dict[str, Any]): The scores.
        """
        others = set(itertools.chain(*self.cfg["rivals"].values())) - set(self.labels)
        if others:
            examples = [
                Example(
                    without_entities(eg.predicted, others), without_entities(eg.reference, others)
                )
                for eg in examples
            ]
        return super().score(examples, **kwargs)

    def train_step(self, examples: Sequence[Example], docs: Sequence[Doc]) -> float:
        """Run the network, find the cross-entropy of the tags, and send its gradient back.

        examples (Sequence[Example]): All examples of the step.
        docs (Sequence[Doc]): Their predicted documents.
        RETURNS (float): The mean over all tokens with annotation.
        """
        scores, backprop = self.model.begin_update(list(docs))
        tags = self._gold_tags(examples)
        loss, d_scores = softmax_cross_entropy(scores, tags)
        self.check_loss(loss)
        n_known = max(int((tags != UNKNOWN).sum()), 1)
        d_scores /= n_known
        backprop(d_scores)
        report_num_targets(self.model, n_known)
        return loss / n_known

    def _gold_tags(self, examples: Sequence[Example]) -> np.ndarray:
        """The tag of each token of the predicted documents, or UNKNOWN: [tokens].

        Entities with labels that the head does not have are no entities for it.
        """
        iob, types = map(_concatenate, zip(*map(self._gold_entities, examples), strict=True))
        is_space = _concatenate([eg.predicted.to_array(IS_SPACE) for eg in examples]).astype(bool)
        is_start = np.zeros(len(iob), dtype=bool)
        ends = np.cumsum([len(eg.predicted) for eg in examples])
        is_start[[0, *ends[ends < len(iob)]]] = True
        label = self._label_ids(types)  # [tokens]
        inside = ((iob == BEGIN) | (iob == INSIDE)) & (label >= 0)
        begins = inside & ((iob == BEGIN) | is_start | (np.roll(label, 1) != label))
        begins |= inside & ~np.roll(inside, 1)
        number = np.where(inside, begins.cumsum(), 0)  # [tokens], the number of the entity
        tokens = np.flatnonzero(~is_space)
        number, inside, label = number[tokens], inside[tokens], label[tokens]
        continues = inside & (number == np.append(0, number[:-1]))
        own = np.where(inside, 1 + label + len(self.labels) * continues, 0)
        own[iob[tokens] == MISSING] = UNKNOWN
        tags = np.full(len(iob), UNKNOWN)
        tags[tokens] = own
        return tags

    def _gold_entities(self, example: Example) -> tuple[np.ndarray, np.ndarray]:
        """ENT_IOB and ENT_TYPE of the reference at the predicted tokens: [tokens] each."""
        predicted, reference = example.predicted, example.reference
        n_tokens = len(predicted)
        if not reference.has_annotation("ENT_IOB"):
            return np.zeros(n_tokens, dtype=np.uint64), np.zeros(n_tokens, dtype=np.uint64)
        if n_tokens == len(reference):
            if np.array_equal(predicted.to_array(ORTH), reference.to_array(ORTH)):
                return reference.to_array(ENT_IOB), reference.to_array(ENT_TYPE)
        return self._aligned.get(
            example, text_and_entities(example), lambda: align_entities(example)
        )

    def _label_ids(self, types: np.ndarray) -> np.ndarray:
        """The number of the label for each hash, -1 where it is none of the head's: [tokens]."""
        names, inverse = np.unique(types, return_inverse=True)
        numbers = {self.vocab.strings[label]: i for i, label in enumerate(self.labels)}
        return np.array([numbers.get(name, -1) for name in names.tolist()])[inverse]


def without_entities(doc: Doc, labels: Collection[str]) -> Doc:
    """Copy a document without some of its entities.

    doc (Doc): The document.
    labels (Collection[str]): The labels of the entities to leave out. Their tokens are then in no
        entity.
    RETURNS (Doc): The copy.
    """
    copy = doc.copy()
    removed = [ent for ent in copy.ents if ent.label_ in labels]
    copy.set_ents([], outside=removed, default="unmodified")
    return copy


def _concatenate(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.atleast_1d(part) for part in parts])


def _tokens_of_spans(starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """List the tokens of spans, and the number of the span of each."""
    sizes = ends - starts
    span_of_token = np.repeat(np.arange(len(sizes)), sizes)
    first = np.cumsum(sizes) - sizes
    return np.arange(len(span_of_token)) + (starts - first)[span_of_token], span_of_token
