"""Reader of CoNLL-U, the format of Universal Dependencies."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .columns import read_text, split_lines
from .errors import FormatError

_COLUMNS = 10
_WORD = re.compile(r"[1-9][0-9]{,8}")
_HEAD = re.compile(r"[0-9]{1,9}")
_CONTRACTION = re.compile(r"([1-9][0-9]{,8})-([1-9][0-9]{,8})")
_EMPTY_NODE = re.compile(r"[0-9]{1,9}\.[1-9][0-9]{,8}")


@dataclass
class ConlluSentence:
    """A sentence with its words and syntax, one entry per word in every list.

    line (int): Line of the first row in the file, starting at 1.
    document (str): Value of the last "newdoc id" comment, "" where there is none.
    metadata (dict[str, str]): The comments above the sentence, such as "sent_id" and "text".
    words (list[str]): The words; a contraction is given by its parts.
    spaces (list[bool]): Whether a space follows the word in the text.
    tags (list[str]): Tags of the language (XPOS).
    pos (list[str]): Universal tags (UPOS).
    morphs (list[str]): Features such as "Number=Sing|Person=3", or "".
    lemmas (list[str]): Base forms.
    heads (list[int]): Index of the head in the sentence; the root points to itself.
    deps (list[str]): Relation to the head, "root" for the root.
    """

    line: int
    document: str
    metadata: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    spaces: list[bool] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    pos: list[str] = field(default_factory=list)
    morphs: list[str] = field(default_factory=list)
    lemmas: list[str] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)
    deps: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The sentence as running text, without a space at its end.

        RETURNS (str): The text.
        """
        pairs = zip(self.words, self.spaces, strict=True)
        return "".join(word + " " * space for word, space in pairs).rstrip(" ")


def read_conllu(path: str | Path) -> Iterator[ConlluSentence]:
    """Read the sentences of a CoNLL-U file.

    Words inside a contraction ("1-2") have no space between them, and the contraction's row says
    whether one follows. Empty nodes ("5.1") have no place in the text and are left out.

    path (str | Path): The file, UTF-8.
    YIELDS (ConlluSentence): The sentences in the file's order.
    RAISES (FormatError): With file and line, where a line does not follow the format.
    """
    document = ""
    comments: dict[str, str] = {}
    rows: list[tuple[int, list[str]]] = []
    text = read_text(path)
    for number, line in enumerate(split_lines(text), start=1):
        if line.startswith("#"):
            key, _, value = line[1:].partition("=")
            comments[key.strip()] = value.strip()
        elif line:
            rows.append((number, _split_row(path, number, line)))
        elif rows:
            document = comments.get("newdoc id", document)
            yield _build_sentence(path, document, comments, rows)
            comments, rows = {}, []
    if rows:
        document = comments.get("newdoc id", document)
        yield _build_sentence(path, document, comments, rows)


def _split_row(path: str | Path, number: int, line: str) -> list[str]:
    columns = line.split("\t")
    if len(columns) != _COLUMNS:
        raise FormatError(
            path,
            number,
            f"expected {_COLUMNS} columns split by tabs, found {len(columns)}: {line!r}",
        )
    return columns


def _build_sentence(
    path: str | Path,
    document: str,
    comments: dict[str, str],
    rows: list[tuple[int, list[str]]],
) -> ConlluSentence:
    """Put the rows of a sentence together, with those of contractions and empty nodes."""
    sentence = ConlluSentence(rows[0][0], document, comments)
    numbers: list[int] = []
    contraction: tuple[int, bool] | None = None  # last word, space after it
    for number, (position, word, lemma, pos, tag, morph, head, dep, _, misc) in rows:
        space = "SpaceAfter=No" not in misc.split("|")
        count = len(sentence.words)
        if match := _CONTRACTION.fullmatch(position):
            first, last = int(match[1]), int(match[2])
            if first != count + 1 or last < first:
                raise FormatError(
                    path, number, f"contraction {position!r} stands before word {count + 1}"
                )
            contraction = (last, space)
            continue
        if _EMPTY_NODE.fullmatch(position):
            continue
        if not _WORD.fullmatch(position) or int(position) != count + 1:
            raise FormatError(
                path, number, f"expected word {count + 1} of the sentence, found {position!r}"
            )
        if contraction is not None:
            last, space_after = contraction
            space = space_after and count + 1 == last
            contraction = None if count + 1 == last else contraction
        if not _HEAD.fullmatch(head):
            raise FormatError(path, number, f"expected the head's number, found {head!r}")
        numbers.append(number)
        sentence.words.append(word)
        sentence.spaces.append(space)
        sentence.tags.append(_value(tag))
        sentence.pos.append(_value(pos))
        sentence.morphs.append(_value(morph))
        sentence.lemmas.append(lemma if word == "_" else _value(lemma))
        sentence.heads.append(int(head) - 1 if int(head) else count)
        sentence.deps.append(_value(dep))
    if contraction is not None:
        raise FormatError(
            path, rows[-1][0], f"the sentence ends before word {contraction[0]} of a contraction"
        )
    for number, head_index in zip(numbers, sentence.heads, strict=True):
        if head_index >= len(sentence.words):
            raise FormatError(
                path,
                number,
                f"head {head_index + 1} lies outside of the sentence ({len(sentence.words)} words)",
            )
    return sentence


def _value(column: str) -> str:
    return "" if column == "_" else column
