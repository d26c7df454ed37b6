r"""The inline format: sentences as text, entities and semantic roles in brackets.

    === review-012 | sentiment: positive
    The waiter at [ORG: Bellini's] brought us the soup.
    > [ARG0: The waiter at Bellini's] [V=bring.01: brought] [ARG2: us] [ARG1: the soup].

The grammar is in docs/inline-format.md.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from spacy.tokens import Doc, Span, Token

from ...util.spans import current_spans
from .columns import is_text, read_text, split_lines
from .errors import FormatError
from .report import ConversionReport

ENTITY_LABELS = ("PER", "ORG", "LOC")
SENTIMENTS = ("positive", "negative", "neutral")
LAYERS = ("entities", "frames", "sentiment")
NUMBERED_ROLES = ("ARG0", "ARG1", "ARG2", "ARG3", "ARG4", "ARG5", "ARGA")
MODIFIERS = tuple(
    f"ARGM-{name}"
    for name in (
        "ADJ ADV CAU COM CXN DIR DIS DSP EXT GOL LOC LVB MNR MOD NEG PNC PRD PRP PRR PRX REC TMP"
    ).split()
)
ARGUMENT_LABELS = frozenset(
    f"{prefix}{role}" for prefix in ("", "R-", "C-") for role in NUMBERED_ROLES + MODIFIERS
) | {"C-V"}
ID_KEY = "id"
SRL_GROUP = "srl"

_ROLESET = re.compile(r"[a-z][a-z0-9_-]*\.\d\d")
_OPENING = re.compile(r"\[([^\s\[\]:\\]+):[ ]*")
_ESCAPABLE = "[]\\#>="
_CONTEXT = 20
_FRAME_BRACKETS = "frames with malformed brackets"
_SETTINGS = "settings of documents that are unknown or contradict"


@dataclass(frozen=True)
class _Bracket:
    """A labelled stretch of a line, by characters of the text without brackets."""

    label: str
    start: int
    end: int


@dataclass(frozen=True)
class _Line:
    """A line without its brackets, and the brackets."""

    number: int
    text: str
    brackets: list[_Bracket]


@dataclass
class _Sentence:
    """A sentence, the frame lines below it, and its place in the document's text."""

    line: _Line
    frames: list[_Line] = field(default_factory=list)
    offset: int = 0


@dataclass
class _Block:
    """The lines of one document, numbered, and its header's text."""

    number: int
    header: str
    lines: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Header:
    """What the first line of a document says."""

    name: str
    layers: tuple[str, ...]
    sentiment: str | None


@dataclass(frozen=True)
class _Frame:
    """A predicate and its arguments as (label, first token, token after the last)."""

    roleset: str
    predicate: int
    arguments: list[tuple[str, int, int]]


class _Reporter:
    """Hands the mistakes of one file on, and counts them.

    path (Path): The file.
    on_error (Callable[[FormatError], None]): Takes each mistake.
    losses (ConversionReport | None): Takes each mistake instead, with what is dropped for it.
    """

    def __init__(
        self,
        path: Path,
        on_error: Callable[[FormatError], None],
        losses: ConversionReport | None,
    ) -> None:
        self.path = path
        self.on_error = on_error
        self.losses = losses
        self.count = 0

    def __call__(self, number: int, message: str, kind: str, **units: int) -> None:
        self.count += 1
        if self.losses is None:
            self.on_error(FormatError(self.path, number, message))
            return
        self.losses.malformed(kind, self.path, number, message, **units)
        self.losses.see(**units)

    @property
    def keeps_rest(self) -> bool:
        """Whether what is around a mistake is kept."""
        return self.losses is not None


def _raise(error: FormatError) -> NoReturn:
    raise error


