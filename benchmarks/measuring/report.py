"""The tables of the comparison."""

from collections.abc import Iterable, Sequence
from typing import Any

from wasabi import msg

from .results import Results, Run, busy_share, per_thousand, ratios, speeds, spread
from .systems import STOCK, SWITCHED, SYSTEMS, THREE_RAW, THREE_TOKENIZED

Row = tuple[str, ...]
BUSY_SHARE = 0.2  # of the runs
COUNTED = (THREE_RAW.name, THREE_TOKENIZED.name)  # workloads whose annotations are counted
SPEED_HEADER = ("system", "words/s", f"x {STOCK.name}", f"x {SWITCHED.name}", "same, CPU time")


def print_report(results: Results) -> None:
    """Print everything that was found.

    results (Results): The results.
    """
    _print_machine(results)
    for name, corpus in results.corpora.items():
        _print_corpus(results, name, corpus)
    for corpus, workload, setting in _tables(results.runs, "predict"):
        runs = results.select(section="predict", corpus=corpus, workload=workload)
        _print_speeds(f"{corpus}: {workload}, one process", runs, setting)
    for corpus, workload, setting in _tables(results.runs, "train"):
        runs = results.select(section="train", corpus=corpus, workload=workload)
        runs = [run for run in runs if run.setting == setting]
        _print_speeds(f"{corpus}: {workload} (spaCy: ner + textcat),", runs, setting)
    _print_cores(results)
    for section, title in (
        ("length", "tokens in a document, at equal words"),
        ("batch", "documents in a batch"),
        ("labels", "labels"),
    ):
        _print_growth(results, section, title)
    _print_fresh(results)
    msg.text(
        "Three heads: entities, categories and semantic roles; spaCy's rows have the first two. "
        "Sentence recognizer: the shipped config's senter, which spaCy's pipeline here lacks; "
        "without it semantic roles take sentences to end at full stops."
    )
    _warn_if_busy(results)


def speed_rows(runs: Sequence[Run]) -> list[Row]:
    """Make the table of one workload.

    runs (Sequence[Run]): The runs of all systems.
    RETURNS (List[Row]): For each system: words per second; ratios to both stock rows as median
        (minimum-maximum) over the rounds; the medians of both ratios in processor time.
    """
    by_system = _by_system(runs)
    rows = []
    for name, own in by_system.items():
        wall, cpu = [], []
        for base in (STOCK.name, SWITCHED.name):
            wall.append(str(ratios(own, by_system[base])) if base in by_system else "-")
            of_cpu = ratios(own, by_system[base], "cpu").median if base in by_system else None
            cpu.append("-" if of_cpu is None else f"{of_cpu:.2f}")
        rows.append((name, f"{speeds(own).median:,.0f}", *wall, " / ".join(cpu)))
    return rows


def growth_rows(runs: Sequence[Run]) -> tuple[Row, list[Row]]:
    """Make a table of words per second by setting.

    runs (Sequence[Run]): The runs of one section and workload.
    RETURNS (Tuple[Row, List[Row]]): The header, and a row for each system.
    """
    settings = list(dict.fromkeys(run.setting for run in runs))
    rows = []
    for name, own in _by_system(runs).items():
        cells = [
            f"{speeds(at).median:,.0f}" if (at := [r for r in own if r.setting == value]) else "-"
            for value in settings
        ]
        rows.append((name, *cells))
    return ("system", *settings), rows


def _print_machine(results: Results) -> None:
    machine, settings = results.machine, results.settings
    msg.divider("Machine")
    msg.text(f"{machine['processor']}, {machine['cores']} cores, load {machine['load']:.1f}")
    msg.text(f"Instructions: {' '.join(machine['instructions']) or 'none of those looked for'}")
    msg.text(f"Compiled kernels of spacy-mtl: {machine.get('kernels') or 'not built'}")
    msg.text(", ".join(f"{name} {number}" for name, number in machine["versions"].items()))
    size = settings["size"]
    msg.text(
        f"Trunk of spaCy and of our CNN: HashEmbedCNN {size['width']} x {size['depth']}. Stock "
        f"textcat: {settings['textcat']}. {settings['threads']} thread(s) each, batches of "
        f"{settings['batch_size']} documents"
    )
    _print_rows("Matrix products", ("product", "GFLOP/s"), _rates(machine.get("gflops", {})))


def _rates(rates: dict[str, float]) -> list[Row]:
    return [(name, f"{rate:.0f}") for name, rate in rates.items()]


