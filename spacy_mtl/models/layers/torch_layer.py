"""Torch modules as thinc layers."""

import contextlib
import copy
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import srsly
import torch
from thinc.api import ArgsKwargs, Model, Optimizer, PyTorchShim
from thinc.layers import pytorchwrapper
from thinc.shims.shim import Shim
from thinc.util import get_torch_default_device, xp2torch

from ...native.threads import set_num_threads
from . import adam
from .parameter_cache import invalidate_caches


def _leave_threads_of_parent() -> None:
    """Let a forked process, such as those of `nlp.pipe(n_process=2)`, compute on its own thread
    only. The threads that torch started before the fork don't exist in it: it would wait for them
    forever. torch's own data loader does the same in its workers."""
    torch.set_num_threads(1)
    set_num_threads(None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_threads_of_parent)
if multiprocessing.parent_process() is not None and "OMP_NUM_THREADS" not in os.environ:
    torch.set_num_threads(1)  # a spawned process imports this module anew


class TorchShim(PyTorchShim):
    """thinc's shim for torch modules, with late building, averages and copies that work, and
    without pickles.

    The stock shim looks averaged parameters up under `"pytorch_ID_NAME"`, but the optimizer stores
    them under `(ID, NAME)`: a torch layer is evaluated and saved without its averages. And its
    copy keeps the id, so that a copied layer would share the optimizer's moments with the
    original. And it needs the module's final shape before it can load. And it saves parameters as
    a pickle, which can run any code when it is loaded.
    """

    def __init__(self, build: Callable[..., torch.nn.Module]) -> None:
        """Create a shim without a module.

        build (Callable[..., torch.nn.Module]): Makes the module from the settings given to
            `build_module`.
        """
        super().__init__(None)
        self._build = build

    def build_module(self, **settings: Any) -> None:
        """Make the module.

        **settings (Any): JSON-able arguments of `build`; saved with the module.
        """
        self.cfg = settings
        self._model = self._build(**settings).to(get_torch_default_device())

    @property
    def device(self) -> torch.device:
        """RETURNS (torch.device): Where the module is, or would be built."""
        if self._model is not None:
            for module in self._model.modules():  # many times quicker than `parameters()`
                for parameter in module._parameters.values():
                    if parameter is not None:
                        return parameter.device
        return get_torch_default_device()

    def to_bytes(self) -> bytes:
        """RETURNS (bytes): Settings and parameters, or that there is no module yet."""
        if self._model is None:
            return srsly.msgpack_dumps({"config": None, "state": None})
        state = {name: _to_array(values) for name, values in self._model.state_dict().items()}
        return srsly.msgpack_dumps({"config": self.cfg, "state": state})

    def from_bytes(self, bytes_data: bytes) -> "TorchShim":
        """Load settings and parameters, building the module that they describe.

        bytes_data (bytes): What `to_bytes` gave: plain values and arrays. A pickle, such as
            `torch.save` and thinc's own shim write, is never read.
        RETURNS (TorchShim): The shim itself.
        RAISES (ValueError): If the parameters are anything but arrays, or not those of the module.
        """
        message = srsly.msgpack_loads(bytes_data)
        settings, arrays = message["config"], message["state"]
        if arrays is None:
            self.cfg, self._model = {}, None
            return self
        if not isinstance(arrays, dict) or not all(map(_is_array, arrays.values())):
            raise ValueError(
                "the parameters of a torch module are not stored as arrays. They may be a pickle, "
                "which can run any code when it is read, so they are not"
            )
        if self._model is None or self.cfg != settings:
            self.build_module(**settings)
        module = self._require_module()
        module.load_state_dict({name: _to_tensor(array) for name, array in arrays.items()})
        module.to(get_torch_default_device())
        return self

    def to_device(self, device_type: str, device_id: int) -> None:
        """Move the module.

        device_type (str): "cpu" or "gpu".
        device_id (int): The number of the GPU.
        """
        if self._model is not None:
            super().to_device(device_type, device_id)

    def finish_update(self, optimizer: Optimizer) -> None:
        """Update the parameters that have a gradient.

        optimizer (Optimizer): The optimizer.
        """
        if self._model is None:
            return
        named = list(self._model.named_parameters())
        if all(adam.can_step(optimizer, weights) for _, weights in named):
            keys, due, gradients = [], [], []
            for name, weights in named:
                gradient, key = weights.grad, (self.id, name)
                if gradient is None and optimizer.nr_update.get(key):  # moves on by its momentum
                    gradient = torch.zeros_like(weights)
                if gradient is not None:
                    keys.append(key)
                    due.append(weights.data)
                    gradients.append(gradient)
                weights.grad = None  # the next gradient takes its place, without an addition
            adam.step(optimizer, keys, due, gradients)
        else:
            super().finish_update(optimizer)
        invalidate_caches(self._model)

    @contextlib.contextmanager
    def use_params(self, params: dict[Any, Any]) -> Iterator[None]:
        """Run a block with other parameter values, then put the own ones back.

        params (Dict[Tuple[int, str], FloatsXd]): Values by (shim id, parameter name), as in
            `Optimizer.averages`.
        """
        backup = {}
        parameters = dict(self._model.named_parameters()) if self._model is not None else {}
        for name, parameter in parameters.items():
            key = (self.id, name)
            if key in params:
                backup[name] = parameter.data
                parameter.data = xp2torch(params[key], device=parameter.device)
        if backup:
            invalidate_caches(self._model)
        try:
            yield
        finally:
            for name, data in backup.items():
                parameters[name].data = data
            if backup:
                invalidate_caches(self._model)

    def copy(self) -> "TorchShim":
        """RETURNS (TorchShim): An independent copy, for the optimizer a layer of its own."""
        copied = copy.deepcopy(self)
        with Shim.global_id_lock:
            Shim.global_id += 1
            copied.id = Shim.global_id
        return copied

    def predict(self, inputs: Any) -> Any:
        """Run the module in evaluation mode without recording gradients.

        The module stays in evaluation mode, so that threads which predict at once don't disturb
        each other. `begin_update` sets it to training mode.

        inputs (ArgsKwargs): The module's arguments.
        RETURNS (Any): What the module returns.
        RAISES (ValueError): If there is no module yet.
        """
        module = self._require_module()
        if module.training:
            module.eval()
        with torch.inference_mode():
            return module(*inputs.args, **inputs.kwargs)

    def begin_update(self, inputs: Any) -> tuple[Any, Callable[[Any], Any]]:
        """Run the module in training mode.

        inputs (ArgsKwargs): The module's arguments.
        RETURNS (Tuple[Any, Callable]): What the module returns, and the backward pass, which
            gives the gradient of each argument that is a tensor and leaves the others.
        RAISES (ValueError): If there is no module yet.
        """
        module = self._require_module()
        if not module.training:
            module.train()
        output = module(*inputs.args, **inputs.kwargs)

        def backprop(gradients: ArgsKwargs) -> ArgsKwargs:
            (outputs,) = gradients.args
            _backward(_listed(outputs), _listed(gradients.kwargs["grad_tensors"]))
            keywords = {name: _gradient_of(value) for name, value in inputs.kwargs.items()}
            return ArgsKwargs(tuple(map(_gradient_of, inputs.args)), keywords)

        return output, backprop

    def _require_module(self) -> torch.nn.Module:
        if self._model is None:
            raise ValueError(
                "This network has no outputs yet: call nlp.initialize(...) or load a trained "
                "pipeline before predicting or updating."
            )
        return self._model


