"""Train one pipeline on three corpora that share no document, and what there is to compare it with.

The corpora are those of `scripts/make_three_corpora.py`: one with entities, one with semantic
roles, one with the category of sentences. Beside the one run stand a pipeline for each task alone,
on its corpus and for as many passes, and spaCy's own components on the same documents: alone, and
entities and categories behind one shared `tok2vec`. Every pipeline is trained by `spacy train`'s
own function and scored from raw text. Runs that are in the output file are not done again.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[variable] = "1"

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import spacy
import torch
import typer
from measuring.systems import STOCK_CONFIG, STOCK_TEXTCAT
from multitask.results import Run, append_run, markdown_table, mean_and_spread, read_runs
from spacy.tokens import DocBin
from spacy.training import Corpus
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from thinc.api import Config
from wasabi import msg

ROOT = Path(__file__).parents[1]
HEADS = {"entities": "ner", "roles": "srl", "sentiment": "textcat"}  # by source
SCORES = {
    "entities": ("treebank", "ents_f"),
    "arguments": ("treebank", "srl_arguments_f"),
    "predicates": ("treebank", "srl_predicates_f"),
    "sentiment": ("sentiment", "cats_macro_f"),
}


@dataclass(frozen=True)
class System:
    """One row of the table.

    name (str): Its name.
    sources (Tuple[str, ...]): The corpora that it is trained on.
    is_stock (bool): Whether its components are spaCy's own.
    pipeline (Tuple[str, ...]): The order of a stock pipeline's heads.
    """

    name: str
    sources: tuple[str, ...]
    is_stock: bool = False
    pipeline: tuple[str, ...] = ()


SYSTEMS = (
    System("one run", tuple(HEADS)),
    *(System(f"alone: {HEADS[source]}", (source,)) for source in HEADS),
    System("spaCy, ner alone", ("entities",), is_stock=True, pipeline=("ner",)),
    System("spaCy, textcat alone", ("sentiment",), is_stock=True, pipeline=("textcat",)),
    System(
        "spaCy, shared tok2vec, textcat last",
        ("entities", "sentiment"),
        is_stock=True,
        pipeline=("ner", "textcat"),
    ),
    System(
        "spaCy, shared tok2vec, ner last",
        ("entities", "sentiment"),
        is_stock=True,
        pipeline=("textcat", "ner"),
    ),
)


def make_config(
    config: Config, system: System, corpora: Path, passes: float, words: int, seed: int
) -> Config:
    """Make the config of a system from that of the one run.

    config (Config): `configs/three_corpora.cfg`, not interpolated.
    system (System): The system.
    corpora (Path): The folder of the corpora.
    passes (float): Passes over the system's corpora.
    words (int): Words in one pass.
    seed (int): The seed.
    RETURNS (Config): The config, interpolated.
    """
    config = config.copy()
    heads = [HEADS[source] for source in HEADS if source in system.sources]
    heads = list(system.pipeline) or [head for head in config["nlp"]["pipeline"] if head in heads]
    names = ["tok2vec", *heads]
    if system.is_stock:
        config["components"] = stock_components(config["components"]["tok2vec"]["model"])
    config["components"] = {name: config["components"][name] for name in names}
    config["nlp"]["pipeline"] = names
    reader = config["corpora"]["train"]
    for setting in ("sources", "tasks"):
        reader[setting] = {source: reader[setting][source] for source in system.sources}
    reader["show_table"] = False
    steps = math.ceil(passes * words / config["training"]["batcher"]["size"])
    config["training"].update(max_steps=steps, eval_frequency=steps, score_weights={})
    config["training"]["optimizer"]["learn_rate"]["warmup_steps"] = max(steps // 10, 1)
    config["training"]["logger"]["progress_bar"] = False
    config["system"]["seed"] = seed
    config["paths"].update(
        {source: str(corpora / "train" / f"{source}.spacy") for source in HEADS},
        dev=str(corpora / "dev" / "sentiment.spacy"),
    )
    return Config(config).interpolate()


def stock_components(trunk: dict[str, Any]) -> dict[str, Any]:
    """Make spaCy's own components, with a trunk of the same size.

    trunk (Dict[str, Any]): The trunk of the one run.
    RETURNS (Dict[str, Any]): "tok2vec", "ner" and "textcat".
    """
    text = STOCK_CONFIG + STOCK_TEXTCAT["ensemble"]
    components: dict[str, Any] = Config().from_str(text, interpolate=False)["components"]
    for name in ("width", "depth", "embed_size"):
        components["tok2vec"]["model"][name] = trunk[name]
    return components


def run_system(config: Config, system: System, corpora: Path, passes: float, seed: int) -> Run:
    """Train and score a system.

    config (Config): `configs/three_corpora.cfg`, not interpolated.
    system (System): The system.
    corpora (Path): The folder of the corpora.
    passes (float): Passes over its corpora.
    seed (int): The seed.
    RETURNS (Run): What came out.
    """
    words = sum(count_words(corpora / "train" / f"{source}.spacy") for source in system.sources)
    nlp = init_nlp(make_config(config, system, corpora, passes, words, seed))
    cpu, wall = time.process_time(), time.perf_counter()
    with TemporaryDirectory() as folder:
        train(nlp, Path(folder))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        trained = spacy.load(Path(folder) / "model-last")
    found = {
        name: trained.evaluate(list(Corpus(corpora / "dev" / f"{name}.spacy")(trained)))
        for name in ("treebank", "sentiment")
    }
    heads = {"entities": "ner", "arguments": "srl", "predicates": "srl", "sentiment": "textcat"}
    scores = {
        name: 100.0 * found[corpus][key]
        for name, (corpus, key) in SCORES.items()
        if heads[name] in trained.pipe_names and found[corpus].get(key) is not None
    }
    return Run(system.name, seed, f"passes {passes}", scores, cpu, wall, round(passes * words))


def count_words(path: Path) -> int:
    """RETURNS (int): The tokens of a `.spacy` file."""
    return sum(map(len, DocBin().from_disk(path).get_docs(spacy.blank("en").vocab)))


def table_rows(runs: Sequence[Run]) -> list[tuple[str, ...]]:
    """RETURNS (List[Tuple[str, ...]]): System, seeds, one column per score, seconds."""
    rows = []
    for system in SYSTEMS:
        own = [run for run in runs if run.method == system.name]
        if own:
            columns = [
                mean_and_spread(values) if values else ""
                for values in ([r.scores[name] for r in own if name in r.scores] for name in SCORES)
            ]
            seconds = sum(run.cpu_seconds for run in own) / len(own)
            rows.append((system.name, str(len(own)), *columns, f"{seconds:.0f}"))
    return rows


def main(
    corpora: Annotated[Path, typer.Argument(help="Folder that make_three_corpora.py wrote")],
    output: Annotated[Path, typer.Option(help="JSON lines of all runs; is added to")] = Path(
        "metrics/three_corpora.jsonl"
    ),
    config: Annotated[Path, typer.Option(help="Config of the one run")] = ROOT
    / "configs"
    / "three_corpora.cfg",
    passes: Annotated[float, typer.Option(help="Passes over the training documents")] = 4.0,
    seeds: Annotated[str, typer.Option(help="Seeds, separated by commas")] = "0",
    only: Annotated[str, typer.Option(help="Systems, separated by ';'; all by default")] = "",
) -> None:
    """Compare one run on three corpora with each task alone and with spaCy's own components."""
    torch.set_num_threads(1)
    wanted = {name.strip() for name in only.split(";") if name.strip()}
    unknown = wanted - {system.name for system in SYSTEMS}
    if unknown:
        names = "; ".join(system.name for system in SYSTEMS)
        msg.fail(f"--only: no system {', '.join(sorted(unknown))}", f"There are: {names}", exits=1)
    base = Config().from_disk(config, interpolate=False)
    done = {(r.method, r.seed) for r in read_runs(output) if r.budget == f"passes {passes}"}
    for seed in map(int, seeds.split(",")):
        for system in SYSTEMS:
            if (system.name, seed) not in done and (not wanted or system.name in wanted):
                append_run(output, run_system(base, system, corpora, passes, seed))
    runs = [run for run in read_runs(output) if run.budget == f"passes {passes}"]
    header = ("system", "seeds", *SCORES, "seconds of training")
    print(markdown_table(header, table_rows(runs)))


if __name__ == "__main__":
    typer.run(main)
