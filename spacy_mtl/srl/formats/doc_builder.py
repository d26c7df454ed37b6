"""From annotated sentences to spaCy documents."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar

from spacy.parts_of_speech import IDS as POS_IDS
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ..alignment import IndexedFrame
from ..frames import PREDICATE_LABEL, Argument, Frame, write_frames
from .brackets import LabelledSpan
from .errors import FormatError
from .heads import MALFORMED_TREES, find_circle
from .report import ConversionReport
from .sentence import AnnotatedSentence

ID_KEY = "id"
SENTENCE_IDS_KEY = "sent_ids"
COLUMNS_KEY = "columns"
CLUSTER_PREFIX = "coref_clusters_"

_FEATURE = re.compile(r"[^=|]+=[^=|]+")

Value = TypeVar("Value")


def build_docs(
    sentences: Iterable[AnnotatedSentence],
    vocab: Vocab,
    report: ConversionReport,
    *,
    n_sents: int = 1,
) -> Iterator[Doc]:
    """Make a Doc of each document.

    sentences (Iterable[AnnotatedSentence]): The sentences in order.
    vocab (Vocab): Vocabulary of the Docs.
    report (ConversionReport): Where to count what a Doc can't hold.
    n_sents (int): Sentences in a Doc where the format has no documents, 0 for all of a file.
    YIELDS (Doc): With frames in `doc.spans["srl"]` and whatever else the sentences have.
    RAISES (FormatError): If a sentence has no words; if its heads are no tree and malformed parts
        are errors.
    """
    for document, group in groupby(sentences, key=lambda sentence: sentence.document):
        members = list(group)
        size = len(members) if document or not n_sents else n_sents
        for start in range(0, len(members), size):
            yield build_doc(members[start : start + size], vocab, report)


def build_doc(
    sentences: Sequence[AnnotatedSentence], vocab: Vocab, report: ConversionReport
) -> Doc:
    """Make a Doc of a document's sentences.

    sentences (Sequence[AnnotatedSentence]): The sentences, at least one.
    vocab (Vocab): Vocabulary of the Doc.
    report (ConversionReport): Where to count what a Doc can't hold.
    RETURNS (Doc): The document.
    RAISES (FormatError): If a sentence has no words; if its heads are no tree and malformed parts
        are errors.
    """
    for sentence in sentences:
        if not sentence.has_words:
            raise FormatError(
                sentence.path,
                sentence.line(),
                "the file leaves out the words; name the treebank that has them (--words)",
            )
    lengths = [len(sentence.words) for sentence in sentences]
    offsets = [sum(lengths[:i]) for i in range(len(lengths))]
    spaces = _joined([sentence.spaces for sentence in sentences], lengths, True)
    heads, deps = _read_trees(sentences, offsets, report)
    doc = Doc(
        vocab,
        words=[word for sentence in sentences for word in sentence.words],
        spaces=spaces,
        tags=_joined([sentence.tags for sentence in sentences], lengths, ""),
        pos=_joined([_known_pos(sentence, report) for sentence in sentences], lengths, ""),
        morphs=_joined([_known_morphs(sentence, report) for sentence in sentences], lengths, ""),
        lemmas=_joined([sentence.lemmas for sentence in sentences], lengths, ""),
        heads=heads,
        deps=deps,
        sent_starts=None if heads else [i == 0 for length in lengths for i in range(length)],
    )
    _set_entities(doc, sentences, offsets, report)
    _set_frames(doc, sentences, offsets, report)
    _set_clusters(doc, sentences, offsets)
    _set_user_data(doc, sentences, lengths)
    return doc


def _joined(
    layers: Sequence[Sequence[Value] | None], lengths: Sequence[int], missing: Value
) -> list[Value] | None:
    """Put a layer of all sentences together. RETURNS (list | None): None if no sentence has it."""
    if all(layer is None for layer in layers):
        return None
    return [
        value
        for layer, length in zip(layers, lengths, strict=True)
        for value in ([missing] * length if layer is None else layer)
    ]


def _known_pos(sentence: AnnotatedSentence, report: ConversionReport) -> list[str] | None:
    """The universal tags without those that spaCy does not have."""
    if sentence.pos is None:
        return None
    known = []
    for i, tag in enumerate(sentence.pos):
        if tag not in POS_IDS:
            report.add_line(
                "universal tags that spaCy does not have", sentence.path, sentence.line(i), tag
            )
        known.append(tag if tag in POS_IDS else "")
    return known


def _known_morphs(sentence: AnnotatedSentence, report: ConversionReport) -> list[str] | None:
    """The features without those that are not of the form "Name=Value"."""
    if sentence.morphs is None:
        return None
    known = []
    for i, morph in enumerate(sentence.morphs):
        parts = morph.split("|") if morph else []
        whole = [part for part in parts if _FEATURE.fullmatch(part)]
        if len(whole) != len(parts):
            report.add_line("malformed features", sentence.path, sentence.line(i), repr(morph))
        known.append("|".join(whole))
    return known


def _read_trees(
    sentences: Sequence[AnnotatedSentence], offsets: Sequence[int], report: ConversionReport
) -> tuple[list[int] | None, list[str] | None]:
    """Join the dependency trees; a document that is parsed in part only is not parsed."""
    parsed = [_has_tree(sentence, report) for sentence in sentences]
    if not all(parsed):
        for sentence, is_parsed in zip(sentences, parsed, strict=True):
            if is_parsed:
                report.add_line(
                    "dependency trees in documents that are parsed in part",
                    sentence.path,
                    sentence.line(),
                    f"{len(sentence.words)} words",
                )
        return None, None
    heads, deps = [], []
    for sentence, offset in zip(sentences, offsets, strict=True):
        for head, dep in zip(*_one_tree(sentence, report), strict=True):
            heads.append(offset + head)
            deps.append(dep)
    return heads, deps


def _one_tree(sentence: AnnotatedSentence, report: ConversionReport) -> tuple[list[int], list[str]]:
    """Give a sentence one root, as spaCy needs it to keep the sentence together."""
    heads = list(sentence.heads or ())
    deps = list(sentence.deps) if sentence.deps is not None else [""] * len(heads)
    roots = [i for i, head in enumerate(heads) if head == i]
    for root in roots[1:]:
        report.add_line(
            "further roots of a sentence, put below its first root",
            sentence.path,
            sentence.line(root),
            repr(sentence.words[root]),
        )
        heads[root] = roots[0]
    for i, head in enumerate(heads):
        if head == i:
            deps[i] = "ROOT"
        elif not deps[i]:
            deps[i] = "dep"
    return heads, deps


def _has_tree(sentence: AnnotatedSentence, report: ConversionReport) -> bool:
    """Whether the heads of a sentence are there and lead to a root."""
    if sentence.heads is None:
        return False
    index = find_circle(sentence.heads)
    if index is None:
        return True
    report.malformed(
        MALFORMED_TREES,
        sentence.path,
        sentence.line(index),
        f"the heads above {sentence.words[index]!r} form a circle; one must be the root (0)",
    )
    return False


def _set_entities(
    doc: Doc,
    sentences: Sequence[AnnotatedSentence],
    offsets: Sequence[int],
    report: ConversionReport,
) -> None:
    if all(sentence.entities is None for sentence in sentences):
        return
    entities: list[Span] = []
    missing: list[Span] = []
    for sentence, offset in zip(sentences, offsets, strict=True):
        if sentence.entities is None:
            missing.append(doc[offset : offset + len(sentence.words)])
            continue
        kept = _without_overlaps(sentence, sentence.entities, "overlapping entities", report)
        entities += [Span(doc, offset + e.start, offset + e.end, label=e.label) for e in kept]
    doc.set_ents(entities, missing=missing, default="outside")


def _without_overlaps(
    sentence: AnnotatedSentence,
    spans: Iterable[LabelledSpan],
    kind: str,
    report: ConversionReport,
    **units: int,
) -> list[LabelledSpan]:
    """Leave out each span that overlaps one that starts earlier, or there and is longer."""
    kept: list[LabelledSpan] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if kept and span.start < kept[-1].end:
            report.add_line(
                kind,
                sentence.path,
                sentence.line(span.start),
                f"{span.label} at tokens {span.start + 1}-{span.end} overlaps {kept[-1].label} at"
                f" {kept[-1].start + 1}-{kept[-1].end}",
                **units,
            )
            continue
        kept.append(span)
    return kept


def _set_frames(
    doc: Doc,
    sentences: Sequence[AnnotatedSentence],
    offsets: Sequence[int],
    report: ConversionReport,
) -> None:
    if all(sentence.frames is None for sentence in sentences):
        return
    frames: list[Frame] = []
    for sentence, offset in zip(sentences, offsets, strict=True):
        seen: set[int] = set()
        for frame in sentence.frames or ():
            if frame.predicate in seen:
                report.add_line(
                    "further frames of a predicate that has one",
                    sentence.path,
                    sentence.line(frame.predicate),
                    f"{frame.roleset!r} with {len(frame.arguments)} arguments",
                    frames=1,
                    arguments=len(frame.arguments),
                )
                continue
            seen.add(frame.predicate)
            at = offset + frame.predicate
            arguments = tuple(
                Argument(span.label, doc[offset + span.start : offset + span.end])
                for span in _arguments(sentence, frame, report)
            )
            frames.append(Frame(doc[at : at + 1], frame.roleset, arguments))
    write_frames(doc, frames)


def _arguments(
    sentence: AnnotatedSentence, frame: IndexedFrame, report: ConversionReport
) -> list[LabelledSpan]:
    """The arguments of a frame that can stand beside each other in a Doc, in order."""
    spans: list[LabelledSpan] = []
    for label, start, end in frame.arguments:
        if label in ("", PREDICATE_LABEL):
            report.malformed(
                f"arguments labelled '{PREDICATE_LABEL}', which is the predicate's label",
                sentence.path,
                sentence.line(frame.predicate),
                f"expected a role for the argument at tokens {start + 1}-{end}, found {label!r}",
                arguments=1,
            )
        elif start <= frame.predicate < end:
            report.add_line(
                "arguments that contain their own predicate",
                sentence.path,
                sentence.line(frame.predicate),
                f"{label} of {frame.roleset!r}",
                arguments=1,
            )
        else:
            spans.append(LabelledSpan(label, start, end))
    return _without_overlaps(sentence, spans, "overlapping arguments", report, arguments=1)


def _set_clusters(doc: Doc, sentences: Sequence[AnnotatedSentence], offsets: Sequence[int]) -> None:
    clusters: dict[str, list[Span]] = {}
    for sentence, offset in zip(sentences, offsets, strict=True):
        for span in sentence.clusters or ():
            mention = doc[offset + span.start : offset + span.end]
            clusters.setdefault(span.label, []).append(mention)
    for label, mentions in clusters.items():
        doc.spans[f"{CLUSTER_PREFIX}{label}"] = mentions


def _set_user_data(
    doc: Doc, sentences: Sequence[AnnotatedSentence], lengths: Sequence[int]
) -> None:
    if sentences[0].document:
        doc.user_data[ID_KEY] = sentences[0].document
    sentence_ids = [sentence.metadata.get("sent_id", "") for sentence in sentences]
    if any(sentence_ids):
        doc.user_data[SENTENCE_IDS_KEY] = sentence_ids
    names = dict.fromkeys(name for sentence in sentences for name in sentence.columns)
    columns = {
        name: _joined([sentence.columns.get(name) for sentence in sentences], lengths, "")
        for name in names
    }
    if columns:
        doc.user_data[COLUMNS_KEY] = columns
