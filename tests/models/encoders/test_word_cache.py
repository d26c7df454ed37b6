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

from spacy_mtl.models.encoders.attention import build_hash_embed_attention
from spacy_mtl.models.encoders.bilstm import build_hash_embed_bilstm
from spacy_mtl.models.encoders.cnn import build_hash_embed_cnn
from spacy_mtl.models.encoders.doc_encoder import torch_module
from spacy_mtl.models.encoders.word_cache import WordCache
from tests.models.encoders.encoding import assert_close, make_docs

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
            torch_module(model).encode.windows.layers[0].weight.neg_()
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


def test_words_with_static_vectors_are_cached_until_these_change():
    docs = make_docs(vectors_width=10)
    cached, plain = make_pair(docs, include_static_vectors=True)
    before = cached.predict(docs)
    assert n_cached(cached) > 400
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


WIDTHS = (3, 3)


def vectors_of(keys):
    """As if these were embedded vectors of words."""
    return torch.from_numpy(keys.astype("f"))[:, None].repeat(1, 3)


def fill(slots, keys):
    """Compute what is missing. RETURNS (int): For how many words."""
    for table, sign in zip(slots.tables, (1, -1), strict=True):
        table[slots.rows[slots.misses]] = sign * vectors_of(keys[slots.misses])
    slots.commit()
    return len(slots.misses)


def check_slots(slots, keys):
    vectors, products = slots.tables
    assert torch.equal(vectors[slots.rows], vectors_of(keys))
    assert torch.equal(products[slots.rows], -vectors_of(keys))
    assert not vectors[0].any() and not products[0].any()


@settings(max_examples=50)
@given(
    st.lists(st.lists(st.integers(0, 30), min_size=1, unique=True), max_size=12),
    st.integers(0, 12),
    st.data(),
)
def test_bounded_and_right_for_any_batches(batches, size, is_held):
    cache = WordCache(size)
    with ExitStack() as held_open:
        held = []
        for batch in batches:
            keys = np.array(batch, dtype=np.uint64)
            lookup = cache.lookup(keys, [], WIDTHS)
            if is_held.draw(st.booleans()):
                slots = held_open.enter_context(lookup)
                fill(slots, keys)
                held.append((slots, keys))
            else:
                with lookup as slots:
                    fill(slots, keys)
                    check_slots(slots, keys)
            assert len(cache) <= size
            with cache.lookup(keys, [], WIDTHS) as slots:
                assert fill(slots, keys) == (len(keys) if len(keys) > size else 0)
                check_slots(slots, keys)
        for slots, keys in held:  # also after later batches
            check_slots(slots, keys)


def test_words_that_are_not_committed_stay_misses():
    cache = WordCache(10)
    keys, more = np.arange(4, dtype=np.uint64), np.arange(8, dtype=np.uint64)
    with cache.lookup(keys, [], WIDTHS) as slots:
        fill(slots, keys)
    for _ in range(3):
        with pytest.raises(ArithmeticError), cache.lookup(more, [], WIDTHS):
            raise ArithmeticError
        with cache.lookup(more, [], WIDTHS):
            pass
    assert len(cache) == 4
    with cache.lookup(more, [], WIDTHS) as slots:
        assert fill(slots, more) == 4
        check_slots(slots, more)
    assert len(cache) == 8


def test_other_widths_are_other_values():
    cache = WordCache(10)
    keys = np.arange(4, dtype=np.uint64)
    with cache.lookup(keys, [], WIDTHS) as slots:
        fill(slots, keys)
    with cache.lookup(keys, [], [5]) as slots:
        assert len(slots.misses) == 4 and slots.tables[0].shape[1] == 5


def test_memory_is_used_again():
    cache = WordCache(10)
    addresses = set()
    for first in range(0, 60, 6):
        keys = np.arange(first, first + 6, dtype=np.uint64)
        with cache.lookup(keys, [], WIDTHS) as slots:
            fill(slots, keys)
            addresses.add(slots.tables[0].data_ptr())
    assert len(addresses) == 1
