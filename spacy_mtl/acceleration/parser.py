"""The factory `mtl_fast_parser`: spaCy's dependency parser with a quicker greedy search."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from spacy.attrs import DEP, HEAD, IS_LEFT_PUNCT, IS_PUNCT, IS_SPACE, ORTH, SENT_START
from spacy.language import Language
from spacy.pipeline import DependencyParser, Sentencizer
from spacy.pipeline._parser_internals.transition_system import TransitionSystem
from spacy.pipeline.dep_parser import DEFAULT_PARSER_MODEL
from spacy.strings import get_string_id
from spacy.tokens import Doc
from thinc.api import Model, NumpyOps

from .arc_eager import N_FEATURES, ArcMoves, parse
from .state_scores import StateScorer, is_finite

TABLE_BYTES = 2**28  # of the contributions of tokens to states that are in memory at a time
TOKENS_PER_STEP = 8  # so many tokens for each of the longest sentence make lockstep worthwhile
_FINAL = np.array(
    sorted(get_string_id(mark) for mark in [*Sentencizer.default_punct_chars, "...", "…"]),
    dtype=np.uint64,
)


@dataclass
class Arcs:
    """The parse of a document.

    values (np.ndarray): [tokens, 2], relative heads and dependency labels, unsigned.
    """

    values: np.ndarray


class FastDependencyParser(DependencyParser):
    """spaCy's `DependencyParser`, with the same annotations for less work.

    Documents with heads set before, networks with features of other than eight tokens, labels for
    subtokens, beams, GPUs, batches of few sentences and numbers that are not finite take spaCy's
    own path.
    """

    def predict(self, docs: Sequence[Doc]) -> Any:
        """Parse without modifying the documents.

        docs (Sequence[Doc]): The documents.
        RETURNS (Any): For `set_annotations`.
        """
        docs = [docs] if isinstance(docs, Doc) else list(docs)
        moves = self._plain_moves()
        if moves is None or not any(map(len, docs)):
            return super().predict(docs)
        attrs = [HEAD, DEP, SENT_START, ORTH, IS_PUNCT, IS_LEFT_PUNCT, IS_SPACE]
        values = np.concatenate([doc.to_array(attrs).reshape(-1, len(attrs)) for doc in docs])
        may_start = starts_after_marks(*values[:, 3:].T) | (values[:, 2] == 1)
        lengths = [len(doc) for doc in docs]
        if values[:, :2].any() or not _is_worthwhile(may_start, lengths):
            return super().predict(docs)
        vectors = self.model.get_ref("tok2vec").predict(docs)  # [tokens, width]
        if not is_finite(self.model, vectors):
            return super().predict(docs)
        sent_starts = values[:, 2].astype(np.int64)
        scorer = StateScorer(self.model)
        root = self.vocab.strings["ROOT"]
        labels = np.array(
            [self.vocab.strings.add(label) if label else root for label in [*moves.labels, ""]],
            dtype=np.uint64,
        )
        pieces = list(_pieces(lengths, TABLE_BYTES // (4 * scorer.padding.size)))
        size = max(sum(piece) for piece, _ in pieces) + 1
        memory = np.empty((size, scorer.padding.size), dtype=vectors.dtype)
        parses: list[Arcs] = []
        for piece, tokens in pieces:
            starts = sent_starts[tokens], may_start[tokens]
            heads, classes = parse(scorer, moves, vectors[tokens], piece, *starts, memory)
            arcs = np.stack([heads.astype(np.uint64), labels[classes]], axis=1)
            parses.extend(map(Arcs, np.split(arcs, np.cumsum(piece)[:-1])))
        return parses

    def set_annotations(self, docs: Sequence[Doc], states_or_beams: Any) -> None:
        """Write heads, labels and sentence starts.

        docs (Sequence[Doc]): The documents.
        states_or_beams (Any): What `predict` returned for them.
        """
        docs = list(docs)
        if not all(isinstance(arcs, Arcs) for arcs in states_or_beams):
            super().set_annotations(docs, states_or_beams)
            return
        for doc, arcs in zip(docs, states_or_beams, strict=True):
            if len(doc):
                doc.from_array([HEAD, DEP], arcs.values)
            for hook in self.postprocesses:
                hook(doc)

    def _plain_moves(self) -> ArcMoves | None:
        """The classes, None if the settings are not those that `parse` covers."""
        lower, attrs = self.model.get_ref("lower"), self.model.attrs
        if (
            self.cfg["beam_width"] != 1
            or type(lower.ops).__name__ == "CupyOps"
            or not isinstance(lower.ops, NumpyOps)
            or lower.get_dim("nF") != N_FEATURES
        ):
            return None
        self._ensure_labels_are_added([Doc(self.vocab)])
        names = [self.moves.get_class_name(number) for number in range(self.moves.n_moves)]
        return ArcMoves.from_names(names, set(attrs["unseen_classes"]))


def starts_after_marks(
    orths: np.ndarray, is_punct: np.ndarray, is_left: np.ndarray, is_space: np.ndarray
) -> np.ndarray:
    """Find tokens that may start a sentence because the last word was followed by a final mark.

    orths (np.ndarray): [tokens], hashes of their texts.
    is_punct (np.ndarray): [tokens], nonzero for punctuation.
    is_left (np.ndarray): [tokens], nonzero for begin_offset brackets and quotes.
    is_space (np.ndarray): [tokens], nonzero for whitespace.
    RETURNS (np.ndarray): [tokens], whether a token is such a one.
    """
    number = np.arange(1, len(orths) + 1)
    is_final = np.isin(orths, _FINAL)
    is_word = (is_punct == 0) & (is_space == 0) & ~is_final
    last_mark = np.maximum.accumulate(np.where(is_final, number, 0))
    last_word = np.maximum.accumulate(np.where(is_word, number, 0))
    is_after = np.append(False, (last_mark > last_word)[:-1])
    return is_after & (is_word | ((is_left != 0) & ~is_final))


def _is_worthwhile(may_start: np.ndarray, lengths: Sequence[int]) -> bool:
    starts = np.flatnonzero(may_start)
    bounds = np.unique(np.concatenate([starts, [0], np.cumsum(lengths)]))
    return len(may_start) >= TOKENS_PER_STEP * np.diff(bounds).max()


def _pieces(lengths: Sequence[int], limit: int) -> Iterator[tuple[list[int], slice]]:
    """Documents of up to so many tokens, or one: YIELDS lengths and tokens, some of each."""
    piece: list[int] = []
    start = 0
    for length in lengths:
        if length and sum(piece) and sum(piece) + length > limit:
            yield piece, slice(start, start + sum(piece))
            start += sum(piece)
            piece = []
        piece.append(length)
    yield piece, slice(start, start + sum(piece))


@Language.factory(
    "mtl_fast_parser",
    assigns=["token.dep", "token.head", "token.is_sent_start", "doc.sents"],
    default_config={
        "moves": None,
        "update_with_oracle_cut_size": 100,
        "learn_tokens": False,
        "min_action_freq": 30,
        "model": DEFAULT_PARSER_MODEL,
        "scorer": {"@scorers": "spacy.parser_scorer.v1"},
    },
    default_score_weights={
        "dep_uas": 0.5,
        "dep_las": 0.5,
        "dep_las_per_type": None,
        "sents_p": None,
        "sents_r": None,
        "sents_f": 0.0,
    },
)
def make_fast_parser(
    nlp: Language,
    name: str,
    model: Model,
    moves: TransitionSystem | None,
    update_with_oracle_cut_size: int,
    learn_tokens: bool,
    min_action_freq: int,
    scorer: Callable | None,
) -> FastDependencyParser:
    """Create a dependency parser; the settings are those of spaCy's factory `parser`.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): The transition model.
    moves (Optional[TransitionSystem]): The transition system; made anew where None.
    update_with_oracle_cut_size (int): In training, the number of steps that long sequences are
        cut to.
    learn_tokens (bool): Whether to learn to merge subtokens.
    min_action_freq (int): The least frequency of labelled actions to keep.
    scorer (Optional[Callable]): The scoring method.
    RETURNS (FastDependencyParser): The component.
    """
    return FastDependencyParser(
        nlp.vocab,
        model,
        name=name,
        moves=moves,
        update_with_oracle_cut_size=update_with_oracle_cut_size,
        learn_tokens=learn_tokens,
        min_action_freq=min_action_freq,
        scorer=scorer,
    )
