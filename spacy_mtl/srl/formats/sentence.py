"""A sentence with everything that an annotation format may say about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..alignment import IndexedFrame
from .brackets import LabelledSpan

NO_WORD = "[WORD]"


@dataclass
class AnnotatedSentence:
    """What all formats are read into and written from. Layers that are None are not annotated.

    path (str): The file that it was read from, for messages.
    lines (list[int]): Line of each word in that file, starting at 1; empty if there is no file.
    document (str): The document's name; "" if the format has no documents.
    words (list[str]): The words; "[WORD]" where the format leaves them out.
    spaces (list[bool] | None): Whether a space follows the word in the text.
    tags (list[str] | None): Tags of the language.
    pos (list[str] | None): Universal tags.
    morphs (list[str] | None): Features such as "Number=Sing|Person=3".
    lemmas (list[str] | None): Base forms.
    heads (list[int] | None): Index of each word's head; a root points to itself.
    deps (list[str] | None): Relation to the head.
    entities (list[LabelledSpan] | None): Named entities.
    frames (list[IndexedFrame] | None): Predicates with their arguments, in words of the sentence.
    clusters (list[LabelledSpan] | None): Mentions, labelled with the number of what they refer to.
    columns (dict[str, list[str]]): Other columns of the format, one value a word, e.g. its tree.
    metadata (dict[str, str]): What is said of the sentence as a whole, e.g. "sent_id".
    """

    path: str = ""
    lines: list[int] = field(default_factory=list)
    document: str = ""
    words: list[str] = field(default_factory=list)
    spaces: list[bool] | None = None
    tags: list[str] | None = None
    pos: list[str] | None = None
    morphs: list[str] | None = None
    lemmas: list[str] | None = None
    heads: list[int] | None = None
    deps: list[str] | None = None
    entities: list[LabelledSpan] | None = None
    frames: list[IndexedFrame] | None = None
    clusters: list[LabelledSpan] | None = None
    columns: dict[str, list[str]] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)

    def line(self, index: int = 0) -> int:
        """The line of a word.

        index (int): Its index.
        RETURNS (int): The line in the file, 0 if the sentence was not read from a file.
        """
        return self.lines[index] if index < len(self.lines) else 0

    @property
    def has_words(self) -> bool:
        """Whether the words are known.

        RETURNS (bool): False if there is a placeholder in the place of every word.
        """
        return any(word != NO_WORD for word in self.words)


def filled(values: Sequence[str], empty: str) -> list[str] | None:
    """Read a column in which a placeholder stands for "no value".

    values (Sequence[str]): The column.
    empty (str): The placeholder.
    RETURNS (list[str] | None): The values, "" for each placeholder; None if there are only those.
    """
    if all(value == empty for value in values):
        return None
    return ["" if value == empty else value for value in values]
