"""A listener that reads more of a trunk than its output."""

from collections.abc import Callable, Sequence
from typing import Any

from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ...models.encoders.channels import Channel, OutputSpec
from ..listener import Upstream, in_initialization
from ..listener import forward as read_output
from .requests import Place, Request
from .store import holds, load_channels


class ChannelListener(Tok2VecListener):
    """Gives a head the channels of the trunk that it asks for, next to each other:
    [tokens, width of all channels] for each document.
    """

    name = "channel_listener"

    def __init__(self, upstream_name: str, width: int, architecture: str, request: Request) -> None:
        """Create a listener.

        upstream_name (str): The trunk's name, or "*" for any.
        width (int): The width of what the head gets in the end, from one channel or a mixture.
        architecture (str): The registered name that the user knows it by.
        request (Request): What it asks for.
        """
        Model.__init__(self, name=self.name, forward=forward, dims={"nO": width})
        self.upstream_name = upstream_name
        self.architecture = architecture
        self.request = request
        self.exposure: OutputSpec | None = None
        self._batch_id = None
        self._outputs = None
        self._backprop = None

    @property
    def upstream(self) -> Upstream:
        """RETURNS (Upstream): What it listens to.
        RAISES (ValueError): If that is no trunk of this package.
        """
        upstream = self._outputs
        if not isinstance(upstream, Upstream):
            raise ValueError(
                f"{self.architecture}{self._owner()} found no trunk to read: it needs a component "
                'with factory = "mtl_tok2vec" before its own in [nlp] pipeline (spaCy\'s own '
                '"tok2vec" and "transformer" show only their output). The trunk that it asks for, '
                f"'upstream', is '{self.upstream_name}'."
            )
        return upstream

    def _owner(self) -> str:
        task = getattr(self, "task", None)
        return f" of component '{task}'" if task else ""

    def channels(self, exposure: OutputSpec | None) -> tuple[Channel, ...]:
        """Find out what of a trunk it is to read.

        exposure (Optional[OutputSpec]): What the trunk can show.
        RETURNS (Tuple[Channel, ...]): The channels; the width of the last is the listener's.
        RAISES (ValueError): If the trunk can't show them, or they have another width.
        """
        upstream = self.upstream
        place = Place(self.architecture, upstream.task, upstream.trunk)
        channels = self.request.channels(exposure, place)
        assert exposure is not None
        width, expected = exposure.width(channels[-1]), self.get_dim("nO")
        if width != expected:
            raise ValueError(
                f"{place} has width = {expected}, but what it reads of the trunk "
                f"'{upstream.trunk}' ({channels[-1].kind} {channels[-1].number}) has {width}. Set "
                f"width = {width}."
            )
        return channels


def forward(
    listener: ChannelListener, docs: Sequence[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[Any], list[Any]]]:
    """Supply channels of the trunk: in training from its open step, in prediction those that it
    showed of each document.

    listener (ChannelListener): The listener.
    docs (Sequence[Doc]): The head's documents.
    is_train (bool): Whether gradients are wanted.
    RETURNS (Tuple[List[Floats2d], Callable]): [tokens, width of all channels] for each document,
        and the callback for their gradients.
    RAISES (ValueError): If the trunk did not run on the documents.
    """
    upstream = listener.upstream
    if _reads_output(listener):
        return read_output(listener, docs, is_train)
    step = upstream.step
    if is_train and step is not None:
        positions = step.find_positions(upstream.task, docs)
        if positions is not None:
            return step.outputs_for(upstream.task, positions, listener.channels(listener.exposure))
        if any(len(doc) and load_channels(doc) is None for doc in docs):
            raise ValueError(step.unknown_documents_message(upstream.task, docs))
    return [_channels_of(doc, listener, upstream) for doc in docs], _ignore_gradient


def _reads_output(listener: ChannelListener) -> bool:
    """Tell whether a listener asks for no more than what `Doc.tensor` holds."""
    exposure = listener.exposure
    return exposure is not None and listener.channels(exposure) == (exposure.output,)


def _channels_of(doc: Doc, listener: ChannelListener, upstream: Upstream) -> Floats2d:
    shown = load_channels(doc) if len(doc) else None
    if shown is not None and len(shown[0]) == len(doc):
        rows, layout = shown
        channels = listener.channels(layout.exposure)
        if holds(layout, channels):
            return rows if channels == layout.channels else rows[:, layout.columns(channels)]
    if upstream.step is not None and upstream.step.holds(doc):
        return upstream.step.output_of(doc, listener.channels(listener.exposure))
    if not len(doc) or in_initialization():
        channels = listener.channels(listener.exposure)
        assert listener.exposure is not None
        return listener.ops.alloc2f(len(doc), listener.exposure.total_width(channels))
    raise ValueError(
        f"Component '{upstream.task}' reads layers or experts of the trunk '{upstream.trunk}', but "
        f"'{upstream.trunk}' did not run on this document ({len(doc)} tokens) as it is now: what "
        "it shows is not saved or copied with a document, and is void once tokens are merged or "
        f"split. Enable '{upstream.trunk}' and let it run on the same Doc before "
        f"'{upstream.task}'. In training with a frozen trunk, list '{upstream.trunk}' in "
        "[training] annotating_components."
    )


def _ignore_gradient(gradient: Any) -> list[Any]:
    return []
