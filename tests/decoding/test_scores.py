import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_expit, log_softmax

from spacy_mtl.decoding.scores import FactoredScores, PlainScores
from spacy_mtl.decoding.viterbi import decode_bio
from tests.native import each_way

pytestmark = each_way

numbers = st.one_of(st.floats(-8, 8, width=32), st.integers(-2, 2).map(float))


@st.composite
def factored(draw):
    n_tokens, n_labels = draw(st.integers(0, 9)), draw(st.integers(1, 4))
    labels = draw(hnp.arrays(np.float32, (n_tokens, 1 + n_labels), elements=numbers))
    labels[:, 1:][draw(hnp.arrays(bool, (n_tokens, n_labels)))] = -np.inf
    return labels, draw(hnp.arrays(np.float32, n_tokens, elements=numbers))


@settings(max_examples=150)
@given(factored())
def test_factored_scores_are_log_probabilities_but_for_a_constant_of_each_token(batch):
    labels, begins = batch
    found = FactoredScores(labels, begins).rows(slice(None)).astype(float)
    label = log_softmax(labels.astype(float), axis=1)
    parts = [label[:, :1], label[:, 1:] + log_expit(begins[:, None])]
    expected = np.concatenate([*parts, label[:, 1:] + log_expit(-begins[:, None])], axis=1)
    assert np.isclose(np.exp(expected).sum(axis=1), 1.0).all()
    assert np.allclose(log_softmax(found, axis=1), expected, atol=1e-5)


@settings(max_examples=150)
@given(factored())
def test_factored_scores_decode_as_the_same_scores_written_out(batch):
    scores = FactoredScores(*batch)
    plain = PlainScores(scores.rows(slice(None)))
    assert scores.n_labels == plain.n_labels
    at = np.arange(len(scores))
    rows = scores.rows(at)
    assert np.array_equal(rows[at, scores.best()], rows.max(axis=1, initial=-np.inf))
    lengths = [len(scores) // 2, len(scores) - len(scores) // 2]
    sums = [rows[at, decode_bio(one, lengths)].sum() for one in (scores, plain)]
    assert sums[0] == pytest.approx(sums[1], abs=1e-4)


@settings(max_examples=150)
@given(factored(), st.integers(1, 3))
def test_columns_beyond_the_labels_do_not_count(batch, n_more):
    labels, begins = batch
    more = np.full((len(labels), n_more), -np.inf, dtype="f")
    scores = FactoredScores(labels, begins)
    wider = FactoredScores(np.hstack([labels, more]), begins, labels.shape[1] - 1)
    assert wider.n_labels == scores.n_labels
    assert np.array_equal(wider.best(), scores.best())
    assert np.array_equal(wider.rows(slice(None)), scores.rows(slice(None)))
    lengths = [len(labels)] if len(labels) else []
    assert np.array_equal(decode_bio(wider, lengths), decode_bio(scores, lengths))


def test_among_equals_o_comes_before_b_before_i():
    scores = FactoredScores(np.zeros((1, 3), dtype="f"), np.array([np.inf], dtype="f"))
    assert scores.best().tolist() == [0]
    even = FactoredScores(np.array([[0, 1, 1]], dtype="f"), np.zeros(1, dtype="f"))
    assert even.best().tolist() == [1]


def test_an_infinite_beginning_forbids_that_a_span_goes_on():
    labels = np.array([[0, 3, 1], [0, 5, 1]], dtype="f")
    scores = FactoredScores(labels, np.full(2, np.inf, dtype="f"))
    assert np.isneginf(scores.rows(slice(None))[:, 3:]).all()
    assert scores.rows(slice(None))[:, :3].tolist() == labels.tolist()
    assert decode_bio(scores, [2]).tolist() == [1, 1]


def test_given_scores_are_left_alone():
    labels, begins = np.ones((2, 3), dtype="f"), np.ones(2, dtype="f")
    FactoredScores(labels, begins).best()
    assert (labels == 1).all() and (begins == 1).all()
