"""Replace spaCy's CNN token encoders by this package's."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from spacy.attrs import IDS
from spacy.tokens import Doc
from thinc.api import Model

from ..models.encoders.cnn import build_hash_embed_cnn
from ..models.encoders.embed import MIX_PIECES
from ..models.encoders.stock_weights import load_stock_weights
from ..models.layers.features import attribute_ids

ARCHITECTURE = "spacy_mtl.HashEmbedCNN.v1"
ENCODERS = ("spacy.HashEmbedCNN.", "spacy.Tok2Vec.")
TOLERANCE = 1e-3
_ATTRIBUTE_NAMES = {number: name for name, number in IDS.items()}  # spacy.attrs.NAMES is no inverse
_PARTS = {"extract_features", "list2ragged", "ragged2list", "hashembed", "static_vectors"} | {
    "maxout", "layernorm", "expand_window", "noop", "ints-getitem", "dropout"
}  # fmt: skip


def encoder_blocks(config: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Find the blocks of a model's config that describe a token encoder of spaCy.

    config (Dict[str, Any]): The config, or a block of it.
    path (Tuple[str, ...]): Where it is.
    RETURNS (List[Tuple[str, ...]]): Where the encoders' blocks are.
    """
    if str(config.get("@architectures", "")).startswith(ENCODERS):
        return [path]
    return [
        found
        for key, block in config.items()
        if isinstance(block, dict)
        for found in encoder_blocks(block, (*path, key))
    ]


def encoder_nodes(model: Model[Any, Any]) -> list[Model[Any, Any]]:
    """Find the nodes of a network that are a token encoder of spaCy.

    model (Model): The network.
    RETURNS (List[Model]): The nodes that embed and encode.
    """
    return [node for node in model.walk() if node.has_ref("embed") and node.has_ref("encode")]


def encoder_settings(node: Model[Any, Any]) -> dict[str, Any]:
    """Read the settings of a CNN encoder off its layers.

    node (Model): A `spacy.Tok2Vec` network.
    RETURNS (Dict[str, Any]): Arguments of `spacy_mtl.HashEmbedCNN.v1`.
    RAISES (ValueError): If it has other layers than hash embedding and window encoder have.
    """
    leaves = [part for part in node.walk() if not part.layers]
    unknown = sorted({part.name.split("(")[0] for part in leaves} - _PARTS)
    if unknown:
        raise ValueError(f"custom architecture: it has the layers {', '.join(unknown)}")
    columns = [part.attrs["columns"] for part in leaves if part.name == "extract_features"]
    tables = [part for part in leaves if part.name == "hashembed"]
    windows = [part.attrs["window_size"] for part in leaves if part.name == "expand_window"]
    maxouts = [part for part in leaves if part.name == "maxout"]
    if len(columns) != 1 or not tables or not windows or len(maxouts) != len(windows) + 1:
        raise ValueError("custom architecture: not one hash embedding and one window encoder")
    if maxouts[0].get_dim("nP") != MIX_PIECES:
        raise ValueError(f"its embedding mixes with other than {MIX_PIECES} maxout pieces")
    return {
        "width": maxouts[-1].get_dim("nO"),
        "depth": len(windows),
        "window_size": windows[0],
        "maxout_pieces": maxouts[-1].get_dim("nP"),
        "attrs": [_ATTRIBUTE_NAMES[number] for number in attribute_ids(columns[0])],
        "rows": [table.get_dim("nV") for table in tables],
        "include_static_vectors": any(part.name == "static_vectors" for part in leaves),
    }


def converted_encoder(
    node: Model[Any, Any], settings: dict[str, Any], docs: Sequence[Doc]
) -> Model[Any, Any]:
    """Build the encoder that computes what a stock encoder does.

    node (Model): The stock encoder.
    settings (Dict[str, Any]): Its settings.
    docs (Sequence[Doc]): Tokenized documents, on which both are compared.
    RETURNS (Model): The encoder.
    RAISES (ValueError): If their outputs differ.
    """
    model = build_hash_embed_cnn(**settings)
    model.initialize(X=list(docs[:1]))
    load_stock_weights(model, node)
    docs = [doc for doc in docs[:20] if len(doc)]
    ours, theirs = np.concatenate(model.predict(docs)), np.concatenate(node.predict(docs))
    difference = float(np.abs(ours - theirs).max())
    if not difference <= TOLERANCE:
        raise ValueError(f"the converted encoder's output differs by {difference:.2g}")
    return model
