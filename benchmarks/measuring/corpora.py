"""The corpora of the comparison: the one embedded in this repository, and converted ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from zlib import crc32

import spacy
from spacy.tokens import Doc, DocBin, Span, SpanGroup

from spacy_mtl.srl.formats.inline import read_inline

PARTS = ("test", "dev", "train")
PREDICATE = "V"
TRAIN_WORDS = 100_000  # as many as the few steps of training before the timing see


@dataclass(frozen=True)
class SpeedCorpus:
    """A corpus with a part to train on.

    name (str): Its name in tables.
    train (Path): The `.spacy` file of the documents to train on.
    docs (List[Doc]): All documents, those not trained on first.
    """

    name: str
    train: Path
    docs: list[Doc]

    def gold_counts(self) -> dict[str, float]:
        """RETURNS (Dict[str, float]): Annotated entities and frames per 1000 words."""
        n_words = sum(map(len, self.docs))
        found = count_annotation(self.docs)
        return {name: 1000 * found[name] / n_words for name in ("entities", "frames")}


def read_converted(folder: Path, cache: Path) -> SpeedCorpus:
    """Read a corpus of `.spacy` files.

    folder (Path): Holds `train.spacy`, `dev.spacy` and `test.spacy`.
    cache (Path): The folder that gets the part to train on.
    RETURNS (SpeedCorpus): The corpus.
    RAISES (ValueError): If a file is missing.
    """
    paths = {part: folder / f"{part}.spacy" for part in PARTS}
    missing = [str(path) for path in paths.values() if not path.is_file()]
    if missing:
        raise ValueError(f"{', '.join(missing)} missing; run `python -m spacy project run` first.")
    vocab = spacy.blank("en").vocab
    docs = {part: list(DocBin().from_disk(path).get_docs(vocab)) for part, path in paths.items()}
    train = cache / f"{folder.name}-train.spacy"
    cache.mkdir(parents=True, exist_ok=True)
    DocBin(docs=_first_words(docs["train"], TRAIN_WORDS)).to_disk(train)
    return SpeedCorpus(folder.name, train, [doc for part in PARTS for doc in docs[part]])


def _first_words(docs: Sequence[Doc], n_words: int) -> list[Doc]:
    """As many documents as have so many tokens."""
    ends = accumulate(map(len, docs))
    return [doc for doc, end in zip(docs, ends, strict=True) if end - len(doc) < n_words]


def read_embedded(source: Path, cache: Path) -> SpeedCorpus:
    """Convert the corpus embedded in the repository, without generated text.

    source (Path): `assets/corpus`.
    cache (Path): The folder that gets the `.spacy` files.
    RETURNS (SpeedCorpus): The corpus.
    """
    tokenizer = spacy.blank("en").tokenizer
    folder = cache / "embedded"
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        docs = [
            doc
            for path in sorted((source / part).glob("*.txt"))
            for doc in read_inline(path, tokenizer)
        ]
        DocBin(docs=docs).to_disk(folder / f"{part}.spacy")
    return read_converted(folder, cache)


def count_annotation(docs: Iterable[Doc]) -> dict[str, int]:
    """Count what documents are annotated with.

    docs (Iterable[Doc]): The documents.
    RETURNS (Dict[str, int]): Tokens, entities, frames, and documents with categories.
    """
    counts = {"tokens": 0, "entities": 0, "frames": 0, "categorized": 0}
    for doc in docs:
        counts["tokens"] += len(doc)
        counts["entities"] += len(doc.ents)
        counts["frames"] += sum(span.label_ == PREDICATE for span in doc.spans.get("srl", ()))
        counts["categorized"] += bool(doc.cats)
    return counts


def write_relabelled(source: Path, target: Path, *, entity_labels: int, roles: int) -> None:
    """Write a corpus with other numbers of labels, told by the beginning of a span.

    source (Path): A `.spacy` file.
    target (Path): The `.spacy` file to write.
    entity_labels (int): The number of entity labels.
    roles (int): The number of roles.
    """
    vocab = spacy.blank("en").vocab
    docs = list(DocBin().from_disk(source).get_docs(vocab))
    for doc in docs:
        doc.ents = [
            Span(doc, entity.start, entity.end, f"E{_bucket(entity, entity_labels)}")
            for entity in doc.ents
        ]
        if "srl" in doc.spans:
            spans = [_relabelled_role(span, roles) for span in doc.spans["srl"]]
            doc.spans["srl"] = SpanGroup(doc, name="srl", spans=spans)
    target.parent.mkdir(parents=True, exist_ok=True)
    DocBin(docs=docs).to_disk(target)


def _relabelled_role(span: Span, n_labels: int) -> Span:
    if span.label_ == PREDICATE:
        return span
    label = f"A{_bucket(span, n_labels)}"
    return Span(span.doc, span.start, span.end, label, span_id=span.id)


def _bucket(span: Span, n_buckets: int) -> int:
    return crc32(span[0].lower_.encode()) % n_buckets


def find_corpora(folders: Sequence[Path], embedded: Path, cache: Path) -> list[SpeedCorpus]:
    """Read the corpora that are there: converted ones first, the embedded one last.

    folders (Sequence[Path]): Folders of converted corpora; those that do not exist are left out.
    embedded (Path): `assets/corpus`.
    cache (Path): A folder for the converted embedded corpus.
    RETURNS (List[SpeedCorpus]): The corpora; the first is the one for the long measurements.
    """
    found = [read_converted(folder, cache) for folder in folders if folder.is_dir()]
    return [*found, read_embedded(embedded, cache)]
