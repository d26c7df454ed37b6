"""Let several threads take part in a loop that releases the interpreter's lock."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

_pools: dict[int, tuple[int, ThreadPoolExecutor]] = {}  # by number of threads: process and pool


def take_together(work: Callable[[np.ndarray], None], n_pieces: int) -> None:
    """Run a loop over pieces of work in as many threads as torch uses.

    work (Callable[[np.ndarray], None]): Called once in each thread, with the number of pieces that
        are taken [1], which is shared: takes pieces until there are none left.
    n_pieces (int): The number of pieces.
    RAISES (Exception): What the work raised in some thread.
    """
    n_taken = np.zeros(1, dtype=np.int64)
    n_others = min(torch.get_num_threads(), n_pieces) - 1
    if n_others < 1:
        work(n_taken)
        return
    pool = _pool(n_others)
    others = [pool.submit(work, n_taken) for _ in range(n_others)]
    work(n_taken)
    for other in others:
        if not other.cancel():  # one that has not begun has nothing left to take
            other.result()


def _pool(n_threads: int) -> ThreadPoolExecutor:
    """RETURNS (ThreadPoolExecutor): This process's: a forked one has none of the threads."""
    process, pool = _pools.get(n_threads, (None, None))
    if pool is None or process != os.getpid():
        pool = ThreadPoolExecutor(n_threads, thread_name_prefix="spacy_mtl")
        _pools[n_threads] = os.getpid(), pool
    return pool
