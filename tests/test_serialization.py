import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
import srsly
from thinc.api import Linear, Relu, chain

from spacy_mtl.serialization import find_encoders_once, load_model_file

from .trained import Trained

pytest_plugins = ["tests.trained"]

TRUNK_AND_HEADS = ("tok2vec", "ner", "textcat", "srl")


@pytest.fixture
def copied(trained: Trained, tmp_path: Path) -> Path:
    """A copy of the trained pipeline, to be broken."""
    return Path(shutil.copytree(trained.model, tmp_path / "pipeline"))


def truncate(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


def cut_last_byte(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def overwrite(file: Path) -> None:
    file.write_text("version https://git-lfs.github.com/spec/v1\n", encoding="utf8")


def empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("component", TRUNK_AND_HEADS)
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
def test_damaged_model_file_is_named(
    copied: Path, component: str, damage: Callable[[Path], None], problem: str
) -> None:
    file = copied / component / "model"
    damage(file)
    with pytest.raises(ValueError) as caught:
        spacy.load(copied)
    message = str(caught.value)
    assert f"Component '{component}' can't be loaded" in message
    assert f"'{file}'" in message
    assert problem in message
    assert "Copy the whole pipeline again" in message


def test_component_without_its_model_file_can_be_excluded(copied: Path) -> None:
    (copied / "srl" / "model").unlink()
    assert "srl" not in spacy.load(copied, exclude=["srl"]).pipe_names


@pytest.mark.parametrize("component", TRUNK_AND_HEADS)
def test_model_can_be_left_out(trained: Trained, component: str, tmp_path: Path) -> None:
    pipe = spacy.load(trained.model).get_pipe(component)
    before = pipe.model.to_bytes()
    pipe.to_disk(tmp_path, exclude=["model", "vocab"])
    assert pipe.from_disk(tmp_path, exclude=("model", "vocab")) is pipe
    assert pipe.model.to_bytes() == before


def test_senses_are_loaded(trained: Trained) -> None:
    head = spacy.load(trained.model).get_pipe("srl")
    assert set(head.senses.rolesets) == {"give.01", "leave.01"}


def test_other_network_is_explained(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(Linear(2, 3).to_bytes())
    with pytest.raises(ValueError, match="saved with other settings than .components.ner."):
        load_model_file(chain(Relu(2, 3), Relu(3, 3)), tmp_path, "ner")


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
    find_encoders_once.__wrapped__()  # not the cached one
    assert registered == {"theirs": str}  # numpy's is srsly's own
    assert srsly.msgpack_loads(srsly.msgpack_dumps({"a": [1]})) == {"a": [1]}
    assert n_searches == 1


def test_a_pipeline_with_a_trunk_does_not_search_the_packages_again(trained: Trained, monkeypatch):
    nlp = spacy.load(trained.model)
    for registry in (srsly.msgpack_encoders, srsly.msgpack_decoders):
        monkeypatch.setattr(registry, "get_entry_points", lambda: 1 / 0)
    doc = nlp("Ann gave Bob a book.")
    assert spacy.tokens.Doc(nlp.vocab).from_bytes(doc.to_bytes()).text == doc.text
