"""Several corpora as one."""

import itertools
from collections import Counter

import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import registry

from spacy_mtl.corpora.annotations import count_units, find_labels
from spacy_mtl.corpora.mixed import create_mixed_corpus


@pytest.fixture(scope="module")
def nlp():
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    nlp.add_pipe("textcat_multilabel", name="genre")
    return nlp


class ListReader:
    """A reader of made-up documents that counts how often it is read."""

    def __init__(self, source, number, annotate=lambda doc, i: None):
        self.source, self.number, self.annotate = source, number, annotate
        self.n_reads = self.n_given = 0

    def __call__(self, nlp):
        self.n_reads += 1
        for i in range(self.number) if self.number else itertools.count():
            self.n_given += 1
            words = [self.source, str(i), "."]
            reference = Doc(nlp.vocab, words=words)
            self.annotate(reference, i)
            yield Example(Doc(nlp.vocab, words=words), reference)


def add_entity(doc, i):
    doc.ents = [Span(doc, 1, 2, label="NUMBER")]


def add_category(doc, i):
    doc.cats = {"LATE": float(i > 5), "EARLY": float(i <= 5)}


def mix(readers, **settings):
    return create_mixed_corpus(readers, **{"show_table": False, **settings})


def names(examples):
    return [example.reference[0].text for example in examples]


def texts(examples):
    return [example.reference.text for example in examples]


def stream_config(nlp, max_epochs, sources):
    """The pipeline as `spacy train` makes it from a config with this reader in it."""
    config = nlp.config.copy()
    config["training"]["max_epochs"] = max_epochs
    block = {"@readers": "spacy.PlainTextCorpus.v1", "path": "somewhere"}
    config["corpora"] = {
        "train": {
            "@readers": "spacy_mtl.MixedCorpus.v1",
            "sources": {name: dict(block) for name in sources},
        }
    }
    return spacy.blank("en", config=config)


def test_proportional_gives_every_document_once_in_mixed_order(nlp):
    given = list(mix({"a": ListReader("a", 30), "b": ListReader("b", 10)})(nlp))
    assert sorted(texts(given)) == sorted(
        [f"a {i} . " for i in range(30)] + [f"b {i} . " for i in range(10)]
    )
    switches = sum(one != two for one, two in itertools.pairwise(names(given)))
    assert switches > 8


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"sampling": "uniform"}, {"a": 90, "b": 90}),
        ({"sampling": "temperature", "exponent": 0.5}, {"a": 90, "b": 30}),
        ({"sampling": "temperature", "exponent": 1.0}, {"a": 90, "b": 10}),
        ({"sampling": "ratios", "ratios": {"a": 1, "b": 3}}, {"a": 90, "b": 270}),
        ({"sampling": "uniform", "pass_length": 40}, {"a": 20, "b": 20}),
    ],
)
def test_sources_give_their_share(nlp, settings, expected):
    given = list(mix({"a": ListReader("a", 90), "b": ListReader("b", 10)}, **settings)(nlp))
    assert Counter(names(given)) == expected
    if "pass_length" not in settings:
        assert len(set(texts(given))) == 100  # nothing is left out


def test_documents_that_do_not_fit_into_one_pass_come_in_the_next(nlp):
    corpus = mix({"a": ListReader("a", 90), "b": ListReader("b", 10)}, pass_length=20)
    passes = [list(corpus(nlp)) for _ in range(5)]
    assert [len(given) for given in passes] == [20] * 5
    assert len(set(texts(itertools.chain(*passes)))) == 100


def test_same_seed_same_order_and_every_pass_its_own(nlp):
    def two_passes(seed):
        corpus = mix({"a": ListReader("a", 20), "b": ListReader("b", 5)}, seed=seed)
        return [texts(corpus(nlp)) for _ in range(2)]

    assert two_passes(1) == two_passes(1) != two_passes(2)
    assert two_passes(1)[0] != two_passes(1)[1]


def test_sources_are_read_once(nlp):
    reader = ListReader("a", 5)
    corpus = mix({"a": reader})
    for _ in range(3):
        assert len(list(corpus(nlp))) == 5
    assert reader.n_reads == 1


