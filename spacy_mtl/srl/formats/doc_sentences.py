"""From spaCy documents to annotated sentences."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from spacy.tokens import Doc, Span, Token

from ...util.spans import current_spans
from ..alignment import IndexedFrame
from ..frames import group_spans
from .brackets import LabelledSpan
from .doc_builder import CLUSTER_PREFIX, COLUMNS_KEY, ID_KEY, SENTENCE_IDS_KEY
from .propositions import PREDICATE_REST_LABEL
from .report import ConversionReport
from .sentence import AnnotatedSentence

SRL_GROUP = "srl"

# The layers of a Doc that a format may carry, with the attribute that tells whether it is there.
ATTRIBUTES = {
    "tags": "TAG",
    "universal tags": "POS",
    "morphology": "MORPH",
    "lemmas": "LEMMA",
    "dependencies": "DEP",
    "entities": "ENT_IOB",
}


def doc_sentences(
    docs: Iterable[Doc], carries: frozenset[str], report: ConversionReport
) -> Iterator[AnnotatedSentence]:
    """Take documents apart into sentences.

    docs (Iterable[Doc]): The documents. A document without sentence starts is one sentence.
    carries (frozenset[str]): The layers that the format to be written has room for: the keys of
        `ATTRIBUTES`, "spaces", "documents", "sentence IDs", "coreference", and names of columns.
    report (ConversionReport): Where to count what it has no room for.
    YIELDS (AnnotatedSentence): The sentences.
    RAISES (ValueError): If the frames of a document are not as `write_frames` makes them.
    """
    for index, doc in enumerate(docs):
        name = str(doc.user_data.get(ID_KEY, f"doc-{index:04d}"))
        _report_layers(doc, name, carries, report)
        yield from _Parts(doc, name, report).sentences(carries)


def _report_layers(doc: Doc, name: str, carries: frozenset[str], report: ConversionReport) -> None:
    """Count the layers that the format has no room for."""
    place = f"document {name!r}"
    for layer, attribute in ATTRIBUTES.items():
        if layer not in carries and doc.has_annotation(attribute):
            count = len(doc.ents) if layer == "entities" else len(doc)
            report.add(layer if layer == "entities" else f"{layer} of tokens", place, count=count)
    if "spaces" not in carries and not doc.has_unknown_spaces:
        report.add("texts: where a space stands between words", place)
    if "documents" not in carries:
        report.add("borders and names of documents", place)
    if "sentence IDs" not in carries and SENTENCE_IDS_KEY in doc.user_data:
        report.add("sentence IDs", place, count=len(doc.user_data[SENTENCE_IDS_KEY]))
    report.add("categories of documents", place, count=int(bool(doc.cats)))
    report.add("entity links", place, count=sum(bool(ent.kb_id) for ent in doc.ents))
    if SRL_GROUP not in doc.spans:
        report.add("documents without frames, which read back as without predicates", place)
    if not doc.has_annotation("SENT_START"):
        report.add("documents without sentence starts, written as one sentence", place)
    for key, spans in doc.spans.items():
        is_cluster = key.startswith(CLUSTER_PREFIX) and "coreference" in carries
        if key != SRL_GROUP and not is_cluster:
            report.add(f"spans of the group {key!r}", place, count=len(spans))
    for column, values in doc.user_data.get(COLUMNS_KEY, {}).items():
        if column not in carries:
            report.add(f"columns {column!r}", place, count=len(values))


@dataclass
class _Parts:
    """A document on its way into sentences.

    doc (Doc): The document.
    name (str): Its name.
    report (ConversionReport): Where to count losses.
    """

    doc: Doc
    name: str
    report: ConversionReport

    def sentences(self, carries: frozenset[str]) -> Iterator[AnnotatedSentence]:
        doc = self.doc
        has_starts = doc.has_annotation("SENT_START")
        spans = list(doc.sents) if has_starts else [doc[:]] if len(doc) else []
        frames = group_spans(doc, SRL_GROUP) if SRL_GROUP in doc.spans else None
        sentence_ids = doc.user_data.get(SENTENCE_IDS_KEY, [])
        for number, span in enumerate(spans):
            tokens = [token for token in span if not token.text.isspace()]
            self.report.add(
                "tokens of white space, left out", self._place(), count=len(span) - len(tokens)
            )
            if not tokens:
                self.report.add("sentences of white space", self._place(), sentences=1)
                continue
            indices = {token.i: i for i, token in enumerate(tokens)}
            sentence = AnnotatedSentence(document=self.name, words=[t.text for t in tokens])
            self._add_layers(sentence, tokens, indices, carries)
            if frames is not None:
                sentence.frames = self._frames(frames, span, indices)
            if "documents" not in carries:
                sentence.document = ""
            if "sentence IDs" in carries and len(sentence_ids) == len(spans):
                sentence.metadata["sent_id"] = sentence_ids[number]
            yield sentence

    def _place(self) -> str:
        return f"document {self.name!r}"

    def _add_layers(
        self,
        sentence: AnnotatedSentence,
        tokens: Sequence[Token],
        indices: dict[int, int],
        carries: frozenset[str],
    ) -> None:
        doc = self.doc
        there = {layer for layer, name in ATTRIBUTES.items() if doc.has_annotation(name)}
        if not doc.has_unknown_spaces:
            sentence.spaces = [bool(token.whitespace_) for token in tokens]
        if "tags" in there:
            sentence.tags = [token.tag_ for token in tokens]
        if "universal tags" in there:
            sentence.pos = [token.pos_ for token in tokens]
        if "morphology" in there:
            sentence.morphs = [str(token.morph) for token in tokens]
        if "lemmas" in there:
            sentence.lemmas = [token.lemma_ for token in tokens]
        if "dependencies" in there:
            sentence.heads = [self._head(token, indices) for token in tokens]
            sentence.deps = [
                "ROOT" if head == i else token.dep_
                for i, (token, head) in enumerate(zip(tokens, sentence.heads, strict=True))
            ]
        if "entities" in there:
            spans = ((ent.label_, ent) for ent in doc.ents)
            sentence.entities = self._inside(spans, tokens, indices, "entities")
        for name, values in doc.user_data.get(COLUMNS_KEY, {}).items():
            if name in carries and len(values) == len(doc):
                sentence.columns[name] = [values[token.i] for token in tokens]
        sentence.clusters = self._inside(self._mentions(), tokens, indices, "mentions")

    def _mentions(self) -> Iterator[tuple[str, Span]]:
        for key in self.doc.spans:
            if key.startswith(CLUSTER_PREFIX):
                for span in current_spans(self.doc, key):
                    yield key.removeprefix(CLUSTER_PREFIX), span

    def _head(self, token: Token, indices: dict[int, int]) -> int:
        """The index of a token's head; white space on the way up is passed over."""
        head = token.head
        while head.i not in indices and head.head.i != head.i:
            head = head.head
        return indices.get(head.i, indices[token.i])

    def _inside(
        self,
        spans: Iterable[tuple[str, Span]],
        tokens: Sequence[Token],
        indices: dict[int, int],
        kind: str,
    ) -> list[LabelledSpan]:
        """The spans that begin in a sentence; those that leave it are counted and left out."""
        first, last = tokens[0].i, tokens[-1].i
        found = []
        for label, span in spans:
            own = [indices[i] for i in range(span.start, span.end) if i in indices]
            if not own or not first <= span.start <= last:
                continue
            if any(
                i > last and not self.doc[i].text.isspace() for i in range(span.start, span.end)
            ):
                self.report.add(f"{kind} across sentences", f"{self._place()}, {span.text!r}")
                continue
            found.append(LabelledSpan(label, own[0], own[-1] + 1))
        return found

    def _frames(
        self,
        frames: Sequence[tuple[Span, list[Span]]],
        sentence: Span,
        indices: dict[int, int],
    ) -> list[IndexedFrame]:
        """The frames whose predicates stand in a sentence, by predicate."""
        found = []
        for predicate, spans in frames:
            if not sentence.start <= predicate.start < sentence.end:
                continue
            own = [indices[i] for i in range(predicate.start, predicate.end) if i in indices]
            if not own:
                self.report.add(
                    "predicates of white space", self._place(), frames=1, arguments=len(spans)
                )
                continue
            arguments = []
            if len(own) > 1:
                self.report.add(
                    "tokens of a predicate behind its first one, written as C-V",
                    f"{self._place()}, {predicate.text!r}",
                    count=len(own) - 1,
                )
                arguments.append((PREDICATE_REST_LABEL, own[1], own[-1] + 1))
            arguments += self._frame_arguments(predicate, spans, indices)
            arguments.sort(key=lambda argument: argument[1])
            found.append(IndexedFrame(own[0], predicate.kb_id_, tuple(arguments)))
        return sorted(found, key=lambda frame: frame.predicate)

    def _frame_arguments(
        self, predicate: Span, spans: Sequence[Span], indices: dict[int, int]
    ) -> Iterator[tuple[str, int, int]]:
        for span in spans:
            words = [i for i in range(span.start, span.end) if not self.doc[i].text.isspace()]
            own = [indices[i] for i in words if i in indices]
            if not own or len(own) < len(words):
                self.report.add(
                    "arguments outside of their predicate's sentence",
                    f"{self._place()}, {span.label_} of {predicate.text!r}: {span.text!r}",
                    arguments=1,
                )
                continue
            yield span.label_, own[0], own[-1] + 1
