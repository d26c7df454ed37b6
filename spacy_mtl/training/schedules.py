"""A learning rate that follows the length of a training run, and is there without one, too."""

from collections.abc import Iterable, Iterator
from itertools import islice, repeat

from spacy.util import registry
from thinc.api import constant, warmup_linear

NAME = "spacy_mtl.WarmupLinear.v1"


@registry.schedules(NAME)
def create_warmup_linear(
    initial_rate: float, warmup_steps: int, total_steps: int | str
) -> Iterable[float]:
    """Let the learning rate rise for some steps, and then fall to 0 at the end of the training.

    With `total_steps = ${training.max_steps}` the end is where `spacy train` ends, whatever
    overrides say. Outside of `spacy train`, that is in `Language.create_optimizer` and all that
    calls it (`resume_training`, `initialize`, `update` and `rehearse` without an optimizer, `spacy
    debug data`), spaCy leaves variables as they are, and nobody advances the schedule: a rate that
    rises from 0 would stay there. The rate is `initial_rate` then.

    initial_rate (float): The highest rate.
    warmup_steps (int): The number of steps in which the rate rises.
    total_steps (Union[int, str]): The number of all steps, 0 for a training without a fixed end,
        whose rate does not fall; or a variable such as ${training.max_steps}.
    RETURNS (Iterable[float]): The rate of each step.
    RAISES (ValueError): If a number of steps is negative, or `total_steps` any other text.
    """
    if isinstance(total_steps, str):
        if not (total_steps.startswith("${") and total_steps.endswith("}")):
            raise ValueError(
                f"[training.optimizer.learn_rate] total_steps is {total_steps!r}; it must be a "
                "number of steps, or ${training.max_steps}."
            )
        return constant(initial_rate)
    if warmup_steps < 0 or total_steps < 0:
        raise ValueError(
            f"[training.optimizer.learn_rate] warmup_steps is {warmup_steps} and total_steps "
            f"{total_steps}; neither can be negative."
        )
    if total_steps == 0:
        return _rise(initial_rate, warmup_steps)
    return warmup_linear(initial_rate, warmup_steps, total_steps)


def _rise(rate: float, n_steps: int) -> Iterator[float]:
    yield from islice(warmup_linear(rate, n_steps, n_steps), n_steps)
    yield from repeat(rate)
