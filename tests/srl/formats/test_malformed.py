"""A malformed line gives file, line and reason, in every format."""

from pathlib import Path

import pytest
from spacy.vocab import Vocab

from spacy_mtl.srl.formats.errors import FormatError
from spacy_mtl.srl.formats.penn import read_penn
from spacy_mtl.srl.formats.registry import read_docs
from spacy_mtl.srl.formats.report import ConversionReport
from spacy_mtl.srl.formats.treebank import read_treebank

C12 = "d 0 {} {} NN * {} {} - - * {} -\n"
C09 = "{}\t{}\t_\t_\t_\t_\t_\t_\t{}\t_\t_\t_\t{}\t{}{}\n"
UP2 = "# global.columns = ID FORM UP:PRED UP:ARGHEADS UP:ARGSPANS\n"


def c12(number: int, word: str, cell: str, frameset: str = "-") -> str:
    return C12.format(number, word, "go" if frameset != "-" else "-", frameset, cell)


def c09(number: int, head: str, flag: str, sense: str, *cells: str) -> str:
    return C09.format(number, "w", head, flag, sense, "".join(f"\t{cell}" for cell in cells))


CASES = [
    ("conll05", "We - (A0*)\ngo go (V*)\n\nWe - (A0*)\ngo go V\n", 1, "no layout of CoNLL-2005"),
    ("conll05", "We - (A0*)\ngo go\n", 2, "expected 3 columns as in the sentence's first line"),
    ("conll05", "We - (A0*\ngo go (V*)\n", 1, "'(A0' is never closed"),
    ("conll05", "We - *\ngo go (A1*)\n", 2, "has 0 spans labelled 'V'"),
    ("conll12", "#begin document x\n" + c12(0, "We", "*)"), 1, "expected '#begin document (NAME)"),
    ("conll12", c12(0, "We", "(ARG0*)") + c12(2, "go", "(V*)", "01"), 2, "expected word 1"),
    ("conll12", c12(0, "We", "(ARG0*)") + c12(1, "go", "(ARG1*)", "01"), 2, "0 spans labelled 'V'"),
    ("conll12", c12(0, "We", "*)") + c12(1, "go", "(V*)", "01"), 1, "closes a bracket"),
    ("conll12", "d 0 0 We\n", 1, "expected at least 12 columns, found 4"),
    ("conll09", c09(1, "0", "_", "_") + c09(3, "1", "_", "_"), 2, "expected word 2"),
    ("conll09", c09(1, "7", "_", "_"), 1, "expected the head's number, 0 to 1, found '7'"),
    ("conll09", c09(1, "2", "_", "_") + c09(2, "1", "_", "_"), 1, "form a circle"),
    ("conll09", c09(1, "0", "N", "_"), 1, "expected 'Y' or '_' to mark predicates"),
    ("conll09", c09(1, "0", "Y", "go.01", "_", "A0"), 1, "1 predicates but 2 columns"),
    ("conll09", "1\tgo\n", 1, "expected at least 14 columns, found 2"),
    ("up1", "1\tgo\tgo\n", 1, "expected at least 10 columns"),
    ("up1", "1\tgo\t_\t_\t_\t_\t0\troot\tY\tgo.01\t_\tA0\n", 1, "1 predicates but 2 columns"),
    (
        "up1-misc",
        "1\tgo\t_\t_\t_\t_\t0\troot\t_\tRoleset=go.01|Args=V/_\n",
        1,
        "a label for each of the 1 predicates",
    ),
    ("up2", "# global.columns = ID FORM\n1\tgo\n", 1, "among which are ID and UP:PRED"),
    ("up2", UP2 + "1\tgo\tgo.01\t_\t_\n2\tgo\t_\t_\n", 3, "expected at least 5 columns"),
    ("up2", UP2 + "1\tgo\tgo.01\tA0:2\tA0:2-2\n", 2, "within the sentence's 1 words"),
    ("up2", UP2 + "1\tgo\tgo.01\t_\tA0\n", 2, "expected an argument such as A0:1-3"),
    ("propbank", "d 0 0 go VB * go go.01 V*\n", 1, "expected brackets"),
    ("allennlp", '{"words": ["go"], "verbs": []}\n{"words": }\n', 2, "no valid JSON"),
    ("allennlp", '{"words": "go"}\n', 1, "expected an object with 'words'"),
    ("allennlp", '{"words": ["go"], "verbs": [{"tags": ["I-V"]}]}', 1, "behind the same label"),
    ("allennlp", '{"words": ["go"], "verbs": [{"tags": ["O"]}]}', 1, "found 0"),
    ("allennlp", '{"words": ["go"], "verbs": [{"tags": []}]}', 1, "one tag for each of the 1"),
    ("gold_skel", "d 0 0 [WORD] VB * go go.01 (V*)\n", 1, "leaves out the words"),
]


@pytest.mark.parametrize("name, text, line, message", CASES)
def test_malformed_line_is_named(
    tmp_path: Path, name: str, text: str, line: int, message: str
) -> None:
    path = tmp_path / "file.gold_skel"
    path.write_text(text, encoding="utf-8")
    columns = "words" if name == "conll05" and "no layout" not in message else None
    with pytest.raises(FormatError) as caught:
        list(read_docs(path, name, Vocab(), ConversionReport(), columns=columns, on_error="stop"))
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["conll05", "conll09", "conll12", "up2", "gold_skel", "allennlp"])
def test_bytes_that_are_no_text_are_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\n\nZ\xfcrich\n")
    with pytest.raises(FormatError, match=r"file:3: byte 0xfc is not UTF-8"):
        list(read_docs(path, name, Vocab(), ConversionReport()))


@pytest.mark.parametrize(
    "text, line, message",
    [
        ("(S (NN a)\n", 2, "ends with 1 open brackets"),
        ("(S (NN a))\n)\n", 2, "closes a bracket that is not open"),
        ("a\n", 1, "expected a tree"),
    ],
)
def test_malformed_trees(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = tmp_path / "file.mrg"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=message) as caught:
        list(read_penn(path))
    assert caught.value.line == line


def test_treebank_of_other_sentences(tmp_path: Path) -> None:
    path, words = tmp_path / "file.props", tmp_path / "words"
    path.write_text("go (V*)\n\n- \n", encoding="utf-8")
    words.write_text("go\n", encoding="utf-8")
    with pytest.raises(FormatError, match="has 2 sentences, the treebank 1"):
        list(
            read_docs(path, "conll05", Vocab(), ConversionReport(), treebank=read_treebank([words]))
        )
    words.write_text("go\n\nwe\ngo\n", encoding="utf-8")
    with pytest.raises(FormatError, match="not the sentence of 2 words"):
        list(
            read_docs(path, "conll05", Vocab(), ConversionReport(), treebank=read_treebank([words]))
        )
