"""The factory `mtl_fast_ner`: spaCy's entity recognizer with a quicker greedy search."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from spacy.attrs import ENT_IOB, IS_SPACE, SENT_START
from spacy.language import Language
from spacy.pipeline import EntityRecognizer
from spacy.pipeline._parser_internals.transition_system import TransitionSystem
from spacy.pipeline.ner import DEFAULT_NER_MODEL
from spacy.tokens import Doc, Span
from thinc.api import Model, NumpyOps

from .greedy_entities import EntityMoves, decode_entities
from .state_scores import is_finite


class FastEntityRecognizer(EntityRecognizer):
    """spaCy's `EntityRecognizer`, with the same annotations for less work.

    Documents with entities set before, networks with features of other than three tokens, beams,
    GPUs and numbers that are not finite take spaCy's own path.
    """

    def predict(self, docs: Sequence[Doc]) -> Any:
        """Find entities without modifying the documents.

        docs (Sequence[Doc]): The documents.
        RETURNS (Any): For `set_annotations`.
        """
        docs = [docs] if isinstance(docs, Doc) else list(docs)
        moves = self._plain_moves()
        if moves is None or not any(map(len, docs)):
            return super().predict(docs)
        attrs = [ENT_IOB, SENT_START, IS_SPACE]
        values = np.concatenate([doc.to_array(attrs).reshape(-1, 3) for doc in docs])
        if values[:, 0].any():
            return super().predict(docs)
        vectors = self.model.get_ref("tok2vec").predict(docs)  # [tokens, width]
        if not is_finite(self.model, vectors):
            return super().predict(docs)
        return decode_entities(
            self.model,
            moves,
            vectors,
            [len(doc) for doc in docs],
            values[:, 1] == 1,
            values[:, 2] != 0,
        )

    def set_annotations(self, docs: Sequence[Doc], states_or_beams: Any) -> None:
        """Write entities.

        docs (Sequence[Doc]): The documents.
        states_or_beams (Any): What `predict` returned for them.
        """
        docs = list(docs)
        if not all(isinstance(entities, list) for entities in states_or_beams):
            super().set_annotations(docs, states_or_beams)
            return
        for doc, entities in zip(docs, states_or_beams, strict=True):
            spans = [
                Span(doc, start, end, label=label, kb_id=doc[start].ent_kb_id)
                for start, end, label in entities
            ]
            doc.set_ents(spans, default="outside")

    def _plain_moves(self) -> EntityMoves | None:
        """The classes, None if the settings are not those that `decode_entities` covers."""
        lower, attrs = self.model.get_ref("lower"), self.model.attrs
        is_plain = (
            self.cfg["beam_width"] == 1
            and type(lower.ops).__name__ != "CupyOps"
            and isinstance(lower.ops, NumpyOps)
            and lower.get_dim("nF") == 3
            and not attrs["unseen_classes"]
        )
        names = [self.moves.get_class_name(number) for number in range(self.moves.n_moves)]
        return EntityMoves.from_names(names) if is_plain else None


@Language.factory(
    "mtl_fast_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={
        "moves": None,
        "update_with_oracle_cut_size": 100,
        "model": DEFAULT_NER_MODEL,
        "incorrect_spans_key": None,
        "scorer": {"@scorers": "spacy.ner_scorer.v1"},
    },
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_fast_ner(
    nlp: Language,
    name: str,
    model: Model,
    moves: TransitionSystem | None,
    update_with_oracle_cut_size: int,
    incorrect_spans_key: str | None,
    scorer: Callable | None,
) -> FastEntityRecognizer:
    """Create an entity recognizer; the settings are those of spaCy's factory `ner`.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): The transition model.
    moves (Optional[TransitionSystem]): The transition system; made anew where None.
    update_with_oracle_cut_size (int): In training, the number of steps that long sequences are
        cut to.
    incorrect_spans_key (Optional[str]): The span group with spans known not to be entities.
    scorer (Optional[Callable]): The scoring method.
    RETURNS (FastEntityRecognizer): The component.
    """
    return FastEntityRecognizer(
        nlp.vocab,
        model,
        name=name,
        moves=moves,
        update_with_oracle_cut_size=update_with_oracle_cut_size,
        incorrect_spans_key=incorrect_spans_key,
        scorer=scorer,
    )
