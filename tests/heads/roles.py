"""A tiny corpus of frames, and pipelines that learn it."""

from collections.abc import Sequence
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import fix_random_seed

from spacy_mtl.srl import indexed_frames
from tests.srl.strategies import PlainFrame, make_doc

WIDTH = 32
ENCODER: dict[str, Any] = {
    "@architectures": "spacy_mtl.HashEmbedCNN.v1",
    "width": WIDTH,
    "depth": 2,
    "embed_size": 500,
}
CORPUS: list[tuple[str, list[PlainFrame]]] = [
    (
        "Ann gave Bob a book yesterday .",
        [(1, "give.01", [("ARG0", 0, 1), ("ARG2", 2, 3), ("ARG1", 3, 5), ("ARGM-TMP", 5, 6)])],
    ),
    (
        "The dog that barked left early and slept .",
        [
            (3, "bark.01", [("ARG0", 0, 2), ("R-ARG0", 2, 3)]),
            (4, "leave.01", [("ARG0", 0, 4), ("ARGM-TMP", 5, 6)]),
            (7, "sleep.01", [("ARG0", 0, 4)]),
        ],
    ),
    ("She left him money .", [(1, "leave.02", [("ARG0", 0, 1), ("ARG2", 2, 3), ("ARG1", 3, 4)])]),
    ("What a nice day !", []),
    ("It rained .", [(1, "rain.01", [])]),
]


def make_nlp(
    *names: str,
    trunk: str | None = "mtl_tok2vec",
    settings: dict[str, Any] | None = None,
    spans_keys: dict[str, str] | None = None,
) -> Language:
    """A pipeline that is not initialized.

    *names (str): The names of semantic role heads; one called "srl" where none is given.
    trunk (Optional[str]): The factory of the trunk; None for an encoder in each head.
    settings (Optional[Dict[str, Any]]): Settings of all heads' networks.
    spans_keys (Optional[Dict[str, str]]): By head, the span group, where it is not "srl".
    RETURNS (Language): The pipeline.
    """
    fix_random_seed(0)
    nlp = spacy.blank("en")
    if trunk:
        nlp.add_pipe(trunk, name="tok2vec", config={"model": ENCODER})
    for name in names or ("srl",):
        model = {
            "@architectures": "spacy_mtl.RoleLabeler.v1",
            "hidden_width": 32,
            "sense_width": 16,
            **(settings or {}),
            "tok2vec": {"width": WIDTH} if trunk else ENCODER,
        }
        key = (spans_keys or {}).get(name, "srl")
        scorer = {"@scorers": "spacy_mtl.srl_scorer.v1", "key": key}
        config = {"model": model, "spans_key": key, "scorer": scorer}
        nlp.add_pipe("mtl_srl", name=name, config=config)
    return nlp


def make_example(
    vocab: Vocab, words: Sequence[str], frames: list[PlainFrame] | None, key: str = "srl"
) -> Example:
    """An example with frames, or without annotation where they are None."""
    reference = make_doc(list(words), frames, vocab=vocab)
    if key != "srl" and frames is not None:
        reference.spans[key] = list(reference.spans.pop("srl"))
    return Example(Doc(vocab, words=list(words)), reference)


def make_examples(nlp: Language, corpus: Any = None) -> list[Example]:
    """Examples of a corpus like `CORPUS`, which is the default."""
    corpus = CORPUS if corpus is None else corpus
    return [make_example(nlp.vocab, text.split(), frames) for text, frames in corpus]


def frames_of(doc: Doc, key: str = "srl") -> list[PlainFrame]:
    """The frames of a document in the form of `CORPUS`, arguments in text order."""
    return [
        (frame.predicate, frame.roleset, sorted(frame.arguments, key=lambda argument: argument[1]))
        for frame in indexed_frames(doc, key)
    ]
