"""One batch on its way through the trunk: from the shared forward to the shared backward."""

import itertools
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from spacy.tokens import Doc
from thinc.api import Ops
from thinc.types import Floats2d

from ..balancing.gradients import TaskGradients
from ..balancing.hub import hub_gram
from ..models.encoders.channels import Channel, Columns, Layout
from ..util.finite import diverged
from .replay import Replay


class TrunkStep:
    """The trunk's output for a batch, and the gradients that the heads send back.

    Documents are known by identity, so a head may ask for any subset in any order. Each report of
    a head is added to that head's own gradient; nothing reaches the trunk before `flush`.
    """

    def __init__(
        self,
        trunk_name: str,
        docs: Sequence[Doc],
        outputs: Sequence[Floats2d],
        backprop: Callable[[list[Floats2d]], Any],
        losses: dict[str, float],
        ops: Ops,
        replay: Replay | None = None,
        layout: Layout | None = None,
        inputs: Sequence[Doc] | None = None,
        ignored: Collection[str] = (),
        n_updates: int = 1,
    ) -> None:
        """Open a step.

        trunk_name (str): The trunk's name in the pipeline, for messages.
        docs (Sequence[Doc]): The batch, as the trunk saw it.
        outputs (Sequence[Floats2d]): One [tokens, width] array per document that the trunk read,
            with a layout [tokens, width of all channels].
        backprop (Callable): The trunk's backward pass for this batch.
        losses (Dict[str, float]): The losses that the components write to.
        ops (Ops): The trunk's array operations.
        replay (Optional[Replay]): Repeats the forward pass, where that will be needed.
        layout (Optional[Layout]): Where in the outputs which channels are; None where they are the
            trunk's output alone.
        inputs (Optional[Sequence[Doc]]): What the trunk read, where that was not just the batch;
            see `merge_inputs`.
        ignored (Collection[str]): The tasks that read the output, but take no part otherwise.
        n_updates (int): The trunk's updates so far, this one included, for messages.
        """
        self.trunk_name = trunk_name
        self.docs = list(docs)
        self.inputs = self.docs if inputs is None else list(inputs)
        self.outputs = list(outputs)
        self.losses = losses
        self.replay = replay
        self.layout = layout
        self._losses_before = dict(losses)
        self._backprop = backprop
        self._ops = ops
        self._starts = list(itertools.accumulate((len(doc) for doc in self.inputs), initial=0))
        self._ignored = ignored
        self._n_updates = n_updates
        self._positions = {id(doc): i for i, doc in enumerate(self.docs)}
        self._positions.update({id(doc): i for i, doc in enumerate(self.inputs)})
        self._copies: list[Doc] = []  # kept alive, so that their ids stay theirs
        self._readers: set[str] = set()
        self._gradients: dict[str, Floats2d] = {}
        self._decisions: dict[str, float] = {}

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        """A step lives within one process: a pickled or copied one is no step."""
        return _no_step, ()

    @property
    def has_reports(self) -> bool:
        """RETURNS (bool): Whether any head has sent a gradient."""
        return bool(self._gradients)

    def holds(self, doc: Doc) -> bool:
        """RETURNS (bool): Whether a document is part of this batch."""
        return id(doc) in self._positions

    def output_of(self, doc: Doc, channels: Sequence[Channel] | None = None) -> Floats2d:
        """Look up a document of this batch.

        doc (Doc): The document.
        channels (Optional[Sequence[Channel]]): The channels to give; the trunk's output where None.
        RETURNS (Floats2d): [tokens, width].
        """
        rows = self.outputs[self._positions[id(doc)]]
        self._check_tokens(doc, rows)
        return rows if self.layout is None else rows[:, self._columns(channels)]

    def find_positions(self, task: str, docs: Sequence[Doc]) -> list[int] | None:
        """Find a head's documents in the batch.

        Some components rebuild the documents of a batch: copies of the whole batch are accepted,
        but only from a task that has not read this step yet. A task that has is not in the update
        that this step belongs to, however much its documents look alike.

        task (str): The component's name.
        docs (Sequence[Doc]): The head's documents.
        RETURNS (Optional[List[int]]): Their positions in the batch; None where it holds none.
        RAISES (ValueError): If it holds some of them, but not all, or tokens of one were merged or
            split since the trunk saw it.
        """
        positions = [self._positions.get(id(doc), -1) for doc in docs]
        if -1 not in positions:
            for doc, position in zip(docs, positions, strict=True):
                self._check_tokens(doc, self.outputs[position])
            self._readers.add(task)
            return positions
        if task not in self._readers and self._are_copies(docs):
            self._readers.add(task)
            self._copies.extend(docs)
            self._positions.update({id(doc): i for i, doc in enumerate(docs)})
            return list(range(len(docs)))
        if max(positions) >= 0:
            raise ValueError(self.unknown_documents_message(task, docs))
        return None

    def outputs_for(
        self, task: str, positions: Sequence[int], channels: Sequence[Channel] | None = None
    ) -> tuple[list[Floats2d], Callable[[Sequence[Floats2d]], list[Any]]]:
        """Give a head the trunk's output for its documents, and a way to report its gradient.

        task (str): The component's name.
        positions (Sequence[int]): The documents' positions in the batch: all or some, in any order.
        channels (Optional[Sequence[Channel]]): The channels to give; the trunk's output where None.
        RETURNS (Tuple[List[Floats2d], Callable]): The output for each document, and a callback
            that takes the gradient for each document and returns an empty list. It raises a
            DivergedError if the gradient is not finite, and forgets what the task sent.
        """
        columns = self._columns(channels)

        def report(gradient: Sequence[Floats2d]) -> list[Any]:
            if task in self._ignored:
                return []
            if task not in self._gradients:
                width = self.outputs[0].shape[1]
                self._gradients[task] = self._ops.alloc2f(self._starts[-1], width)
            collected = self._gradients[task]  # [tokens, width]
            for position, d_output in zip(positions, gradient, strict=True):
                collected[self._starts[position] : self._starts[position + 1], columns] += d_output
            if not math.isfinite(squared_norm(collected)):
                del self._gradients[task]
                self.losses[task] = self._losses_before.get(task, 0.0)
                raise diverged(
                    task,
                    f"the gradient that it sent to the trunk '{self.trunk_name}' is not finite",
                    self._n_updates,
                )
            return []

        outputs = [self.outputs[position] for position in positions]
        if self.layout is not None:
            outputs = [rows[:, columns] for rows in outputs]
        return outputs, report

    def report_num_targets(self, task: str, number: float) -> None:
        """Take note of how many things a head had to tell in this batch.

        task (str): The component's name.
        number (float): The number, added to what it said before.
        """
        self._decisions[task] = self._decisions.get(task, 0.0) + number

    def unknown_documents_message(self, task: str, docs: Sequence[Doc]) -> str:
        """Explain that a head asked for documents that the trunk has not seen.

        task (str): The component's name.
        docs (Sequence[Doc]): The head's documents.
        RETURNS (str): The message.
        """
        n_unknown = sum(not self.holds(doc) for doc in docs)
        return (
            f"Component '{task}' asked the trunk '{self.trunk_name}' for {n_unknown} of "
            f"{len(docs)} documents that were not in the trunk's last batch. Update the trunk with "
            f"the same documents first: is '{self.trunk_name}' disabled or excluded in this "
            "update? To train with a frozen trunk, list it in [training] frozen_components and in "
            "[training] annotating_components."
        )

    def gather(
        self,
        units_of: Callable[[str, Floats2d], int],
        loss_units_of: Callable[[str, Floats2d], int],
        auxiliary: Collection[str] = (),
    ) -> TaskGradients:
        """Collect what the heads reported.

        units_of (Callable[[str, Floats2d], int]): What a task's gradient has to be divided by to be
            a mean over its annotated units.
        loss_units_of (Callable[[str, Floats2d], int]): The same for its loss.
        auxiliary (Collection[str]): The tasks whose components predict nothing.
        RETURNS (TaskGradients): The tasks with a gradient that is not zero.
        """
        gradients = {task: grad for task, grad in self._gradients.items() if grad.any()}
        return TaskGradients(
            gradients,
            units={task: units_of(task, gradient) for task, gradient in gradients.items()},
            losses={
                task: self._added_loss(task) / loss_units_of(task, gradient)
                for task, gradient in gradients.items()
            },
            find_gram=lambda: hub_gram(
                self._ops.xp.concatenate(self.outputs),
                list(gradients.values()),
                None if self.layout is None else self.layout.blocks,
            ),
            decisions={
                task: self._decisions.get(task) or float(gradient.any(axis=1).sum())
                for task, gradient in gradients.items()
            },
            auxiliary=frozenset(auxiliary),
        )

    def backward(self, gradient: Floats2d) -> None:
        """Run the trunk's backward pass.

        gradient (Floats2d): [tokens, width], at what the trunk gave the heads.
        """
        lengths = self._ops.asarray1i([len(doc) for doc in self.inputs])
        self._backprop(self._ops.unflatten(gradient, lengths))

    def rerun_forward(self) -> None:
        """Make another backward pass of the same batch possible.

        RAISES (ValueError): If the step was opened without `replay`.
        """
        if self.replay is None:
            raise ValueError("This step was opened without a way to repeat its forward pass.")
        self._backprop = self.replay()

    def _columns(self, channels: Sequence[Channel] | None) -> Columns:
        if self.layout is None:
            return slice(None)
        return self.layout.columns([self.layout.exposure.output] if channels is None else channels)

    def _added_loss(self, task: str) -> float:
        return float(self.losses.get(task, 0.0)) - float(self._losses_before.get(task, 0.0))

    def _check_tokens(self, doc: Doc, rows: Floats2d) -> None:
        if len(doc) != len(rows):
            raise ValueError(
                f"The trunk '{self.trunk_name}' saw {len(rows)} tokens of a document that has "
                f"{len(doc)} now: a component in [training] annotating_components merges or splits "
                f"tokens between the trunk and its heads. In [nlp] pipeline, put it before "
                f"'{self.trunk_name}' or behind the heads, or leave it out of "
                "annotating_components."
            )

    def _are_copies(self, docs: Sequence[Doc]) -> bool:
        return len(docs) == len(self.docs) and all(
            len(own) == len(other) and own.text == other.text
            for own, other in zip(self.docs, docs, strict=True)
        )


def squared_norm(gradient: Floats2d) -> float:
    """RETURNS (float): The sum of a gradient's squares; not finite where one is not."""
    flat = gradient.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        return float(flat.dot(flat))


def sum_weighted(gradients: Mapping[str, Floats2d], weights: Mapping[str, float]) -> Floats2d:
    """Add up gradients.

    gradients (Mapping[str, Floats2d]): By task, [tokens, width].
    weights (Mapping[str, float]): By task.
    RETURNS (Floats2d): [tokens, width].
    """
    total = None
    for task, gradient in gradients.items():
        weighted = gradient * weights[task]
        total = weighted if total is None else total + weighted
    assert total is not None
    return total


def _no_step() -> None:
    return None
