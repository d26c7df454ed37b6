"""What a listener asks its trunk for."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from ...models.encoders.channels import Channel, OutputSpec

SHOWING = (
    "spacy_mtl.HashEmbedCNN.v1, spacy_mtl.HashEmbedBiLSTM.v1 or spacy_mtl.HashEmbedAttention.v1"
)


@dataclass(frozen=True)
class Place:
    """Where a listener stands, for messages.

    architecture (str): The listener's registered name.
    task (str): The name of its head.
    trunk (str): The name of its trunk.
    """

    architecture: str
    task: str
    trunk: str

    def __str__(self) -> str:
        return f"[components.{self.task}.model.tok2vec] {self.architecture}"


class Request(ABC):
    """What a listener asks for, in terms that fit any network."""

    @abstractmethod
    def channels(self, exposure: OutputSpec | None, place: Place) -> tuple[Channel, ...]:
        """Say it in terms of one network.

        exposure (Optional[OutputSpec]): What the trunk's network can show.
        place (Place): Where the listener stands.
        RETURNS (Tuple[Channel, ...]): The channels, in the order in which the listener reads them.
        RAISES (ValueError): If the network can't show them.
        """


@dataclass(frozen=True)
class Layers(Request):
    """Some layers of the encoder.

    numbers (Optional[Tuple[int, ...]]): Their numbers; negative ones count from the last, -1. None
        for all.
    """

    numbers: tuple[int, ...] | None

    def channels(self, exposure: OutputSpec | None, place: Place) -> tuple[Channel, ...]:
        """See `Request.channels`."""
        if exposure is None or (len(exposure.layers) == 1 and self.numbers != (-1,)):
            raise ValueError(
                f"{place} reads layers of the trunk '{place.trunk}', whose network shows only its "
                f"last one. Set [components.{place.trunk}.model] @architectures to {SHOWING}, or "
                f"[components.{place.task}.model.tok2vec] @architectures to "
                "spacy.Tok2VecListener.v1."
            )
        last = exposure.layers[-1]
        numbers = exposure.layers if self.numbers is None else self.numbers
        for number in numbers:
            if not -last - 1 <= number <= last:
                raise ValueError(
                    f"{place} asks for layer {number} of the trunk '{place.trunk}', which has "
                    f"layers 0 (the embedding) to {last}. Choose among these; -1 is the last."
                )
        return tuple(Channel("layer", number % (last + 1)) for number in numbers)


@dataclass(frozen=True)
class EncodingAndExperts(Request):
    """The shared encoding, and then what each expert makes of it."""

    def channels(self, exposure: OutputSpec | None, place: Place) -> tuple[Channel, ...]:
        """See `Request.channels`."""
        if exposure is None or not exposure.n_experts:
            raise ValueError(
                f"{place} chooses among experts, but the trunk '{place.trunk}' has none. Set "
                f"[components.{place.trunk}.model] @architectures = "
                "spacy_mtl.MixtureOfExperts.v1, with the present network as its 'encoder'."
            )
        return (exposure.encoding, *exposure.experts)
