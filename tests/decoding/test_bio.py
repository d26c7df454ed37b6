import itertools

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_mtl.decoding.bio import bio_from_spans, spans_from_bio
from spacy_mtl.decoding.scores import PlainScores
from spacy_mtl.decoding.viterbi import decode_bio
from tests.native import each_way

pytestmark = each_way


def is_valid(tags, n_labels):
    for before, tag in zip([0, *tags], tags, strict=False):
        if tag > n_labels and before not in (tag, tag - n_labels):
            return False
    return True


def best_sum(scores, n_labels):
    sequences = itertools.product(range(1 + 2 * n_labels), repeat=len(scores))
    return max(
        sum(row[tag] for row, tag in zip(scores, tags, strict=True))
        for tags in sequences
        if is_valid(tags, n_labels)
    )


def split(values, lengths):
    return np.split(values, np.cumsum(lengths)[:-1])


@st.composite
def batches(draw, max_length, max_labels, max_sequences=3):
    n_labels = draw(st.integers(1, max_labels))
    lengths = draw(st.lists(st.integers(0, max_length), min_size=1, max_size=max_sequences))
    numbers = st.one_of(st.floats(-8, 8, width=32), st.integers(-2, 2).map(float), st.just(-np.inf))
    scores = draw(hnp.arrays(np.float32, (sum(lengths), 1 + 2 * n_labels), elements=numbers))
    scores[:, 0] = np.maximum(scores[:, 0], -8)
    return scores, lengths, n_labels


@st.composite
def random_batches(draw):
    n_labels = draw(st.integers(1, 7))
    lengths = draw(st.lists(st.integers(0, 40), min_size=1, max_size=8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scores = rng.normal(size=(sum(lengths), 1 + 2 * n_labels)).astype("f")
    scores[:, n_labels + 1 :] += draw(st.floats(-1, 2))
    return scores, lengths, n_labels


@settings(max_examples=150)
@given(batches(max_length=4, max_labels=2))
def test_decoded_tags_are_valid_and_no_valid_sequence_scores_more(batch):
    scores, lengths, n_labels = batch
    tags = decode_bio(PlainScores(scores), lengths)
    assert len(tags) == len(scores)
    for rows, own in zip(split(scores, lengths), split(tags, lengths), strict=True):
        assert is_valid(own.tolist(), n_labels)
        total = sum(float(row[tag]) for row, tag in zip(rows, own, strict=True))
        assert total == pytest.approx(best_sum(rows.astype(float), n_labels), abs=1e-6)


@settings(max_examples=100)
@given(random_batches())
def test_batch_gives_the_same_as_single_sequences(batch):
    scores, lengths, _ = batch
    together = decode_bio(PlainScores(scores), lengths)
    for rows, own in zip(split(scores, lengths), split(together, lengths), strict=True):
        assert decode_bio(PlainScores(rows), [len(rows)]).tolist() == own.tolist()


def plain_viterbi(scores, n_labels):
    tags = range(1 + 2 * n_labels)
    allowed = np.array([[b <= n_labels or a in (b, b - n_labels) for b in tags] for a in tags])
    best = np.where(np.arange(len(tags)) > n_labels, -np.inf, scores[0].astype(float))
    for row in scores[1:]:
        best = np.where(allowed, best[:, None], -np.inf).max(axis=0) + row
    return best.max()


@settings(max_examples=100)
@given(random_batches())
def test_cutting_long_sequences_costs_nothing(batch):
    scores, lengths, n_labels = batch
    tags = decode_bio(PlainScores(scores), lengths)
    for rows, own in zip(split(scores, lengths), split(tags, lengths), strict=True):
        if len(rows):
            assert is_valid(own.tolist(), n_labels)
            total = rows[np.arange(len(rows)), own].sum(dtype=float)
            assert total == pytest.approx(plain_viterbi(rows, n_labels), abs=1e-6)


def test_ties_prefer_o_then_b():
    assert decode_bio(PlainScores(np.zeros((3, 5), dtype="f")), [3]).tolist() == [0, 0, 0]
    scores = np.zeros((2, 5), dtype="f")
    scores[:, [1, 3]] = 1.0
    assert decode_bio(PlainScores(scores), [2]).tolist() == [1, 1]


def test_no_labels_and_no_tokens():
    assert decode_bio(PlainScores(np.zeros((2, 1), dtype="f")), [2]).tolist() == [0, 0]
    assert decode_bio(PlainScores(np.zeros((0, 5), dtype="f")), [0, 0]).tolist() == []
    assert decode_bio(PlainScores(np.zeros((0, 5), dtype="f")), []).tolist() == []


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="1 \\+ 2 \\* labels"):
        decode_bio(PlainScores(np.zeros((3, 4))), [3])
    with pytest.raises(ValueError, match="sequences of 2 tokens"):
        decode_bio(PlainScores(np.zeros((3, 5))), [2])


def test_sequence_of_100_000_tokens():
    scores = np.random.default_rng(0).normal(size=(100_000, 37)).astype("f")
    tags = decode_bio(PlainScores(scores), [100_000])
    starts, ends, labels = spans_from_bio(tags, [100_000], 18)
    assert bio_from_spans(starts, ends, labels, 100_000, 18).tolist() == tags.tolist()


@settings(max_examples=100)
@given(random_batches())
def test_spans_and_tags_are_inverse(batch):
    scores, lengths, n_labels = batch
    tags = decode_bio(PlainScores(scores), lengths)
    starts, ends, labels = spans_from_bio(tags, lengths, n_labels)
    assert bio_from_spans(starts, ends, labels, len(tags), n_labels).tolist() == tags.tolist()
    expected = []
    for i, tag in enumerate(tags.tolist()):
        if 0 < tag <= n_labels:
            expected.append([i, i + 1, tag - 1])
        elif tag:
            expected[-1][1] = i + 1
    assert np.stack([starts, ends, labels], axis=1).tolist() == expected


def test_i_that_continues_nothing_starts_a_span():
    tags = np.array([3, 3, 4, 0, 3, 1])  # I-0 I-0 I-1 O I-0 | B-0
    starts, ends, labels = spans_from_bio(tags, [2, 4], 2)
    assert starts.tolist() == [0, 2, 4, 5]
    assert ends.tolist() == [2, 3, 5, 6]
    assert labels.tolist() == [0, 1, 0, 0]


def test_no_spans():
    starts, ends, labels = spans_from_bio(np.zeros(3, dtype="i8"), [3], 2)
    assert len(starts) == len(ends) == len(labels) == 0
    assert bio_from_spans(starts, ends, labels, 3, 2).tolist() == [0, 0, 0]
    assert len(spans_from_bio(np.zeros(0, dtype="i8"), [], 2)[0]) == 0
