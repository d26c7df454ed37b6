"""Write a faster pipeline with identical annotations."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import srsly
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import load_config, load_model
from thinc.api import Config, Model

from .annotations import Difference, differences
from .products import fastest_product, product_rates
from .speed import compare_speed
from .trunks import (
    ARCHITECTURE,
    converted_encoder,
    encoder_blocks,
    encoder_nodes,
    encoder_settings,
)

CALLBACK = "spacy_mtl.fast_products.v1"
STOCK_TOKENIZER, TOKENIZER = "spacy.Tokenizer.v1", "spacy_mtl.FastTokenizer.v1"
SEARCHES = {
    "ner": ("mtl_fast_ner", "search for entities"),
    "parser": ("mtl_fast_parser", "search for arcs"),
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
) -> Report:
    """Write a pipeline that annotates as another does, faster. Nothing is trained.

    model (Union[str, Path]): Name or folder of the pipeline.
    output (Union[str, Path]): Folder for the new pipeline.
    texts (Sequence[str]): Texts on which the pipelines are compared.
    n_rounds (int): Rounds of the speed measurement.
    force (bool): Whether to write over an existing folder.
    keep (bool): Whether to write the pipeline although annotations differ.
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
        report.differences = list(differences(list(stock.pipe(texts)), list(fast.pipe(texts))))
        docs = [stock.make_doc(text) for text in texts]
        report.words = sum(map(len, docs))
        report.before, report.after = compare_speed(stock, fast, docs, n_rounds)
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
        if config["components"][name].get("factory") in SEARCHES:
            factory, what = SEARCHES[config["components"][name]["factory"]]
            config["components"][name]["factory"] = factory
            report.replaced.setdefault(name, []).append(what)
    if config["nlp"].get("tokenizer") == {"@tokenizers": STOCK_TOKENIZER}:
        config["nlp"]["tokenizer"] = {"@tokenizers": TOKENIZER}
        report.replaced["tokenizer"] = ["search for affixes"]
    previous = resolved["nlp"].get("after_pipeline_creation")
    config["nlp"]["after_pipeline_creation"] = {
        "@callbacks": CALLBACK,
        "product": "auto",
        "then": previous,
    }
    for name, component in components.items():
        _note_product(name, component, report)
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


def _note_product(name: str, component: Any, report: Report) -> None:
    model = getattr(component, "model", None)
    if not isinstance(model, Model):
        report.kept[name] = "it has no network"
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
