"""Compiled kernels must do no harm, whatever they are called with; see `native_fuzz.py`."""

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import spacy_mtl.native
from spacy_mtl.native import get_kernels

FUZZ = Path(__file__).with_name("native_fuzz.py")
SOURCE = Path(spacy_mtl.native.__file__).parent
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
FLAGS = ["-std=c++17", "-O1", "-g", "-fPIC", "-fno-omit-frame-pointer", "-D_GLIBCXX_ASSERTIONS"]


def run_fuzz(extension, n_calls, **environment):
    """Make calls in a process of its own. RETURNS (Dict[str, int]): How many of each kind."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", FUZZ, extension, str(n_calls), "0"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout)


@pytest.mark.skipif(get_kernels() is None, reason="the compiled kernels are not built")
def test_any_call_succeeds_or_is_refused():
    counts = run_fuzz(get_kernels().__file__, 3000)
    assert counts["valid"] > 400
    assert counts["wrong, refused"] > 1000


def build_with_sanitizers(folder):
    """RETURNS (Path): The compiled kernels with checks of each access to memory."""
    source = folder / "_kernels.cpp"
    cython = [
        sys.executable,
        "-m",
        "cython",
        "--cplus",
        "-3",
        SOURCE / "_kernels.pyx",
        "-o",
        source,
    ]
    subprocess.run(cython, check=True)
    include = [f"-I{SOURCE}", f"-I{sysconfig.get_paths()['include']}"]
    objects = []
    for file in [source, *sorted((SOURCE / "src").glob("*.cpp"))]:
        objects.append(folder / f"{file.stem}.o")
        command = ["g++", *FLAGS, *SANITIZERS, "-Wno-psabi", *include, "-c", file]
        subprocess.run([*command, "-o", objects[-1]], check=True)
    extension = folder / "_kernels.so"
    subprocess.run(["g++", "-shared", *SANITIZERS, *objects, "-o", extension], check=True)
    return extension


def sanitizer_libraries():
    names = ("libasan.so", "libubsan.so")
    found = [
        subprocess.run(
            ["g++", f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in names
    ]
    return found if all(map(os.path.isabs, found)) else None


@pytest.mark.slow
@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not shutil.which("g++"), reason="needs g++ on Linux"
)
def test_no_call_touches_memory_that_is_not_its_own(tmp_path):
    pytest.importorskip("Cython")
    if not (SOURCE / "_kernels.pyx").is_file():
        pytest.skip("an installed package has no sources of the kernels")
    libraries = sanitizer_libraries()
    if libraries is None:
        pytest.skip("this g++ has no sanitizers")
    counts = run_fuzz(
        build_with_sanitizers(tmp_path),
        60_000,
        LD_PRELOAD=" ".join(libraries),
        ASAN_OPTIONS="detect_leaks=0",
        UBSAN_OPTIONS="print_stacktrace=1",
    )
    assert counts["valid"] > 10_000
