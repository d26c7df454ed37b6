"""What weighing costs: steps of every method on the same batches, one after another."""

import itertools
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spacy.language import Language
from spacy.training import Example
from spacy.training.batchers import minibatch_by_words

from .methods import METHODS, PLAIN, Method
from .training import Laboratory

AGAIN = "the same again"  # shows how far equal things are apart
FIRST = "untimed"  # the first step on a batch also aligns its frames, for all that follow


@dataclass(frozen=True)
class Cost:
    """The cost of a method.

    method (str): Its name.
    words_per_second (float): Words a second of processor time, the median batch.
    percent (float): Processor time over that of the plain sum on the same batch, less 100, the
        median batch.
    """

    method: str
    words_per_second: float
    percent: float


class Stepper:
    """A pipeline and its optimizer, stepped by hand as spaCy's loop does."""

    def __init__(self, nlp: Language, optimizer: Any) -> None:
        """Keep both.

        nlp (Language): A new pipeline.
        optimizer (Optimizer): Its optimizer.
        """
        self.nlp = nlp
        self.optimizer = optimizer

    def seconds(self, batch: Sequence[Example]) -> float:
        """Do one step.

        batch (Sequence[Example]): The batch.
        RETURNS (float): Its processor time.
        """
        start = time.process_time()
        self.nlp.update(batch, drop=0.1, sgd=False, losses={})  # type: ignore[arg-type]
        for _, component in self.nlp.pipeline:
            component.finish_update(self.optimizer)  # type: ignore[attr-defined]
        self.optimizer.step_schedules()
        return time.process_time() - start


def measure_costs(
    laboratory: Laboratory, methods: Sequence[Method], rounds: int, warm_up: int = 3
) -> list[Cost]:
    """Time all methods in turn, batch by batch, each time in another order.

    laboratory (Laboratory): Builds the pipelines; its budget says how many words a batch has.
    methods (Sequence[Method]): The methods, of all heads.
    rounds (int): The number of batches timed.
    warm_up (int): The number of batches before.
    RETURNS (List[Cost]): The plain sum, the same again, then the methods.
    """
    plain = METHODS[PLAIN]
    others = [method for method in methods if method.name != PLAIN]
    named = {FIRST: plain, PLAIN: plain, AGAIN: plain, **{method.name: method for method in others}}
    steppers: dict[str, Stepper] = {}
    for name, method in named.items():
        nlp = laboratory.build(method.heads, method.block(seed=0), seed=0)
        steppers[name] = Stepper(nlp, laboratory.train(nlp).optimizer)
    batches = minibatch_by_words(
        itertools.cycle(laboratory.corpus.train), laboratory.budget.batch_words
    )
    seconds: dict[str, list[float]] = {name: [] for name in named}
    words: list[int] = []
    turns = [name for name in named if name != FIRST]
    for batch in itertools.islice(batches, warm_up + rounds):
        words.append(sum(len(example.reference) for example in batch))
        for name in (FIRST, *turns):
            seconds[name].append(steppers[name].seconds(batch))
        random.shuffle(turns)  # what runs before leaves the memory more or less full
    return [
        Cost(
            name,
            statistics.median(n / s for n, s in zip(words[warm_up:], found[warm_up:], strict=True)),
            100.0 * (median_ratio(found[warm_up:], seconds[PLAIN][warm_up:]) - 1.0),
        )
        for name, found in seconds.items()
        if name != FIRST
    ]


def median_ratio(values: Sequence[float], bases: Sequence[float]) -> float:
    """RETURNS (float): The median of the ratios, pair by pair."""
    return statistics.median(value / base for value, base in zip(values, bases, strict=True))
