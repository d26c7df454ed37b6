"""Writing a pipeline with some heads of another."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from spacy.language import Language
from spacy.util import load_config, load_model
from thinc.api import Config

from ..trunk.links import find_trunks
from .compare import find_differences
from .needs import find_reasons
from .remove_components import forget_in_config, remove_components, scores_only_of

SHOWN_DIFFERENCES = 10


@dataclass
class Extraction:
    """What was done.

    heads (List[str]): The heads, in the order of the pipeline.
    needed (Dict[str, str]): By other component that was kept: why.
    missed (Dict[str, str]): By component that was left out although a head reads what it writes:
        why it would be needed.
    removed (List[str]): The components that were left out.
    differences (List[str]): Where a head annotates otherwise; the first ten.
    removed_vectors (bool): Whether word vectors were left out.
    bytes_before (int): The size of the whole pipeline.
    bytes_after (int): The size of the new pipeline.
    """

    heads: list[str]
    needed: dict[str, str]
    missed: dict[str, str]
    removed: list[str]
    differences: list[str] = field(default_factory=list)
    removed_vectors: bool = False
    bytes_before: int = 0
    bytes_after: int = 0


def extract(
    model: str | Path,
    output: str | Path,
    heads: Sequence[str],
    texts: Sequence[str],
    *,
    only: bool = False,
    force: bool = False,
    keep: bool = False,
) -> Extraction:
    """Write a pipeline with some heads of another, and what they need.

    The heads' annotations are compared with those of the whole pipeline.

    model (Union[str, Path]): Name or folder of the whole pipeline.
    output (Union[str, Path]): Folder for the new pipeline.
    heads (Sequence[str]): The names of the components to keep.
    texts (Sequence[str]): Texts on which the pipelines are compared.
    only (bool): Whether to leave out everything but the heads and their trunks, such as the
        component that finds the sentences in which a head works. Annotations may differ then.
    force (bool): Whether to write over an existing folder.
    keep (bool): Whether to write the pipeline although annotations differ.
    RETURNS (Extraction): What was done. If it has differences, nothing is written unless `only` or
        `keep` is set.
    RAISES (ValueError): If there is no such head, or the output exists.
    """
    output = Path(output)
    if output.exists() and not force:
        raise ValueError(f"'{output}' exists. Give another folder, or --force to write over it.")
    nlp = load_model(model)
    report = plan(nlp, heads, only=only)
    with tempfile.TemporaryDirectory() as temporary:
        whole, part = Path(temporary) / "whole", Path(temporary) / "part"
        nlp.to_disk(whole)
        report.removed_vectors = save_part(nlp, part, report.removed)
        report.bytes_before, report.bytes_after = size_of(whole), size_of(part)
        report.differences = list(
            islice(
                find_differences(load_model(model), load_model(part), report.heads, texts),
                SHOWN_DIFFERENCES,
            )
        )
        if not report.differences or only or keep:
            if output.exists():
                shutil.rmtree(output)
            output.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(part, output)
    return report


def plan(nlp: Language, heads: Sequence[str], *, only: bool) -> Extraction:
    """Decide which components to keep.

    nlp (Language): The whole pipeline.
    heads (Sequence[str]): The names of the components to keep.
    only (bool): Whether to keep nothing else but trunks.
    RETURNS (Extraction): The decision.
    RAISES (ValueError): If there is no such component, or none is named.
    """
    unknown = [name for name in heads if name not in nlp.component_names]
    if unknown or not heads:
        found = f"has no {', '.join(map(repr, unknown))}" if unknown else "needs at least one head"
        raise ValueError(
            f"The pipeline {found}. --heads takes names of components, separated by commas, out of "
            f"these: {', '.join(nlp.component_names)}."
        )
    reasons = find_reasons(nlp, heads)
    trunks = {trunk for head in heads for trunk in find_trunks(nlp, head)}
    needed = {name: why for name, why in reasons.items() if name in trunks or not only}
    kept = {*heads, *needed}
    return Extraction(
        heads=[name for name in nlp.component_names if name in heads],
        needed={name: needed[name] for name in nlp.component_names if name in needed},
        missed={name: why for name, why in reasons.items() if name not in kept},
        removed=[name for name in nlp.component_names if name not in kept],
    )


def save_part(nlp: Language, folder: Path, removed: Sequence[str]) -> bool:
    """Save a pipeline without some of its components.

    nlp (Language): The pipeline; it is changed.
    folder (Path): Where to save it.
    removed (Sequence[str]): The components to leave out.
    RETURNS (bool): Whether word vectors were left out.
    """
    scores = scores_only_of(nlp, removed)
    resolved = nlp.config.interpolate()
    has_lost_vectors = remove_components(nlp, removed)
    nlp.to_disk(folder)
    config = load_config(folder / "config.cfg", interpolate=False)
    try:
        config.interpolate()
    except Exception:  # a variable points into a block of a component that was left out
        config = _without_variables(resolved, nlp)
    forget_in_config(config, removed, scores)
    if has_lost_vectors:
        config["initialize"]["vectors"] = None
    config.to_disk(folder / "config.cfg")
    return has_lost_vectors


def size_of(folder: Path) -> int:
    """RETURNS (int): The bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _without_variables(resolved: Config, nlp: Language) -> Config:
    config = Config(resolved)
    config["nlp"]["pipeline"] = list(nlp.component_names)
    config["nlp"]["disabled"] = list(nlp.disabled)
    config["components"] = {name: config["components"][name] for name in nlp.component_names}
    return config
