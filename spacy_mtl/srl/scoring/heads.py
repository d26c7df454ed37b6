"""Arguments as head words: the token of a span that governs the rest of it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spacy.tokens import Doc

from .frames import PREDICATE_LABELS, CharacterFrame, character_offsets


@dataclass(frozen=True, slots=True)
class HeadFrame:
    """A frame whose arguments are tokens of the reference document.

    predicate (Tuple[int, int]): First and last character (exclusive) of the predicate's first
        token, counted without whitespace.
    roleset (str): Its sense; empty if not known.
    arguments (Tuple[Tuple[str, int], ...]): Label and head token of each argument.
    """

    predicate: tuple[int, int]
    roleset: str
    arguments: tuple[tuple[str, int], ...]


def head_frames(frames: Iterable[CharacterFrame], reference: Doc) -> list[HeadFrame]:
    """Find the head words of arguments in the reference's dependency parse, for gold and predicted
    frames alike.

    The head of a span is the token whose own head lies outside of it; of several, the one nearest
    to the root of the sentence, and of those the first (spaCy's `Span.root`). A predicted span that
    cuts through tokens of the reference has the head of all the tokens that it touches. `V` and
    `C-V` are parts of the predicate, not arguments.

    frames (Iterable[CharacterFrame]): The frames, over the text of the reference.
    reference (Doc): The reference document.
    RETURNS (List[HeadFrame]): The frames in the same order.
    RAISES (ValueError): If the reference is not parsed and an argument has more than one token.
    """
    offsets = character_offsets(reference)
    is_parsed = reference.has_annotation("DEP")
    return [
        HeadFrame(
            frame.predicate,
            frame.roleset,
            tuple(
                (label, head_token(reference, *tokens_at(offsets, start, end), is_parsed))
                for label, start, end in frame.arguments
                if label not in PREDICATE_LABELS
            ),
        )
        for frame in frames
    ]


def tokens_at(offsets: Sequence[int], start: int, end: int) -> tuple[int, int]:
    """Find the tokens that have characters of a span.

    offsets (Sequence[int]): [tokens + 1], see `character_offsets`.
    start (int): The span's first character.
    end (int): The span's last character, exclusive.
    RETURNS (Tuple[int, int]): First and last token, exclusive.
    """
    return bisect_right(offsets, start) - 1, bisect_left(offsets, end)


def head_token(doc: Doc, start: int, end: int, is_parsed: bool) -> int:
    """Find the head of a span.

    doc (Doc): The document.
    start (int): The span's first token.
    end (int): The span's last token, exclusive.
    is_parsed (bool): Whether the document has a dependency parse.
    RETURNS (int): The token.
    RAISES (ValueError): If the span has several tokens and there is no parse.
    """
    if end - start == 1:
        return start
    if not is_parsed:
        raise ValueError(
            f"Scores by head words need a dependency parse in the reference: the argument "
            f"{doc[start:end].text!r} has {end - start} tokens, but the document has no parse. Add "
            "gold heads to the evaluation data, or leave the scores 'conll09' and 'primesrl' out."
        )
    return doc[start:end].root.i
