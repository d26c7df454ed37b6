"""Decoding by compiled kernels, see `spacy_mtl.native`."""

from collections.abc import Sequence

import numpy as np

from ..native import get_kernels
from ..native.threads import parallel_for
from .constraints import RoleConstraints
from .scores import TagScores


def decode_compiled(
    scores: TagScores,
    lengths: Sequence[int],
    constraints: RoleConstraints | None = None,
    allowed: np.ndarray | None = None,
    max_nodes: int = 0,
    max_violations: int = 0,
) -> np.ndarray | None:
    """Find the best valid tags of sequences, each on its own.

    See `decode_bio`, and with constraints `decode_roles`, for the arguments. The search with
    constraints is the same as there, but that each sequence is on its own.

    RETURNS (Optional[np.ndarray]): [tokens], the tags; None where there are no kernels for the
        scores, which have to be of float32.
    """
    kernels = get_kernels()
    table = scores.table()
    if kernels is None or table.begin.dtype != np.float32 or table.none.dtype != np.float32:
        return None
    if len(table.none) and table.begin.strides[1] != table.begin.itemsize:
        return None
    rules = None
    if constraints is not None:
        rules = (
            constraints.is_unique.astype(np.uint8),
            constraints.needs,
            constraints.needs_before.astype(np.uint8),
            max_nodes,
            max_violations,
        )
        allowed = None if allowed is None else allowed.astype(np.uint8)
    tags = np.zeros(len(scores), dtype=np.int64)
    sizes = np.asarray(lengths, dtype=np.int64)

    def work(next_chunk: np.ndarray) -> None:
        kernels.decode_tags(*table, sizes, rules, allowed, tags, next_chunk)

    parallel_for(work, -(-len(tags) // kernels.DECODED_TOKENS))
    return tags
