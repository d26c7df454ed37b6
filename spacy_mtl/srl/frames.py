"""Semantic frames in a Doc: who did what to whom, kept in a span group that spaCy itself carries.

The group `doc.spans["srl"]` holds, for each frame, the predicate span (label `V`, knowledge base
ID = roleset such as `give.01`) and its argument spans (label `ARG0`, `ARGM-TMP`, `R-ARG1`, ...).
All spans of a frame share the span ID, the number of the frame in the document. `DocBin`,
`Doc.to_bytes`, `Doc.copy` and `Doc.from_docs` keep the group without any setting. A document is
annotated if and only if it has the group; an empty group says that there is no predicate.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spacy.tokens import Doc, Span

PREDICATE_LABEL = "V"


@dataclass(frozen=True, eq=False, repr=False)
class Argument:
    """A participant or circumstance of a frame.

    Arguments are equal if they give the same label to the same tokens of the same Doc.

    label (str): The role, e.g. "ARG0", "ARGM-TMP", "R-ARG1" or "C-ARG1".
    span (Span): The words that fill it.
    """

    label: str
    span: Span

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Argument):
            return NotImplemented
        return self.label == other.label and _same_tokens(self.span, other.span)

    def __hash__(self) -> int:
        return hash((self.label, self.span.start, self.span.end))

    def __repr__(self) -> str:
        return f"[{self.label}: {self.span.text}]"

    def to_json(self) -> dict[str, Any]:
        """The argument in plain values.

        RETURNS (Dict[str, Any]): Label, text, and offsets named as in `Span`: `start` and `end` in
            tokens, `start_char` and `end_char` in characters, ends exclusive.
        """
        return {"label": self.label, **_span_to_json(self.span)}


@dataclass(frozen=True, eq=False, repr=False)
class Frame:
    """A predicate with its sense and its arguments.

    Frames are equal if roleset, predicate and arguments are, over the same Doc.

    predicate (Span): The word that evokes the frame.
    roleset (str): Its sense in the frame files, e.g. "give.01"; empty if not known.
    arguments (Tuple[Argument, ...]): The arguments; they overlap neither each other nor the
        predicate.
    """

    predicate: Span
    roleset: str = ""
    arguments: tuple[Argument, ...] = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return (
            self.roleset == other.roleset
            and _same_tokens(self.predicate, other.predicate)
            and self.arguments == other.arguments
        )

    def __hash__(self) -> int:
        return hash((self.roleset, self.predicate.start, self.predicate.end, self.arguments))

    def __repr__(self) -> str:
        pieces = [f"{self.roleset or '?'} {self.predicate.text!r}", *map(repr, self.arguments)]
        return f"<Frame {' '.join(pieces)}>"

    def to_json(self) -> dict[str, Any]:
        """The frame in plain values.

        RETURNS (Dict[str, Any]): Roleset, predicate, arguments and description; `write_frames`
            accepts it for any Doc over the same text.
        """
        return {
            "roleset": self.roleset,
            "predicate": _span_to_json(self.predicate),
            "arguments": [argument.to_json() for argument in self.arguments],
            "description": self.description(),
        }

    def context(self) -> Span:
        """The sentence of the predicate, widened where an argument lies outside of it.

        RETURNS (Span): All words of the document, if it has no sentence boundaries.
        """
        doc = self.predicate.doc
        spans = [self.predicate, *(argument.span for argument in self.arguments)]
        if doc.has_annotation("SENT_START"):
            spans.append(doc[self.predicate.start].sent)
        else:
            spans.append(doc[:])
        return doc[min(span.start for span in spans) : max(span.end for span in spans)]

    def description(self) -> str:
        """The sentence of the predicate with its roles in brackets, as AllenNLP prints it.

        RETURNS (str): E.g. "[ARG0: She] [V: gave] [ARG2: him] [ARG1: a book] ."
        """
        context = self.context()
        labelled = [(PREDICATE_LABEL, self.predicate)]
        labelled += [(argument.label, argument.span) for argument in self.arguments]
        labelled.sort(key=lambda pair: pair[1].start)
        position = context.start
        pieces: list[str] = []
        for label, span in labelled:
            pieces += _words(context.doc[position : span.start])
            pieces.append(f"[{label}: {' '.join(_words(span))}]")
            position = span.end
        pieces += _words(context.doc[position : context.end])
        return " ".join(pieces)


def read_frames(doc: Doc, key: str = "srl") -> list[Frame]:
    """Read the frames of a document.

    doc (Doc): The document.
    key (str): The span group.
    RETURNS (List[Frame]): In the order of the group; empty if there is no such group.
    RAISES (ValueError): If the group does not have the layout of `write_frames`.
    """
    return [
        Frame(predicate, predicate.kb_id_, tuple(Argument(span.label_, span) for span in spans))
        for predicate, spans in group_spans(doc, key)
    ]


def write_frames(doc: Doc, frames: Iterable[Frame | Mapping[str, Any]], key: str = "srl") -> None:
    """Replace the frames of a document. Without frames the group is written empty: the document
    counts as annotated, with no predicate in it.

    doc (Doc): The document.
    frames (Iterable[Union[Frame, Dict[str, Any]]]): Frames over this document, or their JSON form.
        JSON spans are found by `start_char` and `end_char` if given, else by the tokens `start`
        and `end`, and their `text`, if given, must be what the document says there.
    key (str): The span group.
    RAISES (ValueError): If a span is of another document or empty, if arguments overlap each other
        or the predicate, if a label is empty or `V`, or if two frames start at the same token.
    """
    parsed = [
        frame if isinstance(frame, Frame) else _frame_from_json(doc, frame) for frame in frames
    ]
    for frame in parsed:
        for span in (frame.predicate, *(argument.span for argument in frame.arguments)):
            if span.doc is not doc:
                raise ValueError(
                    f"Can't write the frame of {frame.predicate.text!r}: its span {span.text!r} "
                    "belongs to another Doc. Make the spans from the Doc that is written to, or "
                    "pass the frame's to_json()."
                )
    labelled = [
        (frame.predicate, [(argument.label, argument.span) for argument in frame.arguments])
        for frame in parsed
    ]
    _check_layout(labelled, key)
    spans: list[Span] = []
    for number, (frame, (predicate, arguments)) in enumerate(zip(parsed, labelled, strict=True)):
        spans.append(_relabel(predicate, PREDICATE_LABEL, number, kb_id=frame.roleset))
        spans += [_relabel(span, label, number) for label, span in arguments]
    doc.spans[key] = spans


def group_spans(doc: Doc, key: str) -> list[tuple[Span, list[Span]]]:
    """Find out which argument span of the group belongs to which predicate span.

    An argument belongs to the nearest predicate before it, in the order of the group, that has the
    same span ID; if there is none, to the next one after it. So the frames stay apart when
    `Doc.from_docs` joins documents whose frame numbers collide.

    doc (Doc): The document.
    key (str): The span group.
    RETURNS (List[Tuple[Span, List[Span]]]): Each predicate with its arguments; empty if there is no
        such group.
    RAISES (ValueError): If an argument has no predicate, if spans of a frame overlap or are empty,
        or if two frames start at the same token.
    """
    if key not in doc.spans:
        return []
    predicate_label = doc.vocab.strings[PREDICATE_LABEL]
    grouped: list[tuple[Span, list[Span]]] = []
    latest: dict[int, list[Span]] = {}
    waiting: defaultdict[int, list[Span]] = defaultdict(list)
    for span in doc.spans[key]:
        if span.label == predicate_label:
            arguments = waiting.pop(span.id, [])
            latest[span.id] = arguments
            grouped.append((span, arguments))
        elif span.id in latest:
            latest[span.id].append(span)
        else:
            waiting[span.id].append(span)
    for spans in waiting.values():
        for span in spans:
            raise ValueError(
                f"Can't read the frames in doc.spans[{key!r}]: the argument {span.label_!r} at "
                f"tokens {span.start}-{span.end} ({span.text!r}) has the span ID {span.id}, but no "
                f"span labelled {PREDICATE_LABEL!r} has it. Give the predicate and the arguments "
                "of a frame the same span_id, or use write_frames."
            )
    _check_layout(
        [(predicate, [(span.label_, span) for span in spans]) for predicate, spans in grouped], key
    )
    return grouped


def _check_layout(frames: Sequence[tuple[Span, list[tuple[str, Span]]]], key: str) -> None:
    """RAISES (ValueError): If the spans cannot be those of one document's frames."""
    first_of: dict[int, Span] = {}
    for predicate, arguments in frames:
        _check_frame(predicate, arguments, key)
        other = first_of.setdefault(predicate.start, predicate)
        if other is not predicate:
            raise ValueError(
                f"Two frames in doc.spans[{key!r}] start at token {predicate.start}: "
                f"{other.text!r} and {predicate.text!r}. A predicate has one frame: keep one of "
                "them."
            )


