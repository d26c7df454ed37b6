"""Compare the speed of spaCy's pipelines with this package's: `python benchmarks/speed.py --help`.

All systems are timed in one run, in turns, each in a process of its own and with the same threads,
on the same text: spaCy with the matrix product it comes with, spaCy with numpy's, and ours.
"""

import typer
from measuring.cli import compare

if __name__ == "__main__":
    typer.run(compare)
