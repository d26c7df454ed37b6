"""Splitting long documents keeps all annotation."""

from pathlib import Path

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span, SpanGroup

from spacy_mtl.corpora.corpus import create_corpus
from spacy_mtl.corpora.splitting import split_doc

NLP = spacy.blank("en")


def make_doc(sentence_lengths: list[int]) -> Doc:
    """A document in which every sentence has an entity, a frame, tags and heads."""
    n_tokens = sum(sentence_lengths)
    starts = {sum(sentence_lengths[:i]) for i in range(len(sentence_lengths))}
    heads = []
    first = 0
    for i in range(n_tokens):
        first = i if i in starts else first
        heads.append(first)
    doc = Doc(
        NLP.vocab,
        words=[f"word{i}" for i in range(n_tokens)],
        tags=["NN"] * n_tokens,
        heads=heads,
        deps=["ROOT" if i in starts else "dep" for i in range(n_tokens)],
    )
    doc.set_ents([Span(doc, start, start + 1, "PER") for start in sorted(starts)])
    doc.cats = {"a": 1.0, "b": 0.0}
    spans = []
    for number, (start, length) in enumerate(zip(sorted(starts), sentence_lengths, strict=True)):
        spans.append(Span(doc, start, start + 1, "V", kb_id="do.01", span_id=number))
        if length > 1:
            spans.append(Span(doc, start + 1, start + length, "ARG1", span_id=number))
    doc.spans["srl"] = SpanGroup(doc, name="srl", spans=spans)
    doc.spans["other"] = [Span(doc, 0, 1, "X")]
    return doc


def annotation(doc: Doc) -> dict[str, list[tuple[str, str]]]:
    return {
        "words": [(token.text, token.tag_) for token in doc],
        "heads": [(token.text, token.head.text) for token in doc],
        "sents": [("", sent.text) for sent in doc.sents],
        "ents": [(ent.label_, ent.text) for ent in doc.ents],
        "srl": [
            (frame.roleset + frame.predicate.text, argument.label + argument.span.text)
            for frame in doc._.srl
            for argument in frame.arguments
        ],
    }


@given(st.lists(st.integers(1, 6), min_size=1, max_size=12), st.integers(1, 20))
def test_pieces_hold_all_annotation_in_order(sentence_lengths: list[int], max_length: int) -> None:
    doc = make_doc(sentence_lengths)
    pieces = split_doc(doc, max_length)
    for layer, items in annotation(doc).items():
        assert [item for piece in pieces for item in annotation(piece)[layer]] == items
    for piece in pieces:
        assert piece.cats == doc.cats
        assert "srl" in piece.spans
        assert "other" in piece.spans
        assert len(piece) <= max_length or len(list(piece.sents)) == 1
    assert sum(len(piece.spans["other"]) for piece in pieces) == 1


def test_frames_and_entities_across_sentences_are_not_cut() -> None:
    doc = make_doc([3, 3, 3, 3])
    doc.set_ents([Span(doc, 2, 4, "ORG")])
    doc.spans["srl"] = SpanGroup(
        doc,
        name="srl",
        spans=[Span(doc, 7, 8, "V", span_id=0), Span(doc, 9, 10, "ARG1", span_id=0)],
    )
    assert [len(piece) for piece in split_doc(doc, 1)] == [6, 6]


def test_missing_entities_stay_missing() -> None:
    doc = make_doc([3, 3])
    doc.set_ents([], missing=[doc[3:5]], default="outside")
    first, second = split_doc(doc, 3)
    assert [token.ent_iob_ for token in first] == ["O", "O", "O"]
    assert [token.ent_iob_ for token in second] == ["", "", "O"]


def test_document_without_sentences_stays_whole() -> None:
    doc = Doc(NLP.vocab, words=["a"] * 10)
    assert split_doc(doc, 2) == [doc]


def test_corpus_reads_pieces_that_spacys_own_reader_strips(tmp_path: Path) -> None:
    DocBin(docs=[make_doc([4] * 5)]).to_disk(tmp_path / "train.spacy")
    pieces = list(create_corpus(tmp_path / "train.spacy", max_length=9)(NLP))
    assert [len(eg.reference) for eg in pieces] == [8, 8, 4]
    assert all(eg.reference.cats and "srl" in eg.reference.spans for eg in pieces)
    stock = spacy.registry.readers.get("spacy.Corpus.v1")(
        tmp_path / "train.spacy", gold_preproc=False, max_length=9
    )
    assert not any(eg.reference.cats for eg in stock(NLP))


@pytest.mark.parametrize("settings", [{"path": None}, {"path": "x", "max_length": -1}])
def test_wrong_settings_are_refused(settings: dict) -> None:
    with pytest.raises(ValueError, match=r"spacy_mtl\.Corpus\.v1"):
        create_corpus(**settings)
