"""Which words of one treebank are the tokens of another one that splits them otherwise."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Protocol

from .errors import FormatError

_MIN_TAG_AGREEMENT = 0.5


class TaggedTokens(Protocol):
    """A sentence with tags and the line that it begins at."""

    line: int
    tags: list[str]


class TaggedText(Protocol):
    """A sentence with words, tags and its text."""

    words: list[str]
    tags: list[str]

    @property
    def text(self) -> str: ...


def align_tags(
    path: str | Path, skel: TaggedTokens, sentence: TaggedText
) -> list[tuple[int, int] | None]:
    """Find the words of UD for each token of PropBank.

    Sentences of the same length agree token by token. Otherwise the part-of-speech tags are
    aligned: a word that only UD has belongs to the token in front of it, a token that only PropBank
    has belongs to none.

    path (str | Path): The file with the frames, for messages.
    skel (TaggedTokens): The sentence in PropBank.
    sentence (TaggedText): The sentence in UD.
    RETURNS (list[tuple[int, int] | None]): For each token of PropBank the first word and the word
        behind the last one, or None.
    RAISES (FormatError): If fewer than half of the tags agree.
    """
    if len(skel.tags) == len(sentence.words):
        return [(i, i + 1) for i in range(len(skel.tags))]
    token_map = align_sequences(skel.tags, sentence.tags)
    if token_map is None:
        raise FormatError(
            path,
            skel.line,
            f"found {len(skel.tags)} tokens with the tags {' '.join(skel.tags)}; this is not the "
            f"sentence of {len(sentence.words)} words that UD has in its place: {sentence.text!r}",
        )
    return token_map


def align_sequences(
    tags: Sequence[str], others: Sequence[str]
) -> list[tuple[int, int] | None] | None:
    """Align two sequences of tags.

    tags (Sequence[str]): Tags of the tokens.
    others (Sequence[str]): Tags of the words.
    RETURNS (list[tuple[int, int] | None] | None): For each token the first word and the word behind
        the last one, or None; None as a whole if fewer than half of the tags agree.
    """
    matcher = SequenceMatcher(None, tags, others, autojunk=False)
    if matcher.ratio() < _MIN_TAG_AGREEMENT:
        return None
    token_map: list[tuple[int, int] | None] = []
    for _, tag_start, tag_end, start, end in matcher.get_opcodes():
        common = min(tag_end - tag_start, end - start)
        token_map += [(start + i, start + i + 1) for i in range(common)]
        token_map += [None] * (tag_end - tag_start - common)
        if end - start > common:
            _extend_last(token_map, end)
    return token_map


def _extend_last(token_map: list[tuple[int, int] | None], end: int) -> None:
    """Give the words up to `end` to the last token that has words."""
    for i in reversed(range(len(token_map))):
        bounds = token_map[i]
        if bounds is not None:
            token_map[i] = (bounds[0], end)
            return
