"""Settings of the whole test run."""

import torch

from tests import registered  # noqa: F401  registers what an older installation does not name

torch.set_num_threads(1)  # the networks of the tests are too small to gain from more
