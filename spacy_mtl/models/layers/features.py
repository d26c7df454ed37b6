"""From documents to the arrays that an embedding module reads, and flat rows back to documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from spacy.attrs import ORTH, intify_attr
from spacy.tokens import Doc
from spacy.vectors import Mode, Vectors
from spacy.vocab import Vocab
from thinc.api import NumpyOps, Ops, to_numpy
from thinc.types import Floats2d

FIRST_SEED = 8  # the seed of the first table in spacy.MultiHashEmbed.v2
_CPU = NumpyOps()
_KEY_MULTIPLIERS = np.random.RandomState(0).randint(1, 2**63, 64, dtype=np.uint64) | np.uint64(1)


@dataclass
class WordBatch:
    """The distinct words of a batch of documents, and which of them stands where.

    values (np.ndarray): [attributes, words], the words' attributes.
    keys (np.ndarray): [words], 64-bit hashes of the words' attributes and static vectors.
    vectors (Optional[Floats2d]): [words, vector width], static vectors, zero where a word has none.
    word_of_token (np.ndarray): [tokens], the number of the word at each token, documents in a row.
    lengths (List[int]): The number of tokens of each document.
    """

    values: np.ndarray
    keys: np.ndarray
    vectors: Floats2d | None
    word_of_token: np.ndarray
    lengths: list[int]


def attribute_ids(attrs: Sequence[str | int]) -> list[int]:
    """Look up token attributes by name.

    attrs (Sequence[Union[str, int]]): Names such as "NORM", or ids.
    RETURNS (List[int]): The ids.
    RAISES (ValueError): If there is no token attribute of that name.
    """
    ids = [intify_attr(attr) for attr in attrs]
    unknown = [attr for attr, number in zip(attrs, ids, strict=True) if number is None]
    if unknown:
        raise ValueError(
            f"'attrs' of the encoder: {unknown} are not token attributes; use names such as "
            "'NORM', 'PREFIX', 'SUFFIX', 'SHAPE', 'LOWER', 'ORTH'."
        )
    return cast(list[int], ids)


def extract_words(docs: Sequence[Doc], attrs: Sequence[int], static_vectors: bool) -> WordBatch:
    """Find the distinct words of a batch.

    Two tokens are the same word if they agree in all attributes. Everything that depends on the
    word alone can then be computed once per word.

    docs (Sequence[Doc]): The documents, at least one token among them.
    attrs (Sequence[int]): The ids of the embedded attributes.
    static_vectors (bool): Whether to look up the static vectors of the words.
    RETURNS (WordBatch): The words.
    """
    vocab = docs[0].vocab
    columns: list[int | str] = list(attrs)
    if static_vectors:
        columns.append(getattr(vocab.vectors, "attr", ORTH))
    lengths = [len(doc) for doc in docs]
    values = np.concatenate(
        [
            doc.to_array(columns).reshape(length, len(columns))
            for doc, length in zip(docs, lengths, strict=True)
        ]
    )
    values = values.astype(np.uint64, copy=False)  # [tokens, columns]
    keys, first_token, word_of_token = distinct_rows(values)
    values = np.ascontiguousarray(values[first_token].T)  # [columns, words]
    vectors = None
    if static_vectors:
        vectors = look_up_vectors(vocab, values[-1])
        keys ^= _hash_vectors(vectors)
    return WordBatch(values[: len(attrs)], keys, vectors, word_of_token, lengths)


def distinct_rows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the distinct rows of a matrix, told apart by a 64-bit hash of the row.

    values (np.ndarray): [rows, columns], unsigned 64-bit integers.
    RETURNS (Tuple[np.ndarray, np.ndarray, np.ndarray]): [distinct], the hashes in ascending order;
        [distinct], where each distinct row stands first; and [rows], the number of the distinct row
        at each row.
    """
    keys = values @ _KEY_MULTIPLIERS[: values.shape[1]]
    return np.unique(keys, return_index=True, return_inverse=True)


