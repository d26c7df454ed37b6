"""The vectors of words seen before, kept across batches of a prediction."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .parameter_state import Kept, ParameterState


class WordCache(Kept):
    """The embedded vectors of the words used last, a bounded number of them.

    A word is known by a 64-bit hash of the attributes that its vector is computed from, so that it
    does not matter what vocabulary or document it comes from, and a token whose NORM was changed is
    another word. All vectors are dropped when a parameter changes (see `ParameterState`). Copies,
    pickles and so the processes of `nlp.pipe(n_process=2)` have caches of their own, empty ones
    unless forked. Of several threads that predict at once, one has the use of the cache.

    size (int): The number of words kept at most; 0 for none. A word takes 4 bytes a column, and
        memory is taken when it is needed.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._table: _Table | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return WordCache, (self.size,)

    def forget(self) -> None:
        """Drop all vectors."""
        self._table = None

    def __len__(self) -> int:
        """RETURNS (int): The number of words in the cache."""
        return 0 if self._table is None else self._table.n_words

    def embed(
        self,
        keys: np.ndarray,
        parameters: Sequence[Tensor],
        compute: Callable[[np.ndarray], Tensor],
    ) -> Tensor:
        """Get the vectors of distinct words, computing those that are not kept.

        keys (np.ndarray): [words], unsigned 64-bit hashes in ascending order.
        parameters (Sequence[Tensor]): All parameters that the vectors depend on.
        compute (Callable[[np.ndarray], Tensor]): Takes the numbers of some of the words, returns
            their vectors [some words, width].
        RETURNS (Tensor): [words, width].
        """
        if len(keys) > self.size or not self._lock.acquire(blocking=False):
            return compute(np.arange(len(keys)))
        try:
            table = self._table
            if table is None or not table.state.is_current(parameters):
                table = self._table = _Table(self.size, parameters)
            return table.embed(keys, compute)
        finally:
            self._lock.release()


class _Table:
    """The words of a cache while the parameters stay the same."""

    def __init__(self, size: int, parameters: Sequence[Tensor]) -> None:
        self.state = ParameterState(parameters)
        self.size = size
        self.n_words = 0
        self.n_calls = 0
        self.keys = np.zeros(0, dtype=np.uint64)  # [words], ascending
        self.slots = np.zeros(0, dtype=np.int64)  # [words], where the vector of each key is
        self.last_use = np.zeros(size, dtype=np.int64)  # [slots], the call that used it last
        self.vectors: Tensor | None = None  # [size, width]

    def embed(self, keys: np.ndarray, compute: Callable[[np.ndarray], Tensor]) -> Tensor:
        """See `WordCache.embed`."""
        self.n_calls += 1
        found, slots = self._find(keys)
        self.last_use[slots[found]] = self.n_calls
        missing = np.flatnonzero(~found)
        if not len(missing):
            return self._vectors_at(slots)
        computed = compute(missing)
        if self.vectors is None:
            with torch.inference_mode(False):
                self.vectors = computed.new_empty((self.size, computed.shape[1]))
        if self.n_words + len(missing) > self.size:
            self._drop(max(int(found.sum()), min(self.size // 2, self.size - len(missing))))
            found, slots = self._find(keys)
        first = self.n_words
        self.n_words += len(missing)
        slots[missing] = np.arange(first, self.n_words)
        self.vectors[first : self.n_words] = computed
        self.last_use[slots[missing]] = self.n_calls
        place = np.searchsorted(self.keys, keys[missing])
        self.keys = np.insert(self.keys, place, keys[missing])
        self.slots = np.insert(self.slots, place, slots[missing])
        return self._vectors_at(slots)

    def _find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which words are kept, and the slot of each that is: [words] each."""
        if not self.n_words:
            return np.zeros(len(keys), dtype=bool), np.zeros(len(keys), dtype=np.int64)
        place = np.searchsorted(self.keys, keys)
        np.minimum(place, self.n_words - 1, out=place)
        return self.keys[place] == keys, self.slots[place]

    def _drop(self, n_kept: int) -> None:
        """Keep only the words that were used last."""
        assert self.vectors is not None
        kept = np.argsort(-self.last_use[: self.n_words], kind="stable")[:n_kept]  # slots
        new_slot = np.full(self.n_words, -1)
        new_slot[kept] = np.arange(n_kept)
        self.vectors[:n_kept] = self.vectors[torch.from_numpy(kept)]
        self.last_use[:n_kept] = self.last_use[kept]
        slots = new_slot[self.slots]
        self.keys, self.slots = self.keys[slots >= 0], slots[slots >= 0]
        self.n_words = n_kept

    def _vectors_at(self, slots: np.ndarray) -> Tensor:
        assert self.vectors is not None
        return self.vectors.index_select(0, torch.from_numpy(slots))
