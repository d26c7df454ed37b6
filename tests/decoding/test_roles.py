import itertools
from collections import Counter

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_mtl.decoding import search
from spacy_mtl.decoding.bio import spans_from_bio
from spacy_mtl.decoding.constraints import RoleConstraints, allowed_labels
from spacy_mtl.decoding.roles import MAX_VIOLATIONS, decode_roles
from spacy_mtl.decoding.scores import PlainScores
from spacy_mtl.decoding.viterbi import decode_bio
from spacy_mtl.native.threads import set_num_threads
from tests.decoding.test_bio import is_valid, split
from tests.native import each_way

pytestmark = each_way

LABELS = ["ARG0", "C-ARG0", "R-ARG0"]
ANY_NUMBER = 1_000_000
SWITCHES = ("unique_core_roles", "continuation_after", "reference_with")
switches = st.fixed_dictionaries({name: st.booleans() for name in SWITCHES})


def spans_of(tags, labels):
    """(label, start) of each span of one sequence."""
    starts, _, label_ids = spans_from_bio(np.asarray(tags), [len(tags)], len(labels))
    return [(labels[label], start) for start, label in zip(starts, label_ids, strict=True)]


def satisfies(spans, unique_core_roles, continuation_after, reference_with):
    """The constraints once more, in plain words."""
    counts = Counter(label for label, _ in spans)
    known = {label for label, _ in spans}
    for label, start in spans:
        if unique_core_roles and label.startswith("ARG") and label[3] != "M" and counts[label] > 1:
            return False
        if continuation_after and label.startswith("C-"):
            if not any(other == label[2:] and at < start for other, at in spans):
                return False
        if reference_with and label.startswith("R-") and label[2:] not in known:
            return False
    return True


def best_sum(rows, labels, rules, allowed):
    best = -np.inf
    for tags in itertools.product(range(1 + 2 * len(labels)), repeat=len(rows)):
        if not is_valid(tags, len(labels)):
            continue
        spans = spans_of(tags, labels)
        if all(allowed[labels.index(label)] for label, _ in spans) and satisfies(spans, **rules):
            best = max(best, sum(float(row[tag]) for row, tag in zip(rows, tags, strict=True)))
    return best


@st.composite
def small_batches(draw, labels):
    lengths = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    numbers = st.one_of(st.floats(-8, 8, width=32), st.integers(-2, 2).map(float), st.just(-np.inf))
    scores = draw(hnp.arrays(np.float32, (sum(lengths), 1 + 2 * len(labels)), elements=numbers))
    scores[:, 0] = np.maximum(scores[:, 0], -8)
    allowed = draw(hnp.arrays(bool, (len(lengths), len(labels))))
    return scores, lengths, allowed


@settings(max_examples=40)
@given(small_batches(LABELS), switches)
def test_no_tags_that_satisfy_the_constraints_score_more(batch, rules):
    scores, lengths, allowed = batch
    constraints = RoleConstraints.from_labels(LABELS, **rules)
    tags = decode_roles(
        PlainScores(scores), lengths, constraints, allowed, max_violations=ANY_NUMBER
    )
    parts = zip(split(scores, lengths), split(tags, lengths), allowed, strict=True)
    for rows, own, roles in parts:
        assert is_valid(own.tolist(), len(LABELS))
        spans = spans_of(own, LABELS)
        assert satisfies(spans, **rules)
        assert all(roles[LABELS.index(label)] for label, _ in spans)
        total = sum(float(row[tag]) for row, tag in zip(rows, own, strict=True))
        assert total == pytest.approx(best_sum(rows, LABELS, rules, roles), abs=1e-4)


def automaton_sum(rows, labels):
    """The best sum by dynamic programming over all sets of roles seen, all constraints on."""
    n_labels = len(labels)
    index = {label: i for i, label in enumerate(labels)}
    needs = [index.get(label[2:], -1) for label in labels]
    best = {(0, frozenset(), frozenset()): 0.0}  # last tag, labels seen, labels waited for
    for row in rows:
        now = {}
        for (last, seen, awaited), total in best.items():
            for tag, score in enumerate(row.tolist()):
                after, waiting = seen, awaited
                if tag > n_labels and last not in (tag, tag - n_labels):
                    continue
                if 0 < tag <= n_labels:
                    label = tag - 1
                    if labels[label].startswith("ARG") and label in seen:
                        continue
                    if labels[label].startswith("C-") and needs[label] not in seen:
                        continue
                    if labels[label].startswith("R-") and needs[label] not in seen:
                        waiting = awaited | {needs[label]}
                    after, waiting = seen | {label}, waiting - {label}
                key = tag, after, waiting
                now[key] = max(now.get(key, -np.inf), total + score)
        best = now
    return max(total for (_, _, awaited), total in best.items() if not awaited)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 9), st.floats(-1, 2))
