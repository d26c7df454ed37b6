"""Small files as the shared tasks and releases have them, read into documents."""

from pathlib import Path

import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_mtl.srl.alignment import IndexedFrame, indexed_frames
from spacy_mtl.srl.formats.errors import FormatError
from spacy_mtl.srl.formats.registry import guess_format, read_docs, write_docs
from spacy_mtl.srl.formats.report import ConversionReport
from spacy_mtl.srl.formats.treebank import read_treebank
from spacy_mtl.srl.frames import write_frames

CONLL05 = """\
The    (ORG*  DT   (NP*  (S*  (S(NP*    -   -     (A0*   *
crew   *)     NN   *)    *    *)        -   -     *)     (A0*)
gave   *      VBD  (VP*) *    (VP*      01  give  (V*    *
up     *      RP   *     *    *         -   -     *)     *
before *      IN   *     *    *         -   -     (AM-TMP*  (R-AM-TMP*)
eating *      VBG  *     *)   *))       -   eat   *)     (V*)
"""
CONLL12 = """\
#begin document (nw/x/00/x_0001); part 001
nw/x/00/x_0001  1  0  Ann    NNP  (TOP(S(NP*)  -     -   -  -    (PERSON)  (ARG0*)    (3)
nw/x/00/x_0001  1  1  left   VBD  (VP*         leave 01  2  Bob  *         (V*)       -
nw/x/00/x_0001  1  2  her    PRP$ (NP*         -     -   -  -    (ORG*     (ARG1*     (4|(3)
nw/x/00/x_0001  1  3  house  NN   *)))         house -   1  -    *)        *)         4)

#end document
"""
CONLL09 = """\
1\tHer\ther\ther\tPRP$\tPRP$\t_\t_\t2\t2\tNMOD\tNMOD\t_\t_\t_\tA1
2\towner\towner\towner\tNN\tNN\t_\t_\t3\t3\tSBJ\tSBJ\tY\towner.01\tA0\tA0
3\tcame\tcome\tcame\tVBD\tVBD\t_\t_\t0\t0\tROOT\tROOT\tY\tcome.01\t_\t_
"""
UP1 = """\
# sent_id dev-s1/de
1-2\tIm\t_\t_\t_\t_\t_\t_\t_\t_
1\tIn\tin\tADP\tAPPR\t_\t3\tcase\t_\t_\t_\t_
2\tdem\tder\tDET\tART\t_\t3\tdet\t_\t_\t_\t_
3\tHaus\tHaus\tNOUN\tNN\tCase=Dat\t4\tobl\t_\t_\tAM-LOC\tA2
4\tschlief\tschlafen\tVERB\tVVFIN\t_\t0\troot\tY\tsleep.01\t_\t_
5\tblieb\tbleiben\tVERB\tVVFIN\t_\t4\tconj\tY\tstay.01\t_\t_
"""
UP1_ENGLISH = """\
# newdoc id = d
# sent_id = d-1
1\tthey\tthey\tPRON\tPRP\t_\t2\tnsubj\t2:nsubj\t_\t_\t_\tARG0
2\tbroke\tbreak\tVERB\tVBD\t_\t0\troot\t0:root\t_\tbreak_in.01\t_\tV
3\tin\tin\tADP\tRP\t_\t2\tcompound\t2:compound\t_\t_\t_\tV
4\tstealing\tsteal\tVERB\tVBG\t_\t2\tadvcl\t2:advcl\tSpaceAfter=No\tsteal.01\tV\t_
"""
UP2_ALONE = """\
# global.columns = ID UP:PRED UP:ARGHEADS UP:ARGSPANS
# sent_id = s1
1\t_\t_\t_
2\t_\t_\t_
3\tgo.01\tA0:2\tA0:1-2
"""
UD = """\
# sent_id = s1
1\tthe\tthe\tDET\tDT\t_\t2\tdet\t_\t_
2\tcat\tcat\tNOUN\tNN\t_\t3\tnsubj\t_\t_
3\tgoes\tgo\tVERB\tVBZ\t_\t0\troot\t_\tSpaceAfter=No
"""


