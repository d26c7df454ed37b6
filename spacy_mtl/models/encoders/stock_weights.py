"""Copy the weights of a trained stock encoder."""

from typing import Any, cast

import torch
from spacy.tokens import Doc
from thinc.api import Model, to_numpy
from thinc.types import Floats2d
from torch import nn

from ..layers.features import attribute_ids
from .cnn import WindowEncoder
from .doc_encoder import torch_module
from .embed import NormalizedMaxout


@torch.no_grad()
def load_stock_weights(
    model: Model[list[Doc], list[Floats2d]], stock_model: Model[list[Doc], list[Floats2d]]
) -> None:
    """Fill an encoder with the weights of spaCy's own, so that it computes the same.

    model (Model[List[Doc], List[Floats2d]]): A `spacy_mtl.HashEmbedCNN.v1`.
    stock_model (Model[List[Doc], List[Floats2d]]): An initialized `spacy.HashEmbedCNN.v2`, or
        `spacy.Tok2Vec.v2` of `spacy.MultiHashEmbed.v2` and `spacy.MaxoutWindowEncoder.v2`, with
        the same settings.
    RAISES (ValueError): If the stock encoder has other parts or other settings.
    """
    module = torch_module(model)
    if not isinstance(module.encode, WindowEncoder):
        raise ValueError(f"{model.name} cannot hold stock weights: use spacy_mtl.HashEmbedCNN.v1.")
    columns = [node.attrs["columns"] for node in _nodes(stock_model, "extract_features")]
    _check("attrs", [model.attrs["attrs"]], [attribute_ids(names) for names in columns])
    windows = [node.attrs["window_size"] for node in _nodes(stock_model, "expand_window")]
    _check("window_size", [module.encode.window_size] * len(module.encode.layers), windows)
    tables = _nodes(stock_model, "hashembed")
    _check("number of tables", len(module.embed.tables), len(tables))
    for parameter, table in zip(module.embed.tables, tables, strict=True):
        _fill("rows, width", parameter, table.get_param("E"))
    projections = _nodes(stock_model, "static_vectors")
    _check("static vectors", module.embed.projection is not None, bool(projections))
    if module.embed.projection is not None:
        projection = torch.as_tensor(to_numpy(projections[0].get_param("W")))
        module.embed.projection.data = projection.clone().to(module.embed.projection.device)
    layers: list[Any] = [module.embed.mix, *module.encode.layers]
    maxouts, norms = _nodes(stock_model, "maxout"), _nodes(stock_model, "layernorm")
    _check("number of maxout layers", len(layers), len(maxouts))
    for layer, maxout, norm in zip(layers, maxouts, norms, strict=True):
        _fill_layer(layer, maxout, norm)


def _fill_layer(layer: NormalizedMaxout, maxout: Model[Any, Any], norm: Model[Any, Any]) -> None:
    # thinc: [width, pieces, n_in]; here: [pieces, width, n_in]
    weight, bias = cast(Any, maxout.get_param("W")), cast(Any, maxout.get_param("b"))
    _fill("width, maxout_pieces", layer.weight, weight.swapaxes(0, 1))
    _fill("width, maxout_pieces", layer.bias, bias.T)
    _fill("width", layer.norm_weight, norm.get_param("G"))
    _fill("width", layer.norm_bias, norm.get_param("b"))


def _fill(setting: str, parameter: nn.Parameter, values: Any) -> None:
    _check(f"{setting}: shape of the weights", tuple(parameter.shape), tuple(values.shape))
    parameter.copy_(torch.as_tensor(to_numpy(values).copy()))


def _nodes(model: Model[Any, Any], name: str) -> list[Model[Any, Any]]:
    """All nodes of a name, in the order in which they are applied."""
    return [node for node in model.walk(order="dfs_pre") if node.name == name]


def _check(setting: str, ours: object, theirs: object) -> None:
    if ours != theirs:
        raise ValueError(
            f"Cannot load stock weights: {setting} is {ours} here and {theirs} in the stock "
            "encoder. Build both with the same settings."
        )
