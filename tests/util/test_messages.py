"""How warnings are shown."""

import subprocess
import sys
import warnings

from spacy_mtl.util.messages import SpacyMtlWarning

SCRIPT = """
import warnings
from spacy_mtl.util.messages import warn

def caller():
    warn("It is late. Go home.")

caller()
caller()
warnings.warn("Another one.")
"""


def test_warnings_of_this_package_are_sentences_without_a_path():
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, encoding="utf8"
    )
    lines = result.stderr.splitlines()
    assert lines[0] in ("\u26a0 It is late. Go home.", "[!] It is late. Go home.")
    assert "<string>:" in lines[-1] and "UserWarning: Another one." in lines[-1]


def test_warnings_of_this_package_can_be_filtered():
    assert issubclass(SpacyMtlWarning, UserWarning)
    assert warnings.formatwarning("x", UserWarning, "a.py", 3) == "a.py:3: UserWarning: x\n"
