from pathlib import Path

import pytest

from spacy_mtl.srl.formats.conllu import read_conllu
from spacy_mtl.srl.formats.errors import FormatError


def row(position: str, word: str, head: str = "0", dep: str = "root", misc: str = "_") -> str:
    return "\t".join([position, word, word.lower(), "X", "XX", "_", head, dep, "_", misc])


def write(folder: Path, *lines: str) -> Path:
    path = folder / "sample.conllu"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_reads_every_column(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "# newdoc id = weblog-one",
        "# sent_id = weblog-one-0001",
        "# text = Cats purr.",
        "1\tCats\tcat\tNOUN\tNNS\tNumber=Plur\t2\tnsubj\t2:nsubj\t_",
        "2\tpurr\tpurr\tVERB\tVBP\t_\t0\troot\t0:root\tNote=x|SpaceAfter=No",
        "3\t.\t.\tPUNCT\t.\t_\t2\tpunct\t2:punct\t_",
    )
    (sentence,) = read_conllu(path)
    assert sentence.line == 4
    assert sentence.document == "weblog-one"
    assert sentence.metadata["sent_id"] == "weblog-one-0001"
    assert sentence.words == ["Cats", "purr", "."]
    assert sentence.spaces == [True, False, True]
    assert sentence.lemmas == ["cat", "purr", "."]
    assert sentence.pos == ["NOUN", "VERB", "PUNCT"]
    assert sentence.tags == ["NNS", "VBP", "."]
    assert sentence.morphs == ["Number=Plur", "", ""]
    assert sentence.heads == [1, 1, 1]
    assert sentence.deps == ["nsubj", "root", "punct"]
    assert sentence.text == sentence.metadata["text"]


def test_document_lasts_until_the_next_one(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        *("# newdoc id = a", row("1", "One"), ""),
        *("# newpar", row("1", "Two"), "", ""),
        *("# newdoc id = b", row("1", "Three")),
    )
    sentences = list(read_conllu(path))
    assert [sentence.document for sentence in sentences] == ["a", "a", "b"]
    assert [sentence.metadata for sentence in sentences] == [
        {"newdoc id": "a"},
        {"newpar": ""},
        {"newdoc id": "b"},
    ]


def test_contraction_has_no_space_inside_and_its_own_behind(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        row("1-2", "Don't", misc="_"),
        row("1", "Do", "3", "aux"),
        row("2", "n't", "3", "advmod"),
        row("3", "go"),
        row("4-6", "whatcha", misc="SpaceAfter=No"),
        *(row(str(i), word, "3", "dep") for i, word in ((4, "wha"), (5, "t"), (6, "cha"))),
        row("7", "?", "3", "punct"),
    )
    (sentence,) = read_conllu(path)
    assert sentence.text == "Don't go whatcha?"
    assert sentence.words == ["Do", "n't", "go", "wha", "t", "cha", "?"]
    assert sentence.heads == [2, 2, 2, 2, 2, 2, 2]


def test_empty_nodes_are_left_out(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        row("0.1", "hidden", "_", "_"),
        row("1", "Seen"),
        row("1.1", "hidden", "_", "_"),
        row("2", "too", "1", "advmod"),
    )
    (sentence,) = read_conllu(path)
    assert sentence.words == ["Seen", "too"]
    assert sentence.heads == [0, 0]


def test_underscore_as_a_word_keeps_its_lemma(tmp_path: Path) -> None:
    (sentence,) = read_conllu(write(tmp_path, row("1", "_")))
    assert (sentence.words, sentence.lemmas) == (["_"], ["_"])


@pytest.mark.parametrize(
    "lines, line, message",
    [
        ([row("1", "One"), "2\tTwo"], 2, "expected 10 columns split by tabs, found 2"),
        (["", row("1", "One"), row("3", "Two", "1", "dep")], 3, "found '3'"),
        ([row("x", "One")], 1, "found 'x'"),
        ([row("1", "One", head="_")], 1, "expected the head's number, found '_'"),
        ([row("1", "One"), row("2", "Two", head="3")], 2, "head 3 lies outside"),
        ([row("2-3", "One's"), row("1", "One")], 1, "'2-3' stands before word 1"),
        ([row("1-2", "One's"), row("1", "One")], 2, "ends before word 2 of a contraction"),
    ],
)
def test_malformed_line_is_named(tmp_path: Path, lines: list[str], line: int, message: str) -> None:
    path = write(tmp_path, *lines)
    with pytest.raises(FormatError) as caught:
        list(read_conllu(path))
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in str(caught.value)
