"""Convert files in the inline format (docs/inline-format.md) to a `.spacy` file."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import spacy
import typer
from spacy.tokens import Doc, DocBin
from wasabi import msg

from spacy_mtl.srl.formats.errors import FormatError
from spacy_mtl.srl.formats.inline import SRL_GROUP, read_inline


def find_inputs(inputs: Iterable[Path]) -> list[Path]:
    """List the files to convert: each file named, and the `*.txt` files below each folder.

    inputs (Iterable[Path]): Files and folders.
    RETURNS (list[Path]): Files, those of a folder in the order of their names.
    RAISES (ValueError): If an input does not exist or a folder has no `*.txt` file.
    """
    files: list[Path] = []
    for path in inputs:
        found = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
        if not found:
            raise ValueError(f"The folder {path} has no *.txt file; name a folder that has some")
        if not found[0].is_file():
            raise ValueError(f"The input {path} does not exist; name a file or a folder")
        files += found
    return files


def read_files(files: Iterable[Path]) -> tuple[list[Doc], list[FormatError]]:
    """Read files in the inline format with spaCy's English tokenizer.

    files (Iterable[Path]): The files.
    RETURNS (tuple[list[Doc], list[FormatError]]): The documents without mistakes, and all mistakes.
    """
    tokenizer = spacy.blank("en").tokenizer
    seen: dict[str, str] = {}
    mistakes: list[FormatError] = []
    docs = [
        doc
        for path in files
        for doc in read_inline(path, tokenizer, seen=seen, on_error=mistakes.append)
    ]
    return docs, mistakes


def count_annotation(docs: Iterable[Doc]) -> dict[str, int]:
    """Count what a corpus contains.

    docs (Iterable[Doc]): The documents.
    RETURNS (dict[str, int]): Documents, sentences, tokens, entities in all and per label, frames,
        arguments in all and per label, and categories per label.
    """
    counts: Counter[str] = Counter()
    entities: Counter[str] = Counter()
    arguments: Counter[str] = Counter()
    categories: Counter[str] = Counter()
    for doc in docs:
        counts["documents"] += 1
        counts["sentences"] += sum(1 for _ in doc.sents)
        counts["tokens"] += len(doc)
        entities.update(entity.label_ for entity in doc.ents)
        labels = [span.label_ for span in doc.spans.get(SRL_GROUP, ())]
        counts["frames"] += labels.count("V")
        arguments.update(label for label in labels if label != "V")
        categories.update(label for label, value in doc.cats.items() if value)
    groups = (("entities", entities), ("arguments", arguments), ("sentiment", categories))
    for name, group in groups:
        counts[name] = group.total()
        counts.update({f"{name}: {label}": group[label] for label in sorted(group)})
    return dict(counts)


def convert_inline(inputs: Iterable[Path], output: Path | None) -> dict[str, int]:
    """Convert files in the inline format to a `.spacy` file.

    inputs (Iterable[Path]): Files, and folders whose `*.txt` files are read.
    output (Path | None): The file to write; `None` only checks the inputs.
    RETURNS (dict[str, int]): The counts of `count_annotation`.
    RAISES (ValueError): If an input does not exist.
    RAISES (InlineMistakes): With every mistake in the files; then nothing is written.
    """
    docs, mistakes = read_files(find_inputs(inputs))
    if mistakes:
        raise InlineMistakes(mistakes)
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        DocBin(docs=docs, store_user_data=True).to_disk(output)
    return count_annotation(docs)


class InlineMistakes(ValueError):
    """All mistakes of a run, one line each, in the order of files and lines."""

    def __init__(self, mistakes: list[FormatError]) -> None:
        self.mistakes = sorted(mistakes, key=lambda mistake: (str(mistake.path), mistake.line))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def main(
    inputs: Annotated[list[Path], typer.Argument(help="Files, and folders of *.txt files")],
    output: Annotated[Path, typer.Argument(help="The .spacy file to write")],
    check: Annotated[bool, typer.Option("--check", help="Only check; write nothing")] = False,
) -> None:
    """Convert files in the inline format to a .spacy file, and print what they contain."""
    try:
        counts = convert_inline(inputs, None if check else output)
    except InlineMistakes as error:
        typer.echo(str(error), err=True)
        msg.fail(f"{len(error.mistakes)} mistakes; nothing was written", exits=1)
    except ValueError as error:
        msg.fail(str(error), exits=1)
    msg.table(counts.items(), header=("what", "count"), divider=True, aligns=("l", "r"))
    msg.good("No mistakes" if check else f"Wrote {output}")


if __name__ == "__main__":
    typer.run(main)