def test_endless_streams_are_read_only_as_far_as_needed(nlp):
    readers = {"a": ListReader("a", 0), "b": ListReader("b", 0)}
    corpus = mix(readers, sampling="ratios", ratios={"a": 3, "b": 1}, streamed=["a", "b"])
    given = list(itertools.islice(corpus(nlp), 4000))
    assert Counter(names(given))["a"] == pytest.approx(3000, abs=120)
    assert readers["a"].n_given + readers["b"].n_given < 6100


def test_a_stream_goes_on_where_the_pass_before_stopped(nlp):
    readers = {"a": ListReader("a", 10), "b": ListReader("b", 0)}
    corpus = mix(readers, sampling="uniform", streamed=["b"])
    passes = [list(corpus(nlp)) for _ in range(3)]
    assert [Counter(names(given)) for given in passes] == [{"a": 10, "b": 10}] * 3
    streamed = [text for given in passes for text in texts(given) if text.startswith("b")]
    assert streamed == [f"b {i} . " for i in range(30)]


def test_a_stream_that_ends_starts_again(nlp):
    corpus = mix({"a": ListReader("a", 4)}, sampling="uniform", streamed=["a"])
    assert Counter(texts(itertools.islice(corpus(nlp), 10))).most_common()[-1][1] == 2


def test_a_look_at_the_first_documents_takes_none_away(nlp):
    readers = {"a": ListReader("a", 0, add_entity), "b": ListReader("b", 7, add_category)}
    corpus = mix(readers, sampling="uniform", streamed=["a"])
    looks = [texts(itertools.islice(corpus(nlp), 5)) for _ in range(3)]
    assert looks[0] == looks[1] == looks[2]
    streamed = [text for text in texts(corpus(nlp)) if text.startswith("a")]
    assert streamed == [f"a {i} . " for i in range(7)]


def test_rare_labels_come_first_when_streaming(nlp):
    def add_rare(doc, i):
        doc.ents = [Span(doc, 1, 2, label=f"L{i}" if i >= 700 and i % 50 == 0 else "NUMBER")]

    readers = {"a": ListReader("a", 0, add_rare), "b": ListReader("b", 300, add_category)}
    corpus = mix(readers, sampling="uniform", streamed=["a"])
    sample = list(itertools.islice(corpus(nlp), 100))
    labels = set().union(*(find_labels(example.reference) for example in sample))
    found = {nlp.vocab.strings[label] for _, label in labels if isinstance(label, int)}
    assert found == {"NUMBER", *(f"L{i}" for i in range(700, 1000, 50))}
    assert {label for kind, label in labels if kind == "categories"} == {"LATE", "EARLY"}


def test_too_many_labels_for_a_streamed_initialization_is_said():
    def add_many(doc, i):
        doc.ents = [Span(doc, 1, 2, label=f"L{i}")]

    streaming = stream_config(spacy.blank("en"), -1, ["a"])
    with pytest.warns(
        UserWarning, match=r"\[corpora.train\] 150 documents are needed to see every"
    ):
        next(mix({"a": ListReader("a", 150, add_many)})(streaming))


def test_without_streaming_every_source_is_read_to_its_end_once():
    once = stream_config(spacy.blank("en"), 0, ["a", "b"])
    readers = {"a": ListReader("a", 3), "b": ListReader("b", 4)}
    corpus = mix(readers, streamed=["b"], sampling="uniform")
    with pytest.warns(UserWarning, match=r"\[corpora.train\] streamed names b, but .* is 0"):
        assert len(list(corpus(once))) == 7


def test_annealing_moves_from_one_exponent_to_the_other(nlp):
    corpus = mix(
        {"a": ListReader("a", 900), "b": ListReader("b", 100)},
        sampling="annealed",
        exponent=1.0,
        final_exponent=0.0,
        anneal_over=4000,
    )
    passes = [Counter(names(corpus(nlp))) for _ in range(8)]
    assert {sum(counts.values()) for counts in passes} == {1000}
    shares = [counts["b"] / 1000 for counts in passes]
    assert shares[0] == pytest.approx(0.13, abs=0.05)
    assert shares[4:] == pytest.approx([0.5] * 4, abs=0.07)
    assert shares[0] < shares[1] < shares[2] < shares[3]


def test_annealing_where_spacy_reads_once_is_an_error():
    once = stream_config(spacy.blank("en"), 10, ["a"])
    corpus = mix({"a": ListReader("a", 3)}, sampling="annealed", anneal_over=10)
    with pytest.raises(ValueError, match=r"\[corpora.train\] sampling is 'annealed', but .* is 10"):
        list(corpus(once))