def read(folder: Path, name: str, text: str, **options: object) -> tuple[Doc, ConversionReport]:
    path = folder / "file"
    path.write_text(text, encoding="utf-8")
    report = ConversionReport()
    (doc,) = read_docs(path, name, Vocab(), report, **options)  # type: ignore[arg-type]
    return doc, report


def test_conll05_with_all_columns(tmp_path: Path) -> None:
    text = CONLL05.replace("-   eat", "01  eat")
    doc, report = read(tmp_path, "conll05", text)
    assert [(ent.label_, ent.text) for ent in doc.ents] == [("ORG", "The crew")]
    assert indexed_frames(doc) == [
        IndexedFrame(2, "give.01", (("ARG0", 0, 2), ("C-V", 3, 4), ("ARGM-TMP", 4, 6))),
        IndexedFrame(5, "eat.01", (("ARG0", 1, 2), ("R-ARGM-TMP", 4, 5))),
    ]
    assert not report.losses
    again = "".join(write_docs([doc], "conll05", report)).split()
    assert again == text.replace("(V*    ", "(V*) ").replace("*)     *\nb", "(C-V*) *\nb").split()


def test_lemma_of_a_predicate_without_sense_goes_to_its_token(tmp_path: Path) -> None:
    doc, _ = read(tmp_path, "conll05", "We - (A0*)\nwent go (V*)\n")
    assert [token.lemma_ for token in doc] == ["", "go"]
    assert indexed_frames(doc) == [IndexedFrame(1, "", (("ARG0", 0, 1),))]


def test_brackets_of_conll04_close_with_their_label(tmp_path: Path) -> None:
    doc, _ = read(tmp_path, "conll05", "the - (A0*\ncat - *A0)\nsat sit (V*V)\n")
    assert indexed_frames(doc)[0].arguments == (("ARG0", 0, 2),)


def test_conll12_carries_entities_coreference_and_columns(tmp_path: Path) -> None:
    doc, report = read(tmp_path, "conll12", CONLL12)
    assert doc.user_data["id"] == "nw/x/00/x_0001; part 001"
    assert [(ent.label_, ent.text) for ent in doc.ents] == [
        ("PERSON", "Ann"),
        ("ORG", "her house"),
    ]
    assert [span.text for span in doc.spans["coref_clusters_3"]] == ["Ann", "her"]
    assert [span.text for span in doc.spans["coref_clusters_4"]] == ["her house"]
    assert indexed_frames(doc) == [IndexedFrame(1, "leave.01", (("ARG0", 0, 1), ("ARG1", 2, 4)))]
    assert not report.losses
    assert "".join(write_docs([doc], "conll12", report)).split() == CONLL12.split()


def test_conll09_reports_an_argument_that_is_its_own_predicate(tmp_path: Path) -> None:
    doc, report = read(tmp_path, "conll09", CONLL09)
    assert indexed_frames(doc) == [
        IndexedFrame(1, "owner.01", ()),
        IndexedFrame(2, "come.01", (("ARG1", 0, 1), ("ARG0", 1, 2))),
    ]
    assert report.losses == {"arguments that contain their own predicate": 1}
    assert doc.user_data["columns"]["conll09:plemma"] == ["her", "owner", "came"]
    with pytest.raises(FormatError, match="file:2: can't be carried over: arguments that contain"):
        list(read_docs(tmp_path / "file", "conll09", Vocab(), ConversionReport(strict=True)))


def test_up1_has_arguments_in_columns(tmp_path: Path) -> None:
    doc, report = read(tmp_path, "up1", UP1)
    assert [token.head.i for token in doc] == [2, 2, 3, 3, 3]
    assert indexed_frames(doc) == [
        IndexedFrame(3, "sleep.01", (("ARGM-LOC", 2, 3),)),
        IndexedFrame(4, "stay.01", (("ARG2", 2, 3),)),
    ]
    assert report.losses == {"contractions, given by their parts": 1}


def test_up1_for_english_marks_predicates(tmp_path: Path) -> None:
    doc, _ = read(tmp_path, "up1", UP1_ENGLISH)
    assert doc.user_data == {"id": "d", "sent_ids": ["d-1"]}
    assert indexed_frames(doc) == [
        IndexedFrame(1, "break_in.01", (("ARG0", 0, 1), ("C-V", 2, 3))),
        IndexedFrame(3, "steal.01", ()),
    ]


