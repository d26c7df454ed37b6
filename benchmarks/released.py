"""Accelerate released pipelines of spaCy, compare every annotation and time them.

`python benchmarks/released.py --help`. A row of the table is a pipeline, as it is released: with
the components that are enabled.
"""

from pathlib import Path
from typing import Annotated

import spacy
import typer
from measuring.machine import describe_machine
from measuring.released import HEADER, RELEASED, table_row, take_texts, time_systems
from wasabi import msg

from spacy_mtl.acceleration import accelerate


def main(
    english: Annotated[Path, typer.Option(help="Folder of English treebanks")] = Path(
        "assets/ewt/ud"
    ),
    french: Annotated[Path, typer.Option(help="Folder of French treebanks")] = Path(
        "assets/french"
    ),
    output: Annotated[Path, typer.Option(help="Markdown file of the table")] = Path(
        "metrics/released.md"
    ),
    cache: Annotated[Path, typer.Option(help="Folder of the new pipelines")] = Path(
        "training/released"
    ),
    words: Annotated[int, typer.Option(min=1, help="Words to compare")] = 60_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of measuring speed")] = 3,
    round_words: Annotated[int, typer.Option(min=1, help="Words of each round")] = 16_000,
) -> None:
    """Write a table of released pipelines: what was replaced, what differs, and their speed."""
    folders = {"en": english, "fr": french}
    rows = []
    for released in RELEASED:
        model = released.find()
        if model is None:
            msg.warn(f"{released.name} is not installed: left out")
            continue
        msg.divider(released.name)
        nlp = spacy.load(model)
        texts = take_texts(nlp, folders[released.language], words)
        fast = cache / released.name
        report = accelerate(model, fast, texts, n_rounds=1, force=True, keep=True, progress=True)
        speeds = time_systems(model, str(fast), nlp, texts, rounds, round_words)
        rows.append(table_row(released.name, report, speeds))
        for difference in report.differences:
            msg.warn(str(difference))
    if not rows:
        msg.fail("No released pipeline is installed", exits=1)
    lines = [HEADER, ["---"] * len(HEADER), *rows]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    machine = describe_machine()
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    note = f"{machine['processor']} ({', '.join(machine['instructions'])}); {versions}"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(f"{table}\n\n{note}\n", encoding="utf8")
    print(f"\n{table}\n\n{note}")


if __name__ == "__main__":
    typer.run(main)