def _print_corpus(results: Results, name: str, corpus: dict[str, Any]) -> None:
    msg.divider(f"Corpus {name}")
    msg.text(f"{corpus['words']:,} words, {corpus['distinct']:,} distinct")
    checks = results.checks.get(name, {})
    for system, counts in checks.get("products", {}).items():
        msg.text(f"{system}: thinc called BLIS {counts['blis']} and numpy {counts['numpy']} times")
    if checks:
        msg.text(
            "The compiled code of spaCy's transition parser (ner) calls thinc's BLIS in both rows."
        )
    if "trunk_difference" in checks:
        msg.text(f"Our CNN with stock weights differs by at most {checks['trunk_difference']:.1e}")
    runs = results.select(section="predict", corpus=name)
    if not runs:
        return
    distinct = spread(run.found["distinct"] for run in runs)
    new = spread(run.found["new"] for run in runs)
    msg.text(
        f"No text is timed twice: {distinct.median:.0%} distinct words in each measurement, "
        f"{new.median:.1%} ({new.low:.1%}-{new.high:.1%}) not met in any before. Where the corpus "
        "ends, it begins anew with its rare words spelled differently."
    )
    found = [
        (system, f"{per_thousand(own, 'entities'):.1f}", f"{per_thousand(own, 'frames'):.1f}")
        for system, own in _by_system([r for r in runs if r.workload in COUNTED]).items()
    ]
    found.append(("annotated", f"{corpus['entities']:.1f}", f"{corpus['frames']:.1f}"))
    _print_rows("Found per 1,000 words", ("system", "entities", "frames"), found)


def _print_speeds(title: str, runs: Sequence[Run], setting: str) -> None:
    _print_rows(f"{title} {setting}", SPEED_HEADER, speed_rows(runs))


def _print_cores(results: Results) -> None:
    for corpus, workload, setting in _tables(results.runs, "cores"):
        runs = results.select(section="cores", corpus=corpus, workload=workload)
        stock = [r for r in runs if r.setting.startswith("n_process")]
        base = {name: own for name, own in _by_system(stock).items()}
        rows = []
        for system in _by_system(runs):
            own = [r for r in runs if r.system == system and r.setting == setting]
            if own:
                against = (str(ratios(own, base[name.name])) for name in (STOCK, SWITCHED))
                rows.append((system, f"{speeds(own).median:,.0f}", *against))
        title = f"{corpus}: {workload}, two cores, {setting} (spaCy: n_process)"
        _print_rows(title, SPEED_HEADER[:-1], rows)


def _print_growth(results: Results, section: str, title: str) -> None:
    for corpus, workload in dict.fromkeys((c, w) for c, w, _ in _tables(results.runs, section)):
        runs = results.select(section=section, corpus=corpus, workload=workload)
        header, rows = growth_rows(runs)
        _print_rows(f"{corpus}: {workload}: words/s by {title}", header, rows)


def _print_fresh(results: Results) -> None:
    by_system: dict[str, list[dict[str, Any]]] = {}
    for found in results.fresh:
        by_system.setdefault(found["system"], []).append(found)
    stages = ("import", "load", "predict", "read", "train")
    rows = [
        (name, *(_stage(found, f"{stage}_mib", ",.0f") for stage in stages))
        for name, found in by_system.items()
    ]
    header = ("system", "import", "load", "predict", "corpus read", "train")
    title = "Peak memory of a new process, MiB (spaCy's rows: without torch)"
    _print_rows(title, header, rows)
    rows = [
        (name, *(_stage(found, f"{stage}_seconds", ".2f") for stage in stages[:2]))
        for name, found in by_system.items()
    ]
    _print_rows("Seconds of a new process", ("system", "import", "spacy.load"), rows)


def _stage(found: Iterable[dict[str, Any]], key: str, form: str) -> str:
    values = [at[key] for at in found if key in at]
    return format(spread(values).median, form) if values else "-"


def _warn_if_busy(results: Results) -> None:
    alone = [run for run in results.runs if run.section != "cores"]
    share = busy_share(alone)
    if results.settings["threads"] == 1 and share > BUSY_SHARE:
        msg.warn(
            f"The machine was busy: {share:.0%} of the measurements took at least 10 % longer on "
            "the wall clock than in processor time. Trust the ratios in CPU time, or run again."
        )


def _tables(runs: Iterable[Run], section: str) -> list[tuple[str, str, str]]:
    found = ((r.corpus, r.workload, r.setting) for r in runs if r.section == section)
    return list(dict.fromkeys(found))


def _by_system(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Runs by system, in the order of `SYSTEMS`."""
    groups: dict[str, list[Run]] = {system.name: [] for system in SYSTEMS}
    for run in runs:
        groups[run.system].append(run)
    return {name: group for name, group in groups.items() if group}


def _print_rows(title: str, header: Row, rows: Sequence[Row]) -> None:
    if rows:
        msg.text("")
        msg.info(title)
        aligns = ("l", *("r" for _ in header[1:]))
        msg.table(rows, header=header, divider=True, aligns=aligns)
