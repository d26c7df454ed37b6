"""Run tests once with the compiled kernels, for each of the processor's instruction sets, and once
without them."""

import pytest

each_way = pytest.mark.usefixtures("arithmetic")  # for a whole module: pytestmark = each_way
