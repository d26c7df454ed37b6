"""Let several threads take part in a loop that releases the interpreter's lock."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

VARIABLE = "SPACY_MTL_THREADS"
_pools: dict[int, tuple[int, ThreadPoolExecutor]] = {}  # by number of threads: process and pool


def _read_environment() -> int | None:
    """RETURNS (Optional[int]): The number of threads that the environment asks for."""
    value = os.environ.get(VARIABLE)
    if value is None:
        return None
    if not value.isdecimal() or int(value) < 1:
        raise ValueError(f"{VARIABLE} is {value!r} in the environment; it must be 1 or higher.")
    return int(value)


_chosen = _read_environment()


def get_num_threads() -> int:
    """RETURNS (int): The number of threads that take part in compiled kernels."""
    return torch.get_num_threads() if _chosen is None else _chosen


def set_num_threads(n_threads: int | None) -> None:
    """Choose how many threads take part in compiled kernels, in place of `SPACY_MTL_THREADS`.

    With torch on one thread (`OMP_NUM_THREADS=1`) and these on all cores, prediction on CPU is
    fastest: torch's own threads wait busily for some time after each of its operations, and keep a
    core from these.

    n_threads (Optional[int]): The number, from 1; None for as many as torch uses.
    RAISES (ValueError): If it is below 1.
    """
    global _chosen
    if n_threads is not None and n_threads < 1:
        raise ValueError(f"The number of threads must be 1 or higher, found {n_threads}.")
    _chosen = n_threads


def parallel_for(work: Callable[[np.ndarray], None], n_pieces: int) -> None:
    """Run a loop over pieces of work in several threads, see `get_num_threads`.

    work (Callable[[np.ndarray], None]): Called once in each thread, with the number of pieces that
        are taken [1], which is shared: takes pieces until there are none left.
    n_pieces (int): The number of pieces.
    RAISES (Exception): What the work raised in some thread.
    """
    next_chunk = np.zeros(1, dtype=np.int64)
    n_others = min(get_num_threads(), n_pieces) - 1
    if n_others < 1:
        work(next_chunk)
        return
    pool = _pool(n_others)
    others = [pool.submit(work, next_chunk) for _ in range(n_others)]
    work(next_chunk)
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
