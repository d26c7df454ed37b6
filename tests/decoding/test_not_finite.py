"""Scores that can't be compared: all tags of their sequences are O, those of others as ever."""

import warnings

import numpy as np
import pytest

from spacy_mtl.decoding.constraints import RoleConstraints
from spacy_mtl.decoding.roles import decode_roles
from spacy_mtl.decoding.scores import FactoredScores, PlainScores
from spacy_mtl.decoding.viterbi import decode_bio
from tests.decoding.test_bio import is_valid, split
from tests.native import each_way

pytestmark = each_way

LABELS = ["ARG0", "ARG1", "C-ARG0", "R-ARG1", "ARGM-TMP"]
N_LABELS = len(LABELS)
LENGTHS = [6, 0, 5, 9]
CONSTRAINTS = RoleConstraints.from_labels(LABELS)


def random_scores(seed=0):
    scores = np.random.default_rng(seed).normal(size=(sum(LENGTHS), 1 + 2 * N_LABELS)).astype("f")
    scores[:, 1 + N_LABELS :] += 1  # many spans
    return scores


def with_roles(scores, lengths, **settings):
    return decode_roles(scores, lengths, CONSTRAINTS, max_violations=99, **settings)


@pytest.mark.parametrize("decode", [decode_bio, with_roles])
@pytest.mark.parametrize("row", [6, 10])
@pytest.mark.parametrize(
    "column, value",
    [(0, np.nan), (0, np.inf), (0, -np.inf)]
    + [(column, value) for column in (1, N_LABELS, 2 * N_LABELS) for value in (np.nan, np.inf)],
)
def test_only_the_sequence_with_such_a_score_gets_nothing(decode, row, column, value):
    scores = random_scores()
    expected = split(decode(PlainScores(scores), LENGTHS), LENGTHS)
    scores[row, column] = value
    found = split(decode(PlainScores(scores), LENGTHS), LENGTHS)
    assert all(own.any() for own in expected if len(own))
    assert not found[2].any()
    for number in (0, 1, 3):
        assert found[number].tolist() == expected[number].tolist()


def test_labels_allowed_belong_to_their_own_sequences():
    scores = random_scores()
    allowed = np.eye(4, N_LABELS, dtype=bool)  # only the label with the sequence's number
    scores[0, 0] = np.nan
    found = split(with_roles(PlainScores(scores), LENGTHS, allowed=allowed), LENGTHS)
    assert not found[0].any()
    assert set((found[2][found[2] > 0] - 1) % N_LABELS) <= {2}
    assert set((found[3][found[3] > 0] - 1) % N_LABELS) <= {3}


@pytest.mark.parametrize("decode", [decode_bio, with_roles])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_factored_scores_are_looked_at_as_what_they_stand_for(decode, value):
    scores = random_scores()
    labels, begins = scores[:, : 1 + N_LABELS].copy(), scores[:, -1].copy()
    expected = split(decode(FactoredScores(labels, begins), LENGTHS), LENGTHS)
    begins[7] = value  # infinity only forbids B or I
    found = split(decode(FactoredScores(labels, begins), LENGTHS), LENGTHS)
    assert bool(found[2].any()) or not np.isfinite(value)
    assert found[3].tolist() == expected[3].tolist()
    if np.isnan(value):
        assert not found[2].any()


@pytest.mark.parametrize("seed", range(20))
def test_tags_are_valid_whatever_the_scores_are(seed):
    rng = np.random.default_rng(seed)
    scores = random_scores(seed)
    chosen = rng.random(scores.shape) < rng.choice([0.02, 0.3, 1.0])
    kinds = np.array([np.nan, np.inf, -np.inf, 0, 3.4e38, -3.4e38, 1e-45, 1e30, -1e30], dtype="f")
    scores[chosen] = rng.choice(kinds, size=int(chosen.sum()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for decode in (decode_bio, with_roles):
            for own in split(decode(PlainScores(scores), LENGTHS), LENGTHS):
                assert is_valid(own.tolist(), N_LABELS)
                assert ((own >= 0) & (own <= 2 * N_LABELS)).all()
