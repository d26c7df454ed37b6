import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import spacy
import srsly
import torch
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import fix_random_seed

from spacy_mtl.util.serialization import CHECKSUM, cache_srsly_entry_points
from tests.trained import Trained, make_docs

pytest_plugins = ["tests.trained"]

HEADS: dict[str, dict[str, Any]] = {
    "mtl_ner": {},
    "mtl_textcat": {"exclusive": False},
    "mtl_srl": {"model": {"hidden_width": 8, "sense_width": 8, "max_distance": 8}},
    "mtl_regression": {"targets": ["GOOD"]},
    "mtl_syntax": {},
    "mtl_language_model": {"documents": "all"},
}
COMPONENTS = ["tok2vec", *HEADS]
PARTS = ["cfg", "model"]


def make_examples(nlp: Language, suffix: str = "") -> list[Example]:
    """Examples for all heads.

    nlp (Language): The pipeline.
    suffix (str): Appended to labels of entities and categories and to rolesets.
    """
    examples = []
    for doc in make_docs(nlp.vocab):
        doc.ents = [Span(doc, ent.start, ent.end, ent.label_ + suffix) for ent in doc.ents]
        doc.cats = {"GOOD": doc.cats["GOOD"], "FRANCE" + suffix: doc.cats["FRANCE"]}
        for span in doc.spans["srl"] if suffix else []:
            span.kb_id_ = span.kb_id_.replace("give", "hand")
        examples.append(Example(Doc(nlp.vocab, words=[token.text for token in doc]), doc))
    return examples


def save_pipeline(folder: Path, *, seed: int = 0, width: int = 16, suffix: str = "") -> Path:
    """Save a pipeline with a trunk and all heads, with random parameters."""
    fix_random_seed(seed)
    nlp = spacy.blank("en")
    encoder = {"@architectures": "spacy_mtl.HashEmbedCNN.v1", "width": width, "depth": 1}
    nlp.add_pipe("mtl_tok2vec", name="tok2vec", config={"model": {**encoder, "embed_size": 50}})
    for factory, config in HEADS.items():
        model = {**config.get("model", {}), "tok2vec": {"width": width}}
        nlp.add_pipe(factory, config={**config, "model": model})
    nlp.initialize(lambda: make_examples(nlp, suffix))
    for _, pipe in nlp.pipeline:
        for shim in (shim for node in pipe.model.walk() for shim in node.shims):
            for parameter in shim._model.parameters():
                parameter.data += torch.randn_like(parameter)
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved pipeline. Don't change its files."""
    return save_pipeline(tmp_path_factory.mktemp("saved"))


@pytest.fixture(scope="module")
def nlp(saved: Path) -> Language:
    """The saved pipeline, loaded."""
    return spacy.load(saved)


@pytest.fixture(scope="module")
def other_training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline of the same sizes with other parameters and labels."""
    return save_pipeline(tmp_path_factory.mktemp("other"), seed=1, suffix="X")


@pytest.fixture(scope="module")
def other_sizes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline of other sizes with the same labels."""
    return save_pipeline(tmp_path_factory.mktemp("wide"), width=24)


def copy_component(source: Path, target: Path, component: str) -> Path:
    """RETURNS (Path): The folder of the copy, to be damaged."""
    folder = target / component
    folder.mkdir()
    for part in PARTS:
        (folder / part).write_bytes((source / component / part).read_bytes())
    return folder


