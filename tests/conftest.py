"""Settings of the whole test run."""

import torch
from hypothesis import HealthCheck, settings

from tests import registered  # noqa: F401  registers what an older installation does not name

torch.set_num_threads(1)  # the networks of the tests are too small to gain from more

# A busy machine is no reason for a property to fail.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
