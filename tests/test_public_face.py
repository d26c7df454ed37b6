"""What users reach by name: the functions of the package, and what configs name."""

import pkgutil
import subprocess
import sys
from importlib import import_module
from importlib.metadata import distribution

import catalogue
import pytest

import spacy_mtl

OF_COMPONENTS = "internal_factories"  # where spaCy registers them


def entry_points():
    """The functions that the distribution offers to spaCy: (group, name) to function."""
    return {
        (one.group, one.name): one
        for one in distribution("spacy-mtl").entry_points
        if one.group != "spacy_cli"
    }


def registered():
    """What the decorators in the code register: (group of entry points, name) to function."""
    for module in pkgutil.walk_packages(spacy_mtl.__path__, "spacy_mtl."):
        if not module.name.rpartition(".")[2].startswith("_"):
            import_module(module.name)
    names = {}
    for (library, group, *_, name), function in catalogue.REGISTRY.items():
        if getattr(function, "__module__", "").startswith("spacy_mtl") and group != "cli":
            group = "factories" if group == OF_COMPONENTS else group
            names[f"{library}_{group}", name] = function
    return names


def test_entry_points_are_what_the_code_registers():
    offered, found = entry_points(), registered()
    assert offered.keys() == found.keys()
    for key, one in offered.items():
        assert one.load() is found[key], key


@pytest.mark.parametrize("name", spacy_mtl.__all__)
def test_public_functions_are_there(name):
    assert callable(getattr(spacy_mtl, name))
    assert name in dir(spacy_mtl)


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'rendering'"):
        spacy_mtl.rendering  # noqa: B018


def test_import_is_light():
    code = "import sys, spacy_mtl; print('spacy_mtl.native' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
