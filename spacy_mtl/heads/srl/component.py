"""The head for semantic roles."""

import copy
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import compress
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Token
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Config, Model
from thinc.types import Floats2d

from ...corpora.faults import Fault
from ...decoding.bio import spans_from_bio
from ...decoding.constraints import RoleConstraints, allowed_labels
from ...decoding.posteriors import span_probabilities
from ...decoding.roles import decode_roles
from ...decoding.scores import FactoredScores, TagScores
from ...decoding.viterbi import decode_bio
from ...models.heads.pair_query import PairQuery, PairScores
from ...models.layers.losses import (
    binary_cross_entropy,
    segment_cross_entropy,
    softmax_cross_entropy,
)
from ...models.layers.torch_layer import build_module
from ...srl.alignment import IndexedFrame, indexed_frames
from ...srl.argument_heads import head_frames
from ...srl.frames import PREDICATE_LABEL, find_frame_faults, group_spans
from ...srl.inventory import FrameInventory
from ...srl.predicates import can_be_predicate
from ...srl.senses import SenseInventory, UnseenWords, own_lemma
from ...trunk.listener import report_num_targets
from ...util.finite import finite_rows
from ...util.messages import warn
from ..alignment_cache import AlignmentCache
from ..head import Head
from .frame_batch import (
    TokenBatch,
    argument_ranges,
    best_of_segments,
    frame_query,
    split_predicates,
)
from .gold import collect_gold, gold_frames
from .output import PredictedFrame, write_predictions

ArgumentKind = Literal["spans", "heads"]
PredicateSource = Literal["detect", "given"]
UnseenSetting = Literal["auto", "english", "lemma", "unknown"]
CONSTRAINTS = {
    "unique_core_roles": True,
    "continuation_after": True,
    "reference_with": False,
    "inventory_roles": True,
    "argumentless_rolesets": True,
}
PAIRS_AT_ONCE = 1000  # up to so many, pairs that turn out needless cost less than a second call
MIN_COUNT_WITHOUT_ARGUMENTS = 10  # occurrences without any argument, and none with one
# Weights of a roleset's log probability for its form beside the network's score, in training and
# prediction. The network is surer of itself than it should be, hence more in prediction.
LEARNED_PRIOR_WEIGHT, PRIOR_WEIGHT = 0.5, 1.0
# Settings of prediction: those of config.cfg hold where they were changed since training.
SETTINGS = ("threshold", "predicates", "unseen_words", "constraints", "probabilities")

DEFAULT_CONFIG = """
[model]
@architectures = "spacy_mtl.RoleLabeler.v1"
hidden_width = 128
sense_width = 64
max_distance = 64

[model.tok2vec]
@architectures = "spacy_mtl.TrunkListener.v1"

[scorer]
@scorers = "spacy_mtl.srl_scorer.v1"
"""


