import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from spacy_mtl.srl import Argument, Frame, read_frames, write_frames
from spacy_mtl.srl.extension import register_extension
from tests.srl.strategies import PlainFrame, make_doc, plain_frames

WORDS = ["She", "gave", "him", "a", "book", "and", "left", "."]
GAVE: PlainFrame = (1, "give.01", [("ARG0", 0, 1), ("ARG2", 2, 3), ("ARG1", 3, 5)])
LEFT: PlainFrame = (6, "leave.01", [("ARG0", 0, 1)])


def to_json(doc: Doc) -> list[dict]:
    return [frame.to_json() for frame in read_frames(doc)]


def test_group_has_the_documented_layout() -> None:
    doc = make_doc(WORDS, [GAVE, LEFT])
    assert [
        (span.label_, span.start, span.end, span.kb_id_, span.id) for span in doc.spans["srl"]
    ] == [
        ("V", 1, 2, "give.01", 0),
        ("ARG0", 0, 1, "", 0),
        ("ARG2", 2, 3, "", 0),
        ("ARG1", 3, 5, "", 0),
        ("V", 6, 7, "leave.01", 1),
        ("ARG0", 0, 1, "", 1),
    ]


def test_description_is_that_of_allennlp() -> None:
    frame = read_frames(make_doc(WORDS, [GAVE]))[0]
    assert frame.description() == "[ARG0: She] [V: gave] [ARG2: him] [ARG1: a book] and left ."


def test_description_is_limited_to_the_sentence() -> None:
    doc = make_doc(["Rain", ".", "She", "left", ".", "Sun", "."], [(3, "leave.01", [])])
    for token in doc:
        token.is_sent_start = token.i in (0, 2, 5)
    assert read_frames(doc)[0].description() == "She [V: left] ."


def test_description_includes_arguments_outside_of_the_sentence() -> None:
    doc = make_doc(
        ["She", ".", "left", ".", "now"], [(2, "leave.01", [("A0", 0, 1), ("TMP", 4, 5)])]
    )
    for token in doc:
        token.is_sent_start = token.i in (0, 2, 4)
    assert read_frames(doc)[0].description() == "[A0: She] . [V: left] . [TMP: now]"


def test_json_gives_tokens_characters_label_and_text() -> None:
    frame = read_frames(make_doc(WORDS, [GAVE]))[0]
    as_json = frame.to_json()
    assert as_json["roleset"] == "give.01"
    assert as_json["predicate"] == {
        "start": 1, "end": 2, "start_char": 4, "end_char": 8, "text": "gave",
    }  # fmt: skip
    assert as_json["arguments"][2] == {
        "label": "ARG1", "start": 3, "end": 5, "start_char": 13, "end_char": 19, "text": "a book",
    }  # fmt: skip
    assert frame.arguments[2].to_json() == as_json["arguments"][2]


def test_repr_shows_the_frame() -> None:
    assert repr(read_frames(make_doc(WORDS, [LEFT]))) == "[<Frame leave.01 'left' [ARG0: She]>]"


@given(st.integers(0, 12).flatmap(lambda n: st.tuples(st.just(n), plain_frames(n))))
def test_what_is_written_is_read(case: tuple[int, list[PlainFrame]]) -> None:
    n_tokens, plain = case
    doc = make_doc([f"w{i}" for i in range(n_tokens)], plain)
    frames = read_frames(doc)
    assert [
        (
            frame.predicate.start,
            frame.roleset,
            [
                (argument.label, argument.span.start, argument.span.end)
                for argument in frame.arguments
            ],
        )
        for frame in frames
    ] == plain
    write_frames(doc, frames)
    assert read_frames(doc) == frames
    write_frames(doc, [frame.to_json() for frame in frames])
    assert read_frames(doc) == frames


@given(st.integers(0, 8).flatmap(lambda n: st.tuples(st.just(n), plain_frames(n))))
def test_frames_survive_every_way_of_storing_a_doc(case: tuple[int, list[PlainFrame]]) -> None:
    n_tokens, plain = case
    doc = make_doc([f"w{i}" for i in range(n_tokens)], plain)
    expected = to_json(doc)
    from_bin = next(iter(DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(Vocab())))
    from_bytes = Doc(Vocab()).from_bytes(doc.to_bytes())
    for other in (from_bin, from_bytes, doc.copy(), pickle.loads(pickle.dumps(doc))):
        assert "srl" in other.spans
        assert to_json(other) == expected


@given(
    st.lists(
        st.integers(0, 6).flatmap(lambda n: st.tuples(st.just(n), plain_frames(n))), min_size=1
    )
)
def test_joined_documents_keep_their_frames_apart(
    cases: list[tuple[int, list[PlainFrame]]],
) -> None:
    vocab = Vocab()
    docs = [make_doc([f"w{i}" for i in range(n)], plain, vocab=vocab) for n, plain in cases]
    joined = Doc.from_docs(docs)
    assert [
        (frame["roleset"], [(a["label"], a["text"]) for a in frame["arguments"]])
        for frame in to_json(joined)
    ] == [
        (frame["roleset"], [(a["label"], a["text"]) for a in frame["arguments"]])
        for doc in docs
        for frame in to_json(doc)
    ]


def test_arguments_before_their_predicate_are_read() -> None:
    doc = make_doc(WORDS, None)
    doc.spans["srl"] = [
        Span(doc, 0, 1, "ARG0", span_id=3),
        Span(doc, 1, 2, "V", kb_id="give.01", span_id=3),
        Span(doc, 3, 5, "ARG1", span_id=3),
    ]
    assert [argument.label for argument in read_frames(doc)[0].arguments] == ["ARG0", "ARG1"]