def read_inline(
    path: str | Path,
    tokenizer: Callable[[str], Doc],
    *,
    seen: dict[str, str] | None = None,
    on_error: Callable[[FormatError], None] = _raise,
    report: ConversionReport | None = None,
) -> Iterator[Doc]:
    """Read the documents of a file in the inline format.

    A Doc's text is its sentences joined by one space, with sentence starts set. Its name is in
    `doc.user_data["id"]`. Entities, the span group "srl" and the categories are set where the
    document is annotated for them, and missing where it is not.

    path (str | Path): The file, UTF-8.
    tokenizer (Callable[[str], Doc]): Makes a Doc from a text, e.g. `nlp.tokenizer`.
    seen (dict[str, str] | None): The names of documents read so far, and where they stand. Pass the
        same dictionary for several files to find a name that two of them use.
    on_error (Callable[[FormatError], None]): Called with each mistake; raises it by default. If it
        returns, reading goes on, and the document with the mistake is left out.
    report (ConversionReport | None): Takes the mistakes in place of `on_error`. It decides whether
        they are errors; if not, only the argument, entity, frame or sentence with the mistake is
        left out, and counted.
    YIELDS (Doc): The documents, in the file's order.
    RAISES (FormatError): At the first mistake, unless `on_error` or `report` takes it; if the file
        is not UTF-8.
    """
    path = Path(path)
    seen = {} if seen is None else seen
    take = _Reporter(path, on_error, report)
    for block in _split_documents(read_text(path, report), take):
        before = take.count
        header = _parse_header(block, take)
        sentences = _parse_sentences(block, take)
        if header is not None:
            _check_document(block, header, sentences, seen, take)
        if header is None or not sentences:
            continue
        doc = _build_doc(header, sentences, tokenizer, take)
        if take.count == before or take.keeps_rest:
            yield doc


def _split_documents(text: str, report: _Reporter) -> Iterator[_Block]:
    """Group the lines of a file into documents, without the comments."""
    block: _Block | None = None
    homeless = False
    for number, line in enumerate(split_lines(text), 1):
        line = line.strip()
        if line.startswith("#"):
            continue
        if line.startswith("==="):
            if block is not None:
                yield block
            block = _Block(number, line[3:])
        elif block is not None:
            block.lines.append((number, line))
        elif line and (not homeless or report.keeps_rest):
            homeless = True
            message = f"text before the first document: {line!r}; put '=== NAME' above it"
            unit = "frames" if line.startswith(">") else "sentences"
            report(number, message, "lines before the first document", **{unit: 1})
    if block is not None:
        yield block


def _parse_header(block: _Block, report: _Reporter) -> _Header | None:
    """Read `=== NAME | sentiment: LABEL | layers: LAYER, LAYER`."""
    name, *settings = (part.strip() for part in block.header.split("|"))
    if not block.header.startswith(" ") or not name or len(name.split()) != 1:
        n_frames = sum(line.startswith(">") for _, line in block.lines)
        report(
            block.number,
            f"'==={block.header}' does not start a document; write '=== NAME', the name being one"
            " word, then ' | sentiment: LABEL' if it is annotated for sentiment",
            "documents with a malformed header",
            sentences=sum(bool(line) for _, line in block.lines) - n_frames,
            frames=n_frames,
        )
        return None
    values: dict[str, str] = {}
    for setting in settings:
        key, _, value = (part.strip() for part in setting.partition(":"))
        if key not in ("sentiment", "layers"):
            message = f"unknown setting {setting!r}; use 'sentiment:' or 'layers:'"
            report(block.number, message, _SETTINGS)
        elif key in values:
            report(block.number, f"'{key}:' stands twice; keep one", _SETTINGS)
        else:
            values[key] = value
    return _Header(name, _parse_layers(block, values, report), values.get("sentiment"))


