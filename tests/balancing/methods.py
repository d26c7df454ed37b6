"""All balancing methods, and steps for them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from spacy.util import registry

from spacy_mtl.balancing.gradients import TaskGradients

TASKS = ["ner", "srl", "textcat", "tagger"]
CONFIGS: dict[str, dict[str, Any]] = {
    "Constant": {"weights": {"ner": 2.0, "textcat": 0.5}},
    "Uniform": {},
    "RandomWeights": {},
    "GeometricMean": {},
    "STCH": {"preferences": {"ner": 2.0}, "ideal": {"srl": 0.01}},
    "DWA": {"period": 2},
    "UW": {},
    "IMTLL": {},
    "FAMO": {},
    "GradNorm": {},
    "DBMTL": {},
    "TargetCountNorms": {},
    "MGDA": {},
    "IMTLG": {},
    "CAGrad": {},
    "UPGrad": {},
    "DualProj": {},
    "AlignedMTL": {},
    "FairGrad": {},
    "PCGrad": {},
    "GradVac": {},
    "PriorityDescent": {"main": "srl"},
}
DRAW_RANDOM_NUMBERS = {"RandomWeights", "PCGrad", "GradVac"}
SOLVERS = {"UPGrad": "quadprog", "DualProj": "quadprog"}


def make_balancer(method: str, **settings: Any) -> Any:
    """Create a balancer from its config, on gradients as they are where not said otherwise."""
    name = f"spacy_mtl.{method}.v1"
    config = {"@misc": name, "normalize": "none", **CONFIGS[method], **settings}
    return registry.resolve({"balancer": config})["balancer"]


def make_step(
    tasks: Sequence[str],
    rows: Any,
    losses: Iterable[float],
    units: Iterable[int] | None = None,
    decisions: Iterable[float] | None = None,
) -> TaskGradients:
    """A step whose gradients are the rows of a matrix, [tasks, anything]."""
    rows = np.asarray(rows, dtype="float64")
    return TaskGradients(
        gradients={task: row[None] for task, row in zip(tasks, rows, strict=True)},
        units=dict(zip(tasks, units or [1] * len(tasks), strict=True)),
        losses=dict(zip(tasks, losses, strict=True)),
        find_gram=lambda: rows @ rows.T,
        decisions=dict(zip(tasks, decisions or [1.0] * len(tasks), strict=True)),
    )


@st.composite
def steps(draw: st.DrawFn, min_tasks: int = 1, max_tasks: int = 4) -> TaskGradients:
    """Steps with gradients in general position, of unlike norms, and positive losses."""
    tasks = TASKS[: draw(st.integers(min_tasks, max_tasks))]
    random = np.random.RandomState(draw(st.integers(0, 2**31)))
    rows = random.normal(size=(len(tasks), 6)) * np.exp(random.normal(0, 0.7, (len(tasks), 1)))
    losses = np.exp(random.normal(size=len(tasks))).tolist()
    decisions = random.randint(1, 500, size=len(tasks)).tolist()
    return make_step(tasks, rows, losses, decisions=decisions)


def part_of(step: TaskGradients, tasks: Sequence[str]) -> TaskGradients:
    """The step with some of its tasks, in the order given."""
    rows = [step.tasks.index(task) for task in tasks]
    return TaskGradients(
        {task: step.gradients[task] for task in tasks},
        {task: step.units[task] for task in tasks},
        {task: step.losses[task] for task in tasks},
        lambda: step.gram[np.ix_(rows, rows)],
        {task: step.decisions[task] for task in tasks},
    )
