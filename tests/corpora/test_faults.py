"""Annotation that can't be learned from is named, counted, and left out or refused."""

import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
import srsly
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span, SpanGroup
from spacy.training import Example
from spacy.util import registry

from spacy_mtl.corpora.corpus import create_corpus
from spacy_mtl.corpora.faults import FaultyAnnotation, find_faults
from spacy_mtl.corpora.mixed import create_mixed_corpus
from spacy_mtl.heads.srl.gold import collect_gold
from spacy_mtl.srl import indexed_frames
from spacy_mtl.srl.scoring.scorer import score_srl
from spacy_mtl.srl.senses import SenseInventory
from tests.heads.pipelines import make_nlp

Spans = list[tuple[str, int, int, int]]  # label, start, end, span ID
GOOD: Spans = [("V", 1, 2, 0), ("ARG0", 0, 1, 0), ("ARG1", 2, 4, 0)]
WORDS = "Ann gave books away . They left early".split()


def make_doc(nlp: Language, spans: Spans, **cats: object) -> Doc:
    """Two sentences with a group of spans; the good one has a frame in the first."""
    doc = Doc(nlp.vocab, words=WORDS, sent_starts=[i in (0, 5) for i in range(8)])
    group = [Span(doc, start, end, label, span_id=number) for label, start, end, number in spans]
    doc.spans["srl"] = SpanGroup(doc, name="srl", spans=group)
    doc.set_ents([Span(doc, 0, 1, "PER")])
    doc.cats = dict(cats)
    return doc


def save(docs: list[Doc], path: Path) -> Path:
    DocBin(docs=docs).to_disk(path)
    return path


def make_example(doc: Doc) -> Example:
    return Example(Doc(doc.vocab, words=[token.text for token in doc]), doc)


@pytest.fixture(scope="module")
def nlp() -> Language:
    return make_nlp(("mtl_srl", "srl", {}))


FAULTY: dict[str, tuple[Spans, str]] = {
    "an argument over its predicate": ([("V", 1, 2, 0), ("ARG1", 1, 4, 0)], "overlap"),
    "arguments over each other": (
        [("V", 1, 2, 0), ("ARG1", 2, 4, 0), ("ARG2", 3, 5, 0)],
        "ARG1 'books away' .* and ARG2 'away .' .* overlap",
    ),
    "an empty argument": ([("V", 1, 2, 0), ("ARG1", 3, 3, 0)], "the span of ARG1 .* is empty"),
    "an empty predicate": ([("V", 1, 1, 0)], "the span of V .* is empty"),
    "no label": ([("V", 1, 2, 0), ("", 2, 4, 0)], "has the label ''"),
    "two frames at a token": ([("V", 1, 2, 0), ("V", 1, 2, 1)], "Two frames .* start at token 1"),
    "no predicate": ([("ARG0", 0, 1, 0)], "the span ID 0, but no span labelled 'V' has it"),
    "arguments before two predicates with the same ID": (
        [("ARG0", 0, 1, 0), ("V", 1, 2, 0), ("ARG0", 5, 6, 0), ("V", 6, 7, 0)],
        "2 spans labelled 'V' with this ID come after it",
    ),
}
SOUND: dict[str, tuple[Spans, int]] = {
    "the same role twice": ([*GOOD[:2], ("ARG0", 2, 3, 0)], 1),
    "an argument in another sentence": ([("V", 1, 2, 0), ("ARG1", 5, 6, 0)], 1),
    "an argument across sentences": ([("V", 1, 2, 0), ("ARG1", 3, 6, 0)], 1),
    "two predicates with the same ID": ([*GOOD, ("V", 6, 7, 0), ("ARG0", 5, 6, 0)], 2),
    "a label that is not ASCII": ([("V", 1, 2, 0), ("ARGM-ЧТО é|x", 2, 4, 0)], 1),
    "arguments before their predicate": (GOOD[::-1], 1),
    "no frame": ([], 0),
}


