"""What was computed of words seen before, kept across batches of a prediction."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .parameter_state import Kept, ParameterState


class Places(NamedTuple):
    """Where words are kept.

    tables (List[Tensor]): [rows, columns] each.
    rows (Tensor): [words], the row of each word.
    """

    tables: list[Tensor]
    rows: Tensor


class Compute(Protocol):
    """Computes what is kept of some words."""

    def __call__(self, chosen: np.ndarray, into: Places | None = None) -> list[Tensor]:
        """Compute it.

        chosen (np.ndarray): The numbers of the words.
        into (Optional[Places]): Where to write it.
        RETURNS (List[Tensor]): One or more matrices [some words, columns]; or the tables.
        """


class WordCache(Kept):
    """What was computed of the words used last, a bounded number of them: their embedded vectors,
    for example.

    A word is known by a 64-bit hash of the attributes that all this is computed from, so that it
    does not matter what vocabulary or document it comes from, and a token whose NORM was changed is
    another word. Everything is dropped when a parameter changes (see `ParameterState`). Copies,
    pickles and so the processes of `nlp.pipe(n_process=2)` have caches of their own, empty ones
    unless forked. Of several threads that predict at once, one has the use of the cache.

    size (int): The number of words kept at most; 0 for none. A word takes 4 bytes a column, and
        memory is taken when it is needed.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._kept: _Kept | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return WordCache, (self.size,)

    def forget(self) -> None:
        """Drop everything."""
        self._kept = None

    def __len__(self) -> int:
        """RETURNS (int): The number of words in the cache."""
        return 0 if self._kept is None else self._kept.n_words

    @contextmanager
    def reading(
        self,
        keys: np.ndarray,
        parameters: Sequence[Tensor],
        compute: Compute,
    ) -> Iterator[tuple[list[Tensor], np.ndarray]]:
        """Read what is kept of distinct words, computing it for those that are not known.

        Nothing is copied: the tables can be read within the context, and not after it, when other
        words may take the place of these.

        keys (np.ndarray): [words], unsigned 64-bit hashes in ascending order.
        parameters (Sequence[Tensor]): All parameters that the values depend on.
        compute (Compute): Computes what is kept.
        YIELDS (Tuple[List[Tensor], np.ndarray]): A table [rows, columns] for each of these
            matrices, whose first row is zeros and belongs to no word; and [words], the row of each
            word.
        """
        if len(keys) > self.size or not self._lock.acquire(blocking=False):
            computed = compute(np.arange(len(keys)))
            yield [F.pad(values, (0, 0, 1, 0)) for values in computed], np.arange(len(keys)) + 1
            return
        try:
            kept = self._kept
            if kept is None or not kept.state.is_current(parameters):
                kept = self._kept = _Kept(self.size, parameters)
            tables, rows = kept.find(keys, compute)
            kept.readers.append(threading.get_ident())
        finally:
            self._lock.release()
        try:
            yield tables, rows
        finally:
            kept.readers.remove(threading.get_ident())


class _Kept:
    """The words of a cache while the parameters stay the same."""

    def __init__(self, size: int, parameters: Sequence[Tensor]) -> None:
        self.state = ParameterState(parameters)
        self.size = size
        self.n_calls = 0
        self.keys = np.zeros(0, dtype=np.uint64)  # [words], ascending
        self.rows = np.zeros(0, dtype=np.int64)  # [words], where the values of each key are
        self.free = 1 + np.arange(size)  # rows without a word
        self.last_use = np.zeros(1 + size, dtype=np.int64)  # [rows], the call that used it last
        self.tables: list[Tensor] = []  # [1 + size, columns] each
        self.readers: list[int] = []  # threads that read the tables now

    @property
    def n_words(self) -> int:
        """RETURNS (int): The number of words."""
        return len(self.keys)

    def find(self, keys: np.ndarray, compute: Compute) -> tuple[list[Tensor], np.ndarray]:
        """See `WordCache.reading`."""
        self.n_calls += 1
        found, rows = self._look_up(keys)
        self.last_use[rows[found]] = self.n_calls
        missing = np.flatnonzero(~found)
        if not len(missing):
            return self.tables, rows
        computed = None
        if not self.tables:
            computed = compute(missing)
            self.tables = self._make_tables(computed)
        if len(missing) > len(self.free):
            self._drop(max(int(found.sum()), min(self.size // 2, self.size - len(missing))))
        new = self.free[: len(missing)]
        rows[missing] = new
        places = Places(self.tables, torch.from_numpy(new))
        if computed is None:
            compute(missing, places)
        else:
            for table, values in zip(self.tables, computed, strict=True):
                table.index_copy_(0, places.rows, values)
        self.free = self.free[len(missing) :]
        self.last_use[new] = self.n_calls
        place = np.searchsorted(self.keys, keys[missing])
        self.keys = np.insert(self.keys, place, keys[missing])
        self.rows = np.insert(self.rows, place, new)
        return self.tables, rows

    def _look_up(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which words are kept, and the row of each that is: [words] each."""
        if not self.n_words:
            return np.zeros(len(keys), dtype=bool), np.zeros(len(keys), dtype=np.int64)
        place = np.searchsorted(self.keys, keys)
        np.minimum(place, self.n_words - 1, out=place)
        return self.keys[place] == keys, self.rows[place]

    def _make_tables(self, like: Sequence[Tensor]) -> list[Tensor]:
        with torch.inference_mode(False):
            tables = [values.new_empty((1 + self.size, values.shape[1])) for values in like]
        for table in tables:
            table[0] = 0.0
        return tables

    def _drop(self, n_kept: int) -> None:
        """Keep only the words that were used last. The others' rows can be written to, so that
        tables that some other thread reads are replaced."""
        if self.readers:
            old_tables, self.tables = self.tables, self._make_tables(self.tables)
            for table, old in zip(self.tables, old_tables, strict=True):
                table.copy_(old)
        oldest = np.argsort(-self.last_use[self.rows], kind="stable")[n_kept:]
        is_kept = np.ones(self.n_words, dtype=bool)
        is_kept[oldest] = False
        self.free = np.concatenate([self.rows[~is_kept], self.free])
        self.keys, self.rows = self.keys[is_kept], self.rows[is_kept]
