"""Cosines of the tasks' gradients at the hub and at all parameters."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr

from spacy_mtl.balancing.gradients import TaskGradients
from spacy_mtl.trunk.component import MultiTaskTok2Vec
from spacy_mtl.trunk.parameter_gradients import ParameterGradients
from spacy_mtl.trunk.step import TrunkStep, sum_weighted

ALL_PAIRS = "all pairs"


@dataclass(frozen=True)
class Comparison:
    """One pair of tasks in one batch.

    step (int): The step.
    tasks (str): "NAME NAME".
    hub (float): The cosine of their gradients at the hub.
    exact (float): The same at all of the trunk's parameters.
    hub_ratio (float): The norm of the first task's gradient over that of the second, at the hub.
    exact_ratio (float): The same at all parameters.
    """

    step: int
    tasks: str
    hub: float
    exact: float
    hub_ratio: float
    exact_ratio: float


class GradientComparer:
    """Makes a trunk compare gradients at both places in some of its steps, and notes what it finds.
    The balancer weighs by the hub in all of them.
    """

    def __init__(self, trunk: MultiTaskTok2Vec, every: int) -> None:
        """Take the place of the trunk's backward pass.

        trunk (MultiTaskTok2Vec): The trunk, at the level "hub".
        every (int): Compare in every so many steps, the first included.
        """
        self.trunk = trunk
        self.every = every
        self.comparisons: list[Comparison] = []
        self._n_steps = 0
        self._pass_back_as_before = trunk._backward
        trunk._backward = self._backward  # type: ignore[method-assign]
        trunk.level = "parameters"  # makes it possible to repeat the forward pass

    def _backward(self, step: TrunkStep, tasks: TaskGradients) -> float:
        if step.replay is None:
            squared_norm = self._pass_back_as_before(step, tasks)
        else:
            squared_norm = self._compare(step, tasks)
        self._n_steps += 1
        self.trunk.level = "parameters" if self._n_steps % self.every == 0 else "hub"
        return squared_norm

    def _compare(self, step: TrunkStep, tasks: TaskGradients) -> float:
        exact = ParameterGradients.of_each_task(self.trunk.model, step, tasks)
        self.comparisons += compare_grams(self._n_steps, tasks.tasks, tasks.gram, exact.gram())
        weights = self.trunk.balancer.weigh(tasks)
        exact.add_up(weights)
        self.trunk.records.take(tasks, weights)
        return float((sum_weighted(tasks.gradients, weights).ravel() ** 2).sum())


def compare_grams(
    step: int, tasks: Sequence[str], hub: NDArray[np.float64], exact: NDArray[np.float64]
) -> list[Comparison]:
    """Compare two Gram matrices pair by pair.

    step (int): The step.
    tasks (Sequence[str]): The tasks.
    hub (NDArray[float64]): [tasks, tasks].
    exact (NDArray[float64]): [tasks, tasks].
    RETURNS (List[Comparison]): One for each pair of tasks with gradients that are not zero.
    """
    comparisons = []
    for i, j in itertools.combinations(range(len(tasks)), 2):
        norms = [(gram[i, i] ** 0.5, gram[j, j] ** 0.5) for gram in (hub, exact)]
        if all(first > 0.0 and second > 0.0 for first, second in norms):
            cosines = [
                float(gram[i, j] / (first * second))
                for gram, (first, second) in zip((hub, exact), norms, strict=True)
            ]
            ratios = [float(first / second) for first, second in norms]
            comparisons.append(Comparison(step, f"{tasks[i]} {tasks[j]}", *cosines, *ratios))
    return comparisons


def agreement_rows(comparisons: Sequence[Comparison]) -> list[tuple[str, ...]]:
    """Sum the comparisons up, pair by pair and over all.

    comparisons (Sequence[Comparison]): The comparisons.
    RETURNS (List[Tuple[str, ...]]): Tasks, number of batches, the correlations of Pearson and of
        Spearman, the share with equal signs, both mean cosines, and the median of both ratios of
        norms.
    """
    pairs = list(dict.fromkeys(found.tasks for found in comparisons))
    return [
        _agreement(pair, [found for found in comparisons if pair in (ALL_PAIRS, found.tasks)])
        for pair in [*pairs, *([ALL_PAIRS] if len(pairs) > 1 else [])]
    ]


def _agreement(name: str, comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    hub = np.array([found.hub for found in comparisons])
    exact = np.array([found.exact for found in comparisons])
    has_spread = len(comparisons) > 1 and hub.std() > 0.0 and exact.std() > 0.0
    pearson = f"{pearsonr(hub, exact)[0]:.2f}" if has_spread else ""
    spearman = f"{spearmanr(hub, exact)[0]:.2f}" if has_spread else ""
    ratios = [
        "" if name == ALL_PAIRS else f"{np.median([getattr(c, field) for c in comparisons]):.2f}"
        for field in ("hub_ratio", "exact_ratio")
    ]
    same_sign = f"{100.0 * np.mean(np.sign(hub) == np.sign(exact)):.0f} %"
    means = (f"{hub.mean():+.3f}", f"{exact.mean():+.3f}")
    return (name, str(len(comparisons)), pearson, spearman, same_sign, *means, *ratios)


def draw_comparisons(comparisons: Sequence[Comparison], path: Path) -> None:
    """Draw both cosines of each pair against each other, and over the run.

    comparisons (Sequence[Comparison]): The comparisons.
    path (Path): The picture; the ending says its format.
    """
    from matplotlib.figure import Figure

    pairs = list(dict.fromkeys(found.tasks for found in comparisons))
    figure = Figure(figsize=(11, 4), layout="constrained")
    against, over = figure.subplots(1, 2, width_ratios=(2, 3))
    for number, pair in enumerate(pairs):
        found = [comparison for comparison in comparisons if comparison.tasks == pair]
        color = f"C{number}"
        hub, exact = [c.hub for c in found], [c.exact for c in found]
        against.scatter(hub, exact, s=8, color=color, label=pair.replace(" ", " / "))
        steps = [c.step for c in found]
        over.plot(steps, _smooth(exact), color=color, label=f"{pair.replace(' ', ' / ')}, exact")
        over.plot(steps, _smooth(hub), color=color, linestyle="--", label="at the hub")
    against.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    against.axvline(0, color="0.7", linewidth=0.8, zorder=0)
    against.axline((0, 0), slope=1, color="0.7", linewidth=0.8, zorder=0)
    against.set(xlabel="cosine at the hub", ylabel="cosine at all parameters of the trunk")
    over.set(xlabel="step", ylabel="cosine, mean of nine batches")
    over.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    against.legend(fontsize=8)
    over.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _smooth(values: Sequence[float], n: int = 9) -> NDArray[np.float64]:
    """RETURNS (NDArray[float64]): Means of `n` neighbours, fewer at the ends."""
    kernel = np.ones(min(n, len(values)))
    counts = np.convolve(np.ones(len(values)), kernel, mode="same")
    return np.convolve(values, kernel, mode="same") / counts
