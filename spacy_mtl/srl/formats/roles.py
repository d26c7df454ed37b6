"""The two spellings of role labels: PropBank's `ARG0`, `ARGM-TMP` and CoNLL's `A0`, `AM-TMP`."""

import re

_LONG = re.compile(r"((?:[RC]-)*)ARG(M-.+|[0-9A].*)")
_SHORT = re.compile(r"((?:[RC]-)*)A(M-.+|[0-9A].*)")


def short_role(label: str) -> str:
    """Spell a role as CoNLL-2004 to CoNLL-2009 do.

    label (str): E.g. "ARG0", "R-ARGM-TMP" or "C-V".
    RETURNS (str): E.g. "A0", "R-AM-TMP" or "C-V"; labels of another form stay as they are.
    """
    match = _LONG.fullmatch(label)
    return f"{match[1]}A{match[2]}" if match else label


def long_role(label: str) -> str:
    """Spell a role as PropBank and CoNLL-2012 do.

    label (str): E.g. "A0", "R-AM-TMP" or "C-V".
    RETURNS (str): E.g. "ARG0", "R-ARGM-TMP" or "C-V"; labels of another form stay as they are.
    """
    match = _SHORT.fullmatch(label)
    return f"{match[1]}ARG{match[2]}" if match else label
