"""Train with every balancing method on the same budget, and compare with each task alone.

Entities, semantic roles and categories of documents share one trunk, a CNN. All runs read the same
documents with their gold tokens and sentences, in batches and for steps of the same number, through
spaCy's own training loop, and are scored once at the end with the averages of the parameters. Each
finished run is added to a file; runs that are in the file already are not done again.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[variable] = "1"

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer
from multitask.corpus import SharedCorpus, read_corpus
from multitask.cost import measure_costs
from multitask.methods import Method, choose_methods
from multitask.results import (
    Run,
    append_run,
    differences,
    markdown_table,
    read_runs,
    table_rows,
)
from multitask.training import HEADS, SCORES, Budget, Laboratory
from wasabi import msg

from spacy_mtl.trunk.records import StepRecord

HEADER = ("method", "seeds", *SCORES, "words/s")


def run_method(laboratory: Laboratory, method: Method, seed: int) -> Run:
    """Train and score once.

    laboratory (Laboratory): Documents and budget.
    method (Method): The method.
    seed (int): The seed.
    RETURNS (Run): What came out.
    """
    nlp = laboratory.build(method.heads, method.block(seed), seed)
    trunk = nlp.get_pipe("tok2vec")
    outcome = laboratory.run(nlp)
    late = trunk.records.drain()[-(laboratory.n_steps // 2) :]  # type: ignore[attr-defined]
    return Run(
        method=method.name,
        seed=seed,
        budget=laboratory.budget.key,
        scores=outcome.scores,
        test_scores=outcome.test_scores,
        cpu_seconds=outcome.cpu_seconds,
        wall_seconds=outcome.wall_seconds,
        words=outcome.words,
        weights=mean_of(late, "weight", method.heads),
        norms=mean_of(late, "norm", method.heads),
    )


def mean_of(records: Sequence[StepRecord], value: str, tasks: Iterable[str]) -> dict[str, float]:
    """Average something over steps.

    records (Sequence[StepRecord]): The steps.
    value (str): A field of `TaskRecord`.
    tasks (Iterable[str]): The tasks.
    RETURNS (Dict[str, float]): The mean by task, over the steps that had it.
    """
    found = {
        task: [getattr(step.tasks[task], value) for step in records if task in step.tasks]
        for task in tasks
    }
    return {task: statistics.mean(values) for task, values in found.items() if values}


def train_all(
    corpus: SharedCorpus,
    budget: Budget,
    methods: Sequence[Method],
    seeds: Sequence[int],
    path: Path,
) -> None:
    """Do the runs that are still to be done, all methods with the first seed first.

    corpus (SharedCorpus): The documents.
    budget (Budget): What every run may spend.
    methods (Sequence[Method]): The methods.
    seeds (Sequence[int]): The seeds.
    path (Path): The file of runs.
    """
    laboratory = Laboratory(corpus, budget)
    done = {(run.method, run.seed) for run in read_runs(path) if run.budget == budget.key}
    todo = [
        (method, seed) for seed in seeds for method in methods if (method.name, seed) not in done
    ]
    for number, (method, seed) in enumerate(todo, 1):
        run = run_method(laboratory, method, seed)
        append_run(path, run)
        scores = ", ".join(f"{name} {value:.1f}" for name, value in run.scores.items())
        msg.info(
            f"{number}/{len(todo)} {method.name}, seed {seed}: {scores} "
            f"({run.cpu_seconds:.0f} s of processor time)"
        )


def report(runs: Sequence[Run], seeds: Sequence[int]) -> str:
    """Write the tables.

    runs (Sequence[Run]): Runs of one budget.
    seeds (Sequence[int]): The seeds that the differences are averaged over.
    RETURNS (str): Markdown: all scores, then the differences from single-task models.
    """
    scores = markdown_table(HEADER, table_rows(runs))
    found = differences(runs, seeds)
    if not found:
        return scores
    columns = [score for score in SCORES if any(score in row for row in found.values())]
    rows = [
        (name, *(f"{row[score]:+.1f}" if score in row else "" for score in columns))
        for name, row in found.items()
    ]
    return f"{scores}\n\n" + markdown_table(("minus alone", *columns), rows)


def main(
    train: Annotated[Path, typer.Argument(help=".spacy file to train on")],
    dev: Annotated[Path, typer.Argument(help=".spacy file to score on")],
    output: Annotated[Path, typer.Option(help="JSON lines of all runs; is added to")] = Path(
        "metrics/balancing.jsonl"
    ),
    table: Annotated[Path | None, typer.Option(help="Markdown file to write")] = None,
    methods: Annotated[str, typer.Option(help="Rows of the table, separated by ';'")] = "",
    seeds: Annotated[str, typer.Option(help="Seeds, separated by commas")] = "0,1,2",
    passes: Annotated[float, typer.Option(help="Passes over the training documents")] = 1.5,
    steps: Annotated[int, typer.Option(help="Steps, in place of passes")] = 0,
    batch_words: Annotated[int, typer.Option(help="Words in a batch")] = 400,
    learn_rate: Annotated[float, typer.Option(help="Highest learning rate")] = 0.01,
    width: Annotated[int, typer.Option(help="Width of the trunk")] = 64,
    depth: Annotated[int, typer.Option(help="Depth of the trunk")] = 3,
    test: Annotated[
        Path | None, typer.Option(help=".spacy file to score on, too, in tables of its own")
    ] = None,
    limit: Annotated[int, typer.Option(help="Use only so many documents of each file")] = 0,
    time: Annotated[
        int, typer.Option(help="Do not train: time each method on so many batches")
    ] = 0,
) -> None:
    """Compare balancing methods."""
    torch.set_num_threads(1)
    try:
        chosen = choose_methods(methods)
    except ValueError as error:
        msg.fail(str(error), exits=1)
    corpus = read_corpus(train, dev, limit=limit, test=test)
    budget = Budget(passes, batch_words, learn_rate, width, depth, steps)
    if time:
        shared = [method for method in chosen if method.heads == HEADS]
        costs = measure_costs(Laboratory(corpus, budget), shared, time)
        rows = [(c.method, f"{c.words_per_second:,.0f}", f"{c.percent:+.1f} %") for c in costs]
        print(markdown_table(("method", "words/s", "against the sum"), rows))
        return
    numbers = [int(seed) for seed in seeds.split(",")]
    train_all(corpus, budget, chosen, numbers, output)
    runs = [run for run in read_runs(output) if run.budget == budget.key]
    text = report(runs, numbers)
    if tested := [replace(run, scores=run.test_scores) for run in runs if run.test_scores]:
        text += f"\n\nOn the test documents:\n\n{report(tested, numbers)}"
    print(text)
    if table is not None:
        table.parent.mkdir(parents=True, exist_ok=True)
        table.write_text(f"{text}\n", encoding="utf8")


if __name__ == "__main__":
    typer.run(main)
