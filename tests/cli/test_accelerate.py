"""What `accelerate` tells."""

import re

import pytest
import spacy
from typer.testing import CliRunner

from spacy_mtl.acceleration import accelerate
from spacy_mtl.cli import mtl
from tests.acceleration.pipelines import LISTENER, TEXTS, cnn, tagger_model, trained


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """A pipeline of which some components are made faster and some are left."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": cnn()})
    nlp.add_pipe("tagger", config={"model": tagger_model(LISTENER)})
    trained(nlp)
    rule = {"patterns": [[{"LOWER": "rome", "OP": "+"}]], "attrs": {"LEMMA": "ROME"}}
    nlp.add_pipe("attribute_ruler").add_patterns([rule])
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "CITY", "pattern": "Rome"}])
    path = tmp_path_factory.mktemp("stock")
    nlp.to_disk(path)
    return path


def output_of(stock, folder, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    sample = folder / "texts.txt"
    sample.write_text("\n".join(TEXTS), encoding="utf8")
    arguments = ["accelerate", str(stock), "fast", "--sample", str(sample), "--rounds", "1"]
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(mtl, arguments)
    assert result.exit_code == 0, result.output
    return re.sub(r"\x1b\[[\d;]*m", "", result.output)  # colours


@pytest.mark.parametrize("columns", [40, 60, 120])
def test_no_line_is_wider_than_the_terminal(columns, stock, tmp_path, monkeypatch):
    output = output_of(stock, tmp_path, columns, monkeypatch)
    assert max(map(len, output.splitlines())) <= columns


def test_each_component_is_named_once_and_what_was_left_comes_last(stock, tmp_path, monkeypatch):
    output = output_of(stock, tmp_path, 120, monkeypatch)
    for name in spacy.load(stock).pipe_names:
        assert output.count(name) == 1, name
    left = output[output.index("Left as it was:") :].splitlines()[1:]
    assert [line.split("  ")[1] for line in left] == [
        "attribute_ruler",
        "sentencizer, entity_ruler",
    ]
    assert "OP" in left[0] and "no network" in left[1]


def test_progress_is_shown_on_terminals_only(stock, tmp_path, capsys):
    accelerate(stock, tmp_path / "fast", TEXTS, n_rounds=1, progress=True)
    assert capsys.readouterr().err == ""


def test_progress_is_shown_on_standard_error_of_a_terminal(stock, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    accelerate(stock, tmp_path / "fast", TEXTS, n_rounds=1, progress=True)
    shown = capsys.readouterr()
    assert "Comparing" in shown.err and f"/{len(TEXTS)}" in shown.err
    assert shown.out == ""
    accelerate(stock, tmp_path / "fast2", TEXTS, n_rounds=1)
    assert capsys.readouterr().err == ""