def _parse_layers(block: _Block, values: dict[str, str], report: _Reporter) -> tuple[str, ...]:
    """Say what a document is annotated for, by the settings of its header."""
    sentiment = values.get("sentiment")
    if sentiment is not None and sentiment not in SENTIMENTS:
        message = f"unknown sentiment {sentiment!r}; use {_choices(SENTIMENTS)}"
        report(block.number, message, _SETTINGS)
    if "layers" not in values:
        return LAYERS if sentiment is not None else LAYERS[:2]
    layers = tuple(layer.strip() for layer in values["layers"].split(","))
    for layer in layers:
        if layer not in LAYERS:
            message = f"unknown layer {layer!r}; use {_choices(LAYERS)}"
            report(block.number, message, _SETTINGS)
    if sentiment is not None and "sentiment" not in layers:
        report(
            block.number,
            "'sentiment:' is given but 'layers:' does not name it; add it there or remove"
            " 'sentiment:'",
            _SETTINGS,
        )
    if sentiment is None and "sentiment" in layers:
        report(
            block.number,
            f"'layers:' names sentiment but no 'sentiment:' is given; add one of"
            f" {_choices(SENTIMENTS)}",
            _SETTINGS,
        )
    return layers


def _parse_sentences(block: _Block, report: _Reporter) -> list[_Sentence]:
    """Read the sentence and frame lines of a document."""
    sentences: list[_Sentence] = []
    current: _Sentence | None = None
    broken = False
    for number, line in block.lines:
        if not line:
            current, broken = None, False
        elif not line.startswith(">"):
            parsed = _parse_line(number, line, "sentences with malformed brackets", report)
            current, broken = None, parsed is None
            if parsed is not None:
                current = _Sentence(parsed)
                sentences.append(current)
        elif current is not None:
            parsed = _parse_line(number, line[1:].strip(), _FRAME_BRACKETS, report)
            current.frames += [] if parsed is None else [parsed]
        elif not broken:
            report(
                number,
                "a frame without a sentence; put it directly below its sentence, or write '\\>' if"
                " it is a sentence",
                "frames without a sentence",
                frames=1,
            )
        elif report.keeps_rest:
            message = "the sentence of this frame is left out"
            report(number, message, "frames of sentences that are left out", frames=1)
        else:
            _parse_line(number, line[1:].strip(), _FRAME_BRACKETS, report)
    return sentences


def _parse_line(number: int, line: str, kind: str, report: _Reporter) -> _Line | None:
    """Take the brackets out of a line; `None`, reported, if they are not well-formed."""
    try:
        if not is_text(line):
            raise ValueError("found bytes that are not UTF-8")
        return _Line(number, *_strip_brackets(line))
    except ValueError as error:
        unit = "frames" if kind == _FRAME_BRACKETS else "sentences"
        report(number, str(error), kind, **{unit: 1})
        return None


def _strip_brackets(line: str) -> tuple[str, list[_Bracket]]:
    """Split a line into its text and its brackets."""
    text = ""
    brackets: list[_Bracket] = []
    label: str | None = None
    start = position = 0
    while position < len(line):
        at = f", at {_excerpt(line, position)}"
        character = line[position]
        if character == "\\":
            escaped = line[position + 1 : position + 2]
            if not escaped or escaped not in _ESCAPABLE:
                raise ValueError(f"unknown escape '\\{escaped}'{at}; write '\\\\' for a backslash")
            text += escaped
            position += 2
        elif character == "[":
            if label is not None:
                raise ValueError(
                    f"a bracket inside the bracket [{label}: ...]{at}, so that the two overlap;"
                    " close the first one before it, or write '\\[' for a literal bracket"
                )
            match = _OPENING.match(line, position)
            if match is None:
                raise ValueError(
                    f"a bracket without a label{at}; write '[LABEL: words]', or '\\[' for a literal"
                    " bracket"
                )
            label, start, position = match.group(1), len(text), match.end()
        elif character == "]":
            if label is None:
                raise ValueError(
                    f"a closing bracket that was not opened{at}; remove it, or write '\\]' for a"
                    " literal bracket"
                )
            if start == len(text):
                raise ValueError(
                    f"nothing in the bracket [{label}: ]; put words in it or remove it"
                )
            brackets.append(_Bracket(label, start, len(text)))
            label = None
            position += 1
        else:
            text += character
            position += 1
    if label is not None:
        raise ValueError(f"the bracket [{label}: {text[start:]} is not closed; add ']' after it")
    return text, brackets


