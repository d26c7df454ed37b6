"""`python -m spacy mtl accelerate`: the same annotations, faster."""

from collections.abc import Callable, Sequence
from importlib.resources import files
from itertools import islice, zip_longest
from pathlib import Path
from shutil import get_terminal_size
from textwrap import TextWrapper
from typing import Annotated, Any

import spacy
import srsly
from spacy.cli._util import Arg, Opt, import_code
from spacy.tokens import DocBin
from wasabi import msg

from ..acceleration import Report
from ..acceleration import accelerate as accelerate_pipeline
from .inputs import cli_errors, load_pipeline
from .render import read_lines

SHOWN = 10
MESSAGE_WIDTH = 80  # beyond, wasabi breaks the line by itself
MARK_WIDTH = 2


def accelerate_cli(
    model: Annotated[str, Arg(help="Name or folder of the pipeline")],
    output: Annotated[Path, Arg(help="Folder for the faster pipeline", file_okay=False)],
    sample: Annotated[
        Path | None,
        Opt("--sample", "-s", help="Texts to compare on: .txt with one a line, .jsonl, .spacy"),
    ] = None,
    n_texts: Annotated[int, Opt("--n-texts", "-n", min=1, help="Largest number of texts")] = 1000,
    n_rounds: Annotated[int, Opt("--rounds", "-r", min=1, help="Rounds of measuring speed")] = 3,
    force: Annotated[bool, Opt("--force", "-f", help="Write over an existing folder")] = False,
    keep: Annotated[bool, Opt("--keep", "-k", help="Write it although annotations differ")] = False,
    code_path: Annotated[
        Path | None, Opt("--code", "-c", help="Python file with registered functions to import")
    ] = None,
) -> None:
    """
    Write a pipeline that annotates exactly as a given spaCy pipeline does, faster on CPU. CNN
    encoders, the searches for entities and arcs and the matrix product are replaced; nothing is
    trained. Ends with exit code 1 if an annotation of the sample differs.
    """
    import_code(code_path)
    with cli_errors():
        load_pipeline(model)
        texts = read_texts(sample, n_texts)
        report = accelerate_pipeline(
            model, output, texts, n_rounds=n_rounds, force=force, keep=keep, progress=True
        )
        print_report(report, len(texts))
        if report.differences:
            kept = f"Written to {output} all the same." if keep else "Nothing was written."
            raise ValueError(f"{len(report.differences)} annotations differ. {kept}")
        tell(msg.good, f"Saved the pipeline to {output}")
        print_left(report)


def read_texts(path: Path | None, limit: int) -> list[str]:
    """Read texts.

    path (Optional[Path]): A text file with one text per line, a JSONL file with a "text" in each
        line, or a `.spacy` file; the package's own sample where None.
    limit (int): The largest number of texts.
    RETURNS (List[str]): The texts that are not blank.
    RAISES (ValueError): If there is no such file, or no text in it.
    """
    if path is None:
        sample = files("spacy_mtl.acceleration") / "sample.txt"
        return sample.read_text(encoding="utf8").splitlines()[:limit]
    if not path.is_file():
        raise ValueError(f"Sample '{path}' not found.")
    if path.suffix == ".spacy":
        docs = DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab)
        texts = [doc.text for doc in islice(docs, limit)]
    elif path.suffix == ".jsonl":
        lines = list(srsly.read_jsonl(path))
        if not all(isinstance(line, dict) and "text" in line for line in lines):
            raise ValueError(f"'{path}': each line needs a \"text\".")
        texts = [str(line["text"]) for line in lines[:limit]]
    else:
        texts = read_lines(path)[:limit]
    if not any(text.strip() for text in texts):
        raise ValueError(f"Sample '{path}' holds no text.")
    return texts


def print_report(report: Report, n_texts: int) -> None:
    """Print what was replaced and measured.

    report (Report): The report.
    n_texts (int): The number of texts compared.
    """
    rows = [(name, ", ".join(parts)) for name, parts in report.replaced.items()]
    print_rows(
        "Made faster",
        [
            (name, f"{what}; as it was, {report.kept[name]}" if name in report.kept else what)
            for name, what in rows
        ],
    )
    rates = ", ".join(f"{name} {rate:.0f}" for name, rate in report.rates.items())
    tell(msg.info, f"Matrix products here, GFLOP/s: {rates}")
    for difference in report.differences[:SHOWN]:
        tell(msg.warn, str(difference))
    if not report.differences:
        tell(msg.good, f"Identical annotations of {n_texts} texts, {report.words} words")
    tell(
        msg.info,
        f"Words per second of processor time, one thread: {report.before:,.0f} before, "
        f"{report.after:,.0f} now: {report.after / report.before:.2f} times",
    )


def print_left(report: Report) -> None:
    """Print which components were left as they were, and why.

    report (Report): The report.
    """
    by_reason: dict[str, list[str]] = {}
    for name, reason in report.kept.items():
        if name not in report.replaced:
            by_reason.setdefault(reason, []).append(name)
    print_rows(
        "Left as it was", [(", ".join(names), reason) for reason, names in by_reason.items()]
    )


def print_rows(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print names and texts in two columns, no line wider than the terminal.

    title (str): The line above.
    rows (Sequence[Tuple[str, str]]): The rows; nothing is printed if there are none.
    """
    if not rows:
        return
    n_columns = get_terminal_size().columns
    width = min(max(len(name) for name, _ in rows), n_columns // 2)
    print(f"{title}:")
    for name, text in rows:
        columns = wrap_words(name, width), wrap_words(text, n_columns - width - 4)
        for left, right in zip_longest(*columns, fillvalue=""):
            print(f"  {left:<{width}}  {right}")


def tell(show: Callable[[str], Any], text: str) -> None:
    """Print a message, no line wider than the terminal.

    show (Callable[[str], Any]): Prints its first line, with its mark.
    text (str): The message.
    """
    width = min(get_terminal_size().columns, MESSAGE_WIDTH) - MARK_WIDTH
    first, *rest = wrap_words(text, width)
    show(first)
    for line in rest:
        print(f"{'':{MARK_WIDTH}}{line}")


def wrap_words(text: str, width: int) -> list[str]:
    """RETURNS (List[str]): The lines of a text, which are not wider unless a word is."""
    wrapper = TextWrapper(max(width, 1), break_long_words=False, break_on_hyphens=False)
    return wrapper.wrap(text)