def truncate(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


def cut_last_byte(file: Path) -> None:
    file.write_bytes(file.read_bytes().rstrip()[:-1])


def change_a_bit(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0x80
    file.write_bytes(data)


def overwrite(file: Path) -> None:
    file.write_text("version https://git-lfs.github.com/spec/v1\n", encoding="utf8")


def empty(file: Path) -> None:
    file.write_bytes(b"")


@contextmanager
def refused(component: str, file: Path, problem: str) -> Iterator[None]:
    with pytest.raises(ValueError) as caught:
        yield
    message = str(caught.value)
    assert f"Component '{component}' can't be loaded" in message
    assert f"'{file}'" in message
    assert problem in message
    assert "Copy the whole pipeline again" in message


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "damage, problem",
    [
        (Path.unlink, "is missing"),
        (empty, "is empty"),
        (truncate, "is truncated"),
        (cut_last_byte, "is truncated"),
        (overwrite, "is truncated"),
    ],
)
def test_damaged_file_is_named(
    saved: Path,
    nlp: Language,
    tmp_path: Path,
    component: str,
    part: str,
    damage: Callable[[Path], None],
    problem: str,
) -> None:
    folder = copy_component(saved, tmp_path, component)
    damage(folder / part)
    with refused(component, folder / part, problem):
        nlp.get_pipe(component).from_disk(folder, exclude=["vocab"])


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_changed_bit_of_the_network_is_noticed(
    saved: Path, nlp: Language, tmp_path: Path, component: str
) -> None:
    folder = copy_component(saved, tmp_path, component)
    change_a_bit(folder / "model")
    with refused(component, folder / "model", "was changed"):
        nlp.get_pipe(component).from_disk(folder, exclude=["vocab"])


@pytest.mark.parametrize(
    "component, settings, problem",
    [
        ("tok2vec", {"balancer": '{"method"'}, "balancer"),
        ("mtl_srl", {"senses": {"rolesets": 3}}, "senses"),
        ("mtl_srl", {"frames": 3}, "frames"),
    ],
)
def test_damaged_settings_are_named(
    saved: Path,
    tmp_path: Path,
    component: str,
    settings: dict[str, Any],
    problem: str,
) -> None:
    folder = copy_component(saved, tmp_path, component)
    srsly.write_json(folder / "cfg", {**srsly.read_json(folder / "cfg"), **settings})
    nlp = spacy.load(saved, exclude=[name for name in COMPONENTS if name != component])
    with pytest.raises(ValueError, match=f"'{component}' can't be loaded.*'{problem}'.*damaged"):
        nlp.get_pipe(component).from_disk(folder, exclude=["vocab"])


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("other", ["other_training", "other_sizes", "another component"])
def test_file_from_elsewhere_is_named(
    saved: Path,
    nlp: Language,
    tmp_path: Path,
    component: str,
    part: str,
    other: str,
    request: pytest.FixtureRequest,
) -> None:
    folder = copy_component(saved, tmp_path, component)
    if other == "another component":
        source = saved / COMPONENTS[COMPONENTS.index(component) - 1]
    else:
        source = request.getfixturevalue(other) / component
    (folder / part).write_bytes((source / part).read_bytes())
    with refused(component, folder / part, "was not saved together with"):
        nlp.get_pipe(component).from_disk(folder, exclude=["vocab"])


def test_network_of_other_sizes_is_named(nlp: Language, other_sizes: Path) -> None:
    folder = other_sizes / "tok2vec"
    with refused("tok2vec", folder / "model", "other settings than [components.tok2vec]"):
        nlp.get_pipe("tok2vec").from_disk(folder, exclude=["vocab"])


@pytest.mark.parametrize("component", COMPONENTS)
def test_nothing_changes_when_files_are_refused(
    saved: Path, nlp: Language, other_training: Path, tmp_path: Path, component: str
) -> None:
    folder = copy_component(other_training, tmp_path, component)
    change_a_bit(folder / "model")
    pipe = nlp.get_pipe(component)
    before = pipe.to_bytes(exclude=["vocab"])
    with pytest.raises(ValueError, match="can't be loaded"):
        pipe.from_disk(folder, exclude=["vocab"])
    assert pipe.to_bytes(exclude=["vocab"]) == before


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"{}"])
def test_damaged_bytes_name_the_component(
    nlp: Language, component: str, damage: Callable[[bytes], bytes]
) -> None:
    pipe = nlp.get_pipe(component)
    before = pipe.to_bytes(exclude=["vocab"])
    with pytest.raises(ValueError, match=f"Component '{component}' can't be loaded: its bytes"):
        pipe.from_bytes(damage(before), exclude=["vocab"])
    assert pipe.to_bytes(exclude=["vocab"]) == before


