"""Which encoders are converted."""

import pytest
import spacy
from spacy.attrs import IDS
from spacy.util import registry
from thinc.api import fix_random_seed

from spacy_mtl.acceleration.trunks import converted_encoder, encoder_nodes, encoder_settings


def stock_encoder(attrs):
    """spaCy's CNN with a table for each attribute."""
    make = registry.architectures.get
    embed = make("spacy.MultiHashEmbed.v2")(
        width=4, attrs=attrs, rows=[20] * len(attrs), include_static_vectors=False
    )
    encode = make("spacy.MaxoutWindowEncoder.v2")(width=4, window_size=1, maxout_pieces=2, depth=1)
    return make("spacy.Tok2Vec.v2")(embed=embed, encode=encode)


@pytest.mark.parametrize("name", sorted(IDS))
def test_each_attribute_of_spacy_is_converted_under_its_own_name(name):
    fix_random_seed(0)
    nlp = spacy.blank("en")
    docs = [nlp("Ann  gave 3 Books to (you) at https://example.com!"), nlp("a")]
    docs[0].ents = [docs[0].char_span(0, 3, label="PERSON", kb_id="Q1")]
    for attrs in (["NORM", name], ["NORM", IDS[name]]):
        model = stock_encoder(attrs)
        model.initialize(X=docs)
        (node,) = encoder_nodes(model)
        settings = encoder_settings(node)
        assert settings["attrs"] == ["NORM", name]
        converted_encoder(node, settings, docs)  # raises where the outputs differ
