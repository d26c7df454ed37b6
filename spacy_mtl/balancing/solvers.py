"""Small convex problems between a handful of tasks, solved in a fraction of a millisecond.

TorchJD hands the same problems to general solvers, which take milliseconds: as much as a tenth of a
training step.
"""

import numpy as np
from numpy.typing import NDArray

MAX_STEPS = 100
TOLERANCE = 1e-7
TO_BOUNDARY = 0.995  # of the way that a step may go to where a value would be zero
CENTERING = 0.03
NO_NORM = 1e-12
MAX_HALVINGS = 30
VANISHED = 1e-4  # the norm of a mix that is none, beside the gradients' norms; TorchJD's

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


def cagrad_mixture(gram: Matrix, radius: float) -> Vector:
    """Find the mix of gradients that CAGrad's step is tilted to: the w that adds up to 1, none
    negative, with the smallest w G m + radius |m| |w|, where m is the mean, products are those of
    the gradients, and |w| is the norm of the mix (Liu et al. 2021, Algorithm 1,
    https://arxiv.org/abs/2110.14048).

    By a primal-dual interior-point method, as in Boyd and Vandenberghe (2004), section 11.7.

    gram (Matrix): [tasks, tasks], G, of a size around 1.
    radius (float): The radius of the ball, in norms of the mean gradient, not negative.
    RETURNS (Vector): [tasks], w.
    """
    n_tasks = len(gram)
    if n_tasks == 1:
        return np.ones(1)
    towards_mean = gram.mean(axis=1)
    scale = radius * np.sqrt(max(float(towards_mean.mean()), 0.0))

    def slope_of(mix: Vector, rounding: float) -> tuple[Vector, Vector, float]:
        along = gram @ mix
        norm = float(np.sqrt(max(float(mix @ along), 0.0) + rounding))
        return towards_mean + scale / norm * along, along, norm

    def residual(
        mix: Vector, slack: Vector, shift: float, target: float, rounding: float
    ) -> Vector:
        return np.concatenate([slope_of(mix, rounding)[0] + shift - slack, slack * mix - target])

    mix = np.full(n_tasks, 1.0 / n_tasks)
    slack = np.ones(n_tasks)  # multipliers of w >= 0
    shift = 0.0  # the multiplier of the sum
    system = np.ones((n_tasks + 1, n_tasks + 1))
    system[-1, -1] = 0.0
    diagonal = np.arange(n_tasks)
    for _ in range(MAX_STEPS):
        gap = float(mix @ slack) / n_tasks
        rounding = gap + NO_NORM  # the norm has a corner at zero, which is rounded less and less
        slope, along, norm = slope_of(mix, rounding)
        if gap < TOLERANCE and np.abs(slope + shift - slack).max() < TOLERANCE:
            break
        target = CENTERING * gap
        system[:-1, :-1] = scale / norm * (gram - np.outer(along, along) / norm**2)
        system[diagonal, diagonal] += slack / mix
        step = _solve(system, np.append(target / mix - slope - shift, 0.0))
        mix_step, shift_step = step[:-1], float(step[-1])
        slack_step = (target - slack * mix_step) / mix - slack
        length = min(_longest(mix, mix_step), _longest(slack, slack_step))
        before = float(np.linalg.norm(residual(mix, slack, shift, target, rounding)))
        for _ in range(MAX_HALVINGS):
            moved = (
                mix + length * mix_step,
                slack + length * slack_step,
                shift + length * shift_step,
            )
            if np.linalg.norm(residual(*moved, target, rounding)) <= (1.0 - 0.01 * length) * before:
                break
            length *= 0.5
        mix, slack, shift = moved
    return mix / mix.sum()


def conflict_averse_weights(gram: Matrix, radius: float) -> Vector:
    """Find the weights of CAGrad's step, as the paper scales it: the mean gradient, and as far as
    the ball reaches towards the hardest mix.

    gram (Matrix): [tasks, tasks], of a size around 1.
    radius (float): The radius of the ball, in norms of the mean gradient, not negative.
    RETURNS (Vector): [tasks]; zeros where that mix vanishes.
    """
    mix = cagrad_mixture(gram, radius)
    norm = np.sqrt(max(float(mix @ gram @ mix), 0.0))
    if norm < VANISHED * np.sqrt(np.trace(gram)):
        return np.zeros(len(gram))
    reach = radius * np.sqrt(max(float(gram.mean()), 0.0))
    return np.asarray(1.0 / len(gram) + reach / norm * mix)


def fair_weights(gram: Matrix, alpha: float) -> Vector:
    """Find the weights w with G w = w^(-1 / alpha), the condition of alpha-fairness (Ban and Ji
    2024, equation 4, https://arxiv.org/abs/2402.15638).

    By Newton's method on the logarithms of the weights. Where gradients oppose each other so much
    that there are no such weights, it stops on the way.

    gram (Matrix): [tasks, tasks], G, with a positive diagonal of a size around 1.
    alpha (float): 0 or more.
    RETURNS (Vector): [tasks], w, positive, of any scale that a Newton step reached.
    """
    if alpha == 0.0:
        return np.ones(len(gram))
    power = 1.0 / alpha
    weights = np.maximum(gram.diagonal(), NO_NORM) ** (-1.0 / (1.0 + power))  # of each task alone
    for _ in range(MAX_STEPS):
        gains = weights ** (-power)
        missing = gains - gram @ weights
        if np.abs(missing).max() <= TOLERANCE * gains.max():
            break
        slopes = gram * weights + np.diag(power * gains)  # by the logarithms
        step = _solve(slopes, missing)
        before = float(np.linalg.norm(missing))
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), NO_NORM))
        for _ in range(MAX_HALVINGS):
            moved = weights * np.exp(step)
            after = float(np.linalg.norm(moved ** (-power) - gram @ moved))
            if after < before:
                break
            step *= 0.5
        else:
            break
        weights = moved
    return np.asarray(weights)


def _solve(matrix: Matrix, wanted: Vector) -> Vector:
    try:
        return np.asarray(np.linalg.solve(matrix, wanted))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(matrix, wanted, rcond=None)[0])


def _longest(values: Vector, step: Vector) -> float:
    """RETURNS (float): How much of a step leaves all values positive, at most all of it."""
    falling = step < 0.0
    if not falling.any():
        return 1.0
    return min(1.0, TO_BOUNDARY * float((values[falling] / -step[falling]).min()))
