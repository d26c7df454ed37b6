"""`python -m spacy mtl convert`: semantic roles from one format to another."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import spacy
from spacy.cli._util import Arg, Opt
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from wasabi import Printer

from ..formats.inline import read_inline, write_inline
from ..formats.registry import FORMATS, find_files, guess_format, read_docs, write_docs
from ..formats.report import ConversionReport
from ..formats.treebank import Treebank, read_treebank
from ..spans import current_spans
from .inputs import failing_clearly

SPACY = "spacy"
INLINE = "inline"
NAMES = (*FORMATS, INLINE, SPACY)


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
        Opt("--columns", "-c", help="Layout of conll05: props, words, conll04, conll05, or names"),
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
) -> None:
    """
    Convert semantic roles from one format to another. Formats are told from the names of the files
    where these are unmistakable. Prints what was read, and what could not be carried over, by kind.
    """
    with failing_clearly():
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
    silent: bool = True,
) -> ConversionReport:
    """Convert semantic roles from one format to another.

    input_path (Union[str, Path]): A file, or a folder with files of one format.
    output (Union[str, Path]): The file to write; nothing is written if there is an error.
    source (Optional[str]): Format of the input, told from its name if None.
    target (Optional[str]): Format of the output, told from its name if None.
    words (Optional[Iterable[Union[str, Path]]]): Files or folders of the treebank that has the
        words, if the input leaves them out.
    columns (Optional[str]): Layout of CoNLL-2005, in the input and the output.
    arguments (str): "spans" or "heads": what to read where a file has both.
    labels (Optional[str]): Spelling of roles, "propbank", "conll" or "keep". If None, Docs get
        PropBank's, and every format its own.
    project (bool): Whether to widen arguments of one token to what depends on it.
    n_sents (int): Sentences in a Doc where the input has no documents, 0 for all of a file.
    strict (bool): Whether a line of the input that can't be carried over is an error.
    silent (bool): Whether to print nothing.
    RETURNS (ConversionReport): What could not be carried over.
    RAISES (ValueError): If an option does not suit, a file does not follow its format (then a
        `FormatError` with file and line), or a document can't be written.
    RAISES (OSError): If a file can't be read or written.
    """
    msg = Printer(no_print=silent, pretty=not silent)
    source = source or _guess(input_path, "input", "--from")
    target = target or _guess(output, "output", "--to")
    report = ConversionReport(strict=strict)
    if columns is not None and "conll05" not in (source, target):
        raise ValueError("--columns names the layout of conll05; neither side has that format")
    treebank = read_treebank(words) if words else None
    docs = list(
        _read(input_path, source, report, treebank, columns, arguments, labels, project, n_sents)
    )
    if not docs:
        raise ValueError(f"'{input_path}' holds no sentence in the format {source!r}")
    _write(docs, Path(output), target, report, columns, labels)
    spans = [span for doc in docs if "srl" in doc.spans for span in current_spans(doc, "srl")]
    n_frames = sum(span.label_ == "V" for span in spans)
    msg.table(
        [
            ("Documents", f"{len(docs):,}"),
            ("Words", f"{sum(map(len, docs)):,}"),
            ("Frames", f"{n_frames:,}"),
            ("Arguments", f"{len(spans) - n_frames:,}"),
        ],
        aligns=("l", "r"),
        title="Converted",
    )
    if report.losses:
        rows = [(kind, f"{count:,}", place) for kind, count, place in report.rows()]
        msg.table(
            rows,
            header=("What", "Count", "First"),
            aligns=("l", "r", "l"),
            max_col=72,
            title="Not carried over as it was",
        )
    msg.good(f"Wrote {output}")
    return report


def _guess(path: str | Path, side: str, option: str) -> str:
    """Tell a format from a name."""
    if Path(path).suffix == ".spacy":
        return SPACY
    name = guess_format(path)
    if name is None:
        raise ValueError(
            f"the name '{path}' does not tell the format of the {side}; give {option} with one of"
            f" {', '.join(NAMES)}"
        )
    return name


def _read(
    path: str | Path,
    source: str,
    report: ConversionReport,
    treebank: Treebank | None,
    columns: str | None,
    arguments: str,
    labels: str | None,
    project: bool,
    n_sents: int,
) -> Iterator[Doc]:
    """Read documents of any format."""
    if source in (SPACY, INLINE):
        if treebank is not None or project:
            raise ValueError(f"--words and --project are not for the format {source!r}")
        yield from _read_spacy(path) if source == SPACY else _read_inline(path)
        return
    if arguments not in ("spans", "heads"):
        raise ValueError(f"--arguments is 'spans' or 'heads', not {arguments!r}")
    yield from read_docs(
        path,
        source,
        Vocab(),
        report,
        treebank=treebank,
        columns=columns if source == "conll05" else None,
        arguments=arguments,
        labels=labels or "propbank",
        project=project,
        n_sents=n_sents,
    )


def _read_spacy(path: str | Path) -> Iterator[Doc]:
    for file in find_files(path, "*.spacy"):
        try:
            docs = list(DocBin().from_disk(file).get_docs(Vocab()))
        except Exception as error:  # any: whatever a broken file makes the reader raise
            raise ValueError(
                f"'{file}' can't be read: it is truncated or no .spacy file."
                f" {type(error).__name__}: {error}"
            ) from error
        yield from docs


def _read_inline(path: str | Path) -> Iterator[Doc]:
    seen: dict[str, str] = {}
    tokenizer = spacy.blank("en").tokenizer
    for file in find_files(path, "*.txt"):
        yield from read_inline(file, tokenizer, seen=seen)


def _write(
    docs: list[Doc],
    output: Path,
    target: str,
    report: ConversionReport,
    columns: str | None,
    labels: str | None,
) -> None:
    """Write documents in any format."""
    if target not in NAMES:
        raise ValueError(f"unknown format {target!r}; use one of {', '.join(NAMES)}")
    if target == SPACY:
        data = DocBin(docs=docs, store_user_data=True).to_bytes()
    elif target == INLINE:
        data = write_inline(docs).encode("utf-8")
    else:
        layout = columns if target == "conll05" else None
        pieces = write_docs(docs, target, report, columns=layout, labels=labels)
        data = "".join(pieces).encode("utf-8")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(data)
