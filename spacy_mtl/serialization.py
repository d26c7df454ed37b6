"""Reading the files of a saved component, and what makes documents quicker to send."""

from functools import cache
from pathlib import Path
from typing import Any

import srsly
from thinc.api import Model


def load_model_file(model: Model[Any, Any], folder: str | Path, component: str) -> None:
    """Load the parameters of a component's network.

    model (Model): The network, as the config describes it.
    folder (Union[str, Path]): The component's folder in the saved pipeline.
    component (str): The component's name, for messages.
    RAISES (ValueError): If the file is missing, empty, truncated, or of another network.
    """
    path = Path(folder) / "model"
    advice = "Copy the whole pipeline again from where it was trained, or train it again."
    if not path.is_file():
        raise ValueError(
            f"Component '{component}' can't be loaded: its file '{path}' is missing. {advice}"
        )
    data = path.read_bytes()
    if not data:
        raise ValueError(
            f"Component '{component}' can't be loaded: its file '{path}' is empty. {advice}"
        )
    try:
        model.from_bytes(data)
    except Exception as error:  # any: the bytes of a broken file may say anything
        raise ValueError(
            f"Component '{component}' can't be loaded: its file '{path}' ({len(data)} bytes) is "
            f"truncated, or was saved with other settings than [components.{component}] of "
            f"config.cfg has now ({type(error).__name__}: {error}). {advice} If config.cfg was "
            "edited, undo that."
        ) from error


@cache
def find_encoders_once() -> None:
    """Let srsly look for encoders in the installed packages once, not each time.

    `srsly.msgpack_dumps` and `msgpack_loads` go through the entry points of all installed packages
    at each call, some 0.2 milliseconds, and `Doc.to_bytes` makes three calls and one more for each
    span group: in `nlp.pipe(n_process=2)` that took longer than finding what is sent. What the
    packages offer is registered here as if they had done so themselves; the results are the same.
    """
    for registry in (srsly.msgpack_encoders, srsly.msgpack_decoders):
        offered = registry.get_entry_points()
        registry.entry_points = False
        for name in offered.keys() - registry.get_all().keys():  # what is registered goes first
            registry.register(name, func=offered[name])
