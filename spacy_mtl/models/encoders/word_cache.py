"""What was computed of words seen before, kept across batches of a prediction."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..layers.parameter_cache import Cached, ParameterState


@dataclass
class CacheSlots:
    """Where the values of the words of a batch are, or have to be written.

    tables (List[Tensor]): [slots, columns] each. The first row is zeros and belongs to no word.
    rows (np.ndarray): [words], the row of each word.
    misses (np.ndarray): The numbers of the words whose rows have no values yet: compute them, write
        them into the tables, then call `commit`.
    commit (Callable[[], None]): Keeps the values of the misses for later batches. Without it they
        are for this batch only.
    """

    tables: list[Tensor]
    rows: np.ndarray
    misses: np.ndarray
    commit: Callable[[], None]


class WordCache(Cached):
    """The values computed of the words used last, a bounded number of words: their embedded
    vectors, for example.

    A word is known by a 64-bit hash of all that its values are computed from, so that it does not
    matter what vocabulary or document it comes from, and a token whose NORM was changed is another
    word. Everything is dropped when a parameter changes (see `ParameterState`). Copies, pickles and
    so the processes of `nlp.pipe(n_process=2)` have caches of their own, empty ones unless forked.
    Of several threads that predict at once, one has the use of the cache.

    size (int): The number of words kept at most; 0 for none. A word takes 4 bytes a column, and
        memory is taken when it is needed.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._entries: _Entries | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return WordCache, (self.size,)

    def invalidate(self) -> None:
        """Drop everything."""
        self._entries = None

    def __len__(self) -> int:
        """RETURNS (int): The number of words in the cache."""
        return 0 if self._entries is None else self._entries.n_words

    @contextmanager
    def lookup(
        self, keys: np.ndarray, parameters: Sequence[Tensor], widths: Sequence[int]
    ) -> Iterator[CacheSlots]:
        """Look distinct words up.

        Nothing is copied: the tables can be read within the context, and not after it, when other
        words may take the slots of these.

        keys (np.ndarray): [words], distinct unsigned 64-bit hashes.
        parameters (Sequence[Tensor]): All parameters that the values depend on.
        widths (Sequence[int]): The columns of each table.
        YIELDS (CacheSlots): The tables, the row of each word, and which words are misses.
        """
        if len(keys) > self.size or not self._lock.acquire(blocking=False):
            every = np.arange(len(keys))
            yield CacheSlots(_make_tables(len(keys), widths), every + 1, every, _do_nothing)
            return
        is_locked = True

        def unlock() -> None:
            nonlocal is_locked
            if is_locked:
                is_locked = False
                self._lock.release()

        try:
            entries = self._entries
            if entries is None or not entries.fits(parameters, widths):
                entries = self._entries = _Entries(self.size, parameters, widths)
            rows, misses = entries.reserve(keys)

            def commit() -> None:
                if is_locked:
                    entries.insert(keys[misses], rows[misses])
                    unlock()

            slots = CacheSlots(entries.tables, rows, misses, commit)
            if not len(misses):
                unlock()
            entries.readers.append(threading.get_ident())
            try:
                yield slots
            finally:
                entries.readers.remove(threading.get_ident())
        finally:
            unlock()


class _Entries:
    """The words of a cache while the parameters stay the same."""

    def __init__(self, size: int, parameters: Sequence[Tensor], widths: Sequence[int]) -> None:
        self.state = ParameterState(parameters)
        self.size = size
        self.widths = list(widths)
        self.n_calls = 0
        self.keys = np.zeros(0, dtype=np.uint64)  # [words], ascending
        self.rows = np.zeros(0, dtype=np.int64)  # [words], where the values of each key are
        self.free = 1 + np.arange(size)  # rows without a word
        self.last_use = np.zeros(1 + size, dtype=np.int64)  # [rows], the call that used it last
        self.tables = _make_tables(size, widths)  # [1 + size, columns] each
        self.readers: list[int] = []  # threads that read the tables now

    @property
    def n_words(self) -> int:
        """RETURNS (int): The number of words."""
        return len(self.keys)

    def fits(self, parameters: Sequence[Tensor], widths: Sequence[int]) -> bool:
        """Tell whether the values are still right.

        parameters (Sequence[Tensor]): The parameters as they are now.
        widths (Sequence[int]): The columns that are wanted.
        RETURNS (bool): Whether they are.
        """
        return self.widths == list(widths) and self.state.is_current(parameters)

    def reserve(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find words, and choose rows for those that are not there.

        keys (np.ndarray): [words], at most `size`.
        RETURNS (Tuple[np.ndarray, np.ndarray]): [words], the row of each; and the numbers of the
            words that are not there.
        """
        self.n_calls += 1
        is_hit, rows = self._find(keys)
        self.last_use[rows[is_hit]] = self.n_calls
        misses = np.flatnonzero(~is_hit)
        if len(misses) > len(self.free):
            n_hits = len(keys) - len(misses)
            self._evict(max(n_hits, min(self.size // 2, self.size - len(misses))))
        rows[misses] = self.free[: len(misses)]
        return rows, misses

    def insert(self, keys: np.ndarray, rows: np.ndarray) -> None:
        """Add words whose values have been written.

        keys (np.ndarray): [words].
        rows (np.ndarray): [words], the first of the free rows.
        """
        self.free = self.free[len(rows) :]
        self.last_use[rows] = self.n_calls
        order = np.argsort(keys)
        keys, rows = keys[order], rows[order]
        place = np.searchsorted(self.keys, keys)
        self.keys = np.insert(self.keys, place, keys)
        self.rows = np.insert(self.rows, place, rows)

    def _find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which words are there, and the row of each that is: [words] each."""
        if not self.n_words:
            return np.zeros(len(keys), dtype=bool), np.zeros(len(keys), dtype=np.int64)
        place = np.searchsorted(self.keys, keys)
        np.minimum(place, self.n_words - 1, out=place)
        return self.keys[place] == keys, self.rows[place]

    def _evict(self, n_kept: int) -> None:
        """Keep only the words that were used last. The others' rows can be written to, so tables
        that some other thread reads are replaced."""
        if self.readers:
            with torch.inference_mode(False):
                self.tables = [table.clone() for table in self.tables]
        oldest = np.argsort(-self.last_use[self.rows], kind="stable")[n_kept:]
        is_kept = np.ones(self.n_words, dtype=bool)
        is_kept[oldest] = False
        self.free = np.concatenate([self.rows[~is_kept], self.free])
        self.keys, self.rows = self.keys[is_kept], self.rows[is_kept]


def _make_tables(n_words: int, widths: Sequence[int]) -> list[Tensor]:
    with torch.inference_mode(False):
        tables = [torch.empty((1 + n_words, width)) for width in widths]
    for table in tables:
        table[0] = 0.0
    return tables


def _do_nothing() -> None:
    return None
