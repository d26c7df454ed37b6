"""Tiny pipelines and measurements shared by the tests of the heads."""

import pickle
from typing import Any

import numpy as np
import spacy
from spacy.language import Language
from spacy.training import Example
from thinc.api import fix_random_seed

WIDTH = 24

ENCODER: dict[str, Any] = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "width": WIDTH,
    "depth": 2,
    "embed_size": 200,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": True,
    "pretrained_vectors": None,
}

SUM = {"@misc": "spacy_mtl.StaticWeights.v1", "weights": {}, "default": 1.0, "per_unit": True}


def make_nlp(*heads: str | tuple[str, str, dict[str, Any]], trunk: str | None = "mtl_tok2vec"):
    """A pipeline with a trunk (or an encoder in each head) and heads: a factory, or a factory,
    a name and settings."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    if trunk:
        balancer = {"balancer": SUM} if trunk == "mtl_tok2vec" else {}
        nlp.add_pipe(trunk, config={"model": ENCODER, **balancer})
    for head in heads:
        factory, name, config = head if isinstance(head, tuple) else (head, head, {})
        tok2vec = {"width": WIDTH} if trunk else ENCODER
        config = {**config, "model": {**config.get("model", {}), "tok2vec": tok2vec}}
        nlp.add_pipe(factory, name=name, config=config)
    return nlp


def make_examples(nlp: Language, data: list[tuple[str, dict[str, Any]]]) -> list[Example]:
    return [Example.from_dict(nlp.make_doc(text), annotation) for text, annotation in data]


def train(nlp: Language, examples: list[Example], steps: int = 60) -> dict[str, float]:
    """Initialize and overfit; returns the losses of the last step."""
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    losses: dict[str, float] = {}
    for _ in range(steps):
        losses = {}
        nlp.update(examples, sgd=optimizer, losses=losses)
    return losses


def gradient_of(nlp: Language, name: str) -> np.ndarray:
    """All gradients of a component's torch layers."""
    parts = [
        parameter.grad.numpy().ravel()
        for node in nlp.get_pipe(name).model.walk()
        for shim in node.shims
        for parameter in shim._model.parameters()
        if parameter.grad is not None
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def parameters_of(nlp: Language, name: str) -> np.ndarray:
    """All parameters of a component's torch layers."""
    return np.concatenate(
        [
            parameter.detach().numpy().ravel().copy()
            for node in nlp.get_pipe(name).model.walk()
            for shim in node.shims
            for parameter in shim._model.parameters()
        ]
    )


def reloaded(nlp: Language, folder) -> list[Language]:
    """The pipeline after a way through a folder, bytes, and a pickle."""
    nlp.to_disk(folder)
    blank = spacy.blank("en").from_config(nlp.config)
    return [spacy.load(folder), blank.from_bytes(nlp.to_bytes()), pickle.loads(pickle.dumps(nlp))]
