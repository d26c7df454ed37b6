"""Printing while a progress bar may be on the screen."""

from typing import IO, Any

from tqdm import tqdm
from wasabi.util import can_render


def write(text: Any, file: IO) -> None:
    """Print a line or several. A progress bar makes room for them.

    text (Any): The text.
    file (IO): Where it goes.
    """
    with tqdm.external_write_mode(file=file):
        print(text, file=file, flush=True)


def info(text: str) -> str:
    """RETURNS (str): A remark, marked as such."""
    return f"{_icon('ℹ', '[i]')} {text}"


def good(text: str) -> str:
    """RETURNS (str): A good message, marked as such."""
    return f"{_icon('✔', '[+]')} {text}"


def warning(text: str) -> str:
    """RETURNS (str): A warning, marked as such."""
    return f"{_icon('⚠', '[!]')} {text}"


def _icon(icon: str, ascii_icon: str) -> str:
    return icon if can_render(icon) else ascii_icon