def _check_document(
    block: _Block,
    header: _Header,
    sentences: list[_Sentence],
    seen: dict[str, str],
    report: _Reporter,
) -> None:
    """Report a name that is taken, a document without text, and brackets outside its layers."""
    here = f"{report.path}:{block.number}"
    first = seen.setdefault(header.name, here)
    if first != here:
        message = f"document {header.name!r} is already at {first}; rename one of them"
        report(block.number, message, "names of documents that stand twice")
    if not any(line for _, line in block.lines):
        message = f"document {header.name!r} is empty; add a sentence or remove it"
        report(block.number, message, "empty documents")
    for sentence in sentences:
        if sentence.line.brackets and "entities" not in header.layers:
            report(
                sentence.line.number,
                "an entity in a document that is not annotated for entities; add 'entities' to"
                " 'layers:' or remove the bracket",
                "entities in documents that are not annotated for them",
            )
        if sentence.frames and "frames" not in header.layers:
            report(
                sentence.frames[0].number,
                "a frame in a document that is not annotated for frames; add 'frames' to 'layers:'"
                " or remove the line",
                "frames in documents that are not annotated for them",
                frames=len(sentence.frames),
            )


def _build_doc(
    header: _Header,
    sentences: list[_Sentence],
    tokenizer: Callable[[str], Doc],
    report: _Reporter,
) -> Doc:
    """Tokenize a document and put its annotation on the tokens."""
    offset = 0
    for sentence in sentences:
        sentence.offset = offset
        offset += len(sentence.line.text) + 1
    doc = tokenizer(" ".join(sentence.line.text for sentence in sentences))
    doc.user_data[ID_KEY] = header.name
    entities: list[Span] = []
    frames: list[_Frame] = []
    for token in doc:
        token.is_sent_start = False
    for sentence in sentences:
        first = doc.char_span(sentence.offset, sentence.offset + len(sentence.line.text))
        if first is None:
            message = "the tokenizer joins the sentence with its neighbour"
            kind = "sentences that the tokenizer joins with their neighbour"
            report(sentence.line.number, message, kind, sentences=1, frames=len(sentence.frames))
            continue
        doc[first.start].is_sent_start = True
        if report.losses is not None:
            report.losses.see(sentences=1)
        entities += _find_entities(doc, sentence, report)
        frames += _find_frames(doc, sentence, report) if "frames" in header.layers else []
    if "entities" in header.layers:
        doc.set_ents(entities, default="outside")
    if "frames" in header.layers:
        doc.spans[SRL_GROUP] = list(_frame_spans(doc, frames))
    if header.sentiment is not None:
        doc.cats = {label: float(label == header.sentiment) for label in SENTIMENTS}
    return doc


def _find_entities(doc: Doc, sentence: _Sentence, report: _Reporter) -> Iterator[Span]:
    """Find the entities of a sentence among the tokens."""
    for bracket in sentence.line.brackets:
        if bracket.label not in ENTITY_LABELS:
            report(
                sentence.line.number,
                f"unknown entity label {bracket.label!r}; use {_choices(ENTITY_LABELS)}",
                "entities with an unknown label",
            )
            continue
        kind = "entities that do not begin and end with a token"
        span = _find_tokens(doc, sentence, sentence.line.number, bracket, kind, report)
        if span is not None:
            yield Span(doc, span.start, span.end, label=bracket.label)


