"""Default values of settings of registered functions.

`spacy init fill-config` writes default values down, None as `name = null`. A block [... .name] that
is added later would contradict that. Settings that are blocks have defaults that are blocks.
"""

from typing import Any

from spacy.util import SimpleFrozenDict, registry

TARGET_SCORE = "mtl_score"
NO_ENTRIES: dict[str, Any] = SimpleFrozenDict()
CONSOLE_LOGGER: dict[str, Any] = SimpleFrozenDict({"@loggers": "spacy_mtl.ConsoleLogger.v1"})


def resolve_logger(logger: Any) -> Any:
    """Build the logger that another one wraps.

    logger (Union[Callable, Dict[str, Any], None]): What sets it up, or its block of the config,
        this package's console logger where None.
    RETURNS (Callable): What sets it up.
    """
    if callable(logger):
        return logger
    return registry.resolve({"logger": dict(logger or CONSOLE_LOGGER)})["logger"]
