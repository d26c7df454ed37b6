"""Words for formats that leave them out, from the treebank that the annotation was made on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from spacy.tokens import DocBin
from spacy.vocab import Vocab

from ..alignment import IndexedFrame
from .alignment import align_sequences
from .columns import read_blocks
from .conllu import ConlluSentence, read_conllu
from .doc_sentences import ATTRIBUTES, doc_sentences
from .errors import FormatError
from .penn import read_penn
from .report import ConversionReport
from .sentence import AnnotatedSentence

_PENN_SUFFIXES = (".mrg", ".parse", ".tree", ".ptb")
_SUFFIXES = (".conllu", ".spacy", *_PENN_SUFFIXES)
_LAYERS = ("tags", "pos", "morphs", "lemmas", "heads", "deps", "entities", "clusters")
_CARRIES = frozenset({*ATTRIBUTES, "spaces", "documents", "sentence IDs", "coreference"})


@dataclass
class Treebank:
    """The sentences of a treebank.

    sentences (list[AnnotatedSentence]): In the order of the files.
    """

    sentences: list[AnnotatedSentence]
    _by_id: dict[str, AnnotatedSentence] = field(init=False, repr=False)
    _by_document: dict[str, list[AnnotatedSentence]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._by_id = {}
        self._by_document = {}
        for sentence in self.sentences:
            if sentence.metadata.get("sent_id"):
                self._by_id[sentence.metadata["sent_id"]] = sentence
            if sentence.document:
                self._by_document.setdefault(sentence.document, []).append(sentence)

    def by_id(self, sentence_id: str) -> AnnotatedSentence | None:
        """Find a sentence.

        sentence_id (str): Its ID.
        RETURNS (AnnotatedSentence | None): The sentence, or None.
        """
        return self._by_id.get(sentence_id)

    def document(self, name: str) -> list[AnnotatedSentence] | None:
        """Find a document by its name, the name of its file, or what stands behind the genre in it:
        "google/ewt/email/00/mail_1.xml" finds "mail_1" and "email-mail_1".

        name (str): The name.
        RETURNS (list[AnnotatedSentence] | None): The sentences, or None.
        """
        stem = name.rsplit("/", 1)[-1]
        names = [name, stem, stem.removesuffix(".xml"), stem.split(".")[0], *_parents(name)]
        found = next((self._by_document[key] for key in names if key in self._by_document), None)
        if found is None:
            keys = [k for k in self._by_document if k.partition("-")[2] in names]
            found = self._by_document[keys[0]] if len(keys) == 1 else None
        return found

    @property
    def documents(self) -> Mapping[str, list[AnnotatedSentence]]:
        """The sentences of each document.

        RETURNS (Mapping[str, list[AnnotatedSentence]]): By the document's name.
        """
        return self._by_document


def _parents(name: str) -> list[str]:
    """Names as "email-mail_1" for "google/ewt/email/00/mail_1.xml"."""
    *folders, last = name.split("/")
    return [f"{folder}-{last.removesuffix('.xml')}" for folder in folders]


def read_treebank(paths: Iterable[str | Path]) -> Treebank:
    """Read a treebank.

    paths (Iterable[str | Path]): Files, and folders whose `.conllu`, `.spacy`, `.mrg`, `.parse`,
        `.tree` and `.ptb` files are read. A file of another kind has one word a line, in its first
        column, and an empty line behind each sentence.
    RETURNS (Treebank): Its sentences.
    RAISES (FileNotFoundError): If there is no such file, or no treebank in a folder.
    RAISES (FormatError): If a file does not follow its format.
    """
    sentences: list[AnnotatedSentence] = []
    for path in map(Path, paths):
        files = [path]
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)
        if not files or not files[0].is_file():
            raise FileNotFoundError(
                f"'{path}' is no treebank: there is no such file, or the folder has none that ends"
                f" in {', '.join(_SUFFIXES)}"
            )
        for file in files:
            sentences += _read_file(file)
    return Treebank(sentences)


def _read_file(path: Path) -> Iterator[AnnotatedSentence]:
    if path.suffix == ".conllu":
        for sentence in read_conllu(path):
            yield _from_conllu(path, sentence)
    elif path.suffix == ".spacy":
        docs = DocBin(store_user_data=True).from_disk(path).get_docs(Vocab())
        for found in doc_sentences(docs, _CARRIES, ConversionReport()):
            yield replace(found, path=str(path), frames=None)
    elif path.suffix in _PENN_SUFFIXES:
        yield from read_penn(path)
    else:
        for block in read_blocks(path):
            words = [row[0] for row in block.rows]
            yield AnnotatedSentence(path=str(path), lines=block.lines, words=words)


def _from_conllu(path: Path, sentence: ConlluSentence) -> AnnotatedSentence:
    return AnnotatedSentence(
        path=str(path),
        lines=[sentence.line] * len(sentence.words),
        document=sentence.document,
        words=sentence.words,
        spaces=sentence.spaces,
        tags=sentence.tags,
        pos=sentence.pos,
        morphs=sentence.morphs,
        lemmas=sentence.lemmas,
        heads=[i if h >= len(sentence.words) else h for i, h in enumerate(sentence.heads)],
        deps=sentence.deps,
        metadata=sentence.metadata,
    )


def attach_words(
    sentences: Sequence[AnnotatedSentence], treebank: Treebank, report: ConversionReport
) -> Iterator[AnnotatedSentence]:
    """Give sentences their words, and whatever else the treebank says about them.

    Sentences are found by their ID, else by document and position in it, else, if there are as many
    in the file as in the treebank, by position. Where the treebank splits a sentence otherwise, the
    tags of both are aligned and the frames are moved.

    sentences (Sequence[AnnotatedSentence]): The sentences without words.
    treebank (Treebank): The treebank.
    report (ConversionReport): Where to count sentences that the treebank doesn't have or splits
        otherwise.
    YIELDS (AnnotatedSentence): The sentences of the treebank with their frames.
    RAISES (FormatError): If none is in the treebank; if a sentence is not that of the treebank, and
        malformed parts are errors.
    """
    if not sentences:
        return
    pairs = list(_pairs(sentences, treebank, report))
    if not pairs:
        first = sentences[0]
        raise FormatError(
            first.path,
            first.line(),
            f"none of the documents is in the treebank; the first one is {first.document!r}, the"
            f" treebank's first one {next(iter(treebank.documents), 'without a name')!r}",
        )
    documents = {partner.document for _, partner in pairs}
    report.add(
        "documents of the treebank that the input does not have",
        count=len(treebank.documents) - len(documents) if "" not in documents else 0,
    )
    for sentence, partner in pairs:
        joined = _join(sentence, partner, report)
        if joined is not None:
            yield joined


def _units(sentences: Sequence[AnnotatedSentence]) -> dict[str, int]:
    """What is dropped with sentences."""
    frames = [frame for sentence in sentences for frame in sentence.frames or ()]
    return {
        "sentences": len(sentences),
        "frames": len(frames),
        "arguments": sum(len(frame.arguments) for frame in frames),
    }


def _pairs(
    sentences: Sequence[AnnotatedSentence], treebank: Treebank, report: ConversionReport
) -> Iterator[tuple[AnnotatedSentence, AnnotatedSentence]]:
    """Find the treebank's sentence for each sentence."""
    if all(sentence.metadata.get("sent_id") for sentence in sentences):
        for sentence in sentences:
            partner = treebank.by_id(sentence.metadata["sent_id"])
            if partner is not None:
                yield sentence, partner
                continue
            report.add_line(
                "sentences that the treebank does not have",
                sentence.path,
                sentence.line(),
                sentence.metadata["sent_id"],
                **_units([sentence]),
            )
        return
    if sentences[0].document and treebank.documents:
        yield from _document_pairs(sentences, treebank, report)
        return
    if len(sentences) != len(treebank.sentences):
        raise FormatError(
            sentences[-1].path,
            sentences[-1].line(),
            f"the input has {len(sentences)} sentences, the treebank {len(treebank.sentences)};"
            " without names of documents both must have the same sentences",
        )
    yield from zip(sentences, treebank.sentences, strict=True)


