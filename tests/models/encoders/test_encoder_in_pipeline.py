import pickle

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Adam, Config, fix_random_seed

CONFIG = """
[nlp]
lang = "en"
pipeline = ["tok2vec", "tagger"]

[components]

[components.tok2vec]
factory = "tok2vec"

[components.tok2vec.model]
@architectures = "spacy_mtl.HashEmbedCNN.v1"
width = 16
depth = 2
embed_size = 200

[components.tagger]
factory = "tagger"

[components.tagger.model]
@architectures = "spacy.Tagger.v2"

[components.tagger.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = 16
"""
SENTENCES = [
    (["I", "like", "green", "eggs"], ["N", "V", "J", "N"]),
    (["Eat", "blue", "ham"], ["V", "J", "N"]),
    (["They", "can", "can", "fish"], ["N", "V", "V", "N"]),
]
ENCODERS = ["HashEmbedCNN", "HashEmbedAttention", "HashEmbedBiLSTM"]


def train(encoder):
    fix_random_seed(0)
    config = Config().from_str(CONFIG.replace("HashEmbedCNN", encoder))
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    examples = [
        Example.from_dict(Doc(nlp.vocab, words=words), {"tags": tags}) for words, tags in SENTENCES
    ]
    nlp.initialize(lambda: examples)
    optimizer = Adam(0.01, use_averages=True)
    for _ in range(40):
        nlp.update(examples, sgd=optimizer, drop=0.1)
    return nlp, optimizer


def predict(nlp):
    docs = nlp.pipe([Doc(nlp.vocab, words=words) for words, _ in SENTENCES])
    return [(doc.tensor.tolist(), [token.tag_ for token in doc]) for doc in docs]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_pipeline_learns_and_predicts_the_same_after_saving(encoder, tmp_path):
    nlp, optimizer = train(encoder)
    predicted = predict(nlp)
    assert [tags for _, tags in predicted] == [tags for _, tags in SENTENCES]
    nlp.to_disk(tmp_path)
    assert predict(spacy.load(tmp_path)) == predicted
    config = Config().from_str(nlp.config.to_str())
    blank = spacy.util.load_model_from_config(config)
    assert predict(blank.from_bytes(nlp.to_bytes())) == predicted


@pytest.mark.parametrize("encoder", ENCODERS)
def test_trained_encoder_can_be_pickled(encoder):
    nlp, _ = train(encoder)
    model = nlp.get_pipe("tok2vec").model
    docs = [Doc(nlp.vocab, words=words) for words, _ in SENTENCES]
    loaded = pickle.loads(pickle.dumps(model))
    assert [rows.tolist() for rows in loaded.predict(docs)] == [
        rows.tolist() for rows in model.predict(docs)
    ]


def test_averaged_parameters_are_used_and_put_back():
    nlp, optimizer = train("HashEmbedCNN")
    predicted = predict(nlp)
    with nlp.use_params(optimizer.averages):
        averaged = predict(nlp)
    assert averaged != predicted
    assert [tags for _, tags in averaged] == [tags for _, tags in SENTENCES]
    assert predict(nlp) == predicted


def test_replaced_listener_has_a_copy_of_the_encoder():
    nlp, _ = train("HashEmbedCNN")
    predicted = [tags for _, tags in predict(nlp)]
    nlp.replace_listeners("tok2vec", "tagger", ["model.tok2vec"])
    assert [tags for _, tags in predict(nlp)] == predicted
