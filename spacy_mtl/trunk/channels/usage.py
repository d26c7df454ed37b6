"""How much of each layer and expert the heads of a pipeline use."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch
from thinc.api import Model
from thinc.util import xp2torch
from torch import nn

from ...models.encoders.channels import Channel
from ...models.layers.features import join_rows
from ..component import MultiTaskTok2Vec
from ..listener import reads
from .gate import ExpertGate
from .listener import ChannelListener
from .scalar_mix import ScalarMix

BATCH_SIZE = 64
SCALE = "scale"
Gate = tuple[MultiTaskTok2Vec, ChannelListener, ExpertGate]


def listener_weights(nlp: Language, docs: Iterable[Doc] = ()) -> dict[str, dict[str, float]]:
    """Find out what the heads of a trained pipeline read of their trunk.

    nlp (Language): The pipeline.
    docs (Iterable[Doc]): Any documents, for listeners with a gate, whose choice depends on the
        token; they are left as they are.
    RETURNS (Dict[str, Dict[str, float]]): By the name of the head, the share of each layer
        ("layer 0") or expert ("expert 0", a mean over the tokens); a mixture of layers also has its
        "scale". Heads that read nothing but the trunk's output are left out, and so are those with
        a gate if there are no documents.
    """
    gates: dict[str, Gate] = {}
    found: dict[str, dict[str, float]] = {}
    for trunk, task, listener, module in _channel_listeners(nlp):
        channels = listener.channels(listener.exposure)
        if isinstance(module, ScalarMix):
            found[task] = {
                **_by_channel(channels, module.shares().tolist()),
                SCALE: module.scale.item(),
            }
        elif isinstance(module, ExpertGate):
            found[task] = {}  # keeps its place
            gates[task] = trunk, listener, module
        else:
            found[task] = _by_channel(channels, [1.0])
    found.update(_mean_shares(gates, docs))
    return {task: weights for task, weights in found.items() if weights}


def _channel_listeners(
    nlp: Language,
) -> Iterator[tuple[MultiTaskTok2Vec, str, ChannelListener, nn.Module | None]]:
    """The trunk, the head, the listener and the module that mixes what it reads, if any."""
    for _, trunk in nlp.pipeline:
        if isinstance(trunk, MultiTaskTok2Vec):
            for task, listeners in trunk.listener_map.items():
                modules = _mixing_modules(nlp.get_pipe(task).model)  # type: ignore[attr-defined]
                for listener in listeners:
                    if isinstance(listener, ChannelListener) and reads(listener, trunk.name):
                        yield trunk, task, listener, modules.get(listener.id)


def _mixing_modules(model: Model) -> dict[int, nn.Module]:
    return {
        node.layers[0].id: cast(nn.Module, node.layers[1].shims[0]._model)
        for node in model.walk()
        if len(node.layers) == 2
        and isinstance(node.layers[0], ChannelListener)
        and node.layers[1].shims
    }


def _mean_shares(gates: Mapping[str, Gate], docs: Iterable[Doc]) -> dict[str, dict[str, float]]:
    sums: dict[str, torch.Tensor] = {}
    n_tokens = 0
    trunks = {trunk.name: trunk for trunk, _, _ in gates.values()}
    for batch in minibatch(docs, BATCH_SIZE) if gates else ():
        copies = [doc.copy() for doc in batch if len(doc)]
        n_tokens += sum(len(doc) for doc in copies)
        for trunk in trunks.values():
            trunk.set_annotations(copies, trunk.predict(copies))
            for task, (own, listener, module) in gates.items():
                if own is trunk and copies:
                    rows = xp2torch(join_rows(listener.ops, listener.predict(copies)))
                    with torch.no_grad():
                        sums[task] = sums.get(task, 0.0) + module.shares(rows).sum(0)
    return {
        task: _by_channel(
            gates[task][1].channels(gates[task][1].exposure)[1:], (total / n_tokens).tolist()
        )
        for task, total in sums.items()
    }


def _by_channel(channels: Sequence[Channel], shares: Sequence[float]) -> dict[str, float]:
    return {
        f"{channel.kind} {channel.number}": share
        for channel, share in zip(channels, shares, strict=True)
    }