def _document_pairs(
    sentences: Sequence[AnnotatedSentence], treebank: Treebank, report: ConversionReport
) -> Iterator[tuple[AnnotatedSentence, AnnotatedSentence]]:
    grouped: dict[str, list[AnnotatedSentence]] = {}
    for sentence in sentences:
        grouped.setdefault(sentence.document, []).append(sentence)
    for document, members in grouped.items():
        partners = treebank.document(document)
        if partners is None:
            report.add_line(
                "documents that the treebank does not have",
                members[0].path,
                members[0].line(),
                document,
                **_units(members),
            )
            continue
        surplus = members[len(partners) :]
        if len(members) < len(partners) or any(sentence.frames for sentence in surplus):
            report.malformed(
                "documents with more or fewer sentences than in the treebank",
                members[-1].path,
                members[-1].line(),
                f"found {len(members)} sentences, expected the {len(partners)} that the treebank"
                f" has in {document!r}",
                **_units(members),
            )
            continue
        for sentence in surplus:
            report.add_line(
                "sentences without frames behind the treebank's last one",
                sentence.path,
                sentence.line(),
                f"{len(sentence.words)} tokens",
                **_units([sentence]),
            )
        yield from zip(members, partners, strict=False)


def _join(
    sentence: AnnotatedSentence, partner: AnnotatedSentence, report: ConversionReport
) -> AnnotatedSentence | None:
    """Put the frames of a sentence onto the words of the treebank; None if it is dropped."""
    same = len(sentence.words) == len(partner.words)
    joined = replace(
        partner,
        path=sentence.path,
        lines=sentence.lines if same else [sentence.line()] * len(partner.words),
        document=partner.document or sentence.document,
        metadata={**partner.metadata, **sentence.metadata},
    )
    if same:
        joined.frames = sentence.frames
        joined.columns = {**partner.columns, **sentence.columns}
        for layer in _LAYERS:
            if getattr(partner, layer) is None:
                setattr(joined, layer, getattr(sentence, layer))
        return joined
    token_map = None
    if sentence.tags is not None and partner.tags is not None:
        token_map = align_sequences(sentence.tags, partner.tags)
    if token_map is None:
        report.malformed(
            "sentences that are not that of the treebank",
            sentence.path,
            sentence.line(),
            f"found {len(sentence.words)} tokens; this is not the sentence of {len(partner.words)}"
            f" words that the treebank has in its place: {' '.join(partner.words)!r}",
            **_units([sentence]),
        )
        return None
    report.add_line(
        "sentences that the treebank splits otherwise, aligned by their tags",
        sentence.path,
        sentence.line(),
        f"{len(sentence.words)} tokens, {len(partner.words)} words",
    )
    moved = (_move(sentence, frame, token_map, report) for frame in sentence.frames or ())
    joined.frames = [frame for frame in moved if frame is not None]
    return joined


def _move(
    sentence: AnnotatedSentence,
    frame: IndexedFrame,
    token_map: Sequence[tuple[int, int] | None],
    report: ConversionReport,
) -> IndexedFrame | None:
    """Move a frame to the words of the treebank; None if its predicate has none there."""
    spans = []
    for label, start, end in (("V", frame.predicate, frame.predicate + 1), *frame.arguments):
        words = [bounds for bounds in token_map[start:end] if bounds is not None]
        if words:
            spans.append((label, words[0][0], words[-1][1]))
            continue
        is_predicate = not spans
        units = {"frames": 1, "arguments": len(frame.arguments)}
        report.malformed(
            f"{'frames' if is_predicate else 'arguments'} without a word in the treebank",
            sentence.path,
            sentence.line(start),
            f"the {label} of {frame.roleset!r} has no word in the treebank's sentence",
            **(units if is_predicate else {"arguments": 1}),
        )
        if is_predicate:
            return None
    return IndexedFrame(spans[0][1], frame.roleset, tuple(spans[1:]))
