"""What a regular expression can't match, read off its syntax tree."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from string import ascii_letters
from typing import Any

try:
    ops: Any = import_module("re._constants")
    parser: Any = import_module("re._parser")
except ImportError:  # Python 3.10
    ops, parser = import_module("sre_constants"), import_module("sre_parse")

LETTERS = frozenset(map(ord, ascii_letters))
_REPEATS = {ops.MAX_REPEAT, ops.MIN_REPEAT, getattr(ops, "POSSESSIVE_REPEAT", ops.MAX_REPEAT)}
_WITHOUT_LETTERS = {ops.CATEGORY_DIGIT, ops.CATEGORY_SPACE, ops.CATEGORY_NOT_WORD}


@lru_cache(maxsize=128)
def needs_other_than_letters(pattern: "re.Pattern[str]") -> bool:
    """Tell whether each match of a pattern has, or has beside it, a character that is no letter
    from a to z or A to Z. Then there is none in a string of such letters only.

    pattern (re.Pattern): The compiled pattern.
    RETURNS (bool): Whether that is sure. Where the tree has parts that are not known here, it is
        not.
    """
    tree = parser.parse(pattern.pattern, pattern.flags)
    if tree.state.flags & re.LOCALE:
        return False
    return _needs(tree, bool(tree.state.flags & re.IGNORECASE))


def _needs(tree: Any, ignores_case: bool) -> bool:
    """RETURNS (bool): Whether a sequence has a part without which it can't match."""
    return any(_part_needs(op, value, ignores_case) for op, value in tree)


def _part_needs(op: Any, value: Any, ignores_case: bool) -> bool:
    if op is ops.LITERAL:
        return not _is_letter(value, ignores_case)
    if op is ops.IN:
        return not any(_admits(value, letter, ignores_case) for letter in LETTERS)
    if op is ops.BRANCH:
        return all(_needs(choice, ignores_case) for choice in value[1])
    if op is ops.SUBPATTERN:
        added, removed = value[1], value[2]
        if removed & re.IGNORECASE or added & re.IGNORECASE:
            ignores_case = True  # the one that is more careful
        return _needs(value[3], ignores_case)
    if op in _REPEATS:
        return bool(value[0] > 0) and _needs(value[2], ignores_case)
    if op is ops.ASSERT:
        return _needs(value[1], ignores_case)
    return bool(op is getattr(ops, "ATOMIC_GROUP", None)) and _needs(value, ignores_case)


def _is_letter(code: int, ignores_case: bool) -> bool:
    """RETURNS (bool): Whether a character can match a letter. Without regard to case some beyond
    ASCII can: a long s, the sign for kelvin."""
    return code in LETTERS or (ignores_case and code > 127)


def _admits(items: Sequence[tuple[Any, Any]], letter: int, ignores_case: bool) -> bool:
    """RETURNS (bool): Whether a set of characters may match a letter."""
    if items and items[0][0] is ops.NEGATE:
        if ignores_case:
            return True
        return not any(_holds(op, value, letter, False, True) for op, value in items[1:])
    return any(_holds(op, value, letter, ignores_case, False) for op, value in items)


def _holds(op: Any, value: Any, letter: int, ignores_case: bool, surely: bool) -> bool:
    """RETURNS (bool): Whether an item of a set holds a letter: may hold it or, `surely`, does."""
    if op is ops.LITERAL:
        return value == letter or (ignores_case and _is_letter(value, True))
    if op is ops.RANGE:
        first, last = value
        if ignores_case and (last > 127 or any(first <= code <= last for code in LETTERS)):
            return True
        return bool(first <= letter <= last)
    if op is ops.CATEGORY:
        if surely:
            return value in {ops.CATEGORY_WORD, ops.CATEGORY_NOT_DIGIT, ops.CATEGORY_NOT_SPACE}
        return value not in _WITHOUT_LETTERS
    return not surely


Search = Callable[[str], Any]


def skip_letters(search: Search | None, otherwise: Any) -> Search | None:
    """Make a method of a pattern answer at once for strings of ASCII letters, if it is sure that
    the pattern does not match in them.

    search (Optional[Callable[[str], Any]]): The `search`, `match` or `finditer` of a compiled
        pattern, or any other function, which is left as it is.
    otherwise (Any): What it answers where there is no match.
    RETURNS (Optional[Callable[[str], Any]]): The same function, quicker. Its `__self__` is the
        pattern, as that of a method.
    """
    pattern = getattr(search, "__self__", None)
    if (
        search is None
        or not isinstance(pattern, re.Pattern)
        or not needs_other_than_letters(pattern)
    ):
        return search

    def search_others(string: str) -> Any:
        return otherwise if string.isascii() and string.isalpha() else search(string)

    search_others.__self__ = pattern  # type: ignore[attr-defined]
    return search_others


def whole_search(search: Search | None, method: str) -> Search | None:
    """Undo `skip_letters`, whose function can't be pickled.

    search (Optional[Callable[[str], Any]]): What it returned, or any other function.
    method (str): The name of the pattern's method.
    RETURNS (Optional[Callable[[str], Any]]): What it was given.
    """
    pattern = getattr(search, "__self__", None)
    return getattr(pattern, method) if isinstance(pattern, re.Pattern) else search
