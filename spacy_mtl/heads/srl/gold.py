"""Gold frames as arrays to learn from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from spacy.training import Example

from ...decoding.bio import bio_from_spans
from ...models.heads.pair_query import PairQuery
from ...srl.alignment import IndexedFrame, aligned_frames, unknown_predicates
from ...srl.argument_heads import head_frames
from ...srl.predicates import can_be_predicate
from ...srl.senses import SenseInventory
from ..alignment_cache import AlignmentCache, text_and_spans
from .frame_batch import argument_ranges, frame_query


@dataclass(frozen=True)
class GoldFrames:
    """The gold frames of a batch as arrays.

    n_annotated_tokens (int): Tokens of annotated documents.
    is_predicate (np.ndarray): [tokens, 1], 1.0, 0.0, or NaN in documents without annotation.
    query (PairQuery): What to score for the gold predicates.
    tags (np.ndarray): [pairs], the right BIO tag, -1 where not known.
    right_candidates (np.ndarray): [predicates], the right row of the query's candidates, or -1.
    log_priors (np.ndarray): [candidates], how probable each is by what the word had elsewhere.
    """

    n_annotated_tokens: int
    is_predicate: np.ndarray
    query: PairQuery
    tags: np.ndarray
    right_candidates: np.ndarray
    log_priors: np.ndarray


def collect_gold(
    examples: Sequence[Example],
    *,
    spans_key: str,
    roles: Sequence[str],
    senses: SenseInventory,
    max_distance: int,
    argument_kind: str = "spans",
    argumentless_rolesets: Collection[str] = (),
    memory: AlignmentCache[list[IndexedFrame]] | None = None,
) -> GoldFrames:
    """Gather the gold frames of a batch.

    examples (Sequence[Example]): The examples; those whose reference does not have the span group
        are not annotated.
    spans_key (str): The span group that holds the frames.
    roles (Sequence[str]): The roles to learn, in the order of the network's outputs.
    senses (SenseInventory): The rolesets to choose among.
    max_distance (int): An argument token is at most so many tokens from its predicate.
    argument_kind (str): "spans" or "heads"; see `gold_frames`.
    argumentless_rolesets (Collection[str]): Rolesets without arguments: there is nothing to tag for
        them.
    memory (Optional[AlignmentCache]): Keeps the aligned frames of each reference for the next time.
    RETURNS (GoldFrames): The frames, in tokens of the predicted documents counted over the batch.
    """
    docs = [example.predicted for example in examples]
    is_predicate = np.full((sum(len(doc) for doc in docs), 1), np.nan, dtype="float32")
    predicates: list[int] = []
    forms: list[str] = []
    rolesets: list[int] = []
    is_argumentless: list[bool] = []
    arguments: list[tuple[int, int, int, int]] = []  # predicate, role, start, end
    role_of = {label: i for i, label in enumerate(roles)}
    offset = n_annotated_tokens = 0
    for example, doc in zip(examples, docs, strict=True):
        if spans_key in example.reference.spans:
            n_annotated_tokens += len(doc)
            is_predicate[offset : offset + len(doc)] = 0.0
            is_predicate[[offset + at for at in unknown_predicates(example, spans_key)], 0] = np.nan
            for frame in _frames_of(example, spans_key, argument_kind, memory):
                at = offset + frame.predicate
                is_predicate[at, 0] = 1.0
                for label, start, end in frame.arguments:
                    role = role_of.get(label, -1)
                    arguments.append((len(predicates), role, offset + start, offset + end))
                is_argumentless.append(
                    not frame.arguments and frame.roleset in argumentless_rolesets
                )
                predicates.append(at)
                forms.append(senses.word_of(doc[frame.predicate]))
                rolesets.append(senses.index(frame.roleset))
        offset += len(doc)
    at_token = np.asarray(predicates, dtype=np.int64)
    starts, ends = argument_ranges(docs, max_distance)
    query = replace(
        frame_query(at_token, starts[at_token], ends[at_token], forms, senses),
        is_argumentless=np.asarray(is_argumentless, dtype=bool),
    )
    return GoldFrames(
        n_annotated_tokens,
        is_predicate,
        query,
        tag_targets(query, np.asarray(arguments, dtype=np.int64).reshape(-1, 4), len(roles)),
        _right_candidates(query, rolesets),
        np.asarray(
            [
                prior
                for form, roleset in zip(forms, rolesets, strict=True)
                for prior in senses.log_priors_without(form, roleset)
            ],
            dtype="float32",
        ),
    )


def gold_frames(
    example: Example, spans_key: str, argument_kind: str
) -> tuple[list[IndexedFrame], int, int]:
    """Read the gold frames of an example that can be learned.

    example (Example): The example.
    spans_key (str): The span group that holds the frames.
    argument_kind (str): "spans", or "heads" for one token of each argument; see `head_frames`.
    RETURNS (Tuple[List[IndexedFrame], int, int]): See `aligned_frames`. Frames whose predicate can
        be none, see `can_be_predicate`, are left out.
    """
    frames = None if argument_kind == "spans" else head_frames(example.reference, spans_key)
    aligned, n_predicates, n_arguments = aligned_frames(example, spans_key, frames)
    doc = example.predicted
    possible = [frame for frame in aligned if can_be_predicate(doc[frame.predicate].text)]
    return possible, n_predicates, n_arguments


def _frames_of(
    example: Example,
    spans_key: str,
    argument_kind: str,
    memory: AlignmentCache[list[IndexedFrame]] | None,
) -> list[IndexedFrame]:
    def align() -> list[IndexedFrame]:
        return gold_frames(example, spans_key, argument_kind)[0]

    if memory is None:
        return align()
    return memory.get(example, text_and_spans(example, spans_key), align)


def tag_targets(query: PairQuery, arguments: np.ndarray, n_roles: int) -> np.ndarray:
    """Write arguments as BIO tags of pairs.

    Tokens of an argument that has an unknown role or reaches out of the range have no known tag.

    query (PairQuery): The predicates and their ranges.
    arguments (np.ndarray): [arguments, 4]: predicate, role (-1: unknown), first token, end.
    n_roles (int): The number of roles.
    RETURNS (np.ndarray): [pairs].
    """
    lengths = query.n_pairs
    first_pair = np.cumsum(lengths) - lengths
    tags = np.zeros(int(lengths.sum()), dtype=np.int64)
    predicate, role, start, end = arguments.T
    inside_start = np.maximum(start, query.starts[predicate])
    inside_end = np.minimum(end, query.ends[predicate])
    reachable = inside_start < inside_end
    learnable = reachable & (inside_start == start) & (inside_end == end) & (role >= 0)
    shift = first_pair[predicate] - query.starts[predicate]
    for i in np.flatnonzero(reachable & ~learnable).tolist():
        tags[inside_start[i] + shift[i] : inside_end[i] + shift[i]] = -1
    kept = np.flatnonzero(learnable)
    gold = bio_from_spans(
        (start + shift)[kept], (end + shift)[kept], role[kept], len(tags), n_roles
    )
    return np.where(tags < 0, tags, gold)


def _right_candidates(query: PairQuery, rolesets: Sequence[int]) -> np.ndarray:
    right = np.full(len(rolesets), -1, dtype=np.int64)
    wanted = np.asarray(rolesets, dtype=np.int64)[query.candidate_predicates]
    rows = np.flatnonzero(query.candidates == wanted)
    right[query.candidate_predicates[rows]] = rows
    return right
