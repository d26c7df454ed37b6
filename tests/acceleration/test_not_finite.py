"""Transition models with parameters that are NaN or infinite find what spaCy's own search does."""

import numpy as np
import pytest

from spacy_mtl.acceleration.ner import FastEntityRecognizer
from spacy_mtl.acceleration.parser import FastDependencyParser
from tests.acceleration.pipelines import TEXTS, shared_trunk

FAST = {"parser": FastDependencyParser, "ner": FastEntityRecognizer}


@pytest.fixture(scope="module")
def nlp():
    return shared_trunk()


def annotations(nlp, component):
    docs = [nlp.get_pipe("tok2vec")(nlp.make_doc(text)) for text in TEXTS * 4]
    docs = list(component.pipe(iter(docs)))
    return [
        [(token.dep_, token.head.i, token.ent_iob, token.ent_type_) for token in doc]
        for doc in docs
    ]


@pytest.mark.parametrize("name", list(FAST))
@pytest.mark.parametrize("layer", ["lower", "upper"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_search_ends_as_spacys_own(nlp, name, layer, value):
    stock = nlp.get_pipe(name)
    node = stock.model.get_ref(layer)
    before = {param: node.get_param(param).copy() for param in node.param_names}
    fast = FAST[name](nlp.vocab, stock.model, name=name, moves=stock.moves)
    try:
        for param, values in before.items():
            values = values.copy()
            values.flat[0] = value
            node.set_param(param, values)
        assert annotations(nlp, fast) == annotations(nlp, stock)
    finally:
        for param, values in before.items():
            node.set_param(param, values)
