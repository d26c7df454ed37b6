"""Predicates that are given to the semantic role head, instead of its finding them."""

from collections.abc import Iterable, Sequence

import numpy as np
from spacy.tokens import Doc, Span
from spacy.training import Example

from .alignment import aligned_frames

GIVEN_SUFFIX = "_predicates"


def give_predicates(doc: Doc, tokens: Iterable[int], key: str = "srl") -> None:
    """Tell the semantic role head which tokens of a document are the predicates.

    They are kept in the span group `srl_predicates`, which can as well be filled by a matcher: the
    first token of each span is a predicate.

    doc (Doc): The document.
    tokens (Iterable[int]): The predicates; none says that the document has no predicate.
    key (str): The span group of the head's frames, its `spans_key`.
    """
    doc.spans[key + GIVEN_SUFFIX] = [Span(doc, token, token + 1) for token in sorted(set(tokens))]


def give_gold_predicates(example: Example, key: str = "srl") -> int:
    """Give the gold predicates to the predicted document, to score the arguments by themselves.

    example (Example): The example. Without gold frames the predicates are left to be found.
    key (str): The span group of the frames.
    RETURNS (int): How many gold predicates can't be given, because no token of the predicted
        document has their characters.
    """
    if key not in example.reference.spans:
        return 0
    frames, n_unaligned, _ = aligned_frames(example, key)
    give_predicates(example.predicted, [frame.predicate for frame in frames], key)
    return n_unaligned


def with_given_predicates(
    docs: Sequence[Doc], doc_starts: np.ndarray, found: np.ndarray, key: str = "srl"
) -> np.ndarray:
    """Put the given predicates of documents in place of those found.

    docs (Sequence[Doc]): The documents.
    doc_starts (np.ndarray): [documents], the first token of each in the batch.
    found (np.ndarray): [predicates found], tokens of the batch in order.
    key (str): The span group of the frames.
    RETURNS (np.ndarray): [predicates], tokens of the batch in order.
    """
    group = key + GIVEN_SUFFIX
    if not any(group in doc.spans for doc in docs):
        return found
    parts = []
    for doc, start in zip(docs, doc_starts.tolist(), strict=True):
        if group in doc.spans:
            given = {start + span.start for span in doc.spans[group] if not span[0].is_space}
            parts.append(np.asarray(sorted(given), dtype=found.dtype))
        else:
            parts.append(found[(found >= start) & (found < start + len(doc))])
    return np.concatenate(parts)
