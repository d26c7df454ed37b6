"""The compiled kernels as such; what they compute is tested where it is used."""

import multiprocessing
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from spacy_mtl.models.layers.linear import PackedLinear
from spacy_mtl.native import get_kernels, switched_off
from spacy_mtl.native.linear import SummedRows, apply_layers
from spacy_mtl.native.threads import get_num_threads, parallel_for, set_num_threads

kernels = get_kernels()
needs_loops = pytest.mark.skipif(
    kernels is None,
    reason="the compiled kernels are not built, or switched off by SPACY_MTL_NATIVE=0",
)


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def take_one(next_chunk):
    """Like the kernels do, but holding the interpreter's lock."""
    next_chunk[0] += 1
    return next_chunk[0] - 1


def squares(n_pieces):
    found = []

    def work(next_chunk):
        while (piece := take_one(next_chunk)) < n_pieces:
            found.append(piece * piece)

    parallel_for(work, n_pieces)
    return sorted(found)


@pytest.mark.parametrize("n_pieces", [0, 1, 2, 50])
def test_each_piece_is_taken_once(n_pieces, three_threads):
    assert squares(n_pieces) == [piece * piece for piece in range(n_pieces)]


@pytest.mark.parametrize("n_threads", [1, 3])
def test_number_of_threads_can_be_chosen(n_threads):
    together = threading.Barrier(n_threads)
    threads = set()

    def work(next_chunk):
        together.wait(60)
        threads.add(threading.current_thread())

    set_num_threads(n_threads)
    try:
        assert get_num_threads() == n_threads
        parallel_for(work, 9)
    finally:
        set_num_threads(None)
    assert len(threads) == n_threads
    assert get_num_threads() == torch.get_num_threads()
    with pytest.raises(ValueError, match="0"):
        set_num_threads(0)


@pytest.mark.parametrize("value, found", [("3", "3"), ("", "''"), ("0", "'0'"), ("two", "'two'")])
def test_number_of_threads_is_read_from_the_environment(value, found):
    code = "from spacy_mtl.native.threads import get_num_threads; print(get_num_threads())"
    environment = {**os.environ, "SPACY_MTL_THREADS": value}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    if value == "3":
        assert done.stdout.strip() == found
    else:
        assert f"SPACY_MTL_THREADS is {found} in the environment" in done.stderr


def test_an_error_in_a_thread_is_raised(three_threads):
    def work(next_chunk):
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        parallel_for(work, 5)


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="processes can't be forked here"
)
def test_a_forked_process_has_threads_of_its_own(three_threads):
    assert len(squares(50)) == 50
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(squares, (50,)).get(timeout=60) == squares(50)


def test_they_can_be_switched_off():
    with switched_off():
        assert get_kernels() is None
    assert get_kernels() is kernels
    code = "from spacy_mtl.native import get_kernels; print(get_kernels())"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "SPACY_MTL_NATIVE": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "None"


