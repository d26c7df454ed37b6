"""The table of released pipelines."""

import pytest
import spacy

from benchmarks.measuring.released import (
    HEADER,
    SENTENCES,
    Released,
    read_texts,
    table_row,
    take_texts,
)
from spacy_mtl.acceleration import Report


def treebank(path, documents):
    lines = []
    for document in documents:
        lines.append("# newdoc id = d")
        for sentence in document:
            lines += [f"# text = {sentence}", "1\tword\t_", ""]
    path.write_text("\n".join(lines), encoding="utf8")


def test_texts_end_with_their_document_and_have_ten_sentences_at_most(tmp_path):
    (tmp_path / "more").mkdir()
    treebank(tmp_path / "a.conllu", [["One = 1.", "Two."], ["x."] * (SENTENCES + 1)])
    treebank(tmp_path / "more" / "b.conllu", [["Last."]])
    expected = ["One = 1. Two.", " ".join(["x."] * SENTENCES), "x.", "Last."]
    assert list(read_texts(tmp_path)) == expected


def test_too_few_words_are_an_error(tmp_path):
    treebank(tmp_path / "a.conllu", [["One two."]])
    nlp = spacy.blank("en")
    assert take_texts(nlp, tmp_path, 3) == ["One two."]
    with pytest.raises(ValueError, match="have 3 words; 4"):
        take_texts(nlp, tmp_path, 4)


def test_table_has_the_median_of_the_ratios_of_rounds():
    report = Report(replaced={"tok2vec": ["CNN"], "ner": ["search"]}, words=50_000)
    speeds = {
        "as installed (BLIS)": [10.0, 20.0, 40.0],
        "with OpenBLAS": [20.0, 20.0, 20.0],
        "accelerated": [40.0, 60.0, 160.0],
    }
    row = dict(zip(HEADER, table_row("sm", report, speeds), strict=True))
    assert row["encoders replaced"] == "`tok2vec`"
    assert row["left as it was"] == "nothing"
    assert row["words compared"] == "50,000"
    assert row["words/s accelerated"] == "60"
    assert row["times as installed (BLIS)"] == "4.0 (3.0 to 4.0)"
    assert row["times with OpenBLAS"] == "3.0 (2.0 to 8.0)"


def test_pipeline_that_is_not_installed_is_not_found():
    assert Released("no_such_pipeline", "en", "no_such_package", "folder").find() is None
