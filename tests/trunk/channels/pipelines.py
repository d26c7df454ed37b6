"""Tiny pipelines whose heads read layers and experts of a trunk."""

from collections.abc import Mapping
from typing import Any

import spacy
from spacy.language import Language
from thinc.api import fix_random_seed

from tests.trunk.pipelines import OURS, TRUNK, head_config, make_examples, settle_weights

WIDTH = 8
EXPERT_WIDTH = 6
SMALL = {"width": WIDTH, "embed_size": 50, "maxout_pieces": 2}
ENCODERS: dict[str, dict[str, Any]] = {
    "cnn": {"@architectures": "spacy_mtl.HashEmbedCNN.v1", "depth": 2, **SMALL},
    "bilstm": {
        "@architectures": "spacy_mtl.HashEmbedBiLSTM.v1",
        "depth": 1,
        "lstm_depth": 1,
        **SMALL,
    },
    "attention": {
        "@architectures": "spacy_mtl.HashEmbedAttention.v1",
        "depth": 1,
        "attention_depth": 1,
        "heads": 2,
        "reach": 3,
        **SMALL,
    },
    "stock": {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "depth": 2,
        "window_size": 1,
        "subword_features": True,
        "pretrained_vectors": None,
        **SMALL,
    },
}
PLAIN = {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH, "upstream": "*"}
MIX = {"@architectures": "spacy_mtl.ScalarMixListener.v1", "width": WIDTH}
GATED = {"@architectures": "spacy_mtl.GatedListener.v1", "width": EXPERT_WIDTH}
PLAIN_EXPERTS = {**PLAIN, "width": EXPERT_WIDTH}


def layer(number: int) -> dict[str, Any]:
    """A listener to one layer."""
    return {"@architectures": "spacy_mtl.LayerListener.v1", "width": WIDTH, "layer": number}


def experts(encoder: str = "cnn", n_experts: int = 3) -> dict[str, Any]:
    """A trunk with experts."""
    return {
        "@architectures": "spacy_mtl.MixtureOfExperts.v1",
        "encoder": ENCODERS[encoder],
        "width": EXPERT_WIDTH,
        "n_experts": n_experts,
    }


SUM = {"@misc": "spacy_mtl.StaticWeights.v1", "weights": {}, "default": 1.0, "per_unit": True}


def make_nlp(
    encoder: str | dict[str, Any],
    listeners: Mapping[str, dict[str, Any]],
    *,
    factory: str = OURS,
    initialize: bool = True,
    **trunk: Any,
) -> Language:
    """A trunk and heads, the heads named like their factories.

    encoder (Union[str, Dict[str, Any]]): The trunk's network.
    listeners (Mapping[str, Dict[str, Any]]): The listener of each head.
    factory (str): The trunk's factory.
    initialize (bool): Whether to initialize the pipeline and settle its weights.
    **trunk (Any): Other settings of the trunk.
    RETURNS (Language): The pipeline.
    """
    fix_random_seed(0)
    nlp = spacy.blank("xx")
    model = ENCODERS[encoder] if isinstance(encoder, str) else encoder
    balancer = {"balancer": SUM} if factory == OURS else {}
    nlp.add_pipe(factory, name=TRUNK, config={"model": model, **balancer, **trunk})
    for head, listener in listeners.items():
        config = head_config(head)
        config["model"]["tok2vec"] = listener
        nlp.add_pipe(head, config=config)
    if initialize:
        nlp.initialize(lambda: make_examples(nlp))
        settle_weights(nlp)
    return nlp
