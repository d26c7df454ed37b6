"""Settings that are blocks can be added to what `spacy init fill-config` wrote."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import distribution
from typing import Any, get_args, get_origin, get_type_hints

import pytest
import spacy
from spacy.util import registry
from thinc.api import Config

GROUPS = ("architectures", "readers", "misc", "loggers", "scorers", "tokenizers", "callbacks")
SCALAR_FIRST = {"target", "patience"}  # one value in most configs, blocks by task in a few
BLOCKS = {
    ("readers", "spacy_mtl.MixedCorpus.v1", "tasks"): {"a": ["ner"]},
    ("readers", "spacy_mtl.MixedCorpus.v1", "ratios"): {"a": 1.0},
    ("readers", "spacy_mtl.MixedCorpus.v1", "sizes"): {"a": 10},
    ("misc", "spacy_mtl.StaticWeights.v1", "weights"): {"ner": 2.0},
    ("misc", "spacy_mtl.Constant.v1", "weights"): {"ner": 2.0},
    ("misc", "spacy_mtl.STCH.v1", "preferences"): {"ner": 2.0},
    ("misc", "spacy_mtl.STCH.v1", "ideal"): {"ner": 2.0},
    ("misc", "spacy_mtl.TargetCountNorms.v1", "shares"): {"ner": 2.0},
    ("loggers", "spacy_mtl.TaskSelection.v1", "scores"): {"ner": "ents_p"},
    ("loggers", "spacy_mtl.TaskSelection.v1", "logger"): {},
    ("loggers", "spacy_mtl.MultiTaskLogger.v1", "logger"): {},
}


def registered_functions() -> Iterator[tuple[str, str, Callable[..., Any]]]:
    for entry in distribution("spacy-mtl").entry_points:
        group = entry.group.removeprefix("spacy_")
        if group in GROUPS:
            yield group, entry.name, entry.load()


def is_block(hint: Any) -> bool:
    """Whether a setting of a type can be a block of the config."""
    if get_origin(hint) in (dict, Mapping) or hint in (dict, Mapping):
        return True
    return any(is_block(option) for option in get_args(hint) if option is not Any)


def test_no_setting_that_is_a_block_is_none_by_default() -> None:
    found = set()
    for group, name, function in registered_functions():
        hints = get_type_hints(function.__init__ if inspect.isclass(function) else function)
        for parameter in inspect.signature(function).parameters.values():
            if is_block(hints.get(parameter.name)) and parameter.name not in SCALAR_FIRST:
                if parameter.default is not inspect.Parameter.empty:
                    assert parameter.default is not None, (name, parameter.name)
                    found.add((group, name, parameter.name))
    assert found >= {key for key in BLOCKS if key[2] != "logger"}


@pytest.mark.parametrize("key", BLOCKS, ids=lambda key: f"{key[1]} {key[2]}")
def test_block_can_be_added_to_a_filled_config(key: tuple[str, str, str]) -> None:
    group, name, setting = key
    block: dict[str, Any] = {f"@{group}": name}
    if name == "spacy_mtl.MixedCorpus.v1":
        source = {"@readers": "spacy_mtl.Corpus.v1", "path": "a.spacy"}
        block.update(sources={"a": source}, streamed=["a"])
        block["sampling"] = "ratios" if setting == "ratios" else "uniform"
    text = registry.fill(Config({"made": block})).to_str()
    lines = [f"{key} = {value!r}".replace("'", '"') for key, value in BLOCKS[key].items()]
    title = f"[made.{setting}]"
    assert text.count(title) == 1
    added = Config().from_str(text.replace(title, "\n".join([title, *lines])))
    assert BLOCKS[key].items() <= added["made"][setting].items()
    made = registry.resolve(added)["made"]
    assert callable(made) or getattr(made, setting) == BLOCKS[key]


def test_filled_blocks_of_two_configs_are_apart() -> None:
    first, second = (
        registry.fill(Config({"made": {"@misc": "spacy_mtl.TargetCountNorms.v1"}}))
        for _ in range(2)
    )
    first["made"]["shares"]["ner"] = 2.0
    assert second["made"]["shares"] == {}
    assert spacy.registry.resolve(second)["made"].shares == {}