def _to_array(values: torch.Tensor) -> np.ndarray:
    array = values.detach().cpu().numpy()
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic)


def _to_tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array, dtype=array.dtype.newbyteorder("=")))


def _backward(outputs: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor]) -> None:
    """Run a backward pass. `torch.autograd.backward` with gradients would import sympy, for sizes
    that are symbols: some 40 MB."""
    torch.autograd.backward(_Start.apply(gradients, *outputs))


def _listed(tensors: Any) -> list[torch.Tensor]:
    return [tensors] if isinstance(tensors, torch.Tensor) else list(tensors)


class _Start(torch.autograd.Function):
    """A number whose gradient with respect to some outputs is given."""

    @staticmethod
    def forward(
        ctx: Any, gradients: Sequence[torch.Tensor], *outputs: torch.Tensor
    ) -> torch.Tensor:
        ctx.gradients = gradients
        return outputs[0].new_zeros(())

    @staticmethod
    def backward(ctx: Any, d_start: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        return None, *ctx.gradients


def _gradient_of(argument: Any) -> Any:
    return argument.grad if isinstance(argument, torch.Tensor) else argument


def torch_layer(
    build: Callable[..., torch.nn.Module],
    convert_inputs: Callable[..., Any] | None = None,
    convert_outputs: Callable[..., Any] | None = None,
    *,
    settings: dict[str, Any] | None = None,
    dims: dict[str, int | None] | None = None,
) -> Model[Any, Any]:
    """Wrap a torch module as a thinc layer; see `thinc.api.PyTorchWrapper`.

    build (Callable[..., torch.nn.Module]): Makes the network from its settings. It is pickled with
        the layer: a class, or a `functools.partial` of one. The network returns a tensor or a
        tuple of tensors.
    convert_inputs (Optional[Callable]): `(model, X, is_train) -> (ArgsKwargs, get_dX)`; thinc's
        default conversion where None.
    convert_outputs (Optional[Callable]): `(model, (X, Ytorch), is_train) -> (Y, get_dYtorch)`.
    settings (Optional[Dict[str, Any]]): Where given, the network is built with them at once. Else
        `build_module` does so once they are known, or loading does, from what was saved.
    dims (Optional[Dict[str, Optional[int]]]): Dimensions known to the caller.
    RETURNS (Model): The layer; its one shim holds the module.
    """
    layer: Model[Any, Any] = Model(
        "torch",
        pytorchwrapper.forward,
        attrs={
            "convert_inputs": convert_inputs or pytorchwrapper.convert_pytorch_default_inputs,
            "convert_outputs": convert_outputs or pytorchwrapper.convert_pytorch_default_outputs,
        },
        shims=[TorchShim(build)],
        dims=dims or {"nI": None, "nO": None},
    )
    if settings is not None:
        build_module(layer, **settings)
    return layer


def build_module(layer: Model, **settings: Any) -> None:
    """Build the network of a torch layer.

    layer (Model): A layer made by `torch_layer`.
    **settings (Any): What its `build` takes; JSON-able, saved with the layer.
    """
    layer.shims[0].build_module(**settings)  # type: ignore[attr-defined]


def is_built(layer: Model) -> bool:
    """Tell whether a torch layer has its network.

    layer (Model): A layer made by `torch_layer`.
    RETURNS (bool): Whether it is built.
    """
    return layer.shims[0]._model is not None
