"""Builds the kernels; everything else is in pyproject.toml.

They are optional: without a compiler that knows vector types (GCC or Clang) the package is
installed without them, and computes the same with torch and numpy. With
SPACY_MTL_REQUIRE_KERNELS=1 in the environment the build fails instead.
"""

import os
from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, setup

kernels = Extension(
    "spacy_mtl.native._kernels",
    ["spacy_mtl/native/_kernels.pyx", *sorted(glob("spacy_mtl/native/src/*.cpp"))],
    depends=sorted(glob("spacy_mtl/native/src/*.[hi]*")),
    include_dirs=["spacy_mtl/native"],
    language="c++",
    # No -march: kernels for AVX2 and AVX-512 are chosen when the package is imported.
    extra_compile_args=["-std=c++17", "-O3", "-g0", "-Wno-psabi"],
)
modules = cythonize([kernels], build_dir="build")
for module in modules:  # cythonize would drop it
    module.optional = os.environ.get("SPACY_MTL_REQUIRE_KERNELS", "0") == "0"
setup(ext_modules=modules)