def table_rows(values: np.ndarray, table_sizes: Sequence[int]) -> np.ndarray:
    """Hash the attributes of words for each attribute's embedding table.

    values (np.ndarray): [attributes, words], unsigned 64-bit integers.
    table_sizes (Sequence[int]): The number of rows of each attribute's table.
    RETURNS (np.ndarray): [attributes, words, 4], rows of the tables.
    """
    return np.stack(
        [
            hash_rows(np.ascontiguousarray(column), FIRST_SEED + number, size)
            for number, (column, size) in enumerate(zip(values, table_sizes, strict=True))
        ]
    )


def hash_rows(values: np.ndarray, seed: int, table_size: int) -> np.ndarray:
    """Hash attribute values to the rows of a table that are summed, as thinc's HashEmbed does.

    values (np.ndarray): [words], contiguous unsigned 64-bit integers.
    seed (int): The seed of the hash.
    table_size (int): The number of rows of the table.
    RETURNS (np.ndarray): [words, 4], rows of the table.
    """
    return (_CPU.hash(values, seed) % np.uint32(table_size)).astype(np.int64)


def look_up_vectors(vocab: Vocab, keys: np.ndarray) -> Floats2d:
    """Look up static vectors.

    vocab (Vocab): The vocabulary that owns the vectors.
    keys (np.ndarray): [words], the words' hashes.
    RETURNS (Floats2d): [words, vector width], zero for a word that has no vector.
    RAISES (ValueError): If the vocabulary has no vectors at all.
    """
    table = vocab.vectors
    if not isinstance(table, Vectors) or table.mode != Mode.default:
        return cast(Floats2d, table.get_batch(keys))
    if not table.n_keys or not table.shape[0]:
        raise ValueError(
            f"A network reads static vectors, but the vocabulary has {table.shape[0]} vectors for "
            f"{table.n_keys} words. Load the pipeline with its vocabulary, and with the files "
            "'vocab/vectors' and 'vocab/key2row' that were saved with it."
        )
    rows = table.find(keys=keys)
    vectors = table.data[rows]
    vectors[rows < 0] = 0
    return cast(Floats2d, vectors)


def _hash_vectors(vectors: Floats2d) -> np.ndarray:
    """RETURNS (np.ndarray): [words], a hash of each vector's numbers: a word with a changed vector
    is another word."""
    bits = np.ascontiguousarray(to_numpy(vectors)).view(np.uint32).astype(np.uint64)
    place = np.arange(1, 1 + bits.shape[1], dtype=np.uint64)
    multipliers = np.resize(_KEY_MULTIPLIERS, bits.shape[1]) * place
    return np.asarray((bits * multipliers).sum(1, dtype=np.uint64))


def split_rows(flat: Floats2d, lengths: Sequence[int]) -> list[Floats2d]:
    """Cut a matrix into one view per document.

    flat (Floats2d): [tokens, width].
    lengths (Sequence[int]): The number of tokens of each document.
    RETURNS (List[Floats2d]): Views of consecutive rows.
    """
    ends = np.cumsum(lengths).tolist()
    return [flat[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def join_rows(ops: Ops, parts: Sequence[Floats2d]) -> Floats2d:
    """Put the rows of several documents below one another: the reverse of `split_rows`.

    Nothing is copied if the parts are consecutive views of one matrix.

    ops (Ops): Copies the rows where that is needed.
    parts (Sequence[Floats2d]): One matrix [tokens, width] per document.
    RETURNS (Floats2d): [tokens, width].
    """
    rows: list[Any] = [part for part in parts if part.shape[0]]
    if not rows:
        return parts[0] if len(parts) else ops.alloc2f(0, 0)
    if len(rows) == 1:
        return cast(Floats2d, rows[0])
    first = rows[0]
    end = _address(first)
    for part in rows:
        follows = part.base is not None and part.base is first.base and _address(part) == end
        if not follows or not part.flags.c_contiguous or part.shape[1] != first.shape[1]:
            return ops.flatten(rows)
        end += part.nbytes
    shape = (sum(part.shape[0] for part in rows), first.shape[1])
    as_strided = ops.xp.lib.stride_tricks.as_strided
    return cast(Floats2d, as_strided(first, shape=shape, strides=first.strides))


def _address(array: Any) -> int:
    """Where an array of numpy or cupy starts in memory."""
    if isinstance(array, np.ndarray):
        return int(array.__array_interface__["data"][0])
    return int(array.data.ptr)
