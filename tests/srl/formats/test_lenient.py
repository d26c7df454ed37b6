"""What other programs write: read right, or mended, or dropped in the smallest unit and counted."""

from pathlib import Path
from typing import Any

import pytest
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from spacy_mtl.srl.alignment import IndexedFrame, indexed_frames
from spacy_mtl.srl.formats.errors import FormatError
from spacy_mtl.srl.formats.registry import count_units, read_docs, write_docs
from spacy_mtl.srl.formats.report import ON_ERROR, UNITS, ConversionReport
from spacy_mtl.srl.formats.treebank import read_treebank

# Files that users brought.
FULL_ROLESET = """\
#begin document (a/b/c); part 000
a/b/c   0   0   Ann    NNP   (TOP(S(NP*)   ann    -         -   -   (PERSON)   (ARG0*)   -
a/b/c   0   1   sold   VBD   (VP*          sell   sell.01   -   -   *          (V*)      -
a/b/c   0   2   it     PRP   (NP*))))      it     -         -   -   *          (ARG1*)   -

#end document
"""
NO_LEMMA = """\
#begin document (a/b/c); part 000
a/b/c   0   0   Ann    NNP   (TOP(S(NP*)   -   -    -   -   (PERSON)   (ARG0*)   -
a/b/c   0   1   sold   VBD   (VP*          -   01   -   -   *          (V*)      -
a/b/c   0   2   it     PRP   (NP*))))      -   -    -   -   *          (ARG1*)   -

#end document
"""
EXTRA_EMPTY = """\
1\tYes\tyes\tyes\tUH\tUH\t_\t_\t0\t0\tROOT\tROOT\t_\t_\t_\t_
2\t.\t.\t.\t.\t.\t_\t_\t1\t1\tP\tP\t_\t_\t_\t_
"""
CONLL08 = """\
1\tAnn\tann\t_\tNNP\tAnn\tann\tNNP\t2\tSBJ\t_\tA0
2\tran\trun\t_\tVBD\tran\trun\tVBD\t0\tROOT\trun.01\t_
3\t.\t.\t_\t.\t.\t.\t.\t2\tP\t_\t_

"""
I_WITHOUT_B = (
    '{"verbs": [{"verb": "pours", "description": "...", "tags": ["B-ARG0", "I-ARG0", "B-V",'
    ' "B-ARG1", "O", "I-ARGM-TMP", "I-ARGM-TMP"]}], "words": ["The", "cook", "pours", "tea", "and",'
    ' "at", "noon"]}\n'
)
ALL_O = (
    '{"verbs": [{"verb": "beat", "description": "They beat us .", "tags": ["O", "O", "O", "O"]}],'
    ' "words": ["They", "beat", "us", "."]}\n'
)
SOLD = IndexedFrame(1, "sell.01", (("ARG0", 0, 1), ("ARG1", 2, 3)))


def read(folder: Path, name: str, text: str, **options: Any) -> tuple[list[Doc], ConversionReport]:
    path = folder / "file"
    path.write_text(text, encoding="utf-8")
    report = ConversionReport()
    docs = list(read_docs(path, name, Vocab(), report, **options))
    kept = count_units(docs)
    for unit in UNITS:
        assert report.read[unit] == kept[unit] + report.dropped[unit]
    return docs, report


def frames(docs: list[Doc]) -> list[IndexedFrame]:
    return [frame for doc in docs for frame in indexed_frames(doc)]


