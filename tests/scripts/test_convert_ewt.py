import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from typer import Typer
from typer.testing import CliRunner

from scripts.convert_ewt import (
    EXPECTED,
    GENRES,
    SPLITS,
    CountError,
    align_tags,
    convert_ewt,
    genre_cats,
    main,
    split_predicate,
)
from spacy_mtl.srl.formats.conllu import ConlluSentence
from spacy_mtl.srl.formats.errors import FormatError
from spacy_mtl.srl.formats.gold_skel import SkelFrame, SkelSentence, SkelSpan
from spacy_mtl.srl.frames import read_frames

MIRROR = Path(__file__).resolve().parents[2].parent / "shared" / "mirror"

CONLLU = """\
# newdoc id = reviews-one
# sent_id = reviews-one-0001
# text = Mira's cats end up in Oslo.
1-2\tMira's\t_\t_\t_\t_\t_\t_\t_\t_
1\tMira\tMira\tPROPN\tNNP\tNumber=Sing\t3\tnmod:poss\t_\t_
2\t's\t's\tPART\tPOS\t_\t1\tcase\t_\t_
3\tcats\tcat\tNOUN\tNNS\tNumber=Plur\t4\tnsubj\t_\t_
4\tend\tend\tVERB\tVBP\t_\t0\troot\t_\t_
5\tup\tup\tADP\tRP\t_\t4\tcompound:prt\t_\t_
6\tin\tin\tADP\tIN\t_\t7\tcase\t_\t_
6.1\thidden\t_\tVERB\t_\t_\t_\t_\t_\t_
7\tOslo\tOslo\tPROPN\tNNP\tNumber=Sing\t4\tobl\t_\tSpaceAfter=No
8\t.\t.\tPUNCT\t.\t_\t4\tpunct\t_\t_

# sent_id = reviews-one-0002
# text = Atlast they purr
1\tAtlast\tatlast\tADV\tRB\t_\t3\tadvmod\t_\t_
2\tthey\tthey\tPRON\tPRP\t_\t3\tnsubj\t_\t_
3\tpurr\tpurr\tVERB\tVBP\t_\t0\troot\t_\t_

# newdoc id = email-two
# sent_id = email-two-0001
# text = Nice cats
1\tNice\tnice\tADJ\tJJ\t_\t2\tamod\t_\t_
2\tcats\tcat\tNOUN\tNNS\t_\t0\troot\t_\t_

"""

IOB2 = """\
# sent_id = email-two-0001
1\tNice\tB-OTH\t-\tann
2\tcats\tI-OTH\t-\tann

# sent_id = reviews-one-0001
1\tMira\tB-PER\t-\tann
2\t's\tO
3\tcats\tB-O\t-\tann
4\tend\tO
5\tup\tO
6\tin\tO
7\tOslo\tB-LOC\t-\tann
8\t.\tO

# sent_id = reviews-one-0002
1\tAtlast\tO
2\tthey\tO
3\tpurr\tO
"""

SKEL = """\
one 0 0 [WORD] NNP  * -   -         (ARG1*
one 0 1 [WORD] POS  * -   -         *
one 0 2 [WORD] NNS  * -   -         *)
one 0 3 [WORD] VBP  * end end_up.03 (V*
one 0 4 [WORD] RP   * -   -         *)
one 0 5 [WORD] IN   * -   -         (ARG2*
one 0 6 [WORD] NNP  * -   -         *)
one 0 7 [WORD] .    * -   -         *

one 1 0 [WORD] IN   * -    -        (ARGM-TMP*
one 1 1 [WORD] RB   * -    -        *)
one 1 2 [WORD] PRP  * -    -        (ARG0*)
one 1 3 [WORD] VBP  * purr purr.01  (V*)

one 2 0 [WORD] NFP  * -    -
"""


