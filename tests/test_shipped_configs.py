"""What spaCy documents for a pipeline works with every shipped config, in `spacy train` or not."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from spacy.cli.debug_model import debug_model
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.util import load_config, load_model_from_config, registry
from spacy.vocab import Vocab
from thinc.api import Config, fix_random_seed

from tests.trained import CONFIGS, make_docs, run, save

SMALL = {
    "components.tok2vec.model.width": 16,
    "components.tok2vec.model.embed_size": 100,
    "components.tok2vec.model.depth": 1,
}
SHIPPED = sorted(CONFIGS.glob("*.cfg"))


@dataclass(frozen=True)
class Shipped:
    """A shipped config, a corpus for it, and a pipeline initialized on that.

    config (Path): The config.
    overrides (Dict[str, Any]): A small network, and the corpus for all [paths] of the config.
    model (Path): The saved pipeline.
    """

    config: Path
    overrides: dict[str, Any]
    model: Path

    @property
    def arguments(self) -> list[str]:
        return [part for key, value in self.overrides.items() for part in (f"--{key}", str(value))]

    def load_config(self, **overrides: Any) -> Config:
        return load_config(self.config, {**self.overrides, **overrides}, interpolate=False)

    def load(self) -> Language:
        return spacy.load(self.model)


@pytest.fixture(scope="module", params=SHIPPED, ids=lambda path: path.name)
def shipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    folder = tmp_path_factory.mktemp(request.param.stem)
    corpus = str(save(one_category_each(), folder / "docs.spacy"))
    paths = set(load_config(request.param)["paths"]) - {"vectors", "init_tok2vec"}
    overrides = {**SMALL, **{f"paths.{name}": corpus for name in paths}}
    config = load_config(request.param, overrides, interpolate=False)
    init_nlp(config).to_disk(folder / "model")
    return Shipped(request.param, overrides, folder / "model")


def one_category_each(vocab: Vocab | None = None) -> list[Doc]:
    docs = make_docs(vocab)
    for doc in docs:
        doc.cats = {"GOOD": doc.cats["GOOD"], "BAD": 1.0 - doc.cats["GOOD"]}
    return docs


def examples_of(nlp: Language) -> list[Example]:
    return [Example(nlp.make_doc(doc.text), doc) for doc in one_category_each(nlp.vocab)]


def learn(nlp: Language, optimizer: Any, n_steps: int = 3) -> list[float]:
    """RETURNS (List[float]): The sum of the heads' losses of each step."""
    sums = []
    for _ in range(n_steps):
        losses = nlp.update(examples_of(nlp), sgd=optimizer)
        sums.append(sum(float(loss) for name, loss in losses.items() if name != "tok2vec"))
    return sums


def test_training_can_be_resumed(shipped: Shipped) -> None:
    nlp = shipped.load()
    fix_random_seed(0)
    optimizer = nlp.resume_training()
    assert optimizer.learn_rate > 0
    losses = learn(nlp, optimizer)
    assert losses[-1] < losses[0]
    assert nlp.evaluate(examples_of(nlp))["token_acc"] == 1.0


def test_update_makes_an_optimizer_that_learns(shipped: Shipped) -> None:
    nlp = shipped.load()
    fix_random_seed(0)
    losses = learn(nlp, None)
    assert losses[-1] < losses[0]


def test_optimizer_can_be_made_with_and_without_a_saved_pipeline(shipped: Shipped) -> None:
    blank = load_model_from_config(shipped.load_config(), auto_fill=True)
    rates = {nlp.create_optimizer().learn_rate for nlp in (shipped.load(), blank)}
    assert rates == {
        load_config(shipped.config)["training"]["optimizer"]["learn_rate"]["initial_rate"]
    }


def test_initialize_needs_no_optimizer(shipped: Shipped) -> None:
    nlp = load_model_from_config(shipped.load_config(), auto_fill=True)
    optimizer = nlp.initialize(lambda: examples_of(nlp))
    assert learn(nlp, optimizer, 1)


@pytest.mark.parametrize("max_steps", [10, 600])
def test_learning_rate_ends_where_the_training_does(shipped: Shipped, max_steps: int) -> None:
    config = shipped.load_config(**{"training.max_steps": max_steps}).interpolate()
    training = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    settings = config["training"]["optimizer"]["learn_rate"]
    expected = registry.resolve({"rate": {**settings, "@schedules": "warmup_linear.v1"}})["rate"]
    optimizer = training["optimizer"]
    for _, rate in zip(range(max_steps), expected, strict=False):
        assert optimizer.learn_rate == rate
        optimizer.step_schedules()
    assert optimizer.learn_rate == pytest.approx(0.0) or max_steps < settings["warmup_steps"]


def test_debug_data(shipped: Shipped) -> None:
    result = run("debug", "data", shipped.config, *shipped.arguments)
    assert isinstance(result.exception, SystemExit)  # it always fails for so few documents
    assert "Pipeline can be initialized with data" in result.output


def test_debug_model(shipped: Shipped) -> None:
    config = shipped.load_config().interpolate()
    nlp = load_model_from_config(config, auto_fill=True)
    training = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    head = next(name for name in ("ner", "srl", "textcat") if name in nlp.pipe_names)
    for name in ("tok2vec", head):
        debug_model(config, training, nlp, nlp.get_pipe(name))


def test_package(shipped: Shipped, tmp_path: Path) -> None:
    result = run("package", shipped.model, tmp_path, "--build", "none", "--name", "tiny")
    assert result.exit_code == 0, result.output
    (meta,) = tmp_path.glob("*/meta.json")
    assert [entry for entry in srsly.read_json(meta)["requirements"] if "spacy-mtl" in entry]


def test_fill_config_and_debug_config(shipped: Shipped, tmp_path: Path) -> None:
    result = run("init", "fill-config", shipped.config, tmp_path / "filled.cfg")
    assert result.exit_code == 0, result.output
    assert load_config(tmp_path / "filled.cfg") == load_config(shipped.config)
    result = run("debug", "config", shipped.config, *shipped.arguments)
    assert result.exit_code == 0, result.output