def annotate_all(doc, i):
    doc.ents = [Span(doc, 1, 2, label="NUMBER", kb_id="Q1")]
    doc.cats = {"LATE": 1.0}
    doc.spans["sc"] = [Span(doc, 0, 2, label="X")]
    doc.spans["srl"] = [Span(doc, 0, 1, label="V", kb_id="a.01", span_id="0")]
    for token in doc:
        token.tag_, token.pos_, token.lemma_ = "T", "NOUN", "l"
        token.dep_ = "dep" if token.i else "ROOT"
        token.head = doc[0]


@pytest.mark.parametrize(
    ("tasks", "kept"),
    [
        (["ner"], {"entities": 3}),
        (["genre"], {"categories": 1}),
        (["ner", "genre"], {"entities": 3, "categories": 1}),
        (["roles"], {"roles": 1}),
        (["spans", "tags"], {"spans": 1, "tags": 3}),
        (["morphs", "lemmas", "sents"], {"morphs": 3, "lemmas": 3, "sents": 1}),
        (["deps", "sents"], {"deps": 3, "sents": 1}),
        (["links"], {"entities": 3, "links": 1}),
        ([], {}),
    ],
)
def test_a_source_is_limited_to_its_tasks(nlp, tasks, kept):
    reader = ListReader("a", 2, annotate_all)
    whole = next(iter(reader(nlp))).reference
    corpus = mix({"a": reader}, tasks={"a": tasks})
    for example in corpus(nlp):
        assert count_units(example.reference) == kept
        assert example.reference.text.startswith("a ")
        for name, (start, end, label) in {"sc": (0, 2, "X"), "srl": (0, 1, "V")}.items():
            for span in example.reference.spans.get(name, []):
                assert (span.start, span.end, span.label_) == (start, end, label)
                assert span.kb_id_ == whole.spans[name][0].kb_id_
                assert span.id_ == whole.spans[name][0].id_
    assert len(count_units(whole)) == 10


def test_tokens_without_entity_annotation_stay_missing(nlp):
    def partly(doc, i):
        doc.set_ents([Span(doc, 0, 1, label="X")], missing=[doc[1:2]], default="outside")

    (example,) = mix({"a": ListReader("a", 1, partly)}, tasks={"a": ["ner"]})(nlp)
    assert [token.ent_iob for token in example.reference] == [3, 0, 2]


def test_span_groups_are_chosen_by_the_key_of_the_component():
    nlp = spacy.blank("en")
    nlp.add_pipe("spancat", config={"spans_key": "sc"})
    nlp.add_pipe("sentencizer")

    def two_groups(doc, i):
        doc.spans["sc"], doc.spans["other"] = [], [Span(doc, 0, 1, label="Y")]

    reader = ListReader("a", 1, two_groups)
    (example,) = mix({"a": reader}, tasks={"a": ["spancat"]})(nlp)
    assert list(example.reference.spans) == ["sc"]  # empty, but annotated
    with pytest.raises(ValueError, match="not known which annotation .*factory 'sentencizer'"):
        list(mix({"a": reader}, tasks={"a": ["sentencizer"]})(nlp))


def test_long_documents_are_split_with_their_annotation(nlp):
    def three_sentences(nlp):
        doc = Doc(nlp.vocab, words=["A", "b", "."] * 3, sent_starts=[1, 0, 0] * 3)
        doc.ents = [Span(doc, 3, 4, label="X")]
        doc.cats = {"GOOD": 1.0}
        yield Example(Doc(nlp.vocab, words=["A", "b", "."] * 3), doc)

    pieces = list(mix({"a": three_sentences}, max_length=4)(nlp))
    assert [len(piece.reference) for piece in pieces] == [3, 3, 3]
    assert [len(piece.predicted) for piece in pieces] == [3, 3, 3]
    assert sum(len(piece.reference.ents) for piece in pieces) == 1
    assert all(piece.reference.cats == {"GOOD": 1.0} for piece in pieces)


