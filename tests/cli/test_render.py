from pathlib import Path

import pytest
import spacy

from spacy_mtl.cli.render import render
from tests.trained import Trained, run

pytest_plugins = ["tests.trained"]

TEXT = "Ann Lee gave us good tea. We left Leeds."


def test_page_shows_entities_frames_and_categories(trained: Trained, tmp_path: Path) -> None:
    output = tmp_path / "pages" / "page.html"
    html = render(spacy.load(trained.model), output, [TEXT, "Bob left."])
    assert output.read_text(encoding="utf8") == html
    assert html.startswith("<!DOCTYPE html>")
    assert html.count("<article") == 2
    for mark in ("PERSON", "PLACE", "give.01", "ARG0", "GOOD", "FRANCE"):
        assert mark in html


def test_command_takes_texts_from_everywhere(trained: Trained, tmp_path: Path) -> None:
    lines = tmp_path / "texts.txt"
    lines.write_text(f"{TEXT}\n\nBob left Zürich.\n", encoding="utf8")
    output = tmp_path / "page.html"
    result = run(
        "mtl", "render", trained.model, output, "--text", "We < you & me.", "--text", TEXT,
        "--texts", lines, "--data", trained.dev, "--limit", "3",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    html = output.read_text(encoding="utf8")
    assert html.count("<article") == 7
    assert "&lt;" in html
    assert "Zürich" in html


def test_limit_zero_shows_all_documents(trained: Trained, tmp_path: Path) -> None:
    output = tmp_path / "page.html"
    result = run("mtl", "render", trained.model, output, "--data", trained.dev, "--limit", "0")
    assert result.exit_code == 0, result.output
    assert output.read_text(encoding="utf8").count("<article") == 16


@pytest.mark.parametrize(
    "options, message",
    [
        ([], "nothing to show. Give --text"),
        (["--texts", "nothing.txt"], "'nothing.txt' not found"),
        (["--data", "nothing.spacy"], "'nothing.spacy' not found"),
    ],
)
def test_missing_texts_are_reported(
    trained: Trained, tmp_path: Path, options: list[str], message: str
) -> None:
    result = run("mtl", "render", trained.model, tmp_path / "page.html", *options)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert message in " ".join(result.output.split())
    assert not (tmp_path / "page.html").exists()


def test_blank_and_binary_files_of_texts_are_reported(trained: Trained, tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    for content, message in ((b" \n\n", "holds no text"), (b"\xff\xfe\x00", "no UTF-8 text")):
        file.write_bytes(content)
        result = run("mtl", "render", trained.model, tmp_path / "page.html", "--texts", file)
        assert result.exit_code == 1
        assert message in " ".join(result.output.split())


def test_missing_pipeline_is_reported(tmp_path: Path) -> None:
    result = run("mtl", "render", tmp_path / "no", tmp_path / "page.html", "--text", "Hi")
    assert result.exit_code == 1
    assert "not found" in result.output