ROLESET_FILES = [
    ("conll12", FULL_ROLESET, None),
    ("conll12", FULL_ROLESET.replace("  sell ", "  -    "), None),
    ("conll12", FULL_ROLESET.replace("sell   sell.01", "sell.01  01"), None),
    ("conll05", "Ann - - (A0*)\nsold 01 sell (V*)\nit - - (A1*)\n", "word sense lemma"),
    ("conll05", "Ann - - (A0*)\nsold sell.01 sell (V*)\nit - - (A1*)\n", "word sense lemma"),
    ("conll05", "Ann - - (A0*)\nsold 01 sell.01 (V*)\nit - - (A1*)\n", "word sense lemma"),
    ("conll05", "Ann - - (A0*)\nsold sell.01 - (V*)\nit - - (A1*)\n", "word sense lemma"),
    ("conll05", "Ann - (A0*)\nsold sell.01 (V*)\nit - (A1*)\n", "words"),
    (
        "propbank",
        "d 0 0 Ann NN * - - (ARG0*)\nd 0 1 sold VB * sell 01 (V*)\nd 0 2 it PR * - - (ARG1*)\n",
        None,
    ),
    ("bio", "Ann _ B-ARG0\nsold sell.01 B-V\nit _ B-ARG1\n", None),
]


@pytest.mark.parametrize("name, text, columns", ROLESET_FILES)
def test_a_cell_with_a_whole_roleset_is_the_roleset(
    tmp_path: Path, name: str, text: str, columns: str | None
) -> None:
    docs, report = read(tmp_path, name, text, columns=columns)
    assert frames(docs) == [SOLD]
    assert not report.losses and not report.repairs


@pytest.mark.parametrize(
    "name, text, columns",
    [
        ("conll12", NO_LEMMA, None),
        ("conll12", NO_LEMMA.replace("  -   01", "  sell.02 01"), None),
        ("conll05", "Ann - - (A0*)\nsold 01 - (V*)\nit - - (A1*)\n", "word sense lemma"),
    ],
)
def test_a_sense_without_a_lemma_is_counted(
    tmp_path: Path, name: str, text: str, columns: str | None
) -> None:
    docs, report = read(tmp_path, name, text, columns=columns)
    assert frames(docs) == [IndexedFrame(1, "", SOLD.arguments)]
    assert report.losses == {"senses of predicates without a lemma to them": 1}
    with pytest.raises(FormatError, match="senses of predicates without a lemma"):
        strict = ConversionReport(strict=True)
        list(read_docs(tmp_path / "file", name, Vocab(), strict, columns=columns))


@pytest.mark.parametrize("on_error", ON_ERROR)
@pytest.mark.parametrize(
    "name, text",
    [
        ("conll09", EXTRA_EMPTY),
        ("conll09", EXTRA_EMPTY.replace("\n", "\t\n", 1)),
        ("conll08", "1\tYes\tyes\t_\tUH\tYes\tyes\tUH\t0\tROOT\t_\t_\t_\n"),
        ("up1", "1\tYes\tyes\tINTJ\tUH\t_\t0\troot\t_\t_\t_\t_\n"),
        ("up2", "# global.columns = ID FORM UP:PRED UP:ARGSPANS\n1\tYes\t_\t_\t_\t\n"),
        ("conll12", "d 0 0 Yes UH * - - - - * * * -\n"),
        ("conll05", "Yes - * *\n. - * *\n\nhe - (A0*)\nleft leave (V*)\n"),
        ("propbank", "d 0 0 Yes UH * - - * -\nd 0 1 . . * - - * -\n"),
        ("bio", "Yes _ O O\n. _ O O\n\nhe _ B-ARG0\nleft Y B-V\n"),
    ],
)
def test_surplus_empty_cells_mean_nothing(
    tmp_path: Path, name: str, text: str, on_error: str
) -> None:
    docs, report = read(tmp_path, name, text, on_error=on_error)
    assert docs[0][0].text == "Yes" and docs[0].spans["srl"] is not None
    assert not indexed_frames(docs[0])
    assert not report.losses and not report.repairs


def test_a_layout_without_surplus_columns_is_preferred(tmp_path: Path) -> None:
    docs, report = read(tmp_path, "conll05", "She (PER*) NN * * * - -\nran * VB * * * - -\n")
    assert [token.tag_ for token in docs[0]] == ["NN", "VB"]
    assert not frames(docs) and not report.losses


