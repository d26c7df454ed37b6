"""Words a second with kernels and in plain torch, in one process: processor time, one thread.

python benchmarks/tiers.py corpus/ewt/dev.spacy --model training/ewt/model-best
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import spacy
import torch
import typer
from spacy.tokens import Doc, DocBin
from thinc.api import Adam, Model, fix_random_seed, set_dropout_rate
from wasabi import msg

from spacy_mtl.models.encoders.bilstm import build_hash_embed_bilstm
from spacy_mtl.models.encoders.cnn import build_hash_embed_cnn
from spacy_mtl.native import switched_off

ENCODERS: dict[str, tuple[Callable[..., Model[Any, Any]], dict[str, int]]] = {
    "CNN 96 x 4": (build_hash_embed_cnn, {"width": 96, "depth": 4}),
    "BiLSTM 128": (build_hash_embed_bilstm, {"width": 128, "depth": 2}),
}
DOCS_AT_ONCE = 40
DROPOUT = 0.1


def main(
    data: Annotated[Path, typer.Argument(help="Documents, a .spacy file", exists=True)],
    model: Annotated[Path | None, typer.Option(help="A trained pipeline to time too")] = None,
    n_docs: Annotated[int, typer.Option(help="Documents to take")] = 160,
    rounds: Annotated[int, typer.Option(help="Alternating rounds")] = 3,
) -> None:
    """Time both tiers in turns and print medians."""
    torch.set_num_threads(1)
    nlp = spacy.blank("en")
    docs = list(DocBin().from_disk(data).get_docs(nlp.vocab))[:n_docs]
    times: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        for tier in ("kernels", "plain torch"):
            with nullcontext() if tier == "kernels" else switched_off():
                for name, speed in measure(docs, model).items():
                    times.setdefault(name, {}).setdefault(tier, []).append(speed)
    rows = [
        (name, *(f"{median(own[tier]):,.0f}" for tier in ("kernels", "plain torch")))
        for name, own in times.items()
    ]
    msg.table(rows, header=("words/s", "kernels", "plain torch"), aligns=("l", "r", "r"))


def measure(docs: list[Doc], path: Path | None) -> dict[str, float]:
    """RETURNS (Dict[str, float]): By job, words a second."""
    batches = [docs[at : at + DOCS_AT_ONCE] for at in range(0, len(docs), DOCS_AT_ONCE)]
    n_words = sum(map(len, docs))
    speeds = {}
    for name, (build, sizes) in ENCODERS.items():
        fix_random_seed(0)
        encoder = build(**sizes)
        encoder.initialize(X=docs[:5])
        seconds = fastest(lambda encoder=encoder: [encoder.predict(batch) for batch in batches])
        speeds[f"{name}, prediction"] = n_words / seconds
        seconds = fastest(lambda encoder=encoder: train(encoder, batches[:2], Adam(0.001)))
        speeds[f"{name}, training"] = (
            sum(len(doc) for batch in batches[:2] for doc in batch) / seconds
        )
    if path is not None:
        nlp = spacy.load(path)
        texts = [doc.text for doc in docs]
        seconds = fastest(lambda: list(nlp.pipe(texts, batch_size=64)))
        speeds["pipeline, raw text"] = n_words / seconds
    return speeds


def train(encoder: Model[Any, Any], batches: list[list[Doc]], optimizer: Adam) -> None:
    """A forward and a backward pass for each batch."""
    set_dropout_rate(encoder, DROPOUT)
    for batch in batches:
        vectors, backprop = encoder.begin_update(batch)
        backprop([rows * 0 + 0.1 for rows in vectors])
        encoder.finish_update(optimizer)


def fastest(job: Callable[[], Any], n_times: int = 3) -> float:
    """RETURNS (float): The processor time of the fastest run after a first one, in seconds."""
    job()
    seconds = []
    for _ in range(n_times):
        before = time.process_time()
        job()
        seconds.append(time.process_time() - before)
    return min(seconds)


if __name__ == "__main__":
    typer.run(main)
