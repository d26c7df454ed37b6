"""Random numbers that a saved pipeline goes on with, and that disturb no others."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


class StepSeed:
    """A seed for each step, from one seed and the number of steps so far.

    TorchJD draws from torch's global generator. Here it does so in a fork of it: the dropout of the
    networks is the same whatever the balancer draws.
    """

    def __init__(self, seed: int) -> None:
        """Start at the first step.

        seed (int): The seed of the run.
        """
        self.seed = seed
        self.n_steps = 0

    @contextmanager
    def next_step(self) -> Iterator[None]:
        """Run a block with torch's CPU generator at this step's own seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed * 1_000_003 + self.n_steps)
            yield
        self.n_steps += 1