@pytest.mark.parametrize("arguments, start", [("spans", 0), ("heads", 1)])
def test_up2_takes_words_from_its_treebank(tmp_path: Path, arguments: str, start: int) -> None:
    treebank = tmp_path / "ud.conllu"
    treebank.write_text(UD, encoding="utf-8")
    doc, _ = read(
        tmp_path, "up2", UP2_ALONE, treebank=read_treebank([treebank]), arguments=arguments
    )
    assert doc.text == "the cat goes"
    assert indexed_frames(doc) == [IndexedFrame(2, "go.01", (("ARG0", start, 2),))]


def test_heads_are_widened_to_what_depends_on_them(tmp_path: Path) -> None:
    treebank = tmp_path / "ud.conllu"
    treebank.write_text(UD, encoding="utf-8")
    words = read_treebank([treebank])
    doc, _ = read(tmp_path, "up2", UP2_ALONE, treebank=words, arguments="heads", project=True)
    assert indexed_frames(doc)[0].arguments == (("ARG0", 0, 2),)


def test_words_from_trees_without_traces(tmp_path: Path) -> None:
    trees = tmp_path / "x.parse"
    trees.write_text("(TOP (S (NP (-NONE- *T*))\n (VP (VB Go) (RP up))))\n", encoding="utf-8")
    skel = "w/x.mrg 0 0 [WORD] VB * go go.01 (V*)\nw/x.mrg 0 1 [WORD] RP * - - (ARG4*)\n"
    doc, _ = read(tmp_path, "gold_skel", skel, treebank=read_treebank([trees]))
    assert [token.text for token in doc] == ["Go", "up"]
    assert indexed_frames(doc) == [IndexedFrame(0, "go.01", (("ARG4", 1, 2),))]


def test_second_frame_of_a_predicate_and_overlaps_are_reported(tmp_path: Path) -> None:
    verbs = '{"verb": "a", "tags": ["B-V", "B-ARG0"]}, {"verb": "a", "tags": ["B-V", "O"]}'
    _, report = read(tmp_path, "allennlp", f'[{{"words": ["a", "b"], "verbs": [{verbs}]}}]')
    assert report.losses == {"further frames of a predicate that has one": 1}
    _, report = read(tmp_path, "conll05", "a a (V*)\nb - (A0(A1*)\nc - *)\n")
    assert report.losses == {"overlapping arguments": 1}


def test_spans_without_a_parse_have_no_heads() -> None:
    doc = Doc(Vocab(), words=["the", "cat", "sat"])
    frame = {
        "predicate": {"start": 2, "end": 3},
        "roleset": "sit.01",
        "arguments": [{"label": "ARG1", "start": 0, "end": 2}],
    }
    write_frames(doc, [frame])
    with pytest.raises(ValueError, match="Parse the documents first"):
        "".join(write_docs([doc], "conll09", ConversionReport()))


def test_what_has_no_room_is_counted() -> None:
    doc = Doc(
        Vocab(), words=["a", " ", "b"], tags=["X", "_SP", "Y"], sent_starts=[True, False, False]
    )
    doc.cats = {"x": 1.0}
    write_frames(doc, [])
    report = ConversionReport()
    "".join(write_docs([doc], "allennlp", report))
    assert report.losses == {
        "tags of tokens": 3,
        "tokens of white space, left out": 1,
        "borders and names of documents": 1,
        "categories of documents": 1,
    }


@pytest.mark.parametrize(
    "path, name",
    [
        ("a.gold_skel", "gold_skel"),
        ("a.v4_gold_conll", "conll12"),
        ("a.conllup", "up2"),
        ("test.wsj.props.gz", "conll05"),
        ("a.jsonl", "allennlp"),
        ("a.conllu", None),
        ("a.gold_conll", None),
        ("a.txt", None),
    ],
)
def test_formats_are_told_from_unmistakable_names(path: str, name: str | None) -> None:
    assert guess_format(path) == name
