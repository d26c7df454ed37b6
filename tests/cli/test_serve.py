from pathlib import Path
from typing import Any

import pytest

import spacy_mtl.cli.serve
from spacy_mtl.display.server import make_app
from tests.display.test_server import ask
from tests.trained import Trained, run

pytest_plugins = ["tests.trained"]


def test_command_serves_texts_from_everywhere(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: dict[str, Any] = {}
    pages: list[str] = []

    def catch(docs: Any, **options: Any) -> None:
        served.update(options)
        pages.append(ask(make_app(docs, nlp=options["nlp"]))[1])

    monkeypatch.setattr(spacy_mtl.cli.serve, "serve", catch)
    lines = tmp_path / "texts.txt"
    lines.write_text("Bob left Leeds.\n", encoding="utf8")
    result = run(
        "mtl", "serve", trained.model, "--text", "We left Paris.", "--file", lines,
        "--port", "5001", "--no-browser",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert pages[0].count("<article") == 2
    assert (served["port"], served["host"], served["open_browser"]) == (5001, "localhost", False)


def test_missing_pipeline_and_texts_are_reported(trained: Trained, tmp_path: Path) -> None:
    for arguments, message in (
        ([tmp_path / "no"], "not found"),
        ([trained.model, "--file", tmp_path / "no.txt"], "not found"),
    ):
        result = run("mtl", "serve", *arguments)
        assert result.exit_code == 1
        assert message in " ".join(result.output.split())