@Language.factory(
    "mtl_srl",
    assigns=["doc.spans"],
    requires=["doc.tensor"],
    default_config={
        "spans_key": "srl",
        "threshold": 0.5,
        "predicate_weight": 1.0,
        "roleset_weight": 1.0,
        "argument_kind": "spans",
        "predicates": "detect",
        "unseen_words": "auto",
        "constraints": CONSTRAINTS,
        "probabilities": False,
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
    roleset_weight: float,
    argument_kind: ArgumentKind,
    predicates: PredicateSource,
    unseen_words: UnseenSetting,
    constraints: dict[str, bool],
    probabilities: bool,
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
    roleset_weight (float): Weight of telling rolesets in the loss.
    argument_kind (str): "spans" for arguments of any length, by BIO tags; "heads" for one token
        each.
    predicates (str): "detect" to find predicates; "given" to take those of the span group.
    unseen_words (str): How rolesets of words never seen are guessed: by "english" rules, by the
        "lemma" that the document has, or "unknown" for none; see `SenseInventory`. "auto" is
        "english" in English pipelines and "lemma" in all others.
    constraints (Dict[str, bool]): Which constraints hold in prediction; see `SemanticRoleHead`.
    probabilities (bool): Whether to write probabilities.
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
        roleset_weight=roleset_weight,
        argument_kind=argument_kind,
        predicates=predicates,
        unseen_words=unseen_words,
        constraints=constraints,
        probabilities=probabilities,
        scorer=scorer,
    )


class Candidates(NamedTuple):
    """The predicates of a batch.

    tokens (np.ndarray): [predicates], counted over the batch, ascending.
    frames (List[PredictedFrame]): [predicates], their frames, to be filled.
    """

    tokens: np.ndarray
    frames: list[PredictedFrame]


class SemanticRoleHead(Head):
    """Who did what to whom: predicates, their PropBank rolesets and their argument spans.

    Frames are written to `Doc.spans["srl"]`, and `Doc._.srl` shows them. Arguments are looked for
    in the predicate's sentence, at most `max_distance` tokens away. Where the document has no
    sentence boundaries, a sentence is taken to end at a full stop or the like (`sentence_starts`).
    The same holds in training, so set the boundaries there by the component that will set them
    later (`[training] annotating_components`).

    A token without a letter is no predicate (see `can_be_predicate`), unless it is given.

    The arguments of a predicate never overlap. The best ones that satisfy these constraints are
    chosen (see `decode_roles`), each of which is a switch in `constraints`:

    unique_core_roles: ARG0, ARG1, ..., ARGA at most once.
    continuation_after: `C-x` only after `x`.
    reference_with: `R-x` only together with `x` (off by default: it does not raise F1).
    inventory_roles: numbered roles only if the roleset has them in the frame inventory, if there
        is one.
    argumentless_rolesets: no arguments for rolesets that had none in training, as often as they
        were there, such as those of auxiliary verbs. Training does not look for arguments there,
        either.
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
        roleset_weight: float = 1.0,
        argument_kind: ArgumentKind = "spans",
        predicates: PredicateSource = "detect",
        unseen_words: UnseenSetting = "auto",
        constraints: Mapping[str, bool] | None = None,
        probabilities: bool = False,
        scorer: Callable[..., dict[str, Any]] | None = None,
    ) -> None:
        """Create a semantic role head.

        vocab (Vocab): The shared vocabulary.
        model (Model): The network; see `spacy_mtl.RoleLabeler.v1`.
        name (str): The component's name.
        spans_key (str): The span group that holds the frames.
        threshold (float): A token with at least this probability is a predicate.
        predicate_weight (float): Weight of finding predicates in the loss.
        roleset_weight (float): Weight of telling rolesets in the loss.
        argument_kind (str): "spans" or "heads".
        predicates (str): "detect" or "given".
        unseen_words (str): "auto", "english", "lemma" or "unknown".
        constraints (Optional[Mapping[str, bool]]): The constraints to switch on or off; those not
            named are as in `CONSTRAINTS`.
        probabilities (bool): Whether to write probabilities.
        scorer (Optional[Callable]): The scoring method.
        RAISES (ValueError): If a setting has none of the values that it can have.
        """
        constraints = dict(constraints or {})
        _check_choice(name, "argument_kind", argument_kind, get_args(ArgumentKind))
        _check_choice(name, "predicates", predicates, get_args(PredicateSource))
        _check_choice(name, "unseen_words", unseen_words, get_args(UnseenSetting))
        for constraint in constraints:
            _check_choice(name, "constraints", constraint, tuple(CONSTRAINTS))
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
            roleset_weight=roleset_weight,
            argument_kind=argument_kind,
            predicates=predicates,
            unseen_words=unseen_words,
            constraints={**CONSTRAINTS, **constraints},
            probabilities=probabilities,
            frames=[],
            argumentless_rolesets=[],
        )
        self.cfg["configured"] = copy.deepcopy({key: self.cfg[key] for key in SETTINGS})
        self.annotation = f"semantic roles (Doc.spans[{spans_key!r}])"
        self._gold_frames: AlignmentCache[list[IndexedFrame]] = AlignmentCache()
        self.frames: FrameInventory | None = None
        self._use_senses(SenseInventory())
        self.cfg["senses"] = self.senses.to_json()

    @property
    def label_data(self) -> dict[str, Any]:  # type: ignore[override]
        """RETURNS (Dict[str, Any]): The roles, the rolesets seen for each word form, and those that
        never had an argument."""
        return {
            "roles": list(self.labels),
            "senses": self.cfg["senses"],
            "argumentless_rolesets": self.cfg["argumentless_rolesets"],
        }

    @property
    def reads(self) -> frozenset[str]:
        """RETURNS (FrozenSet[str]): What it reads of documents by its settings, beside
        sentences."""
        by_lemmas = self._unseen_words() == "lemma"
        is_given = self.cfg["predicates"] == "given"
        return frozenset(["token.lemma"] * by_lemmas + ["doc.spans"] * is_given)

    def is_annotated(self, example: Example) -> bool:
        """Tell whether the reference holds frames, if only an empty group of them.

        example (Example): The example.
        RETURNS (bool): Whether the head can learn from it.
        """
        return self.cfg["spans_key"] in example.reference.spans

    def gold_labels(self, reference: Doc) -> set[str]:
        """List the roles that a reference holds.

        reference (Doc): The annotated document.
        RETURNS (Set[str]): The roles.
        """
        labels = {span.label for span in reference.spans.get(self.cfg["spans_key"], ())}
        return {reference.vocab.strings[label] for label in labels} - {PREDICATE_LABEL}

    def plain_score_name(self, score: str) -> str:
        """Name a score as the scorer does: by the span group.

        score (str): A name among the `default_score_weights` of the factory.
        RETURNS (str): The name.
        """
        return score.replace("srl", self.cfg["spans_key"], 1)

    def find_faults(self, doc: Doc, nlp: Language | None = None) -> list[Fault]:
        """Find frames of a reference that can't be learned from.

        doc (Doc): The reference.
        nlp (Optional[Language]): Not used.
        RETURNS (List[Fault]): The faults.
        """
        key = self.cfg["spans_key"]
        faults = find_frame_faults(doc, key)
        return [Fault(self.name, "spans", (key,), fault.message) for fault in faults]

    def find_labels(self, examples: Iterable[Example]) -> list[str]:
        """Collect roles and rolesets, and report what can't be learned.

        examples (Iterable[Example]): The annotated examples.
        RETURNS (List[str]): The roles, sorted.
        """
        roles: set[str] = set()
        senses: list[tuple[str, str]] = []
        n_argumentless: Counter[str] = Counter()
        with_arguments: set[str] = set()
        n_unaligned = n_cut = n_letterless = 0
        for example in examples:
            with self._naming_itself():
                frames, n_predicates, n_arguments = gold_frames(
                    example, self.cfg["spans_key"], self.cfg["argument_kind"]
                )
            n_unaligned += n_predicates + n_arguments
            n_letterless += sum(
                not can_be_predicate(predicate.text)
                for predicate, _ in group_spans(example.reference, self.cfg["spans_key"])
            )
            n_cut += self._count_cut(example.predicted, frames)
            for frame in frames:
                senses.append((example.predicted[frame.predicate].lower_, frame.roleset))
                roles.update(label for label, _, _ in frame.arguments)
                if frame.arguments:
                    with_arguments.add(frame.roleset)
                else:
                    n_argumentless[frame.roleset] += 1
        if n_unaligned:
            warn(
                f"Component '{self.name}': {n_unaligned} gold predicates or arguments do not begin "
                "and end where tokens do, and are left out of training."
            )
        if n_letterless:
            warn(
                f"Component '{self.name}': {n_letterless} gold predicates have no letter, such as "
                "';' or '...'. Such tokens are never predicates here, and their frames are left "
                "out of training."
            )
        if n_cut:
            warn(
                f"Component '{self.name}': {n_cut} gold arguments reach out of their predicate's "
                f"sentence or more than [components.{self.name}.model] max_distance = "
                f"{self.model.attrs['max_distance']} tokens away, and are left out of training."
            )
        self._set_senses(SenseInventory.from_corpus(senses))
        self.cfg["argumentless_rolesets"] = sorted(
            roleset
            for roleset, count in n_argumentless.items()
            if roleset and count >= MIN_COUNT_WITHOUT_ARGUMENTS and roleset not in with_arguments
        )
        if self.frames is not None:
            n_unlisted = sum(not self.frames.allows(roleset) for _, roleset in senses if roleset)
            if n_unlisted:
                warn(
                    f"Component '{self.name}': {n_unlisted} of {len(senses)} gold predicates have "
                    "a roleset that the frame inventory does not list for their lemma. These "
                    "rolesets are not learned."
                )
        if senses and not roles:
            return ["ARG0"]  # predicates without arguments are worth learning
        return sorted(roles)

    def initialize(  # type: ignore[override]
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: dict[str, Any] | None = None,
        frames: str | Path | FrameInventory | None = None,
    ) -> None:
        """Find roles and rolesets and initialize the network.

        get_examples (Callable[[], Iterable[Example]]): The training corpus, or a sample of it.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[Dict[str, Any]]): `label_data`, as `spacy init labels` saves it.
        frames (Optional[Union[str, Path, FrameInventory]]): A folder of PropBank frame files, or
            what `spacy_mtl.FrameFiles.v1` reads from one; saved with the component.
        RAISES (ValueError): If there is no role to learn, `labels` is not a `label_data`, or the
            frame files can't be read.
        """
        if frames is not None:
            self.use_frames(frames)
        roles = None
        if labels is not None:
            if not isinstance(labels, dict) or not {"roles", "senses"} <= labels.keys():
                raise ValueError(
                    f"[initialize.components.{self.name}] labels must hold 'roles' and 'senses', "
                    f"as `spacy init labels` writes them; found {labels!r:.80}."
                )
            roles = labels["roles"]
            self._set_senses(SenseInventory(**labels["senses"]))
            self.cfg["argumentless_rolesets"] = list(labels.get("argumentless_rolesets", ()))
        super().initialize(get_examples, nlp=nlp, labels=roles)

    def use_frames(self, frames: str | Path | FrameInventory | None) -> None:
        """Use a frame inventory, also in a pipeline that is trained already.

        frames (Optional[Union[str, Path, FrameInventory]]): A folder of PropBank frame files or
            their inventory; None for none.
        RAISES (ValueError): If the frame files can't be read.
        """
        if isinstance(frames, str | Path):
            frames = FrameInventory.from_folder(frames)
        self.cfg["frames"] = frames.to_json() if frames is not None else []
        self._restore_inventories()

    def build_output(self, docs: Sequence[Doc]) -> None:
        """Build the network for the known roles and rolesets.

        docs (Sequence[Doc]): A sample of documents.
        """
        self.model.initialize(X=list(docs))
        width = self.model.get_ref("tok2vec").get_dim("nO")
        build_module(self.model.get_ref("detector"), width=width)
        build_module(
            self.model.get_ref("argument_scorer"),
            width=width,
            n_roles=len(self.labels),
            n_rolesets=len(self.senses),
        )
        self.model.set_dim("nO", 1)

    def train_step(self, examples: Sequence[Example], docs: Sequence[Doc]) -> float:
        """Update on gold predicates: find them, tell their rolesets and tag their arguments.

        The loss is the negative log likelihood of all three per annotated token, that of the
        predicates times `predicate_weight`, that of the rolesets times `roleset_weight`.

        examples (Sequence[Example]): The examples.
        docs (Sequence[Doc]): Their predicted documents.
        RETURNS (float): The loss.
        """
        with self._naming_itself():
            gold = collect_gold(
                examples,
                spans_key=self.cfg["spans_key"],
                roles=self.labels,
                senses=self.senses,
                max_distance=self.model.attrs["max_distance"],
                argument_kind=self.cfg["argument_kind"],
                argumentless_rolesets=self.cfg["argumentless_rolesets"],
                memory=self._gold_frames,
            )
        tokens, backprop_tokens = self.model.get_ref("tokens").begin_update(list(docs))
        detector, argument_scorer = (
            self.model.get_ref("detector"),
            self.model.get_ref("argument_scorer"),
        )
        scale = 1.0 / max(gold.n_annotated_tokens, 1)
        scores, backprop_detector = detector.begin_update(tokens)
        loss, d_scores = binary_cross_entropy(scores, self.model.ops.asarray2f(gold.is_predicate))
        self.check_loss(loss)
        loss *= self.cfg["predicate_weight"]
        d_tokens = backprop_detector(d_scores * (scale * self.cfg["predicate_weight"]))
        if len(gold.query.predicates):
            frame_scores, backprop_arguments = argument_scorer.begin_update((tokens, gold.query))
            tag_loss, d_tags = self._learn_tags(frame_scores.tags, gold.tags)
            priors = self.model.ops.asarray2f(LEARNED_PRIOR_WEIGHT * gold.log_priors[:, None])
            sense_loss, d_senses = segment_cross_entropy(
                frame_scores.senses + priors,
                gold.query.candidate_predicates,
                len(gold.query.predicates),
                gold.right_candidates,
            )
            self.check_loss(tag_loss + sense_loss)
            loss += tag_loss + sense_loss * self.cfg["roleset_weight"]
            d_tags *= scale
            d_senses *= scale * self.cfg["roleset_weight"]
            d_tokens += backprop_arguments(PairScores(d_tags, d_senses))
        backprop_tokens(d_tokens)
        report_num_targets(self.model, gold.n_annotated_tokens + len(gold.tags))
        return loss * scale

    def _learn_tags(self, scores: Floats2d, tags: np.ndarray) -> tuple[float, Floats2d]:
        """Find the negative log likelihood of the gold tags, and its gradient.

        scores (Floats2d): [pairs, 1 + roles + 1], see `PairScores`.
        tags (np.ndarray): [pairs], BIO tags, -1 where not known.
        RETURNS (Tuple[float, Floats2d]): The sum, and the gradient [pairs, 1 + roles + 1].
        """
        n_roles = len(self.labels)
        d_scores = self.model.ops.xp.zeros_like(scores)
        role = np.where(tags > n_roles, tags - n_roles, tags)
        loss, d_scores[:, :-1] = softmax_cross_entropy(scores[:, :-1], role)
        if self.cfg["argument_kind"] == "spans":
            begins = np.where(tags > 0, tags <= n_roles, np.nan).astype("float32")[:, None]
            begin_loss, d_scores[:, -1:] = binary_cross_entropy(
                scores[:, -1:], self.model.ops.asarray2f(begins)
            )
            loss += begin_loss
        return loss, d_scores

    def predict(self, docs: Iterable[Doc]) -> list[list[PredictedFrame]]:
        """Find the frames of documents, without changing them.

        docs (Iterable[Doc]): The documents.
        RETURNS (List[List[PredictedFrame]]): The frames of each document, in text order. A document
            with scores that are not finite has none, or those given, without arguments.
        RAISES (ValueError): If predicates should be given, and a document has no such span group.
        """
        docs = list(docs)
        if not any(len(doc) for doc in docs):
            return [[] for _ in docs]
        batch = TokenBatch(docs, self.model.get_ref("tokens").predict(docs))
        is_given = self.cfg["predicates"] == "given"
        candidates = self._given(batch) if is_given else self._detected(batch)
        starts, ends = argument_ranges(docs, self.model.attrs["max_distance"])
        at_token = candidates.tokens
        for part in split_predicates(at_token, ends - starts):
            chosen = slice(*np.searchsorted(at_token, [part[0], part[-1] + 1]))
            self._predict_part(batch, candidates.frames[chosen], part, starts[part], ends[part])
        frames: list[list[PredictedFrame]] = [[] for _ in docs]
        for number, frame in zip(batch.docs_of(at_token).tolist(), candidates.frames, strict=True):
            frames[number].append(frame)
        for number in np.flatnonzero(batch.is_lost).tolist():
            frames[number] = self._given_frames(docs[number]) if is_given else []
        if batch.is_lost.any():
            self.report_not_finite(int(batch.is_lost.sum()))
        return frames

    def set_annotations(self, docs: Iterable[Doc], scores: list[list[PredictedFrame]]) -> None:
        """Write frames to `Doc.spans`.

        docs (Iterable[Doc]): The documents.
        scores (List[List[PredictedFrame]]): What `predict` found.
        """
        for doc, frames in zip(docs, scores, strict=True):
            write_predictions(
                doc,
                self.cfg["spans_key"],
                frames,
                has_scores=self.cfg["probabilities"],
                inventory=self.frames,
            )

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score examples. If arguments are single tokens, longer gold arguments are reduced to
        their heads, as in training.

        examples (Iterable[Example]): The examples.
        **kwargs (Any): Settings of the scorer.
        RETURNS (Dict[str, Any]): The scores.
        """
        with self._naming_itself():
            if self.cfg["argument_kind"] == "heads":
                examples = [self._with_heads(example) for example in examples]
            return super().score(examples, **kwargs)

    @contextmanager
    def _naming_itself(self) -> Iterator[None]:
        """Name the component in errors about documents."""
        try:
            yield
        except ValueError as error:
            raise ValueError(f"Component '{self.name}': {error}") from error

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "SemanticRoleHead":
        """Load the component from bytes. Settings of prediction that the config changed since
        saving hold; the others are as they were saved.

        bytes_data (bytes): What `to_bytes` gave.
        exclude (Iterable[str]): Names of parts to leave out.
        RETURNS (SemanticRoleHead): The component itself.
        RAISES (ValueError): If it was trained for another kind of arguments than the config says.
        """
        configured = self._configured()
        super().from_bytes(bytes_data, exclude=exclude)
        self._restore_settings(configured)
        return self

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "SemanticRoleHead":
        """Load the component from disk. Settings of prediction that the config changed since
        saving hold; the others are as they were saved.

        path (Union[str, Path]): The component's folder.
        exclude (Iterable[str]): Names of parts to leave out.
        RETURNS (SemanticRoleHead): The component itself.
        RAISES (ValueError): If it was trained for another kind of arguments than the config says.
        """
        configured = self._configured()
        super().from_disk(path, exclude=exclude)
        self._restore_settings(configured)
        return self

    def _configured(self) -> dict[str, Any]:
        return {"argument_kind": self.cfg["argument_kind"], **self.cfg["configured"]}

    def _restore_settings(self, configured: dict[str, Any]) -> None:
        """After loading, put back the settings that the config changed.

        configured (Dict[str, Any]): The settings of the config.
        RAISES (ValueError): If the config wants another kind of arguments.
        """
        kind = configured.pop("argument_kind")
        if kind != self.cfg["argument_kind"]:
            raise ValueError(
                f"[components.{self.name}] argument_kind is '{kind}', but the component was "
                f"trained with '{self.cfg['argument_kind']}'. Set it back, or train again."
            )
        for key, value in configured.items():
            if not _is_same(value, self.cfg["configured"].get(key)):
                self.cfg[key] = value
        self.cfg["configured"] = configured
        with self._explained("'senses' or 'frames' in its file 'cfg' is damaged"):
            self._restore_inventories()

    def _restore_inventories(self) -> None:
        data = self.cfg["frames"]
        self.frames = FrameInventory.from_json(data) if data else None
        self._use_senses(SenseInventory(**self.cfg["senses"]))

    def _use_senses(self, senses: SenseInventory) -> None:
        senses.guess_by(self._unseen_words())
        senses.use_frames(self.frames)
        self.senses = senses

    def _unseen_words(self) -> UnseenWords:
        setting: UnseenSetting = self.cfg["unseen_words"]
        if setting == "auto":
            return "english" if self.vocab.lang == "en" else "lemma"
        return setting

    def _with_heads(self, example: Example) -> Example:
        key = self.cfg["spans_key"]
        if key not in example.reference.spans:
            return example
        frames = head_frames(example.reference, key)
        if frames == indexed_frames(example.reference, key):
            return example
        reference = example.reference.copy()
        predicted = [
            PredictedFrame(
                frame.predicate, frame.predicate + 1, frame.roleset, list(frame.arguments)
            )
            for frame in frames
        ]
        write_predictions(reference, key, predicted, has_scores=False, inventory=None)
        return Example(example.predicted, reference)

    def _set_senses(self, senses: SenseInventory) -> None:
        if senses.rolesets != self.senses.rolesets:
            self.model.set_dim("nO", None, force=True)  # to be built anew
        self._use_senses(senses)
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

    def _detected(self, batch: TokenBatch) -> Candidates:
        scores = self.model.ops.to_numpy(self.model.get_ref("detector").predict(batch.vectors))
        scores = scores[batch.words]
        finite = finite_rows(scores)
        if finite is not None:
            batch.is_lost[batch.docs_of(batch.words[~finite])] = True
            scores = np.where(finite[:, None], scores, 0)
        probabilities = np.exp(-np.logaddexp(0.0, -scores[:, 0]))
        is_likely = probabilities >= self.cfg["threshold"]
        likely = batch.words[is_likely]
        docs = batch.docs_of(likely)
        positions = likely - batch.doc_starts[docs]
        tokens: list[int] = []
        frames: list[PredictedFrame] = []
        for token, number, at, score in zip(
            likely.tolist(),
            docs.tolist(),
            positions.tolist(),
            probabilities[is_likely].tolist(),
            strict=True,
        ):
            if can_be_predicate(batch.docs[number][at].text):
                tokens.append(token)
                frames.append(PredictedFrame(at, at + 1, "", score=score))
        return Candidates(np.asarray(tokens, dtype=np.int64), frames)

    def _given(self, batch: TokenBatch) -> Candidates:
        tokens: list[int] = []
        frames: list[PredictedFrame] = []
        for doc, offset in zip(batch.docs, batch.doc_starts.tolist(), strict=True):
            own = self._given_frames(doc)
            tokens += [offset + frame.predicate for frame in own]
            frames += own
        return Candidates(np.asarray(tokens, dtype=np.int64), frames)

    def _given_frames(self, doc: Doc) -> list[PredictedFrame]:
        """RETURNS (List[PredictedFrame]): The predicates that a document has, without arguments."""
        key = self.cfg["spans_key"]
        if key not in doc.spans:
            raise ValueError(
                f"[components.{self.name}] predicates is 'given', but the document "
                f"{doc.text[:60]!r} has no doc.spans[{key!r}]. Write the predicates there "
                "(an empty group if there are none), e.g. by an earlier component, or set "
                'predicates = "detect".'
            )
        given = sorted((span for span, _ in group_spans(doc, key)), key=lambda span: span.start)
        return [PredictedFrame(span.start, span.end, span.kb_id_) for span in given]

    def _predict_part(
        self,
        batch: TokenBatch,
        frames: Sequence[PredictedFrame],
        predicates: np.ndarray,
        starts: np.ndarray,
        ends: np.ndarray,
    ) -> None:
        """Score and decode some neighbouring predicates and write what was found into their
        frames."""
        doc_of = batch.docs_of(predicates)
        doc_starts = batch.doc_starts[doc_of]
        tokens = [
            batch.docs[d][frame.predicate] for d, frame in zip(doc_of.tolist(), frames, strict=True)
        ]
        forms = [self.senses.word_of(token) for token in tokens]
        first, last = int(starts[0]), int(ends.max())  # the network need not see other tokens
        vectors = batch.vectors[first:last]
        query = frame_query(predicates - first, starts - first, ends - first, forms, self.senses)
        lengths = ends - starts
        at_once = lengths.sum() <= PAIRS_AT_ONCE
        scores = self._score(vectors, query if at_once else query.for_rolesets())
        senses = self.model.ops.to_numpy(scores.senses)
        senses = _finite_scores(batch, senses, doc_of[query.candidate_predicates])
        self._choose_rolesets(query, senses, tokens, forms, frames)
        is_kept = ~self._are_argumentless(frames)
        if not is_kept.any():
            return
        if at_once:
            labels = self.model.ops.to_numpy(scores.tags)[is_kept.repeat(lengths)]
        else:
            arguments = self._score(vectors, query.for_arguments(is_kept))
            labels = self.model.ops.to_numpy(arguments.tags)
        frames = list(compress(frames, is_kept.tolist()))
        predicates, starts, ends, doc_starts = (
            values[is_kept] for values in (predicates, starts, ends, doc_starts)
        )
        lengths = ends - starts
        first_pair = np.cumsum(lengths) - lengths
        n_roles = len(self.labels)
        labels = _finite_scores(batch, labels[:, : 2 + n_roles], doc_of[is_kept].repeat(lengths))
        begins = labels[:, 1 + n_roles].copy()
        labels[:, 1 + n_roles :] = -np.inf
        at = first_pair + predicates - starts
        sizes = np.asarray([frame.predicate_end - frame.predicate for frame in frames])
        for length in range(int(sizes.max())):
            inside = (sizes > length) & (at + length < first_pair + lengths)
            labels[at[inside] + length, 1:] = -np.inf  # a predicate is not its own argument
        if self.cfg["argument_kind"] == "heads":
            begins = np.full_like(begins, np.inf)  # no argument goes on
        tag_scores = FactoredScores(labels, begins, n_roles)
        span_starts, span_ends, roles = spans_from_bio(
            self._decode(tag_scores, lengths, frames), lengths.tolist(), n_roles
        )
        owner = np.searchsorted(first_pair, span_starts, side="right") - 1
        shift = starts[owner] - first_pair[owner]
        argument_starts, argument_ends = batch.without_outer_space(
            span_starts + shift, span_ends + shift
        )
        probabilities = None
        if self.cfg["probabilities"]:
            probabilities = span_probabilities(
                tag_scores.rows(slice(None)), lengths.tolist(), span_starts, span_ends, roles
            ).tolist()
        names = self.labels
        for number, (at_frame, role, start, end) in enumerate(
            zip(
                owner.tolist(),
                roles.tolist(),
                (argument_starts - doc_starts[owner]).tolist(),
                (argument_ends - doc_starts[owner]).tolist(),
                strict=True,
            )
        ):
            if start < end:
                frames[at_frame].arguments.append((names[role], start, end))
                if probabilities is not None:
                    scored = frames[at_frame].argument_scores
                    frames[at_frame].argument_scores = [*scored, probabilities[number]]

    def _score(self, vectors: Floats2d, query: PairQuery) -> PairScores:
        """RETURNS (PairScores): What the network makes of a query."""
        scores: PairScores = self.model.get_ref("argument_scorer").predict((vectors, query))
        return scores

    def _are_argumentless(self, frames: Sequence[PredictedFrame]) -> np.ndarray:
        """RETURNS (np.ndarray): [frames], bool: those whose rolesets have no arguments."""
        known = set(
            self.cfg["argumentless_rolesets"]
            if self.cfg["constraints"]["argumentless_rolesets"]
            else ()
        )
        return np.asarray([frame.roleset in known for frame in frames])

    def _decode(
        self, scores: TagScores, lengths: np.ndarray, frames: Sequence[PredictedFrame]
    ) -> np.ndarray:
        """RETURNS (np.ndarray): [pairs], the best tags that satisfy the constraints."""
        switches = {
            k: v for k, v in self.cfg["constraints"].items() if k != "argumentless_rolesets"
        }
        allowed = None
        if switches.pop("inventory_roles") and self.frames is not None:
            rows = {frame.roleset: self._allowed_roles(frame.roleset) for frame in frames}
            allowed = np.stack([rows[frame.roleset] for frame in frames])
        if allowed is None and not any(switches.values()):
            return decode_bio(scores, lengths.tolist())
        constraints = _constraints_of(self.labels, tuple(switches.items()))
        return decode_roles(scores, lengths.tolist(), constraints, allowed)

    def _allowed_roles(self, roleset: str) -> np.ndarray:
        if self.frames is None or roleset not in self.frames:
            return np.ones(len(self.labels), dtype=bool)
        return allowed_labels(self.labels, list(self.frames.rolesets[roleset].roles))

    def _choose_rolesets(
        self,
        query: PairQuery,
        scores: np.ndarray,
        tokens: Sequence[Token],
        forms: Sequence[str],
        frames: Sequence[PredictedFrame],
    ) -> None:
        """Choose the roleset of each frame that has none yet. What the forms had in training
        counts, too, since the network sees few examples of most rolesets.
        """
        values = scores[:, 0].astype(np.float64)
        values += PRIOR_WEIGHT * np.asarray(
            [p for form in forms for p in self.senses.log_priors(form)]
        )
        best = best_of_segments(values, query.candidate_predicates, len(forms))
        chosen = best[query.candidate_predicates]  # [candidates]
        sums = np.bincount(
            query.candidate_predicates, np.exp(values - values[chosen]), minlength=len(forms)
        )
        for row, form, token, total, frame in zip(
            best.tolist(), forms, tokens, sums.tolist(), frames, strict=True
        ):
            if frame.roleset:
                continue
            if row < 0:
                frame.roleset = self.senses.fallback(form, own_lemma(token))
            else:
                frame.roleset = self.senses.rolesets[query.candidates[row]]
                frame.roleset_score = 1.0 / total


