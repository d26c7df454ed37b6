from pathlib import Path

import pytest

from spacy_mtl.srl.formats.errors import FormatError
from spacy_mtl.srl.formats.gold_skel import SkelFrame, SkelSpan, read_gold_skel


def skel(*lines: str) -> str:
    """Lines of "TAG ROLESET BRACKETS..." as one sentence of a file."""
    rows = []
    for i, line in enumerate(lines):
        tag, roleset, *brackets = line.split()
        lemma = roleset.split(".")[0]
        rows.append(f"doc.xml  0  {i}  [WORD]  {tag}  *  {lemma}  {roleset}  " + " ".join(brackets))
    return "\n".join(rows) + "\n\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "sample.gold_skel"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_one_frame_per_roleset(tmp_path: Path) -> None:
    text = skel(
        "NNS -        (ARG0*)    (ARG0*",
        "WDT -        (R-ARG0*)  *",
        "VBD purr.01  (V*)       *)",
        "VBD eat.LV   *          (V*)",
        "NN  -        *          (ARG1*)",
    )
    (sentence,) = read_gold_skel(write(tmp_path, text))
    assert sentence.line == 1
    assert sentence.words == ["[WORD]"] * 5
    assert sentence.tags == ["NNS", "WDT", "VBD", "VBD", "NN"]
    assert sentence.frames == [
        SkelFrame(
            2,
            "purr.01",
            (SkelSpan("ARG0", 0, 1), SkelSpan("R-ARG0", 1, 2), SkelSpan("V", 2, 3)),
        ),
        SkelFrame(
            3,
            "eat.LV",
            (SkelSpan("ARG0", 0, 3), SkelSpan("V", 3, 4), SkelSpan("ARG1", 4, 5)),
        ),
    ]


def test_reads_continued_arguments_and_predicates_of_several_tokens(tmp_path: Path) -> None:
    text = skel(
        "NN  -           (ARG1*)",
        "VBD end_up.03   (V*",
        "RP  -           *)",
        "RB  -           (C-V*)",
        "IN  -           (C-ARG1*",
        "NN  -           *)",
    )
    (sentence,) = read_gold_skel(write(tmp_path, text))
    (frame,) = sentence.frames
    assert frame.spans == (
        SkelSpan("ARG1", 0, 1),
        SkelSpan("V", 1, 3),
        SkelSpan("C-V", 3, 4),
        SkelSpan("C-ARG1", 4, 6),
    )


def test_reads_brackets_inside_of_brackets(tmp_path: Path) -> None:
    text = skel("VB go.01 (V*)", "NN - (ARG1(ARG2*)", "NN - *)")
    (sentence,) = read_gold_skel(write(tmp_path, text))
    assert sentence.frames[0].spans[1:] == (SkelSpan("ARG2", 1, 2), SkelSpan("ARG1", 1, 3))


def test_sentences_are_parted_by_empty_lines(tmp_path: Path) -> None:
    text = "\n" + skel("UH -", ". -") + "\n" + skel("VB go.01 (V*)").rstrip("\n")
    first, second = read_gold_skel(write(tmp_path, text))
    assert (first.line, first.tags, first.frames) == (2, ["UH", "."], [])
    assert (second.line, second.tags) == (6, ["VB"])
    assert [frame.roleset for frame in second.frames] == ["go.01"]


@pytest.mark.parametrize(
    "text, line, message",
    [
        ("doc.xml 0 0 [WORD] VB * -\n", 1, "expected at least 8 columns, found 7"),
        (skel("VB go.01 (V*)", "NN -"), 2, "expected 9 columns as in the sentence's first line"),
        ("doc.xml 0 1 [WORD] VB * - -\n", 1, "expected word 0 of the sentence"),
        (skel("VB go.01 (V*)", "VB see.01 *"), 1, "2 roleset(s) but 1 column(s)"),
        (skel("NN - *", "VB go.01 V*"), 2, "found 'V*'"),
        (skel("VB go.01 (V*)", "NN - *)"), 2, "'*)' closes a bracket that is not open"),
        (skel("VB go.01 (V*)", "NN - (ARG1*", "NN - *"), 2, "the bracket '(ARG1' is never closed"),
        (skel("NN - *", "VB go.01 (ARG1*)"), 2, "brackets 0 spans as 'V'"),
        (skel("VB go.01 (V*)", "NN - (V*)"), 1, "brackets 2 spans as 'V'"),
        (skel("NN - (V*)", "VB go.01 *"), 2, "brackets another token as 'V'"),
    ],
)
def test_malformed_line_is_named(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(FormatError) as caught:
        list(read_gold_skel(path))
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in str(caught.value)
