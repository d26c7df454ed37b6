"""The head for semantic roles."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Config, Model
from thinc.types import Floats2d

from ..decoding.bio import decode_bio, spans_from_bio
from ..models.losses import binary_cross_entropy, segment_cross_entropy, softmax_cross_entropy
from ..models.role_labeler import FrameQuery, FrameScores
from ..models.torch_layer import build_module
from ..srl.alignment import IndexedFrame, aligned_frames
from ..srl.given import with_given_predicates
from ..srl.senses import SenseInventory
from .frame_batch import (
    TokenBatch,
    argument_ranges,
    best_of_segments,
    frame_query,
    split_predicates,
)
from .frame_targets import collect_gold
from .head import Head

PREDICATE_LABEL = "V"

DEFAULT_CONFIG = """
[model]
@architectures = "spacy_mtl.RoleLabeler.v1"
hidden_width = 128
sense_width = 64
max_distance = 64

[model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = 96
upstream = "*"

[scorer]
@scorers = "spacy_mtl.srl_scorer.v1"
"""


@Language.factory(
    "mtl_srl",
    assigns=["doc.spans"],
    default_config={
        "spans_key": "srl",
        "threshold": 0.5,
        "predicate_weight": 1.0,
        **Config().from_str(DEFAULT_CONFIG),
    },
    default_score_weights={
        "srl_predicates_f": 0.0,
        "srl_predicates_p": None,
        "srl_predicates_r": None,
        "srl_rolesets_f": 0.0,
        "srl_rolesets_acc": None,
        "srl_arguments_f": 1.0,
        "srl_arguments_p": None,
        "srl_arguments_r": None,
        "srl_arguments_per_role": None,
    },
)
def make_mtl_srl(
    nlp: Language,
    name: str,
    model: Model[list[Doc], Floats2d],
    spans_key: str,
    threshold: float,
    predicate_weight: float,
    scorer: Callable[..., dict[str, Any]] | None,
) -> "SemanticRoleHead":
    """Create a head that finds predicates, their rolesets and their arguments.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model[List[Doc], Floats2d]): The network; see `spacy_mtl.RoleLabeler.v1`.
    spans_key (str): The span group that holds the frames.
    threshold (float): A token with at least this probability is a predicate.
    predicate_weight (float): Weight of finding predicates in the loss. There are several argument
        tags to learn for each token, but only one decision whether it is a predicate.
    scorer (Optional[Callable]): The scoring method.
    RETURNS (SemanticRoleHead): The head.
    """
    return SemanticRoleHead(
        nlp.vocab,
        model,
        name,
        spans_key=spans_key,
        threshold=threshold,
        predicate_weight=predicate_weight,
        scorer=scorer,
    )


class SemanticRoleHead(Head):
    """Who did what to whom: predicates, their PropBank rolesets and their argument spans.

    Frames are written to `Doc.spans["srl"]`, and `Doc._.srl` shows them. Arguments are looked for
    in the predicate's sentence where the document has sentence boundaries, and in any case at most
    `max_distance` tokens away. The same holds in training, so set the boundaries there by the
    component that will set them later (`[training] annotating_components`).
    """

    annotation = "semantic roles (Doc.spans)"  # each head names its span group

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "mtl_srl",
        *,
        spans_key: str = "srl",
        threshold: float = 0.5,
        predicate_weight: float = 1.0,
        scorer: Callable[..., dict[str, Any]] | None = None,
    ) -> None:
        """Create a semantic role head.

        vocab (Vocab): The shared vocabulary.
        model (Model): The network; see `spacy_mtl.RoleLabeler.v1`.
        name (str): The component's name.
        spans_key (str): The span group that holds the frames.
        threshold (float): A token with at least this probability is a predicate.
        predicate_weight (float): Weight of finding predicates in the loss.
        scorer (Optional[Callable]): The scoring method.
        RAISES (ValueError): If the threshold is not from 0 to 1.
        """
        if not 0.0 <= threshold <= 1.0:
            raise ValueError(
                f"[components.{name}] threshold is {threshold}; it must be from 0 to 1."
            )
        super().__init__(
            vocab,
            model,
            name,
            scorer=scorer,
            spans_key=spans_key,
            threshold=threshold,
            predicate_weight=predicate_weight,
        )
        self.annotation = f"semantic roles (Doc.spans[{spans_key!r}])"
        self.senses = SenseInventory()
        self.cfg["senses"] = self.senses.to_json()

    @property
    def label_data(self) -> dict[str, Any]:  # type: ignore[override]
        """RETURNS (Dict[str, Any]): The roles, and the rolesets seen for each word form."""
        return {"roles": list(self.labels), "senses": self.cfg["senses"]}

    def is_annotated(self, example: Example) -> bool:
        """Tell whether the reference holds frames, if only an empty group of them.

        example (Example): The example.
        RETURNS (bool): Whether the head can learn from it.
        """
        return self.cfg["spans_key"] in example.reference.spans

    def find_labels(self, examples: Iterable[Example]) -> list[str]:
        """Collect roles and rolesets, and report what can't be learned.

        examples (Iterable[Example]): The annotated examples.
        RETURNS (List[str]): The roles, sorted.
        """
        roles: set[str] = set()
        senses: list[tuple[str, str]] = []
        n_unaligned = n_cut = 0
        for example in examples:
            frames, n_predicates, n_arguments = aligned_frames(example, self.cfg["spans_key"])
            n_unaligned += n_predicates + n_arguments
            n_cut += self._count_cut(example.predicted, frames)
            for frame in frames:
                senses.append((example.predicted[frame.predicate].lower_, frame.roleset))
                roles.update(label for label, _, _ in frame.arguments)
        if n_unaligned:
            warnings.warn(
                f"Component '{self.name}': {n_unaligned} gold predicates or arguments do not begin "
                "and end where tokens do, and are left out of training.",
                stacklevel=2,
            )
        if n_cut:
            warnings.warn(
                f"Component '{self.name}': {n_cut} gold arguments reach out of their predicate's "
                f"sentence or more than [components.{self.name}.model] max_distance = "
                f"{self.model.attrs['max_distance']} tokens away, and are left out of training.",
                stacklevel=2,
            )
        self._set_senses(SenseInventory.from_corpus(senses))
        if senses and not roles:
            return ["ARG0"]  # predicates without arguments are worth learning
        return sorted(roles)

    def initialize(  # type: ignore[override]
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: dict[str, Any] | None = None,
    ) -> None:
        """Find roles and rolesets and initialize the network.

        get_examples (Callable[[], Iterable[Example]]): The training corpus, or a sample of it.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[Dict[str, Any]]): `label_data`, as `spacy init labels` saves it.
        RAISES (ValueError): If there is no role to learn, or `labels` is not a `label_data`.
        """
        roles = None
        if labels is not None:
            if not isinstance(labels, dict) or not {"roles", "senses"} <= labels.keys():
                raise ValueError(
                    f"[initialize.components.{self.name}] labels must hold 'roles' and 'senses', "
                    f"as `spacy init labels` writes them; found {labels!r:.80}."
                )
            roles = labels["roles"]
            self._set_senses(SenseInventory(**labels["senses"]))
        super().initialize(get_examples, nlp=nlp, labels=roles)

    def build_output(self, docs: Sequence[Doc]) -> None:
        """Build the network for the known roles and rolesets.

        docs (Sequence[Doc]): A sample of documents.
        """
        self.model.initialize(X=list(docs))
        width = self.model.get_ref("tok2vec").get_dim("nO")
        build_module(self.model.get_ref("detector"), width=width)
        build_module(
            self.model.get_ref("framer"),
            width=width,
            n_roles=len(self.labels),
            n_rolesets=len(self.senses),
        )
        self.model.set_dim("nO", 1)

    def learn(self, examples: Sequence[Example], docs: Sequence[Doc]) -> float:
        """Update on gold predicates: find them, tell their rolesets and tag their arguments.

        The loss is the negative log likelihood of all three per annotated token, that of the
        predicates times `predicate_weight`.

        examples (Sequence[Example]): The examples.
        docs (Sequence[Doc]): Their predicted documents.
        RETURNS (float): The loss.
        """
        gold = collect_gold(
            examples,
            spans_key=self.cfg["spans_key"],
            roles=self.labels,
            senses=self.senses,
            max_distance=self.model.attrs["max_distance"],
        )
        tokens, backprop_tokens = self.model.get_ref("tokens").begin_update(list(docs))
        detector, framer = self.model.get_ref("detector"), self.model.get_ref("framer")
        scale = 1.0 / max(gold.n_annotated_tokens, 1)
        scores, backprop_detector = detector.begin_update(tokens)
        loss, d_scores = binary_cross_entropy(scores, self.model.ops.asarray2f(gold.is_predicate))
        loss *= self.cfg["predicate_weight"]
        d_tokens = backprop_detector(d_scores * (scale * self.cfg["predicate_weight"]))
        if len(gold.query.predicates):
            frame_scores, backprop_framer = framer.begin_update((tokens, gold.query))
            tag_loss, d_tags = softmax_cross_entropy(frame_scores.tags, gold.tags)
            sense_loss, d_senses = segment_cross_entropy(
                frame_scores.senses,
                gold.query.candidate_predicates,
                len(gold.query.predicates),
                gold.right_candidates,
            )
            loss += tag_loss + sense_loss
            d_tokens = d_tokens + backprop_framer(FrameScores(d_tags * scale, d_senses * scale))
        backprop_tokens(d_tokens)
        return loss * scale

    def predict(self, docs: Iterable[Doc]) -> list[list[IndexedFrame]]:
        """Find the frames of documents, without changing them. Where a document has the predicates
        already (see `spacy_mtl.srl.give_predicates`), only their frames.

        docs (Iterable[Doc]): The documents.
        RETURNS (List[List[IndexedFrame]]): The frames of each document, in text order.
        """
        docs = list(docs)
        if not any(len(doc) for doc in docs):
            return [[] for _ in docs]
        batch = TokenBatch(docs, self.model.get_ref("tokens").predict(docs))
        scores = self.model.ops.to_numpy(self.model.get_ref("detector").predict(batch.vectors))
        probabilities = np.exp(-np.logaddexp(0.0, -scores[batch.words, 0]))
        predicates = batch.words[probabilities >= self.cfg["threshold"]]
        predicates = with_given_predicates(
            docs, batch.doc_starts, predicates, self.cfg["spans_key"]
        )
        starts, ends = argument_ranges(docs, self.model.attrs["max_distance"])
        frames: list[list[IndexedFrame]] = [[] for _ in docs]
        for part in split_predicates(predicates, ends - starts):
            self._predict_part(batch, part, starts[part], ends[part], frames)
        return frames

    def set_annotations(self, docs: Iterable[Doc], scores: list[list[IndexedFrame]]) -> None:
        """Write frames to `Doc.spans`.

        docs (Iterable[Doc]): The documents.
        scores (List[List[IndexedFrame]]): What `predict` found.
        """
        key = self.cfg["spans_key"]
        for doc, frames in zip(docs, scores, strict=True):
            spans = []
            for number, frame in enumerate(frames):
                at = frame.predicate
                spans.append(
                    Span(doc, at, at + 1, PREDICATE_LABEL, kb_id=frame.roleset, span_id=number)
                )
                for label, start, end in frame.arguments:
                    spans.append(Span(doc, start, end, label, span_id=number))
            doc.spans[key] = SpanGroup(doc, name=key, spans=spans)

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "SemanticRoleHead":
        """Load the component from bytes.

        bytes_data (bytes): What `to_bytes` gave.
        exclude (Iterable[str]): Names of parts to leave out.
        RETURNS (SemanticRoleHead): The component itself.
        """
        super().from_bytes(bytes_data, exclude=exclude)
        self.senses = SenseInventory(**self.cfg["senses"])
        return self

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "SemanticRoleHead":
        """Load the component from disk.

        path (Union[str, Path]): The component's folder.
        exclude (Iterable[str]): Names of parts to leave out.
        RETURNS (SemanticRoleHead): The component itself.
        """
        super().from_disk(path, exclude=exclude)
        self.senses = SenseInventory(**self.cfg["senses"])
        return self

    def _set_senses(self, senses: SenseInventory) -> None:
        if senses.rolesets != self.senses.rolesets:
            self.model.set_dim("nO", None, force=True)  # to be built anew
        self.senses = senses
        self.cfg["senses"] = senses.to_json()

    def _count_cut(self, doc: Doc, frames: Sequence[IndexedFrame]) -> int:
        """RETURNS (int): The number of arguments that are not within their predicate's range."""
        if not frames:
            return 0
        starts, ends = argument_ranges([doc], self.model.attrs["max_distance"])
        return sum(
            start < starts[frame.predicate] or end > ends[frame.predicate]
            for frame in frames
            for _, start, end in frame.arguments
        )

    def _predict_part(
        self,
        batch: TokenBatch,
        predicates: np.ndarray,
        starts: np.ndarray,
        ends: np.ndarray,
        frames: list[list[IndexedFrame]],
    ) -> None:
        """Score and decode some neighbouring predicates and add their frames to those of the
        documents."""
        doc_of = np.searchsorted(batch.doc_starts, predicates, side="right") - 1
        doc_starts = batch.doc_starts[doc_of]
        positions = (predicates - doc_starts).tolist()
        forms = [batch.docs[d][at].lower_ for d, at in zip(doc_of, positions, strict=True)]
        first, last = int(starts[0]), int(ends[-1])  # the network need not see other tokens
        query = frame_query(predicates - first, starts - first, ends - first, forms, self.senses)
        scores = self.model.get_ref("framer").predict((batch.vectors[first:last], query))
        rolesets = self._choose_rolesets(query, scores.senses, forms)
        lengths = ends - starts
        first_pair = np.cumsum(lengths) - lengths
        tags = self.model.ops.to_numpy(scores.tags)
        tags[first_pair + predicates - starts, 1:] = -np.inf  # a predicate is not its own argument
        span_starts, span_ends, roles = spans_from_bio(
            decode_bio(tags, lengths.tolist()), lengths.tolist(), len(self.labels)
        )
        owner = np.searchsorted(first_pair, span_starts, side="right") - 1
        shift = starts[owner] - first_pair[owner]
        span_starts, span_ends = batch.without_outer_space(span_starts + shift, span_ends + shift)
        arguments: list[list[tuple[str, int, int]]] = [[] for _ in forms]
        labels = self.labels
        for at, role, start, end in zip(
            owner.tolist(),
            roles.tolist(),
            (span_starts - doc_starts[owner]).tolist(),
            (span_ends - doc_starts[owner]).tolist(),
            strict=True,
        ):
            if start < end:
                arguments[at].append((labels[role], start, end))
        for d, position, roleset, found in zip(doc_of, positions, rolesets, arguments, strict=True):
            frames[d].append(IndexedFrame(position, roleset, tuple(found)))

    def _choose_rolesets(
        self, query: FrameQuery, scores: Floats2d, forms: Sequence[str]
    ) -> list[str]:
        best = best_of_segments(
            self.model.ops.to_numpy(scores)[:, 0], query.candidate_predicates, len(forms)
        )
        return [
            self.senses.rolesets[query.candidates[row]] if row >= 0 else self.senses.fallback(form)
            for row, form in zip(best.tolist(), forms, strict=True)
        ]