def _find_frames(doc: Doc, sentence: _Sentence, report: _Reporter) -> list[_Frame]:
    """Read the frames of a sentence, in the order of their predicates."""
    frames: dict[int, _Frame] = {}
    lines: dict[int, int] = {}
    for line in sentence.frames:
        if line.text != sentence.line.text:
            message = _first_difference(line.text, sentence.line.text)
            report(line.number, message, "frames whose text is not their sentence", frames=1)
            continue
        frame = _find_frame(doc, sentence, line, report)
        if frame is None:
            continue
        if frame.predicate in frames:
            report(
                line.number,
                f"a second frame for the predicate {doc[frame.predicate].text!r}, the first one is"
                f" in line {lines[frame.predicate]}; remove one of them",
                "further frames of a predicate that has one",
                frames=1,
                arguments=len(frame.arguments),
            )
            continue
        frames[frame.predicate] = frame
        lines[frame.predicate] = line.number
        if report.losses is not None:
            report.losses.see(frames=1, arguments=len(frame.arguments))
    return [frames[predicate] for predicate in sorted(frames)]


def _find_frame(doc: Doc, sentence: _Sentence, line: _Line, report: _Reporter) -> _Frame | None:
    """Read one frame line; `None` if it has a mistake that it can't be kept with."""
    before = report.count
    predicates: list[tuple[str, int]] = []
    arguments: list[tuple[str, int, int]] = []
    for bracket in line.brackets:
        if bracket.label == "V" or bracket.label.startswith("V="):
            predicates.append(_find_predicate(doc, sentence, line.number, bracket, report))
        elif bracket.label not in ARGUMENT_LABELS:
            report(
                line.number,
                f"unknown argument label {bracket.label!r}; use ARG0 to ARG5, ARGA, ARGM-TMP and"
                " the other ARGM- labels, or R- or C- with one of these",
                "arguments with an unknown label",
                arguments=1,
            )
        else:
            kind = "arguments that do not begin and end with a token"
            span = _find_tokens(doc, sentence, line.number, bracket, kind, report, arguments=1)
            if span is not None:
                arguments.append((bracket.label, span.start, span.end))
    kind = "frames without one predicate of one token"
    if len(predicates) != 1:
        marked = ", ".join(roleset for roleset, _ in predicates) or "none"
        report(
            line.number,
            f"a frame must have one predicate, found {len(predicates)} ({marked}); mark exactly one"
            " word as in [V=give.01: gave] and write one line per verb",
            kind,
            frames=1,
            arguments=len(arguments),
        )
        return None
    roleset, predicate = predicates[0]
    if predicate < 0 and report.keeps_rest:
        message = "the predicate is not one token"
        report(line.number, message, kind, frames=1, arguments=len(arguments))
    if predicate < 0 or (report.count != before and not report.keeps_rest):
        return None
    return _Frame(roleset, predicate, arguments)


def _find_predicate(
    doc: Doc, sentence: _Sentence, number: int, bracket: _Bracket, report: _Reporter
) -> tuple[str, int]:
    """Read the bracket of a predicate: its roleset, "" if malformed, and token, -1 if not one."""
    roleset = bracket.label[2:]
    kind = "predicates that are not one token"
    span = _find_tokens(doc, sentence, number, bracket, kind, report)
    if not _ROLESET.fullmatch(roleset):
        report(
            number,
            f"malformed roleset {roleset!r} in [{bracket.label}: ...]; write lemma and sense as in"
            " [V=give.01: gave]",
            "malformed rolesets",
        )
        roleset = ""
    if span is not None and len(span) != 1:
        report(
            number,
            f"the predicate {span.text!r} has {len(span)} tokens, {_tokens(span)}; mark only the"
            " verb",
            kind,
        )
    return roleset, span.start if span is not None and len(span) == 1 else -1


def _find_tokens(
    doc: Doc,
    sentence: _Sentence,
    number: int,
    bracket: _Bracket,
    kind: str,
    report: _Reporter,
    **units: int,
) -> Span | None:
    """Find the tokens in a bracket; `None`, reported, if it cuts a token."""
    start, end = sentence.offset + bracket.start, sentence.offset + bracket.end
    span: Span | None = doc.char_span(start, end)
    if span is None:
        around = doc.char_span(start, end, alignment_mode="expand")
        report(
            number,
            f"[{bracket.label}: {doc.text[start:end]}] does not begin and end with a token; the"
            f" tokens there are {_tokens(around or ())}; move the bracket",
            kind,
            **units,
        )
    return span


