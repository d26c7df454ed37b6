"""A tiny corpus and config, and the pipeline that spaCy trains from them.

Test modules that name this one in `pytest_plugins` share the fixture `trained`. They import it
before pytest sees that, which is no matter here: PYTEST_DONT_REWRITE.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result
from spacy import util
from spacy.cli import app
from spacy.cli.train import train
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab
from thinc.api import Config
from typer.testing import CliRunner

import spacy_mtl.cli  # noqa: F401
from spacy_mtl.srl import Argument, Frame, write_frames

CONFIGS = Path(__file__).parent.parent / "configs"
GIVERS = ("Ann Lee", "Bob", "Carol", "Dan Orr")
PLACES = ("Leeds", "Paris")
TAGGER_AND_PARSER = """
[components]

[components.tagger]
factory = "tagger"

[components.tagger.model]
@architectures = "spacy.Tagger.v2"

[components.tagger.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = ${components.tok2vec.model.width}
upstream = "tok2vec"

[components.parser]
factory = "parser"

[components.parser.model]
@architectures = "spacy.TransitionBasedParser.v2"
state_type = "parser"
hidden_width = 16
maxout_pieces = 1
use_upper = false

[components.parser.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = ${components.tok2vec.model.width}
upstream = "tok2vec"
"""


@dataclass(frozen=True)
class Trained:
    """What the fixture `trained` gives.

    model (Path): The trained pipeline.
    config (Path): Its config.
    train (Path): Training documents, a part of them without annotation for some heads.
    dev (Path): Documents annotated for every head.
    """

    model: Path
    config: Path
    train: Path
    dev: Path

    @property
    def overrides(self) -> dict[str, str]:
        """RETURNS (Dict[str, str]): The paths for the config."""
        return {"paths.train": str(self.train), "paths.dev": str(self.dev)}

    @property
    def arguments(self) -> list[str]:
        """RETURNS (List[str]): The paths as arguments of a command."""
        return [part for key, value in self.overrides.items() for part in (f"--{key}", value)]


def make_doc(vocab: Vocab, giver: str, place: str, is_good: bool) -> Doc:
    """Make a document of two sentences that is annotated for every head.

    vocab (Vocab): The vocabulary.
    giver (str): One or two words, a person.
    place (str): One word.
    is_good (bool): Whether the category GOOD is right.
    RETURNS (Doc): The document.
    """
    name = giver.split()
    words = [*name, "gave", "us", "good" if is_good else "bad", "tea", ".", "We", "left", place]
    words.append(".")
    n = len(name) - 1  # the last word of the name
    tags = ["NNP"] * len(name) + ["VBD", "PRP", "JJ", "NN", ".", "PRP", "VBD", "NNP", "."]
    verb, leave = n + 1, n + 7
    heads = [n] * n + [verb, verb, verb, n + 4, verb, verb, leave, leave, leave, leave]
    deps = ["compound"] * n + ["nsubj", "ROOT", "dative", "amod", "obj", "punct"]
    deps += ["nsubj", "ROOT", "obj", "punct"]
    spaces = [word != "." and after != "." for word, after in zip(words, words[1:], strict=False)]
    spaces = [*spaces, False]
    spaces[n + 5] = True
    doc = Doc(vocab, words=words, spaces=spaces, tags=tags, heads=heads, deps=deps)
    doc.ents = [Span(doc, 0, n + 1, "PERSON"), Span(doc, n + 8, n + 9, "PLACE")]
    doc.cats = {"GOOD": float(is_good), "FRANCE": float(place == "Paris")}
    giving = (
        Argument("ARG0", doc[: n + 1]),
        Argument("ARG2", doc[n + 2 : n + 3]),
        Argument("ARG1", doc[n + 3 : n + 5]),
    )
    leaving = (Argument("ARG0", doc[n + 6 : n + 7]), Argument("ARG1", doc[n + 8 : n + 9]))
    frames = [Frame(doc[verb : verb + 1], "give.01", giving)]
    write_frames(doc, [*frames, Frame(doc[leave : leave + 1], "leave.01", leaving)])
    return doc


def make_docs(vocab: Vocab | None = None) -> list[Doc]:
    """RETURNS (List[Doc]): 16 different documents, annotated for every head."""
    vocab = vocab or Vocab()
    return [
        make_doc(vocab, giver, place, is_good)
        for giver in GIVERS
        for place in PLACES
        for is_good in (True, False)
    ]


def without(doc: Doc, *annotations: str) -> Doc:
    """Copy a document without some of its annotation.

    The syntax stays: spaCy's parser can't learn from batches in which some documents lack it.

    doc (Doc): The document.
    *annotations (str): "ents", "cats" or "srl".
    RETURNS (Doc): The copy.
    """
    copied = doc.copy()
    if "ents" in annotations:
        copied.set_ents([], default="missing")
    if "cats" in annotations:
        copied.cats = {}
    if "srl" in annotations:
        del copied.spans["srl"]
    return copied


def save(docs: Sequence[Doc], path: Path) -> Path:
    """RETURNS (Path): The `.spacy` file, written."""
    DocBin(docs=docs).to_disk(path)
    return path


def small_config() -> Config:
    """RETURNS (Config): `multitask.cfg`, smaller, and with a tagger and a parser of spaCy."""
    config = util.load_config(CONFIGS / "multitask.cfg")
    config["nlp"]["pipeline"] = ["tok2vec", "tagger", "parser", "senter", "ner", "textcat", "srl"]
    config["nlp"]["batch_size"] = 8
    config["components"]["tok2vec"]["model"].update(width=32, depth=2, embed_size=200)
    config["components"]["textcat"]["exclusive"] = False
    config["components"]["srl"]["model"].update(hidden_width=16, sense_width=8, max_distance=16)
    config["components"]["tok2vec"]["balancer"]["weights"]["textcat"] = 1.0
    config["training"].update(max_epochs=0, max_steps=60, eval_frequency=20)
    config["training"]["batcher"]["size"] = 100
    config["training"]["optimizer"]["learn_rate"] = 0.01
    config = config.merge(Config().from_str(TAGGER_AND_PARSER, interpolate=False))
    return util.load_model_from_config(config, auto_fill=True).config


def train_pipeline(folder: Path) -> Trained:
    """Train a pipeline with spaCy's own `train`.

    folder (Path): Where all files go.
    RETURNS (Trained): The files.
    """
    docs = make_docs()
    partial = [without(doc, ("ents", "cats", "srl")[i % 3]) for i, doc in enumerate(docs)]
    config = folder / "small.cfg"
    small_config().to_disk(config)
    trained = Trained(
        folder / "output" / "model-best",
        config,
        save(partial, folder / "train.spacy"),
        save(docs, folder / "dev.spacy"),
    )
    train(config, folder / "output", overrides=trained.overrides)
    return trained


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A tiny pipeline, trained by `spacy train` on a tiny corpus. Don't change its files."""
    return train_pipeline(tmp_path_factory.mktemp("trained"))


def run(*arguments: str | Path) -> Result:
    """Run `python -m spacy` within this process.

    *arguments (Union[str, Path]): The arguments.
    RETURNS (Result): Exit code and output.
    """
    return CliRunner().invoke(app, [str(argument) for argument in arguments])
