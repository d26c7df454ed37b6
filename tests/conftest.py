"""Settings of the whole test run."""

import pytest
import torch
from hypothesis import HealthCheck, settings

from spacy_mtl.native import get_kernels, switched_off

torch.set_num_threads(1)  # the networks of the tests are too small to gain from more

# A busy machine is no reason for a property to fail.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="module", params=["torch", "plain", "avx2", "avx512"])
def arithmetic(request):
    """What computes predictions. Networks must not outlive the module."""
    kernels = get_kernels()
    if request.param == "torch":
        with switched_off():
            yield request.param
        return
    if kernels is None:
        pytest.skip("the compiled kernels are not built, or switched off by SPACY_MTL_NATIVE=0")
    before = kernels.instruction_set()
    try:
        kernels.use_instructions(request.param)
    except ValueError as error:
        pytest.skip(str(error))
    yield request.param
    kernels.use_instructions(before)
