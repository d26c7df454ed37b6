"""Compare the hub's view of the tasks' gradients with the exact one, over a training run.

Every some steps the gradients of the same batch are compared twice: at the hub, the linear layer
that all tasks would share on top of the trunk, and at all of the trunk's parameters, by one more
forward and backward pass of the trunk per task. Training goes on by the weights of the plain sum.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[variable] = "1"

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import srsly
import torch
import typer
from multitask.agreement import Comparison, GradientComparer, agreement_rows, draw_comparisons
from multitask.corpus import read_corpus
from multitask.methods import METHODS, TUNED
from multitask.results import markdown_table
from multitask.training import Budget, Laboratory
from wasabi import msg

HEADER = (
    *("tasks", "batches", "Pearson", "Spearman", "same sign"),
    *("mean at the hub", "mean exact", "ratio of norms at the hub", "exact ratio"),
)


def compare(laboratory: Laboratory, method: str, every: int, seed: int) -> list[Comparison]:
    """Train, comparing the two levels on the way.

    laboratory (Laboratory): Documents and budget.
    method (str): The balancing method that training goes by, a name in `METHODS`.
    every (int): Compare in every so many steps.
    seed (int): The seed.
    RETURNS (List[Comparison]): One for each pair of tasks in each step compared.
    """
    chosen = METHODS[method]
    nlp = laboratory.build(chosen.heads, chosen.block(seed), seed)
    comparer = GradientComparer(nlp.get_pipe("tok2vec"), every)  # type: ignore[arg-type]
    for info in laboratory.train(nlp):
        if info["step"] % 100 == 0:
            msg.info(f"step {info['step']} of {laboratory.n_steps}")
    return comparer.comparisons


def main(
    train: Annotated[Path, typer.Argument(help=".spacy file to train on")],
    output: Annotated[Path, typer.Option(help="JSON file of all cosines")] = Path(
        "metrics/cosines.json"
    ),
    plot: Annotated[Path | None, typer.Option(help="Picture to draw")] = None,
    redraw: Annotated[bool, typer.Option("--redraw", help="Train nothing: read output")] = False,
    method: Annotated[str, typer.Option(help="Balancing method of the run")] = TUNED,
    every: Annotated[int, typer.Option(help="Compare in every so many steps")] = 5,
    passes: Annotated[float, typer.Option(help="Passes over the training documents")] = 0.5,
    steps: Annotated[int, typer.Option(help="Steps, in place of passes")] = 0,
    batch_words: Annotated[int, typer.Option(help="Words in a batch")] = 400,
    learn_rate: Annotated[float, typer.Option(help="Highest learning rate")] = 0.004,
    limit: Annotated[int, typer.Option(help="Use only so many documents")] = 0,
    seed: Annotated[int, typer.Option(help="Seed")] = 0,
) -> None:
    """Measure how near the hub comes."""
    torch.set_num_threads(1)
    if redraw:
        comparisons = [Comparison(**found) for found in srsly.read_json(output)]
    else:
        corpus = read_corpus(train, train, limit=limit)
        budget = Budget(passes, batch_words, learn_rate, steps=steps)
        comparisons = compare(Laboratory(corpus, budget), method, every, seed)
        output.parent.mkdir(parents=True, exist_ok=True)
        srsly.write_json(output, [vars(found) for found in comparisons])
    print(report(comparisons))
    if plot is not None:
        draw_comparisons(comparisons, plot)
        msg.good(f"Drew {plot}")


def report(comparisons: Sequence[Comparison]) -> str:
    """RETURNS (str): The table of agreement, in Markdown."""
    return markdown_table(HEADER, agreement_rows(comparisons))


if __name__ == "__main__":
    typer.run(main)
