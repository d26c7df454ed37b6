"""Show where the time of a trained pipeline goes: CPU time of each part per word, on one thread.

Beside it stands the time of the part's matrix products alone, at the rate at which this machine
multiplies: nothing that computes the same products can be faster.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[variable] = "1"

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import spacy
import torch
import typer
from spacy.tokens import Doc, DocBin
from spacy.util import minibatch
from torch.utils.flop_counter import FlopCounterMode
from wasabi import msg

from spacy_mtl.heads.srl.component import SemanticRoleHead
from spacy_mtl.native import switched_off

IN_PLACE = {  # which torch does not count by itself
    torch.ops.aten.addmm_: lambda total, left, right, **_: 2 * left[0] * left[1] * right[1]
}
ROLES = {  # methods of the head for semantic roles that are told apart
    "_detected": "finding predicates",
    "_score": "scoring rolesets and pairs",
    "_choose_rolesets": "choosing rolesets",
    "_decode": "best tags under the constraints",
}


class Clock:
    """Adds up the CPU time and the products of parts. A part's own time is without that of parts
    that run within it.

    count_products (bool): Whether to count floating-point operations; then times mean nothing.
    """

    def __init__(self, count_products: bool = False) -> None:
        self.count_products = count_products
        self.totals: dict[str, float] = {}
        self._within: list[float] = []

    def run(self, part: str, work: Callable[[], Any]) -> Any:
        """Run something as a part.

        part (str): Its name.
        work (Callable[[], Any]): What to run.
        RETURNS (Any): What it returns.
        """
        self._within.append(0.0)
        if self.count_products:
            with FlopCounterMode(display=False, custom_mapping=IN_PLACE) as counter:
                result = work()
            amount = float(counter.get_total_flops())
        else:
            start = time.process_time()
            result = work()
            amount = time.process_time() - start
        self.totals[part] = self.totals.get(part, 0.0) + amount - self._within.pop()
        if self._within:
            self._within[-1] += amount
        return result


@contextmanager
def roles_apart(nlp: spacy.Language, clock: Clock) -> Iterator[None]:
    """Tell the parts of the heads for semantic roles apart.

    nlp (Language): The pipeline.
    clock (Clock): The clock.
    """
    heads = [(name, pipe) for name, pipe in nlp.pipeline if isinstance(pipe, SemanticRoleHead)]

    def watch(method: Callable[..., Any], part: str) -> Callable[..., Any]:
        return lambda *args: clock.run(part, lambda: method(*args))

    for name, head in heads:
        for method, part in ROLES.items():
            setattr(head, method, watch(getattr(head, method), f"{name}: {part}"))
    try:
        yield
    finally:
        for _, head in heads:
            for method in ROLES:
                delattr(head, method)


def profile(nlp: spacy.Language, texts: list[str], batch_size: int, clock: Clock) -> Clock:
    """Run a pipeline part by part.

    nlp (Language): The pipeline.
    texts (List[str]): The texts.
    batch_size (int): Documents in a batch.
    clock (Clock): The clock.
    RETURNS (Clock): The same.
    """
    with roles_apart(nlp, clock):
        for batch in minibatch(texts, batch_size):
            docs: list[Doc] = clock.run(
                "tokenizer", lambda batch=batch: [nlp.make_doc(text) for text in batch]
            )
            for name, pipe in nlp.pipeline:
                found = clock.run(f"{name}: other", lambda p=pipe, d=docs: p.predict(d))
                clock.run(
                    f"{name}: annotations", lambda p=pipe, d=docs, f=found: p.set_annotations(d, f)
                )
    return clock


def matmul_rate(rows: int = 256, width: int = 96) -> float:
    """Measure the products that the window layers consist of.

    rows (int): Rows multiplied at once.
    width (int): Width of the trunk.
    RETURNS (float): The best of 20 rounds, floating-point operations a second.
    """
    left, right = torch.randn(rows, width), torch.randn(width, 3 * width)
    flops = 2 * rows * width * 3 * width * 100
    seconds = []
    for _ in range(20):
        start = time.process_time()
        for _ in range(100):
            torch.mm(left, right)
        seconds.append(time.process_time() - start)
    return flops / min(seconds)


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
    profile(nlp, texts, batch_size, Clock())  # fills what is kept of words
    with switched_off():  # torch counts its own products; those of compiled kernels are the same
        flops = profile(nlp, texts, batch_size, Clock(count_products=True)).totals
    runs = [profile(nlp, texts, batch_size, Clock()).totals for _ in range(rounds)]
    best = min(runs, key=lambda run: sum(run.values()))
    rate = matmul_rate()
    total = sum(best.values())
    rows = [
        _row(part, seconds / n_words, seconds / total, flops.get(part, 0.0) / rate / n_words)
        for part, seconds in best.items()
    ]
    rows.append(_row("all", total / n_words, 1.0, sum(flops.values()) / rate / n_words))
    header = ("part", "µs a word", "share", "its products alone")
    msg.table(rows, header=header, divider=True, aligns=("l", "r", "r", "r"))
    msg.text(f"{n_words / total:,.0f} words/s; matrix products: {rate / 1e9:.0f} GFLOP/s")


def _row(part: str, seconds: float, share: float, products: float) -> tuple[str, str, str, str]:
    alone = f"{products * 1e6:.2f}" if products else "-"
    return (part, f"{seconds * 1e6:.2f}", f"{share:.1%}", alone)


if __name__ == "__main__":
    typer.run(main)
