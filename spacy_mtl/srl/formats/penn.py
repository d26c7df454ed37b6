"""Words and tags from trees in brackets, as in the Penn Treebank and OntoNotes."""

import re
from collections.abc import Iterator
from pathlib import Path

from .columns import read_text, split_lines
from .errors import FormatError
from .sentence import AnnotatedSentence

_TOKEN = re.compile(r"[()]|[^\s()]+")
_TRACE = "-NONE-"


def read_penn(path: str | Path) -> Iterator[AnnotatedSentence]:
    """Read the sentences of a file with trees: `(TOP (S (NP (PRP He)) (VP (VBD came))))`. Traces
    (`-NONE-`) are left out; words stay as they are written, e.g. "-LRB-".

    path (str | Path): The file, UTF-8.
    YIELDS (AnnotatedSentence): The sentences with words and tags; the document is the file's stem.
    RAISES (FormatError): With file and line, where brackets do not match.
    """
    depth = 0
    name = Path(path).name.split(".")[0]
    sentence = AnnotatedSentence(path=str(path), document=name, tags=[])
    previous: list[str] = []
    line = 1
    for line, text in enumerate(split_lines(read_text(path)), start=1):
        for token in _TOKEN.findall(text):
            if token == ")":
                depth -= 1
                if depth < 0:
                    raise FormatError(path, line, "')' closes a bracket that is not open")
                if len(previous) == 3 and previous[0] == "(" and previous[1] != _TRACE:
                    sentence.words.append(previous[2])
                    sentence.tags = [*(sentence.tags or ()), previous[1]]
                    sentence.lines.append(line)
                if depth == 0:
                    if sentence.words:
                        yield sentence
                    sentence = AnnotatedSentence(path=str(path), document=name, tags=[])
                previous = []
                continue
            if token == "(":
                depth += 1
                previous = []
            elif depth == 0:
                raise FormatError(
                    path, line, f"expected a tree that begins with '(', found {token!r}"
                )
            previous.append(token)
    if depth:
        raise FormatError(path, line, f"the file ends with {depth} open brackets")
