"""The pipelines that are compared, and what each of them runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thinc.api import Config

from spacy_mtl.native import get_kernels


@dataclass(frozen=True)
class System:
    """One row of the comparison.

    name (str): Its name in tables and files.
    model (str): The trained pipeline it runs; systems can share one.
    use_blis (bool): Whether thinc multiplies matrices with BLIS, as installed, or with numpy.
    ours (bool): Whether it is a pipeline of this package.
    is_compiled (bool): Whether this package may use its compiled kernels.
    """

    name: str
    model: str
    use_blis: bool
    ours: bool
    is_compiled: bool = True

    @property
    def uses_kernels(self) -> bool:
        """RETURNS (bool): Whether it runs in compiled kernels mostly."""
        return self.ours and self.is_compiled and get_kernels() is not None


@dataclass(frozen=True)
class Workload:
    """What is timed: which heads, on which kind of input.

    name (str): Its name in tables.
    stock_pipes (Tuple[str, ...]): The components of the stock pipelines.
    our_pipes (Optional[Tuple[str, ...]]): Those of ours; None for all.
    raw (bool): Whether the input is text, or documents that are tokenized already.
    """

    name: str
    stock_pipes: tuple[str, ...]
    our_pipes: tuple[str, ...] | None
    raw: bool

    def pipes(self, system: System) -> tuple[str, ...] | None:
        """RETURNS (Optional[Tuple[str, ...]]): The components that a system runs; None for all."""
        return self.our_pipes if system.ours else self.stock_pipes


STOCK = System("spaCy as installed (BLIS)", "stock", use_blis=True, ours=False)
SWITCHED = System("spaCy with OpenBLAS", "stock", use_blis=False, ours=False)
OUR_CNN = System("spacy-mtl, same CNN", "cnn", use_blis=True, ours=True)
SHIPPED = System("spacy-mtl, shipped config", "shipped", use_blis=True, ours=True)
NOT_COMPILED = System("spacy-mtl, same CNN, not compiled", "cnn", True, True, is_compiled=False)
SYSTEMS = (
    STOCK,
    SWITCHED,
    OUR_CNN,
    SHIPPED,
    *([NOT_COMPILED] if get_kernels() is not None else []),
)

ONE, TWO, THREE = (
    ("tok2vec", "ner"),
    ("tok2vec", "ner", "textcat"),
    ("tok2vec", "ner", "textcat", "srl"),
)
# Like for like: neither side has a sentence recognizer.
THREE_RAW = Workload("three heads, raw text", TWO, THREE, raw=True)
THREE_TOKENIZED = Workload("three heads, tokenized", TWO, THREE, raw=False)
# All that the shipped config has, which spaCy's pipeline here does not.
SENTENCES_RAW = Workload("three heads + sentence recognizer, raw text", TWO, None, raw=True)
NER_ALONE = Workload("ner, tokenized", ONE, ONE, raw=False)
ROLES_ALONE = Workload("roles, tokenized", TWO, ("tok2vec", "senter", "srl"), raw=False)
WORKLOADS = (
    Workload("trunk, tokenized", ("tok2vec",), ("tok2vec",), raw=False),
    NER_ALONE,
    Workload("ner, raw text", ONE, ONE, raw=True),
    Workload("ner + textcat, tokenized", TWO, TWO, raw=False),
    Workload("ner + textcat, raw text", TWO, TWO, raw=True),
    THREE_TOKENIZED,
    THREE_RAW,
    SENTENCES_RAW,
)


@dataclass(frozen=True)
class Recipe:
    """How the pipelines are trained, all alike.

    name (str): Its name in tables.
    changes (Dict[str, Any]): What it sets in the config, by dotted name.
    without (Tuple[str, ...]): Components that are left out.
    """

    name: str
    changes: dict[str, Any]
    without: tuple[str, ...] = ()

    def apply(self, config: Config) -> Config:
        """Set what the recipe sets.

        config (Config): A config, not interpolated; changed.
        RETURNS (Config): The same config.
        """
        for place, value in self.changes.items():
            *path, key = place.split(".")
            section: Any = config
            for name in path:
                section = section[name]
            section[key] = value
        training = config["training"]
        kept = [name for name in training["annotating_components"] if name not in self.without]
        training["annotating_components"] = kept
        return config


FIRST_PASS, LATER_PASSES = "first pass", "later passes"

RECIPES = (  # one after the other in the same processes: what is left out stays out
    Recipe("three heads and senter", {}),
    Recipe("three heads", {}, without=("senter",)),
    Recipe(
        "three heads, whole documents, 1,000 words",  # as `spacy init config` has it in the end
        {"corpora.train.max_length": 0, "training.batcher.size": 1000},
        without=("senter",),
    ),
)

STOCK_CONFIG = """
[nlp]
lang = "en"
pipeline = ["tok2vec", "ner", "textcat"]

