"""A column of brackets as a frame, and a frame as a column of brackets."""

from collections.abc import Sequence
from pathlib import Path

from ..srl.alignment import IndexedFrame
from .brackets import LabelledSpan, read_brackets, write_brackets
from .errors import FormatError

PREDICATE_LABEL = "V"
PREDICATE_REST_LABEL = "C-V"
_PREDICATE_LABELS = (PREDICATE_LABEL, PREDICATE_REST_LABEL)


def narrow_predicate(predicate: int, spans: Sequence[LabelledSpan]) -> list[LabelledSpan]:
    """Narrow the predicate's span to one token.

    predicate (int): The token, e.g. the one that carries the roleset.
    spans (Sequence[LabelledSpan]): All spans of the column.
    RETURNS (list[LabelledSpan]): The predicate's span first, then all others by start; tokens
        around the predicate that were bracketed with it are labelled C-V.
    """
    others = [span for span in spans if span.label not in _PREDICATE_LABELS]
    for span in spans:
        if span.label not in _PREDICATE_LABELS:
            continue
        if span.start <= predicate < span.end:
            pieces = ((span.start, predicate), (predicate + 1, span.end))
        else:
            pieces = ((span.start, span.end), (span.end, span.end))
        others += [
            LabelledSpan(PREDICATE_REST_LABEL, start, end) for start, end in pieces if start < end
        ]
    others.sort(key=lambda span: span.start)
    return [LabelledSpan(PREDICATE_LABEL, predicate, predicate + 1), *others]


def read_columns(
    path: str | Path,
    lines: Sequence[int],
    predicates: Sequence[int],
    rolesets: Sequence[str],
    columns: Sequence[Sequence[str]],
) -> list[IndexedFrame]:
    """Read the columns of brackets of a sentence.

    path (str | Path): The file, for messages.
    lines (Sequence[int]): The line of each token.
    predicates (Sequence[int]): The tokens marked as predicates, in order.
    rolesets (Sequence[str]): The roleset of each token, "" where there is none.
    columns (Sequence[Sequence[str]]): The columns, each with a cell a token. The columns belong to
        the predicates in order; if there are not as many, to the tokens bracketed as `V`.
    RETURNS (list[IndexedFrame]): A frame for each column.
    RAISES (FormatError): If brackets are malformed, a column has no `V`, or a predicate no column.
    """
    frames = []
    in_order = len(predicates) == len(columns)
    for number, cells in enumerate(columns):
        spans = read_brackets(path, lines, cells)
        verbs = [span for span in spans if span.label == PREDICATE_LABEL]
        if len(verbs) != 1:
            raise FormatError(
                path,
                lines[verbs[1].start] if verbs else lines[predicates[number] if in_order else 0],
                f"column {number + 1} of brackets has {len(verbs)} spans labelled "
                f"'{PREDICATE_LABEL}'; expected one",
            )
        predicate = predicates[number] if in_order else verbs[0].start
        covered = any(
            span.start <= predicate < span.end for span in spans if span.label in _PREDICATE_LABELS
        )
        if not covered:
            raise FormatError(
                path,
                lines[predicate],
                f"column {number + 1} of brackets has its '{PREDICATE_LABEL}' at another token; are"
                " the columns in the order of the predicates?",
            )
        frames.append(_frame(predicate, rolesets[predicate], spans))
    missing = sorted(set(predicates) - {frame.predicate for frame in frames})
    if missing:
        raise FormatError(
            path,
            lines[missing[0]],
            f"the sentence has {len(predicates)} predicates but {len(columns)} columns of brackets;"
            " every predicate needs one",
        )
    return frames


def _frame(predicate: int, roleset: str, spans: Sequence[LabelledSpan]) -> IndexedFrame:
    _, *others = narrow_predicate(predicate, spans)
    return IndexedFrame(
        predicate, roleset, tuple((span.label, span.start, span.end) for span in others)
    )


def write_column(frame: IndexedFrame, length: int) -> list[str]:
    """Write a frame as a column of brackets.

    frame (IndexedFrame): The frame.
    length (int): Number of tokens in the sentence.
    RETURNS (list[str]): The cells.
    RAISES (ValueError): If a label cannot stand in brackets.
    """
    spans = [LabelledSpan(*argument) for argument in frame.arguments]
    spans.append(LabelledSpan(PREDICATE_LABEL, frame.predicate, frame.predicate + 1))
    return write_brackets(spans, length)


def split_roleset(roleset: str) -> tuple[str, str]:
    """Part a roleset into lemma and sense.

    roleset (str): E.g. "give.01".
    RETURNS (tuple[str, str]): E.g. "give" and "01"; the sense is "" where there is no dot.
    """
    lemma, dot, sense = roleset.rpartition(".")
    return (lemma, sense) if dot else (roleset, "")
