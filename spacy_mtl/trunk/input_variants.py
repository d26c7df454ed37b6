"""Documents that a head wants the trunk to read in another form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from spacy.tokens import Doc
from spacy.training import Example


@dataclass(frozen=True)
class InputVariant:
    """A document of a batch in the form that a head wants read.

    position (int): The document's place in the batch.
    doc (Doc): The other form, of as many tokens.
    replaces (bool): Whether no other head learns from the document, so that its own form need not
        be read as well.
    """

    position: int
    doc: Doc
    replaces: bool


@runtime_checkable
class NeedsOwnInput(Protocol):
    """A head that learns from documents in a form of its own."""

    name: str

    def connect(self, trunk: Any) -> None:
        """Take note of the trunk that the head reads.

        trunk (MultiTaskTok2Vec): The trunk.
        """

    def prepare(self, examples: Sequence[Example]) -> list[InputVariant]:
        """Say in what form the trunk is to read a batch. The head's update on it follows, with the
        documents of the readings.

        examples (Sequence[Example]): The batch.
        RETURNS (List[InputVariant]): The readings, for some of its documents.
        """


def merge_inputs(docs: Sequence[Doc], readings: Sequence[InputVariant]) -> list[Doc]:
    """Find what the trunk is to read.

    docs (Sequence[Doc]): The batch.
    readings (Sequence[InputVariant]): All heads' readings.
    RETURNS (List[Doc]): As many documents as the batch, some of them replaced by a reading; and
        behind them the readings that replace none.
    """
    inputs = list(docs)
    for reading in readings:
        if reading.replaces and inputs[reading.position] is docs[reading.position]:
            inputs[reading.position] = reading.doc
        else:
            inputs.append(reading.doc)
    return inputs
