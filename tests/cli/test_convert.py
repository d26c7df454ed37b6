from pathlib import Path

import pytest
from spacy.tokens import DocBin
from spacy.vocab import Vocab

from spacy_mtl.cli.convert import convert
from spacy_mtl.srl.alignment import indexed_frames

from ..trained import run

PROPS = "We - (A0*)\nwent go (V*)\n"


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
        ("a.props", {"words": ["nowhere"]}, "is no treebank"),
        ("b.props", {}, "does not exist"),
        ("empty.props", {}, "holds no sentence"),
    ],
)
def test_wrong_use_is_explained(
    tmp_path: Path, name: str, options: dict[str, str], message: str
) -> None:
    (tmp_path / "a.props").write_text(PROPS, encoding="utf-8")
    (tmp_path / "empty.props").write_text("\n", encoding="utf-8")
    output = tmp_path / "out.spacy"
    with pytest.raises((ValueError, OSError), match=message):
        convert(tmp_path / name, output, **options)  # type: ignore[arg-type]
    assert not output.exists()
