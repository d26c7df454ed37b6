"""Memory and load time, measured in a process that does nothing else.

Run as a module with one JSON argument; the result is the last line of the output, as JSON.
Nothing is imported before the clock starts.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .environment import environment, settings

SPACY_PACKAGES = ("spacy", "spacy_legacy", "spacy_loggers", "thinc")


def in_fresh_process(**task: Any) -> dict[str, float]:
    """Measure in a new process.

    **task (Any): The arguments of `measure`.
    RETURNS (Dict[str, float]): What it returns.
    RAISES (RuntimeError): If it fails.
    """
    with environment(settings(1)):
        done = subprocess.run(
            [sys.executable, "-m", __name__, json.dumps(task)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise RuntimeError(f"Measuring {task} in a new process failed:\n{done.stderr[-2000:]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(
    *,
    imports: list[str],
    hide_torch: bool = False,
    use_blis: bool = True,
    model: str | None = None,
    window: str | None = None,
    config: str | None = None,
    train: str | None = None,
    n_words: int = 0,
    batch_size: int = 64,
    torch_step: str | None = None,
) -> dict[str, float]:
    """Import, load, and then predict or train, and note the memory after each.

    imports (List[str]): Modules to import.
    hide_torch (bool): Whether to run as if torch were not installed: thinc imports it if it is.
    use_blis (bool): Whether thinc multiplies matrices with BLIS.
    model (Optional[str]): The pipeline to load.
    window (Optional[str]): A JSON file of documents (words and spaces) to predict, as raw text.
    config (Optional[str]): The config to train with, instead of predicting.
    train (Optional[str]): The `.spacy` file to train on.
    n_words (int): Train until so many words are through.
    batch_size (int): Documents in a batch of prediction.
    torch_step (Optional[str]): Without a model: what of a training step of torch to do, "backward"
        or "optimizer", see `train_with_torch`.
    RETURNS (Dict[str, float]): Seconds and MiB (the high-water mark so far) by stage.
    """
    import importlib

    found: dict[str, float] = {}
    if hide_torch:
        _hide_torch()
    start = time.perf_counter()
    for name in imports:
        importlib.import_module(name)
    found["import_seconds"] = time.perf_counter() - start
    found["import_mib"] = peak_mib()
    if torch_step is not None:
        train_with_torch(with_optimizer=torch_step == "optimizer")
        found = {"import_mib": found["import_mib"], "train_mib": peak_mib()}
    if model is None:
        return found
    import spacy
    from thinc.api import NumpyOps, set_current_ops

    if not use_blis:
        set_current_ops(NumpyOps(use_blis=False))
    if not hide_torch:
        import torch

        torch.set_num_threads(1)
    start = time.perf_counter()
    nlp = spacy.load(model)
    found["load_seconds"] = time.perf_counter() - start
    found["load_mib"] = peak_mib()
    if window is not None:
        from .text import raw_text

        texts = [raw_text(tokens) for tokens in json.loads(Path(window).read_text())]
        for _ in nlp.pipe(texts, batch_size=batch_size):
            pass
        found["predict_mib"] = peak_mib()
    if config is not None and train is not None:
        from thinc.api import Config

        import spacy_mtl.corpora.corpus  # noqa: F401  (registers the reader)

        from .training import make_optimizer, read_examples, training_steps, with_data

        full = with_data(Config().from_str(config, interpolate=False), Path(train))
        examples = read_examples(nlp, full)
        found["read_mib"] = peak_mib()
        steps = training_steps(nlp, full, examples, make_optimizer(full))
        words = 0
        while words < n_words:
            words += next(steps)
        found["train_mib"] = peak_mib()
    return found


def train_with_torch(with_optimizer: bool) -> None:
    """Train a network of a thousand parameters for a step, as users of torch do: what any training
    with torch takes beside importing it.

    with_optimizer (bool): Whether to update the parameters, with `torch.optim.Adam`.
    """
    import torch
    from torch import nn

    torch.set_num_threads(1)
    network = nn.Sequential(
        nn.EmbeddingBag(20, 16, mode="sum"),
        nn.Linear(16, 16),
        nn.LayerNorm(16),
        nn.GELU(),
        nn.Dropout(0.1),
        nn.Linear(16, 5),
    )
    scores = network(torch.zeros(8, 4, dtype=torch.long))
    nn.functional.cross_entropy(scores, torch.zeros(8, dtype=torch.long)).backward()
    if with_optimizer:
        torch.optim.Adam(network.parameters()).step()


def _hide_torch() -> None:
    """Run as if neither torch nor any plugin of spaCy were installed.

    thinc imports torch where it is, and spaCy the components of all packages that are.
    """
    import catalogue

    sys.modules["torch"] = None  # type: ignore[assignment]
    catalogue.AVAILABLE_ENTRY_POINTS = _SpacyEntryPoints(catalogue.AVAILABLE_ENTRY_POINTS)


class _SpacyEntryPoints:
    """The entry points of spaCy itself, as `catalogue` asks for them."""

    def __init__(self, entry_points: Any) -> None:
        self._entry_points = entry_points

    def select(self, group: str) -> list[Any]:
        found = self._entry_points.select(group=group)
        return [point for point in found if point.value.partition(".")[0] in SPACY_PACKAGES]


def peak_mib() -> float:
    """RETURNS (float): The most memory that this process has held so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would report the parent's memory at the start
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
