"""What is compared: every balancing method, static weights, and each task alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .training import HEADS, SCAFFOLD

PLAIN = "sum of mean losses"
TUNED = "tuned static weights"
ALONE = "alone: "
TUNED_WEIGHTS = {"ner": 1.0, "textcat": 0.04, "srl": 0.3}  # those of configs/multitask.cfg
DRAW_RANDOM_NUMBERS = ("RandomWeights", "PCGrad", "GradVac")


@dataclass(frozen=True)
class Method:
    """One row of the table.

    name (str): Its name there.
    balancer (str): A registered name without `spacy_mtl.` and `.v1`.
    settings (Mapping[str, Any]): Settings of the balancer.
    heads (Tuple[str, ...]): The heads that are trained.
    """

    name: str
    balancer: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    heads: tuple[str, ...] = HEADS

    def block(self, seed: int) -> dict[str, Any]:
        """Make the block `[components.tok2vec.balancer]`.

        seed (int): For methods that draw random numbers.
        RETURNS (Dict[str, Any]): The block.
        """
        block: dict[str, Any] = {"@misc": f"spacy_mtl.{self.balancer}.v1", **self.settings}
        if self.balancer in DRAW_RANDOM_NUMBERS:
            block["seed"] = seed
        return block


_METHODS = [
    *(Method(f"{ALONE}{head}", "StaticWeights", heads=(head,)) for head in HEADS),
    Method(PLAIN, "StaticWeights"),
    Method(TUNED, "StaticWeights", {"weights": TUNED_WEIGHTS}),
    Method("equal norms", "Uniform", {"normalize": "norm"}),
    Method("TargetCountNorms", "TargetCountNorms"),
    *(
        Method(f"TargetCountNorms, power {power}", "TargetCountNorms", {"power": power})
        for power in (0.25, 0.5, 0.75, 1.0)
    ),
    Method("TargetCountNorms, with syntax", "TargetCountNorms", heads=(*HEADS, SCAFFOLD)),
    *(
        Method(
            f"TargetCountNorms, power {power}, with syntax",
            "TargetCountNorms",
            {"power": power},
            (*HEADS, SCAFFOLD),
        )
        for power in (0.25, 0.5)
    ),
    Method("roles with syntax", "TargetCountNorms", heads=("srl", SCAFFOLD)),
    *(
        Method(
            f"norms 1 : {textcat} : {srl}",
            "Constant",
            {"normalize": "norm", "weights": {"textcat": textcat, "srl": srl}},
        )
        for textcat, srl in ((0.1, 2.0), (0.1, 4.0))
    ),
    Method("UPGrad", "UPGrad"),
    Method("UPGrad, equal norms", "UPGrad", {"normalize": "norm"}),
    Method("DBMTL", "DBMTL"),
    Method("UW", "UW"),
    Method("IMTLL", "IMTLL"),
    Method("GeometricMean", "GeometricMean"),
    Method("GradNorm", "GradNorm"),
    Method("PCGrad", "PCGrad"),
    Method("AlignedMTL", "AlignedMTL"),
    Method("DWA", "DWA"),
    Method("FAMO", "FAMO"),
    Method("RandomWeights", "RandomWeights"),
    Method("STCH", "STCH"),
    Method("MGDA", "MGDA"),
    Method("IMTLG", "IMTLG"),
    Method("CAGrad", "CAGrad"),
    Method("FairGrad", "FairGrad"),
    Method("DualProj", "DualProj"),
    Method("GradVac", "GradVac"),
    Method("PriorityDescent, srl", "PriorityDescent", {"main": "srl"}),
    Method(
        "PriorityDescent, ner",
        "PriorityDescent",
        {"main": "ner"},
    ),
]
METHODS = {method.name: method for method in _METHODS}


def choose_methods(names: str) -> list[Method]:
    """Find methods by name.

    names (str): Names in `METHODS`, separated by semicolons; "" for all.
    RETURNS (List[Method]): The methods.
    RAISES (ValueError): If there is none of that name.
    """
    wanted = [name.strip() for name in names.split(";") if name.strip()]
    unknown = [name for name in wanted if name not in METHODS]
    if unknown:
        raise ValueError(
            f"--methods: no method {', '.join(unknown)}. There are: {'; '.join(METHODS)}."
        )
    return [METHODS[name] for name in wanted] if wanted else list(METHODS.values())
