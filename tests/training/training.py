"""Short training runs with the logger `spacy_mtl.TaskSelection.v1`."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from thinc.api import Config

from tests.trunk.pipelines import ENCODERS, OURS, head_config, make_examples

HEADS = ["tagger", "textcat_multilabel", "ner"]


def save_corpus(path: Path, keep: Sequence[str] | None = None) -> Path:
    """RETURNS (Path): The annotated documents as a file, with some annotation only."""
    examples = make_examples(spacy.blank("xx"), keep)
    docs = [example.reference for example in examples]
    if keep is not None and "entities" not in keep:
        for doc in docs:
            doc.set_ents([], default="missing")
    DocBin(docs=docs).to_disk(path)
    return path


def make_config(
    corpus: Path,
    logger: Mapping[str, Any],
    *,
    heads: Sequence[str] = HEADS,
    trunk: str | None = OURS,
    dev: Path | None = None,
    **training: Any,
) -> Config:
    """RETURNS (Config): For a trunk and heads, or heads with encoders of their own."""
    encoder = ENCODERS["spacy.HashEmbedCNN.v2"]
    components: dict[str, Any] = {}
    if trunk is not None:
        components["tok2vec"] = {"factory": trunk, "model": encoder}
    for head in heads:
        config = head_config(head)
        if trunk is None:
            config["model"]["tok2vec"] = encoder
        components[head] = {"factory": head, **config}
    return Config(
        {
            "nlp": {"lang": "xx", "pipeline": list(components)},
            "components": components,
            "corpora": {
                "train": {"@readers": "spacy.Corpus.v1", "path": str(corpus)},
                "dev": {"@readers": "spacy.Corpus.v1", "path": str(dev or corpus)},
            },
            "training": {
                "seed": 0,
                "gpu_allocator": None,
                "dropout": 0.0,
                "max_steps": 12,
                "eval_frequency": 2,
                "logger": {"@loggers": "spacy_mtl.TaskSelection.v1", **logger},
                "train_corpus": "corpora.train",
                "dev_corpus": "corpora.dev",
                "optimizer": {"@optimizers": "Adam.v1", "learn_rate": 0.02},
                **training,
            },
        }
    )


def run(config: Config, output: Path | None = None) -> tuple[Language, str]:
    """RETURNS (Tuple[Language, str]): The trained pipeline, and what was printed."""
    stdout = io.StringIO()
    if output is not None:
        output.mkdir(exist_ok=True)
    nlp = init_nlp(config)
    train(nlp, output, stdout=stdout, stderr=io.StringIO())
    return nlp, stdout.getvalue()
