"""Random calls of the compiled kernels: with any numbers, odd sizes, and arrays that don't fit.

python tests/native_fuzz.py EXTENSION N_CALLS SEED

EXTENSION is the file of the compiled kernels. Valid calls must succeed, those with indices out of
range must be refused, and any others must be refused or succeed: what else they do to the memory
is for a sanitizer to see. Only numpy is imported.
"""

import importlib.util
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SETS = ("plain", "avx2", "avx512")
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, 1e-38, 3.4e38, -3.4e38, 1e30, -1e30, 88.8]
LARGEST, SMALLEST = np.iinfo(np.int64).max, np.iinfo(np.int64).min
REFUSED = (ValueError, TypeError, OverflowError, IndexError, AttributeError)

Rng = np.random.Generator


@dataclass
class Call:
    """A call that is valid as it is, or one that is not.

    function (Callable): What to call.
    arguments (Dict[str, Any]): By name; what `function` takes, in order.
    ranges (Dict[str, Tuple[int, int]]): By argument that is an array of indices, the lowest and the
        highest that an index in it can be.
    wrong (Dict[str, List[Any]]): By argument, values that must be refused.
    check (Callable): Called after the call.
    is_valid (bool): Whether the call must succeed; else it must be refused.
    """

    function: Callable[..., Any]
    arguments: dict[str, Any]
    ranges: dict[str, tuple[int, int]] = field(default_factory=dict)
    wrong: dict[str, list[Any]] = field(default_factory=dict)
    check: Callable[[], None] = lambda: None
    is_valid: bool = True

    def run(self, **changed: Any) -> None:
        self.function(*{**self.arguments, **changed}.values())


def floats(rng: Rng, *shape: int) -> np.ndarray:
    """Numbers of one of several kinds."""
    kind = rng.integers(5)
    if kind == 0:
        return np.full(shape, rng.choice(SPECIAL), dtype="f")
    values = rng.normal(size=shape).astype("f")
    if kind < 3:
        chosen = rng.random(shape) < rng.choice([0.01, 0.3])
        values[chosen] = rng.choice(np.array(SPECIAL, dtype="f"), size=int(chosen.sum()))
    return values


def integers(rng: Rng, low: int, high: int, *shape: int) -> np.ndarray:
    return rng.integers(low, high + 1, size=shape, dtype=np.int64)


def counter() -> np.ndarray:
    return np.zeros(1, dtype=np.int64)


