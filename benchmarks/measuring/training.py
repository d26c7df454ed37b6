"""Training as `spacy train` does it, without evaluation."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.training import Example
from spacy.training.loop import train_while_improving
from spacy.util import load_model_from_config, registry
from thinc.api import Config, Optimizer, fix_random_seed

NEVER = 10**9


def training_steps(
    nlp: Language, config: Config, examples: Sequence[Example], optimizer: Optimizer
) -> Iterator[int]:
    """Train with spaCy's own loop, on batches in an order that is the same for every pipeline.

    nlp (Language): The initialized pipeline.
    config (Config): Its config, interpolated.
    examples (Sequence[Example]): The examples.
    optimizer (Optimizer): The optimizer.
    YIELDS (int): After each step, the words of its batch.
    """
    settings = config["training"]
    batcher = registry.resolve({"batcher": settings["batcher"]})["batcher"]
    steps = train_while_improving(
        nlp,
        optimizer,
        _batches(examples, batcher),
        lambda: (0.0, {}),
        dropout=settings["dropout"],
        eval_frequency=NEVER,
        accumulate_gradient=1,
        patience=0,
        max_steps=0,
        exclude=[],
        annotating_components=settings["annotating_components"],
        before_update=None,
    )
    for batch, _, _ in steps:
        yield sum(len(example.reference) for example in batch)


def train_pipeline(config: Config, train: Path, steps: int, output: Path) -> None:
    """Train a pipeline for some steps and save its averaged weights.

    config (Config): Its config, not interpolated.
    train (Path): The `.spacy` file to train on.
    steps (int): The number of steps.
    output (Path): The folder to write.
    """
    fix_random_seed(0)
    config = with_data(config, train)
    nlp = load_model_from_config(config, auto_fill=True)
    examples = read_examples(nlp, config)
    nlp.initialize(lambda: examples)
    optimizer = make_optimizer(config)
    for number, _ in enumerate(training_steps(nlp, config, examples, optimizer), 1):
        if number >= steps:
            break
    with nlp.use_params(optimizer.averages):
        nlp.to_disk(output)


def with_data(config: Config, train: Path) -> Config:
    """RETURNS (Config): The config, interpolated, with the path of the training corpus."""
    paths = {"paths.train": str(train), "paths.dev": str(train)}
    return Config().from_str(config.to_str(), overrides=paths)


def read_examples(nlp: Language, config: Config) -> list[Example]:
    """RETURNS (List[Example]): The training examples, from the config's own reader."""
    reader = registry.resolve({"train": config["corpora"]["train"]})["train"]
    return list(reader(nlp))


def some_examples(examples: Sequence[Example], n_words: int) -> list[Example]:
    """RETURNS (List[Example]): Random ones, the same each time, with so many words together."""
    order, chosen, words = list(examples), [], 0
    random.Random(0).shuffle(order)
    for example in order:
        if words >= n_words:
            break
        chosen.append(example)
        words += len(example.reference)
    return chosen


def make_optimizer(config: Config) -> Optimizer:
    """RETURNS (Optimizer): The config's optimizer."""
    optimizer: Optimizer = registry.resolve({"it": config["training"]["optimizer"]})["it"]
    return optimizer


def _batches(examples: Sequence[Example], batcher: Any) -> Iterator[tuple[int, list[Example]]]:
    order, shuffle, epoch = list(examples), random.Random(0).shuffle, 0
    while True:
        shuffle(order)
        for batch in batcher(order):
            yield epoch, batch
        epoch += 1