def test_spacy_load_names_the_damaged_file(saved: Path, tmp_path: Path) -> None:
    for name in ("config.cfg", "meta.json", "tokenizer"):
        (tmp_path / name).write_bytes((saved / name).read_bytes())
    (tmp_path / "vocab").symlink_to(saved / "vocab")
    for component in COMPONENTS:
        copy_component(saved, tmp_path, component)
    assert spacy.load(tmp_path).pipe_names == COMPONENTS
    (tmp_path / "mtl_srl" / "cfg").unlink()
    with refused("mtl_srl", tmp_path / "mtl_srl" / "cfg", "is missing"):
        spacy.load(tmp_path)
    assert "mtl_srl" not in spacy.load(tmp_path, exclude=["mtl_srl"]).pipe_names


def test_damaged_vocabulary_of_a_component_saved_alone_is_named(
    nlp: Language, tmp_path: Path
) -> None:
    nlp.get_pipe("mtl_ner").to_disk(tmp_path)
    truncate(tmp_path / "vocab" / "strings.json")
    with refused("mtl_ner", tmp_path / "vocab", "is damaged"):
        nlp.get_pipe("mtl_ner").from_disk(tmp_path)


# Ways of saving and loading that hold


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("left_out", [["vocab"], ["vocab", "model"], ["vocab", "cfg"], PARTS])
def test_parts_can_be_left_out(
    nlp: Language, component: str, left_out: list[str], tmp_path: Path
) -> None:
    pipe = nlp.get_pipe(component)
    before = pipe.to_bytes()
    pipe.to_disk(tmp_path, exclude=left_out)
    assert not any((tmp_path / part).exists() for part in left_out)
    assert pipe.from_disk(tmp_path, exclude=(part for part in left_out)) is pipe
    assert pipe.from_bytes(pipe.to_bytes(exclude=left_out), exclude=left_out) is pipe
    assert pipe.to_bytes() == before
    assert CHECKSUM not in pipe.cfg


def test_labels_are_not_saved_with_the_network_of_an_earlier_training(
    nlp: Language, other_training: Path, tmp_path: Path
) -> None:
    folder = copy_component(other_training, tmp_path, "mtl_ner")
    nlp.get_pipe("mtl_ner").to_disk(folder, exclude=["vocab", "model"])
    with refused("mtl_ner", folder / "cfg", "was not saved together with"):
        nlp.get_pipe("mtl_ner").from_disk(folder, exclude=["vocab"])


def test_every_way_of_saving_and_loading_keeps_the_pipeline(
    saved: Path, nlp: Language, tmp_path: Path
) -> None:
    expected = nlp.to_bytes()
    again = type(nlp).from_config(nlp.config).from_disk(saved)
    from_bytes = type(nlp).from_config(nlp.config).from_bytes(expected)
    sourced = spacy.blank("en")
    for name in COMPONENTS:
        sourced.add_pipe(name, source=nlp)
    sourced.to_disk(tmp_path)
    unpickled = pickle.loads(pickle.dumps(nlp))
    for loaded in (again, from_bytes, unpickled, spacy.load(tmp_path)):
        for component in COMPONENTS:
            pipe, own = loaded.get_pipe(component), nlp.get_pipe(component)
            assert pipe.to_bytes(exclude=["vocab"]) == own.to_bytes(exclude=["vocab"])


def test_senses_are_loaded(trained: Trained) -> None:
    head = spacy.load(trained.model).get_pipe("srl")
    assert set(head.senses.rolesets) == {"give.01", "leave.01"}


# Loading runs no code


class Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def torch_pickle(value: Any) -> bytes:
    file = BytesIO()
    torch.save(value, file)
    return file.getvalue()


