"""Repeating a forward pass with the same dropout."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d


class Replay:
    """A forward pass that can be run again, exactly as it will first run after this is made.

    A torch graph can be passed back only once; a second gradient needs a graph of its own.
    """

    def __init__(self, model: Model[list[Doc], list[Floats2d]], docs: Sequence[Doc]) -> None:
        """Note the state of the random number generators.

        model (Model[List[Doc], List[Floats2d]]): The trunk's network.
        docs (Sequence[Doc]): The batch.
        """
        self._model = model
        self._docs = list(docs)
        self._on_gpu = model.ops.xp is not np
        self._gpu_seed = int(np.random.randint(2**31)) if self._on_gpu else 0
        self._states = _generator_states()
        self._seed_gpu_arrays()

    def __call__(self) -> Callable[[list[Floats2d]], Any]:
        """Run the pass again; the generators are left where they were before.

        RETURNS (Callable): Its backward pass.
        """
        now = _generator_states()
        _set_generator_states(self._states)
        self._seed_gpu_arrays()
        _, backprop = self._model.begin_update(self._docs)
        _set_generator_states(now)
        return backprop

    def _seed_gpu_arrays(self) -> None:
        """CuPy's generator can't be set back to a state: it gets a seed of its own each time."""
        if self._on_gpu:
            self._model.ops.xp.random.seed(self._gpu_seed)


def _generator_states() -> dict[str, Any]:
    states: dict[str, Any] = {
        "numpy": np.random.get_state(),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state_all()
    return states


def _set_generator_states(states: dict[str, Any]) -> None:
    np.random.set_state(states["numpy"])
    torch.set_rng_state(states["torch"])
    if "cuda" in states:
        torch.cuda.set_rng_state_all(states["cuda"])
