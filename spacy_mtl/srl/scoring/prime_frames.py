"""Frames as PriMeSRL reads them, from spans or from head words and their subtrees."""

from collections.abc import Iterable

from spacy.tokens import Doc, Token

from .frames import PREDICATE_LABELS, CharacterFrame, character_offsets
from .heads import head_frames, tokens_at
from .primesrl import PrimeArgument, PrimeFrame


def prime_frames_of_spans(frames: Iterable[CharacterFrame]) -> list[PrimeFrame]:
    """Take the spans as they are annotated: the head of an argument is its whole span.

    frames (Iterable[CharacterFrame]): The frames.
    RETURNS (List[PrimeFrame]): The frames in the same order.
    """
    return [
        PrimeFrame(
            frame.predicate,
            frame.roleset,
            tuple(
                PrimeArgument(label, ((start, end),), ((start, end),))
                for label, start, end in sorted(frame.arguments, key=lambda span: span[1])
                if label not in PREDICATE_LABELS
            ),
        )
        for frame in frames
    ]


def prime_frames_of_heads(frames: Iterable[CharacterFrame], reference: Doc) -> list[PrimeFrame]:
    """Reduce each argument to its head word, and take that word's subtree as the span.

    frames (Iterable[CharacterFrame]): The frames, over the text of the reference.
    reference (Doc): The reference document.
    RETURNS (List[PrimeFrame]): The frames in the same order.
    RAISES (ValueError): If the reference has no dependency parse.
    """
    if not reference.has_annotation("DEP"):
        raise ValueError(
            "The score 'primesrl' needs a dependency parse in the reference, from which it derives "
            "the spans of arguments. Add gold heads to the evaluation data, or use "
            "'primesrl_spans'."
        )
    offsets = character_offsets(reference)
    result = []
    for frame in head_frames(frames, reference):
        predicate = reference[tokens_at(offsets, *frame.predicate)[0]]
        arguments = []
        for label, head in sorted(frame.arguments, key=lambda argument: argument[1]):
            first, last = span_of_head(reference[head], predicate)
            arguments.append(
                PrimeArgument(
                    label,
                    ((offsets[head], offsets[head + 1]),),
                    ((offsets[first], offsets[last + 1]),),
                )
            )
        result.append(PrimeFrame(frame.predicate, frame.roleset, tuple(arguments)))
    return result


def span_of_head(head: Token, predicate: Token) -> tuple[int, int]:
    """Derive the span of an argument from its head word by the rules of PriMeSRL-Eval.

    It is the subtree of the head without that of the predicate, as far as it is contiguous around
    the head; without prepositions (`case`), unless the head is an oblique (`obl`) of the predicate;
    and without a comma at its end, nor punctuation at its start where it still ends in a comma.

    head (Token): The head word.
    predicate (Token): The predicate.
    RETURNS (Tuple[int, int]): First and last token.
    """
    tree = _subtree(head, predicate)
    first = last = head.i
    while first - 1 in tree:
        first -= 1
    while last + 1 in tree:
        last += 1
    doc = head.doc
    keeps_case = head.dep_.startswith("obl") and head.head == predicate
    kept = [
        token.i
        for token in doc[first : last + 1]
        if token == head or token.dep_ != "case" or keeps_case
    ]
    if _is_punct(doc[kept[-1]]) and doc[kept[-1]].lemma_ == ",":
        kept.pop()
    if kept and _is_punct(doc[kept[0]]) and doc[kept[-1]].lemma_ == ",":
        kept.pop(0)
    kept.append(head.i)
    return min(kept), max(kept)


def _subtree(head: Token, predicate: Token) -> set[int]:
    tree: set[int] = set()
    to_visit = [head]
    while to_visit:
        token = to_visit.pop()
        tree.add(token.i)
        to_visit += [child for child in token.children if child != predicate]
    return tree


def _is_punct(token: Token) -> bool:
    return token.dep_ in ("punct", "P")