def encode(rng: Rng, kernels: Any) -> Call:
    lanes, width, pieces = kernels.lanes(), int(rng.integers(1, 40)), int(rng.integers(2, 4))
    depth, n_words = int(rng.integers(4)), int(rng.integers(1, 9))
    n_rows = int(rng.choice([0, 1, 2, 7, 30, 255, 256, 300]))
    groups = -(-width // lanes)
    layers = kernels.WindowLayers(
        width,
        pieces,
        [
            (
                floats(rng, groups, 4, width, pieces, lanes),
                floats(rng, groups, pieces, lanes),
                floats(rng, width),
                floats(rng, width),
            )
            for _ in range(depth)
        ],
    )
    n_tokens = int(rng.integers(0, n_rows + 1))
    outputs = [
        np.zeros((n_tokens, width), dtype="f") if rng.random() < 0.7 else None
        for _ in range(depth + 1)
    ]
    outputs[-1] = np.zeros((n_tokens, width), dtype="f")
    has_products = rng.random() < 0.5
    first = floats(rng, pieces * width), floats(rng, width), floats(rng, width)
    return Call(
        layers.encode,
        {
            "word_of_row": integers(rng, 0, n_words - 1, n_rows),
            "token_of_row": integers(rng, -1, n_tokens - 1, n_rows),
            "vectors": floats(rng, n_words, width),
            "products": floats(rng, n_words, 3 * pieces * width) if has_products else None,
            "first_layer": first if has_products else None,
            "outputs": outputs,
            "next_chunk": counter(),
        },
        {"word_of_row": (0, n_words - 1), "token_of_row": (-1, n_tokens - 1)},
    )


def window_layers(rng: Rng, kernels: Any) -> Call:
    lanes, width = kernels.lanes(), int(rng.integers(1, 40))
    shapes = [(-(-width // lanes), 4, width, 2, lanes), (-(-width // lanes), 2, lanes)]
    arrays = [floats(rng, *shape) for shape in [*shapes, (width,), (width,)]]
    return Call(
        kernels.WindowLayers,
        {"width": width, "pieces": 2, "layers": [tuple(arrays)]},
        wrong={"width": [0, -1, LARGEST, SMALLEST], "pieces": [0, 1, 4, -2, LARGEST, SMALLEST]},
    )


def trained_width(rng: Rng, lanes: int) -> int:
    """A multiple of the lanes, but for some."""
    return int(rng.choice([0, lanes - 1, lanes + 2, lanes, lanes, 2 * lanes, 3 * lanes]))


def pack_pairs(rng: Rng, kernels: Any) -> Call:
    lanes, pieces = kernels.lanes(), int(rng.integers(1, 4))
    width = trained_width(rng, lanes)
    hidden = pieces * width
    return Call(
        kernels.pack_pairs,
        {
            "weight": floats(rng, hidden, 3 * width),
            "filters": np.zeros((4, hidden, width), dtype="f"),
            "packed": np.zeros((width // lanes, 4, width, pieces, lanes), dtype="f"),
        },
        is_valid=bool(width) and not width % lanes,
    )


def train_layer(rng: Rng, kernels: Any) -> Call:
    lanes, pieces, n_pairs = (
        kernels.lanes(),
        int(rng.integers(1, 5)),
        int(rng.choice([0, 1, 5, 70])),
    )
    width = trained_width(rng, lanes)
    shape = (2 * n_pairs, width)
    return Call(
        kernels.train_layer,
        {
            "filters": floats(rng, width // lanes, 4, width, pieces, lanes),
            "bias": floats(rng, width // lanes, pieces, lanes),
            "norm_weight": floats(rng, width),
            "norm_bias": floats(rng, width),
            "rows": floats(rng, 2 * n_pairs + 2, width),
            "mask": floats(rng, *shape) if rng.random() < 0.5 else None,
            "piece": np.zeros(shape, dtype=np.uint8),
            "normalized": np.zeros(shape, dtype="f"),
            "scale": np.zeros(2 * n_pairs, dtype="f"),
            "outputs": np.zeros(shape, dtype="f"),
            "next_chunk": counter(),
        },
        is_valid=not n_pairs or (bool(width) and not width % lanes and pieces in (2, 3)),
    )


def layer_backward(rng: Rng, kernels: Any) -> Call:
    lanes, pieces, n_pairs = (
        kernels.lanes(),
        int(rng.integers(0, 4)),
        int(rng.choice([0, 1, 5, 70])),
    )
    width = trained_width(rng, lanes)
    shape = (2 * n_pairs, width)
    return Call(
        kernels.layer_backward,
        {
            "norm_weight": floats(rng, width),
            "d_outputs": floats(rng, *shape),
            "mask": floats(rng, *shape) if rng.random() < 0.5 else None,
            "piece": rng.integers(0, 256, size=shape, dtype=np.uint8),
            "normalized": floats(rng, *shape),
            "scale": floats(rng, 2 * n_pairs),
            "d_hidden": np.zeros((4, n_pairs, pieces * width), dtype="f"),
            "sums": np.zeros((-(-n_pairs // kernels.PAIRS), (2 + pieces) * width), dtype="f"),
            "next_chunk": counter(),
        },
        is_valid=not n_pairs or (bool(width) and not width % lanes and pieces > 0),
    )


def write_terms(rng: Rng, kernels: Any) -> Call:
    n_pairs, width = int(rng.integers(0, 9)), int(rng.integers(0, 40))
    arguments = {
        "rows": floats(rng, 2 * n_pairs + 2, width),
        "terms": floats(rng, 4, n_pairs, width),
    }
    return Call(kernels.write_terms, arguments)


def gather_terms(rng: Rng, kernels: Any) -> Call:
    n_pairs, width = int(rng.integers(0, 9)), int(rng.integers(0, 40))
    arguments = {
        "d_terms": floats(rng, 4, n_pairs, width),
        "d_own": floats(rng, 2 * n_pairs, width),
        "d_rows": floats(rng, 2 * n_pairs + 2, width),
    }
    return Call(kernels.gather_terms, arguments)


def packed_layer(
    rng: Rng, kernels: Any, n_in: int, n_columns: int
) -> tuple[np.ndarray, np.ndarray]:
    padded = -(-n_columns // kernels.lanes()) * kernels.lanes()
    return floats(rng, n_in * padded), floats(rng, padded)


def apply_layers(rng: Rng, kernels: Any) -> Call:
    n_rows, n_out = int(rng.choice([0, 1, 2, 5, 13, 384, 400])), int(rng.integers(1, 80))
    n_in, n_hidden = int(rng.integers(1, 40)), int(rng.integers(1, 40))
    pieces = int(rng.integers(1, 4)) if rng.random() < 0.3 else None
    inputs: Any = floats(rng, n_rows, n_in)
    n_places = int(rng.integers(1, 6))
    if rng.random() < 0.3:
        n_tables = int(rng.integers(1, 4))
        tables = [floats(rng, n_places, n_in) for _ in range(n_tables)]
        inputs = tables, integers(rng, 0, n_places - 1, n_tables, n_rows, 4)
        n_in *= n_tables
    hidden = packed_layer(rng, kernels, n_in, n_hidden) if rng.random() < 0.5 else None
    n_last, width = (n_in, n_out) if hidden is None else (n_hidden, n_hidden)
    added = floats(rng, n_rows, width) if pieces is None and rng.random() < 0.5 else None
    n_outputs, into = n_rows, None
    if rng.random() < 0.4:
        n_outputs = n_rows + 3
        into = rng.permutation(n_outputs)[:n_rows].astype(np.int64)
    norm = floats(rng, n_out), floats(rng, n_out)
    wrong: dict[str, list[Any]] = {}
    if n_rows:
        wrong["maxout"] = [(number, *norm) for number in (0, -1, 99, 2**62, LARGEST, SMALLEST)]
        if hidden is not None:
            wrong["n_hidden"] = [0, -1, 2**40, LARGEST, SMALLEST]
        if isinstance(inputs, tuple):
            places = [changed for changed in out_of_range(rng, inputs[1], 0, n_places - 1)]
            wrong["inputs"] = [(inputs[0], changed) for changed in places]
    return Call(
        kernels.apply_layers,
        {
            "inputs": inputs,
            "hidden": hidden,
            "output": packed_layer(rng, kernels, n_last, n_out * (pieces or 1)),
            "n_hidden": n_hidden,
            "added": added,
            "maxout": None if pieces is None else (pieces, *norm),
            "outputs": np.zeros((n_outputs, n_out), dtype="f"),
            "output_rows": into,
            "next_chunk": counter(),
        },
        {} if into is None else {"output_rows": (0, n_outputs - 1)},
        wrong,
    )


def score_pairs(rng: Rng, kernels: Any) -> Call:
    farthest, width, n_tokens = (int(rng.integers(0, 6)), *map(int, rng.integers(1, 30, size=2)))
    n_predicates, n_labels = int(rng.choice([0, 1, 3, 20])), int(rng.integers(1, 70))
    at = np.sort(integers(rng, 0, n_tokens - 1, n_predicates))
    starts = np.maximum(at - integers(rng, 0, farthest, n_predicates), 0)
    ends = np.minimum(at + integers(rng, 0, farthest + 1, n_predicates), n_tokens)
    lengths = np.maximum(ends - starts, 0)
    weight, bias = packed_layer(rng, kernels, width, n_labels)
    first_pair = np.append(0, lengths.cumsum())
    n_pairs = int(first_pair[-1])
    shifted = [first_pair + 1, first_pair - 1, np.append(first_pair[:-1], n_pairs + 1)]
    return Call(
        kernels.score_pairs,
        {
            "of_distance": floats(rng, 2 * farthest + 1, width),
            "of_token": floats(rng, n_tokens, width),
            "of_predicate": floats(rng, n_predicates, width),
            "weight": weight,
            "bias": bias,
            "max_distance": farthest,
            "predicates": at,
            "starts": starts,
            "first_pair": first_pair,
            "scores": np.zeros((n_pairs, len(bias)), dtype="f"),
            "next_chunk": counter(),
        },
        {"predicates": (0, n_tokens - 1), "starts": (0, n_tokens), "first_pair": (0, n_pairs)},
        {"max_distance": [-1, farthest + 1, 2**62, LARGEST, SMALLEST], "first_pair": shifted},
    )


def read_sequences(rng: Rng, kernels: Any) -> Call:
    n_in, n_hidden = (int(number) for number in rng.integers(1, 30, size=2))
    n, n_tokens = int(rng.choice([0, 1, 2, 7, 20])), int(rng.integers(1, 30))
    lanes = kernels.lanes()
    groups = -(-n_hidden // lanes)
    lengths = -np.sort(-integers(rng, 1, n_tokens, n))
    starts = (rng.random(n) * (n_tokens - lengths + 1)).astype(np.int64)
    anywhere = [integers(rng, -3, n_tokens + 3, n) for _ in range(2)]
    return Call(
        kernels.read_sequences,
        {
            "weights": floats(rng, 2, groups, n_in + groups * lanes, 4, lanes),
            "biases": floats(rng, 2, groups, 4, lanes),
            "inputs": floats(rng, n_tokens, n_in),
            "starts": starts,
            "lengths": lengths,
            "kept_from": anywhere[0],
            "kept_to": anywhere[1],
            "outputs": np.zeros((n_tokens, 2 * n_hidden), dtype="f"),
            "next_chunk": counter(),
        },
        {"starts": (0, n_tokens - 1), "lengths": (1, n_tokens)},
        {"lengths": [lengths + np.arange(n) * n_tokens]} if n > 1 else {},
    )


def decode_tags(rng: Rng, kernels: Any) -> Call:
    n_labels, n = int(rng.integers(0, 40)), int(rng.integers(0, 7))
    lengths = integers(rng, 0, 30, n)
    n_tokens = int(lengths.sum())
    scores = floats(rng, n_tokens, 1 + 2 * n_labels)
    if rng.random() < 0.5:
        scores = np.where(np.isnan(scores) | (scores > 9), 0, np.maximum(scores, -9))
    first_inside = 1 + n_labels
    none, begin, inside = scores[:, 0], scores[:, 1:first_inside], scores[:, first_inside:]
    begin_offset, inside_offset = (
        floats(rng, n_tokens) if rng.random() < 0.5 else None for _ in range(2)
    )
    needs = integers(rng, -1, n_labels - 1, n_labels)
    rules = None
    if rng.random() < 0.7:
        flags = (rng.integers(0, 2, size=n_labels, dtype=np.uint8) for _ in range(2))
        rules = (next(flags), needs, next(flags), int(rng.choice([-1, 0, 3, 50])), 4)
    is_allowed = rng.integers(0, 2, size=(n, n_labels), dtype=np.uint8)
    tags = np.full(n_tokens, 99, dtype=np.int64)
    wrong: dict[str, list[Any]] = {
        "lengths": [
            np.append(lengths, 1),
            np.append(lengths, -1),
            np.array([LARGEST, LARGEST, 2 + n_tokens]),  # adds up, with what a long long can hold
            np.array([SMALLEST, SMALLEST, n_tokens]),
        ]
    }
    if rules is not None and n_tokens and n_labels:
        changed = out_of_range(rng, needs, -1, n_labels - 1)
        wrong["constraints"] = [(rules[0], other, *rules[2:]) for other in changed]

    def check() -> None:
        added = (
            np.zeros(n_tokens) if one is None else one for one in (begin_offset, inside_offset)
        )
        with np.errstate(all="ignore"):
            sums = [none[:, None], begin + next(added)[:, None], inside + next(added)[:, None]]
        can_compare = np.isfinite(none) & (np.concatenate(sums, axis=1) < np.inf).all(axis=1)
        for own, good in zip(
            np.split(tags, lengths.cumsum()[:-1]),
            np.split(can_compare, lengths.cumsum()[:-1]),
            strict=True,
        ):
            assert good.all() or not own.any(), "tags by scores that can't be compared"
            before = 0
            for tag in own.tolist():
                assert 0 <= tag <= 2 * n_labels, f"a tag {tag} of {n_labels} labels"
                assert tag <= n_labels or before in (tag, tag - n_labels), "tags are not valid"
                before = tag

    return Call(
        kernels.decode_tags,
        {
            "none": none,
            "begin": begin,
            "inside": inside,
            "begin_offset": begin_offset,
            "inside_offset": inside_offset,
            "lengths": lengths,
            "constraints": rules,
            "allowed": is_allowed if rules is not None and rng.random() < 0.5 else None,
            "tags": tags,
            "next_chunk": counter(),
        },
        {"lengths": (0, n_tokens)},
        wrong,
        check if n else (lambda: None),
    )


CASES = [
    encode,
    window_layers,
    pack_pairs,
    train_layer,
    layer_backward,
    write_terms,
    gather_terms,
    apply_layers,
    score_pairs,
    read_sequences,
    decode_tags,
]


def out_of_range(rng: Rng, indices: np.ndarray, low: int, high: int) -> list[np.ndarray]:
    """Copies of indices, in each of which one is out of range."""
    if not indices.size:
        return []
    copies = []
    for index in (low - 1, high + 1, 2**40, LARGEST, SMALLEST):
        copy = indices.copy()
        copy.flat[rng.integers(copy.size)] = index
        copies.append(copy)
    return copies


def misfit(rng: Rng, value: Any) -> Any:
    """A value that does not fit the others, or hardly."""
    if isinstance(value, tuple | list):
        if not value:
            return value
        changed = list(value)
        place = int(rng.integers(len(changed)))
        changed[place] = misfit(rng, changed[place])
        return type(value)(changed[: len(changed) - int(rng.integers(2))])
    if isinstance(value, int):
        return int(rng.choice([0, -1, value + 1, 2**40, LARGEST, SMALLEST]))
    if value is None:
        return floats(rng, *rng.integers(0, 5, size=int(rng.integers(1, 4))))
    if not isinstance(value, np.ndarray) or not value.ndim:
        return None
    kind, axis = int(rng.integers(8)), int(rng.integers(value.ndim))
    if kind == 0:
        return np.ascontiguousarray(np.delete(value, slice(-1, None), axis))
    if kind == 1:
        return np.concatenate([value, value.take([0] if value.shape[axis] else [], axis)], axis)
    if kind == 2:
        return np.ascontiguousarray(value.take([], axis))
    if kind == 3:
        return np.repeat(value, 2, axis)[(slice(None),) * axis + (slice(None, None, 2),)]
    if kind == 4:
        with np.errstate(all="ignore"):
            return value.astype(rng.choice(["f8", "i4", "f2", "c8", "u1", "i8"]))
    if kind == 5:
        memory = np.zeros(value.nbytes + 1, dtype=np.uint8)
        return memory[1:].view(value.dtype).reshape(value.shape)
    if kind == 6:
        return value[None] if rng.random() < 0.5 else value.reshape(-1)[:0]
    return None


def fuzz(kernels: Any, n_calls: int, seed: int) -> dict[str, int]:
    """Call all kernels with all instruction sets of this processor.

    kernels (ModuleType): The compiled kernels.
    n_calls (int): The number of calls, at least.
    seed (int): The seed of everything random.
    RETURNS (Dict[str, int]): How many calls were made and how many were refused, by kind.
    RAISES (AssertionError): If a call that must be refused was not, or tags are not valid.
    """
    rng = np.random.default_rng(seed)
    counts: Counter[str] = Counter()
    available = [name for name in SETS if is_available(kernels, name)]
    while sum(counts.values()) < n_calls:
        for name in available:
            kernels.use_instructions(name)
            for make in CASES:
                call = make(rng, kernels)
                if not call.is_valid:
                    refuse(call, {})
                    counts["wrong, refused"] += 1
                    continue
                call.run()
                call.check()
                counts["valid"] += 1
                counts["wrong, refused"] += run_wrong(rng, call)
                argument = str(rng.choice(list(call.arguments)))
                try:
                    call.run(**{**fresh(call), argument: misfit(rng, call.arguments[argument])})
                    counts["misfit, accepted"] += 1
                except REFUSED:
                    counts["misfit, refused"] += 1
    counts["instruction sets"] = len(available)
    return dict(counts)


def run_wrong(rng: Rng, call: Call) -> int:
    """Make a few calls that must be refused. RETURNS (int): Their number."""
    wrong = [(name, value) for name, values in call.wrong.items() for value in values]
    for name, (low, high) in call.ranges.items():
        wrong += [(name, bad) for bad in out_of_range(rng, call.arguments[name], low, high)]
    if "next_chunk" in call.arguments:
        bad_counts = [np.array(bad, dtype=np.int64) for bad in ([], [-1], [SMALLEST], [0, 0])]
        wrong += [("next_chunk", bad) for bad in bad_counts]
    chosen = rng.permutation(len(wrong))[:4].tolist()
    for number in chosen:
        name, value = wrong[number]
        refuse(call, {name: value})
    return len(chosen)


def refuse(call: Call, changed: dict[str, Any]) -> None:
    """RAISES (AssertionError): If a call succeeds."""
    try:
        call.run(**{**fresh(call), **changed})
    except ValueError:
        return
    raise AssertionError(f"{call.function.__name__} was not refused: {changed!r:.300}")


def fresh(call: Call) -> dict[str, Any]:
    """Nothing is taken yet."""
    return {"next_chunk": counter()} if "next_chunk" in call.arguments else {}


def is_available(kernels: Any, name: str) -> bool:
    try:
        kernels.use_instructions(name)
    except ValueError:
        return False
    return True


def load(path: Path) -> Any:
    """Import compiled kernels from a file."""
    spec = importlib.util.spec_from_file_location("_kernels", path)
    assert spec is not None and spec.loader is not None
    kernels = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kernels)
    return kernels


if __name__ == "__main__":
    print(fuzz(load(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])))
