"""Show where the time of a trained pipeline goes: CPU time of each part per word, on one thread.

Also prints the products of the trunk's network per word, and how fast this machine multiplies.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[variable] = "1"

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import spacy
import torch
import typer
from spacy.tokens import Doc, DocBin
from spacy.util import minibatch
from wasabi import msg


def cpu_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Run something and measure its CPU time.

    work (Callable[[], Any]): What to run.
    RETURNS (Tuple[float, Any]): Seconds of this process, and what it returned.
    """
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def profile(nlp: spacy.Language, texts: list[str], batch_size: int) -> dict[str, float]:
    """Run a pipeline part by part.

    nlp (Language): The pipeline.
    texts (List[str]): The texts.
    batch_size (int): Documents in a batch.
    RETURNS (Dict[str, float]): CPU seconds of each part.
    """
    parts: dict[str, float] = {}

    def add(name: str, work: Callable[[], Any]) -> Any:
        seconds, result = cpu_seconds(work)
        parts[name] = parts.get(name, 0.0) + seconds
        return result

    for batch in minibatch(texts, batch_size):
        docs: list[Doc] = add("tokenizer", lambda batch=batch: [nlp.make_doc(t) for t in batch])
        for name, pipe in nlp.pipeline:
            found = add(f"{name}: network", lambda pipe=pipe, docs=docs: pipe.predict(docs))
            add(f"{name}: annotations", lambda p=pipe, d=docs, f=found: p.set_annotations(d, f))
    return parts


def matmul_rate(rows: int = 256, width: int = 96) -> float:
    """Measure the products that the window layers consist of.

    rows (int): Rows multiplied at once.
    width (int): Width of the trunk.
    RETURNS (float): The best of 20 rounds, floating-point operations a second.
    """
    left, right = torch.randn(rows, width), torch.randn(width, 3 * width)
    flops = 2 * rows * width * 3 * width * 100
    return flops / min(
        cpu_seconds(lambda: [torch.mm(left, right) for _ in range(100)])[0] for _ in range(20)
    )


def main(model: str, data: Path, rounds: int = 3, batch_size: int = 64) -> None:
    """Print the table.

    model (str): A trained pipeline, all of whose components can be trained.
    data (Path): A `.spacy` file; its texts are used.
    rounds (int): The fastest of these counts.
    batch_size (int): Documents in a batch.
    """
    torch.set_num_threads(1)
    nlp = spacy.load(model)
    texts = [doc.text for doc in DocBin().from_disk(data).get_docs(nlp.vocab)]
    n_words = sum(len(nlp.make_doc(text)) for text in texts)
    profile(nlp, texts[:batch_size], batch_size)
    best = min(
        (profile(nlp, texts, batch_size) for _ in range(rounds)), key=lambda run: sum(run.values())
    )
    total = sum(best.values())
    rows = [
        (name, f"{seconds / n_words * 1e6:.2f}", f"{seconds / total:.1%}")
        for name, seconds in best.items()
    ]
    rows.append(("all", f"{total / n_words * 1e6:.2f}", f"{n_words / total:,.0f} words/s"))
    msg.table(rows, header=("part", "µs a word", "share"), divider=True, aligns=("l", "r", "r"))
    msg.text(f"matrix products: {matmul_rate() / 1e9:.0f} GFLOP/s")


if __name__ == "__main__":
    typer.run(main)