def test_conll08_is_a_format_of_its_own(tmp_path: Path) -> None:
    docs, report = read(tmp_path, "conll08", CONLL08)
    assert frames(docs) == [IndexedFrame(1, "run.01", (("ARG0", 0, 1),))]
    assert [token.head.i for token in docs[0]] == [1, 1, 1]
    assert [token.tag_ for token in docs[0]] == ["NNP", "VBD", "."]
    assert not report.losses
    assert "".join(write_docs(docs, "conll08", report)) == CONLL08
    for on_error in ON_ERROR:
        with pytest.raises(FormatError, match="CoNLL-2008.*--from conll08"):
            read(tmp_path, "conll09", CONLL08, on_error=on_error)
        with pytest.raises(FormatError, match="CoNLL-2009.*--from conll09"):
            read(tmp_path, "conll08", EXTRA_EMPTY, on_error=on_error)


def test_conll08_splits_words_as_the_file_does(tmp_path: Path) -> None:
    text = (
        "1\twell-known\twell-known\tJJ\tJJ\twell\twell\tRB\t3\tHMOD\t_\t_\n"
        "2\t_\t_\t_\t_\t-\t-\tHYPH\t3\tHYPH\t_\t_\n"
        "3\t_\t_\t_\t_\tknown\tknow\tVBN\t0\tROOT\tknow.01\t_\n\n"
    )
    docs, report = read(tmp_path, "conll08", text)
    assert [token.text for token in docs[0]] == ["well", "-", "known"]
    assert not report.losses
    assert "".join(write_docs(docs, "conll08", report)) == text


def test_allennlp_tags_that_begin_with_i_are_mended(tmp_path: Path) -> None:
    docs, report = read(tmp_path, "allennlp", I_WITHOUT_B)
    arguments = (("ARG0", 0, 2), ("ARG1", 3, 4), ("ARGM-TMP", 5, 7))
    assert frames(docs) == [IndexedFrame(2, "", arguments)]
    assert report.repairs == {"tags 'I-' that continue nothing, read as 'B-'": 1}
    assert not report.losses

    docs, report = read(tmp_path, "allennlp", I_WITHOUT_B, on_error="skip")
    assert frames(docs) == [IndexedFrame(2, "", arguments[:2])]
    assert report.dropped == {"arguments": 1}

    with pytest.raises(FormatError, match=r"file:1: .*found 'I-ARGM-TMP'.*--on-error repair"):
        read(tmp_path, "allennlp", I_WITHOUT_B, on_error="stop")


def test_allennlp_verbs_without_a_tag_are_counted(tmp_path: Path) -> None:
    for on_error in (None, "skip", "repair"):
        docs, report = read(tmp_path, "allennlp", ALL_O, on_error=on_error)
        assert [token.text for token in docs[0]] == ["They", "beat", "us", "."]
        assert frames(docs) == []
        assert report.losses == {"frames without a word tagged 'V'": 1}
        assert report.dropped == {"frames": 1}
        (place,) = report.places["frames without a word tagged 'V'"]
        assert place.startswith(f"{tmp_path / 'file'}:1: verb 1, 'beat'")
    with pytest.raises(FormatError, match="--on-error skip"):
        read(tmp_path, "allennlp", ALL_O, on_error="stop")


def test_allennlp_sentences_are_never_dropped_unasked(tmp_path: Path) -> None:
    text = '{"words": []}\n' + ALL_O + '{"words": ["x"], "verbs"\n' + I_WITHOUT_B
    with pytest.raises(FormatError, match="file:1: expected an object"):
        read(tmp_path, "allennlp", text)
    docs, report = read(tmp_path, "allennlp", text, on_error="repair")
    assert [len(doc) for doc in docs] == [4, 7]
    assert report.dropped == {"sentences": 2, "frames": 1}


def test_allennlp_empty_sentences_hold_nothing(tmp_path: Path) -> None:
    docs, report = read(tmp_path, "allennlp", '{"verbs": [], "words": []}\n' + ALL_O)
    assert len(docs) == 1
    assert report.losses["sentences without words"] == 1


