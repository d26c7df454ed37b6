"""Gold entities at the tokens of a document that is tokenized in another way."""

import numpy as np
from spacy.attrs import ENT_IOB, IS_SPACE
from spacy.training import Example

MISSING, INSIDE, OUTSIDE, BEGIN = range(4)  # the values of Token.ent_iob


def align_entities(example: Example) -> tuple[np.ndarray, np.ndarray]:
    """Find the entities of a reference at the tokens of the predicted document.

    The same as `Example.get_aligned_ner`, without going through all tokens one by one: an entity
    that does not begin and end where tokens do is missing there. Tokens are outside of all entities
    if all that they align with is, or if they are whitespace.

    example (Example): The example; its reference has entity annotation.
    RETURNS (Tuple[np.ndarray, np.ndarray]): ENT_IOB and ENT_TYPE, [predicted tokens] each.
    """
    predicted, reference = example.predicted, example.reference
    gold = reference.to_array([ENT_IOB]).reshape(-1)
    to_reference = example.alignment.x2y
    iob = _common_values(gold, to_reference.data, to_reference.lengths)
    is_outside = (iob == OUTSIDE) | (predicted.to_array([IS_SPACE]).reshape(-1) == 1)
    iob = np.where(is_outside, OUTSIDE, MISSING).astype(np.uint64)
    types = np.zeros(len(predicted), dtype=np.uint64)
    for span in example.get_aligned_spans_y2x(reference.ents, allow_overlap=False):
        iob[span.start : span.end] = INSIDE
        iob[span.start] = BEGIN
        types[span.start : span.end] = span.label
    return iob, types


def _common_values(values: np.ndarray, indices: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Bring groups of values to one each: the value that all of a group have, -1 where they differ
    or there is none.

    values (np.ndarray): [n], unsigned.
    indices (np.ndarray): [members of all groups], which value.
    lengths (np.ndarray): [groups], the number of members.
    RETURNS (np.ndarray): [groups], signed.
    """
    common = np.full(len(lengths), -1, dtype=np.int64)
    filled = np.flatnonzero(lengths)
    if len(filled):
        members = values[indices].astype(np.int64)
        starts = (np.cumsum(lengths) - lengths)[filled]
        lowest = np.minimum.reduceat(members, starts)
        common[filled] = np.where(lowest == np.maximum.reduceat(members, starts), lowest, -1)
    return common
