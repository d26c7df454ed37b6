import re
from pathlib import Path
from typing import Any

import pytest
from spacy.tokens import DocBin
from spacy.vocab import Vocab

from spacy_mtl.cli.convert import convert
from spacy_mtl.srl.alignment import indexed_frames
from tests.trained import run

PROPS = "We - (A0*)\nwent go (V*)\n"
BROKEN = PROPS + "\nWe - (A0*\nwent go (V*)\n\nYes -\n"


def test_command_converts_and_reports(tmp_path: Path) -> None:
    source, middle, target = tmp_path / "a.props", tmp_path / "b.spacy", tmp_path / "c.jsonl"
    source.write_text(PROPS, encoding="utf-8")
    result = run("mtl", "convert", source, middle)
    assert result.exit_code == 0, result.output
    (doc,) = DocBin(store_user_data=True).from_disk(middle).get_docs(Vocab())
    assert indexed_frames(doc)[0].arguments == (("ARG0", 0, 1),)
    report = convert(middle, target)
    assert report.losses["lemmas of tokens"] == 2
    assert '"[ARG0: We] [V: went]"' in target.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name, options, message",
    [
        ("a.txt", {}, "does not tell the format of the input; give --from"),
        ("a.props", {"source": "x"}, "unknown format 'x'"),
        ("a.props", {"target": "x"}, "unknown format 'x'"),
        ("a.props", {"columns": "word tag"}, "the last is 'lemma'"),
        ("a.props", {"arguments": "x"}, "'spans' or 'heads'"),
        ("a.props", {"labels": "x"}, "unknown spelling of roles 'x'"),
        ("a.props", {"on_error": "x"}, "one of stop, skip, repair, not 'x'"),
        ("a.props", {"on_error": "skip", "strict": True}, "give one of the two"),
        ("a.props", {"columns": "word", "source": "allennlp"}, "columns of conll05 or bio"),
        ("a.props", {"words": ["nowhere"]}, "is no treebank"),
        ("b.props", {}, "does not exist"),
        ("empty.props", {}, "holds no sentence"),
    ],
)
def test_wrong_use_is_explained(
    tmp_path: Path, name: str, options: dict[str, Any], message: str
) -> None:
    (tmp_path / "a.props").write_text(PROPS, encoding="utf-8")
    (tmp_path / "empty.props").write_text("\n", encoding="utf-8")
    output = tmp_path / "out.spacy"
    with pytest.raises((ValueError, OSError), match=message):
        convert(tmp_path / name, output, **options)
    assert not output.exists()


def test_malformed_parts_stop_the_command_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    source, target = tmp_path / "a.props", tmp_path / "b.jsonl"
    source.write_text(BROKEN, encoding="utf-8")
    target.write_text("before", encoding="utf-8")
    command = ("mtl", "convert", source, target, "--columns", "words")
    result = run(*command)
    assert result.exit_code == 1
    output = " ".join(result.output.split())
    assert "a.props:4: the bracket '(A0' is never closed" in output
    assert "--on-error skip" in output and "--on-error repair" in output
    assert target.read_text(encoding="utf-8") == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.props", "b.jsonl"]

    result = run(*command, "--on-error", "skip")
    assert result.exit_code == 0, result.output
    assert re.search(r"Sentences +3 +0 +3", result.output)
    assert re.search(r"Frames +2 +0 +2", result.output)
    assert re.search(r"Arguments +2 +1 +1", result.output)
    assert re.search(r"arguments with broken brackets +1 +1 +\S+a.props:4: ", result.output)
    assert target.read_text(encoding="utf-8").count('"verb":') == 2


def test_each_kind_is_printed_with_its_first_places(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    verb = '{"verbs": [{"verb": "go", "tags": ["B-V", "I-ARG1"]}], "words": ["go", "up"]}\n'
    source.write_text(verb * 6, encoding="utf-8")
    result = run("mtl", "convert", source, tmp_path / "b.spacy")
    assert result.exit_code == 0, result.output
    assert "read as 'B-'" in result.output and "Mended" in result.output
    assert re.findall(r"a.jsonl:(\d):", result.output) == ["1", "2", "3"]
    report = convert(source, tmp_path / "b.spacy")
    (kind,) = report.repairs
    assert report.repairs[kind] == 6
    assert [place.split(":")[1] for place in report.places[kind]] == ["1", "2", "3", "4", "5"]


def test_an_input_of_which_nothing_can_be_read_is_an_error(tmp_path: Path) -> None:
    source, target = tmp_path / "a.conll09", tmp_path / "b.spacy"
    source.write_text("1\tgo\n", encoding="utf-8")
    result = run("mtl", "convert", source, target, "--on-error", "skip")
    assert result.exit_code == 1
    output = " ".join(result.output.split())
    assert "holds no sentence in the format 'conll09'; left out: 1 sentences with lines" in output
    assert not target.exists()


def test_an_input_without_one_whole_frame_is_written_with_a_warning(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text('{"verbs": [{"tags": ["O"]}], "words": ["go"]}', encoding="utf-8")
    result = run("mtl", "convert", source, tmp_path / "b.spacy")
    assert result.exit_code == 0
    assert "Not one frame of the input could be carried over" in result.output


def test_an_output_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    source, target = tmp_path / "a.props", tmp_path / "b.conll09"
    source.write_text("the - (A0*\ncat - *)\nsat sit (V*)\n", encoding="utf-8")
    target.write_text("before", encoding="utf-8")
    with pytest.raises(ValueError, match="Parse the documents first"):
        convert(source, target)
    assert target.read_text(encoding="utf-8") == "before"
    assert len(list(tmp_path.iterdir())) == 2


def test_columns_are_those_of_the_side_that_has_them(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"verbs": [{"tags": ["B-V"], "frame": "go.01"}], "words": ["go"]}', encoding="utf-8"
    )
    convert(tmp_path / "a.jsonl", tmp_path / "b.bio", columns="_ word predicate")
    assert (tmp_path / "b.bio").read_text(encoding="utf-8").split() == ["_", "go", "go.01", "B-V"]
    convert(tmp_path / "b.bio", tmp_path / "c.conll05", columns="_ word predicate")
    assert (tmp_path / "c.conll05").read_text(encoding="utf-8").split()[-2:] == ["go", "(V*)"]


@pytest.mark.parametrize("source", ["spacy", "inline"])
def test_formats_of_documents_are_counted_as_well(tmp_path: Path, source: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text("=== a\nAnn left.\n> [ARG0: Ann] [V=leave.01: left].\n", encoding="utf-8")
    convert(path, tmp_path / "a.spacy", source="inline")
    given = tmp_path / "a.spacy" if source == "spacy" else path
    report = convert(given, tmp_path / "b.jsonl", source=source)
    assert report.read == {"sentences": 1, "frames": 1, "arguments": 1}
    assert not report.dropped
