"""Methods that look at the Gram matrix only, and remember nothing: most are TorchJD's, made
selectable.

Registered names and what they scale to are in `docs/mixing-and-balancing.md`.
"""

from collections.abc import Callable
from functools import partial

import torch
from spacy.util import registry
from torch import Tensor
from torchjd.aggregation import (
    AlignedMTLWeighting,
    DualProjWeighting,
    IMTLGWeighting,
    MGDAWeighting,
    UPGradWeighting,
)

from .method import BalancingMethod, Problem
from .normalization import Normalization
from .optional import explain_missing
from .solvers import conflict_averse_weights, fair_weights


class GramianMethod(BalancingMethod):
    """A weighting of TorchJD or like its own, on the gradients of the tasks in the batch.

    TorchJD's weights are those of a mean of gradients; times the number of tasks they are those of
    a sum, as everywhere in this package: one task alone gets 1.
    """

    def __init__(
        self,
        name: str,
        weighting: Callable[[Tensor], Tensor],
        normalize: Normalization,
    ) -> None:
        """Wrap a weighting that does not change when all gradients are scaled alike.

        name (str): The registered name.
        weighting (Callable[[Tensor], Tensor]): From [tasks, tasks] to [tasks].
        normalize (Literal["none", "units", "norm"]): See `Normalizer`.
        """
        super().__init__(normalize)
        self.name = name
        self.weighting = weighting

    def solve(self, problem: Problem) -> Tensor:
        """Ask the weighting.

        problem (Problem): The step.
        RETURNS (Tensor): One weight per task, [tasks].
        """
        return self.weighting(problem.unit_gram) * len(problem.tasks)


@registry.misc("spacy_mtl.MGDA.v1")
def create_mgda(
    epsilon: float = 1e-3, max_iters: int = 100, normalize: Normalization = "units"
) -> GramianMethod:
    """Multiple gradient descent: the shortest vector in the convex hull of the gradients, no step
    that makes a task worse (Sener and Koltun 2018, https://arxiv.org/abs/1810.04650). Small
    gradients get large weights.

    Weights are not negative and add up to the number of tasks.

    epsilon (float): Stop when the Frank-Wolfe solver moves less than this.
    max_iters (int): Its largest number of iterations.
    normalize (Literal["none", "units", "norm"]): See `Normalizer`.
    RETURNS (GramianMethod): The balancer.
    """
    weighting = MGDAWeighting(epsilon=epsilon, max_iters=max_iters)
    return GramianMethod("spacy_mtl.MGDA.v1", weighting, normalize)


@registry.misc("spacy_mtl.IMTLG.v1")
def create_imtl_g(normalize: Normalization = "units") -> GramianMethod:
    """Impartial learning by gradients: the sum has the same projection on each task's gradient
    (Liu et al. 2021, https://discovery.ucl.ac.uk/id/eprint/10120667/).

    Weights add up to the number of tasks; with strong conflict some are negative, as published.

    normalize (Literal["none", "units", "norm"]): See `Normalizer`.
    RETURNS (GramianMethod): The balancer.
    """
    return GramianMethod("spacy_mtl.IMTLG.v1", IMTLGWeighting(), normalize)


@registry.misc("spacy_mtl.CAGrad.v1")
def create_cagrad(c: float = 0.5, normalize: Normalization = "units") -> GramianMethod:
    """Conflict-averse descent: the best step for the worst-off task within a ball round the mean
    gradient (Liu et al. 2021, https://arxiv.org/abs/2110.14048).

    A task alone gets 1: the paper's weights are divided by `1 + c`, its step where all gradients
    agree. All are 0 where a mix of the gradients vanishes: no step helps every task then.

    c (float): The radius of the ball, in norms of the mean gradient; 0 is the plain sum. The paper
        uses 0.4 and 0.5.
    normalize (Literal["none", "units", "norm"]): See `Normalizer`.
    RETURNS (GramianMethod): The balancer.
    RAISES (ValueError): If `c` is negative.
    """
    if c < 0.0:
        raise ValueError(f"spacy_mtl.CAGrad.v1: c is {c}; set 0 or more.")
    return GramianMethod("spacy_mtl.CAGrad.v1", partial(_conflict_averse, c=c), normalize)