def test_long_sequences_with_many_violations_are_solved_exactly(seed, n_tokens, inside):
    labels = ["ARG0", "ARG1", "C-ARG0", "R-ARG1"]
    scores = np.random.default_rng(seed).normal(size=(n_tokens, 9)).astype("f")
    scores[:, 5:] += inside
    constraints = RoleConstraints.from_labels(labels)
    tags = decode_roles(
        PlainScores(scores), [n_tokens], constraints, max_nodes=100_000, max_violations=ANY_NUMBER
    )
    assert satisfies(spans_of(tags, labels), **dict.fromkeys(SWITCHES, True))
    total = scores[np.arange(n_tokens), tags].sum(dtype=float)
    assert total == pytest.approx(automaton_sum(scores, labels), abs=1e-6)


@pytest.mark.parametrize("labels", [["ARG0"], ["ARG0", "ARG1", "ARG2", "ARG3"]])
def test_many_rows_of_core_roles_are_reduced_to_the_best_one_of_each(labels):
    n_tokens, n_labels = 40, len(labels)
    scores = np.full((n_tokens, 1 + 2 * n_labels), -9.0, dtype="f")
    scores[:, 0] = 0.0
    label_of_row = np.arange(n_tokens) % n_labels
    scores[np.arange(n_tokens), 1 + label_of_row] = 1.0 + np.arange(n_tokens) % 17
    constraints = RoleConstraints.from_labels(labels)
    tags = decode_roles(
        PlainScores(scores), [n_tokens], constraints, max_nodes=10_000, max_violations=ANY_NUMBER
    )
    assert Counter(tags[tags > 0]) == Counter(range(1, 1 + n_labels))
    total = scores[np.arange(n_tokens), tags].sum()
    best = [scores[label_of_row == label, 1 + label].max() for label in range(n_labels)]
    assert total == sum(best)


@st.composite
def random_batches(draw):
    n_labels = draw(st.integers(1, 4))
    lengths = draw(st.lists(st.integers(0, 9), min_size=1, max_size=4))
    scores = (
        np.random.default_rng(draw(st.integers(0, 2**32)))
        .normal(size=(sum(lengths), 1 + 2 * n_labels))
        .astype("f")
    )
    return scores, lengths, n_labels


@settings(max_examples=25)
@given(random_batches())
def test_batch_gives_the_same_as_single_sequences(batch):
    scores, lengths, n_labels = batch
    constraints = RoleConstraints.from_labels([f"ARG{i}" for i in range(n_labels)])
    together = decode_roles(PlainScores(scores), lengths, constraints)
    for rows, own in zip(split(scores, lengths), split(together, lengths), strict=True):
        assert decode_roles(PlainScores(rows), [len(rows)], constraints).tolist() == own.tolist()


@settings(max_examples=25)
@given(random_batches(), st.integers(0, 3))
def test_out_of_budget_the_constraints_still_hold(batch, max_nodes):
    scores, lengths, n_labels = batch
    labels = ["ARG0", "ARG1", "C-ARG0", "R-ARG1"][:n_labels]
    tags = decode_roles(
        PlainScores(scores), lengths, RoleConstraints.from_labels(labels), max_nodes=max_nodes
    )
    for own in split(tags, lengths):
        assert is_valid(own.tolist(), n_labels)
        assert satisfies(spans_of(own, labels), **dict.fromkeys(SWITCHES, True))


@pytest.mark.parametrize("n_threads", [1, 3])
def test_many_sequences_give_the_same_as_single_ones(n_threads):
    random = np.random.default_rng(0)
    lengths = [*random.integers(0, 40, 150).tolist(), 1100, 3]
    rows = random.normal(size=(sum(lengths), 7)).astype("f") * 3
    rules = RoleConstraints.from_labels(LABELS, **dict.fromkeys(SWITCHES, True))
    allowed = random.random((len(lengths), 3)) < 0.8
    set_num_threads(n_threads)
    try:
        found = decode_roles(PlainScores(rows), lengths, rules, allowed)
        plain = decode_bio(PlainScores(rows), lengths)
    finally:
        set_num_threads(None)
    ends = np.cumsum(lengths)
    for end, length, row in zip(ends.tolist(), lengths, allowed, strict=True):
        scores, tokens = PlainScores(rows[end - length : end]), slice(end - length, end)
        assert found[tokens].tolist() == decode_roles(scores, [length], rules, row[None]).tolist()
        assert plain[tokens].tolist() == decode_bio(scores, [length]).tolist()


def test_without_constraints_it_is_bio_decoding():
    scores = np.random.default_rng(0).normal(size=(200, 7)).astype("f")
    constraints = RoleConstraints.from_labels(LABELS, **dict.fromkeys(SWITCHES, False))
    expected = decode_bio(PlainScores(scores), [150, 50])
    assert decode_roles(PlainScores(scores), [150, 50], constraints).tolist() == expected.tolist()


