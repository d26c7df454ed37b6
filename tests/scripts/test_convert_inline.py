from pathlib import Path

import pytest
import spacy
import typer
from spacy.tokens import DocBin
from typer.testing import CliRunner

from tests.scripts.test_generate_inline import load

CONVERTER = load("convert_inline")
GOOD = """\
=== a | sentiment: positive
[PER: Anna] laughed.
> [ARG0: Anna] [V=laugh.01: laughed].
"""


def run(*arguments: object):
    app = typer.Typer()
    app.command()(CONVERTER.main)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_converts_a_folder_and_counts(tmp_path: Path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(GOOD, encoding="utf-8")
    (tmp_path / "in" / "b.txt").write_text("=== b\nIt rained.\n", encoding="utf-8")
    output = tmp_path / "out" / "train.spacy"
    counts = CONVERTER.convert_inline([tmp_path / "in"], output)
    assert counts == {
        "documents": 2,
        "sentences": 2,
        "tokens": 6,
        "frames": 1,
        "entities": 1,
        "entities: PER": 1,
        "arguments": 1,
        "arguments: ARG0": 1,
        "sentiment": 1,
        "sentiment: positive": 1,
    }
    first, second = DocBin().from_disk(output).get_docs(spacy.blank("en").vocab)
    assert [span.label_ for span in first.spans["srl"]] == ["V", "ARG0"]
    assert first.user_data["id"] == "a"
    assert len(second.spans["srl"]) == 0 and not second.cats


def test_reports_all_mistakes_and_writes_nothing(tmp_path: Path):
    (tmp_path / "a.txt").write_text("=== a\n[DOG: Rex] ran.\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("=== a\nHi.\n=== b\n", encoding="utf-8")
    output = tmp_path / "train.spacy"
    with pytest.raises(CONVERTER.InlineMistakes) as caught:
        CONVERTER.convert_inline([tmp_path], output)
    places = [(Path(error.path).name, error.line) for error in caught.value.mistakes]
    assert places == [("a.txt", 2), ("b.txt", 1), ("b.txt", 3)]
    assert not output.exists()
    result = run(tmp_path / "a.txt", tmp_path / "b.txt", output)
    assert result.exit_code == 1


def test_check_writes_nothing(tmp_path: Path):
    (tmp_path / "a.txt").write_text(GOOD, encoding="utf-8")
    result = run(tmp_path / "a.txt", tmp_path / "train.spacy", "--check")
    assert result.exit_code == 0, result.output
    assert "No mistakes" in result.output and "entities: PER" in result.output
    assert not (tmp_path / "train.spacy").exists()


def test_missing_input_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match="nowhere does not exist"):
        CONVERTER.convert_inline([tmp_path / "nowhere"], None)
    with pytest.raises(ValueError, match="has no \\*.txt file"):
        CONVERTER.convert_inline([tmp_path], None)
