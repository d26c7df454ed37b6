from pathlib import Path

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span

from spacy_mtl.srl.formats.errors import FormatError
from spacy_mtl.srl.formats.inline import ARGUMENT_LABELS, ENTITY_LABELS, read_inline, write_inline

NLP = spacy.blank("en")
EXAMPLE = """\
=== review-012 | sentiment: positive
The waiter at [ORG: Bellini's] brought us the soup, but he apologised at once.
> [ARG0: The waiter at Bellini's] [V=bring.01: brought] [ARG2: us] [ARG1: the soup], but he apologised at once.
> The waiter at Bellini's brought us the soup, but [ARG0: he] [V=apologize.01: apologised] [ARGM-TMP: at once].

Nobody in [LOC: Rome] did\\[sic\\] it.
"""  # noqa: E501


def read(tmp_path: Path, text: str) -> list[Doc]:
    path = tmp_path / "corpus.txt"
    path.write_text(text, encoding="utf-8")
    return list(read_inline(path, NLP.tokenizer))


def mistakes(tmp_path: Path, text: str) -> list[FormatError]:
    path = tmp_path / "corpus.txt"
    path.write_text(text, encoding="utf-8")
    found: list[FormatError] = []
    list(read_inline(path, NLP.tokenizer, on_error=found.append))
    return found


def spans(doc: Doc) -> list[tuple[str, str, str, int]]:
    return [(span.label_, span.kb_id_, span.text, span.id) for span in doc.spans["srl"]]


def test_reads_all_layers(tmp_path):
    (doc,) = read(tmp_path, EXAMPLE)
    assert doc.user_data["id"] == "review-012"
    assert [sentence.text for sentence in doc.sents] == [
        "The waiter at Bellini's brought us the soup, but he apologised at once.",
        "Nobody in Rome did[sic] it.",
    ]
    assert [(entity.label_, entity.text) for entity in doc.ents] == [
        ("ORG", "Bellini's"),
        ("LOC", "Rome"),
    ]
    assert all(token.ent_iob != 0 for token in doc)
    assert doc.cats == {"positive": 1.0, "negative": 0.0, "neutral": 0.0}
    assert spans(doc) == [
        ("V", "bring.01", "brought", 0),
        ("ARG0", "", "The waiter at Bellini's", 0),
        ("ARG2", "", "us", 0),
        ("ARG1", "", "the soup", 0),
        ("V", "apologize.01", "apologised", 1),
        ("ARG0", "", "he", 1),
        ("ARGM-TMP", "", "at once", 1),
    ]


def test_writes_what_it_reads(tmp_path):
    assert write_inline(read(tmp_path, EXAMPLE)) == EXAMPLE


def test_annotated_but_empty_is_not_missing(tmp_path):
    (doc,) = read(tmp_path, "=== a\nIt rained.\n")
    assert doc.has_annotation("ENT_IOB")
    assert doc.spans["srl"] is not None and len(doc.spans["srl"]) == 0
    assert not doc.cats


@pytest.mark.parametrize(
    "header, annotated",
    [
        ("=== a | layers: entities", {"entities"}),
        ("=== a | layers: frames", {"frames"}),
        ("=== a | sentiment: neutral | layers: sentiment", {"sentiment"}),
        ("=== a | layers: entities, sentiment | sentiment: negative", {"entities", "sentiment"}),
        ("=== a | sentiment: negative", {"entities", "frames", "sentiment"}),
        ("=== a", {"entities", "frames"}),
    ],
)
def test_a_layer_that_is_not_annotated_is_missing(tmp_path, header, annotated):
    (doc,) = read(tmp_path, f"{header}\nIt rained.\n")
    assert doc.has_annotation("ENT_IOB") == ("entities" in annotated)
    assert ("srl" in doc.spans) == ("frames" in annotated)
    assert bool(doc.cats) == ("sentiment" in annotated)
    assert [d.to_json() for d in read(tmp_path, write_inline([doc]))] == [doc.to_json()]


