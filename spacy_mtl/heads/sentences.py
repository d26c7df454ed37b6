"""Where sentences start, as a semantic role head sees them."""

from collections.abc import Sequence

import numpy as np
from spacy.attrs import IS_PUNCT, ORTH, SENT_START
from spacy.pipeline import Sentencizer
from spacy.strings import get_string_id
from spacy.tokens import Doc

_SENTENCE_END = np.unique(
    np.array([get_string_id(char) for char in Sentencizer.default_punct_chars], dtype=np.uint64)
)


def sentence_starts(docs: Sequence[Doc]) -> np.ndarray:
    """Find the first token of each sentence: as the document says, or else, as spaCy's
    `sentencizer` does it, after full stops and the like, and the other punctuation that follows.

    docs (Sequence[Doc]): The documents.
    RETURNS (np.ndarray): [tokens of all documents], boolean; True at the first of a document.
    """
    docs = [doc for doc in docs if len(doc)]
    is_known = [doc.has_annotation("SENT_START") for doc in docs]
    unknown = [doc for doc, known in zip(docs, is_known, strict=True) if not known]
    guessed = iter(_guess_starts(unknown))
    parts = [
        np.atleast_1d(doc.to_array(SENT_START)) == 1 if known else next(guessed)
        for doc, known in zip(docs, is_known, strict=True)
    ]
    for starts in parts:
        starts[0] = True
    return np.concatenate(parts) if parts else np.zeros(0, dtype=bool)


def _guess_starts(docs: Sequence[Doc]) -> list[np.ndarray]:
    """RETURNS (List[np.ndarray]): For each document [tokens], boolean; all are looked at together.
    The first token of a document is not told apart.
    """
    if not docs:
        return []
    lengths = np.asarray([len(doc) for doc in docs])
    values = np.concatenate([doc.to_array([IS_PUNCT, ORTH]).reshape(-1, 2) for doc in docs])
    place = np.searchsorted(_SENTENCE_END, values[:, 1])
    is_end = _SENTENCE_END[np.minimum(place, len(_SENTENCE_END) - 1)] == values[:, 1]
    starts = after_sentence_end(values[:, 0] == 1, is_end, lengths)
    return np.split(starts, lengths.cumsum()[:-1])


def after_sentence_end(
    is_punctuation: np.ndarray, is_end: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """Find the words before which, since the last word of the document, a sentence has ended.

    is_punctuation (np.ndarray): [tokens], boolean.
    is_end (np.ndarray): [tokens], whether the token ends a sentence, boolean.
    lengths (np.ndarray): [documents], the tokens of each document.
    RETURNS (np.ndarray): [tokens], boolean.
    """
    words = np.flatnonzero(~(is_punctuation | is_end))
    n_ends = np.append(0, is_end.cumsum())  # [1 + tokens], before each token
    before_doc = n_ends[lengths.cumsum() - lengths].repeat(lengths)  # [tokens]
    before_word = n_ends[words]
    at_last_word = np.maximum(np.append(0, before_word)[:-1], before_doc[words])
    starts = np.zeros(len(is_end), dtype=bool)
    starts[words] = before_word > at_last_word
    return starts
