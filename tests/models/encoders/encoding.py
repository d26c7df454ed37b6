"""Documents, stock encoders and comparisons shared by the tests of the encoders."""

from typing import Any

import numpy as np
import spacy
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model, fix_random_seed
from thinc.types import Floats2d

TEXTS = [
    "The waiter at Bellini's didn't bring us the wrong soup .",
    "",
    "Soup",
    "the soup , the soup and The Soup again",
    "two words",
    " ".join(f"word{number} and" for number in range(400)),
]


def make_docs(vectors_width: int = 0) -> list[Doc]:
    """Documents of many lengths, one empty, with words in common.

    vectors_width (int): Width of the static vectors of some of the words; 0 for none.
    RETURNS (List[Doc]): The documents.
    """
    nlp = spacy.blank("en")
    docs = [nlp(text) for text in TEXTS]
    if vectors_width:
        random = np.random.RandomState(0)
        for word in ("soup", "the", "waiter", "words"):
            nlp.vocab.set_vector(word, random.normal(size=vectors_width).astype("f"))
    return docs


def make_stock(docs: list[Doc], **settings: Any) -> Model[list[Doc], list[Floats2d]]:
    """An initialized spacy.HashEmbedCNN.v2, with all weights away from their initial zeros."""
    defaults = {
        "width": 16,
        "depth": 2,
        "embed_size": 50,
        "window_size": 1,
        "maxout_pieces": 3,
        "subword_features": True,
        "pretrained_vectors": None,
    }
    model = registry.architectures.get("spacy.HashEmbedCNN.v2")(**{**defaults, **settings})
    return perturbed(model, docs)


def make_stock_tok2vec(
    docs: list[Doc], attrs: list[str], rows: list[int], static_vectors: bool
) -> Model[list[Doc], list[Floats2d]]:
    """An initialized spacy.Tok2Vec.v2 of width 16 and depth 2."""
    get = registry.architectures.get
    embed = get("spacy.MultiHashEmbed.v2")(
        width=16, attrs=attrs, rows=rows, include_static_vectors=static_vectors
    )
    encode = get("spacy.MaxoutWindowEncoder.v2")(width=16, window_size=1, maxout_pieces=3, depth=2)
    return perturbed(get("spacy.Tok2Vec.v2")(embed=embed, encode=encode), docs)


def perturbed(
    model: Model[list[Doc], list[Floats2d]], docs: list[Doc]
) -> Model[list[Doc], list[Floats2d]]:
    """Initialize a stock model and add noise to all of its weights."""
    fix_random_seed(0)
    model.initialize(X=docs)
    random = np.random.RandomState(1)
    for node in model.walk():
        for name in node.param_names:
            values = node.get_param(name)
            node.set_param(name, values + random.normal(0, 0.1, values.shape).astype("f"))
    return model


def assert_close(ours: list[Floats2d], theirs: list[Floats2d], tolerance: float = 1e-4) -> None:
    """Check that two encoders gave the same vectors."""
    assert [rows.shape for rows in ours] == [rows.shape for rows in theirs]
    np.testing.assert_allclose(np.concatenate(ours), np.concatenate(theirs), atol=tolerance)


def assert_relatively_close(ours: Any, theirs: Any, tolerance: float = 1e-3) -> None:
    """Check that two gradients are the same, measured by their largest entry."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max()