def test_the_weaker_of_two_core_roles_goes():
    scores = np.zeros((3, 5), dtype="f")
    scores[[0, 2], 1] = 2.0, 3.0  # ARG0 twice
    scores[0, 2] = 1.0  # ARGM-TMP is the next best
    constraints = RoleConstraints.from_labels(["ARG0", "ARGM-TMP"])
    assert decode_roles(PlainScores(scores), [3], constraints).tolist() == [2, 0, 1]


def test_a_continuation_brings_what_it_continues_or_goes():
    constraints = RoleConstraints.from_labels(["ARGM-TMP", "C-ARGM-TMP"])
    scores = np.zeros((3, 5), dtype="f")
    scores[2, 2] = 2.0
    scores[:2, 1] = -1.0, -3.0
    assert decode_roles(PlainScores(scores), [3], constraints).tolist() == [1, 0, 2]
    scores[0, 1] = -2.5
    assert decode_roles(PlainScores(scores), [3], constraints).tolist() == [0, 0, 0]


def test_which_labels_are_free():
    labels = ["ARG0", "ARGA", "ARG1-DSP", "ARGM-TMP", "C-V", "R-ARG1", "C-ARG0", "C-R-ARG1"]
    constraints = RoleConstraints.from_labels(labels)
    assert constraints.is_unique.tolist() == [True] * 3 + [False] * 5
    assert constraints.needs.tolist() == [-1, -1, -1, -1, -1, -1, 0, 5]
    assert constraints.needs_before.tolist()[6:] == [True, True]


def test_allowed_labels_follow_the_numbers():
    labels = ["ARG0", "ARG1", "ARG1-DSP", "R-ARG1", "C-ARG0", "ARGM-TMP", "ARGA", "C-V"]
    expected = [False, True, True, True, False, True, True, True]
    assert allowed_labels(labels, ["ARG1"]).tolist() == expected


def test_many_violations_are_dropped_without_a_search():
    rng = np.random.default_rng(0)
    labels = ["ARG0", "ARG1", "C-ARG1"]
    lengths = [40] * 20
    scores = rng.normal(size=(sum(lengths), 7)).astype("f")
    constraints = RoleConstraints.from_labels(labels)
    dropped = decode_roles(PlainScores(scores), lengths, constraints, max_violations=0)
    for rows, tags in zip(split(scores, lengths), split(dropped, lengths), strict=True):
        assert is_valid(tags, len(labels))
        assert satisfies(spans_of(tags, labels), *[True] * 3)
        free = decode_bio(PlainScores(rows), [len(rows)])
        assert set(spans_of(tags, labels)) <= set(spans_of(free, labels))
    default = decode_roles(
        PlainScores(scores), lengths, constraints
    )  # each has more than it allows
    assert default.tolist() == dropped.tolist()


def hard_scores(kind, n_tokens, labels, goes_on):
    """Scores of a network that has learned nothing, or that make the search long."""
    random = np.random.default_rng(0)
    n_labels = len(labels)
    scores = np.zeros((n_tokens, 1 + 2 * n_labels), dtype="f")
    if kind != "flat":
        scores += random.normal(0, 1.0 if kind == "random" else 1e-3, scores.shape)
    rows = random.choice(n_tokens, MAX_VIOLATIONS, replace=False)
    if kind == "nearly equal core roles":
        scores[:, 0] += 0.01
        scores[rows, 1] += 1.0
    if kind == "continuations of what is nowhere":
        scores[:, 0] += 0.5
        scores[rows, 1 + labels.index("C-ARG1")] += 2.0
    if not goes_on:
        scores[:, 1 + n_labels :] = -np.inf
    return scores.astype("f")


@pytest.mark.parametrize("goes_on", [True, False], ids=["spans", "heads"])
@pytest.mark.parametrize(
    "kind",
    [
        "flat",
        "nearly flat",
        "random",
        "nearly equal core roles",
        "continuations of what is nowhere",
    ],
)
def test_hard_scores_take_no_more_decodings_than_allowed(monkeypatch, kind, goes_on):
    labels = [f"{prefix}ARG{i}" for prefix in ("", "C-", "R-") for i in range(6)]
    constraints = RoleConstraints.from_labels(labels)
    scores = hard_scores(kind, 129, labels, goes_on)
    n_decoded = []
    advance = search._Search.advance

    def count(own, constraints):
        nodes = advance(own, constraints)
        n_decoded.append(len(nodes))
        return nodes

    monkeypatch.setattr(search._Search, "advance", count)
    tags = decode_roles(PlainScores(scores), [129], constraints)
    assert is_valid(tags, len(labels))
    assert satisfies(spans_of(tags, labels), *[True] * 3)
    assert sum(n_decoded) < search.MAX_NODES + search.MAX_PARTS
