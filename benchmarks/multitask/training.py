"""One short training run, with spaCy's own loop."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import srsly
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training import Example
from spacy.training.loop import create_train_batches, train_while_improving
from spacy.util import fix_random_seed, load_model_from_config, registry
from thinc.api import Config

from spacy_mtl.heads.srl.component import SemanticRoleHead

from .corpus import SharedCorpus

HEADS = ("ner", "textcat", "srl")
SCAFFOLD = "syntax"  # teaches the trunk and predicts nothing
SCORES = {
    "entities": "ents_f",
    "arguments": "srl_arguments_f",
    "predicates": "srl_predicates_f",
    "rolesets": "srl_rolesets_acc",
    "genre": "cats_macro_f",
}
NEVER = 10**9

TRAINING = """
[nlp]
lang = "en"
pipeline = []
batch_size = 64

[components]

[components.tok2vec]
factory = "mtl_tok2vec"

[components.tok2vec.model]
@architectures = "spacy_mtl.HashEmbedCNN.v1"
embed_size = 2000

[components.ner]
factory = "mtl_ner"

[components.ner.model]
@architectures = "spacy_mtl.TokenTagger.v1"
hidden_width = 0
private_width = 32

[components.textcat]
factory = "mtl_textcat"

[components.textcat.model]
@architectures = "spacy_mtl.TextClassifier.v1"
private_width = 32

[components.srl]
factory = "mtl_srl"
predicate_weight = 3.0

[components.srl.model]
@architectures = "spacy_mtl.RoleLabeler.v1"
hidden_width = 64
argument_width = 64
sense_width = 32
max_distance = 64

[components.syntax]
factory = "mtl_syntax"

[components.syntax.model]
@architectures = "spacy_mtl.TokenTagger.v1"

[training]
dropout = 0.1
max_epochs = 0

[training.batcher]
@batchers = "spacy.batch_by_words.v1"
discard_oversize = false
tolerance = 0.2

[training.optimizer]
@optimizers = "Adam.v1"
L2_is_weight_decay = true
L2 = 0.01
grad_clip = 1.0
use_averages = true

