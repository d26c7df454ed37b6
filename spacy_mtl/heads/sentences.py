"""Where sentences start, as a semantic role head sees them."""

from collections.abc import Iterator, Sequence

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
    guessed = _guess_starts([doc for doc, known in zip(docs, is_known, strict=True) if not known])
    parts = [
        np.atleast_1d(doc.to_array(SENT_START)) == 1 if known else next(guessed)
        for doc, known in zip(docs, is_known, strict=True)
    ]
    for starts in parts:
        starts[0] = True
    return np.concatenate(parts) if parts else np.zeros(0, dtype=bool)


def _guess_starts(docs: Sequence[Doc]) -> Iterator[np.ndarray]:
    """YIELDS (np.ndarray): For each document [tokens], boolean; all are looked at together."""
    if docs:
        parts = [doc.to_array([IS_PUNCT, ORTH]).reshape(-1, 2) for doc in docs]
        is_punctuation, words = np.concatenate(parts).T
        is_end = np.isin(words, _SENTENCE_END)
        last = 0
        for doc in docs:
            first, last = last, last + len(doc)
            yield after_sentence_end(is_punctuation[first:last] == 1, is_end[first:last])


def after_sentence_end(is_punctuation: np.ndarray, is_end: np.ndarray) -> np.ndarray:
    """Find the words before which, since the last word, a sentence has ended.

    is_punctuation (np.ndarray): [tokens], boolean.
    is_end (np.ndarray): [tokens], whether the token ends a sentence, boolean.
    RETURNS (np.ndarray): [tokens], boolean.
    """
    is_word = ~(is_punctuation | is_end)
    words = np.flatnonzero(is_word)
    n_ends = is_end.cumsum()[words]
    starts = np.zeros(len(is_word), dtype=bool)
    starts[words] = np.diff(n_ends, prepend=0) > 0
    return starts
