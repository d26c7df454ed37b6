import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_mtl.decoding.bio import spans_from_bio
from spacy_mtl.decoding.posteriors import span_probabilities
from tests.decoding.test_bio import is_valid


def plain_probabilities(rows, n_labels):
    """The probability of every span, over all tag sequences."""
    mass, total = {}, 0.0
    for tags in itertools.product(range(1 + 2 * n_labels), repeat=len(rows)):
        if is_valid(tags, n_labels):
            weight = np.exp(sum(row[tag] for row, tag in zip(rows, tags, strict=True)))
            total += weight
            spans = spans_from_bio(np.array(tags), [len(tags)], n_labels)
            for span in zip(*(values.tolist() for values in spans), strict=True):
                mass[span] = mass.get(span, 0.0) + weight
    return {span: value / total for span, value in mass.items()}


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 4), min_size=1, max_size=3), st.booleans())
def test_probabilities_are_those_of_counting_all_sequences(seed, lengths, has_forbidden):
    rng = np.random.default_rng(seed)
    scores = rng.normal(scale=3.0, size=(sum(lengths), 5)).astype("f")
    if has_forbidden:
        scores[rng.random(len(scores)) < 0.3, 1:] = -np.inf
    expected, starts, ends, labels = [], [], [], []
    first = 0
    for rows in np.split(scores.astype(float), np.cumsum(lengths)[:-1]):
        for (start, end, label), value in plain_probabilities(rows, 2).items():
            starts.append(first + start)
            ends.append(first + end)
            labels.append(label)
            expected.append(value)
        first += len(rows)
    order = np.lexsort((labels, ends, starts))
    found = span_probabilities(
        scores, lengths, *(np.array(values, dtype=int)[order] for values in (starts, ends, labels))
    )
    assert found == pytest.approx(np.array(expected)[order], abs=1e-5)


def test_long_sequences_do_not_underflow():
    scores = np.zeros((5000, 9), dtype="f")
    scores[2500, 1] = 50.0
    scores[2501, 0] = 50.0
    nothing, one = np.array([10]), np.array([2500])
    assert span_probabilities(scores, [5000], one, one + 1, np.array([0]))[0] > 0.99
    assert 0.0 < span_probabilities(scores, [5000], nothing, nothing + 1, np.array([0]))[0] < 0.2


def test_no_spans_have_no_probabilities():
    none = np.zeros(0, dtype=int)
    assert len(span_probabilities(np.zeros((3, 5)), [3], none, none, none)) == 0
