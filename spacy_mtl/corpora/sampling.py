"""How much of each source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Sampling = Literal["proportional", "uniform", "temperature", "annealed", "ratios"]


@dataclass(frozen=True)
class Sampler:
    """What share of the documents each source gives.

    `"proportional"`: by size. `"uniform"`: the same for all. `"temperature"`: by size to the power
    `exponent` (1 is proportional, 0 uniform; the inverse of what papers call temperature).
    `"annealed"`: as with temperature, the exponent going from `exponent` to `final_exponent` in a
    straight line over `anneal_over` documents. `"ratios"`: as set.

    kind (str): One of the above.
    exponent (float): Of temperature, and where annealing starts.
    final_exponent (float): Where annealing ends.
    anneal_over (int): The number of documents over which it does. A reader does not see training
        steps: it counts the documents that it has given out.
    ratios (Mapping[str, float]): By source, what `"ratios"` shares out; they need not add up to 1.
    """

    kind: Sampling
    exponent: float = 1.0
    final_exponent: float = 0.0
    anneal_over: int = 0
    ratios: Mapping[str, float] = field(default_factory=dict)

    @property
    def needs_sizes(self) -> bool:
        """RETURNS (bool): Whether shares depend on the sizes of the sources."""
        return self.kind in ("proportional", "temperature", "annealed")

    def check(self, sources: list[str], config_key: str) -> None:
        """Check the settings.

        sources (List[str]): The names of the sources.
        config_key (str): Where they stand in the config, for messages.
        RAISES (ValueError): If they make no sense together.
        """
        if self.kind not in get_args(Sampling):
            raise ValueError(
                f"[{config_key}] sampling is '{self.kind}'; set one of "
                f"{', '.join(get_args(Sampling))}."
            )
        if self.kind == "annealed" and self.anneal_over < 1:
            raise ValueError(
                f"[{config_key}] anneal_over is {self.anneal_over}; set the number of documents "
                "over which the exponent goes from exponent to final_exponent."
            )
        if bool(self.ratios) != (self.kind == "ratios"):
            raise ValueError(
                f"[{config_key}] sampling is '{self.kind}', ratios is {dict(self.ratios)}: ratios "
                'go with sampling = "ratios", and only with it.'
            )
        if self.kind == "ratios" and set(self.ratios) != set(sources):
            raise ValueError(
                f"[{config_key}.ratios] names {', '.join(self.ratios)}, but the sources are "
                f"{', '.join(sources)}. Give each source its ratio."
            )
        for name, ratio in self.ratios.items():
            if not ratio > 0.0:
                raise ValueError(
                    f"[{config_key}.ratios] {name} is {ratio}; set more than 0, or remove the "
                    "source."
                )

    def shares(self, sizes: Mapping[str, int], n_drawn: int = 0) -> dict[str, float]:
        """Share a number of documents out.

        sizes (Mapping[str, int]): The number of documents by source; not looked at where
            `needs_sizes` is False.
        n_drawn (int): The number of documents given out so far.
        RETURNS (Dict[str, float]): By source; they add up to 1.
        """
        if self.kind == "ratios":
            amounts = {name: self.ratios[name] for name in sizes}
        else:
            exponent = self._exponent_at(n_drawn)
            amounts = {name: size**exponent if exponent else 1.0 for name, size in sizes.items()}
        total = sum(amounts.values())
        return {name: amount / total for name, amount in amounts.items()}

    def _exponent_at(self, n_drawn: int) -> float:
        if self.kind == "annealed":
            progress = min(1.0, n_drawn / self.anneal_over)
            return self.exponent + progress * (self.final_exponent - self.exponent)
        return {"proportional": 1.0, "uniform": 0.0}.get(self.kind, self.exponent)


def documents_per_pass(
    sizes: Mapping[str, int], shares: Mapping[str, float], pass_length: int
) -> dict[str, int]:
    """Find how many documents of each source make up one pass.

    sizes (Mapping[str, int]): The number of documents by source.
    shares (Mapping[str, float]): By source.
    pass_length (int): The number of documents of a pass; 0 makes it the shortest pass in which each
        source gives every document at least once, so that none is left out.
    RETURNS (Dict[str, int]): By source.
    """
    if pass_length:
        return {name: max(1, round(share * pass_length)) for name, share in shares.items()}
    total = max(size / shares[name] for name, size in sizes.items())
    return {name: max(size, round(total * shares[name])) for name, size in sizes.items()}
