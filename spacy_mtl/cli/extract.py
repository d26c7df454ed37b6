"""`python -m spacy mtl extract`: some heads of a pipeline, as a pipeline of their own."""

from pathlib import Path
from typing import Annotated

from spacy.cli._util import Arg, Opt, import_code
from wasabi import msg

from ..extraction import Extraction
from ..extraction import extract as extract_heads
from .accelerate import read_texts
from .inputs import cli_errors, load_pipeline

MEGABYTE = 1e6


def extract_cli(
    model: Annotated[str, Arg(help="Name or folder of the pipeline")],
    output: Annotated[Path, Arg(help="Folder for the new pipeline", file_okay=False)],
    heads: Annotated[str, Opt("--heads", "-h", help="Components to keep, comma-separated")],
    only: Annotated[
        bool,
        Opt("--only", "-o", help="Keep only these and their trunk, nothing else that they read"),
    ] = False,
    sample: Annotated[
        Path | None,
        Opt("--sample", "-s", help="Texts to compare on: .txt with one a line, .jsonl, .spacy"),
    ] = None,
    n_texts: Annotated[int, Opt("--n-texts", "-n", min=1, help="Largest number of texts")] = 1000,
    force: Annotated[bool, Opt("--force", "-f", help="Write over an existing folder")] = False,
    keep: Annotated[bool, Opt("--keep", "-k", help="Write it although annotations differ")] = False,
    code_path: Annotated[
        Path | None, Opt("--code", "-c", help="Python file with registered functions to import")
    ] = None,
) -> None:
    """
    Write a pipeline with some heads of a trained one: smaller, with the same predictions, ready for
    'spacy package'. Components that a head depends on are kept, unless --only is given. Ends with
    exit code 1 if an annotation of the sample differs.
    """
    import_code(code_path)
    with cli_errors():
        load_pipeline(model)
        texts = read_texts(sample, n_texts)
        names = list(dict.fromkeys(name.strip() for name in heads.split(",") if name.strip()))
        report = extract_heads(model, output, names, texts, only=only, force=force, keep=keep)
        print_report(report, len(texts))
        if report.differences and not (only or keep):
            raise ValueError("Annotations differ. Nothing was written; --keep writes it anyway.")
        msg.good(f"Saved the pipeline to {output}")


def print_report(report: Extraction, n_texts: int) -> None:
    """Print what was kept, left out, and compared.

    report (Extraction): The report.
    n_texts (int): The number of texts compared.
    """
    rows = [(name, "kept: asked for") for name in report.heads]
    rows += [(name, f"kept: {reason}") for name, reason in report.needed.items()]
    rows += [
        (name, "left out, although " + report.missed[name] if name in report.missed else "left out")
        for name in report.removed
    ]
    msg.table(rows, header=("Component", "What was done"), divider=True)
    if report.removed_vectors:
        msg.info("No head reads the word vectors: they are left out. Doc.similarity needs them.")
    before, after = report.bytes_before / MEGABYTE, report.bytes_after / MEGABYTE
    msg.info(f"{before:.2f} MB before, {after:.2f} MB now")
    for difference in report.differences:
        msg.warn(f"Not as in the whole pipeline: {difference}")
    if not report.differences:
        msg.good(f"Identical annotations of {n_texts} texts")