def test_allennlp_keys_that_stand_twice_are_an_error(tmp_path: Path) -> None:
    text = ALL_O.replace('"words"', '"words": ["a"], "words"')
    with pytest.raises(FormatError, match="file:1: .*stands twice"):
        read(tmp_path, "allennlp", text)


LINES = """\
1 John told Pat to cut off the tree . ||| B-A0 B-V B-A1 I-A1 I-A1 I-A1 I-A1 I-A1 O
4 John told Pat to cut off the tree . ||| O O B-A0 O B-V I-V B-A1 I-A1 O
2 My cats love hats . ||| B-A0 I-A0 B-V B-A1 O
2 My cats love hats . ||| B-A0 I-A0 B-V B-A1 O
"""


def test_lines_with_the_same_words_are_one_sentence(tmp_path: Path) -> None:
    docs, report = read(tmp_path, "deep_srl", LINES)
    assert [len(doc) for doc in docs] == [9, 5, 5]
    assert indexed_frames(docs[0]) == [
        IndexedFrame(1, "", (("ARG0", 0, 1), ("ARG1", 2, 8))),
        IndexedFrame(4, "", (("ARG0", 2, 3), ("C-V", 5, 6), ("ARG1", 6, 8))),
    ]
    assert not report.losses
    written = "".join(write_docs(docs, "deep_srl", report))
    assert written == LINES.replace("B-V I-V", "B-V B-C-V")


@pytest.mark.parametrize(
    "line, message",
    [
        ("The cook pours tea ||| B-A0 I-A0 B-V B-A1", "expected one tag for each of the 3 words"),
        ("5 The cook pours tea ||| B-A0 I-A0 B-V B-A1", "0 to 3, in front of the words, found '5'"),
        ("1 The cook pours tea ||| B-A0 I-A0 B-V B-A1", "word 2 is marked .* another tagged V"),
    ],
)
def test_an_index_that_is_none_is_mended_by_the_tag(
    tmp_path: Path, line: str, message: str
) -> None:
    with pytest.raises(FormatError, match=f"file:1: .*{message}"):
        read(tmp_path, "deep_srl", line)
    docs, report = read(tmp_path, "deep_srl", line, on_error="skip")
    assert len(docs) == 1 and report.dropped["frames"] == 1
    docs, report = read(tmp_path, "deep_srl", line, on_error="repair")
    if line[0].isdecimal():
        assert frames(docs) == [IndexedFrame(2, "", (("ARG0", 0, 2), ("ARG1", 3, 4)))]
        assert sum(report.repairs.values()) == 1


BIO = [
    ("The _ B-ARG0 O\ncook _ I-ARG0 B-ARG0\npours pour.01 B-V O\nserves serve.06 O B-V\n", None),
    ("The B-ARG0 O\ncook I-ARG0 B-ARG0\npours B-V O\nserves O B-V\n", None),
    ("The\t_\tB-ARG0\tO\ncook\t_\tI-ARG0\tB-ARG0\npours\tY\tO\tO\nserves\tY\tO\tO\n", None),
    (
        "1 The DT - B-ARG0 O\n2 cook NN - I-ARG0 B-ARG0\n3 pours VB pour B-V O\n"
        "4 serves VB serve O B-V\n",
        "_ word tag predicate",
    ),
]


@pytest.mark.parametrize("text, columns", BIO)
def test_columns_of_bio_tags(tmp_path: Path, text: str, columns: str | None) -> None:
    docs, report = read(tmp_path, "bio", text, columns=columns)
    found = [(frame.predicate, frame.arguments) for frame in frames(docs)]
    assert found == [(2, (("ARG0", 0, 2),)), (3, (("ARG0", 1, 2),))]
    assert not report.losses and not report.repairs
    assert [frame.roleset for frame in frames(docs)] == (
        ["pour.01", "serve.06"] if "pour.01" in text else ["", ""]
    )
    if columns:
        assert [token.tag_ for token in docs[0]] == ["DT", "NN", "VB", "VB"]
        assert [token.lemma_ for token in docs[0]] == ["", "", "pour", "serve"]


