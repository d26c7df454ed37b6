import numpy as np
import pytest
from spacy.attrs import NORM, ORTH
from spacy.vectors import Vectors
from thinc.api import NumpyOps

from spacy_mtl.models.layers.features import (
    attribute_ids,
    distinct_rows,
    extract_words,
    join_rows,
    split_rows,
    table_rows,
)
from tests.models.encoders.encoding import make_docs


def test_split_rows_come_back_as_the_same_matrix_without_a_copy():
    flat = np.arange(24.0, dtype="f").reshape(8, 3)
    parts = split_rows(flat, [2, 0, 5, 1])
    assert [len(part) for part in parts] == [2, 0, 5, 1]
    joined = join_rows(NumpyOps(), parts)
    assert np.shares_memory(joined, flat)
    np.testing.assert_array_equal(joined, flat)


def test_some_of_the_split_rows_are_joined_without_a_copy_where_they_are_neighbours():
    flat = np.arange(24.0, dtype="f").reshape(8, 3)
    parts = split_rows(flat, [2, 1, 4, 1])
    neighbours = join_rows(NumpyOps(), parts[1:3])
    assert np.shares_memory(neighbours, flat)
    np.testing.assert_array_equal(neighbours, flat[2:7])
    apart = join_rows(NumpyOps(), [parts[0], parts[2]])
    np.testing.assert_array_equal(apart, flat[[0, 1, 3, 4, 5, 6]])


@pytest.mark.parametrize("order", [[1, 0], [0, 0]])
def test_rows_out_of_order_are_joined_in_the_order_given(order):
    flat = np.arange(12.0, dtype="f").reshape(4, 3)
    parts = split_rows(flat, [2, 2])
    joined = join_rows(NumpyOps(), [parts[number] for number in order])
    np.testing.assert_array_equal(joined, np.concatenate([parts[number] for number in order]))


def test_arrays_of_their_own_are_joined():
    parts = [np.ones((2, 3), dtype="f"), np.frombuffer(b"\0" * 12, dtype="f").reshape(1, 3)]
    np.testing.assert_array_equal(join_rows(NumpyOps(), parts[::-1]), np.concatenate(parts[::-1]))


def test_columns_of_a_matrix_are_not_taken_for_its_rows():
    flat = np.arange(24.0, dtype="f").reshape(8, 3)
    parts = [flat[:4, :2], flat[4:, :2]]
    np.testing.assert_array_equal(join_rows(NumpyOps(), parts), flat[:, :2])


def test_distinct_rows_differ_in_any_column():
    values = np.array([[1, 2], [1, 3], [1, 2], [2, 1], [0, 0]], dtype=np.uint64)
    keys, first, number = distinct_rows(values)
    assert len(first) == 4 and (keys[:-1] < keys[1:]).all()
    np.testing.assert_array_equal(values[first][number], values)


def test_words_with_equal_attributes_are_one_word():
    docs = make_docs()
    by_norm = extract_words(docs, [NORM], static_vectors=False)
    by_orth = extract_words(docs, [NORM, ORTH], static_vectors=False)
    tokens = [token for doc in docs for token in doc]
    assert by_norm.values.shape == (1, len({token.norm for token in tokens}))
    assert by_orth.values.shape == (2, len({(t.norm, t.orth) for t in tokens}))
    assert table_rows(by_orth.values, [50, 30]).shape == (*by_orth.values.shape, 4)
    assert by_norm.lengths == [len(doc) for doc in docs]
    assert len(by_norm.word_of_token) == len(tokens)


def test_unknown_attribute_is_named():
    with pytest.raises(ValueError, match="NROM"):
        attribute_ids(["NORM", "NROM"])


def test_vocabulary_without_vectors_is_not_read_as_zeros():
    docs = make_docs(vectors_width=4)
    vocab = docs[0].vocab
    assert extract_words(docs, [NORM], static_vectors=True).vectors.any()
    for vectors in (Vectors(), Vectors(shape=(3, 4))):
        vocab.vectors = vectors
        with pytest.raises(ValueError, match=f"has {len(vectors)} vectors for 0 words"):
            extract_words(docs, [NORM], static_vectors=True)
