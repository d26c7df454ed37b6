"""Heads that only teach the trunk."""

from collections.abc import Iterable, Iterator
from typing import Any

from spacy.tokens import Doc
from spacy.training import Example

from .head import Head


class TrainingOnlyHead(Head):
    """A head that computes and writes nothing in prediction, so that it costs nothing there.

    Its task is an auxiliary one: a balancer can tell it from those that the pipeline is for.
    """

    is_auxiliary = True

    def __call__(self, doc: Doc) -> Doc:
        """RETURNS (Doc): The document as it is."""
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Let documents through as they are.

        stream (Iterable[Doc]): The documents.
        batch_size (int): Not used.
        YIELDS (Doc): The documents.
        """
        yield from stream

    def predict(self, docs: Iterable[Doc]) -> None:
        """Compute nothing.

        docs (Iterable[Doc]): The documents.
        """

    def set_annotations(self, docs: Iterable[Doc], scores: None) -> None:
        """Write nothing.

        docs (Iterable[Doc]): The documents.
        scores (None): Not used.
        """

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score what the head has learned.

        examples (Iterable[Example]): The examples.
        **kwargs (Any): Passed to the scorer.
        RETURNS (Dict[str, Any]): The scores; none without a scorer.
        """
        return {} if self.scorer is None else super().score(examples, **kwargs)
