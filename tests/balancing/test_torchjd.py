"""Weights are TorchJD's own, up to the scale that each method documents."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchjd import aggregation, scalarization

from tests.balancing.methods import SOLVERS, make_balancer, steps

few = settings(max_examples=25)


def fair(gram):
    weights = aggregation.FairGradWeighting(alpha=1.0)(gram)
    return weights / weights.sum()


PER_TASK = {  # what TorchJD gives, to be multiplied by the number of tasks
    "MGDA": lambda: aggregation.MGDAWeighting(),
    "IMTLG": lambda: aggregation.IMTLGWeighting(),
    "CAGrad": lambda: lambda gram: aggregation.CAGradWeighting(c=0.5)(gram) / 1.5,
    "UPGrad": lambda: aggregation.UPGradWeighting(),
    "DualProj": lambda: aggregation.DualProjWeighting(),
    "AlignedMTL": lambda: aggregation.AlignedMTLWeighting(),
    "FairGrad": lambda: fair,
}


THEIR_SOLVERS = {**SOLVERS, "CAGrad": "cvxpy", "FairGrad": "scipy"}


@pytest.mark.parametrize("method", sorted(PER_TASK))
@given(step=steps())
@few
def test_gramian_methods(method, step):
    if method in THEIR_SOLVERS:
        pytest.importorskip(THEIR_SOLVERS[method])
    theirs = PER_TASK[method]()(torch.from_numpy(step.gram)) * len(step.tasks)
    ours = list(make_balancer(method).weigh(step).values())
    assert ours == pytest.approx(theirs.tolist(), rel=2e-3, abs=2e-3)


@given(step=steps(max_tasks=2))
@few
def test_pcgrad(step):
    theirs = aggregation.PCGradWeighting()(torch.from_numpy(step.gram))
    assert list(make_balancer("PCGrad").weigh(step).values()) == pytest.approx(theirs.tolist())


@pytest.mark.parametrize("n_tasks", [2, 4])
@given(data=st.data())
@few
def test_gradvac(n_tasks, data):
    weighting = aggregation.GradVacWeighting(beta=0.5)
    balancer = make_balancer("GradVac", beta=0.5, seed=0)
    for number in range(3):
        step = data.draw(steps(min_tasks=n_tasks, max_tasks=n_tasks))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(number)  # as the balancer does in its step of that number
            theirs = weighting(torch.from_numpy(step.gram))
        ours = balancer.weigh(step)
        assert list(ours.values()) == pytest.approx(theirs.tolist(), rel=1e-4, abs=1e-4)


@given(first=steps(min_tasks=3, max_tasks=3), second=steps(min_tasks=3, max_tasks=3))
@few
def test_priority_descent(first, second):
    weighting = aggregation.PCDWeighting(tau=0.1, beta=0.9, eps=0.0)
    balancer = make_balancer("PriorityDescent", main="ner", tau=0.1, beta=0.9)
    for step in (first, second):
        theirs = weighting(torch.from_numpy(step.gram))
        assert list(balancer.weigh(step).values()) == pytest.approx(theirs.tolist(), rel=1e-5)


@pytest.mark.parametrize(
    ("method", "settings", "scalarizer", "scale"),
    [
        ("UW", {}, lambda n: scalarization.UW(n).double(), lambda n: 2),
        ("IMTLL", {}, lambda n: scalarization.IMTLL(n).double(), lambda n: 1),
        ("FAMO", {}, lambda n: scalarization.FAMO(n).double(), lambda n: n),
        ("GeometricMean", {}, lambda n: scalarization.GeometricMean(), lambda n: n),
        (
            "STCH",
            {"preferences": {}, "ideal": {}},
            lambda n: scalarization.STCH(0.1),
            lambda n: n * n,
        ),
        ("DWA", {}, lambda n: scalarization.DWA(), lambda n: 1),
    ],
)
@given(step=steps())
@few
def test_scalarizers(method, settings, scalarizer, scale, step):
    losses = torch.tensor(list(step.losses.values()), dtype=torch.float64, requires_grad=True)
    scalarizer(len(losses))(losses).backward()
    ours = list(make_balancer(method, **settings).weigh(step).values())
    assert ours == pytest.approx((losses.grad * scale(len(losses))).tolist())
