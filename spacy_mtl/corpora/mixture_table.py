"""What a mixture holds, as a table."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from spacy.training import Example
from wasabi import table

from .annotations import TEXT, UNITS, count_units


@dataclass
class SourceSummary:
    """What one source holds.

    name (str): The source's name.
    n_documents (int): Its documents, after splitting; of a stream those that were looked at.
    is_streamed (bool): Whether there may be more.
    n_empty (int): Documents without tokens, which are left out.
    share (float): Its expected share of the documents given out.
    n_words (int): The tokens of its documents.
    per_pass (Optional[int]): Documents of it in one pass; None where passes have no end.
    units (Counter[str]): Annotated units by kind of annotation.
    """

    name: str
    n_documents: int
    is_streamed: bool
    n_empty: int
    share: float
    n_words: int
    per_pass: int | None
    units: Counter[str] = field(default_factory=Counter)


def count_all_units(examples: Iterable[Example]) -> Counter[str]:
    """Count the annotated units of many examples.

    examples (Iterable[Example]): The examples.
    RETURNS (Counter[str]): By kind of annotation.
    """
    units: Counter[str] = Counter()
    for example in examples:
        units.update(count_units(example.reference))
    return units


def render_mixture(summaries: Sequence[SourceSummary], kinds: Sequence[str]) -> str:
    """Draw the table.

    summaries (Sequence[SourceSummary]): The sources.
    kinds (Sequence[str]): The kinds of annotation that the pipeline learns from. Others that some
        source holds follow in brackets.
    RETURNS (str): The table.
    """
    annotations = [kind for kind in UNITS if kind != TEXT]
    found = [kind for kind in annotations if any(summary.units[kind] for summary in summaries)]
    columns = [*kinds, *(kind for kind in found if kind not in kinds)]
    header = ["source", "docs", "empty"]
    header += [
        f"{kind} ({UNITS[kind]})" if kind in kinds else f"[{kind} ({UNITS[kind]})]"
        for kind in columns
    ]
    header += ["% docs", "% words", "docs a pass"]
    words = [summary.share * summary.n_words / summary.n_documents for summary in summaries]
    rows = [
        _row(summary, columns, share / sum(words))
        for summary, share in zip(summaries, words, strict=True)
    ]
    aligns: list[Literal["r", "c", "l"]] = ["l"]
    aligns.extend("r" for _ in header[1:])
    return str(table(rows, header=header, divider=True, aligns=aligns))


def _row(summary: SourceSummary, columns: Sequence[str], word_share: float) -> list[str]:
    more = "+" if summary.is_streamed else ""
    per_pass = "no end"
    if summary.per_pass is not None:
        times = summary.per_pass / summary.n_documents
        per_pass = f"{summary.per_pass:,}" + ("" if summary.is_streamed else f" ({times:.2g}x)")
    return [
        summary.name,
        f"{summary.n_documents:,}{more}",
        f"{summary.n_empty:,}",
        *[f"{summary.units[kind]:,}{more}" if summary.units[kind] else "-" for kind in columns],
        f"{summary.share:.1%}",
        f"{word_share:.1%}",
        per_pass,
    ]
