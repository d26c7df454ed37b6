"""Frames stay those that were written when tokens are merged or split, and documents cut, joined,
copied or saved."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example

from spacy_mtl.corpora.annotations import Selection, count_units, keep_annotations
from spacy_mtl.corpora.splitting import split_doc
from spacy_mtl.srl import Argument, Frame, read_frames, span_as_doc, write_frames
from spacy_mtl.srl.scoring.scorer import score_srl
from tests.srl.strategies import PlainFrame, make_doc

WORDS = "Maria Lopez gave her brother a ticket on Friday . They left .".split()
GAVE: PlainFrame = (
    2,
    "give.01",
    [("ARG0", 0, 2), ("ARG2", 3, 5), ("ARG1", 5, 7), ("ARGM-TMP", 7, 9)],
)
LEFT: PlainFrame = (11, "leave.01", [("ARG0", 10, 11)])
Texts = list[tuple[str, str, list[tuple[str, str, float | None]]]]


def make_merged(*ranges: tuple[int, int]) -> Doc:
    """The document with scores, and then some of its tokens merged."""
    doc = make_doc(WORDS, [GAVE, LEFT])
    frames = [
        Frame(
            frame.predicate,
            frame.roleset,
            tuple(Argument(a.label, a.span, score=0.25) for a in frame.arguments),
            score=0.5,
            roleset_score=0.75,
        )
        for frame in read_frames(doc)
    ]
    write_frames(doc, frames)
    merge(doc, *ranges)
    return doc


def merge(doc: Doc, *ranges: tuple[int, int]) -> None:
    with doc.retokenize() as retokenizer:
        for start, end in ranges:
            retokenizer.merge(doc[start:end])


def split(doc: Doc, token: int) -> None:
    first, rest = doc[token].text[:1], doc[token].text[1:]
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[token], [first, rest], [(doc[token], 1), (doc[token], 1)])


def texts_of(doc: Doc) -> Texts:
    return [
        (
            frame.roleset,
            frame.predicate.text,
            [(a.label, a.span.text, a.score) for a in frame.arguments],
        )
        for frame in read_frames(doc)
    ]


EXPECTED = texts_of(make_merged())


def test_frames_follow_a_merge() -> None:
    doc = make_merged((0, 2))
    assert texts_of(doc) == EXPECTED
    assert read_frames(doc)[0].predicate.start == 1
    assert read_frames(doc)[0].roleset_score == 0.75
    assert texts_of(make_merged((0, 2), (3, 5), (5, 7), (7, 9))) == EXPECTED  # some behind the end


def test_frames_follow_a_split() -> None:
    doc = make_merged()
    split(doc, 1)
    split(doc, 12)
    assert [token.text for token in doc][:3] == ["Maria", "L", "opez"]
    assert texts_of(doc) == EXPECTED
    assert texts_of(doc.copy()) == EXPECTED


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(1, 3)), max_size=3), st.booleans())
def test_frames_keep_their_texts_or_name_the_merge(
    merges: list[tuple[int, int]], splits: bool
) -> None:
    doc = make_merged()
    for start, length in merges:
        merge(doc, (start, start + length)) if start + length <= len(doc) else None
    if splits and len(doc[0]) > 1:
        split(doc, 0)
    try:
        assert texts_of(doc) == EXPECTED
    except ValueError as error:
        assert "Doc.retokenize" in str(error)
        assert any(token.text.count(" ") for token in doc)


@pytest.mark.parametrize("range", [(1, 3), (2, 4), (4, 6), (6, 8), (8, 11)])
def test_merge_across_the_border_of_a_span_is_named(range: tuple[int, int]) -> None:
    doc = make_merged(range)
    merged = " ".join(WORDS[slice(*range)])
    message = rf"'srl'\] does not begin and end where tokens do.*merge_entities.*now \[.*{merged}"
    with pytest.raises(ValueError, match=message):
        read_frames(doc)


SAVED: dict[str, Callable[[Doc], Doc]] = {
    "bytes": lambda doc: Doc(doc.vocab).from_bytes(doc.to_bytes()),
    "DocBin": lambda doc: next(DocBin(docs=[doc]).get_docs(doc.vocab)),
}


@pytest.mark.parametrize("way", SAVED)
def test_saved_documents_keep_what_was_merged(way: str) -> None:
    doc = SAVED[way](make_merged((0, 2)))
    assert texts_of(doc) == EXPECTED


def test_writing_the_frames_again_mends_the_group_for_all_that_spacy_does() -> None:
    doc = make_merged((0, 2), (7, 9))
    with pytest.raises(IndexError):
        doc.copy()
    write_frames(doc, read_frames(doc))
    assert texts_of(doc.copy()) == EXPECTED
    spans = doc.to_json()["spans"]["srl"]
    assert [doc.text[span["start"] : span["end"]] for span in spans][1] == "Maria Lopez"
    joined = Doc.from_docs([doc, doc])  # keeps no scores
    assert [texts[:2] for texts in texts_of(joined)] == 2 * [texts[:2] for texts in EXPECTED]


def test_frames_from_before_a_merge_are_not_written() -> None:
    doc = make_merged()
    frames = read_frames(doc)
    merge(doc, (0, 2))
    with pytest.raises(
        ValueError, match=r"merged or split since .* Take the frames from doc._.srl"
    ):
        write_frames(doc, frames)


@pytest.mark.parametrize("range", [(0, 2), (1, 3), (8, 11)])
def test_scores_do_not_depend_on_merges(range: tuple[int, int]) -> None:
    example = Example(make_merged(range), make_doc(WORDS, [GAVE, LEFT]))
    scores = score_srl([example])
    assert scores["srl_arguments_f"] == scores["srl_rolesets_f"] == 1.0


def test_corpus_keeps_what_was_merged() -> None:
    doc = make_merged((0, 2), (7, 9))
    doc.spans["other"] = [Span(doc, 0, 1, "X")]
    assert count_units(doc)["roles"] == 2
    kept = keep_annotations(doc, Selection(frozenset({"roles"}), frozenset()))
    assert texts_of(kept) == EXPECTED
    assert "other" not in kept.spans


def with_sentences(doc: Doc) -> Doc:
    for token in doc:
        token.is_sent_start = token.text in ("Maria", "Maria Lopez", "They")
    return doc


@pytest.mark.parametrize("ranges", [[], [(0, 2)]])
def test_sentence_as_a_document_keeps_its_frames(ranges: list[tuple[int, int]]) -> None:
    doc = with_sentences(make_merged(*ranges))
    doc.spans["other"] = [doc[0:1], doc[len(doc) - 2 : len(doc) - 1]]
    pieces = [span_as_doc(sentence) for sentence in doc.sents]
    assert [texts_of(piece) for piece in pieces] == [EXPECTED[:1], EXPECTED[1:]]
    assert [[span.text for span in piece.spans["other"]] for piece in pieces][1] == ["left"]
    assert read_frames(pieces[1])[0].score == 0.5
    assert [texts_of(piece) for piece in split_doc(doc, 9)] == [EXPECTED[:1], EXPECTED[1:]]


def test_part_of_a_frame_is_no_frame() -> None:
    doc = make_merged()
    assert texts_of(span_as_doc(doc[2:])) == EXPECTED[1:]  # "Maria Lopez" is missing
    assert "srl" in span_as_doc(doc[:1]).spans
    assert "srl" not in span_as_doc(make_doc(WORDS, None)[:1]).spans
