"""`python -m spacy mtl convert`: semantic roles from one format to another."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from spacy.cli._util import Arg, Opt
from spacy.tokens import Doc
from spacy.vocab import Vocab
from wasabi import Printer

from ..srl.formats.registry import (
    FORMATS,
    SentenceFormat,
    find_format,
    guess_format,
    read_docs,
    write_file,
)
from ..srl.formats.report import ON_ERROR, UNITS, ConversionReport
from ..srl.formats.treebank import read_treebank
from .inputs import cli_errors

NAMES = tuple(FORMATS)
_N_PLACES = 3


def convert_cli(
    input_path: Annotated[Path, Arg(help="File to read, or folder of files of one format")],
    output: Annotated[Path, Arg(help="File to write", dir_okay=False)],
    source: Annotated[
        str | None, Opt("--from", "-f", help=f"Format of the input: {', '.join(NAMES)}")
    ] = None,
    target: Annotated[
        str | None, Opt("--to", "-t", help="Format of the output, one of the same")
    ] = None,
    words: Annotated[
        list[Path] | None,
        Opt("--words", "-w", help="Treebank with the words: .conllu, .spacy, trees, or columns"),
    ] = None,
    columns: Annotated[
        str | None,
        Opt("--columns", "-c", help="Columns in front of the frames: names, or a conll05 layout"),
    ] = None,
    arguments: Annotated[
        str, Opt("--arguments", "-a", help="What to read of up2: spans or heads")
    ] = "spans",
    labels: Annotated[
        str | None,
        Opt("--labels", "-l", help="Spelling of roles: propbank (ARG0), conll (A0), or keep"),
    ] = None,
    project: Annotated[
        bool, Opt("--project", "-p", help="Widen arguments of one token to what depends on it")
    ] = False,
    n_sents: Annotated[
        int,
        Opt("--n-sents", "-n", min=0, help="Sentences a Doc, if files have no documents; 0: all"),
    ] = 1,
    strict: Annotated[
        bool, Opt("--strict", "-S", help="Stop at the first line that can't be carried over")
    ] = False,
    on_error: Annotated[
        str | None,
        Opt("--on-error", "-e", help=f"What to do with malformed parts: {', '.join(ON_ERROR)}"),
    ] = None,
) -> None:
    """
    Convert semantic roles from one format to another. Formats are told from the names of the files
    where these are unmistakable. Prints what was read, and what was mended or could not be carried
    over, by kind. Ends with status 1 if there is an error or no sentence was read.
    """
    with cli_errors():
        convert(
            input_path,
            output,
            source=source,
            target=target,
            words=words,
            columns=columns,
            arguments=arguments,
            labels=labels,
            project=project,
            n_sents=n_sents,
            strict=strict,
            on_error=on_error,
            silent=False,
        )


def convert(
    input_path: str | Path,
    output: str | Path,
    *,
    source: str | None = None,
    target: str | None = None,
    words: Iterable[str | Path] | None = None,
    columns: str | None = None,
    arguments: str = "spans",
    labels: str | None = None,
    project: bool = False,
    n_sents: int = 1,
    strict: bool = False,
    on_error: str | None = None,
    silent: bool = True,
) -> ConversionReport:
    """Convert semantic roles from one format to another.

    input_path (Union[str, Path]): A file, or a folder with files of one format.
    output (Union[str, Path]): The file to write; if there is an error, it stays as it was.
    source (Optional[str]): Format of the input, told from its name if None.
    target (Optional[str]): Format of the output, told from its name if None.
    words (Optional[Iterable[Union[str, Path]]]): Files or folders of the treebank that has the
        words, if the input leaves them out.
    columns (Optional[str]): Names of the columns in front of those of the predicates, in
        CoNLL-2005 and BIO columns: in the input if it has such a format, else in the output.
    arguments (str): "spans" or "heads": what to read where a file has both.
    labels (Optional[str]): Spelling of roles, "propbank", "conll" or "keep". If None, Docs get
        PropBank's, and every format its own.
    project (bool): Whether to widen arguments of one token to what depends on it.
    n_sents (int): Sentences in a Doc where the input has no documents, 0 for all of a file.
    strict (bool): Whether a line of the input that can't be carried over is an error.
    on_error (Optional[str]): What becomes of malformed parts of the input: "stop" makes an error of
        the first one, "skip" drops the smallest unit around it, "repair" mends what it can and
        drops the rest. As the input's format says if None.
    silent (bool): Whether to print nothing.
    RETURNS (ConversionReport): What was read, mended, and could not be carried over.
    RAISES (ValueError): If an option does not suit, a file does not follow its format (then a
        `FormatError` with file and line), or a document can't be written.
    RAISES (OSError): If a file can't be read or written.
    """
    msg = Printer(no_print=silent, pretty=not silent)
    source = source or _guess(input_path, "input", "--from")
    target = target or _guess(output, "output", "--to")
    form, target_form = find_format(source), find_format(target)
    report = ConversionReport(strict=strict)
    takes_columns = "columns" in form.options
    if columns is not None and not takes_columns and "columns" not in target_form.options:
        raise ValueError(
            f"--columns names the columns of conll05 or bio; neither {source!r} nor {target!r} has"
            " that option"
        )
    docs = list(
        read_docs(
            input_path,
            source,
            Vocab(),
            report,
            treebank=read_treebank(words) if words else None,
            columns=columns if takes_columns else None,
            arguments=arguments,
            labels=labels if isinstance(form, SentenceFormat) else None,
            project=project,
            n_sents=n_sents,
            on_error=on_error,
        )
    )
    if not docs:
        raise ValueError(_nothing_read(input_path, source, report))
    write_file(
        docs,
        output,
        target,
        report,
        columns=columns if not takes_columns or source == target else None,
        labels=labels if isinstance(target_form, SentenceFormat) else None,
    )
    _print_report(docs, report, msg)
    msg.good(f"Wrote {output}")
    return report


def _nothing_read(path: str | Path, source: str, report: ConversionReport) -> str:
    rows = [f"{count} {kind}, first at {place}" for kind, count, place in report.rows()]
    dropped = f"; left out: {'; '.join(rows)}" if rows else ""
    return f"'{path}' holds no sentence in the format {source!r}{dropped}"


def _print_report(docs: Sequence[Doc], report: ConversionReport, msg: Printer) -> None:
    """Print what was read and written, what was mended, and what was lost."""
    rows = [
        (
            unit.capitalize(),
            f"{report.read[unit]:,}",
            f"{report.dropped[unit]:,}",
            f"{report.read[unit] - report.dropped[unit]:,}",
        )
        for unit in UNITS
    ]
    msg.table(
        rows,
        header=("", "Read", "Left out", "Written"),
        aligns=("l", "r", "r", "r"),
        title=f"Converted: {len(docs):,} documents with {sum(map(len, docs)):,} words",
    )
    tables = (("Mended", report.repairs), ("Not carried over as it was", report.losses))
    for title, counts in tables:
        lines: list[tuple[str, ...]] = []
        for kind, count in counts.most_common():
            units = report.units.get(kind, Counter())
            first, *others = report.places[kind][:_N_PLACES]
            numbers = (f"{units[unit]:,}" if units.get(unit) else "" for unit in UNITS)
            lines.append((kind, f"{count:,}", *numbers, first))
            lines += [("", "", "", "", "", place) for place in others]
        if lines:
            msg.table(
                lines,
                header=("What", "Count", *map(str.capitalize, UNITS), "First places"),
                aligns=("l", "r", "r", "r", "r", "l"),
                max_col=72,
                title=title,
            )
    if report.read["frames"] and report.read["frames"] == report.dropped["frames"]:
        msg.warn("Not one frame of the input could be carried over.")


def _guess(path: str | Path, side: str, option: str) -> str:
    """Tell a format from a name."""
    name = guess_format(path)
    if name is None:
        raise ValueError(
            f"the name '{path}' does not tell the format of the {side}; give {option} with one of"
            f" {', '.join(NAMES)}"
        )
    return name