def _frame_spans(doc: Doc, frames: Iterable[_Frame]) -> Iterator[Span]:
    """Make the spans of the group "srl", each with its frame's number."""
    for number, frame in enumerate(frames):
        yield Span(
            doc,
            frame.predicate,
            frame.predicate + 1,
            label="V",
            kb_id=frame.roleset,
            span_id=number,
        )
        for label, start, end in frame.arguments:
            yield Span(doc, start, end, label=label, span_id=number)


def _first_difference(frame: str, sentence: str) -> str:
    """Say where the text of a frame line leaves that of its sentence."""
    pairs = zip(frame, sentence, strict=False)
    same = next(
        (index for index, (left, right) in enumerate(pairs) if left != right),
        min(len(frame), len(sentence)),
    )
    return (
        f"the frame's text is not its sentence: at character {same + 1} the frame has"
        f" {_excerpt(frame, same)}, the sentence {_excerpt(sentence, same)}; copy the sentence and"
        " add role brackets only"
    )


def _excerpt(text: str, position: int) -> str:
    """Quote a text from a little before a position to a little after it."""
    start = max(0, position - _CONTEXT // 2)
    end = position + _CONTEXT
    return repr(text[start:end]) if position < len(text) else f"{text[start:end]!r} and ends"


def _tokens(tokens: Iterable[Token]) -> str:
    """Quote tokens one by one."""
    return " ".join(repr(token.text) for token in tokens)


def _choices(labels: Iterable[str]) -> str:
    return ", ".join(labels)


def write_inline(docs: Iterable[Doc]) -> str:
    """Write documents in the inline format.

    docs (Iterable[Doc]): The documents, with sentence starts, in `doc.user_data["id"]` their names
        (`doc-0000`, `doc-0001`... where a document has none).
    RETURNS (str): The file's text; `read_inline` gives the same documents back.
    RAISES (ValueError): If the format cannot carry a document: a label that it does not have,
        overlapping arguments, sentences that are not separated by one space and the like.
    """
    return "\n".join(_write_document(doc, index) for index, doc in enumerate(docs))


def _write_document(doc: Doc, index: int) -> str:
    name = str(doc.user_data.get(ID_KEY, f"doc-{index:04d}"))
    if len(name.split()) != 1 or name != name.strip() or "|" in name:
        raise ValueError(f"The document name {name!r} must be one word without '|'")
    layers = _annotated_layers(doc)
    header = f"=== {name}"
    if "sentiment" in layers:
        header += f" | sentiment: {_sentiment(doc, name)}"
    if layers not in (LAYERS, LAYERS[:2]):
        header += f" | layers: {', '.join(layers)}"
    if not doc.has_annotation("SENT_START"):
        raise ValueError(f"Document {name!r} has no sentence starts; set them first")
    frames = _spans_by_frame(doc, name) if "frames" in layers else []
    parts = [header + "\n"]
    for sentence in doc.sents:
        _check_sentence(doc, sentence, name)
        entities = [(e.label_, e.start, e.end) for e in doc.ents if _inside(e, sentence, name)]
        if unknown := {label for label, _, _ in entities} - set(ENTITY_LABELS):
            raise ValueError(
                f"Document {name!r} has entity labels {sorted(unknown)}; the format has only"
                f" {_choices(ENTITY_LABELS)}"
            )
        parts.append(_write_line(sentence, entities) + "\n")
        for frame in frames:
            if _inside(frame[0], sentence, name):
                for span in frame:
                    _inside(span, sentence, name)
                labels = [(_written_label(span), span.start, span.end) for span in frame]
                parts.append(f"> {_write_line(sentence, labels)}\n")
        parts.append("\n")
    return "".join(parts).removesuffix("\n")


def _annotated_layers(doc: Doc) -> tuple[str, ...]:
    """Say which layers a document is annotated for."""
    annotated = (
        doc.has_annotation("ENT_IOB"),
        SRL_GROUP in doc.spans,
        bool(doc.cats),
    )
    layers = tuple(layer for layer, there in zip(LAYERS, annotated, strict=True) if there)
    if not layers:
        raise ValueError(f"Nothing is annotated in the document {doc.text[:40]!r}")
    if annotated[0] and any(token.ent_iob == 0 for token in doc):
        raise ValueError(f"Some tokens of {doc.text[:40]!r} have missing entity annotation")
    return layers


def _sentiment(doc: Doc, name: str) -> str:
    """Give the one sentiment of a document."""
    for sentiment in SENTIMENTS:
        if doc.cats == {label: float(label == sentiment) for label in SENTIMENTS}:
            return sentiment
    raise ValueError(
        f"Document {name!r} has the categories {doc.cats}; the format has exactly one of"
        f" {_choices(SENTIMENTS)} at 1.0 and the others at 0.0"
    )


def _spans_by_frame(doc: Doc, name: str) -> list[list[Span]]:
    """Group the spans of a document's frames, each with its predicate first."""
    grouped: dict[int, list[Span]] = {}
    for span in sorted(current_spans(doc, SRL_GROUP), key=lambda span: span.label_ != "V"):
        grouped.setdefault(span.id, []).append(span)
    predicates: set[int] = set()
    for frame in grouped.values():
        if frame[0].label_ != "V" or len(frame[0]) != 1 or frame[0].start in predicates:
            raise ValueError(
                f"Document {name!r} has a frame {[span.text for span in frame]} that does not have"
                " a predicate of one token for itself"
            )
        predicates.add(frame[0].start)
        for span in frame[1:]:
            if span.label_ not in ARGUMENT_LABELS:
                raise ValueError(f"Document {name!r} has the argument label {span.label_!r}")
        if not _ROLESET.fullmatch(frame[0].kb_id_):
            raise ValueError(f"Document {name!r} has the roleset {frame[0].kb_id_!r}")
    return sorted(grouped.values(), key=lambda frame: frame[0].start)


def _written_label(span: Span) -> str:
    return f"V={span.kb_id_}" if span.label_ == "V" else span.label_


def _check_sentence(doc: Doc, sentence: Span, name: str) -> None:
    """Refuse a sentence whose text would change by being a line of its own."""
    text = sentence.text
    separated = sentence.end == len(doc) or sentence[-1].whitespace_
    if not text or text != text.strip() or "\n" in text or "\r" in text or not separated:
        raise ValueError(
            f"Document {name!r} has the sentence {text!r}, which is not one line followed by a"
            " space"
        )
    if sentence.end == len(doc) and sentence[-1].whitespace_:
        raise ValueError(f"Document {name!r} ends with a space; remove it")


def _inside(span: Span, sentence: Span, name: str) -> bool:
    """Say whether a span lies in a sentence; it must not cross its border."""
    if span.end <= sentence.start or span.start >= sentence.end:
        return False
    if span.start < sentence.start or span.end > sentence.end:
        raise ValueError(f"Document {name!r} has {span.text!r} across two sentences")
    return True


def _write_line(sentence: Span, labels: list[tuple[str, int, int]]) -> str:
    """Write a sentence with brackets around some of its tokens."""
    doc = sentence.doc
    line = ""
    written = sentence.start
    for label, start, end in sorted(labels, key=lambda item: item[1]):
        if start < written:
            raise ValueError(f"{doc[start:end].text!r} overlaps the span before it")
        line += _escape(doc[written:start].text_with_ws)
        line += f"[{label}: {_escape(doc[start:end].text)}]{doc[end - 1].whitespace_}"
        written = end
    line = (line + _escape(doc[written : sentence.end].text_with_ws)).removesuffix(" ")
    return f"\\{line}" if line.startswith(("#", ">", "=")) else line


def _escape(text: str) -> str:
    return re.sub(r"([\[\]\\])", r"\\\1", text)