@dataclass
class Sources:
    """Folders with three annotations of the same invented documents."""

    ud: Path
    uner: Path
    propbank: Path

    def replace(self, path: Path, old: str, new: str) -> None:
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    folders = Sources(tmp_path / "ud", tmp_path / "uner", tmp_path / "propbank")
    folders.ud.mkdir()
    folders.uner.mkdir()
    for genre in GENRES:
        (folders.propbank / genre / "00").mkdir(parents=True)
    for split in SPLITS:
        (folders.ud / f"en_ewt-ud-{split}.conllu").write_text(CONLLU, encoding="utf-8")
        (folders.uner / f"en_ewt-ud-{split}.iob2").write_text(IOB2, encoding="utf-8")
    path = folders.propbank / "reviews" / "00" / "one.xml.gold_skel"
    path.write_text(SKEL, encoding="utf-8")
    return folders


def convert(sources: Sources, out: Path) -> tuple[Doc, Doc]:
    """Convert without expectations and read the training documents back."""
    convert_ewt(sources.ud, sources.uner, sources.propbank, out, expected={})
    review, email = DocBin().from_disk(out / "train.spacy").get_docs(Vocab())
    return review, email


def test_text_sentences_and_syntax_are_those_of_ud(sources: Sources, tmp_path: Path) -> None:
    review, _ = convert(sources, tmp_path / "out")
    assert [sentence.text for sentence in review.sents] == [
        "Mira's cats end up in Oslo.",
        "Atlast they purr",
    ]
    assert [token.tag_ for token in review[:3]] == ["NNP", "POS", "NNS"]
    assert [token.pos_ for token in review[:3]] == ["PROPN", "PART", "NOUN"]
    assert [token.lemma_ for token in review[2:4]] == ["cat", "end"]
    assert str(review[2].morph) == "Number=Plur"
    assert [token.head.i for token in review] == [2, 0, 3, 3, 3, 6, 3, 3, 10, 10, 10]
    assert [token.dep_ for token in review[8:]] == ["advmod", "nsubj", "ROOT"]


def test_entities_leave_out_unused_labels(sources: Sources, tmp_path: Path) -> None:
    review, email = convert(sources, tmp_path / "out")
    assert [(ent.text, ent.label_) for ent in review.ents] == [("Mira", "PER"), ("Oslo", "LOC")]
    assert email.ents == ()
    assert email.has_annotation("ENT_IOB", require_complete=True)


def test_genre_is_the_only_category_that_holds(sources: Sources, tmp_path: Path) -> None:
    review, email = convert(sources, tmp_path / "out")
    assert review.cats == {
        "weblog": 0.0,
        "newsgroup": 0.0,
        "email": 0.0,
        "reviews": 1.0,
        "answers": 0.0,
    }
    assert email.cats["email"] == 1.0
    with pytest.raises(ValueError, match="found the document 'novel-1'.*weblog"):
        genre_cats("novel-1")


def test_frames_survive_the_file(sources: Sources, tmp_path: Path) -> None:
    review, _ = convert(sources, tmp_path / "out")
    end_up, purr = read_frames(review)
    assert (end_up.roleset, end_up.predicate.text) == ("end_up.03", "end")
    assert [(argument.label, argument.span.text) for argument in end_up.arguments] == [
        ("ARG1", "Mira's cats"),
        ("C-V", "up"),
        ("ARG2", "in Oslo"),
    ]
    assert (purr.roleset, purr.predicate.text) == ("purr.01", "purr")
    assert [(argument.label, argument.span.text) for argument in purr.arguments] == [
        ("ARGM-TMP", "Atlast"),
        ("ARG0", "they"),
    ]


def test_document_without_a_file_is_annotated_without_frames(
    sources: Sources, tmp_path: Path
) -> None:
    _, email = convert(sources, tmp_path / "out")
    assert "srl" in email.spans
    assert len(email.spans["srl"]) == 0


def test_nothing_is_kept_that_a_docbin_drops(sources: Sources, tmp_path: Path) -> None:
    for doc in convert(sources, tmp_path / "out"):
        assert not doc.user_data