def test_columns_that_may_be_marks_or_tags_are_asked_for(tmp_path: Path) -> None:
    text = "we B-ARG0 O\ngo B-V O\nsee O B-V\n"
    docs, _ = read(tmp_path, "bio", text)
    assert len(frames(docs)) == 2
    text = "we O B-ARG0\ngo B-V B-V\n"
    with pytest.raises(FormatError, match="name the columns .* --columns 'word tag predicate'"):
        read(tmp_path, "bio", text)
    docs, report = read(tmp_path, "bio", text, columns="word predicate")
    assert frames(docs) == [IndexedFrame(1, "", (("ARG0", 0, 1),))]
    assert not report.losses


GO = "1\twe\twe\twe\tPR\tPR\t_\t_\t2\t2\tS\tS\t_\t_\tA0\n"
GO += "2\tgo\tgo\tgo\tVB\tVB\t_\t_\t0\t0\tR\tR\tY\tgo.01\t_\n"
ARGUMENT = {"arguments": 1}
FRAME = {"frames": 1}
FRAME_WITH = {"frames": 1, "arguments": 1}
SENTENCE = {"sentences": 1, "frames": 1}
UP2 = "# global.columns = ID FORM UP:PRED UP:ARGSPANS\n"
WE12 = "d 0 0 we P * - - - - * {} -\n"
GO12 = "d 0 1 go V * go 01 - - * {} -\n"
# Format, file, what is dropped by "skip", and by "repair".
UNITS_OF_LOSS: list[tuple[str, str, dict[str, int], dict[str, int]]] = [
    ("conll05", "we - (A0*\nnow - (AM-TMP*)\ngo go (V*)\n", ARGUMENT, ARGUMENT),
    ("conll12", WE12.format("x") + GO12.format("(V*)"), ARGUMENT, ARGUMENT),
    ("propbank", "d 0 0 we P * - - *)\nd 0 1 go V * go go.01 (V*)\n", ARGUMENT, ARGUMENT),
    ("conll09", GO.replace("A0", "A0|"), ARGUMENT, ARGUMENT),
    ("up2", UP2 + "1\tgo\tgo.01\tA0:2-2\n", ARGUMENT, ARGUMENT),
    ("bio", "we _ X\ngo Y B-V\n", ARGUMENT, ARGUMENT),
    ("conll05", "we - (A0*)\ngo go *\n", FRAME_WITH, {}),
    ("conll05", "we - (V*)\ngo go (V*)\nup - (A1*)\n", FRAME_WITH, {}),
    ("conll05", "we - (V*) *\ngo go (V*) (A1*)\n", {"frames": 2, "arguments": 1}, FRAME_WITH),
    ("conll12", WE12.format("(ARG0*)") + GO12.format("*"), FRAME_WITH, {}),
    ("propbank", "d 0 0 we P * - - (ARG0*)\nd 0 1 go V * go go.01 *\n", FRAME_WITH, {}),
    ("bio", "we _ B-V\ngo Y B-ARG1\n", FRAME_WITH, {}),
    ("bio", "we _ O\ngo Y B-V\nsee Y O\n", {"frames": 2}, FRAME),
    ("propbank", "d 0 0 go V * go go.01 (V*)\nd 0 1 see V * see see.01 *\n", {"frames": 2}, FRAME),
    ("conll09", GO.replace("\tA0\n", "\n"), FRAME, FRAME),
    ("conll09", GO.replace("\n", "\tA1\n"), {"frames": 2}, {"frames": 2}),
    ("conll12", WE12.format("* (A0*)") + GO12.format("(V*)"), FRAME, FRAME),
    ("conll09", GO + "3\tgo\n", SENTENCE, SENTENCE),
    ("conll09", GO.replace("2\tgo", "7\tgo"), SENTENCE, {}),
    ("conll09", f"{GO}\n{GO}".replace("we", "\udcff", 1), SENTENCE, SENTENCE),
]


