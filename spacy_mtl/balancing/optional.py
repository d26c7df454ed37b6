"""Methods that need a solver which is not always installed."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def explain_missing(name: str) -> Iterator[None]:
    """Say how to install the solver that a method needs.

    name (str): The method's registered name.
    RAISES (ImportError): In place of TorchJD's, which names TorchJD's extra.
    """
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"{name} needs a solver that is not installed ({error}). Install it with: "
            "pip install 'spacy-mtl[balancing]'"
        ) from error