def test_no_group_and_empty_group_have_no_frames() -> None:
    assert read_frames(make_doc(WORDS, None)) == []
    assert read_frames(make_doc(WORDS, [])) == []
    empty = make_doc([], [])
    assert read_frames(empty) == []
    assert "srl" in empty.spans


def test_frame_without_arguments_and_without_roleset() -> None:
    doc = make_doc(WORDS, None)
    write_frames(doc, [Frame(doc[1:2])])
    assert read_frames(doc) == [Frame(doc[1:2], "", ())]


def test_predicate_of_several_tokens() -> None:
    doc = make_doc(WORDS, None)
    write_frames(doc, [Frame(doc[1:3], "give.01", (Argument("ARG0", doc[0:1]),))])
    assert read_frames(doc)[0].predicate.text == "gave him"


def test_other_key() -> None:
    doc = make_doc(WORDS, None)
    write_frames(doc, [Frame(doc[1:2], "give.01")], key="nominal")
    assert read_frames(doc) == []
    assert len(read_frames(doc, "nominal")) == 1


def test_json_goes_to_another_tokenization_by_characters() -> None:
    frames = to_json(make_doc(["She", "left", "New", "York"], [(1, "leave.01", [("ARG1", 2, 4)])]))
    doc = make_doc(["S", "he", "left", "New York"], None, spaces=[False, True, True, False])
    write_frames(doc, frames)
    assert read_frames(doc)[0].arguments[0].span.start == 3


def test_json_with_tokens_only() -> None:
    doc = make_doc(WORDS, None)
    write_frames(doc, [{"predicate": {"start": 6, "end": 7}}])
    assert read_frames(doc) == [Frame(doc[6:7])]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"predicate": {"start": 6, "end": 7, "text": "gave"}}, "expects the text 'gave'"),
        ({"predicate": {"start_char": 5, "end_char": 8}}, r"'ave'.*token borders"),
        ({"predicate": {"start": 6, "end": 9}}, "Doc of 8 tokens"),
        ({"predicate": {"start": 6, "end": 6}}, "Doc of 8 tokens"),
        ({"roleset": "give.01"}, "expected a Frame or a dict"),
        ({"predicate": None}, "expected a Frame or a dict"),
        ({"predicate": {"start": 1, "end": 2}, "arguments": [{"start": 0, "end": 1}]}, "'label'"),
    ],
)
def test_bad_json_is_refused(frame: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_frames(make_doc(WORDS, None), [frame])


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ([(1, "give.01", [("ARG1", 2, 5), ("ARG2", 4, 6)])], "ARG1 'him a book'.*ARG2 'book and'"),
        ([(1, "give.01", [("ARG0", 0, 2)])], "ARG0 'She gave'.*V 'gave'"),
        ([(1, "give.01", [("ARG0", 0, 0)])], "ARG0 at token 0 is empty"),
        ([(1, "give.01", [("V", 3, 4)])], "label 'V'"),
        ([(1, "give.01", [("", 3, 4)])], "label ''"),
        ([(1, "give.01", []), (1, "give.02", [])], "start at token 1"),
    ],
)
def test_bad_frames_are_refused(plain: list[PlainFrame], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_doc(WORDS, plain)


def test_spans_of_another_doc_are_refused() -> None:
    doc = make_doc(WORDS, None)
    other = make_doc(WORDS, None, vocab=doc.vocab)
    with pytest.raises(ValueError, match="'him' belongs to another Doc"):
        write_frames(doc, [Frame(doc[1:2], "give.01", (Argument("ARG2", other[2:3]),))])


def test_refused_frames_leave_the_old_ones() -> None:
    doc = make_doc(WORDS, [GAVE])
    before = to_json(doc)
    with pytest.raises(ValueError):
        write_frames(doc, [Frame(doc[1:2]), Frame(doc[1:2])])
    assert to_json(doc) == before


def test_argument_without_predicate_is_an_error_on_reading() -> None:
    doc = make_doc(WORDS, None)
    doc.spans["srl"] = [Span(doc, 1, 2, "V", span_id=1), Span(doc, 0, 1, "ARG0", span_id=2)]
    with pytest.raises(ValueError, match=r"'ARG0' at tokens 0-1 \('She'\) has the span ID 2"):
        read_frames(doc)


def test_overlapping_arguments_are_an_error_on_reading() -> None:
    doc = make_doc(WORDS, None)
    doc.spans["srl"] = [Span(doc, 1, 2, "V"), Span(doc, 3, 5, "A1"), Span(doc, 4, 6, "A2")]
    with pytest.raises(ValueError, match="overlap"):
        read_frames(doc)


def test_extension_reads_and_writes_the_group() -> None:
    register_extension()
    register_extension()
    doc = make_doc(WORDS, None)
    assert doc._.srl == []
    doc._.srl = [Frame(doc[1:2], "give.01", (Argument("ARG0", doc[0:1]),))]
    assert doc._.srl == read_frames(doc)
    assert len(doc.spans["srl"]) == 2
    assert not doc.user_data
    doc._.srl = [frame.to_json() for frame in doc._.srl]
    assert len(doc.spans["srl"]) == 2
    doc._.srl = []
    assert "srl" in doc.spans
    assert doc._.srl == []


def test_frames_can_be_compared_and_hashed() -> None:
    doc = make_doc(WORDS, [GAVE, LEFT])
    assert len({*read_frames(doc), *read_frames(doc)}) == 2
    assert read_frames(doc)[0] != read_frames(doc.copy())[0]
    assert read_frames(doc)[0] != "gave"
    assert read_frames(doc)[0].arguments[0] != "She"