@needs_loops
def test_arrays_of_other_shapes_are_refused():
    scores = np.zeros((3, 2), dtype="f")
    lengths, tags, next_chunk = (
        np.array([3]),
        np.zeros(3, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
    )
    with pytest.raises(ValueError, match="expected"):
        kernels.decode_tags(
            scores[:, 0], scores, scores[:, :1], None, None, lengths, None, None, tags, next_chunk
        )
    with pytest.raises(ValueError, match="3 tokens for sequences of 4"):
        kernels.decode_tags(
            scores[:, 0], scores, scores, None, None, np.array([4]), None, None, tags, next_chunk
        )
    with pytest.raises(ValueError, match="length of a sequence is -1"):
        kernels.decode_tags(
            scores[:, 0],
            scores,
            scores,
            None,
            None,
            np.array([4, -1]),
            None,
            None,
            tags,
            next_chunk,
        )
    with pytest.raises(ValueError, match="expected"):
        kernels.WindowLayers(
            8, 3, [(np.zeros((1, 4, 8, 3, 1), dtype="f"), *[np.zeros(3, dtype="f")] * 3)]
        )


@needs_loops
def test_indices_out_of_range_are_refused():
    layers = kernels.WindowLayers(4, 3, [])
    vectors, output = np.zeros((2, 4), dtype="f"), np.zeros((1, 4), dtype="f")
    for words, tokens in (([2], [0]), ([-1], [0]), ([0], [1]), ([0], [-2])):
        with pytest.raises(ValueError, match="out of range"):
            layers.encode(
                np.array(words), np.array(tokens), vectors, None, None, [output], np.zeros(1, "l")
            )
    weight, bias = np.zeros(4 * kernels.lanes(), dtype="f"), np.zeros(kernels.lanes(), dtype="f")
    parts = [np.zeros((n, 4), dtype="f") for n in (5, 6, 1)]  # distances up to 2, tokens, predicate
    for at, start, length in ((1, 0, 5), (3, 0, 4), (5, 4, 3), (0, -1, 2)):
        scores = np.zeros((length, kernels.lanes()), dtype="f")
        where = [np.array(values) for values in ([at], [start], [0, length])]
        with pytest.raises(ValueError, match="out of range"):
            kernels.score_pairs(*parts, weight, bias, 2, *where, scores, np.zeros(1, "l"))


@needs_loops
def test_layers_packed_for_other_instructions_are_refused():
    before = kernels.instruction_set()
    width, lanes = 6, kernels.lanes()
    groups = -(-width // lanes)
    packed = [(groups, 4, width, 3, lanes), (groups, 3, lanes), (width,), (width,)]
    layers = kernels.WindowLayers(width, 3, [[np.zeros(shape, dtype="f") for shape in packed]])
    rows, vectors = np.zeros(4, dtype=np.int64), np.zeros((1, width), dtype="f")
    arrays = rows, np.array([-1, 0, 1, -1]), vectors, None, None, [None, np.ones((2, width), "f")]
    layers.encode(*arrays, np.zeros(1, "l"))
    try:
        for name in {"plain", "avx2", "avx512"} - {before}:
            try:
                kernels.use_instructions(name)
            except ValueError:
                continue
            with pytest.raises(ValueError, match=f"packed by {lanes} floats"):
                layers.encode(*arrays, np.zeros(1, "l"))
    finally:
        kernels.use_instructions(before)


@needs_loops
def test_numbers_that_are_not_aligned_in_memory_are_refused():
    terms = np.zeros((4, 1, 6), dtype="f")
    rows = np.zeros(4 * 4 * 6 + 1, dtype=np.uint8)[1:].view("f").reshape(4, 6)
    with pytest.raises(ValueError, match="not aligned"):
        kernels.write_terms(rows, terms)


@needs_loops
def test_unknown_instructions_are_refused():
    before = kernels.instruction_set()
    with pytest.raises(ValueError, match="'abacus'"):
        kernels.use_instructions("abacus")
    assert kernels.instruction_set() == before


@needs_loops
@pytest.mark.parametrize("n_threads", [1, 3])
def test_results_go_where_they_are_wanted(n_threads):
    layer = PackedLinear(6, 5)
    rows, table = torch.randn(400, 6), torch.zeros(1000, 5)
    places = torch.randperm(1000)[:400]
    set_num_threads(n_threads)
    try:
        with torch.inference_mode():
            packed = layer.pack(kernels)
            found = apply_layers(kernels, rows, packed, 5, into=(table, places))
    finally:
        set_num_threads(None)
    assert found is table
    with torch.inference_mode():
        expected = torch.zeros(1000, 5).index_copy(0, places, F.linear(rows, *layer.parameters()))
    torch.testing.assert_close(table, expected, atol=1e-5, rtol=1e-5)


@needs_loops
def test_layers_that_do_not_fit_are_refused():
    layer, rows = PackedLinear(6, 5), torch.zeros(4, 6)
    packed = layer.pack(kernels)
    wrong = torch.full((2, 4, 4), 3)
    tables = [torch.zeros(4, 3), torch.zeros(3, 3)]
    with torch.inference_mode():
        for how in (
            {"inputs": rows[:, :5]},
            {"n_out": 6 * kernels.lanes()},
            {"added": torch.zeros(3, 5)},
            {"hidden": packed, "n_hidden": 7},
            {"maxout": (2, torch.zeros(4), torch.zeros(5))},
            {"maxout": (kernels.lanes(), torch.zeros(5), torch.zeros(5))},
            {"into": (torch.zeros(9, 5), torch.tensor([0, 1, 2, 9]))},
            {"into": (torch.zeros(9, 5), torch.tensor([0, 1, 2]))},
            {"inputs": SummedRows(tables, wrong)},
            {"inputs": SummedRows(tables[:1], wrong)},
        ):
            with pytest.raises((ValueError, IndexError)):
                apply_layers(kernels, **{"inputs": rows, "output": packed, "n_out": 5, **how})
