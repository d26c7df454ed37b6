"""The command line of the comparison."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from .plot import draw_growth, draw_speed
from .report import print_report
from .results import Results
from .runner import SECTIONS, Options, Runner
from .systems import STOCK_TEXTCAT, TrunkSize

ROOT = Path(__file__).parents[2]
Textcat = Enum("Textcat", {name: name for name in STOCK_TEXTCAT}, type=str)  # type: ignore[misc]


def compare(
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Folder with train.spacy, dev.spacy and test.spacy; can be repeated"),
    ] = None,
    output: Annotated[Path, typer.Option(help="JSON file of all rounds")] = Path(
        "metrics/speed.json"
    ),
    plot: Annotated[
        Path | None, typer.Option(help="Picture to draw; growth goes to NAME_growth")
    ] = None,
    redraw: Annotated[
        Path | None, typer.Option(help="Measure nothing: report and draw this JSON file")
    ] = None,
    only: Annotated[str, typer.Option(help=f"Some of {','.join(SECTIONS)}")] = ",".join(SECTIONS),
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes and two rounds")] = False,
    rounds: Annotated[int | None, typer.Option(help="Rounds of prediction")] = None,
    words: Annotated[int | None, typer.Option(help="Tokens of each measurement")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps of each pipeline")] = None,
    threads: Annotated[int, typer.Option(help="Threads of each process")] = 1,
    batch_size: Annotated[int, typer.Option(help="Documents in a batch")] = 64,
    width: Annotated[int, typer.Option(help="Width of spaCy's trunk and of our CNN")] = 96,
    depth: Annotated[int, typer.Option(help="Depth of spaCy's trunk and of our CNN")] = 4,
    textcat: Annotated[
        Textcat,
        typer.Option(
            help="spaCy's text classifier: reduce is the cheapest that shares the trunk, ensemble "
            "and bow are what `spacy init config` gives for accuracy and for efficiency"
        ),
    ] = Textcat.reduce,  # type: ignore[attr-defined]
    stock: Annotated[Path | None, typer.Option(help="Trained spaCy pipeline to time")] = None,
    ours: Annotated[Path | None, typer.Option(help="Trained spacy-mtl pipeline to time")] = None,
    config: Annotated[Path, typer.Option(help="Config of the spacy-mtl pipelines")] = ROOT
    / "configs"
    / "multitask.cfg",
    cache: Annotated[Path, typer.Option(help="Folder of pipelines trained for this")] = Path(
        "training/speed"
    ),
) -> None:
    """Compare the speed of spaCy's pipelines with this package's, side by side.

    Both are trained for some steps first, on the same batches, and the pipelines kept in the cache.
    """
    if redraw is not None:
        results = Results.from_disk(redraw)
    else:
        from .corpora import find_corpora

        sections = tuple(name.strip() for name in only.split(","))
        unknown = sorted(set(sections) - set(SECTIONS))
        if unknown:
            msg.fail(f"--only: no section {', '.join(unknown)}", ", ".join(SECTIONS), exits=1)
        found = find_corpora(data or [Path("corpus/ewt")], ROOT / "assets" / "corpus", cache)
        if data is None and len(found) == 1:
            msg.info("No corpus/ewt: timing on the embedded corpus only")
        words = words or (2000 if quick else 16_000)
        options = Options(
            config=config,
            cache=cache,
            only=sections,
            rounds=rounds or (2 if quick else 7),
            few_rounds=2 if quick else 3,
            words=words,
            growth_words=words if quick else max(words, 20_000),
            core_words=words * 6,
            steps=steps or (40 if quick else 300),
            label_steps=20 if quick else 100,
            batch_size=batch_size,
            threads=threads,
            loads=1 if quick else 5,
            size=TrunkSize(width=width, depth=depth),
            textcat=textcat.value,
            models={k: v for k, v in (("stock", stock), ("shipped", ours)) if v is not None},
        )
        results = Runner(options, found[:1] if quick else found, output).run()
        msg.good(f"Wrote {output}")
    print_report(results)
    if plot is not None:
        growth = plot.with_stem(f"{plot.stem}_growth")
        for path, draw in ((plot, draw_speed), (growth, draw_growth)):
            if draw(results, path):
                msg.good(f"Drew {path}")
