"""Time the encoders against spaCy's own, on the same documents, one thread each.

Each round times every encoder once, so that a machine whose speed drifts does not favour any. The
ratio of a round is against spaCy's `HashEmbedCNN` of that round.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[variable] = "1"

import statistics
import time
from pathlib import Path

import spacy
import torch
import typer
from spacy.tokens import Doc, DocBin
from spacy.util import minibatch, registry
from thinc.api import Model, NumpyOps, set_current_ops
from wasabi import msg

STOCK = "spacy.HashEmbedCNN.v2"
OURS = {
    "CNN, depth 4": ("spacy_mtl.HashEmbedCNN.v1", {"depth": 4}),
    "BiLSTM, depth 2": ("spacy_mtl.HashEmbedBiLSTM.v1", {"depth": 2}),
    "attention, depth 2": ("spacy_mtl.HashEmbedAttention.v1", {"depth": 2}),
}


def build(name: str, docs: list[Doc], width: int, **settings: int) -> Model:
    """Build and initialize an encoder.

    name (str): Registered name.
    docs (List[Doc]): A sample of documents.
    width (int): Width of the vectors.
    **settings (int): Further settings.
    RETURNS (Model): The encoder.
    """
    if name == STOCK:
        settings = {"window_size": 1, "maxout_pieces": 3, "subword_features": True, **settings}
        settings["pretrained_vectors"] = None
    model = registry.architectures.get(name)(width=width, embed_size=2000, **settings)
    model.initialize(X=docs[:10])
    return model


def words_per_second(model: Model, docs: list[Doc], batch_size: int) -> float:
    """Predict all documents once.

    model (Model): The encoder.
    docs (List[Doc]): The documents.
    batch_size (int): Documents in a batch.
    RETURNS (float): Tokens per second.
    """
    start = time.perf_counter()
    for batch in minibatch(docs, batch_size):
        model.predict(batch)
    return sum(map(len, docs)) / (time.perf_counter() - start)


def main(data: Path, width: int = 128, rounds: int = 5, batch_size: int = 256) -> None:
    """Print a table of words per second and ratios.

    data (Path): A `.spacy` file; its tokens are used.
    width (int): Width of all encoders.
    rounds (int): How often each is timed.
    batch_size (int): Documents in a batch.
    """
    torch.set_num_threads(1)
    nlp = spacy.blank("en")
    docs = list(DocBin().from_disk(data).get_docs(nlp.vocab))
    encoders: dict[str, Model] = {}
    for use_blis in (True, False):
        set_current_ops(NumpyOps(use_blis=use_blis))
        name = "spaCy's CNN, depth 4, " + ("as installed (BLIS)" if use_blis else "OpenBLAS")
        encoders[name] = build(STOCK, docs, width, depth=4)
    for name, (architecture, settings) in OURS.items():
        encoders[name] = build(architecture, docs, width, **settings)
    speeds: dict[str, list[float]] = {name: [] for name in encoders}
    for model in encoders.values():
        words_per_second(model, docs[:batch_size], batch_size)
    for _ in range(rounds):
        for name, model in encoders.items():
            speeds[name].append(words_per_second(model, docs, batch_size))
    stock = next(iter(speeds.values()))
    rows = []
    for name, values in speeds.items():
        ratios = [value / base for value, base in zip(values, stock, strict=True)]
        rows.append(
            (
                name,
                f"{statistics.median(values):,.0f}",
                f"{statistics.median(ratios):.2f}",
                f"{min(ratios):.2f}-{max(ratios):.2f}",
            )
        )
    n_tokens = sum(map(len, docs))
    msg.text(f"{len(docs)} documents, {n_tokens} tokens, width {width}, {rounds} rounds, 1 thread")
    msg.table(rows, header=("encoder", "words/s", "ratio", "spread"), divider=True)


if __name__ == "__main__":
    typer.run(main)