@pytest.mark.parametrize("name, text, skipped, repaired", UNITS_OF_LOSS)
def test_the_smallest_unit_is_dropped(
    tmp_path: Path,
    name: str,
    text: str,
    skipped: dict[str, int],
    repaired: dict[str, int],
) -> None:
    path = tmp_path / "file"
    path.write_bytes(text.encode("utf-8", errors="surrogateescape"))
    columns = "words" if name == "conll05" else None
    with pytest.raises(FormatError, match="--on-error skip.*--on-error repair"):
        list(read_docs(path, name, Vocab(), ConversionReport(), columns=columns))
    for on_error, expected in (("skip", skipped), ("repair", repaired)):
        report = ConversionReport()
        docs = list(read_docs(path, name, Vocab(), report, columns=columns, on_error=on_error))
        assert report.dropped == expected
        assert bool(report.repairs) == (skipped != repaired and on_error == "repair")
        kept = count_units(docs)
        assert {u: report.read[u] - report.dropped[u] for u in UNITS} == kept


def test_word_numbers_that_jump_keep_their_heads(tmp_path: Path) -> None:
    text = GO.replace("2\tgo", "7\tgo").replace("\t2\t2\t", "\t7\t7\t")
    docs, report = read(tmp_path, "conll09", text, on_error="repair")
    assert [token.head.i for token in docs[0]] == [1, 1]
    assert report.repairs == {"sentences with word numbers that jump, numbered anew": 1}


def test_a_missing_empty_line_is_put_in(tmp_path: Path) -> None:
    docs, report = read(tmp_path, "conll09", GO + GO, on_error="repair")
    assert [len(doc) for doc in docs] == [2, 2]
    assert len(frames(docs)) == 2
    with pytest.raises(FormatError, match="an empty line parts two sentences"):
        read(tmp_path, "conll09", GO + GO)


def test_a_circle_of_heads_costs_the_tree_only(tmp_path: Path) -> None:
    text = GO.replace("\t0\t0\tR", "\t1\t1\tR")
    docs, report = read(tmp_path, "conll09", text, on_error="skip")
    assert len(frames(docs)) == 1 and not docs[0].has_annotation("DEP")
    assert report.losses == {"dependency trees with malformed heads": 1}


def test_lenient_reading_widens_no_argument_without_a_tree(tmp_path: Path) -> None:
    text = GO.replace("\t0\t0\tR", "\tx\t0\tR")
    docs, report = read(tmp_path, "conll09", text, on_error="skip", project=True)
    assert frames(docs)[0].arguments == (("ARG0", 0, 1),)
    assert report.losses["arguments of sentences without a tree, left as they are"] == 1