@pytest.mark.parametrize("case", FAULTY)
def test_faulty_frames_are_refused_with_file_document_and_setting(
    nlp: Language, tmp_path: Path, case: str
) -> None:
    spans, message = FAULTY[case]
    path = save([make_doc(nlp, GOOD), make_doc(nlp, spans)], tmp_path / "train.spacy")
    with pytest.raises(FaultyAnnotation, match=message) as error:
        list(create_corpus(path)(nlp))
    text = str(error.value)
    assert f"{path}, document 2: component 'srl': " in text
    assert "'Ann gave books away" in text
    assert "skip_malformed = true" in text


@pytest.mark.parametrize("max_length", [0, 5])
@pytest.mark.parametrize("case", FAULTY)
def test_faulty_frames_can_be_left_out(
    nlp: Language, tmp_path: Path, case: str, max_length: int
) -> None:
    spans, message = FAULTY[case]
    path = save([make_doc(nlp, GOOD), make_doc(nlp, spans)], tmp_path / "train.spacy")
    corpus = create_corpus(path, skip_malformed=True, max_length=max_length)
    with pytest.warns(UserWarning, match=f"(?s)in 1 document.*{message}"):
        examples = list(corpus(nlp))
    assert sum(len(eg.reference) for eg in examples) == 2 * len(WORDS)
    assert sum(len(indexed_frames(eg.reference)) for eg in examples) == 1
    assert all(not find_faults(nlp, eg.reference) for eg in examples)
    assert sum(len(eg.reference.ents) for eg in examples) == 2


