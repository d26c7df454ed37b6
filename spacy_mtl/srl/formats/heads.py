"""Arguments of one token, and arguments of several: from spans to syntactic heads and back."""

from collections.abc import Sequence
from dataclasses import replace

from ..alignment import IndexedFrame
from .report import ConversionReport

MALFORMED_TREES = "dependency trees with malformed heads"


def span_head(heads: Sequence[int], start: int, end: int) -> tuple[int, bool]:
    """Find the head of a span: the token whose own head lies outside of it. If there are several,
    the one nearest to the root counts, and of equally near ones the leftmost.

    heads (Sequence[int]): Index of each token's head; a root points to itself.
    start (int): First token of the span.
    end (int): Token behind its last one.
    RETURNS (tuple[int, bool]): The head, and whether there was a choice.
    """
    tops = [i for i in range(start, end) if heads[i] == i or not start <= heads[i] < end]
    return min(tops, key=lambda i: (_depth(heads, i), i)), len(tops) > 1


def _depth(heads: Sequence[int], index: int) -> int:
    depth = 0
    while heads[index] != index and depth <= len(heads):
        index = heads[index]
        depth += 1
    return depth


def find_circle(heads: Sequence[int]) -> int | None:
    """Find a word from which no root is reached.

    heads (Sequence[int]): Index of each word's head; a root points to itself.
    RETURNS (int | None): The first such word, None if the heads are trees.
    """
    rooted = [head == i for i, head in enumerate(heads)]
    for start in range(len(heads)):
        path: list[int] = []
        word = start
        while not rooted[word] and len(path) <= len(heads):
            path.append(word)
            word = heads[word]
        if not rooted[word]:
            return start
        for i in path:
            rooted[i] = True
    return None


def frames_to_heads(
    frames: Sequence[IndexedFrame],
    heads: Sequence[int] | None,
    place: str,
    report: ConversionReport,
) -> list[IndexedFrame]:
    """Narrow every argument to its head.

    frames (Sequence[IndexedFrame]): The frames of a sentence.
    heads (Sequence[int] | None): Index of each token's head; None if the sentence is not parsed.
    place (str): Where the sentence is, for messages.
    report (ConversionReport): Where to count the arguments that lose their extent.
    RETURNS (list[IndexedFrame]): The frames with arguments of one token.
    RAISES (ValueError): If an argument has several tokens and there is no parse.
    """
    narrowed = []
    for frame in frames:
        arguments = []
        for label, start, end in frame.arguments:
            head = start
            if end - start > 1:
                if heads is None:
                    raise ValueError(
                        f"{place}: the argument {label} at tokens {start}-{end} of its sentence has"
                        " several tokens, and without a dependency parse its head is not known."
                        " Parse the documents first (a spaCy parser, or a corpus with heads), or"
                        " write a format with spans"
                    )
                head, several = span_head(heads, start, end)
                report.add("extents of arguments, narrowed to their heads", place)
                if several:
                    report.add("arguments with several tops, of which the highest is head", place)
            arguments.append((label, head, head + 1))
        narrowed.append(replace(frame, arguments=tuple(arguments)))
    return narrowed


def frames_to_spans(
    frames: Sequence[IndexedFrame],
    heads: Sequence[int] | None,
    place: str,
    report: ConversionReport,
) -> list[IndexedFrame]:
    """Widen every argument of one token to what depends on it.

    An argument gets the tokens below its head, without those of the predicate and of the frame's
    other arguments, and of what is left the stretch around the head.

    frames (Sequence[IndexedFrame]): The frames of a sentence.
    heads (Sequence[int] | None): Index of each token's head; None if the sentence is not parsed.
    place (str): Where the sentence is, for messages.
    report (ConversionReport): Where to count arguments whose tokens are not one stretch.
    RETURNS (list[IndexedFrame]): The frames with wider arguments; those that had several tokens
        already stay as they are.
    RAISES (ValueError): If there are arguments of one token and no parse, and malformed parts of
        the input are errors.
    """
    widened = []
    for frame in frames:
        if heads is None and frame.arguments:
            if report.on_error != "stop":
                kind = "arguments of sentences without a tree, left as they are"
                report.add(kind, place, count=len(frame.arguments))
                widened.append(frame)
                continue
            raise ValueError(
                f"{place}: arguments can't be widened to what depends on their heads, since the"
                " sentence has no dependency parse"
            )
        fixed = {frame.predicate: frame.predicate}
        for _, start, end in frame.arguments:
            fixed.update(dict.fromkeys(range(start, end), start))
        owner = [_owner(heads, fixed, i) for i in range(len(heads))] if heads is not None else []
        arguments = []
        for label, start, end in frame.arguments:
            if end - start == 1:
                own = {i for i, argument in enumerate(owner) if argument == start}
                while start - 1 in own:
                    start -= 1
                while end in own:
                    end += 1
                if len(own) > end - start:
                    report.add("arguments in several pieces, cut to that of the head", place)
            arguments.append((label, start, end))
        widened.append(replace(frame, arguments=tuple(arguments)))
    return widened


def _owner(heads: Sequence[int], fixed: dict[int, int], index: int) -> int | None:
    """RETURNS (int | None): The nearest predicate or argument that a token is or depends on."""
    for _ in range(len(heads)):
        if index in fixed:
            return fixed[index]
        if heads[index] == index:
            return None
        index = heads[index]
    return None
