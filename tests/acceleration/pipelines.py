"""Tiny stock pipelines for the tests of acceleration."""

from typing import Any

import numpy as np
import spacy
from spacy.language import Language
from spacy.lookups import Lookups
from spacy.training import Example
from thinc.api import fix_random_seed

WORDS = {"Ann": "PERSON", "Bob": "PERSON", "Acme": "ORG", "Rome": "PLACE"}
TEXTS = [
    "Ann visited Acme in Rome .",
    "Bob Acme Rome",
    "the soup was cold",
    "Ann  and Bob Smith left",
    "",
    "Rome",
]
RULES = ("attribute_ruler", "lemmatizer")
CNN = {"width": 16, "depth": 2, "embed_size": 50, "window_size": 1, "maxout_pieces": 3}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 16, "upstream": "*"}


def cnn(version: int = 2, **settings: Any) -> dict[str, Any]:
    """Config of a small CNN."""
    return {
        "@architectures": f"spacy.HashEmbedCNN.v{version}",
        "subword_features": True,
        "pretrained_vectors": None,
        **CNN,
        **settings,
    }


def transition_model(kind: str, tok2vec: dict[str, Any]) -> dict[str, Any]:
    """Config of a small transition model."""
    return {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": kind,
        "extra_state_tokens": False,
        "hidden_width": 16,
        "maxout_pieces": 2,
        "use_upper": True,
        "tok2vec": tok2vec,
    }


def tagger_model(tok2vec: dict[str, Any]) -> dict[str, Any]:
    """Config of a tagger."""
    return {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec}


def trained(nlp: Language, n_steps: int = 15) -> Language:
    """Train a pipeline on a few sentences.

    nlp (Language): The pipeline, not initialized.
    n_steps (int): The number of updates.
    RETURNS (Language): The same.
    """
    fix_random_seed(0)
    examples = [Example.from_dict(nlp.make_doc(text), gold(nlp, text)) for text in TEXTS if text]
    nlp.initialize(lambda: examples)
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.02
    for _ in range(n_steps):
        nlp.update(examples, sgd=optimizer)
    return nlp


def gold(nlp: Language, text: str) -> dict[str, Any]:
    """Made-up annotation of a text."""
    words = [token.text for token in nlp.make_doc(text)]
    return {
        "words": words,
        "tags": ["NNP" if word in WORDS else "X" for word in words],
        "heads": [max(number - 1, 0) for number in range(len(words))],
        "deps": ["ROOT" if number == 0 else "dep" for number in range(len(words))],
        "sent_starts": [number == 0 for number in range(len(words))],
        "entities": [f"U-{WORDS[word]}" if word in WORDS else "O" for word in words],
        "cats": {"a": float("soup" in text), "b": float("soup" not in text)},
    }


def shared_trunk() -> Language:
    """tok2vec, tagger, parser and ner."""
    nlp = spacy.blank("xx")
    nlp.add_pipe("tok2vec", config={"model": cnn()})
    nlp.add_pipe("tagger", config={"model": tagger_model(LISTENER)})
    model = transition_model("parser", LISTENER)
    nlp.add_pipe("parser", config={"model": model, "min_action_freq": 1})
    nlp.add_pipe("ner", config={"model": transition_model("ner", LISTENER)})
    return trained(nlp)


def own_trunk(version: int = 2) -> Language:
    """An entity recognizer with its own CNN."""
    nlp = spacy.blank("xx")
    nlp.add_pipe("ner", config={"model": transition_model("ner", cnn(version))})
    return trained(nlp)


def with_vectors() -> Language:
    """A shared CNN with static vectors."""
    nlp = spacy.blank("xx")
    random = np.random.RandomState(0)
    for word in WORDS:
        nlp.vocab.set_vector(word, random.normal(size=10).astype("f"))
    nlp.add_pipe("tok2vec", config={"model": cnn(pretrained_vectors=True)})
    nlp.add_pipe("ner", config={"model": transition_model("ner", LISTENER)})
    return trained(nlp)


def classifiers() -> Language:
    """A sentence recognizer and two text classifiers, none with a shared CNN."""
    nlp = spacy.blank("xx")
    nlp.add_pipe("senter", config={"model": tagger_model(cnn())})
    linear = {"@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": True}
    linear |= {"ngram_size": 1, "no_output_layer": False, "length": 1024}
    ensemble = {"@architectures": "spacy.TextCatEnsemble.v2", "tok2vec": cnn()}
    nlp.add_pipe("textcat", config={"model": linear})
    nlp.add_pipe(
        "textcat_multilabel",
        config={"model": {**ensemble, "linear_model": {**linear, "exclusive_classes": False}}},
    )
    return trained(nlp)


def with_rules() -> Language:
    """A tagger, rules that set parts of speech from its tags, and English lemmas."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": cnn()})
    nlp.add_pipe("tagger", config={"model": tagger_model(LISTENER)})
    trained(nlp)
    ruler, lemmatizer = (nlp.add_pipe(name) for name in RULES)
    ruler.add([[{"TAG": {"IN": ["NNP", "X"]}}]], {"POS": "NOUN", "MORPH": "Number=Plur"})
    ruler.add([[{"LOWER": "rome"}, {"LOWER": "'s"}]], {"LEMMA": "ROMA"})
    lookups = Lookups()
    for table in ("lemma_rules", "lemma_exc", "lemma_index"):
        lookups.add_table(table, {"noun": [["s", ""]] if table == "lemma_rules" else []})
    lookups.get_table("lemma_exc")["noun"] = {}
    lemmatizer.lookups = lookups
    return nlp


def characters() -> Language:
    """An entity recognizer that reads characters."""
    nlp = spacy.blank("xx")
    embed = {"@architectures": "spacy.CharacterEmbed.v2", "width": 16, "rows": 50}
    embed |= {"nM": 8, "nC": 4, "include_static_vectors": False, "feature": "LOWER"}
    encode = {"@architectures": "spacy.MaxoutWindowEncoder.v2", "width": 16, "depth": 1}
    encode |= {"window_size": 1, "maxout_pieces": 3}
    tok2vec = {"@architectures": "spacy.Tok2Vec.v2", "embed": embed, "encode": encode}
    nlp.add_pipe("ner", config={"model": transition_model("ner", tok2vec)})
    return trained(nlp)