def _check_frame(predicate: Span, arguments: Sequence[tuple[str, Span]], key: str) -> None:
    """RAISES (ValueError): If the spans cannot be those of one frame."""
    where = f"Bad frame for {predicate.text!r} at token {predicate.start} in doc.spans[{key!r}]"
    labelled = [(PREDICATE_LABEL, predicate, predicate.start, predicate.end)]
    for label, span in arguments:
        if label in ("", PREDICATE_LABEL):
            raise ValueError(
                f"{where}: the argument {span.text!r} has the label {label!r}. Arguments need a "
                f"role such as 'ARG0'; {PREDICATE_LABEL!r} marks the predicate."
            )
        labelled.append((label, span, span.start, span.end))
    labelled.sort(key=lambda entry: entry[2])
    previous_end = 0
    for index, (label, span, start, end) in enumerate(labelled):
        if start >= end:
            raise ValueError(f"{where}: the span of {label} at token {start} is empty.")
        if start < previous_end:
            other_label, other = labelled[index - 1][:2]
            raise ValueError(
                f"{where}: {other_label} {other.text!r} (tokens {other.start}-{other.end}) and "
                f"{label} {span.text!r} (tokens {start}-{end}) overlap. A token has one role in a "
                "frame."
            )
        previous_end = end


def _relabel(span: Span, label: str, number: int, kb_id: str = "") -> Span:
    return Span(span.doc, span.start, span.end, label=label, kb_id=kb_id, span_id=number)


