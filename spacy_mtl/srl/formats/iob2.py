"""Reader of entity tags in columns (IOB2), as Universal NER writes them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .columns import read_text, split_lines
from .errors import FormatError

_TAG = re.compile(r"O|[BI]-\S+")


@dataclass
class Iob2Sentence:
    """The words of a sentence and one entity tag for each.

    line (int): Line of the first word in the file, starting at 1. The words stand on
        consecutive lines.
    metadata (dict[str, str]): The comments above the sentence, such as "sent_id" and "text".
    words (list[str]): The words.
    tags (list[str]): "O", or "B-" or "I-" with a label.
    """

    line: int
    metadata: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


def read_iob2(path: str | Path) -> Iterator[Iob2Sentence]:
    """Read the sentences of an IOB2 file.

    A line holds a number, a word and a tag, split by tabs; further columns are not read. Sentences
    are parted by empty lines. Lines with "#" in front are comments of the form "# key = value".

    path (str | Path): The file, UTF-8.
    YIELDS (Iob2Sentence): The sentences in the file's order.
    RAISES (FormatError): With file and line, where a line does not follow the format.
    """
    sentence = Iob2Sentence(line=0)
    text = read_text(path)
    for number, line in enumerate(split_lines(text), start=1):
        if line.startswith("#"):
            key, _, value = line[1:].partition("=")
            sentence.metadata[key.strip()] = value.strip()
        elif line.strip():
            if not sentence.words:
                sentence.line = number
            _read_word(path, number, line, sentence)
        elif sentence.words:
            yield sentence
            sentence = Iob2Sentence(line=0)
    if sentence.words:
        yield sentence


def _read_word(path: str | Path, number: int, line: str, sentence: Iob2Sentence) -> None:
    """Add a line with a word to a sentence."""
    columns = line.split("\t")
    if len(columns) < 3:
        raise FormatError(
            path,
            number,
            f"expected number, word and tag split by tabs, found {len(columns)} columns: {line!r}",
        )
    position, word, tag = columns[:3]
    if position != str(len(sentence.words) + 1):
        raise FormatError(
            path,
            number,
            f"expected word {len(sentence.words) + 1} of the sentence, found {position!r}; "
            "an empty line parts two sentences",
        )
    if not _TAG.fullmatch(tag):
        raise FormatError(path, number, f"expected the tag O, B-LABEL or I-LABEL, found {tag!r}")
    previous = sentence.tags[-1] if sentence.tags else "O"
    if tag.startswith("I-") and previous[2:] != tag[2:]:
        raise FormatError(
            path, number, f"{tag!r} follows {previous!r}; an entity starts with 'B-{tag[2:]}'"
        )
    sentence.words.append(word)
    sentence.tags.append(tag)