def test_counts_leave_out_the_predicate(sources: Sources, tmp_path: Path) -> None:
    counts = convert_ewt(sources.ud, sources.uner, sources.propbank, tmp_path / "o", expected={})
    assert set(counts) == set(SPLITS)
    assert {name: counts["dev"][name] for name in EXPECTED} == {
        "documents": 2,
        "sentences": 3,
        "tokens": 13,
        "PER": 1,
        "LOC": 1,
        "ORG": 0,
        "frames": 2,
        "arguments": 4,
        "documents without frames": 1,
        "aligned sentences": 1,
    }
    assert counts["dev"]["reviews"] == 1


def test_unexpected_count_is_named_and_nothing_is_written(sources: Sources, tmp_path: Path) -> None:
    expected = {"tokens": {"train": 13, "dev": 14}, "PER": {"test": 7}}
    out = tmp_path / "out"
    with pytest.raises(CountError) as caught:
        convert_ewt(sources.ud, sources.uner, sources.propbank, out, expected=expected)
    message = str(caught.value)
    assert "dev tokens: found 13, expected 14" in message
    assert "test PER: found 1, expected 7" in message
    assert "train" not in message
    assert "EXPECTED in scripts/convert_ewt.py" in message
    assert not out.exists()


def test_word_that_differs_is_named(sources: Sources, tmp_path: Path) -> None:
    path = sources.uner / "en_ewt-ud-dev.iob2"
    sources.replace(path, "\tthey\t", "\tthou\t")
    with pytest.raises(FormatError, match=r"dev.iob2:17: found the word 'thou', expected 'they'"):
        convert(sources, tmp_path)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("3\tpurr\tO\n", "", r"iob2:16: found 2 words, expected 3"),
        ("email-two-0001", "email-two-0002", r"conllu:24: the sentence 'email-two-0001' does not"),
        ("B-LOC", "B-GPE", r"iob2:12: found the label 'GPE', expected one of PER"),
        (
            "# sent_id = email",
            "# sent_id = more\n1\tMore\tO\n\n# sent_id = email",
            r"iob2:2: the sentence 'more' does not exist",
        ),
    ],
)
def test_entities_of_other_sentences_are_named(
    sources: Sources, tmp_path: Path, old: str, new: str, message: str
) -> None:
    sources.replace(sources.uner / "en_ewt-ud-train.iob2", old, new)
    with pytest.raises(FormatError, match=message):
        convert(sources, tmp_path)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("one 2 0 [WORD] NFP  * -    -", "one 2 0 [WORD] VB * go go.01 (V*)", "15: found 3 sent"),
        (SKEL[SKEL.index("one 1 0") :], "", r"1: found 1 sentences, expected the 2"),
        (
            SKEL[: SKEL.index("one 1 0")],
            "one 0 0 [WORD] UH * - -\n\n",
            "1: found 1 tokens with the",
        ),
    ],
)
def test_frames_of_other_sentences_are_named(
    sources: Sources, tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = sources.propbank / "reviews" / "00" / "one.xml.gold_skel"
    sources.replace(path, old, new)
    with pytest.raises(FormatError, match=f"gold_skel:{message}"):
        convert(sources, tmp_path)


def test_sentence_above_the_first_document_is_named(sources: Sources, tmp_path: Path) -> None:
    sources.replace(sources.ud / "en_ewt-ud-train.conllu", "# newdoc id = reviews-one\n", "")
    with pytest.raises(FormatError, match=r"conllu:3: .*first '# newdoc id ='"):
        convert(sources, tmp_path)


def test_missing_sources_say_how_to_fetch_them(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="weblog does not exist; fetch it with"):
        convert_ewt(sources.ud, sources.uner, tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="train.conllu does not exist; fetch it with"):
        convert_ewt(tmp_path / "nowhere", sources.uner, sources.propbank, tmp_path / "out")


def test_command_line_reports_the_mistake_without_a_traceback(
    sources: Sources, tmp_path: Path
) -> None:
    app = Typer()
    app.command()(main)
    folders = [sources.ud, sources.uner, sources.propbank, tmp_path / "out"]
    result = CliRunner().invoke(app, [str(folder) for folder in folders])
    assert result.exit_code == 1
    assert "train documents: found 2, expected 540" in result.output


def sentence_with_tags(*tags: str) -> ConlluSentence:
    words, spaces = ["word"] * len(tags), [True] * len(tags)
    return ConlluSentence(1, "email-x", words=words, spaces=spaces, tags=list(tags))


@pytest.mark.parametrize(
    "tokens, words, expected",
    [
        ("DT NN VBZ", "X Y Z", [(0, 1), (1, 2), (2, 3)]),
        ("VBP GW HYPH WRB PRP", "VBP WRB PRP", [(0, 1), None, None, (1, 2), (2, 3)]),
        ("DT NNPS NN .", "DT NNP POS NN .", [(0, 1), (1, 3), (3, 4), (4, 5)]),
        ("RB NNP .", "RB NNP POS .", [(0, 1), (1, 3), (3, 4)]),
        ("$ $ CC VB .", "$ CC VB .", [None, (0, 1), (1, 2), (2, 3), (3, 4)]),
    ],
)
def test_tokens_are_aligned_by_their_tags(
    tokens: str, words: str, expected: list[tuple[int, int] | None]
) -> None:
    skel = SkelSentence(1, tags=tokens.split())
    assert align_tags(Path("x"), skel, sentence_with_tags(*words.split())) == expected


def test_tokens_of_another_sentence_are_not_aligned() -> None:
    skel = SkelSentence(7, tags="DT NN VBZ JJ".split())
    with pytest.raises(FormatError, match=r"x.gold_skel:7: found 4 tokens with the tags DT NN"):
        align_tags(Path("x.gold_skel"), skel, sentence_with_tags("UH", ".", "NN"))


@pytest.mark.parametrize(
    "predicate, spans, expected",
    [
        (1, [("V", 1, 2), ("ARG1", 2, 4)], [("V", 1, 2), ("ARG1", 2, 4)]),
        (1, [("V", 1, 3)], [("V", 1, 2), ("C-V", 2, 3)]),
        (2, [("ARG0", 0, 1), ("V", 1, 3)], [("V", 2, 3), ("ARG0", 0, 1), ("C-V", 1, 2)]),
        (2, [("V", 0, 1), ("C-V", 2, 3)], [("V", 2, 3), ("C-V", 0, 1)]),
        (1, [("V", 1, 2), ("C-V", 4, 6)], [("V", 1, 2), ("C-V", 4, 6)]),
    ],
)
def test_predicate_is_the_token_with_the_roleset(
    predicate: int, spans: list[tuple[str, int, int]], expected: list[tuple[str, int, int]]
) -> None:
    frame = SkelFrame(predicate, "go.01", tuple(SkelSpan(*span) for span in spans))
    assert split_predicate(frame) == [SkelSpan(*span) for span in expected]


@pytest.mark.slow
@pytest.mark.skipif(not MIRROR.is_dir(), reason="needs the published sources in ../shared/mirror")
def test_published_corpus_has_the_expected_counts(tmp_path: Path) -> None:
    for repository, name in (
        ("UniversalDependencies/UD_English-EWT", "ud"),
        ("UniversalNER/UNER_English-EWT", "uner"),
        ("propbank/propbank-release", "propbank"),
    ):
        clone = ["git", "clone", "--quiet", str(MIRROR / repository), str(tmp_path / name)]
        subprocess.run(clone, check=True, capture_output=True)
    propbank = tmp_path / "propbank" / "data" / "google" / "ewt"
    counts = convert_ewt(tmp_path / "ud", tmp_path / "uner", propbank, tmp_path / "out")
    assert {genre: counts["train"][genre] for genre in GENRES} == {
        "weblog": 17,
        "newsgroup": 28,
        "email": 38,
        "reviews": 347,
        "answers": 110,
    }
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "dev.spacy",
        "test.spacy",
        "train.spacy",
    ]
