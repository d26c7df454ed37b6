"""Multi-task learning for spaCy: one shared trunk, several heads.

What is named in `__all__` is public, and so are the functions and components that configs name
(`pyproject.toml` lists them). Everything else may change without notice.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from .srl.extension import register_extension

if TYPE_CHECKING:
    from .acceleration import accelerate
    from .cli.convert import convert
    from .cli.evaluate import evaluate
    from .display.html import render
    from .display.server import serve
    from .extraction import extract
    from .models.encoders.stock_weights import load_stock_weights
    from .native.threads import set_num_threads
    from .srl.formats.registry import read_docs, write_docs
    from .srl.frames import read_frames, write_frames
    from .srl.pieces import span_as_doc
    from .trunk.channels.usage import listener_weights

_MODULES = {
    "accelerate": ".acceleration",
    "convert": ".cli.convert",
    "evaluate": ".cli.evaluate",
    "extract": ".extraction",
    "listener_weights": ".trunk.channels.usage",
    "load_stock_weights": ".models.encoders.stock_weights",
    "read_docs": ".srl.formats.registry",
    "read_frames": ".srl.frames",
    "render": ".display.html",
    "serve": ".display.server",
    "set_num_threads": ".native.threads",
    "span_as_doc": ".srl.pieces",
    "write_docs": ".srl.formats.registry",
    "write_frames": ".srl.frames",
}

__all__ = [
    "accelerate",
    "convert",
    "evaluate",
    "extract",
    "listener_weights",
    "load_stock_weights",
    "read_docs",
    "read_frames",
    "render",
    "serve",
    "set_num_threads",
    "span_as_doc",
    "write_docs",
    "write_frames",
]
__version__ = version("spacy-mtl")

register_extension()


def __getattr__(name: str) -> Any:
    """Import a public function when it is first asked for.

    name (str): The function's name.
    RETURNS (Any): The function.
    RAISES (AttributeError): If there is none of that name.
    """
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
