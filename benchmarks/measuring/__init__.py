"""Parts of the speed comparison: `benchmarks/speed.py` runs them."""
