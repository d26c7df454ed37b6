"""How a head reads a trunk.

spaCy's `Tok2VecListener` stays the layer that users name in their configs
(`spacy.Tok2VecListener.v1`). A trunk of this package *adopts* each listener it finds: the listener
then reads the trunk's open step, by document, instead of one stored batch.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from spacy.language import Language
from spacy.pipeline import tok2vec as stock
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from .step import TrunkStep


@dataclass
class Upstream:
    """What an adopted listener listens to.

    trunk (str): The trunk's name in the pipeline.
    task (str): The name of the head that the listener belongs to.
    step (Optional[TrunkStep]): The trunk's open step, if any.
    """

    trunk: str
    task: str
    step: TrunkStep | None = None


def expect_trunk(model: Model, task: str) -> None:
    """Let a head's listeners refuse to predict before any trunk has run, instead of giving zeros,
    as spaCy's do.

    model (Model): The head's network.
    task (str): The head's name, for messages.
    """
    for layer in model.walk():
        if isinstance(layer, stock.Tok2VecListener):
            layer.task = task  # type: ignore[attr-defined]
            if layer._func is stock.forward:
                layer._func = forward


def adopt(listener: stock.Tok2VecListener, trunk: str, task: str) -> None:
    """Make a listener read the steps of a trunk of this package.

    listener (Tok2VecListener): A listener inside a head.
    trunk (str): The trunk's name in the pipeline.
    task (str): The head's name in the pipeline.
    """
    if listener._func is stock.forward:
        listener._func = forward
    listener.task = task  # type: ignore[attr-defined]
    listener._outputs = Upstream(trunk, task)  # type: ignore[assignment]
    listener._backprop = None
    listener._batch_id = None


def is_adopted(layer: Model) -> bool:
    """Tell whether a layer is a listener behind a trunk of this package, so that its head may ask
    for a part of the batch.

    layer (Model): Any layer.
    RETURNS (bool): Whether it was adopted.
    """
    return isinstance(getattr(layer, "_outputs", None), Upstream)


def reads(listener: stock.Tok2VecListener, trunk: str) -> bool:
    """Tell whether a listener reads a trunk. Of several that it might, it reads the last.

    listener (Tok2VecListener): A listener inside a head.
    trunk (str): The name of a trunk of this package.
    RETURNS (bool): Whether it was adopted by that trunk.
    """
    upstream = getattr(listener, "_outputs", None)
    return isinstance(upstream, Upstream) and upstream.trunk == trunk


def open_step(listener: stock.Tok2VecListener, step: TrunkStep | None) -> None:
    """Let a listener read a step, or none.

    listener (Tok2VecListener): An adopted listener.
    step (Optional[TrunkStep]): The step; None ends the listener's access.
    """
    listener._outputs.step = step  # type: ignore[attr-defined]


def report_num_targets(model: Model, number: float) -> None:
    """Tell the trunk how many things a head had to tell in this batch: tags of tokens, categories
    of documents. Balancers that give larger tasks a larger share use it.

    model (Model): The head's network. Nothing happens where it does not listen to a trunk of this
        package, or the trunk is frozen.
    number (float): The number of decisions that the head's loss is a mean over.
    """
    for layer in model.walk():
        upstream = getattr(layer, "_outputs", None)
        if isinstance(upstream, Upstream) and upstream.step is not None:
            upstream.step.report_num_targets(upstream.task, number)
            return


def forward(
    listener: stock.Tok2VecListener, docs: Sequence[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[Any], list[Any]]]:
    """Supply the trunk's output.

    In training: from the trunk's open step, or, where the trunk is frozen and annotates, from
    `Doc.tensor`. In prediction: from `Doc.tensor`, or from the open step for a head that annotates
    during training (`[training] annotating_components`) while the trunk itself does not.

    listener (Tok2VecListener): The adopted listener.
    docs (Sequence[Doc]): The head's documents.
    is_train (bool): Whether gradients are wanted.
    RETURNS (Tuple[List[Floats2d], Callable]): One [tokens, width] array per document, and the
        callback for their gradients.
    RAISES (ValueError): If there is no trunk, or it did not run on the documents.
    """
    upstream = getattr(listener, "_outputs", None)
    if not isinstance(upstream, Upstream):  # behind a stock trunk, or none
        if not is_train:
            _require_vectors(listener, docs)
        return stock.forward(listener, docs, is_train)
    width = listener.get_dim("nO")
    if is_train and upstream.step is not None:
        positions = upstream.step.find_positions(upstream.task, docs)
        if positions is not None:
            outputs, report = upstream.step.outputs_for(upstream.task, positions)
            if outputs and outputs[0].shape[1] != width:
                raise ValueError(
                    wrong_width_message(upstream.task, width, upstream.trunk, outputs[0].shape[1])
                )
            return outputs, report
        if not all(_has_vectors(doc, width) for doc in docs):
            raise ValueError(upstream.step.unknown_documents_message(upstream.task, docs))
    return [_vectors_of(doc, width, listener, upstream) for doc in docs], _ignore_gradient


def wrong_width_message(task: str, expected: int, trunk: str, width: int) -> str:
    """Explain that a head does not fit its trunk.

    task (str): The head's name.
    expected (int): The width that its listener expects.
    trunk (str): The trunk's name.
    width (int): The width that the trunk gives.
    RETURNS (str): The message.
    """
    return (
        f"Component '{task}' expects vectors of width {expected}, but its trunk '{trunk}' gives "
        f"{width}. Set [components.{task}.model.tok2vec] width = {width}, or to "
        f"${{components.{trunk}.model.width}}."
    )


def _has_vectors(doc: Doc, width: int) -> bool:
    return not len(doc) or _shape_of(doc) == (len(doc), width)


def _shape_of(doc: Doc) -> tuple[int, ...]:
    """The shape of Doc.tensor, which spaCy's `doc_cleaner` sets to None."""
    return (0,) if doc.tensor is None else tuple(doc.tensor.shape)