@registry.misc("spacy_mtl.UPGrad.v1")
def create_upgrad(normalize: Normalization = "units") -> GramianMethod:
    """Unconflicting projection: each gradient is projected to where it opposes no task, then they
    are added (Quinton and Rey 2024, https://arxiv.org/abs/2406.16232).

    Each weight is at least 1, and 1 for all without conflict: the plain sum.

    normalize (Literal["none", "units", "norm"]): See `Normalizer`.
    RETURNS (GramianMethod): The balancer.
    RAISES (ImportError): If the solver is not installed.
    """
    with explain_missing("spacy_mtl.UPGrad.v1"):
        weighting = UPGradWeighting()
    return GramianMethod("spacy_mtl.UPGrad.v1", weighting, normalize)


@registry.misc("spacy_mtl.DualProj.v1")
def create_dual_proj(normalize: Normalization = "units") -> GramianMethod:
    """Dual projection: the sum of the gradients, projected to where it opposes no task (Lopez-Paz
    and Ranzato 2017, https://arxiv.org/abs/1706.08840, for one task against earlier ones).

    Each weight is at least 1, and 1 for all where the sum opposes no task.

    normalize (Literal["none", "units", "norm"]): See `Normalizer`.
    RETURNS (GramianMethod): The balancer.
    RAISES (ImportError): If the solver is not installed.
    """
    with explain_missing("spacy_mtl.DualProj.v1"):
        weighting = DualProjWeighting()
    return GramianMethod("spacy_mtl.DualProj.v1", weighting, normalize)


@registry.misc("spacy_mtl.AlignedMTL.v1")
def create_aligned_mtl(normalize: Normalization = "units") -> GramianMethod:
    """Independent component alignment: the gradients are made orthogonal and of equal length, that
    of the smallest principal component (Senushkin et al. 2023, https://arxiv.org/abs/2305.19000).

    A task alone gets 1; orthogonal gradients of equal norm all get 1.

    normalize (Literal["none", "units", "norm"]): See `Normalizer`.
    RETURNS (GramianMethod): The balancer.
    """
    return GramianMethod("spacy_mtl.AlignedMTL.v1", AlignedMTLWeighting(), normalize)


@registry.misc("spacy_mtl.FairGrad.v1")
def create_fair_grad(alpha: float = 1.0, normalize: Normalization = "units") -> GramianMethod:
    """Fair resource allocation: the step that is best by alpha-fairness of the tasks' gains (Ban
    and Ji 2024, https://arxiv.org/abs/2402.15638). With `alpha = 1` its condition is that of
    Nash-MTL (Navon et al. 2022, https://arxiv.org/abs/2202.01017).

    Weights are not negative and add up to the number of tasks; the papers leave the scale to the
    learning rate.

    alpha (float): 0 is the plain sum, 1 proportional fairness; with more the worst-off task counts
        for more.
    normalize (Literal["none", "units", "norm"]): See `Normalizer`.
    RETURNS (GramianMethod): The balancer.
    RAISES (ValueError): If `alpha` is negative.
    """
    if alpha < 0.0:
        raise ValueError(f"spacy_mtl.FairGrad.v1: alpha is {alpha}; set 0 or more.")
    return GramianMethod("spacy_mtl.FairGrad.v1", partial(_fair, alpha=alpha), normalize)


def _conflict_averse(gram: Tensor, c: float) -> Tensor:
    return torch.from_numpy(conflict_averse_weights(gram.numpy(), c) / (1.0 + c))


def _fair(gram: Tensor, alpha: float) -> Tensor:
    weights = fair_weights(gram.numpy(), alpha)
    return torch.from_numpy(weights / weights.sum())