def _frame_from_json(doc: Doc, frame: Mapping[str, Any]) -> Frame:
    try:
        return Frame(
            _span_from_json(doc, frame["predicate"]),
            frame.get("roleset", ""),
            tuple(
                Argument(argument["label"], _span_from_json(doc, argument))
                for argument in frame.get("arguments", ())
            ),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"Can't read a frame from {frame!r}: expected a Frame or a dict with 'predicate' and "
            "'arguments', each with a 'label' (arguments only) and either 'start_char' and "
            f"'end_char' or 'start' and 'end' ({type(error).__name__}: {error})."
        ) from error


def _span_from_json(doc: Doc, data: Mapping[str, Any]) -> Span:
    if "start_char" in data:
        span = doc.char_span(data["start_char"], data["end_char"])
        if span is None:
            raise ValueError(
                f"Characters {data['start_char']}-{data['end_char']} "
                f"({doc.text[data['start_char'] : data['end_char']]!r}) do not begin and end at "
                "token borders of the Doc. Tokenize it as the frames were made."
            )
    else:
        start, end = data["start"], data["end"]
        if not 0 <= start < end <= len(doc):
            raise ValueError(
                f"Tokens {start}-{end} are not a span of a Doc of {len(doc)} tokens: expected "
                "0 <= start < end <= length."
            )
        span = doc[start:end]
    if "text" in data and data["text"] != span.text:
        raise ValueError(
            f"The frame expects the text {data['text']!r} at tokens {span.start}-{span.end}, but "
            f"the Doc says {span.text!r}. It is not the Doc that the frame was made for."
        )
    return span


def _span_to_json(span: Span) -> dict[str, Any]:
    return {
        "start": span.start,
        "end": span.end,
        "start_char": span.start_char,
        "end_char": span.end_char,
        "text": span.text,
    }


def _words(span: Span) -> list[str]:
    return [token.text for token in span if not token.is_space]


def _same_tokens(left: Span, right: Span) -> bool:
    return left.doc is right.doc and left.start == right.start and left.end == right.end