[training.optimizer.learn_rate]
@schedules = "warmup_linear.v1"
"""


@dataclass(frozen=True)
class Budget:
    """What every run may spend.

    passes (float): Passes over the training documents.
    batch_words (int): Words in a batch, about.
    learn_rate (float): The highest learning rate; it rises over a tenth of the steps and then
        falls linearly to zero.
    width (int): Width of the trunk, a CNN.
    depth (int): Depth of the trunk.
    steps (int): Steps, in place of passes; 0 goes by passes.
    """

    passes: float = 1.5
    batch_words: int = 400
    learn_rate: float = 0.01
    width: int = 64
    depth: int = 3
    steps: int = 0

    def count_steps(self, train_words: int) -> int:
        """RETURNS (int): The number of steps."""
        return self.steps or max(math.ceil(self.passes * train_words / self.batch_words), 1)

    @property
    def key(self) -> str:
        """RETURNS (str): Tells one budget from another in a file of results."""
        return ", ".join(f"{name} {value}" for name, value in asdict(self).items())


@dataclass(frozen=True)
class Outcome:
    """What a run gave.

    scores (Dict[str, float]): Percent on the development documents, by the names in `SCORES`.
    test_scores (Dict[str, float]): The same on the test documents, if there are any.
    cpu_seconds (float): Processor time of training, without evaluation.
    wall_seconds (float): The same on the wall clock.
    words (int): Words trained on.
    """

    scores: dict[str, float]
    test_scores: dict[str, float]
    cpu_seconds: float
    wall_seconds: float
    words: int


class Laboratory:
    """Trains pipelines that differ in their heads and their balancer, on the same documents.

    What belongs to the documents is computed once for all runs: labels, and aligned frames.
    """

    def __init__(self, corpus: SharedCorpus, budget: Budget) -> None:
        """Prepare nothing yet.

        corpus (SharedCorpus): The documents.
        budget (Budget): What every run may spend.
        """
        self.corpus = corpus
        self.budget = budget
        self.n_steps = budget.count_steps(corpus.train_words)
        self._labels: dict[str, str] = {}
        self._folder = TemporaryDirectory()
        self._gold_frames: Any = None

    def build(
        self,
        heads: Sequence[str],
        balancer: Mapping[str, Any],
        seed: int,
        level: str = "hub",
    ) -> Language:
        """Build and initialize a pipeline.

        heads (Sequence[str]): Some of `HEADS`, and `SCAFFOLD`.
        balancer (Mapping[str, Any]): The block `[components.tok2vec.balancer]`.
        seed (int): Seed of all random numbers, also of those of the training that follows.
        level (str): Where gradients are compared, "hub" or "parameters".
        RETURNS (Language): The pipeline.
        """
        fix_random_seed(seed)
        config = make_config(heads, balancer, self.budget, self.n_steps, level)
        nlp = load_model_from_config(config, vocab=self.corpus.vocab, auto_fill=True)
        for head in heads:
            if head in self._labels:
                nlp.config["initialize"]["components"][head] = {
                    "labels": {"@readers": "spacy.read_labels.v1", "path": self._labels[head]}
                }
        nlp.initialize(lambda: self.corpus.train)
        for head in heads:
            component: Any = nlp.get_pipe(head)
            if head not in self._labels:
                self._labels[head] = str(Path(self._folder.name) / f"{head}.json")
                srsly.write_json(self._labels[head], component.label_data)
            if isinstance(component, SemanticRoleHead):
                self._gold_frames = self._gold_frames or component._gold_frames
                component._gold_frames = self._gold_frames
        fix_random_seed(seed)
        return nlp

    def train(self, nlp: Language) -> "Training":
        """Prepare the training of a pipeline.

        nlp (Language): A new pipeline.
        RETURNS (Training): To be iterated over, step by step.
        """
        return Training(nlp, self.corpus, self.n_steps)

    def run(self, nlp: Language) -> Outcome:
        """Train a pipeline and score it.

        nlp (Language): A new pipeline.
        RETURNS (Outcome): Scores and costs.
        """
        training = self.train(nlp)
        cpu, wall, words = time.process_time(), time.perf_counter(), 0
        for info in training:
            words = info["words"]
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        test = self.corpus.test
        test_scores = training.score(test) if test else {}
        return Outcome(training.score(self.corpus.dev), test_scores, cpu, wall, words)


class Training:
    """The training of one pipeline."""

    def __init__(self, nlp: Language, corpus: SharedCorpus, n_steps: int) -> None:
        """Prepare spaCy's loop.

        nlp (Language): A new pipeline.
        corpus (SharedCorpus): The documents.
        n_steps (int): When to stop.
        """
        self.nlp = nlp
        self.corpus = corpus
        settings = nlp.config.interpolate()["training"]
        resolved: Any = registry.resolve(settings, schema=ConfigSchemaTraining)
        self.optimizer = resolved["optimizer"]
        self._loop = train_while_improving(
            nlp,
            self.optimizer,
            create_train_batches(nlp, lambda _: corpus.train, resolved["batcher"], 0),
            lambda: (0.0, {}),
            dropout=resolved["dropout"],
            accumulate_gradient=1,
            patience=0,
            max_steps=max(n_steps - 1, 1),
            eval_frequency=NEVER,
            exclude=[],
            annotating_components=[],
            before_update=None,
        )

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """YIELDS (Dict[str, Any]): What spaCy says after each step."""
        for _, info, _ in self._loop:
            yield info

    def score(self, examples: Sequence[Example]) -> dict[str, float]:
        """Score the running averages of the parameters.

        examples (Sequence[Example]): The documents to score on.
        RETURNS (Dict[str, float]): Percent, by the names in `SCORES`.
        """
        with self.nlp.use_params(self.optimizer.averages):
            scores = self.nlp.evaluate(examples)
        return {
            name: 100.0 * scores[key] for name, key in SCORES.items() if scores.get(key) is not None
        }


def make_config(
    heads: Sequence[str],
    balancer: Mapping[str, Any],
    budget: Budget,
    n_steps: int,
    level: str = "hub",
) -> Config:
    """Make the config of a run.

    heads (Sequence[str]): Some of `HEADS`, and `SCAFFOLD`.
    balancer (Mapping[str, Any]): The block `[components.tok2vec.balancer]`.
    budget (Budget): Sizes, batches and learning rate.
    n_steps (int): The number of steps, for the learning rate.
    level (str): Where gradients are compared, "hub" or "parameters".
    RETURNS (Config): The config.
    """
    config = Config().from_str(TRAINING)
    names = ["tok2vec", *heads]
    config["nlp"]["pipeline"] = names
    components = config["components"] = {name: config["components"][name] for name in names}
    components["tok2vec"].update(balancer=dict(balancer), level=level)
    components["tok2vec"]["model"].update(width=budget.width, depth=budget.depth)
    for head in heads:
        components[head].setdefault("model", {})["tok2vec"] = {
            "@architectures": "spacy.Tok2VecListener.v1",
            "width": budget.width,
            "upstream": "tok2vec",
        }
    training = config["training"]
    training["batcher"]["size"] = budget.batch_words
    training["optimizer"]["learn_rate"].update(
        warmup_steps=max(n_steps // 10, 1),
        total_steps=n_steps,
        initial_rate=budget.learn_rate,
    )
    return config
