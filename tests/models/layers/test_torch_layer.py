"""What thinc's own wrapper of torch modules gets wrong is shown on it where it matters."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
import spacy
import srsly
import torch
from thinc.api import Adam, Model, PyTorchWrapper, fix_random_seed

from spacy_mtl.models.layers.torch_layer import build_module, is_built, torch_layer

INPUTS = np.arange(6, dtype="f").reshape(2, 3) / 6  # [rows, nI]


class Linear(torch.nn.Module):
    """A linear layer that can be built late."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(n_in, n_out)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.linear(rows)


def make_layer(n_out: int = 2, seed: int = 0) -> Model:
    fix_random_seed(seed)
    return torch_layer(Linear, settings={"n_in": 3, "n_out": n_out})


def make_stock_layer() -> Model:
    fix_random_seed(0)
    return PyTorchWrapper(Linear(3, 2))


def train(layer: Model, optimizer: Adam, steps: int = 1) -> None:
    for _ in range(steps):
        outputs, backprop = layer.begin_update(INPUTS)
        backprop(outputs - 1)
        layer.finish_update(optimizer)


def parameters(layer: Model) -> dict[str, np.ndarray]:
    module = layer.shims[0]._model
    return {name: value.detach().numpy().copy() for name, value in module.named_parameters()}