def with_state(network: bytes, state: Any) -> bytes:
    """Put something else in the place of the parameters of a network's torch modules."""
    message = srsly.msgpack_loads(network)
    assert any(message["shims"])
    message["shims"] = [
        [srsly.msgpack_dumps({**srsly.msgpack_loads(shim), "state": state}) for shim in shims]
        for shims in message["shims"]
    ]
    return srsly.msgpack_dumps(message)


PAYLOADS = {
    "torch file": lambda marker: torch_pickle({"weight": Touch(marker)}),
    "pickle": lambda marker: pickle.dumps(Touch(marker)),
    "pickle as a parameter": lambda marker: {"weight": pickle.dumps(Touch(marker))},
    "parameters as torch saves them": lambda marker: torch_pickle({"weight": torch.zeros(2)}),
}


@pytest.mark.parametrize("payload", ["torch file", "pickle"])
def test_payload_runs_where_pickles_are_loaded(payload: str, tmp_path: Path) -> None:
    data = PAYLOADS[payload](tmp_path / "marker")
    try:
        torch.load(BytesIO(data), weights_only=False)
    except Exception:  # any: what comes after the payload has run
        pass
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_pickle_in_a_model_is_refused_and_not_read(
    saved: Path, nlp: Language, tmp_path: Path, component: str, payload: str
) -> None:
    marker = tmp_path / "marker"
    folder = copy_component(saved, tmp_path, component)
    network = with_state((folder / "model").read_bytes(), PAYLOADS[payload](marker))
    (folder / "model").write_bytes(network)
    cfg = srsly.read_json(folder / "cfg")
    srsly.write_json(folder / "cfg", {**cfg, CHECKSUM: crc32(network)})
    pipe = nlp.get_pipe(component)
    data = srsly.msgpack_loads(pipe.to_bytes(exclude=["vocab"]))
    data = srsly.msgpack_dumps({**data, "model": network})
    whole = srsly.msgpack_dumps({**srsly.msgpack_loads(nlp.to_bytes()), component: data})
    for load in (
        lambda: pipe.from_disk(folder, exclude=["vocab"]),
        lambda: pipe.from_bytes(data, exclude=["vocab"]),
        lambda: nlp.from_bytes(whole),
    ):
        with pytest.raises(ValueError, match=f"'{component}' can't be loaded.*be a pickle"):
            load()
    assert not marker.exists()


def test_no_file_of_a_pipeline_is_unpickled(saved: Path) -> None:
    code = f"""
import pickle, sys
import spacy
path = {str(saved)!r}
spacy.load(path)  # imports all it needs
def hook(event, arguments):
    if event == "pickle.find_class":
        raise RuntimeError("unpickled")
pickled = pickle.dumps(print)
sys.addaudithook(hook)
nlp = spacy.load(path)
spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())
print("loaded")
pickle.loads(pickled)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "loaded"
    assert "RuntimeError: unpickled" in done.stderr


# Encoders


def test_encoders_of_installed_packages_are_found_once(monkeypatch):
    registry = srsly.msgpack_encoders
    n_searches, registered = 0, {}

    def search():
        nonlocal n_searches
        n_searches += 1
        return {"theirs": str, "numpy": str}

    monkeypatch.setattr(registry, "entry_points", True)
    monkeypatch.setattr(registry, "get_entry_points", search)
    monkeypatch.setattr(registry, "register", lambda name, func: registered.update({name: func}))
    cache_srsly_entry_points.__wrapped__()  # not the cached one
    assert registered == {"theirs": str}  # numpy's is srsly's own
    assert srsly.msgpack_loads(srsly.msgpack_dumps({"a": [1]})) == {"a": [1]}
    assert n_searches == 1


def test_a_pipeline_with_a_trunk_does_not_search_the_packages_again(trained: Trained, monkeypatch):
    nlp = spacy.load(trained.model)
    for registry in (srsly.msgpack_encoders, srsly.msgpack_decoders):
        monkeypatch.setattr(registry, "get_entry_points", lambda: 1 / 0)
    doc = nlp("Ann gave Bob a book.")
    assert spacy.tokens.Doc(nlp.vocab).from_bytes(doc.to_bytes()).text == doc.text
