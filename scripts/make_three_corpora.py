"""Make three corpora that share no document, each with one kind of annotation.

Entities and semantic roles come from the two halves of the English Web Treebank as
`convert_ewt.py` writes it (every other document), the category "positive" or "negative" from the
sentences that Kotzias et al. (2015) took from reviews of products, films and restaurants
(https://doi.org/10.24432/C57604). Every fifth of these sentences is for development; for the other
two tasks it is the treebank's own development documents, which have both annotations.
"""

import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import spacy
import typer
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from wasabi import msg

SRL_GROUP = "srl"
SOURCES = ("amazon_cells", "imdb", "yelp")
CATEGORIES = {"1": "positive", "0": "negative"}
DEV_EVERY = 5


def read_sentiment(archive: Path, nlp: Language) -> Iterator[Doc]:
    """Read the sentences with their category.

    archive (Path): The zip file as published.
    nlp (Language): Its tokenizer makes the documents.
    YIELDS (Doc): One document per sentence.
    RAISES (ValueError): If a file is missing or a line has no category.
    """
    with zipfile.ZipFile(archive) as files:
        for source in SOURCES:
            names = [name for name in files.namelist() if name.endswith(f"/{source}_labelled.txt")]
            names = [name for name in names if not name.startswith("__MACOSX")]
            if len(names) != 1:
                raise ValueError(f"{archive} has {len(names)} files {source}_labelled.txt, not one")
            lines = files.read(names[0]).decode("utf8").split("\n")
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _read_line(line, nlp, f"{archive}: {names[0]}, line {number}")


def _read_line(line: str, nlp: Language, place: str) -> Doc:
    text, separator, label = line.rpartition("\t")
    if not separator or label.strip() not in CATEGORIES:
        raise ValueError(f"{place} does not end in a tab and 0 or 1, but in {line[-20:]!r}")
    doc = nlp.make_doc(" ".join(text.split()))
    right = CATEGORIES[label.strip()]
    doc.cats = {name: float(name == right) for name in sorted(CATEGORIES.values())}
    return doc


def only_entities(doc: Doc) -> Doc:
    """RETURNS (Doc): A copy with entities and sentences alone."""
    copied = doc.copy()
    copied.cats = {}
    del copied.spans[SRL_GROUP]
    return copied


def only_roles(doc: Doc) -> Doc:
    """RETURNS (Doc): A copy with semantic roles and sentences alone."""
    copied = doc.copy()
    copied.cats = {}
    copied.set_ents([], default="missing")
    return copied


def without_categories(doc: Doc) -> Doc:
    """RETURNS (Doc): A copy with entities, semantic roles and sentences."""
    copied = doc.copy()
    copied.cats = {}
    return copied


def save(docs: Iterable[Doc], path: Path) -> Counter[str]:
    """Write a `.spacy` file.

    docs (Iterable[Doc]): The documents.
    path (Path): The file; its folder is made.
    RETURNS (Counter[str]): What it holds.
    """
    docs = list(docs)
    path.parent.mkdir(parents=True, exist_ok=True)
    DocBin(docs=docs, store_user_data=False).to_disk(path)
    counts: Counter[str] = Counter(documents=len(docs), words=sum(map(len, docs)))
    counts["entities"] = sum(len(doc.ents) for doc in docs)
    counts["spans of roles"] = sum(len(doc.spans.get(SRL_GROUP, [])) for doc in docs)
    counts["categories"] = sum(bool(doc.cats) for doc in docs)
    return counts


def make_three_corpora(ewt: Path, sentiment: Path, out: Path) -> dict[str, Counter[str]]:
    """Write `train/entities.spacy`, `train/roles.spacy`, `train/sentiment.spacy`, and for
    development `dev/treebank.spacy` and `dev/sentiment.spacy`.

    ewt (Path): Folder with `train.spacy` and `dev.spacy`.
    sentiment (Path): The zip file of the sentences.
    out (Path): Where to write.
    RETURNS (Dict[str, Counter[str]]): By file, what it holds.
    RAISES (ValueError): If a file is missing or not as it should be.
    """
    for path in (ewt / "train.spacy", ewt / "dev.spacy", sentiment):
        if not path.is_file():
            raise ValueError(f"{path} does not exist; python -m spacy project run three makes it")
    nlp = spacy.blank("en")
    train = list(DocBin().from_disk(ewt / "train.spacy").get_docs(nlp.vocab))
    dev = list(DocBin().from_disk(ewt / "dev.spacy").get_docs(nlp.vocab))
    sentences = list(read_sentiment(sentiment, nlp))
    is_dev = [number % DEV_EVERY == DEV_EVERY - 1 for number in range(len(sentences))]
    files = {
        "train/entities.spacy": [only_entities(doc) for doc in train[::2]],
        "train/roles.spacy": [only_roles(doc) for doc in train[1::2]],
        "train/sentiment.spacy": [
            doc for doc, held in zip(sentences, is_dev, strict=True) if not held
        ],
        "dev/treebank.spacy": [without_categories(doc) for doc in dev],
        "dev/sentiment.spacy": [doc for doc, held in zip(sentences, is_dev, strict=True) if held],
    }
    return {name: save(docs, out / name) for name, docs in files.items()}


def main(
    ewt: Annotated[Path, typer.Argument(help="Folder with train.spacy and dev.spacy")],
    sentiment: Annotated[Path, typer.Argument(help="sentiment+labelled+sentences.zip")],
    out: Annotated[Path, typer.Argument(help="Folder to write to")],
) -> None:
    """Make three corpora from the English Web Treebank and from labelled sentences."""
    try:
        counts = make_three_corpora(ewt, sentiment, out)
    except ValueError as error:
        msg.fail(str(error), exits=1)
    columns = list(next(iter(counts.values())))
    rows = [(name, *(f"{found[column]:,}" for column in columns)) for name, found in counts.items()]
    msg.table(rows, header=("file", *columns), divider=True, aligns=["l"] + ["r"] * len(columns))


if __name__ == "__main__":
    typer.run(main)