def test_sentences_of_another_treebank_are_dropped_one_by_one(tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text("we\ngo\n\nwe\nall\ngo\n", encoding="utf-8")
    text = "- (A0*)\ngo (V*)\n\n- (A0*)\ngo (V*)\n"
    options = {"treebank": read_treebank([words]), "columns": "props"}
    docs, report = read(tmp_path, "conll05", text, on_error="skip", **options)
    assert len(frames(docs)) == 1
    assert report.dropped == {"sentences": 1, "frames": 1, "arguments": 1}


@pytest.mark.parametrize("name", ["conll05", "conll09", "conll12", "up1", "bio", "allennlp"])
@pytest.mark.parametrize("on_error", ON_ERROR)
def test_wrong_encodings_are_errors_in_every_mode(tmp_path: Path, name: str, on_error: str) -> None:
    path = tmp_path / "file"
    path.write_bytes("Zürich - (A0*)\n".encode("utf-16"))
    with pytest.raises(FormatError, match="file:1: the file is UTF-16; convert it to UTF-8"):
        list(read_docs(path, name, Vocab(), ConversionReport(), on_error=on_error))
    path = tmp_path / "file.gz"
    path.write_bytes(b"\x1f\x8b\x08")
    with pytest.raises(FormatError, match="no whole gzip file"):
        list(read_docs(path, name, Vocab(), ConversionReport(), on_error=on_error))


def test_line_ends_and_byte_order_marks_do_not_matter(tmp_path: Path) -> None:
    expected, _ = read(tmp_path, "conll09", GO + "\n" + GO)
    for end in ("\r\n", "\r"):
        text = f"\ufeff{GO}\n".replace("\n", end) + GO
        docs, _ = read(tmp_path, "conll09", text)
        assert frames(docs) == frames(expected)


def test_no_break_spaces_belong_to_words(tmp_path: Path) -> None:
    docs, _ = read(tmp_path, "conll05", "10\u00a0000 - (A1*)\nfell fall (V*)\n")
    assert docs[0][0].text == "10\u00a0000"


INLINE = """\
=== a
Ann left [LOC: Rome] today.
> [ARG0: Ann] [V=leave.01: left] [ARG1: Rome] [ARGX: today].
> [ARG0: Ann] left [ARG1: Rome] today.
> [ARG0: Ann] [V=leave: left] Rome today.

Nobody [X: cares.
> [ARG0: Nobody] [V=care.01: cares].
"""


def test_inline_loses_only_what_has_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="file:3: unknown argument label 'ARGX'"):
        read(tmp_path, "inline", INLINE.replace("\nNobody [X: cares.\n", "\nNobody cares.\n"))
    (doc,), report = read(tmp_path, "inline", INLINE, on_error="skip")
    assert indexed_frames(doc) == [
        IndexedFrame(1, "leave.01", (("ARG0", 0, 1), ("ARG1", 2, 3))),
    ]
    assert report.dropped == {"sentences": 1, "frames": 3, "arguments": 4}
    assert report.read == {"sentences": 2, "frames": 4, "arguments": 6}


def test_inline_names_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"=== a\nZ\xfcrich.\n")
    with pytest.raises(FormatError, match="file:2: byte 0xfc is not UTF-8"):
        list(read_docs(path, "inline", Vocab(), ConversionReport()))


def test_writers_count_the_frames_they_have_no_room_for(tmp_path: Path) -> None:
    text = "we - (A0*)\ngo go (V*)\n\nyes -\n"
    docs, _ = read(tmp_path, "conll05", text)
    for name, dropped in (
        ("propbank", {"frames": 1, "arguments": 1}),
        ("deep_srl", {"sentences": 1}),
        ("bio", {}),
        ("allennlp", {}),
    ):
        report = ConversionReport()
        (tmp_path / "out").write_text("".join(write_docs(docs, name, report)), encoding="utf-8")
        assert report.dropped == dropped, name
        kept = count_units(read_docs(tmp_path / "out", name, Vocab(), ConversionReport()))
        expected = {"sentences": 2, "frames": 1, "arguments": 1}
        assert kept == {unit: expected[unit] - dropped.get(unit, 0) for unit in UNITS}, name


def test_options_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(GO, encoding="utf-8")
    for options, message in (
        ({"on_error": "ignore"}, "one of stop, skip, repair, not 'ignore'"),
        ({"columns": "word"}, "columns can be given for conll05, bio, not for 'conll09'"),
        ({"arguments": "heads"}, "arguments can be given for up1, up1-misc, up2, not for"),
    ):
        with pytest.raises(ValueError, match=message):
            list(read_docs(path, "conll09", Vocab(), ConversionReport(), **options))
    with pytest.raises(ValueError, match="strict makes an error of every loss"):
        report = ConversionReport(strict=True)
        list(read_docs(path, "conll09", Vocab(), report, on_error="skip"))


def test_damaged_spacy_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "file.spacy"
    data = DocBin(docs=[Doc(Vocab(), words=["a", "b"])]).to_bytes()
    for damaged in (data[:-3], data[:10] + b"x" + data[11:], b""):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="file.spacy' can't be read"):
            list(read_docs(path, "spacy", Vocab(), ConversionReport()))
