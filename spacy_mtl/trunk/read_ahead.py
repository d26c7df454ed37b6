"""Read batches in a thread of their own while the heads work on the ones before."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.util import minibatch


def pipe_ahead(
    component: TrainablePipe, stream: Iterable[Doc], batch_size: int, n_ahead: int
) -> Iterator[Doc]:
    """Apply a component to a stream as `TrainablePipe.pipe` does, but predict in another thread.

    The stream is read and documents are annotated in the caller's thread. Most of the prediction
    is matrix products, during which other threads can run.

    component (TrainablePipe): The component; its `predict` can run beside the rest of the pipeline.
    stream (Iterable[Doc]): The documents.
    batch_size (int): Documents in a batch.
    n_ahead (int): A batch's documents are given once so many later batches are read from the
        stream, or the stream ends.
    YIELDS (Doc): The documents in order. A batch that fails goes to the component's error handler.
    """
    waiting: deque[tuple[list[Doc], Future[Any]]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix=component.name) as reader:
        try:
            for docs in minibatch(stream, size=batch_size):
                # thinc keeps its choice of a device in the context
                prediction = reader.submit(copy_context().run, component.predict, docs)
                waiting.append((docs, prediction))
                if len(waiting) > n_ahead:
                    yield from _annotate(component, *waiting.popleft())
            while waiting:
                yield from _annotate(component, *waiting.popleft())
        finally:
            for _, prediction in waiting:
                prediction.cancel()


def _annotate(component: TrainablePipe, docs: list[Doc], prediction: Future[Any]) -> list[Doc]:
    try:
        component.set_annotations(docs, prediction.result())
    except Exception as error:
        component.get_error_handler()(component.name, component, docs, error)
        return []
    return docs
