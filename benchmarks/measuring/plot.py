"""The pictures of the comparison, drawn from its results."""

from collections.abc import Sequence
from pathlib import Path

from .results import Results, Run, ratios, speeds
from .systems import (
    FIRST_PASS,
    NOT_COMPILED,
    OUR_CNN,
    SHIPPED,
    STOCK,
    SWITCHED,
    SYSTEMS,
    THREE_RAW,
)

# Okabe and Ito's palette, which colour-blind readers can tell apart
COLOURS = {
    STOCK.name: "#D55E00",
    SWITCHED.name: "#E69F00",
    OUR_CNN.name: "#0072B2",
    NOT_COMPILED.name: "#CC79A7",
    SHIPPED.name: "#56B4E9",
}
MARKERS = {
    STOCK.name: "o",
    SWITCHED.name: "s",
    OUR_CNN.name: "^",
    SHIPPED.name: "D",
    NOT_COMPILED.name: "x",
}
INK, GREY = "#222222", "#666666"
BARS = (
    ("predict", "trunk, tokenized", "shared trunk alone"),
    ("predict", "ner + textcat, raw text", "entities + categories\nfrom raw text"),
    ("predict", THREE_RAW.name, "three heads\nfrom raw text*"),
    ("train", "training, three heads", "training,\nthree heads*"),
)
GROWTH = (
    ("length", "three heads, tokenized", "tokens in a document"),
    ("batch", "three heads, tokenized", "documents of 20 tokens in a batch"),
    ("labels", "ner, tokenized", "entity labels"),
    ("labels", "roles, tokenized", "roles"),
)


def draw_speed(results: Results, path: Path) -> bool:
    """Draw words per second of each system as bars.

    results (Results): The results.
    path (Path): The picture to write.
    RETURNS (bool): Whether there was anything to draw.
    """
    corpus = next(iter(results.corpora), "")
    groups = [
        (title, results.select(section=section, corpus=corpus, workload=workload))
        for section, workload, title in BARS
    ]
    groups = [
        (title, [run for run in runs if run.setting != FIRST_PASS])
        for title, runs in groups
        if runs
    ]
    if not groups:
        return False
    plt = _pyplot()
    figure, axes = plt.subplots(figsize=(9, 1.1 + 1.15 * len(groups)), layout="constrained")
    height = 0.8 / len(SYSTEMS)
    longest = 0.0
    for place, (_, runs) in enumerate(groups):
        for number, system in enumerate(SYSTEMS):
            own = _of(runs, system.name)
            if not own:
                continue
            at = place + (number - (len(SYSTEMS) - 1) / 2) * height
            speed = speeds(own)
            longest = max(longest, speed.high)
            axes.barh(
                at,
                speed.median,
                height * 0.92,
                color=COLOURS[system.name],
                label=system.name if place == 0 else None,
                xerr=[[speed.median - speed.low], [speed.high - speed.median]],
                error_kw={"ecolor": GREY, "elinewidth": 1},
            )
            label = f"  {speed.median:,.0f}"
            stock = _of(runs, STOCK.name)
            if stock and system != STOCK:
                label += f"   x {ratios(own, stock).median:.1f}"
            axes.text(speed.high, at, label, va="center", fontsize=9, color=INK)
    axes.set_yticks(range(len(groups)), [title for title, _ in groups], fontsize=10)
    axes.invert_yaxis()
    axes.set_xlim(0, longest * 1.22)
    axes.set_xlabel("words per second (bars: median; lines: slowest to fastest round)")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_title(_title(results, corpus), loc="left", fontsize=11)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles, labels, loc="lower right", frameon=False, fontsize=9)
    figure.text(
        0.99,
        -0.02,
        "* spacy-mtl: entities, categories and semantic roles; spaCy: entities and categories. "
        "x: times spaCy as installed.",
        ha="right",
        fontsize=8,
        color=GREY,
    )
    _save(plt, figure, axes, path)
    return True


def draw_growth(results: Results, path: Path) -> bool:
    """Draw words per second over document length, batch size and numbers of labels as lines.

    results (Results): The results.
    path (Path): The picture to write.
    RETURNS (bool): Whether there was anything to draw.
    """
    corpus = next(iter(results.corpora), "")
    panels = [
        (title, results.select(section=section, corpus=corpus, workload=workload))
        for section, workload, title in GROWTH
    ]
    panels = [(title, runs) for title, runs in panels if runs]
    if not panels:
        return False
    plt = _pyplot()
    figure, grid = plt.subplots(
        1,
        len(panels),
        figsize=(3.4 * len(panels) + 0.6, 3.6),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axes, (title, runs) in zip(grid[0], panels, strict=True):
        for system in SYSTEMS:
            own = _of(runs, system.name)
            if not own:
                continue
            settings = sorted({int(run.setting) for run in own})
            at = [speeds(r for r in own if int(r.setting) == value) for value in settings]
            axes.plot(
                settings,
                [speed.median for speed in at],
                color=COLOURS[system.name],
                marker=MARKERS[system.name],
                label=system.name,
            )
            axes.fill_between(
                settings,
                [speed.low for speed in at],
                [speed.high for speed in at],
                color=COLOURS[system.name],
                alpha=0.15,
                linewidth=0,
            )
        ticks = sorted({int(run.setting) for run in runs})
        axes.set_xscale("log")
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel(title)
        axes.grid(axis="y", color="#DDDDDD", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
    grid[0][0].set_ylabel("words per second")
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=len(SYSTEMS), frameon=False, fontsize=9
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150, bbox_inches="tight", facecolor="white")
    plt.close(figure)
    return True


def _save(plt, figure, axes, path: Path) -> None:  # type: ignore[no-untyped-def]
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.8)
    axes.set_axisbelow(True)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150, bbox_inches="tight", facecolor="white")
    plt.close(figure)


def _title(results: Results, corpus: str) -> str:
    machine, threads = results.machine, results.settings["threads"]
    versions = machine["versions"]
    return (
        f"Words per second on one CPU, {threads} thread{'s' if threads > 1 else ''}: corpus "
        f"{corpus}, {machine['processor']}, spaCy {versions['spacy']}"
    )


def _of(runs: Sequence[Run], system: str) -> list[Run]:
    return [run for run in runs if run.system == system]


def _pyplot():  # type: ignore[no-untyped-def]
    try:
        import matplotlib
    except ImportError:
        raise ImportError(
            "Drawing needs matplotlib: pip install 'spacy-mtl[report]', or leave --plot out."
        ) from None
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt
