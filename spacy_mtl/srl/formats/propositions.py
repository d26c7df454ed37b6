"""A column of brackets as a frame, and a frame as a column of brackets."""

import re
from collections.abc import Sequence
from pathlib import Path

from ..alignment import IndexedFrame
from .brackets import LabelledSpan, OnBroken, read_brackets, write_brackets
from .report import ConversionReport

PREDICATE_LABEL = "V"
PREDICATE_REST_LABEL = "C-V"
NO_BRACKET = frozenset({"*", "-", "_"})  # cells of a column of brackets that say nothing

_PREDICATE_LABELS = (PREDICATE_LABEL, PREDICATE_REST_LABEL)
_FULL_ROLESET = re.compile(r".*[^\W\d_].*\.[0-9A-Z]+")
_NUMBERED_ROLESET = re.compile(r".*[^\W\d_].*\.[0-9]{2,}")


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


def frame_of(predicate: int, roleset: str, spans: Sequence[LabelledSpan]) -> IndexedFrame:
    """Make a frame of the spans of a column.

    predicate (int): Its token.
    roleset (str): Its roleset, "" if not known.
    spans (Sequence[LabelledSpan]): All spans, that of the predicate among them if it is marked.
    RETURNS (IndexedFrame): The frame.
    """
    _, *others = narrow_predicate(predicate, spans)
    arguments = tuple((span.label, span.start, span.end) for span in others)
    return IndexedFrame(predicate, roleset, arguments)


def drop_argument(path: str | Path, lines: Sequence[int], report: ConversionReport) -> OnBroken:
    """Make the function that drops an argument with broken brackets.

    path (str | Path): The file, for messages.
    lines (Sequence[int]): The line of each token.
    report (ConversionReport): Where to count it.
    RETURNS (OnBroken): Takes a token and what is wrong there; raises `FormatError` if malformed
        parts are errors.
    """

    def drop(index: int, message: str) -> None:
        kind = "arguments with broken brackets"
        report.malformed(kind, path, lines[index], message, arguments=1)
        report.see(arguments=1)

    return drop


def drop_span(
    path: str | Path, lines: Sequence[int], kind: str, report: ConversionReport
) -> OnBroken:
    """Make the function that drops an entity or mention with broken brackets.

    path (str | Path): The file, for messages.
    lines (Sequence[int]): The line of each token.
    kind (str): What it is, in the plural.
    report (ConversionReport): Where to count it.
    RETURNS (OnBroken): As that of `drop_argument`.
    """

    def drop(index: int, message: str) -> None:
        report.malformed(f"{kind} with broken brackets", path, lines[index], message)

    return drop


def read_columns(
    path: str | Path,
    lines: Sequence[int],
    predicates: Sequence[int],
    rolesets: Sequence[str],
    columns: Sequence[Sequence[str]],
    report: ConversionReport,
) -> list[IndexedFrame]:
    """Read the columns of brackets of a sentence.

    path (str | Path): The file, for messages.
    lines (Sequence[int]): The line of each token.
    predicates (Sequence[int]): The tokens marked as predicates, in order.
    rolesets (Sequence[str]): The roleset of each token, "" where there is none.
    columns (Sequence[Sequence[str]]): The columns, each with a cell a token. The columns belong to
        the predicates in order; if there are not as many, to the tokens bracketed as `V`. Surplus
        columns without a bracket mean nothing.
    report (ConversionReport): What to do with malformed columns.
    RETURNS (list[IndexedFrame]): A frame for each column.
    RAISES (FormatError): If brackets are malformed, a column has no `V`, or a predicate no column,
        and malformed parts are errors.
    """
    if len(columns) > len(predicates):
        columns = [column for column in columns if not NO_BRACKET.issuperset(column)]
    in_order = len(predicates) == len(columns)
    frames = []
    n_dropped = 0
    on_broken = drop_argument(path, lines, report)
    for number, cells in enumerate(columns):
        spans = read_brackets(cells, on_broken)
        owners = predicates[number : number + 1] if in_order else predicates
        predicate = _find_predicate(path, lines, number, spans, owners, in_order, report)
        if predicate is None:
            n_dropped += 1
            continue
        frame = frame_of(predicate, rolesets[predicate], spans)
        report.see(frames=1, arguments=len(frame.arguments))
        frames.append(frame)
    missing = [] if in_order else sorted(set(predicates) - {frame.predicate for frame in frames})
    for predicate in missing[n_dropped:]:  # the columns dropped are those of others
        report.malformed(
            "predicates without a column of brackets",
            path,
            lines[predicate],
            f"the sentence has {len(predicates)} predicates but {len(columns)} columns of brackets;"
            " every predicate needs one",
            frames=1,
        )
        report.see(frames=1)
    return frames


