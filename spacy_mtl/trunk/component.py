"""The trunk: one shared token-to-vector network behind which several heads train."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

from spacy.language import Language
from spacy.pipeline import EntityLinker, TextCategorizer
from spacy.pipeline.tok2vec import Tok2Vec, Tok2VecListener
from spacy.tokens import Doc
from spacy.training import Example, validate_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate
from thinc.types import Floats2d

from ..balancing.balancer import Balancer
from ..balancing.gradients import TaskGradients
from ..models.encoders.channels import Channel, Layout, find_output_spec, with_channels
from ..util.finite import diverged
from ..util.serialization import CheckedFiles
from .channels.listener import ChannelListener
from .channels.store import ChannelOutputs, store_channels
from .input_variants import NeedsOwnInput, merge_inputs
from .leftovers import unknown_tasks_message
from .links import take_width
from .listener import adopt, open_step, reads, wrong_width_message
from .parameter_gradients import ParameterGradients
from .read_ahead import pipe_ahead
from .records import StepRecords
from .replay import Replay
from .step import TrunkStep, squared_norm, sum_weighted

Level = Literal["hub", "parameters"]
BALANCER_STATE = "balancer"  # in `cfg`, as text: srsly rounds numbers to ten places
MEAN_LOSSES = (TextCategorizer, EntityLinker)  # the losses they report are means already


class MultiTaskTok2Vec(CheckedFiles, Tok2Vec):
    """A `Tok2Vec` that keeps the gradients of its heads apart and loses none.

    spaCy's own component runs the shared backward pass when the *last* listener calls back: if
    that head skips the batch, is frozen, excluded or disabled, the gradients of all heads are lost
    without a word. Here every head's gradient is stored under the head's name, a balancer gives
    each a weight, and one backward pass runs in `finish_update`, or at the start of the next
    `update` where that comes first. A batch with at least one gradient is passed back exactly
    once.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "tok2vec",
        *,
        balancer: Balancer,
        level: Level = "hub",
        read_ahead: int = 0,
    ) -> None:
        """Create a trunk.

        vocab (Vocab): The shared vocabulary.
        model (Model[List[Doc], List[Floats2d]]): Any token-to-vector network.
        name (str): The component's name in the pipeline.
        balancer (Balancer): Gives each task's gradient its weight.
        level (Literal["hub", "parameters"]): Where the balancer compares gradients: at a linear
            layer on the trunk's output, or, exactly, at all of the trunk's parameters, for one
            more forward and backward pass of the trunk per task.
        read_ahead (int): In `pipe`, so many batches are read in a thread of the trunk's own while
            the heads work on the ones before; 0 for none.
        RAISES (ValueError): If `read_ahead` is below 0.
        """
        super().__init__(vocab, model, name)
        if read_ahead < 0:
            raise ValueError(
                f"[components.{name}] read_ahead is {read_ahead}; it is a number of batches, 0 for "
                "none."
            )
        self.read_ahead = read_ahead
        self.balancer = balancer
        self.level = level
        self.records = StepRecords()
        self._step: TrunkStep | None = None
        self._normalized_tasks: set[str] = set()
        self._mean_losses: set[str] = set()
        self._auxiliary: set[str] = set()
        self._own_readers: dict[str, NeedsOwnInput] = {}
        self._detached: set[str] = set()
        self._n_updates = 0

    @property
    def detached_tasks(self) -> frozenset[str]:
        """RETURNS (FrozenSet[str]): The tasks whose gradients the trunk ignores."""
        return frozenset(self._detached)

    def detach(self, task: str) -> None:
        """Ignore a task from the next update on: it is absent for the balancer, and no gradient of
        its head reaches the network. The head itself may go on learning.

        task (str): The head's name.
        """
        self._detached.add(task)

    def attach(self, task: str) -> None:
        """Let a task take part again that was detached.

        task (str): The head's name.
        """
        self._detached.discard(task)

    def add_listener(self, listener: Tok2VecListener, component_name: str) -> None:
        """Add the listener of a head. Usually internal.

        listener (Tok2VecListener): The layer that reads this trunk.
        component_name (str): The head's name: the name of its task.
        """
        super().add_listener(listener, component_name)
        adopt(listener, self.name, component_name)
        take_width(listener, self.model)
        if isinstance(listener, ChannelListener):
            listener.exposure = find_output_spec(self.model)

    def find_listeners(self, component: Any) -> None:
        """Add all listeners of a component that listen to this trunk. Usually internal.

        component (Any): A pipeline component: any callable. Without a network it reads no trunk.
        """
        super().find_listeners(component)
        if not isinstance(getattr(component, "model", None), Model):
            return
        if isinstance(component, NeedsOwnInput) and self._is_read_by(component.name):
            self._own_readers[component.name] = component
            component.connect(self)
        for tasks, is_one in (
            (self._normalized_tasks, getattr(component, "normalizes_gradient", False)),
            (self._mean_losses, isinstance(component, MEAN_LOSSES)),
            (self._auxiliary, getattr(component, "is_auxiliary", False)),
        ):
            tasks.discard(component.name)
            if is_one:
                tasks.add(component.name)

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
    ) -> None:
        """Initialize the network and check that the heads fit it.

        get_examples (Callable[[], Iterable[Example]]): A representative sample.
        nlp (Optional[Language]): The pipeline.
        RAISES (ValueError): If a head expects another width, or layers or experts that the network
            does not have, the balancer names a component that is not in the pipeline, or another
            trunk comes between this one and a head.
        """
        super().initialize(get_examples, nlp=nlp)
        self._check_width()
        if nlp is not None:
            self._check_named_tasks(nlp)
            self._check_order(nlp)

    def predict(self, docs: Iterable[Doc]) -> list[Floats2d]:
        """Run the network on a batch.

        docs (Iterable[Doc]): The documents.
        RETURNS (List[Floats2d]): [tokens, width] for each document; with the layers or experts
            that heads read, for `set_annotations`.
        """
        docs = list(docs)
        layout = self._find_layout()
        if layout is None or not any(len(doc) for doc in docs):
            return cast(list[Floats2d], super().predict(docs))
        channels = with_channels(self.model, layout.channels).predict(docs)
        return ChannelOutputs(self.model.ops, channels, layout)

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Run the network on a stream of documents.

        stream (Iterable[Doc]): The documents.
        batch_size (int): Documents in a batch.
        YIELDS (Doc): The documents in order. With `read_ahead`, a batch's documents come once so
            many later batches are read from the stream.
        """
        if self.read_ahead:
            return pipe_ahead(self, stream, batch_size, self.read_ahead)
        return cast(Iterator[Doc], super().pipe(stream, batch_size=batch_size))

    def set_annotations(self, docs: Sequence[Doc], tokvecses: Sequence[Floats2d]) -> None:
        """Set `Doc.tensor`, and let the heads behind read their layers or experts.

        docs (Sequence[Doc]): The documents.
        tokvecses (Sequence[Floats2d]): What `predict` gave.
        """
        super().set_annotations(docs, tokvecses)
        if isinstance(tokvecses, ChannelOutputs):
            store_channels(docs, tokvecses)

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Run the network on a batch and let the heads read it.

        The heads' gradients of the batch before are passed back first, if that is still to be
        done.

        examples (Iterable[Example]): The batch.
        drop (float): The dropout rate.
        sgd (Optional[Optimizer]): Where given, `finish_update` is called with it at the end.
        losses (Optional[Dict[str, float]]): Gets the squared norm of the gradient at the trunk's
            output, as with spaCy's `Tok2Vec`, under the trunk's name.
        RETURNS (Dict[str, float]): The updated losses.
        RAISES (DivergedError): If a loss or gradient of the batch before is not finite.
        """
        if losses is None:
            losses = {}
        examples = list(examples)
        validate_examples(examples, "MultiTaskTok2Vec.update")
        self.flush()
        self._n_updates += 1
        losses.setdefault(self.name, 0.0)
        docs = [eg.predicted for eg in examples]
        set_dropout_rate(self.model, drop)
        inputs = self._find_inputs(examples)
        layout = self._find_layout()
        network = self.model if layout is None else with_channels(self.model, layout.channels)
        replay = Replay(network, inputs) if self.level == "parameters" else None
        tokvecs, backprop = network.begin_update(inputs)
        self._step = TrunkStep(
            self.name,
            docs,
            tokvecs,
            backprop,
            losses,
            self.model.ops,
            replay=replay,
            layout=layout,
            inputs=inputs,
            ignored=self.detached_tasks,
            n_updates=self._n_updates,
        )
        for listener in self.listeners:
            open_step(listener, self._step)
        if sgd is not None:
            self.finish_update(sgd)
        return losses

    def finish_update(self, sgd: Optimizer) -> None:
        """Pass the heads' gradients back, if they have come, and update the parameters.

        In `nlp.update(..., sgd=sgd)` spaCy calls this before the heads have run; their gradients
        then join the next update, one batch later.

        sgd (Optimizer): The optimizer.
        RAISES (DivergedError): If a loss or gradient is not finite.
        """
        if self._step is not None and self._step.has_reports:
            self.flush()
        try:
            super().finish_update(sgd)
        except FloatingPointError as error:
            raise diverged(self.name, str(error), self._n_updates) from error

    def flush(self) -> None:
        """Pass the gradients of the open batch back through the network and close the batch.

        Does nothing where no batch is open. A batch without any gradient is let go.

        RAISES (DivergedError): If a loss or the gradient is not finite; the batch is let go.
        """
        step, self._step = self._step, None
        for listener in self.listeners:
            open_step(listener, None)
        if step is not None and step.has_reports:
            tasks = step.gather(self._annotated_units, self._loss_units, self._auxiliary)
            if tasks.tasks:
                for task, loss in tasks.losses.items():
                    if not math.isfinite(loss):
                        raise diverged(task, f"its loss is {loss}", self._n_updates)
                added = self._backward(step, tasks)
                step.losses[self.name] = step.losses.get(self.name, 0.0) + added

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Save the trunk, and what its balancer learned.

        path (Union[str, Path]): The trunk's folder.
        exclude (Iterable[str]): Names of parts to leave out.
        """
        self.cfg[BALANCER_STATE] = json.dumps(self.balancer.get_state())
        super().to_disk(path, exclude=tuple(exclude))

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Save the trunk, and what its balancer learned, to bytes.

        exclude (Iterable[str]): Names of parts to leave out.
        RETURNS (bytes): The trunk.
        """
        self.cfg[BALANCER_STATE] = json.dumps(self.balancer.get_state())
        return super().to_bytes(exclude=tuple(exclude))

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "MultiTaskTok2Vec":
        """Load the trunk from bytes.

        bytes_data (bytes): What `to_bytes` gave.
        exclude (Iterable[str]): Names of parts to leave out.
        RETURNS (MultiTaskTok2Vec): The trunk itself.
        """
        super().from_bytes(bytes_data, exclude=tuple(exclude))
        self._restore_balancer()
        return self

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "MultiTaskTok2Vec":
        """Load the trunk from disk.

        path (Union[str, Path]): The trunk's folder.
        exclude (Iterable[str]): Names of parts to leave out.
        RETURNS (MultiTaskTok2Vec): The trunk itself.
        RAISES (ValueError): If a file is missing or damaged.
        """
        super().from_disk(path, exclude=exclude)
        self._restore_balancer()
        return self

    def _backward(self, step: TrunkStep, tasks: TaskGradients) -> float:
        """RETURNS (float): The squared norm of the gradient that entered the backward pass."""
        if self.level == "parameters":
            by_task = ParameterGradients.of_each_task(self.model, step, tasks)
            tasks = replace(tasks, find_gram=by_task.gram)
        weights = self.balancer.weigh(tasks)
        total = sum_weighted(tasks.gradients, weights)  # [tokens, width]
        added = squared_norm(total)
        if not math.isfinite(added):
            found = f"its gradient, with {type(self.balancer).__name__}'s weights {weights}"
            raise diverged(self.name, f"{found}, is not finite", self._n_updates)
        if self.level == "parameters":
            by_task.add_up(weights)
        else:
            step.backward(total)
        self.records.take(tasks, weights)
        return added

    def _find_inputs(self, examples: list[Example]) -> list[Doc]:
        """The batch as the heads want it read; see `merge_inputs`."""
        readings = [
            reading
            for task, head in self._own_readers.items()
            if self._is_read_by(task)
            for reading in head.prepare(examples)
        ]
        return merge_inputs([eg.predicted for eg in examples], readings)

    def _restore_balancer(self) -> None:
        state = self.cfg.get(BALANCER_STATE)
        if state:
            with self._explained(f"'{BALANCER_STATE}' in its file 'cfg' is damaged"):
                self.balancer.set_state(json.loads(state))

    def _loss_units(self, task: str, gradient: Floats2d) -> int:
        """spaCy's components add up their losses over tokens, but for a few that report means."""
        return 1 if task in self._mean_losses else self._annotated_units(task, gradient)

    def _annotated_units(self, task: str, gradient: Floats2d) -> int:
        if task in self._normalized_tasks:
            return 1
        return int(gradient.any(axis=1).sum())

    def _find_layout(self) -> Layout | None:
        """What the listeners ask for besides the output; None where it is nothing."""
        listeners = [one for one in self.listeners if isinstance(one, ChannelListener)]
        if not listeners:
            return None
        exposure = find_output_spec(self.model)
        wanted: set[Channel] = set()
        for listener in listeners:
            listener.exposure = exposure
            wanted.update(listener.channels(exposure))
        assert exposure is not None
        return None if wanted == {exposure.output} else Layout(exposure, wanted)

    def _check_width(self) -> None:
        self._find_layout()
        width = self.model.get_dim("nO") if self.model.has_dim("nO") else None
        for task, listeners in self.listener_map.items():
            for listener in listeners:
                take_width(listener, self.model)
                if isinstance(listener, ChannelListener):
                    continue
                expected = listener.get_dim("nO")
                if width is not None and width != expected:
                    raise ValueError(wrong_width_message(task, expected, self.name, width))

    def _check_named_tasks(self, nlp: Language) -> None:
        unknown = [task for task in self.balancer.named_tasks if task not in nlp.component_names]
        if unknown:
            raise ValueError(unknown_tasks_message(nlp, self.name, unknown))

    def _check_order(self, nlp: Language) -> None:
        """Two trunks write to the same `Doc.tensor`: each needs its heads right behind it."""
        trunk = self.name
        for name, component in nlp.pipeline:
            if name == self.name or isinstance(component, Tok2Vec):
                trunk = name
            elif trunk != self.name and self._is_read_by(name):
                raise ValueError(
                    f"Component '{name}' reads the trunk '{self.name}', but '{trunk}' comes "
                    f"between them and overwrites Doc.tensor. In [nlp] pipeline, put '{name}' "
                    f"before '{trunk}'."
                )

    def _is_read_by(self, task: str) -> bool:
        return any(reads(listener, self.name) for listener in self.listener_map.get(task, []))