def _finite_scores(batch: TokenBatch, scores: np.ndarray, doc_of: np.ndarray) -> np.ndarray:
    """Note which documents have scores that are not finite.

    batch (TokenBatch): The documents; `is_lost` is written to.
    scores (np.ndarray): [rows, columns].
    doc_of (np.ndarray): [rows], the document of each.
    RETURNS (np.ndarray): The scores, with rows of zeros in place of those.
    """
    finite = finite_rows(scores)
    if finite is None:
        return scores
    batch.is_lost[doc_of[~finite]] = True
    return np.where(finite[:, None], scores, 0)


@lru_cache(maxsize=64)
def _constraints_of(
    labels: tuple[str, ...], switches: tuple[tuple[str, bool], ...]
) -> RoleConstraints:
    """RETURNS (RoleConstraints): What `RoleConstraints.from_labels` gives. Not to be changed."""
    return RoleConstraints.from_labels(labels, **dict(switches))


def _is_same(value: Any, saved: Any) -> bool:
    """RETURNS (bool): Whether two settings are equal, up to the rounding of saved numbers."""
    if isinstance(value, float) and isinstance(saved, float):
        return math.isclose(value, saved)
    return bool(value == saved)


def _check_choice(name: str, setting: str, value: str, choices: Sequence[str]) -> None:
    """RAISES (ValueError): If the value is not one of the choices."""
    if value not in choices:
        raise ValueError(
            f"[components.{name}] {setting} can't be {value!r}; choose from {', '.join(choices)}."
        )
