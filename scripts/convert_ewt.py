"""Join three annotations of the English Web Treebank into training, development and test corpora.

Entities come from Universal NER, semantic roles from PropBank, words and syntax from Universal
Dependencies, and the genre from a document's name. Every document becomes one Doc:

- text, spaces, sentences, tags, morphology, lemmas and dependencies as in UD. Contractions are
  given by their parts; empty nodes have no place in the text and are left out.
- `doc.ents`: PER, LOC and ORG. The labels OTH and O (a slip: "B-O") count as no entity.
- `doc.cats`: the five genres, one of them 1.0.
- `doc.spans["srl"]`: the frames. PropBank's files hold no words and tell the tokens by position;
  in ten sentences UD splits the words otherwise, and the spans are moved to UD's words by aligning
  the tags. One document ends in a sentence without frames that UD does not have.

29 short documents have no `gold_skel` file. They count as annotated without a predicate (an empty
span group): PropBank's own lists of the splits name them, none of the 1145 files that exist is
without a frame, and 27 of the 29 documents have no verb at all; the others have a participle in
front of a noun, which PropBank mostly leaves alone. So the files with nothing in them were not
written.

The predicate's span is the one token that carries the roleset. What else PropBank brackets as the
predicate, such as the particle of "end up", gets the label C-V. The table's "arguments" are all
spans but V and C-V.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from spacy_mtl.srl.formats.alignment import align_tags
from spacy_mtl.srl.formats.conllu import ConlluSentence, read_conllu
from spacy_mtl.srl.formats.errors import FormatError
from spacy_mtl.srl.formats.gold_skel import (
    PREDICATE_REST_LABEL,
    SkelFrame,
    SkelSentence,
    read_gold_skel,
    split_predicate,
)
from spacy_mtl.srl.formats.iob2 import Iob2Sentence, read_iob2
from spacy_mtl.srl.frames import Argument, Frame, read_frames, write_frames

SPLITS = ("train", "dev", "test")
GENRES = ("weblog", "newsgroup", "email", "reviews", "answers")
ENTITY_LABELS = ("PER", "LOC", "ORG")
UNUSED_ENTITY_LABELS = ("OTH", "O")

EXPECTED: dict[str, dict[str, int]] = {
    "documents": {"train": 540, "dev": 318, "test": 316},
    "sentences": {"train": 12543, "dev": 2001, "test": 2077},
    "tokens": {"train": 204579, "dev": 25149, "test": 25097},
    "PER": {"train": 2873, "dev": 343, "test": 449},
    "LOC": {"train": 2698, "dev": 399, "test": 317},
    "ORG": {"train": 1434, "dev": 224, "test": 322},
    "frames": {"train": 40486, "dev": 4977, "test": 4799},
    "arguments": {"train": 81396, "dev": 9580, "test": 9329},
    "documents without frames": {"train": 0, "dev": 21, "test": 8},
    "aligned sentences": {"train": 6, "dev": 3, "test": 1},
}

_FETCH = "fetch it with: python -m spacy project assets"

Value = TypeVar("Value")


class CountError(ValueError):
    """The converted corpus is not as large as the release that the project was written for."""


@dataclass(frozen=True)
class SrlAnnotation:
    """What PropBank says about a document.

    path (Path): The file.
    sentences (list[SkelSentence]): The sentences of the file.
    """

    path: Path
    sentences: list[SkelSentence]


def convert_ewt(
    ud_dir: Path,
    uner_dir: Path,
    propbank_dir: Path,
    out_dir: Path,
    *,
    expected: Mapping[str, Mapping[str, int]] = EXPECTED,
) -> dict[str, Counter[str]]:
    """Write `train.spacy`, `dev.spacy` and `test.spacy`.

    ud_dir (Path): Folder with `en_ewt-ud-{train,dev,test}.conllu`.
    uner_dir (Path): Folder with `en_ewt-ud-{train,dev,test}.iob2`.
    propbank_dir (Path): PropBank's folder `data/google/ewt`, one folder per genre below it.
    out_dir (Path): Where to write; made if it does not exist. Nothing is written unless all splits
        have the expected counts.
    expected (Mapping[str, Mapping[str, int]]): Count by its name and the split.
    RETURNS (dict[str, Counter[str]]): For each split the counts by name.
    RAISES (FormatError): If a file does not follow its format or the sources disagree on a word.
    RAISES (CountError): If a count is not as expected.
    RAISES (FileNotFoundError): If a file of UD or Universal NER or a genre's folder is missing.
    """
    for genre in GENRES:
        if not (propbank_dir / genre).is_dir():
            raise FileNotFoundError(f"the folder {propbank_dir / genre} does not exist; {_FETCH}")
    vocab = Vocab()
    corpora: dict[str, DocBin] = {}
    counts: dict[str, Counter[str]] = {}
    for split in SPLITS:
        corpora[split] = DocBin()
        counts[split] = Counter()
        sources = _document_sources(ud_dir, uner_dir, split)
        for sentences, entities in track(sources, description=f"{split:5}", console=Console()):
            srl = _read_srl(propbank_dir, sentences[0].document)
            doc, aligned = build_doc(vocab, sentences, entities, srl)
            counts[split] += count_doc(doc)
            counts[split]["aligned sentences"] += aligned
            corpora[split].add(doc)
    check_counts(counts, expected)
    out_dir.mkdir(parents=True, exist_ok=True)
    for split, corpus in corpora.items():
        corpus.to_disk(out_dir / f"{split}.spacy")
    return counts


def _document_sources(
    ud_dir: Path, uner_dir: Path, split: str
) -> list[tuple[list[ConlluSentence], list[list[str]]]]:
    """Read a split and put sentences and entity tags together, by document.

    RETURNS: For each document its sentences and for each sentence its entity tags.
    """
    ud_path = ud_dir / f"en_ewt-ud-{split}.conllu"
    uner_path = uner_dir / f"en_ewt-ud-{split}.iob2"
    for path in (ud_path, uner_path):
        if not path.is_file():
            raise FileNotFoundError(f"{path} does not exist; {_FETCH}")
    tagged = {sentence.metadata.get("sent_id"): sentence for sentence in read_iob2(uner_path)}
    documents = []
    for document, group in groupby(read_conllu(ud_path), key=lambda sentence: sentence.document):
        sentences = list(group)
        if not document:
            raise FormatError(
                ud_path, sentences[0].line, "the sentence stands above the first '# newdoc id ='"
            )
        entities = []
        for sentence in sentences:
            partner = tagged.pop(sentence.metadata.get("sent_id"), None)
            entities.append(_entity_tags(ud_path, sentence, uner_path, partner))
        documents.append((sentences, entities))
    for sent_id, leftover in tagged.items():
        raise FormatError(
            uner_path, leftover.line, f"the sentence {sent_id!r} does not exist in {ud_path}"
        )
    return documents


def _entity_tags(
    ud_path: Path, sentence: ConlluSentence, uner_path: Path, tagged: Iob2Sentence | None
) -> list[str]:
    """The entity tags of a sentence, without the labels that are not used."""
    if tagged is None:
        raise FormatError(
            ud_path,
            sentence.line,
            f"the sentence {sentence.metadata.get('sent_id')!r} does not exist in {uner_path}",
        )
    for i, (word, expected) in enumerate(zip(tagged.words, sentence.words, strict=False)):
        if word != expected:
            raise FormatError(
                uner_path,
                tagged.line + i,
                f"found the word {word!r}, expected {expected!r} as in {ud_path}:{sentence.line}; "
                "the two files must be of the same release",
            )
    if len(tagged.words) != len(sentence.words):
        raise FormatError(
            uner_path,
            tagged.line,
            f"found {len(tagged.words)} words, expected {len(sentence.words)} as in "
            f"{ud_path}:{sentence.line}; the two files must be of the same release",
        )
    for i, tag in enumerate(tagged.tags):
        if tag != "O" and tag[2:] not in (*ENTITY_LABELS, *UNUSED_ENTITY_LABELS):
            raise FormatError(
                uner_path,
                tagged.line + i,
                f"found the label {tag[2:]!r}, expected one of "
                f"{', '.join((*ENTITY_LABELS, *UNUSED_ENTITY_LABELS))}",
            )
    return ["O" if tag[2:] in UNUSED_ENTITY_LABELS else tag for tag in tagged.tags]


def _read_srl(propbank_dir: Path, document: str) -> SrlAnnotation | None:
    """Read the frames of a document. RETURNS: None if PropBank has no file for it."""
    genre, _, name = document.partition("-")
    path = propbank_dir / genre / "00" / f"{name}.xml.gold_skel"
    if not path.is_file():
        return None
    return SrlAnnotation(path, list(read_gold_skel(path)))


def build_doc(
    vocab: Vocab,
    sentences: Sequence[ConlluSentence],
    entities: Sequence[Sequence[str]],
    srl: SrlAnnotation | None,
) -> tuple[Doc, int]:
    """Make a Doc of everything that is known about a document.

    vocab (Vocab): Vocabulary of the Doc.
    sentences (Sequence[ConlluSentence]): Its sentences.
    entities (Sequence[Sequence[str]]): IOB2 tags of each sentence.
    srl (SrlAnnotation | None): Its frames; None for a document in which PropBank found none.
    RETURNS (tuple[Doc, int]): The Doc, and the number of sentences that PropBank splits otherwise.
    RAISES (FormatError): If the sentences of PropBank are not those of UD.
    RAISES (ValueError): If the name of the document does not begin with a genre.
    """
    starts = [0]
    for sentence in sentences:
        starts.append(starts[-1] + len(sentence.words))
    doc = Doc(
        vocab,
        words=_joined(sentence.words for sentence in sentences),
        spaces=_joined(sentence.spaces for sentence in sentences),
        tags=_joined(sentence.tags for sentence in sentences),
        pos=_joined(sentence.pos for sentence in sentences),
        morphs=_joined(sentence.morphs for sentence in sentences),
        lemmas=_joined(sentence.lemmas for sentence in sentences),
        heads=[
            start + head
            for start, sentence in zip(starts, sentences, strict=False)
            for head in sentence.heads
        ],
        deps=["ROOT" if dep == "root" else dep for sent in sentences for dep in sent.deps],
        ents=_joined(entities),
    )
    doc.cats = genre_cats(sentences[0].document)
    frames: list[Frame] = []
    aligned = 0
    if srl is not None:
        for start, sentence, skel in zip(starts, sentences, _paired(srl, sentences), strict=False):
            token_map = align_tags(srl.path, skel, sentence)
            aligned += len(skel.tags) != len(sentence.words)
            for frame in skel.frames:
                frames.append(_build_frame(doc, start, srl.path, skel, frame, token_map))
    write_frames(doc, frames)
    return doc, aligned


def _joined(parts: Iterable[Iterable[Value]]) -> list[Value]:
    return [value for part in parts for value in part]


def genre_cats(document: str) -> dict[str, float]:
    """The genre of a document as categories.

    document (str): The document's name, e.g. "reviews-123456".
    RETURNS (dict[str, float]): All genres, one of them 1.0.
    RAISES (ValueError): If the name does not begin with a genre.
    """
    genre = document.partition("-")[0]
    if genre not in GENRES:
        raise ValueError(
            f"found the document {document!r}; expected a name that begins with one of the genres "
            f"{', '.join(GENRES)} and '-'"
        )
    return {label: float(label == genre) for label in GENRES}


def _paired(srl: SrlAnnotation, sentences: Sequence[ConlluSentence]) -> list[SkelSentence]:
    """The sentences of PropBank, one for each of UD. At the end may stand more without frames."""
    surplus = srl.sentences[len(sentences) :]
    if len(srl.sentences) < len(sentences) or any(sentence.frames for sentence in surplus):
        raise FormatError(
            srl.path,
            srl.sentences[-1].line if srl.sentences else 1,
            f"found {len(srl.sentences)} sentences, expected the {len(sentences)} that UD has in "
            f"{sentences[0].document!r}",
        )
    return srl.sentences[: len(sentences)]


def _build_frame(
    doc: Doc,
    offset: int,
    path: Path,
    skel: SkelSentence,
    frame: SkelFrame,
    token_map: Sequence[tuple[int, int] | None],
) -> Frame:
    """Move a frame to the words of the Doc."""
    spans = []
    for span in split_predicate(frame):
        words = [bounds for bounds in token_map[span.start : span.end] if bounds is not None]
        if not words:
            raise FormatError(
                path,
                skel.line + span.start,
                f"the {span.label} of {frame.roleset!r} has no word in UD's sentence",
            )
        spans.append((span.label, doc[offset + words[0][0] : offset + words[-1][1]]))
    (_, predicate), *arguments = spans
    return Frame(
        predicate[:1],
        frame.roleset,
        tuple(Argument(label, span) for label, span in arguments),
    )


def count_doc(doc: Doc) -> Counter[str]:
    """Count what a Doc holds.

    doc (Doc): A converted document.
    RETURNS (Counter[str]): Counts by name; "arguments" leaves out V and C-V.
    """
    frames = read_frames(doc)
    labels = Counter(argument.label for frame in frames for argument in frame.arguments)
    counts = Counter(ent.label_ for ent in doc.ents)
    counts["documents"] = 1
    counts["sentences"] = sum(1 for _ in doc.sents)
    counts["tokens"] = len(doc)
    counts["frames"] = len(frames)
    counts["arguments"] = labels.total() - labels[PREDICATE_REST_LABEL]
    counts["documents without frames"] = int(not frames)
    for genre, value in doc.cats.items():
        counts[genre] += int(value)
    return counts


def check_counts(
    counts: Mapping[str, Counter[str]], expected: Mapping[str, Mapping[str, int]]
) -> None:
    """Compare the counts with those of the release that the project was written for.

    counts (Mapping[str, Counter[str]]): For each split the counts by name.
    expected (Mapping[str, Mapping[str, int]]): Count by its name and the split.
    RAISES (CountError): If a count is not as expected; names all that are not.
    """
    wrong = [
        f"  {split} {name}: found {counts[split][name]}, expected {number}"
        for name, by_split in expected.items()
        for split, number in by_split.items()
        if counts[split][name] != number
    ]
    if wrong:
        raise CountError(
            "the sources are not of the releases that this project was written for (UD English-EWT "
            "2.9, its Universal NER tags, PropBank's release for it); nothing was written.\n"
            + "\n".join(wrong)
            + "\nCheck out the named releases below assets/ewt, or, if you mean to use newer ones, "
            "set EXPECTED in scripts/convert_ewt.py to what was found."
        )


def counts_table(counts: Mapping[str, Counter[str]]) -> Table:
    """Show the counts.

    counts (Mapping[str, Counter[str]]): For each split the counts by name.
    RETURNS (Table): One row per count, one column per split.
    """
    table = Table("")
    for split in counts:
        table.add_column(split, justify="right")
    for name in (*EXPECTED, *GENRES):
        table.add_row(name, *(f"{by_name[name]:,}" for by_name in counts.values()))
    return table


def main(
    ud_dir: Annotated[Path, typer.Argument(help="Folder with UD's en_ewt-ud-*.conllu")],
    uner_dir: Annotated[Path, typer.Argument(help="Folder with UNER's en_ewt-ud-*.iob2")],
    propbank_dir: Annotated[Path, typer.Argument(help="PropBank's folder data/google/ewt")],
    out_dir: Annotated[Path, typer.Argument(help="Where to write {train,dev,test}.spacy")],
) -> None:
    """Join entities, semantic roles and syntax of the English Web Treebank."""
    try:
        counts = convert_ewt(ud_dir, uner_dir, propbank_dir, out_dir)
    except (ValueError, FileNotFoundError) as error:
        typer.secho(f"✘ {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(code=1) from None
    Console().print(counts_table(counts))


if __name__ == "__main__":
    typer.run(main)