[nlp.tokenizer]
@tokenizers = "spacy.Tokenizer.v1"

[components]

[components.tok2vec]
factory = "tok2vec"

[components.tok2vec.model]
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
window_size = 1
maxout_pieces = 3
subword_features = true

[components.ner]
factory = "ner"

[components.ner.model]
@architectures = "spacy.TransitionBasedParser.v2"
state_type = "ner"
extra_state_tokens = false
hidden_width = 64
maxout_pieces = 2
use_upper = true
nO = null

[components.ner.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = ${components.tok2vec.model.width}
upstream = "tok2vec"

[components.textcat]
factory = "textcat"

[components.textcat.model]
"""

STOCK_TEXTCAT = {
    "reduce": """
@architectures = "spacy.TextCatReduce.v1"
exclusive_classes = true
use_reduce_first = false
use_reduce_last = false
use_reduce_max = false
use_reduce_mean = true
nO = null

[components.textcat.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = ${components.tok2vec.model.width}
upstream = "tok2vec"
""",
    "ensemble": """
@architectures = "spacy.TextCatEnsemble.v2"
nO = null

[components.textcat.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = ${components.tok2vec.model.width}
upstream = "tok2vec"

[components.textcat.model.linear_model]
@architectures = "spacy.TextCatBOW.v3"
exclusive_classes = true
length = 262144
ngram_size = 1
no_output_layer = false
""",
    "bow": """
@architectures = "spacy.TextCatBOW.v3"
exclusive_classes = true
length = 262144
ngram_size = 1
no_output_layer = false
""",
}


@dataclass(frozen=True)
class TrunkSize:
    """The sizes that the stock trunk and our CNN share, with a window of 1 and 3 maxout pieces."""

    width: int = 96
    depth: int = 4
    embed_size: int = 2000

    def settings(self) -> dict[str, int]:
        """RETURNS (Dict[str, int]): The sizes as both architectures name them."""
        return {"width": self.width, "depth": self.depth, "embed_size": self.embed_size}


def config_of(model: str, base: Path, size: TrunkSize, textcat: str, steps: int) -> Config:
    """Make the config of a pipeline, with the same corpus, batches and optimizer for all.

    model (str): "stock", "cnn" or "shipped".
    base (Path): The config of this package's pipeline.
    size (TrunkSize): The size of the trunk of "stock" and "cnn".
    textcat (str): The stock text classifier: "reduce", "ensemble" or "bow".
    steps (int): The number of training steps.
    RETURNS (Config): The config, not interpolated.
    """
    config = Config().from_disk(base, interpolate=False)
    if model == "stock":
        stock = Config().from_str(STOCK_CONFIG + STOCK_TEXTCAT[textcat], interpolate=False)
        config["components"] = stock["components"]
        config["nlp"].update(stock["nlp"])
        config["components"]["tok2vec"]["model"].update(size.settings())
        config["training"]["annotating_components"] = []
        config["training"]["score_weights"] = {}
    if model == "cnn":
        trunk: dict[str, Any] = {"@architectures": "spacy_mtl.HashEmbedCNN.v1", **size.settings()}
        config["components"]["tok2vec"]["model"] = trunk
    config["training"]["max_steps"] = steps
    config["training"]["optimizer"]["learn_rate"] = 0.001
    return config
