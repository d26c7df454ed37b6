"""The cache is never seen in the results: encoders with and without one give the same."""

import copy
import pickle
import threading
from contextlib import ExitStack

import numpy as np
import pytest
import spacy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc
from thinc.api import Adam, fix_random_seed

from spacy_mtl.models.attention import build_hash_embed_attention
from spacy_mtl.models.bilstm import build_hash_embed_bilstm
from spacy_mtl.models.cnn import build_hash_embed_cnn
from spacy_mtl.models.doc_encoder import torch_module
from spacy_mtl.models.word_cache import WordCache

from .encoding import assert_close, make_docs

BUILDERS = [build_hash_embed_cnn, build_hash_embed_bilstm, build_hash_embed_attention]


def make_pair(docs, build=build_hash_embed_cnn, **other):
    """An encoder with a cache, and one without that has the same parameters."""
    pair = []
    for size in (other.pop("cached_words", 1000), 0):
        fix_random_seed(0)
        model = build(width=16, depth=2, embed_size=50, cached_words=size, **other)
        model.initialize(X=docs)
        pair.append(model)
    return pair


def n_cached(model):
    return len(torch_module(model).cache)


def update(model, docs, optimizer):
    vectors, backprop = model.begin_update(docs)
    backprop([rows * 0 + 1 + np.arange(16, dtype="f") for rows in vectors])
    model.finish_update(optimizer)


@pytest.mark.parametrize("build", BUILDERS)
def test_cache_fills_and_changes_nothing(build):
    docs = make_docs()
    cached, plain = make_pair(docs, build)
    for batch in (docs[:3], docs, docs[::-1], docs[:1]):
        assert_close(cached.predict(batch), plain.predict(batch), tolerance=1e-5)
    assert n_cached(cached) > 400
    assert n_cached(plain) == 0


def test_vocabulary_can_grow_and_be_another():
    docs = make_docs()
    cached, plain = make_pair(docs)
    cached.predict(docs)
    for nlp in (spacy.blank("en"), spacy.blank("de")):
        more = [nlp("a new soup , gesundheit"), nlp("the soup")]
        assert_close(cached.predict(more), plain.predict(more), tolerance=1e-5)


def test_norm_of_lexeme_and_of_token_can_change():
    docs = make_docs()
    cached, plain = make_pair(docs)
    before = cached.predict(docs)
    docs[2][0].norm_ = "stew"
    changed = cached.predict(docs)
    assert np.abs(changed[2] - before[2]).max() > 1e-3
    assert_close(changed, plain.predict(docs), tolerance=1e-5)
    docs[0].vocab["words"].norm_ = "letters"
    fresh = [Doc(docs[0].vocab, words=["two", "words"])]
    assert_close(cached.predict(fresh), plain.predict(fresh), tolerance=1e-5)


def test_parameters_can_change():
    docs = make_docs()
    cached, plain = make_pair(docs)
    optimizers = [Adam(0.1, use_averages=True) for _ in range(2)]
    for _ in range(3):
        before = cached.predict(docs)
        update(cached, docs, optimizers[0])
        update(plain, docs, optimizers[1])
        after = cached.predict(docs)
        assert np.abs(after[0] - before[0]).max() > 1e-3
        assert_close(after, plain.predict(docs), tolerance=1e-4)
    with cached.use_params(optimizers[0].averages), plain.use_params(optimizers[1].averages):
        averaged = cached.predict(docs)
        assert np.abs(averaged[0] - after[0]).max() > 1e-3
        assert_close(averaged, plain.predict(docs), tolerance=1e-4)
    assert_close(cached.predict(docs), after, tolerance=1e-5)


