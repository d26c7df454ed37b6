"""Time training as `spacy train` runs it, and print where the time goes.

Each pipeline trains in a process of its own: stock `tok2vec+ner+textcat` on thinc's two matrix
products, three heads of this package behind the CNN of the same size, and a config. All read the
same documents in the same batches, with the same optimizer, on one thread; the config keeps its
own settings. Time is the processor's, so that other work on the machine disturbs it less, and each
round runs all pipelines once. Evaluation is left out.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[variable] = "1"

import cProfile
import json
import pstats
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import typer
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import create_train_batches, train_while_improving
from spacy.util import load_config, registry, resolve_dot_names
from thinc.api import Config, NumpyOps, set_current_ops
from wasabi import msg

TRUNK = {"width": 96, "depth": 4, "embed_size": 2000, "window_size": 1, "maxout_pieces": 3}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"}
STOCK_TRUNK = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "subword_features": True,
    "pretrained_vectors": None,
    **TRUNK,
}
STOCK = {
    "tok2vec": {"factory": "tok2vec", "model": STOCK_TRUNK},
    "ner": {"factory": "ner", "model": {"tok2vec": LISTENER}},
    "textcat": {"factory": "textcat", "model": {}},
}
STOCK_TEXTCATS = {
    "ensemble": {  # as `spacy init config --optimize accuracy` sets it
        "@architectures": "spacy.TextCatEnsemble.v2",
        "tok2vec": LISTENER,
        "linear_model": {
            "@architectures": "spacy.TextCatBOW.v3",
            "exclusive_classes": True,
            "length": 262144,
            "ngram_size": 1,
            "no_output_layer": False,
            "nO": None,
        },
        "nO": None,
    },
    "reduce": {  # the lightest of spaCy's that reads a trunk
        "@architectures": "spacy.TextCatReduce.v1",
        "exclusive_classes": True,
        "use_reduce_first": False,
        "use_reduce_last": False,
        "use_reduce_max": False,
        "use_reduce_mean": True,
        "tok2vec": LISTENER,
        "nO": None,
    },
}
OURS = {
    "tok2vec": {
        "factory": "mtl_tok2vec",
        "model": {"@architectures": "spacy_mtl.HashEmbedCNN.v1", **TRUNK},
    },
    "ner": {"factory": "mtl_ner", "model": {"tok2vec": LISTENER}},
    "textcat": {"factory": "mtl_textcat", "model": {"tok2vec": LISTENER}},
    "srl": {"factory": "mtl_srl", "model": {"tok2vec": LISTENER}},
}
PIPELINES = [
    "stock, ensemble, BLIS",
    "stock, ensemble, OpenBLAS",
    "stock, reduce, BLIS",
    "stock, reduce, OpenBLAS",
    "three heads",
    "config",
]
PARTS = {  # where a function's own time counts, by the last of these names in its path
    "torch": "torch",
    "thinc/optimizers": "optimizer",
    "spacy_mtl/models/torch_layer": "optimizer",
    "thinc": "thinc",
    "numpy": "numpy",
    "spacy_mtl/corpora": "reading",
    "spacy/training": "reading",
    "spacy": "spaCy",
    "spacy_mtl/heads": "targets and losses",
    "spacy_mtl/models/losses": "targets and losses",
    "spacy_mtl": "rest of spacy_mtl",
}


def build(pipeline: str, config: Path, train: Path, batch_words: int) -> tuple[Language, Any]:
    """Build and initialize a pipeline.

    pipeline (str): One of `PIPELINES`.
    config (Path): The config of the pipeline "config"; the others take its optimizer and dropout.
    train (Path): A `.spacy` file.
    batch_words (int): Words in a batch of the pipelines other than "config".
    RETURNS (Tuple[Language, Config]): The pipeline and its `[training]`, resolved.
    """
    overrides = {"paths.train": str(train), "paths.dev": str(train)}
    settings = load_config(config, overrides=overrides)
    if pipeline != "config":
        set_current_ops(NumpyOps(use_blis="OpenBLAS" not in pipeline))
        components = STOCK if pipeline.startswith("stock") else OURS
        settings["nlp"]["pipeline"] = list(components)
        settings["components"] = json.loads(json.dumps(components))
        if pipeline.startswith("stock"):
            settings["components"]["textcat"]["model"] = STOCK_TEXTCATS[pipeline.split(", ")[1]]
        settings["corpora"]["train"] = {"@readers": "spacy.Corpus.v1", "path": str(train)}
        settings["training"]["annotating_components"] = []
        settings["training"]["score_weights"] = {}
        settings["training"]["batcher"]["size"] = batch_words
    nlp = init_nlp(Config(settings).interpolate())
    training = nlp.config.interpolate()["training"]
    return nlp, registry.resolve(training, schema=ConfigSchemaTraining)


def steps(nlp: Language, training: dict[str, Any]) -> Iterator[list[Example]]:
    """Train, a step at a time.

    nlp (Language): The pipeline.
    training (Dict[str, Any]): Its `[training]`, resolved.
    YIELDS (List[Example]): The batch after its step.
    """
    (corpus,) = resolve_dot_names(nlp.config.interpolate(), [training["train_corpus"]])
    loop = train_while_improving(
        nlp,
        training["optimizer"],
        create_train_batches(nlp, corpus, training["batcher"], 0),
        lambda: (0.0, {}),
        dropout=training["dropout"],
        accumulate_gradient=training["accumulate_gradient"],
        patience=0,
        max_steps=0,
        eval_frequency=10**9,
        exclude=training["frozen_components"],
        annotating_components=training["annotating_components"],
        before_update=training["before_update"],
    )
    for batch, _, _ in loop:
        yield batch


def measure(
    pipeline: str, config: Path, train: Path, batch_words: int, n_steps: int, profile: bool
) -> dict[str, float]:
    """Time some steps of a pipeline in this process.

    pipeline (str): One of `PIPELINES`.
    config (Path): See `build`.
    train (Path): See `build`.
    batch_words (int): See `build`.
    n_steps (int): Steps timed, after a tenth as many that are not.
    profile (bool): Whether to print the functions that took longest and the share of each part.
    RETURNS (Dict[str, float]): Words, seconds ("user" and "system") and the peak memory (MiB).
    """
    torch.set_num_threads(1)
    nlp, training = build(pipeline, config, train, batch_words)
    loop = steps(nlp, training)
    for _ in range(max(n_steps // 10, 1)):
        next(loop)
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    before, n_words = os.times(), 0
    for _ in range(n_steps):
        n_words += sum(len(example) for example in next(loop))
    after = os.times()
    profiler.disable()
    if profile:
        print_profile(profiler)
    return {
        "words": n_words,
        "user": after.user - before.user,
        "system": after.system - before.system,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def print_profile(profiler: cProfile.Profile) -> None:
    """Print what took longest.

    profiler (cProfile.Profile): The profile of some steps.
    """
    statistics_ = pstats.Stats(profiler)
    shares: dict[str, float] = {}
    for (path, _, function), (_, _, own, _, _) in statistics_.stats.items():  # type: ignore[attr-defined]
        place = path if path != "~" else function
        part = next((part for name, part in PARTS.items() if name in place), "Python and others")
        shares[part] = shares.get(part, 0.0) + own
    total = sum(shares.values())
    for part, seconds in sorted(shares.items(), key=lambda item: -item[1]):
        print(f"{100 * seconds / total:5.1f} %  {part}")
    statistics_.sort_stats("tottime").print_stats(45)
    statistics_.sort_stats("cumtime").print_stats(70)


def main(
    train: Path,
    config: Path = Path("configs/multitask.cfg"),
    steps: int = 150,
    rounds: int = 3,
    batch_words: int = 1000,
    only: str = "",
    profile: bool = False,
) -> None:
    """Print a table of the processor's time per 1000 words.

    train (Path): A `.spacy` file with entities, categories and semantic roles.
    config (Path): The config of the last row.
    steps (int): Steps timed in a round.
    rounds (int): How often each pipeline is timed.
    batch_words (int): Words in a batch, but for the last row.
    only (str): Time this one row in this process and print JSON.
    profile (bool): With `only`: print the profile too.
    """
    if only:
        print(json.dumps(measure(only, config, train, batch_words, steps, profile)))
        return
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in PIPELINES}
    for _ in range(rounds):
        for name in PIPELINES:
            arguments = [str(train), "--only", name, "--config", str(config)]
            arguments += ["--steps", str(steps), "--batch-words", str(batch_words)]
            command = [sys.executable, __file__, *arguments]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            runs[name].append(json.loads(output.splitlines()[-1]))
    rows = []
    for name, measured in runs.items():
        costs = [1000 * (run["user"] + run["system"]) / run["words"] for run in measured]
        rows.append((name, f"{min(costs) * 1000:.0f}", f"{max(costs) * 1000:.0f}"))
    msg.table(rows, header=("pipeline", "ms per 1000 words, best", "worst"), divider=True)


if __name__ == "__main__":
    typer.run(main)
