"""Write a faster pipeline with identical annotations."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import srsly
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import load_config, load_model
from thinc.api import Config, Model
from tqdm import tqdm

from .annotations import Difference, differences
from .attribute_ruler import why_not_looked_up
from .lemmatizer import why_not_cached
from .products import fastest_product, product_rates
from .speed import compare_speed
from .trunks import ARCHITECTURE, converted_encoder, encoder_blocks, encoder_nodes, encoder_settings

CALLBACK = "spacy_mtl.gemm_backend.v1"
STOCK_TOKENIZER, TOKENIZER = "spacy.Tokenizer.v1", "spacy_mtl.FastTokenizer.v1"


@dataclass(frozen=True)
class Replacement:
    """A factory in place of one of spaCy's, with the same settings.

    factory (str): The factory.
    what (str): What it does faster.
    why_not (Optional[Callable[[Any], Optional[str]]]): Tells why a component is to be left as it
        is, None if it isn't; all are replaced where there is no such function.
    """

    factory: str
    what: str
    why_not: Callable[[Any], str | None] | None = None


FACTORIES = {
    "ner": Replacement("mtl_fast_ner", "search for entities"),
    "parser": Replacement("mtl_fast_parser", "search for arcs"),
    "attribute_ruler": Replacement(
        "mtl_fast_attribute_ruler", "search for rules", why_not_looked_up
    ),
    "lemmatizer": Replacement("mtl_fast_lemmatizer", "look-up of lemmas", why_not_cached),
}


@dataclass
class Report:
    """What was done to a pipeline.

    replaced (Dict[str, List[str]]): By component, what was replaced.
    kept (Dict[str, str]): By component, why it was left as it was.
    product (str): The matrix product that is quickest here.
    rates (Dict[str, float]): By matrix product, billions of operations per second.
    differences (List[Difference]): What is annotated otherwise.
    words (int): The number of words of the sample.
    before (float): Words per second of the original pipeline.
    after (float): Words per second of the new pipeline.
    """

    replaced: dict[str, list[str]] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    product: str = ""
    rates: dict[str, float] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    words: int = 0
    before: float = 0.0
    after: float = 0.0


def accelerate(
    model: str | Path,
    output: str | Path,
    texts: Sequence[str],
    *,
    n_rounds: int = 3,
    force: bool = False,
    keep: bool = False,
    progress: bool = False,
) -> Report:
    """Write a pipeline that annotates as another does, faster. Nothing is trained.

    model (Union[str, Path]): Name or folder of the pipeline.
    output (Union[str, Path]): Folder for the new pipeline.
    texts (Sequence[str]): Texts on which the pipelines are compared.
    n_rounds (int): Rounds of the speed measurement.
    force (bool): Whether to write over an existing folder.
    keep (bool): Whether to write the pipeline although annotations differ.
    progress (bool): Whether to show a progress bar on the standard error, if that is a terminal.
    RETURNS (Report): What was replaced and measured. If it has differences, nothing is written
        unless `keep` is set.
    RAISES (ValueError): If the output exists, or there is no text.
    """
    output = Path(output)
    if output.exists() and not force:
        raise ValueError(f"'{output}' exists. Give another folder, or --force to write over it.")
    if not any(text.strip() for text in texts):
        raise ValueError("The sample holds no text. Annotations can't be compared without any.")
    stock = load_model(model)
    report = Report(product=fastest_product(), rates=product_rates())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "pipeline"
        convert(load_model(model), folder, [stock.make_doc(text) for text in texts[:20]], report)
        fast = load_model(folder)
        bar = partial(tqdm, disable=None if progress else True, leave=False)
        before = bar(stock.pipe(texts), total=len(texts), desc="Comparing", unit="text")
        report.differences = list(differences(before, fast.pipe(texts)))
        docs = [stock.make_doc(text) for text in texts]
        report.words = sum(map(len, docs))
        rounds = bar(range(n_rounds), desc="Measuring speed", unit="round")
        report.before, report.after = compare_speed(stock, fast, docs, rounds)
        if not report.differences or keep:
            if output.exists():
                shutil.rmtree(output)
            output.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(folder, output)
    return report


def convert(nlp: Language, folder: Path, docs: Sequence[Doc], report: Report) -> None:
    """Replace the slow parts of a pipeline and save it.

    nlp (Language): The pipeline; it is changed.
    folder (Path): Where to save it.
    docs (Sequence[Doc]): Tokenized documents to compare encoders on.
    report (Report): Filled with what was replaced and kept.
    """
    components = dict(nlp.components)
    blocks = {name: _replace_encoder(nlp, name, docs, report) for name in components}
    nlp.to_disk(folder)
    raw = load_config(folder / "config.cfg", interpolate=False)
    resolved = raw.interpolate()
    config = Config(raw)
    config["components"] = resolved["components"]
    for name, block in blocks.items():
        if block is not None:
            path, settings = block
            _put(config["components"][name]["model"], path, settings)
        _replace_factory(config["components"][name], name, components[name], report)
    if config["nlp"].get("tokenizer") == {"@tokenizers": STOCK_TOKENIZER}:
        config["nlp"]["tokenizer"] = {"@tokenizers": TOKENIZER}
        report.replaced["tokenizer"] = ["search for affixes"]
    else:
        report.kept["tokenizer"] = f"it is not {STOCK_TOKENIZER}"
    previous = resolved["nlp"].get("after_pipeline_creation")
    config["nlp"]["after_pipeline_creation"] = {
        "@callbacks": CALLBACK,
        "product": "auto",
        "then": previous,
    }
    for name, component in components.items():
        _note_product(name, component, report)
    order = ["tokenizer", *components]
    report.replaced = {name: report.replaced[name] for name in order if name in report.replaced}
    report.kept = {name: report.kept[name] for name in order if name in report.kept}
    try:
        config.interpolate()
    except Exception:  # a variable points into a block that was replaced
        resolved["components"] = config["components"]
        resolved["nlp"]["after_pipeline_creation"] = config["nlp"]["after_pipeline_creation"]
        config = resolved
    config.to_disk(folder / "config.cfg")
    _require_package(folder / "meta.json")


def _replace_encoder(
    nlp: Language, name: str, docs: Sequence[Doc], report: Report
) -> tuple[tuple[str, ...], dict[str, Any]] | None:
    """Replace a component's CNN: RETURNS the place of its block and the block, None if none."""
    component: Any = nlp.get_pipe(name) if name in nlp.pipe_names else dict(nlp.components)[name]
    model = getattr(component, "model", None)
    if not isinstance(model, Model):
        return None
    paths = encoder_blocks(nlp.config.interpolate()["components"][name].get("model", {}))
    nodes = encoder_nodes(model)
    if not nodes:
        return None
    if len(nodes) != 1 or len(paths) != 1:
        report.kept[name] = "its token encoder is not one block of the config"
        return None
    try:
        settings = encoder_settings(nodes[0])
        encoder = converted_encoder(nodes[0], settings, docs)
    except (ValueError, KeyError) as error:
        report.kept[name] = f"token encoder: {error}"
        return None
    if model is nodes[0]:
        component.model = encoder
    else:
        model.replace_node(nodes[0], encoder)
    report.replaced.setdefault(name, []).append("CNN")
    return paths[0], {"@architectures": ARCHITECTURE, **settings}