def test_comments_and_crlf_are_ignored(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_bytes(
        b"# note\r\n=== a\r\n# note\r\nHe ran.\r\n# note\r\n> [ARG0: He] [V=run.02: ran].\r\n"
    )
    (doc,) = read_inline(path, NLP.tokenizer)
    assert doc.text == "He ran."
    assert len(doc.spans["srl"]) == 2


SENTENCE = "=== a\nAnna gave Bo tea.\n"
MISTAKES = {
    "unknown entity label": ("=== a\n[DOG: Rex] ran.\n", 2, "unknown entity label 'DOG'"),
    "unknown argument label": (
        SENTENCE + "> [AGENT: Anna] [V=give.01: gave] Bo tea.\n",
        3,
        "unknown argument label 'AGENT'",
    ),
    "unclosed bracket": ("=== a\n[PER: Anna ran.\n", 2, "is not closed"),
    "unopened bracket": ("=== a\nAnna] ran.\n", 2, "was not opened"),
    "nested bracket": ("=== a\n[ORG: Bank of [LOC: Rome]] fell.\n", 2, "a bracket inside"),
    "overlapping arguments": (
        SENTENCE + "> [ARG0: Anna] [V=give.01: gave] [ARG1: Bo [ARG2: tea]].\n",
        3,
        "the two overlap",
    ),
    "bracket without label": ("=== a\nSo [sic] it is.\n", 2, "without a label"),
    "empty bracket": ("=== a\nSo [PER: ] it is.\n", 2, "nothing in the bracket"),
    "unknown escape": ("=== a\nC:\\temp.\n", 2, "unknown escape '\\t'"),
    "other text": (
        SENTENCE + "> [ARG0: Anna] [V=give.01: gives] Bo tea.\n",
        3,
        "at character 7 the frame has 'Anna gives Bo tea.', the sentence 'Anna gave Bo tea.'",
    ),
    "shorter text": (SENTENCE + "> [ARG0: Anna] [V=give.01: gave] Bo tea\n", 3, "and ends"),
    "span within a token": (
        "=== a\n[PER: An]na ran.\n",
        2,
        "[PER: An] does not begin and end with a token; the tokens there are 'Anna'",
    ),
    "no predicate": (SENTENCE + "> [ARG0: Anna] gave Bo tea.\n", 3, "found 0 (none)"),
    "two predicates": (
        SENTENCE + "> Anna [V=give.01: gave] Bo [V=drink.01: tea].\n",
        3,
        "found 2 (give.01, drink.01)",
    ),
    "same predicate twice": (
        SENTENCE + "> Anna [V=give.01: gave] Bo tea.\n> Anna [V=give.02: gave] Bo tea.\n",
        4,
        "a second frame for the predicate 'gave', the first one is in line 3",
    ),
    "long predicate": (
        SENTENCE + "> Anna [V=give.01: gave Bo] tea.\n",
        3,
        "'gave Bo' has 2 tokens, 'gave' 'Bo'",
    ),
    "roleset without sense": (SENTENCE + "> Anna [V=give: gave] Bo tea.\n", 3, "roleset 'give'"),
    "roleset in capitals": (SENTENCE + "> Anna [V=Give.01: gave] Bo tea.\n", 3, "'Give.01'"),
    "no roleset": (SENTENCE + "> Anna [V: gave] Bo tea.\n", 3, "malformed roleset ''"),
    "same name twice": ("=== a\nHi.\n=== a\nHo.\n", 3, "document 'a' is already at"),
    "frame without sentence": ("=== a\n> [V=run.01: Run].\n", 2, "a frame without a sentence"),
    "frame after a gap": (
        SENTENCE + "\n> Anna [V=give.01: gave] Bo tea.\n",
        4,
        "a frame without a sentence",
    ),
    "empty document": ("=== a\n\n=== b\nHi.\n", 1, "document 'a' is empty"),
    "no document": ("Hi.\n", 1, "text before the first document"),
    "no name": ("=== \nHi.\n", 1, "does not start a document"),
    "unknown layer": ("=== a | layers: entities, verbs\nHi.\n", 1, "unknown layer 'verbs'"),
    "unknown setting": ("=== a | mood: good\nHi.\n", 1, "unknown setting 'mood: good'"),
    "repeated setting": ("=== a | layers: frames | layers: frames\nHi.\n", 1, "stands twice"),
    "unknown sentiment": ("=== a | sentiment: good\nHi.\n", 1, "unknown sentiment 'good'"),
    "sentiment promised": ("=== a | layers: sentiment\nHi.\n", 1, "no 'sentiment:' is given"),
    "sentiment not a layer": (
        "=== a | sentiment: neutral | layers: frames\nHi.\n",
        1,
        "'layers:' does not name it",
    ),
    "entity outside layers": ("=== a | layers: frames\n[PER: Anna] ran.\n", 2, "an entity in"),
    "frame outside layers": (
        "=== a | layers: entities\nAnna ran.\n> Anna [V=run.02: ran].\n",
        3,
        "a frame in a document",
    ),
}


@pytest.mark.parametrize("text, line, message", MISTAKES.values(), ids=MISTAKES.keys())
def test_mistake_is_reported_with_its_place(tmp_path, text, line, message):
    found = mistakes(tmp_path, text)
    assert [error.line for error in found] == [line], found
    assert str(found[0]).startswith(f"{tmp_path / 'corpus.txt'}:{line}: ")
    assert message in str(found[0])
    with pytest.raises(FormatError):
        read(tmp_path, text)


def test_all_mistakes_are_collected_and_the_other_documents_read(tmp_path):
    text = "=== a\n[DOG: Rex] ran.\n> [ARG9: Rex] ran.\n=== b\nHi.\n=== c | layers: x\nHo.\n"
    path = tmp_path / "corpus.txt"
    path.write_text(text, encoding="utf-8")
    found: list[FormatError] = []
    docs = list(read_inline(path, NLP.tokenizer, on_error=found.append))
    assert sorted(error.line for error in found) == [2, 3, 3, 6]
    assert [doc.user_data["id"] for doc in docs] == ["b"]


def test_name_used_in_two_files_is_reported(tmp_path):
    seen: dict[str, str] = {}
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text("=== a\nHi.\n", encoding="utf-8")
    list(read_inline(tmp_path / "one.txt", NLP.tokenizer, seen=seen))
    with pytest.raises(FormatError, match="two.txt:1: document 'a' is already at .*one.txt:1"):
        list(read_inline(tmp_path / "two.txt", NLP.tokenizer, seen=seen))


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda doc: doc.set_ents([Span(doc, 0, 1, label="DOG")]), "entity labels"),
        (lambda doc: doc.cats.update({"positive": 0.5}), "categories"),
        (
            lambda doc: doc.spans["srl"].append(Span(doc, 0, 1, label="ARG1", span_id=9)),
            "predicate",
        ),
        (lambda doc: doc.spans["srl"].append(Span(doc, 0, 2, label="ARG1")), "overlaps"),
        (lambda doc: doc.spans["srl"].append(Span(doc, 3, 4, label="FOO")), "argument label"),
        (lambda doc: doc.spans["srl"].append(Span(doc, 14, 18, label="ARG1")), "two sentences"),
        (lambda doc: doc.user_data.update({"id": "two words"}), "name"),
    ],
)
def test_writer_refuses_what_the_format_cannot_carry(tmp_path, change, message):
    (doc,) = read(tmp_path, EXAMPLE)
    change(doc)
    with pytest.raises(ValueError, match=message):
        write_inline([doc])


