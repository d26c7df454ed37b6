"""Settings of processes that libraries read from the environment when they load."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
COMPILED_LOOPS = "SPACY_MTL_NATIVE"
LOOP_THREADS = "SPACY_MTL_THREADS"


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables for processes that start within the block.

    values (Mapping[str, str]): The variables.
    """
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def settings(
    n_threads: int, is_compiled: bool = True, n_loop_threads: int | None = None
) -> dict[str, str]:
    """Settings for a process.

    n_threads (int): Threads of the matrix libraries.
    is_compiled (bool): Whether this package may use its compiled kernels.
    n_loop_threads (Optional[int]): Threads of these; as many as of the libraries where None.
    RETURNS (Dict[str, str]): The variables that say so.
    """
    return {
        **dict.fromkeys(THREADS, str(n_threads)),
        COMPILED_LOOPS: str(int(is_compiled)),
        LOOP_THREADS: str(n_loop_threads or n_threads),
    }