def _replace_factory(block: dict[str, Any], name: str, component: Any, report: Report) -> None:
    replacement = FACTORIES.get(block.get("factory", ""))
    if replacement is None:
        return
    reason = replacement.why_not(component) if replacement.why_not else None
    if reason is not None:
        report.kept[name] = reason
        return
    block["factory"] = replacement.factory
    report.replaced.setdefault(name, []).append(replacement.what)


def _note_product(name: str, component: Any, report: Report) -> None:
    model = getattr(component, "model", None)
    if not isinstance(model, Model):
        if name not in report.replaced:
            report.kept.setdefault(name, "it has no network")
    elif name in report.replaced and model.name == "hash_embed_cnn":
        return
    elif any("transformer" in node.name for node in model.walk()):
        report.kept[name] = "transformer: it runs in torch already"
    elif report.product != "blis":
        report.replaced.setdefault(name, []).append(f"matrix product ({report.product})")
    elif name not in report.replaced:
        report.kept.setdefault(name, "thinc's matrix product is the quickest here")


def _put(config: dict[str, Any], path: tuple[str, ...], block: dict[str, Any]) -> None:
    if not path:
        config.clear()
        config.update(block)
        return
    for key in path[:-1]:
        config = config[key]
    config[path[-1]] = block


def _require_package(meta_path: Path) -> None:
    """Let a pipeline's meta declare that it needs this package."""
    meta = srsly.read_json(meta_path)
    requirements = meta.setdefault("requirements", [])
    if not any(str(line).replace("_", "-").startswith("spacy-mtl") for line in requirements):
        try:
            requirements.append(f"spacy-mtl>={version('spacy-mtl')}")
        except PackageNotFoundError:
            requirements.append("spacy-mtl")
    srsly.write_json(meta_path, meta)