def test_writer_refuses_an_unannotated_document():
    with pytest.raises(ValueError, match="Nothing is annotated"):
        write_inline([NLP("Hi.")])


WORDS = (
    "Anna",
    "don't",
    "U.S.",
    "[sic]",
    "a\\b",
    "#1",
    "> 2",
    "=",
    "===",
    "café",
    "“so”",
    "x]",
    ",",
)


@st.composite
def documents(draw) -> Doc:
    """Documents that the format can carry."""
    sentences = draw(
        st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), min_size=1, max_size=3)
    )
    texts = [" ".join(words) for words in sentences]
    doc = NLP(" ".join(texts))
    starts = {sum(len(text) + 1 for text in texts[:index]) for index in range(len(texts))}
    for token in doc:
        token.is_sent_start = token.idx in starts
    layers = draw(st.sets(st.sampled_from(("entities", "frames", "sentiment")), min_size=1))
    bounds = [(sentence.start, sentence.end) for sentence in doc.sents]
    if "entities" in layers:
        labels = st.sampled_from(ENTITY_LABELS)
        doc.set_ents(
            [Span(doc, start, end, label=draw(labels)) for start, end in draw(disjoint(bounds))],
            default="outside",
        )
    if "frames" in layers:
        predicates = sorted(draw(st.sets(st.integers(0, len(doc) - 1), max_size=3)))
        labels = st.sampled_from(sorted(ARGUMENT_LABELS))
        group = []
        for number, predicate in enumerate(predicates):
            roleset = draw(st.from_regex(r"[a-z][a-z0-9_-]{0,5}\.[0-9][0-9]", fullmatch=True))
            group.append(
                Span(doc, predicate, predicate + 1, label="V", kb_id=roleset, span_id=number)
            )
            own = [(start, end) for start, end in bounds if start <= predicate < end]
            for start, end in draw(disjoint(own)):
                if not start <= predicate < end:
                    group.append(Span(doc, start, end, label=draw(labels), span_id=number))
        doc.spans["srl"] = group
    if "sentiment" in layers:
        one = draw(st.sampled_from(("positive", "negative", "neutral")))
        doc.cats = {label: float(label == one) for label in ("positive", "negative", "neutral")}
    return doc


def disjoint(bounds: list[tuple[int, int]]) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Spans within the bounds that do not overlap, in order."""

    def cut(points: set[tuple[int, int]]) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for start, end in bounds:
            inner = sorted({min(max(point, start), end) for pair in points for point in pair})
            found += [
                (left, right)
                for left, right in zip(inner[::2], inner[1::2], strict=False)
                if left < right
            ]
        return found

    limit = bounds[-1][1]
    return st.sets(st.tuples(st.integers(0, limit), st.integers(0, limit)), max_size=3).map(cut)


@given(st.lists(documents(), min_size=1, max_size=2))
def test_round_trip(tmp_path_factory, docs):
    for index, doc in enumerate(docs):
        doc.user_data["id"] = f"doc-{index}"
    text = write_inline(docs)
    found = read(tmp_path_factory.mktemp("inline"), text)
    assert [doc.user_data for doc in found] == [doc.user_data for doc in docs]
    assert [doc.to_json() for doc in found] == [doc.to_json() for doc in docs]
    assert write_inline(found) == text