def change_in_place(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(1.5)


def replace_data(module):
    for parameter in module.parameters():
        parameter.data = parameter.data * 1.5


def load_state(module):
    module.load_state_dict({name: 1.5 * values for name, values in module.state_dict().items()})


@pytest.mark.parametrize("change", [change_in_place, replace_data, load_state])
def test_parameters_can_change_in_torch(change):
    docs = make_docs()
    cached, plain = make_pair(docs)
    before = cached.predict(docs)
    for model in (cached, plain):
        change(torch_module(model))
    assert np.abs(cached.predict(docs)[0] - before[0]).max() > 1e-3
    assert_close(cached.predict(docs), plain.predict(docs), tolerance=1e-5)


@pytest.mark.parametrize("build", BUILDERS)
def test_weights_of_the_first_layer_can_change(build):
    docs = make_docs()
    cached, plain = make_pair(docs, build)
    before = cached.predict(docs)
    for model in (cached, plain):
        with torch.no_grad():
            torch_module(model).encode.word_parameters()[0].neg_()
    assert_close(cached.predict(docs), plain.predict(docs), tolerance=1e-5)
    assert np.abs(cached.predict(docs)[0] - before[0]).max() > 1e-3


def test_copies_and_loaded_encoders_start_without_words():
    docs = make_docs()
    cached, _ = make_pair(docs)
    expected = cached.predict(docs)
    update_of_original = Adam(0.1)
    for other in (
        pickle.loads(pickle.dumps(cached)),
        copy.deepcopy(cached),
        cached.copy(),
        make_pair(docs)[0].from_bytes(cached.to_bytes()),
    ):
        assert n_cached(other) == 0
        assert_close(other.predict(docs), expected, tolerance=1e-5)
    other = cached.copy()
    update(cached, docs, update_of_original)
    assert_close(other.predict(docs), expected, tolerance=1e-5)


def test_loading_replaces_the_words():
    docs = make_docs()
    cached, plain = make_pair(docs)
    cached.predict(docs)
    update(plain, docs, Adam(0.1))
    cached.from_bytes(plain.to_bytes())
    assert_close(cached.predict(docs), plain.predict(docs), tolerance=1e-5)


def test_static_vectors_can_change():
    docs = make_docs(vectors_width=10)
    cached, plain = make_pair(docs, include_static_vectors=True)
    before = cached.predict(docs)
    docs[0].vocab.set_vector("soup", np.full(10, 3.0, dtype="f"))
    assert np.abs(cached.predict(docs)[3] - before[3]).max() > 1e-3
    assert_close(cached.predict(docs), plain.predict(docs), tolerance=1e-5)


def test_threads_can_predict_at_once():
    docs = make_docs()
    cached, plain = make_pair(docs, cached_words=410)  # dropped again and again
    expected = plain.predict(docs)
    failures = []

    def work(shift):
        for number in range(20):
            start = (shift + number) % len(docs)
            try:
                assert_close(cached.predict(docs[start:]), expected[start:], tolerance=1e-4)
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=work, args=(shift,)) for shift in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def vectors_of(keys):
    """As if these were embedded vectors of words."""
    return torch.from_numpy(keys.astype("f"))[:, None].repeat(1, 3)


@settings(max_examples=50)
@given(
    st.lists(st.sets(st.integers(0, 30), min_size=1), max_size=12), st.integers(0, 12), st.data()
)
def test_bounded_and_right_for_any_batches(batches, size, is_held):
    cache = WordCache(size)
    n_computed = 0
    with ExitStack() as held_open:
        held = []
        for batch in batches:
            keys = np.array(sorted(batch), dtype=np.uint64)

            def compute(chosen, into=None, keys=keys):
                nonlocal n_computed
                n_computed += len(chosen)
                return put([vectors_of(keys[chosen]), -vectors_of(keys[chosen])], into)

            reading = cache.reading(keys, [], compute)
            if is_held.draw(st.booleans()):
                held.append((*held_open.enter_context(reading), keys))
            else:
                with reading as (tables, rows):
                    check_tables(tables, rows, keys)
            assert len(cache) <= size
            before = n_computed
            with cache.reading(keys, [], compute) as (tables, rows):
                check_tables(tables, rows, keys)
            assert n_computed == before + (len(keys) if len(keys) > size else 0)
        for tables, rows, keys in held:  # also after later batches
            check_tables(tables, rows, keys)


def put(computed, into):
    if into is None:
        return computed
    for table, values in zip(into.tables, computed, strict=True):
        table[into.rows] = values
    return into.tables


def test_what_fails_is_not_kept():
    cache = WordCache(10)
    keys, more = np.arange(4, dtype=np.uint64), np.arange(8, dtype=np.uint64)

    def compute(chosen, into=None):
        return put([vectors_of(more[chosen])], into)

    def refuse(chosen, into=None):
        raise ArithmeticError

    with cache.reading(keys, [], compute):
        pass
    for _ in range(3):
        with pytest.raises(ArithmeticError), cache.reading(more, [], refuse):
            pass
    assert len(cache) == 4
    with cache.reading(more, [], compute) as (tables, rows):
        assert torch.equal(tables[0][rows], vectors_of(more))
    assert len(cache) == 8


def check_tables(tables, rows, keys):
    vectors, products = tables
    assert torch.equal(vectors[rows], vectors_of(keys))
    assert torch.equal(products[rows], -vectors_of(keys))
    assert not vectors[0].any() and not products[0].any()


def test_rows_are_used_again():
    cache = WordCache(10)
    addresses = set()
    for first in range(0, 60, 6):
        keys = np.arange(first, first + 6, dtype=np.uint64)

        def compute(chosen, into=None, keys=keys):
            return put([vectors_of(keys[chosen])], into)

        with cache.reading(keys, [], compute) as (tables, _):
            addresses.add(tables[0].data_ptr())
    assert len(addresses) == 1
