"""Wall time and processor time of a piece of work."""

import gc
import multiprocessing
import resource
import time
from collections.abc import Callable
from typing import Any


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Run something once.

    work (Callable[[], Any]): What to run.
    RETURNS (Tuple[Any, float, float]): What it returns, the seconds on the wall clock, and the
        seconds of processor time of this process and of child processes that ended with it.
    """
    gc.collect()
    _wait_for_children()
    cpu, wall = _cpu_seconds(), time.perf_counter()
    result = work()
    wall = time.perf_counter() - wall
    _wait_for_children()
    return result, wall, _cpu_seconds() - cpu


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _wait_for_children() -> None:
    """Child processes count once they are waited for."""
    for process in multiprocessing.active_children():
        process.join()
