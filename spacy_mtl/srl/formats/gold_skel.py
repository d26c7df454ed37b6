"""Reader of PropBank's `gold_skel` files: semantic roles in columns, words left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .brackets import LabelledSpan, read_brackets
from .columns import Block, RowRules, frame_columns, read_blocks, whole_blocks
from .propositions import (
    NO_BRACKET,
    PREDICATE_LABEL,
    PREDICATE_REST_LABEL,
    drop_argument,
    join_roleset,
    narrow_predicate,
    pair_columns,
)
from .report import ConversionReport

_FIXED_COLUMNS = 8  # file, sentence, token, word, tag, tree, lemma, roleset
_NOTHING = "-"
_RULES = RowRules(
    _FIXED_COLUMNS,
    lambda row: len(row) >= _FIXED_COLUMNS and row[7] != _NOTHING,
    number=2,
    first=0,
    where=" in the third column",
)

SkelSpan = LabelledSpan


@dataclass(frozen=True)
class SkelFrame:
    """A predicate and what is bracketed in its column.

    predicate (int): Index of the token that carries the roleset.
    roleset (str): The sense, e.g. "give.01" or "take.LV".
    spans (tuple[SkelSpan, ...]): All spans by start, the predicate's own "V" and "C-V" among them.
    """

    predicate: int
    roleset: str
    spans: tuple[SkelSpan, ...]


@dataclass
class SkelSentence:
    """The frames of a sentence.

    line (int): Line of the first token in the file, starting at 1.
    words (list[str]): The words; "[WORD]" in the published files.
    tags (list[str]): Part-of-speech tags of the treebank.
    frames (list[SkelFrame]): One frame per predicate, in the predicates' order.
    document (str): Name of the file with the tree, e.g. "google/ewt/email/00/mail.xml".
    trees (list[str]): Brackets of the constituents, e.g. "(TOP(S(NP*)".
    lemmas (list[str]): Base forms of the predicates, "-" elsewhere.
    lines (list[int]): Line of each token in the file.
    """

    line: int
    words: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    frames: list[SkelFrame] = field(default_factory=list)
    document: str = ""
    trees: list[str] = field(default_factory=list)
    lemmas: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def read_gold_skel(
    path: str | Path, report: ConversionReport | None = None
) -> Iterator[SkelSentence]:
    """Read the sentences of a `gold_skel` file.

    A line holds, split by spaces: file, sentence, token, word, tag, tree, lemma, roleset, and one
    column of span brackets for each roleset of the sentence, in the order of the rolesets. Surplus
    columns without a bracket mean nothing.

    path (str | Path): The file, UTF-8.
    report (ConversionReport | None): What to do with malformed parts; they are errors if None.
    YIELDS (SkelSentence): The sentences in the file's order.
    RAISES (FormatError): With file and line, where a line does not follow the format.
    """
    report = ConversionReport() if report is None else report
    for block in read_blocks(path, report):
        for whole in whole_blocks(path, block, _RULES, report):
            yield _build_sentence(path, whole, report)


def _build_sentence(path: str | Path, block: Block, report: ConversionReport) -> SkelSentence:
    """Put the lines of a sentence together."""
    fixed = [list(c) for c in zip(*(row[:_FIXED_COLUMNS] for row in block.rows), strict=True)]
    documents, _, _, words, tags, trees, lemmas, rolesets = fixed
    predicates = [i for i, roleset in enumerate(rolesets) if roleset != _NOTHING]
    sentence = SkelSentence(
        block.lines[0], words, tags, [], documents[0], trees, lemmas, block.lines
    )
    report.see(sentences=1)
    columns = frame_columns(path, block, _FIXED_COLUMNS, len(predicates), NO_BRACKET, report)
    if columns is None:
        return sentence
    if len(columns) > len(predicates):
        columns = [column for column in columns if not NO_BRACKET.issuperset(column)]
    pairs = list(zip(predicates, range(len(columns)), strict=False))
    if len(predicates) != len(columns):
        pairs = pair_columns(
            path,
            block.lines[0],
            predicates,
            [_verb(cells) for cells in columns],
            f"the sentence has {len(predicates)} roleset(s) but {len(columns)} column(s) of "
            "brackets; every roleset needs one",
            report,
        )
    for predicate, number in pairs:
        roleset = rolesets[predicate]
        if roleset.isdecimal():
            roleset = join_roleset(lemmas[predicate], roleset, _NOTHING) or roleset
        spans = read_brackets(columns[number], drop_argument(path, block.lines, report))
        frame = SkelFrame(predicate, roleset, spans)
        n_arguments = len(split_predicate(frame)) - 1
        report.see(frames=1, arguments=n_arguments)
        if _is_whole(path, block.lines[predicate], frame, n_arguments, report):
            sentence.frames.append(frame)
    return sentence


def _verb(cells: Sequence[str]) -> int | None:
    """The token at which a column has its first V."""
    spans = read_brackets(cells, lambda index, message: None)
    return next((span.start for span in spans if span.label == PREDICATE_LABEL), None)


def _is_whole(
    path: str | Path, line: int, frame: SkelFrame, n_arguments: int, report: ConversionReport
) -> bool:
    """Check that a column has one "V" and covers the token with the roleset."""
    n_verbs = [span.label for span in frame.spans].count(PREDICATE_LABEL)
    label = PREDICATE_LABEL
    if n_verbs != 1:
        message = (
            f"the column of {frame.roleset!r} brackets {n_verbs} spans as '{label}'; expected one"
        )
        kind = f"columns of brackets without one '{label}'"
        if report.repair(f"{kind}, given to the token with the roleset", path, line, message):
            return True
        report.malformed(kind, path, line, message, frames=1, arguments=n_arguments)
        return False
    covered = any(
        span.start <= frame.predicate < span.end
        for span in frame.spans
        if span.label in (PREDICATE_LABEL, PREDICATE_REST_LABEL)
    )
    if not covered:
        report.malformed(
            f"columns of brackets with their '{label}' at another token than the predicate",
            path,
            line,
            f"the column of {frame.roleset!r} brackets another token as '{label}'; are the columns"
            " in the order of the rolesets?",
            frames=1,
            arguments=n_arguments,
        )
    return covered


def split_predicate(frame: SkelFrame) -> list[SkelSpan]:
    """Narrow the predicate's span to the token with the roleset.

    frame (SkelFrame): The frame as PropBank brackets it.
    RETURNS (list[SkelSpan]): The predicate's span first, then all others by start; tokens around
        the predicate that were bracketed with it are labelled C-V.
    """
    return narrow_predicate(frame.predicate, frame.spans)