@pytest.mark.parametrize("case", SOUND)
def test_unusual_frames_are_kept(nlp: Language, tmp_path: Path, case: str) -> None:
    spans, n_frames = SOUND[case]
    path = save([make_doc(nlp, spans)], tmp_path / "train.spacy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (example,) = create_corpus(path)(nlp)
    frames = indexed_frames(example.reference)
    assert len(frames) == n_frames
    assert sum(len(frame.arguments) + 1 for frame in frames) == len(spans)


def test_all_faults_are_counted_before_an_example_after_the_first_is_given(
    nlp: Language, tmp_path: Path
) -> None:
    bad = FAULTY["an argument over its predicate"][0]
    good = make_doc(nlp, GOOD)
    (tmp_path / "data").mkdir()
    save([good, make_doc(nlp, bad), good], tmp_path / "data" / "a.spacy")
    save([make_doc(nlp, bad)] * 9, tmp_path / "data" / "b.spacy")
    given = []
    with pytest.raises(FaultyAnnotation, match=r"learned from: 10 in 10 documents") as error:
        given.extend(create_corpus(tmp_path / "data")(nlp))
    assert str(error.value).count("overlap") == 5
    assert "and 5 more" in str(error.value)


def test_pipelines_without_the_head_do_not_care(tmp_path: Path) -> None:
    nlp = make_nlp(("mtl_ner", "ner", {}))
    docs = [make_doc(nlp, spans) for spans, _ in FAULTY.values()]
    path = save(docs, tmp_path / "train.spacy")
    for max_length in (0, 5):
        corpus = create_corpus(path, max_length=max_length)
        nlp.initialize(lambda corpus=corpus: corpus(nlp))
        mixed = create_mixed_corpus({"a": corpus}, max_length=max_length, show_table=False)
        assert sum(len(eg.reference) for eg in mixed(nlp)) == len(docs) * len(WORDS)
    other = make_nlp(("mtl_srl", "srl", {"spans_key": "frames"}))
    assert len(list(create_corpus(path)(other))) == len(docs)


def test_faults_of_all_sources_are_counted(nlp: Language, tmp_path: Path) -> None:
    bad = FAULTY["an argument over its predicate"][0]
    path = save([make_doc(nlp, GOOD), make_doc(nlp, bad)], tmp_path / "a.spacy")
    own = [make_doc(nlp, bad), make_doc(nlp, GOOD)]
    readers = {
        "files": create_corpus(path),
        "stock": registry.readers.get("spacy.Corpus.v1")(path, gold_preproc=False),
        "own": lambda nlp: map(make_example, own),
    }
    with pytest.raises(FaultyAnnotation, match="3 in 3 documents") as error:
        list(create_mixed_corpus(readers)(nlp))
    for place in (f"'files', {path}, document 2", "'stock', document 2", "'own', document 1"):
        assert f"source {place}: component 'srl'" in str(error.value)
    assert "skip_malformed = true in [corpora]" in str(error.value)
    corpus = create_mixed_corpus(readers, skip_malformed=True)
    with pytest.warns(UserWarning, match="3 in 3 documents"):
        references = [eg.reference for eg in corpus(nlp)]
    assert sum(len(indexed_frames(doc)) for doc in references) == 3
    assert find_faults(nlp, own[0])  # of which a copy was changed


def test_a_mixture_that_was_refused_is_refused_again(nlp: Language) -> None:
    own = [make_doc(nlp, FAULTY["no label"][0]), make_doc(nlp, GOOD)]
    corpus = create_mixed_corpus({"own": lambda nlp: map(make_example, own)}, show_table=False)
    for _ in range(2):
        with pytest.raises(FaultyAnnotation):
            list(corpus(nlp))


def test_a_source_can_leave_out_what_another_must_not_have(nlp: Language, tmp_path: Path) -> None:
    path = save([make_doc(nlp, FAULTY["no label"][0])], tmp_path / "a.spacy")
    readers = {"a": create_corpus(path, skip_malformed=True), "b": create_corpus(path)}
    with pytest.raises(FaultyAnnotation, match="1 in 1 document"):
        list(create_mixed_corpus(readers)(nlp))
    del readers["b"]
    with pytest.warns(UserWarning, match="1 in 1 document"):
        assert len(list(create_mixed_corpus(readers)(nlp))) == 1


def test_annotation_that_a_source_does_not_give_is_not_looked_at(tmp_path: Path) -> None:
    nlp = make_nlp(("mtl_srl", "srl", {}), ("mtl_ner", "ner", {}))
    path = save([make_doc(nlp, FAULTY["no label"][0])], tmp_path / "a.spacy")
    for tasks in (["ner"], ["entities"]):
        corpus = create_mixed_corpus({"a": create_corpus(path)}, tasks={"a": tasks})
        assert len(list(corpus(nlp))) == 1
    for tasks in (["srl"], ["roles"]):
        corpus = create_mixed_corpus({"a": create_corpus(path)}, tasks={"a": tasks})
        with pytest.raises(FaultyAnnotation):
            list(corpus(nlp))


def test_streams_tell_a_fault_when_they_meet_it(nlp: Language) -> None:
    def endless(nlp: Language):
        for i in range(10**9):
            yield make_example(make_doc(nlp, FAULTY["no label"][0] if i == 3 else GOOD))

    settings = {"streamed": ["a"], "sampling": "uniform", "pass_length": 5, "show_table": False}
    with pytest.raises(FaultyAnnotation, match="source 'a', document 4"):
        list(create_mixed_corpus({"a": endless}, **settings)(nlp))
    corpus = create_mixed_corpus({"a": endless}, skip_malformed=True, **settings)
    with pytest.warns(UserWarning, match="source 'a', document 4"):
        assert len(list(corpus(nlp))) == 5


def test_spacys_own_reader_gets_errors_with_component_document_and_count(
    nlp: Language, tmp_path: Path
) -> None:
    path = save([make_doc(nlp, spans) for spans, _ in FAULTY.values()], tmp_path / "a.spacy")
    corpus = registry.readers.get("spacy.Corpus.v1")(path, gold_preproc=False)
    with pytest.raises(ValueError, match="Component 'srl': .* in 8 documents") as error:
        make_nlp(("mtl_srl", "srl", {})).initialize(lambda: corpus(nlp))
    assert "the document 'Ann gave books away" in str(error.value)


def test_errors_in_training_and_scoring_name_component_and_document() -> None:
    nlp = make_nlp(("mtl_srl", "srl", {}))
    nlp.initialize(lambda: [make_example(make_doc(nlp, GOOD))])
    bad = make_example(make_doc(nlp, FAULTY["an argument over its predicate"][0]))
    for work in (lambda: nlp.update([bad]), lambda: nlp.evaluate([bad])):
        with pytest.raises(ValueError, match="Component 'srl': .*the document 'Ann gave books"):
            work()


def test_predicates_of_frames_left_out_are_neither_learned_nor_scored(
    nlp: Language, tmp_path: Path
) -> None:
    spans: Spans = [*GOOD[:2], ("V", 6, 7, 1), ("ARG0", 6, 8, 1)]
    path = save([make_doc(nlp, spans)], tmp_path / "a.spacy")
    with pytest.warns(UserWarning):
        (example,) = create_corpus(path, skip_malformed=True)(nlp)
    gold = collect_gold(
        [example], spans_key="srl", roles=["ARG0"], senses=SenseInventory(), max_distance=9
    )
    assert gold.is_predicate[:, 0].tolist()[:6] == [0, 1, 0, 0, 0, 0]
    assert np.isnan(gold.is_predicate[6, 0])
    predicted = Doc(nlp.vocab, words=["Ann", "gave", "books", "away", ".", "They", "le", "ft"])
    predicted = make_doc(nlp, [*GOOD[:2], ("V", 6, 7, 1)])
    scores = score_srl([Example(predicted, example.reference)])
    assert scores["srl_predicates_f"] == 1.0
    with pytest.warns(UserWarning):
        _, piece = create_corpus(path, skip_malformed=True, max_length=5)(nlp)
    gold = collect_gold(
        [piece], spans_key="srl", roles=["ARG0"], senses=SenseInventory(), max_distance=9
    )
    assert np.isnan(gold.is_predicate[:, 0]).tolist() == [False, True, False]


def write_beyond(nlp: Language, path: Path, places: tuple[int, int]) -> Path:
    """A file as a program would leave it that changes tokens after writing frames."""
    doc_bin = DocBin(docs=[make_doc(nlp, GOOD)])
    label = nlp.vocab.strings.add("V")
    span = struct.pack(">QQQllll", 0, 0, label, *places, 0, 0)
    group = {"name": "srl", "attrs": {}, "spans": [span]}
    doc_bin.span_groups = [srsly.msgpack_dumps({srsly.msgpack_dumps(group): ["srl"]})]
    doc_bin.to_disk(path)
    return path


@pytest.mark.parametrize("places", [(7, 9), (-2, 1)])
def test_spans_outside_of_the_document_are_told(
    nlp: Language, tmp_path: Path, places: tuple[int, int]
) -> None:
    path = write_beyond(nlp, tmp_path / "a.spacy", places)
    with pytest.raises(FaultyAnnotation, match=r"document 1: .* outside of its 8 tokens"):
        list(create_corpus(path)(nlp))
    other = make_nlp(("mtl_ner", "ner", {}))
    for reader, pipeline in [
        (create_corpus(path, skip_malformed=True), nlp),
        (create_corpus(path, max_length=5), other),
    ]:
        with pytest.warns(UserWarning, match=r"document 1: .* outside of"):
            examples = list(reader(pipeline))
        assert sum(len(eg.reference) for eg in examples) == len(WORDS)
        assert not any("srl" in eg.reference.spans for eg in examples)


BAD_NUMBERS = [float("nan"), float("inf"), "5", None, [1.0]]


@pytest.mark.parametrize("value", BAD_NUMBERS)
def test_numbers_that_are_none_are_refused_or_left_out(tmp_path: Path, value: object) -> None:
    nlp = make_nlp(
        ("mtl_regression", "stars", {"targets": ["stars"]}), ("mtl_textcat", "topic", {})
    )
    docs = [
        make_doc(nlp, GOOD, stars=4.5, A=1.0, B=0.0),
        make_doc(nlp, GOOD, stars=value, A=0.0, B=1.0),
    ]
    path = save(docs, tmp_path / "a.spacy")
    message = r"document 2: component 'stars': Doc\.cats\['stars'\] is "
    with pytest.raises(FaultyAnnotation, match=message):
        list(create_corpus(path)(nlp))
    corpus = create_corpus(path, skip_malformed=True)
    with pytest.warns(UserWarning, match=message):
        first, second = corpus(nlp)
    assert first.reference.cats == docs[0].cats
    assert second.reference.cats == {"A": 0.0, "B": 1.0}


@pytest.mark.parametrize("value", [0.5, -1.0, 2.0, *BAD_NUMBERS])
def test_categories_that_are_neither_right_nor_wrong_are_refused_or_left_out(
    tmp_path: Path, value: object
) -> None:
    nlp = make_nlp(
        ("mtl_regression", "stars", {"targets": ["stars"]}), ("mtl_textcat", "topic", {})
    )
    docs = [make_doc(nlp, GOOD, stars=4.5, A=1.0, B=0.0), make_doc(nlp, GOOD, A=value, B=1.0)]
    path = save(docs, tmp_path / "a.spacy")
    message = r"document 2: component 'topic': Doc\.cats\['A'\] is "
    with pytest.raises(FaultyAnnotation, match=message):
        list(create_corpus(path)(nlp))
    with pytest.warns(UserWarning, match=message):
        _, second = create_corpus(path, skip_malformed=True)(nlp)
    assert second.reference.cats == {"B": 1.0}


def test_exclusive_categories_that_are_right_together_are_not_known(tmp_path: Path) -> None:
    nlp = make_nlp(("mtl_textcat", "topic", {}))
    path = save([make_doc(nlp, GOOD, A=1.0, B=1.0, C=0.0)], tmp_path / "a.spacy")
    with pytest.raises(FaultyAnnotation, match="the categories 'A', 'B' are all 1.0"):
        list(create_corpus(path)(nlp))
    with pytest.warns(UserWarning):
        (example,) = create_corpus(path, skip_malformed=True)(nlp)
    assert example.reference.cats == {"C": 0.0}


def test_keys_that_the_config_names_otherwise_are_not_checked(tmp_path: Path) -> None:
    nlp = make_nlp(("mtl_textcat", "topic", {}))
    path = save([make_doc(nlp, GOOD, A=1.0, B=0.0, age=31.5)], tmp_path / "a.spacy")
    nlp.config["initialize"]["components"] = {"topic": {"labels": ["A", "B"]}}
    assert len(list(create_corpus(path)(nlp))) == 1


def test_entities_across_sentences_are_kept(nlp: Language, tmp_path: Path) -> None:
    doc = make_doc(nlp, GOOD)
    doc.set_ents([Span(doc, 4, 6, "ORG")])
    path = save([doc], tmp_path / "a.spacy")
    (example,) = create_corpus(path, max_length=5)(nlp)
    assert [(ent.start, ent.end) for ent in example.reference.ents] == [(4, 6)]


def test_broken_files_are_named(nlp: Language, tmp_path: Path) -> None:
    path = save([make_doc(nlp, GOOD)], tmp_path / "a.spacy")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"a\.spacy' can't be read: it is truncated"):
        list(create_corpus(path)(nlp))


def test_the_limit_counts_the_documents_of_all_files(nlp: Language, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save([make_doc(nlp, GOOD)] * 3, tmp_path / f"{name}.spacy")
    assert len(list(create_corpus(tmp_path, limit=4)(nlp))) == 4


def test_a_warning_of_a_stream_does_not_hide_an_error_after_it(tmp_path: Path) -> None:
    nlp = make_nlp(("mtl_srl", "srl", {"spans_key": "frames"}))
    bad = make_doc(nlp, [])
    bad.spans["frames"] = [Span(bad, 0, 1, "ARG0")]
    (tmp_path / "data").mkdir()
    write_beyond(nlp, tmp_path / "data" / "a.spacy", (7, 9))
    save([bad], tmp_path / "data" / "b.spacy")
    settings = {"streamed": ["a"], "sampling": "uniform", "pass_length": 5, "show_table": False}
    corpus = create_mixed_corpus({"a": create_corpus(tmp_path / "data")}, **settings)
    with pytest.warns(UserWarning, match="outside of"), pytest.raises(FaultyAnnotation):
        list(corpus(nlp))