def _vectors_of(
    doc: Doc, width: int, listener: stock.Tok2VecListener, upstream: Upstream
) -> Floats2d:
    if len(doc) and _has_vectors(doc, width):
        return cast(Floats2d, doc.tensor)
    if upstream.step is not None and upstream.step.holds(doc):
        return upstream.step.output_of(doc)
    if not len(doc) or in_initialization():
        return listener.ops.alloc2f(len(doc), width)
    raise ValueError(_no_vectors_message(upstream, doc, width))


def _ignore_gradient(gradient: Any) -> list[Any]:
    return []


def in_initialization() -> bool:
    """Tell whether a layer is called by another one's `initialize`.

    Layers infer their shapes from a sample before any trunk has run: zeros are right there.

    RETURNS (bool): Whether it is.
    """
    return _is_within(Model.initialize)


def _is_within(function: Callable[..., Any]) -> bool:
    """Whether a function is being called, somewhere up the stack."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code is function.__code__:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _require_vectors(listener: stock.Tok2VecListener, docs: Sequence[Doc]) -> None:
    if all(doc.tensor.size or not len(doc) for doc in docs) or in_initialization():
        return
    task, trunk = listener.task, listener.upstream_name  # type: ignore[attr-defined]
    source = "a trunk" if trunk == "*" else f"the trunk '{trunk}'"
    raise ValueError(
        f"Component '{task}' reads {source}, but "
        "none ran on this document (Doc.tensor is empty): the pipeline was loaded without the "
        f"trunk ('exclude'), or it is disabled or comes after '{task}'. Load the whole pipeline, "
        "and leave out only heads."
    )


def _no_vectors_message(upstream: Upstream, doc: Doc, width: int) -> str:
    trunk, task, shape = upstream.trunk, upstream.task, _shape_of(doc)
    if _is_within(Language.rehearse):
        return (
            f"In nlp.rehearse, component '{task}' reads the trunk '{trunk}', which does not run "
            f"there. Give it documents that '{trunk}' annotated: Example(nlp(text), reference)."
        )
    if shape[0] == len(doc):
        return wrong_width_message(task, width, trunk, shape[1])
    return (
        f"Component '{task}' reads the trunk '{trunk}', but '{trunk}' did not run on this document "
        f"({len(doc)} tokens, Doc.tensor of shape {shape}), or another component cleared "
        f"Doc.tensor or changed the tokens since. Enable '{trunk}', keep it before '{task}' in the "
        f"pipeline, and put components such as doc_cleaner and token_splitter behind '{task}'. In "
        f"training with a frozen trunk, list '{trunk}' in [training] annotating_components."
    )
