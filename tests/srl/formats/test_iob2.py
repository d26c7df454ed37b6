from pathlib import Path

import pytest

from spacy_mtl.srl.formats.errors import FormatError
from spacy_mtl.srl.formats.iob2 import read_iob2

TWO_SENTENCES = """\
# newdoc id = email-one
# sent_id = email-one-0001
# text = Mira Stone left = gone
1\tMira\tB-PER\t-\tann
2\tStone\tI-PER\t-\tann
3\tleft\tO
4\t=\tO
5\tgone\tO

# sent_id = email-one-0002
1\t#\tO\t-\t-
2\tOslo\tB-LOC\t-\t-
3\tBergen\tB-LOC\t-\t-
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "sample.iob2"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_words_tags_and_comments(tmp_path: Path) -> None:
    first, second = read_iob2(write(tmp_path, TWO_SENTENCES))
    assert first.words == ["Mira", "Stone", "left", "=", "gone"]
    assert first.tags == ["B-PER", "I-PER", "O", "O", "O"]
    assert first.metadata == {
        "newdoc id": "email-one",
        "sent_id": "email-one-0001",
        "text": "Mira Stone left = gone",
    }
    assert first.line == 4
    assert second.metadata == {"sent_id": "email-one-0002"}
    assert second.words == ["#", "Oslo", "Bergen"]
    assert second.line == 11


def test_reads_the_same_from_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "windows.iob2"
    path.write_bytes(TWO_SENTENCES.replace("\n", "\r\n").encode())
    assert list(read_iob2(path)) == list(read_iob2(write(tmp_path, TWO_SENTENCES)))


def test_empty_file_has_no_sentence(tmp_path: Path) -> None:
    assert list(read_iob2(write(tmp_path, "\n# only a comment\n\n"))) == []


@pytest.mark.parametrize(
    "text, line, message",
    [
        ("1\tMira\tO\n2\tleft\n", 2, "found 2 columns"),
        ("1\tMira\tO\n3\tleft\tO\n", 2, "expected word 2 of the sentence, found '3'"),
        ("1\tMira\tO\n\n1\tMira\tPER\n", 3, "found 'PER'"),
        ("1\tMira\tB-\n", 1, "found 'B-'"),
        ("1\tMira\tO\n2\tStone\tI-PER\n", 2, "'I-PER' follows 'O'"),
        ("1\tMira\tB-ORG\n2\tStone\tI-PER\n", 2, "'I-PER' follows 'B-ORG'"),
    ],
)
def test_malformed_line_is_named(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(FormatError) as caught:
        list(read_iob2(path))
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in str(caught.value)
    assert caught.value.line == line