def _find_predicate(
    path: str | Path,
    lines: Sequence[int],
    number: int,
    spans: Sequence[LabelledSpan],
    owners: Sequence[int],
    in_order: bool,
    report: ConversionReport,
) -> int | None:
    """Find the predicate of a column. RETURNS (int | None): None if the frame is dropped."""
    verbs = [span for span in spans if span.label == PREDICATE_LABEL]
    label = PREDICATE_LABEL
    line = lines[verbs[1].start] if len(verbs) > 1 else lines[owners[0] if in_order else 0]
    message = (
        f"column {number + 1} of brackets has {len(verbs)} spans labelled '{label}'; expected one"
    )
    kind = f"columns of brackets without one '{label}'"
    if not verbs and in_order:
        if report.repair(f"{kind}, given to the marked predicate", path, line, message):
            return owners[0]
    elif len(verbs) > 1:
        if report.repair(
            f"{kind}, of which that of a marked predicate counts", path, line, message
        ):
            verbs.sort(key=lambda span: not any(span.start <= i < span.end for i in owners))
            verbs = verbs[:1]
    if len(verbs) == 1:
        predicate = owners[0] if in_order else verbs[0].start
        if any(s.start <= predicate < s.end for s in spans if s.label in _PREDICATE_LABELS):
            return predicate
        kind = f"columns of brackets with their '{label}' at another token than the predicate"
        line = lines[predicate]
        message = (
            f"column {number + 1} of brackets has its '{label}' at another token; are the columns"
            " in the order of the predicates?"
        )
    n_arguments = sum(span.label not in _PREDICATE_LABELS for span in spans)
    report.malformed(kind, path, line, message, frames=1, arguments=n_arguments)
    report.see(frames=1, arguments=n_arguments)
    return None


def pair_columns(
    path: str | Path,
    line: int,
    predicates: Sequence[int],
    verbs: Sequence[int | None],
    message: str,
    report: ConversionReport,
) -> list[tuple[int, int]]:
    """Find the predicate of each column of a sentence that has more or fewer columns than
    predicates.

    path (str | Path): The file, for messages.
    line (int): The sentence's first line.
    predicates (Sequence[int]): The tokens marked as predicates.
    verbs (Sequence[int | None]): The token that each column marks with `V`, if it does.
    message (str): What is wrong.
    report (ConversionReport): What to do: a column belongs to the predicate that it marks if
        repairs are allowed. The frames of others are dropped.
    RETURNS (list[tuple[int, int]]): Predicate and number of the column.
    RAISES (FormatError): If malformed parts are errors.
    """
    pairs: dict[int, int] = {}
    kind = "sentences with more or fewer columns than predicates"
    repaired = f"{kind}, of which those with a 'V' at a predicate count"
    if report.repair(repaired, path, line, message):
        for number, verb in enumerate(verbs):
            if verb is not None and verb in predicates and verb not in pairs:
                pairs[verb] = number
    n_dropped = max(len(predicates), len(verbs)) - len(pairs)
    if n_dropped:
        report.malformed(f"frames of {kind}", path, line, message, frames=n_dropped)
        report.see(frames=n_dropped)
    return sorted(pairs.items())


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


def is_roleset(cell: str) -> bool:
    """Whether a cell holds a whole roleset.

    cell (str): The cell.
    RETURNS (bool): True for "sell.01", False for "01", "1.2" or "sell".
    """
    return bool(_FULL_ROLESET.fullmatch(cell))


def join_roleset(lemma: str, sense: str, nothing: str) -> str | None:
    """Join the cells of a predicate's lemma and sense. A cell that holds the whole roleset is the
    roleset.

    lemma (str): The cell of the lemma, e.g. "sell".
    sense (str): The cell of the sense, e.g. "01" or "sell.01".
    nothing (str): What stands for "no value".
    RETURNS (str | None): E.g. "sell.01", or "" if no sense is given; None if there is a sense and
        the lemma is not known, or is a roleset with another sense.
    """
    if is_roleset(sense):
        return sense
    if is_roleset(lemma) and (sense == nothing or sense == split_roleset(lemma)[1]):
        return lemma
    if sense == nothing:
        return ""
    if lemma == nothing or _NUMBERED_ROLESET.fullmatch(lemma):
        return None
    return f"{lemma}.{sense}"


def split_roleset(roleset: str) -> tuple[str, str]:
    """Part a roleset into lemma and sense.

    roleset (str): E.g. "give.01".
    RETURNS (tuple[str, str]): E.g. "give" and "01"; the sense is "" where there is no dot.
    """
    lemma, dot, sense = roleset.rpartition(".")
    return (lemma, sense) if dot else (roleset, "")


def read_rolesets(
    path: str | Path,
    lines: Sequence[int],
    lemmas: Sequence[str],
    senses: Sequence[str],
    nothing: str,
    report: ConversionReport,
) -> list[str]:
    """Read the rolesets of a sentence from a column of lemmas and one of senses.

    path (str | Path): The file, for messages.
    lines (Sequence[int]): The line of each token.
    lemmas (Sequence[str]): The lemmas.
    senses (Sequence[str]): The senses.
    nothing (str): What stands for "no value".
    report (ConversionReport): Where to count senses without a lemma.
    RETURNS (list[str]): The roleset of each token, "" where there is none.
    """
    rolesets = []
    for line, lemma, sense in zip(lines, lemmas, senses, strict=True):
        roleset = join_roleset(lemma, sense, nothing)
        if roleset is None:
            detail = f"the sense {sense!r} with the lemma {lemma!r}"
            report.add_line("senses of predicates without a lemma to them", path, line, detail)
        rolesets.append(roleset or "")
    return rolesets