def same(some: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return some.keys() == other.keys() and all((some[key] == other[key]).all() for key in some)


def test_layer_computes_and_passes_back_what_the_module_does():
    layer = make_layer()
    weights = parameters(layer)
    outputs, backprop = layer.begin_update(INPUTS)
    expected = INPUTS @ weights["linear.weight"].T + weights["linear.bias"]
    np.testing.assert_allclose(outputs, expected, rtol=1e-5)
    np.testing.assert_allclose(layer.predict(INPUTS), expected, rtol=1e-5)
    d_inputs = backprop(np.ones_like(outputs))
    np.testing.assert_allclose(d_inputs, np.ones((2, 2)) @ weights["linear.weight"], rtol=1e-5)
    gradient = layer.shims[0]._model.linear.weight.grad.numpy()
    np.testing.assert_allclose(gradient, np.ones((2, 2)) @ INPUTS, rtol=1e-5)


@pytest.mark.parametrize("make, is_averaged", [(make_layer, True), (make_stock_layer, False)])
def test_averages_of_the_optimizer_are_used_and_put_back(make, is_averaged):
    layer = make()
    optimizer = Adam(0.1, use_averages=True)
    train(layer, optimizer, steps=5)
    own = parameters(layer)
    with layer.use_params(optimizer.averages):
        if is_averaged:
            for name, values in parameters(layer).items():
                expected = optimizer.averages[layer.shims[0].id, name]
                np.testing.assert_array_equal(values, expected)
                assert (values != own[name]).any()
        else:
            assert same(parameters(layer), own)  # thinc's own wrapper leaves them out
    assert same(parameters(layer), own)


def test_own_parameters_are_put_back_after_an_exception():
    layer = make_layer()
    optimizer = Adam(0.1, use_averages=True)
    train(layer, optimizer, steps=5)
    own = parameters(layer)
    with pytest.raises(RuntimeError):
        with layer.use_params(optimizer.averages):
            raise RuntimeError
    assert same(parameters(layer), own)


def test_averages_are_what_is_saved_within_use_params():
    layer = make_layer()
    optimizer = Adam(0.1, use_averages=True)
    train(layer, optimizer, steps=5)
    with layer.use_params(optimizer.averages):
        averaged = parameters(layer)
        saved = layer.to_bytes()
    assert same(parameters(make_layer(seed=1).from_bytes(saved)), averaged)


def test_training_goes_on_after_averages_were_used():
    layer, other = make_layer(), make_layer()
    optimizer, other_optimizer = (Adam(0.1, use_averages=True) for _ in range(2))
    for _ in range(4):
        train(layer, optimizer)
        train(other, other_optimizer)
        with layer.use_params(optimizer.averages):
            layer.predict(INPUTS)
    assert same(parameters(layer), parameters(other))


@pytest.mark.parametrize("make, is_new", [(make_layer, True), (make_stock_layer, False)])
def test_copy_has_an_id_of_its_own(make, is_new):
    layer = make()
    copied = layer.copy()
    assert (copied.shims[0].id != layer.shims[0].id) == is_new
    assert same(parameters(copied), parameters(layer))
    if is_new:
        assert len({make().shims[0].id, copied.shims[0].id, layer.shims[0].id}) == 3


def test_copy_trains_on_its_own():
    layer = make_layer()
    before = parameters(layer)
    copied = layer.copy()
    train(copied, Adam(0.1))
    assert same(parameters(layer), before)
    assert not same(parameters(copied), before)


def test_copy_does_not_share_the_moments_of_the_original():
    layer, alone = make_layer(), make_layer()
    optimizer = Adam(0.1)
    train(layer.copy(), optimizer, steps=3)
    train(layer, optimizer)
    train(alone, Adam(0.1))
    assert same(parameters(layer), parameters(alone))


def test_layer_can_be_built_late():
    layer = torch_layer(Linear)
    assert not is_built(layer)
    build_module(layer, n_in=3, n_out=5)
    assert is_built(layer)
    assert layer.predict(INPUTS).shape == (2, 5)


def test_layer_that_is_not_built_says_so():
    layer = torch_layer(Linear)
    for run in (layer.predict, layer.begin_update):
        with pytest.raises(ValueError, match="nlp.initialize"):
            run(INPUTS)
    layer.finish_update(Adam(0.1))
    with layer.use_params({(layer.shims[0].id, "linear.bias"): np.zeros(2, dtype="f")}):
        pass


@pytest.mark.parametrize("make_target", [lambda: torch_layer(Linear), make_layer])
def test_loading_builds_what_was_saved(make_target):
    layer = make_layer(n_out=4, seed=1)
    loaded = make_target().from_bytes(layer.to_bytes())
    assert loaded.shims[0].cfg == {"n_in": 3, "n_out": 4}
    assert same(parameters(loaded), parameters(layer))
    np.testing.assert_array_equal(loaded.predict(INPUTS), layer.predict(INPUTS))


def test_loading_into_a_layer_of_the_same_shape_keeps_its_module():
    layer = make_layer()
    module = layer.shims[0]._model
    layer.from_bytes(make_layer(seed=1).to_bytes())
    assert layer.shims[0]._model is module


class Odd(torch.nn.Module):
    """Parameters and buffers of many types and shapes."""

    def __init__(self, fill: int) -> None:
        super().__init__()
        self.scalar = torch.nn.Parameter(torch.tensor(float(fill)))
        self.empty = torch.nn.Parameter(torch.zeros(0, 3))
        self.transposed = torch.nn.Parameter(fill * torch.arange(6.0).reshape(2, 3).T)
        self.register_buffer("halves", torch.full((2,), fill / 3, dtype=torch.float16))
        self.register_buffer("counts", torch.tensor([fill, 2**40]))
        self.register_buffer("flags", torch.tensor([True, fill > 1]))


def test_values_of_every_type_and_shape_are_saved():
    saved = torch_layer(Odd, settings={"fill": 2}).to_bytes()
    layer = torch_layer(Odd, settings={"fill": 1}).from_bytes(saved)
    loaded, expected = layer.shims[0]._model.state_dict(), Odd(2).state_dict()
    assert loaded.keys() == expected.keys()
    for name, values in expected.items():
        torch.testing.assert_close(loaded[name], values, rtol=0, atol=0)
    assert layer.to_bytes() == saved


def test_parameters_are_saved_as_arrays_and_nothing_else_is_loaded():
    layer = make_layer()
    message = srsly.msgpack_loads(layer.shims[0].to_bytes())
    assert all(isinstance(values, np.ndarray) for values in message["state"].values())
    for state in (b"", b"pickle", 3, {"linear.weight": b"pickle"}):
        data = srsly.msgpack_dumps({**message, "state": state})
        with pytest.raises(ValueError, match="not stored as arrays"):
            layer.shims[0].from_bytes(data)


@pytest.mark.parametrize("make_target", [lambda: torch_layer(Linear), make_layer])
def test_layer_that_is_not_built_can_be_saved_and_loaded(make_target):
    loaded = make_target().from_bytes(torch_layer(Linear).to_bytes())
    assert not is_built(loaded)
    build_module(loaded, n_in=3, n_out=2)
    assert is_built(loaded)


def test_pipeline_that_is_not_initialized_can_be_saved(tmp_path):
    nlp = spacy.blank("xx")
    nlp.add_pipe("mtl_tok2vec")
    nlp.add_pipe("mtl_ner")
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert loaded.pipe_names == nlp.pipe_names


@pytest.mark.parametrize("make_copy", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@pytest.mark.parametrize("layer", [make_layer(), torch_layer(Linear)], ids=["built", "not built"])
def test_layer_can_be_pickled_and_copied(make_copy, layer):
    if is_built(layer):
        train(layer, Adam(0.1))
    copied = make_copy(layer)
    assert is_built(copied) == is_built(layer)
    if is_built(layer):
        assert same(parameters(copied), parameters(layer))
        before = parameters(layer)
        train(copied, Adam(0.1))
        assert same(parameters(layer), before)
    else:
        build_module(copied, n_in=3, n_out=2)


def test_gradients_of_several_batches_add_up():
    layer, once = make_layer(), make_layer()
    for _ in range(2):
        outputs, backprop = layer.begin_update(INPUTS)
        backprop(np.ones_like(outputs))
    outputs, backprop = once.begin_update(INPUTS)
    backprop(2 * np.ones_like(outputs))
    gradients = [node.shims[0]._model.linear.weight.grad for node in (layer, once)]
    torch.testing.assert_close(*gradients)
    layer.finish_update(Adam(0.1))
    assert layer.shims[0]._model.linear.weight.grad is None


def test_parameters_without_a_new_gradient_move_on_as_with_zeros():
    layer, expected = make_layer(), make_layer()
    optimizers = Adam(0.1), Adam(0.1)
    for one, optimizer in zip((layer, expected), optimizers, strict=True):
        outputs, backprop = one.begin_update(INPUTS)
        backprop(np.ones_like(outputs))
        one.finish_update(optimizer)
    before = parameters(layer)
    outputs, backprop = expected.begin_update(INPUTS)
    backprop(np.zeros_like(outputs))
    for one, optimizer in zip((layer, expected), optimizers, strict=True):
        one.finish_update(optimizer)
    assert same(parameters(layer), parameters(expected))
    assert not same(parameters(layer), before)


def test_parameters_without_a_gradient_stay():
    layer = make_layer()
    before = parameters(layer)
    layer.finish_update(Adam(0.1))
    assert same(parameters(layer), before)


def test_a_backward_pass_imports_nothing_large():
    code = """
import sys
import numpy as np
import torch
from spacy_mtl.models.layers.torch_layer import torch_layer
layer = torch_layer(torch.nn.Linear, settings={"in_features": 3, "out_features": 2})
before = set(sys.modules)
outputs, backprop = layer.begin_update(np.ones((2, 3), dtype="f"))
backprop(outputs)
print(len({name.partition(".")[0] for name in set(sys.modules) - before}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