def test_the_table_shows_documents_units_and_shares(nlp, capsys):
    readers = {
        "news": ListReader("news", 30, add_entity),
        "mail": ListReader("mail", 10, add_category),
        "web": ListReader("web", 0),
    }
    corpus = create_mixed_corpus(readers, sampling="uniform", streamed=["web"])
    list(corpus(nlp))
    list(corpus(nlp))
    shown = capsys.readouterr().out
    assert shown.count("spacy_mtl.MixedCorpus.v1") == 1
    rows = {line.split()[0]: line.split() for line in shown.splitlines() if line.strip()}
    assert rows["news"] == ["news", "30", "0", "90", "-", "33.3%", "33.3%", "30", "(1x)"]
    assert rows["mail"] == ["mail", "10", "0", "-", "10", "33.3%", "33.3%", "30", "(3x)"]
    assert rows["web"] == ["web", "1,000+", "0", "-", "-", "33.3%", "33.3%", "30"]
    assert "entities (tokens)" in shown and "categories (docs)" in shown


def test_the_table_shows_shares_of_words_where_documents_differ_in_length(nlp, capsys):
    def long_documents(nlp):
        for i in range(10):
            words = [f"{i}", *["word"] * 8]
            yield Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words))

    list(create_mixed_corpus({"long": long_documents, "short": ListReader("s", 30)})(nlp))
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line]
    assert ["long", "10", "0", "-", "-", "25.0%", "50.0%", "10", "(1x)"] in rows


def test_the_table_is_shown_once_for_a_pipeline(capsys):
    nlp = spacy.blank("en")
    for _ in range(2):  # `spacy train` makes a reader to initialize, and another one to train
        list(create_mixed_corpus({"news": ListReader("news", 3)})(nlp))
    list(create_mixed_corpus({"news": ListReader("news", 4)})(nlp))
    list(create_mixed_corpus({"news": ListReader("news", 4)})(spacy.blank("en")))
    assert capsys.readouterr().out.count("spacy_mtl.MixedCorpus.v1") == 3


def test_empty_documents_are_counted_and_left_out(nlp, capsys):
    def with_empty(nlp):
        for words in (["a"], [], ["b"], []):
            yield Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words))

    assert len(list(create_mixed_corpus({"a": with_empty})(nlp))) == 2
    assert ["a", "2", "2"] in [line.split()[:3] for line in capsys.readouterr().out.splitlines()]


def test_a_source_without_documents_is_named(nlp, tmp_path):
    with pytest.raises(ValueError, match=r"\[corpora.sources.b\] The source 'b' gave no document"):
        list(mix({"a": ListReader("a", 3), "b": lambda nlp: []})(nlp))
    missing = registry.readers.get("spacy.Corpus.v1")(
        tmp_path / "missing.spacy", gold_preproc=False
    )
    streaming = stream_config(spacy.blank("en"), 0, ["a"])
    with pytest.raises(
        ValueError, match=r"\[corpora.train.sources.a\] .* can't be read: .*missing"
    ):
        list(mix({"a": missing})(streaming))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sampling": "sometimes"}, "sampling is 'sometimes'"),
        ({"sampling": "annealed"}, "anneal_over is 0"),
        ({"sampling": "ratios"}, "ratios go with sampling"),
        ({"ratios": {"a": 1.0}}, "ratios go with sampling"),
        ({"sampling": "ratios", "ratios": {"a": 1.0}}, r"\[corpora.ratios\] names a, but"),
        ({"sampling": "ratios", "ratios": {"a": 1.0, "b": 0.0}}, "b is 0.0; set more than 0"),
        ({"tasks": {"c": ["ner"]}}, "tasks names 'c', but the sources are a, b"),
        ({"streamed": ["c"]}, "streamed names 'c'"),
        ({"streamed": ["a"]}, "the streamed source 'a' is not known. Set it in sizes"),
        ({"sizes": {"a": 3}}, "sizes names 'a', which is not streamed"),
        ({"pass_length": -1}, "pass_length is -1"),
    ],
)
def test_settings_that_make_no_sense_are_named(settings, message):
    readers = {"a": ListReader("a", 1), "b": ListReader("b", 1)}
    with pytest.raises(ValueError, match=message):
        mix(readers, **settings)


def test_a_task_that_does_not_exist_is_named(nlp):
    with pytest.raises(ValueError, match=r"\[corpora.tasks.a\] names the task 'nerr', which is"):
        list(mix({"a": ListReader("a", 1)}, tasks={"a": ["nerr"]})(nlp))


def test_a_mixture_without_sources_is_an_error():
    with pytest.raises(ValueError, match="there are no sources"):
        mix({})
