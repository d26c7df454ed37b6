import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_mtl.models.heads.hashed_bigram_bag import N_FEATURES, HashedBigramBag, hash_features
from tests.models.heads.test_token_tagger import VOCAB

ROWS = 1000
texts = st.lists(st.lists(st.sampled_from("a b c d e f".split()), max_size=5), min_size=1)


def docs_of(*texts):
    return [Doc(VOCAB, words=words) for words in texts]


@given(texts)
def test_features_of_a_document_do_not_depend_on_its_neighbours(texts):
    docs = docs_of(*texts)
    together = hash_features(docs, ROWS)
    alone = [hash_features([doc], ROWS) for doc in docs]
    assert np.array_equal(together, np.concatenate(alone))


def test_words_and_pairs_have_rows_of_their_own():
    rows = hash_features(docs_of("to be or not to be to".split()), ROWS)
    words, pairs = rows.T
    assert words.max() < ROWS <= pairs.min() and pairs.max() < 2 * ROWS
    assert words[0] == words[4] == words[6] and len(set(words)) == 4
    assert pairs[0] == pairs[4]  # "to be"
    assert len(set(pairs)) == 6


def test_the_order_of_a_pair_counts():
    there, back = (hash_features(docs_of(words), ROWS)[0, 1] for words in (["a", "b"], ["b", "a"]))
    assert there != back


def test_rows_are_used_evenly():
    vocabulary = [f"word{number}" for number in range(20_000)]
    for column in hash_features(docs_of(vocabulary), ROWS).T:
        counts = np.bincount(column % ROWS, minlength=ROWS)
        assert abs(counts.std() - np.sqrt(20.0)) < 0.5  # Poisson's


def test_rows_depend_on_the_norm_only():
    upper, lower = docs_of(["Good", "MOVIE"], ["good", "movie"])
    assert np.array_equal(hash_features([upper], ROWS), hash_features([lower], ROWS))


def test_documents_without_tokens_have_no_features():
    assert hash_features(docs_of([], []), ROWS).shape == (0, N_FEATURES)
    bag = HashedBigramBag(3, ROWS)
    features = torch.from_numpy(hash_features(docs_of([], ["a"], []), ROWS))
    vectors = bag(features, [0, 1, 0])
    assert not vectors[[0, 2]].any() and vectors[1].all()
    assert not bag(features[:0], [0, 0]).any()


def test_sum_over_the_root_of_the_number_of_tokens():
    bag = HashedBigramBag(2, 3)
    with torch.no_grad():
        bag.vectors.copy_(torch.arange(12.0).reshape(6, 2))
    features = torch.tensor([[0, 3], [1, 3], [1, 4], [2, 5], [2, 5]])
    vectors = bag(features, [4, 1])
    assert vectors.tolist() == [
        [pytest.approx((0 + 6 + 2 + 6 + 2 + 8 + 4 + 10) / 2), pytest.approx(23.0)],
        [14.0, 16.0],
    ]


def test_gradient_goes_to_the_rows_that_were_read():
    bag = HashedBigramBag(2, 3)
    bag(torch.tensor([[0, 3]] * 4 + [[1, 5]]), [4, 1]).backward(
        torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    )
    expected = torch.zeros(6, 2)
    expected[[0, 3]] = torch.tensor([2.0, 4.0])  # four times the gradient, by the root of four
    expected[[1, 5]] = torch.tensor([3.0, 4.0])
    assert torch.equal(bag.vectors.grad, expected)
