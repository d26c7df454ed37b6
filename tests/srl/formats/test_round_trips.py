"""Every format gives back what it has room for."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from spacy_mtl.cli.convert import convert
from spacy_mtl.srl.alignment import indexed_frames
from spacy_mtl.srl.formats.heads import span_head
from spacy_mtl.srl.formats.registry import FORMATS, read_docs, write_docs
from spacy_mtl.srl.formats.report import ConversionReport
from spacy_mtl.srl.formats.treebank import read_treebank
from tests.srl.formats.strategies import docs, layers

SYNTAX = {"tags", "lemmas", "morphs", "heads", "deps"}
CARRIED = {
    "conll05": {"words", "tags", "entities"},
    "conll12": {"words", "tags", "entities", "mentions"},
    "propbank": {"words", "tags"},
    "allennlp": {"words"},
    "bio": {"words"},
    "conll08": {"words", "tags", "lemmas", "heads", "deps"},
    "conll09": {"words", *SYNTAX},
    "up1": {"words", "pos", *SYNTAX},
    "up1-misc": {"words", "spaces", "pos", *SYNTAX},
    "up2": {"words", "spaces", "pos", *SYNTAX},
}
HEAD_BASED = {"conll08", "conll09", "up1", "up1-misc"}
EWT_TEST = Path(__file__).parents[3] / "corpus" / "ewt" / "test.spacy"

quick = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


def round_trip(
    written: list[Doc],
    name: str,
    report: ConversionReport | None = None,
    *,
    n_sents: int = 1,
    **options: str,
) -> list[Doc]:
    report = ConversionReport() if report is None else report
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_text("".join(write_docs(written, name, report, **options)), encoding="utf-8")
        return list(
            read_docs(path, name, Vocab(), report, n_sents=n_sents, **options)  # type: ignore[arg-type]
        )


@pytest.mark.parametrize("name", sorted(CARRIED))
@quick
@given(written=st.lists(docs(), min_size=1, max_size=2, unique_by=lambda d: d.user_data["id"]))
def test_what_a_format_has_room_for_comes_back(name: str, written: list[Doc]) -> None:
    report = ConversionReport()
    read = round_trip(written, name, report)
    if "documents" in FORMATS[name].carries:
        assert [doc.user_data["id"] for doc in read] == [doc.user_data["id"] for doc in written]
    expected = [sentence for doc in written for sentence in layers(doc)]
    assert not report.dropped and not report.repairs
    found = [sentence for doc in read for sentence in layers(doc)]
    assert len(found) == len(expected)
    for left, right in zip(found, expected, strict=True):
        assert {k: left[k] for k in CARRIED[name]} == {k: right[k] for k in CARRIED[name]}
        if name in HEAD_BASED:
            right["frames"] = [
                (predicate, roleset, sorted(narrowed(arguments, right["heads"])))
                for predicate, roleset, arguments in right["frames"]
            ]
        assert left["frames"] == right["frames"]


def narrowed(arguments: list[tuple[str, int, int]], heads: list[int]) -> list[tuple[str, int, int]]:
    found = [(label, span_head(heads, start, end)[0]) for label, start, end in arguments]
    return [(label, head, head + 1) for label, head in found]


@quick
@given(written=st.lists(docs(), min_size=1, max_size=3))
def test_lines_of_bio_tags_come_back_but_for_what_is_counted(written: list[Doc]) -> None:
    report = ConversionReport()
    read = round_trip(written, "deep_srl", report)
    frames = [(f["frames"], f["words"]) for doc in written for f in layers(doc) if f["frames"]]
    found = [f for doc in read for sent in layers(doc) for f in sent["frames"]]
    assert found == [(p, "", arguments) for own, _ in frames for p, _, arguments in own]
    assert report.losses["rolesets of predicates"] == len(found)
    n_sents = sum(len(layers(doc)) for doc in written)
    assert sum(len(layers(doc)) for doc in read) == n_sents - report.dropped["sentences"]


@pytest.mark.parametrize("columns", ["word", "word predicate", "_ predicate word tag lemma"])
@quick
@given(written=docs())
def test_layouts_of_bio_columns(columns: str, written: Doc) -> None:
    (read,) = round_trip([written], "bio", columns=columns, n_sents=0)
    for left, right in zip(layers(read), layers(written), strict=True):
        names = {"words", *({"tags", "lemmas"} if "tag" in columns else ())}
        assert {name: left[name] for name in names} == {name: right[name] for name in names}
        if "predicate" not in columns:
            right["frames"] = [(p, "", arguments) for p, _, arguments in right["frames"]]
        assert left["frames"] == right["frames"]


@quick
@given(written=docs())
def test_gold_skel_comes_back_with_the_words_of_a_treebank(written: Doc) -> None:
    report = ConversionReport()
    with TemporaryDirectory() as folder:
        path, treebank = Path(folder) / "file.gold_skel", Path(folder) / "treebank.spacy"
        text = "".join(write_docs([written], "gold_skel", report))
        assert "gave" not in text
        path.write_text(text, encoding="utf-8")
        DocBin(docs=[written], store_user_data=True).to_disk(treebank)
        (read,) = read_docs(path, "gold_skel", Vocab(), report, treebank=read_treebank([treebank]))
    found, expected = layers(read), layers(written)
    for sentence in (*found, *expected):
        del sentence["entities"], sentence["mentions"]
    assert found == expected


@pytest.mark.parametrize("columns", ["props", "words", "conll04", "conll05", "_ word sense lemma"])
@quick
@given(written=docs(extra_roles=False))
def test_layouts_of_conll05(columns: str, written: Doc) -> None:
    report = ConversionReport()
    with TemporaryDirectory() as folder:
        path, words = Path(folder) / "file", Path(folder) / "words"
        text = "".join(write_docs([written], "conll05", report, columns=columns))
        path.write_text(text, encoding="utf-8")
        sentences = ["\n".join(token.text for token in sent) for sent in written.sents]
        words.write_text("\n\n".join(sentences), encoding="utf-8")
        treebank = read_treebank([words]) if columns == "props" else None
        (read,) = read_docs(
            path, "conll05", Vocab(), report, treebank=treebank, columns=columns, n_sents=0
        )
    found = [(f.predicate, f.arguments) for f in indexed_frames(read)]
    frames = sorted(indexed_frames(written), key=lambda frame: frame.predicate)
    assert found == [(frame.predicate, frame.arguments) for frame in frames]
    if "sense" in columns or columns == "conll05":
        assert [f.roleset for f in indexed_frames(read)] == [f.roleset for f in frames]
    else:
        lemmas = [read[frame.predicate].lemma_ for frame in frames]
        assert lemmas == [frame.roleset.split(".")[0] for frame in frames]
        kind = "senses of predicates (only their lemmas are written)"
        assert report.losses[kind] == len(frames)


@quick
@given(written=docs(extra_roles=False))
def test_roles_are_spelled_as_asked_for(written: Doc) -> None:
    text = "".join(write_docs([written], "allennlp", ConversionReport(), labels="conll"))
    assert "ARG" not in text
    (read,) = round_trip([written], "up2", labels="keep")
    assert layers(read)[0]["frames"] == layers(written)[0]["frames"]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CARRIED))
@pytest.mark.skipif(not EWT_TEST.is_file(), reason="corpus/ewt is not converted")
def test_all_frames_of_a_corpus_come_back(name: str, tmp_path: Path) -> None:
    convert(EWT_TEST, tmp_path / "file", target=name)
    convert(tmp_path / "file", tmp_path / "back.spacy", source=name)
    pairs = []
    for path in (tmp_path / "back.spacy", EWT_TEST):
        corpus = DocBin(store_user_data=True).from_disk(path).get_docs(Vocab())
        pairs.append([sentence for doc in corpus for sentence in layers(doc)])
    for left, right in zip(*pairs, strict=True):
        if name in HEAD_BASED:
            right["frames"] = [
                (predicate, roleset, sorted(narrowed(arguments, right["heads"])))
                for predicate, roleset, arguments in right["frames"]
            ]
        assert left["words"] == right["words"]
        assert left["frames"] == right["frames"]
