"""Warnings of this package, shown as sentences: without the path and the line of source."""

import warnings

from wasabi.util import can_render


class SpacyMtlWarning(UserWarning):
    """Something that the user of a pipeline should know, and can change."""


def warn(message: str) -> None:
    """Warn of something.

    message (str): What was found, and what to do, in whole sentences.
    """
    warnings.warn(message, SpacyMtlWarning, stacklevel=3)


def _format_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    if issubclass(category, SpacyMtlWarning):
        return f"{'⚠' if can_render('⚠') else '[!]'} {message}\n"
    return _format_others(message, category, filename, lineno, line)


_format_others = warnings.formatwarning
warnings.formatwarning = _format_warning
