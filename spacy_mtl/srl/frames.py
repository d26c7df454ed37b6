"""Semantic frames in a Doc: who did what to whom, kept in a span group that spaCy itself carries.

The group `doc.spans["srl"]` holds, for each frame, the predicate span (label `V`, knowledge base
ID = roleset such as `give.01`) and its argument spans (label `ARG0`, `ARGM-TMP`, `R-ARG1`, ...).
All spans of a frame share the span ID, the number of the frame in the document. `DocBin`,
`Doc.to_bytes`, `Doc.copy` and `Doc.from_docs` keep the group without any setting. A document is
annotated if and only if it has the group; an empty group says that there is no predicate.

Probabilities and the meanings of rolesets are in the group's `attrs`, which `Doc.to_bytes`,
`DocBin` and `Doc.copy` keep; `Doc.from_docs` keeps no attributes of groups. `Span.as_doc` keeps no
groups at all, hence `span_as_doc`.

Where tokens were merged or split after the frames were written, the frames are found by their
characters.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from spacy.strings import get_string_id
from spacy.tokens import Doc, Span, SpanGroup

from ..util.quoting import quote
from ..util.spans import MergedTokensError, StoredSpan, current_spans, is_in_place, stored_spans
from .inventory import Roleset, base_role

AnySpan = TypeVar("AnySpan", Span, StoredSpan)

PREDICATE_LABEL = "V"
PREDICATE_ID = get_string_id(PREDICATE_LABEL)

# Attributes of the span group.
SCORES = "scores"  # [span ID, first character, end, probability], for a predicate its roleset's too
ROLESETS = "rolesets"  # roleset to name and roles, as in `Roleset`
UNKNOWN = "unknown"  # [first token, end] of each predicate whose frame was left out as faulty

LabelledFrame = tuple[Span, list[tuple[str, Span]]]  # predicate, labels and spans of arguments
Pair = tuple[int, list[int]]  # predicate and arguments, as positions in a group
_START = attrgetter("start")


class Row(NamedTuple):
    """A span of a group as plain numbers.

    id (int): The span ID.
    label (int): The label's hash.
    start (int): The first token.
    end (int): The last token, exclusive.
    kb_id (int): The roleset's hash.
    """

    id: int
    label: int
    start: int
    end: int
    kb_id: int


@dataclass(frozen=True, eq=False, repr=False)
class Argument:
    """A participant or circumstance of a frame.

    Arguments are equal if they give the same label to the same tokens of the same Doc.

    label (str): The role, e.g. "ARG0", "ARGM-TMP", "R-ARG1" or "C-ARG1".
    span (Span): The words that fill it.
    score (Optional[float]): Its probability, given the predicate; None if not known.
    description (str): What the role means in this roleset, e.g. "entity given to"; empty if not
        known.
    """

    label: str
    span: Span
    score: float | None = None
    description: str = ""

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
            tokens, `start_char` and `end_char` in characters, ends exclusive. `score` and
            `description` are there if they are known.
        """
        known = {"score": self.score, "description": self.description or None}
        return {"label": self.label, **_span_to_json(self.span), **_without_none(known)}


@dataclass(frozen=True, eq=False, repr=False)
class Frame:
    """A predicate with its sense and its arguments.

    Frames are equal if roleset, predicate and arguments are, over the same Doc.

    predicate (Span): The word that evokes the frame.
    roleset (str): Its sense in the frame files, e.g. "give.01"; empty if not known.
    arguments (Tuple[Argument, ...]): The arguments; they overlap neither each other nor the
        predicate.
    score (Optional[float]): The probability that the word is a predicate; None if not known.
    roleset_score (Optional[float]): The probability of the roleset among those that the word can
        have; None if not known.
    name (str): What the roleset means, e.g. "transfer"; empty if not known.
    """

    predicate: Span
    roleset: str = ""
    arguments: tuple[Argument, ...] = ()
    score: float | None = None
    roleset_score: float | None = None
    name: str = ""

    def __getitem__(self, label: str) -> Argument:
        """Get the first argument with a label.

        label (str): The role.
        RETURNS (Argument): The argument.
        RAISES (KeyError): If there is none.
        """
        for argument in self.arguments:
            if argument.label == label:
                return argument
        roles = ", ".join(argument.label for argument in self.arguments) or "none"
        raise KeyError(f"{self!r} has no {label!r}; its roles: {roles}.")

    def __contains__(self, label: object) -> bool:
        return any(argument.label == label for argument in self.arguments)

    def get(self, label: str) -> Argument | None:
        """RETURNS (Optional[Argument]): The first argument with a label, if there is one."""
        return self[label] if label in self else None

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
            **_without_none(
                {
                    "name": self.name or None,
                    "score": self.score,
                    "roleset_score": self.roleset_score,
                }
            ),
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


class Frames(list[Frame]):
    """The frames of a document: a list with look-ups."""

    def find(
        self,
        roleset: str | None = None,
        *,
        predicate: str | None = None,
        role: str | None = None,
        text: str | None = None,
    ) -> "Frames":
        """Find frames. All conditions given must hold.

        roleset (Optional[str]): The roleset; `*` stands for anything: "give.*".
        predicate (Optional[str]): The predicate's text or lemma, whatever the case.
        role (Optional[str]): An argument has this label.
        text (Optional[str]): An argument, that with the label `role` if given, has this text,
            whatever the case.
        RETURNS (Frames): The frames, in order.
        """
        return Frames(
            frame
            for frame in self
            if (roleset is None or fnmatchcase(frame.roleset, roleset))
            and (predicate is None or _is_word(frame.predicate, predicate))
            and (
                (role is None and text is None)
                or any(
                    (role is None or argument.label == role)
                    and (text is None or argument.span.text.lower() == text.lower())
                    for argument in frame.arguments
                )
            )
        )


def read_frames(doc: Doc, key: str = "srl") -> Frames:
    """Read the frames of a document.

    doc (Doc): The document.
    key (str): The span group.
    RETURNS (Frames): In the order of the group; empty if there is no such group.
    RAISES (ValueError): If the group does not have the layout of `write_frames`, or tokens were
        merged across the border of one of its spans.
    """
    grouped = group_spans(doc, key)
    attrs = doc.spans[key].attrs if grouped else {}
    scores = {tuple(row[:3]): row[3:] for row in attrs.get(SCORES, ())}
    meanings = attrs.get(ROLESETS, {})
    frames = Frames()
    for predicate, spans in grouped:
        roleset = predicate.kb_id_
        meaning = Roleset(roleset, **meanings.get(roleset, {}))
        arguments = tuple(
            Argument(
                span.label_,
                span,
                scores.get((span.id, span.start_char, span.end_char), (None,))[0],
                meaning.describe(span.label_),
            )
            for span in spans
        )
        own = scores.get((predicate.id, predicate.start_char, predicate.end_char), ())
        score, roleset_score = own if len(own) == 2 else (None, None)
        frames.append(Frame(predicate, roleset, arguments, score, roleset_score, meaning.name))
    return frames


def write_frames(doc: Doc, frames: Iterable[Frame | Mapping[str, Any]], key: str = "srl") -> None:
    """Replace the frames of a document. Without frames the group is written empty: the document
    counts as annotated, with no predicate in it.

    doc (Doc): The document.
    frames (Iterable[Union[Frame, Dict[str, Any]]]): Frames over this document, or their JSON form.
        JSON spans are found by `start_char` and `end_char` if given, else by the tokens `start`
        and `end`, and their `text`, if given, must be what the document says there.
    key (str): The span group.
    RAISES (ValueError): If a span is of another document or empty, or older than a merge or split
        of its tokens, if arguments overlap each other or the predicate, if a label is empty or `V`,
        or if two frames start at the same token.
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
            if not is_in_place(span):
                raise ValueError(
                    f"Can't write a frame: its span at tokens {span.start}-{span.end} was made for "
                    f"{doc.text[span.start_char : span.end_char]!r}, but tokens were merged or "
                    "split since (Doc.retokenize). Take the frames from doc._.srl again."
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
    doc.spans[key] = SpanGroup(doc, name=key, spans=spans, attrs=_attributes(parsed))


def has_frames(group: SpanGroup) -> bool:
    """Tell whether a span group holds frames, or spans of another kind.

    group (SpanGroup): The group.
    RETURNS (bool): Whether one of its spans is labelled as a predicate.
    """
    return any(span.label == PREDICATE_ID for span in stored_spans(group))


def group_spans(doc: Doc, key: str) -> list[tuple[Span, list[Span]]]:
    """Find out which argument span of the group belongs to which predicate span.

    An argument belongs to the nearest predicate before it, in the order of the group, that has the
    same span ID; if there is none, to the only one after it. So the frames stay apart when
    `Doc.from_docs` joins documents whose frame numbers collide.

    doc (Doc): The document.
    key (str): The span group.
    RETURNS (List[Tuple[Span, List[Span]]]): Each predicate with its arguments; empty if there is no
        such group.
    RAISES (ValueError): If it is not clear which predicate an argument has, if spans of a frame
        overlap, are empty or outside of the document, or if two frames start at the same token.
    """
    spans, pairs = _checked_pairs(doc, key)[1:]
    return [(spans[at], [spans[i] for i in arguments]) for at, arguments in pairs]


def indexed_spans(doc: Doc, key: str) -> list[tuple[Row, list[Row]]]:
    """Do what `group_spans` does, with plain numbers in place of spans.

    doc (Doc): The document.
    key (str): The span group.
    RETURNS (List[Tuple[Row, List[Row]]]): Each predicate with its arguments.
    RAISES (ValueError): See `group_spans`.
    """
    rows, _, pairs = _checked_pairs(doc, key)
    return [(rows[at], [rows[i] for i in arguments]) for at, arguments in pairs]


def frame_extents(doc: Doc, key: str) -> list[tuple[int, int]]:
    """Find from where to where frames extend, whatever faults they have.

    doc (Doc): The document.
    key (str): The span group.
    RETURNS (List[Tuple[int, int]]): First token and last token (exclusive) of each frame.
    RAISES (MergedTokensError): If a span does not begin and end where tokens do any more.
    """
    spans = current_spans(doc, key) if key in doc.spans else []
    rows = [_row_of(span) for span in spans]
    pairs, stray = _pair(rows)
    groups = [[rows[i] for i in (at, *arguments)] for at, arguments in pairs]
    groups += [[rows[i]] for i in stray]
    return [(min(r.start for r in group), max(r.end for r in group)) for group in groups]


@dataclass(frozen=True)
class FrameFault:
    """Why frames of a span group can't be read.

    message (str): What is wrong, where, and what is expected.
    predicates (Tuple[Tuple[int, int], ...]): First and last token (exclusive) of the predicates
        whose frames are wrong; empty if the whole group can't be read.
    """

    message: str
    predicates: tuple[tuple[int, int], ...] = ()


def find_frame_faults(doc: Doc, key: str) -> list[FrameFault]:
    """Find everything that makes `group_spans` raise an error.

    doc (Doc): The document.
    key (str): The span group.
    RETURNS (List[FrameFault]): The faults; none if there is no such group.
    """
    if key not in doc.spans:
        return []
    try:
        spans = current_spans(doc, key)
    except MergedTokensError as error:
        return [FrameFault(str(error))]
    rows = [_row_of(span) for span in spans]
    pairs, stray = _pair(rows)
    if not stray and _is_sound(rows, pairs):
        return []
    with_id = Counter(rows[at].id for at, _ in pairs)
    faults = [FrameFault(_describe_stray(spans[i], key, with_id[rows[i].id])) for i in stray]
    labelled = [
        (spans[at], [(spans[i].label_, spans[i]) for i in arguments]) for at, arguments in pairs
    ]
    return faults + list(_layout_faults(labelled, key))


def drop_faulty_frames(doc: Doc, key: str) -> None:
    """Leave frames that can't be read out of a group. Their predicates are kept as unknown in its
    attribute `UNKNOWN`. A group that can't be read as a whole is removed, as if nobody had
    annotated the document.

    doc (Doc): The document, which is changed.
    key (str): The span group.
    """
    faults = find_frame_faults(doc, key)
    if any(not fault.predicates for fault in faults):
        del doc.spans[key]
        return
    unknown = sorted({place for fault in faults for place in fault.predicates})
    starts = {start for start, _ in unknown}
    group = doc.spans[key]
    spans = current_spans(doc, key)
    pairs, _ = _pair([_row_of(span) for span in spans])
    kept = [
        spans[i]
        for at, arguments in pairs
        if spans[at].start not in starts
        for i in (at, *arguments)
    ]
    attrs = {**group.attrs, UNKNOWN: [[start, max(end, start + 1)] for start, end in unknown]}
    doc.spans[key] = SpanGroup(doc, name=key, attrs=attrs, spans=kept)


def group_by_predicate(
    spans: Sequence[AnySpan],
) -> tuple[list[tuple[AnySpan, list[AnySpan]]], list[AnySpan]]:
    """Do what `group_spans` does, without any check.

    spans (Sequence[Union[Span, StoredSpan]]): The spans of a group, in order.
    RETURNS (Tuple[List[Tuple[AnySpan, List[AnySpan]]], List[AnySpan]]): Each predicate with its
        arguments, and the arguments of which it is not clear which predicate they have.
    """
    pairs, stray = _pair([Row(s.id, s.label, s.start, s.end, s.kb_id) for s in spans])
    return [(spans[at], [spans[i] for i in own]) for at, own in pairs], [spans[i] for i in stray]


def _row_of(span: Span) -> Row:
    return Row(span.id, span.label, span.start, span.end, span.kb_id)


def _checked_pairs(doc: Doc, key: str) -> tuple[list[Row], list[Span], list[Pair]]:
    """RETURNS (Tuple[List[Row], List[Span], List[Pair]]): A group's spans as numbers, its spans,
    and which of them make up a frame.
    """
    if key not in doc.spans:
        return [], [], []
    spans = current_spans(doc, key)
    rows = [_row_of(span) for span in spans]
    pairs, stray = _pair(rows)
    if stray or not _is_sound(rows, pairs):
        raise ValueError(find_frame_faults(doc, key)[0].message)
    return rows, spans, pairs


def _pair(rows: Sequence[Row]) -> tuple[list[Pair], list[int]]:
    """RETURNS (Tuple[List[Pair], List[int]]): Each predicate with its arguments, and the arguments
    whose predicate can't be told: there is none, or there are several after them.
    """
    pairs: list[Pair] = []
    latest: dict[int, list[int]] = {}
    waiting: defaultdict[int, list[int]] = defaultdict(list)
    early: dict[int, list[int]] = {}  # arguments before the first predicate with their ID
    stray: list[int] = []
    for i, row in enumerate(rows):
        if row.label == PREDICATE_ID:
            own = waiting.pop(row.id, [])
            if own:
                early[row.id] = list(own)
            else:
                stray += early.pop(row.id, ())
            latest[row.id] = own
            pairs.append((i, own))
        elif row.id in latest:
            latest[row.id].append(i)
        else:
            waiting[row.id].append(i)
    stray += (i for arguments in waiting.values() for i in arguments)
    return pairs, sorted(stray)


def _is_sound(rows: Sequence[Row], pairs: Sequence[Pair]) -> bool:
    """RETURNS (bool): Whether `_layout_faults` finds nothing."""
    if len({rows[at].start for at, _ in pairs}) < len(pairs):
        return False
    for at, arguments in pairs:
        own = [rows[at], *(rows[i] for i in arguments)]
        own.sort(key=_START)
        previous_end = 0
        for row in own:
            if not previous_end <= row.start < row.end or not row.label:
                return False
            previous_end = row.end
    return True


def _describe_stray(span: Span, key: str, n_predicates: int) -> str:
    found = (
        f"{n_predicates} spans labelled {PREDICATE_LABEL!r} with this ID come after it"
        if n_predicates
        else f"no span labelled {PREDICATE_LABEL!r} has it"
    )
    return (
        f"Can't read the frames in doc.spans[{key!r}] of {quote(span.doc)}: the argument "
        f"{span.label_!r} at tokens {span.start}-{span.end} ({span.text!r}) has the span ID "
        f"{span.id}, but {found}. Give the predicate and the arguments of a frame the same "
        "span_id, another one in each frame, or use write_frames."
    )


def _attributes(frames: Sequence[Frame]) -> dict[str, Any]:
    """RETURNS (Dict[str, Any]): The group's attributes: what is known of scores and meanings."""
    scores: list[list[Any]] = []
    meanings: dict[str, dict[str, Any]] = {}
    for number, frame in enumerate(frames):
        if frame.score is not None or frame.roleset_score is not None:
            span = frame.predicate
            row = [number, span.start_char, span.end_char, frame.score, frame.roleset_score]
            scores.append(row)
        for argument in frame.arguments:
            if argument.score is not None:
                span = argument.span
                scores.append([number, span.start_char, span.end_char, argument.score])
        described = {
            base_role(argument.label): argument.description
            for argument in frame.arguments
            if argument.description
        }
        if frame.roleset and (frame.name or described):
            meaning = meanings.setdefault(frame.roleset, {"name": frame.name, "roles": {}})
            meaning["roles"].update(described)
    return _without_none({SCORES: scores or None, ROLESETS: meanings or None})


def _check_layout(frames: Sequence[LabelledFrame], key: str) -> None:
    """RAISES (ValueError): If the spans cannot be those of one document's frames."""
    for fault in _layout_faults(frames, key):
        raise ValueError(fault.message)


def _layout_faults(frames: Sequence[LabelledFrame], key: str) -> Iterator[FrameFault]:
    """YIELDS (FrameFault): What is wrong with spans that should make up a document's frames."""
    first_of: dict[int, Span] = {}
    for predicate, arguments in frames:
        message = _describe_fault(predicate, arguments, key)
        if message is not None:
            yield FrameFault(message, ((predicate.start, predicate.end),))
        other = first_of.setdefault(predicate.start, predicate)
        if other is not predicate:
            yield FrameFault(
                f"Two frames in doc.spans[{key!r}] of {quote(predicate.doc)} start at token "
                f"{predicate.start}: {other.text!r} and {predicate.text!r}. A predicate has one "
                "frame: keep one of them.",
                ((other.start, other.end), (predicate.start, predicate.end)),
            )


def _describe_fault(predicate: Span, arguments: Sequence[tuple[str, Span]], key: str) -> str | None:
    """RETURNS (Optional[str]): Why the spans cannot be those of one frame; None if they can."""
    where = (
        f"Bad frame for {predicate.text!r} at token {predicate.start} in doc.spans[{key!r}] of "
        f"{quote(predicate.doc)}"
    )
    labelled = [(PREDICATE_LABEL, predicate, predicate.start, predicate.end)]
    for label, span in arguments:
        if label in ("", PREDICATE_LABEL):
            return (
                f"{where}: the argument {span.text!r} has the label {label!r}. Arguments need a "
                f"role such as 'ARG0'; {PREDICATE_LABEL!r} marks the predicate."
            )
        labelled.append((label, span, span.start, span.end))
    labelled.sort(key=lambda entry: entry[2])
    previous_end = 0
    for index, (label, span, start, end) in enumerate(labelled):
        if start >= end:
            return f"{where}: the span of {label} at token {start} is empty."
        if start < previous_end:
            other_label, other = labelled[index - 1][:2]
            return (
                f"{where}: {other_label} {other.text!r} (tokens {other.start}-{other.end}) and "
                f"{label} {span.text!r} (tokens {start}-{end}) overlap. A token has one role in a "
                "frame."
            )
        previous_end = end
    return None


def _relabel(span: Span, label: str, number: int, kb_id: str = "") -> Span:
    return Span(span.doc, span.start, span.end, label=label, kb_id=kb_id, span_id=number)


def _frame_from_json(doc: Doc, frame: Mapping[str, Any]) -> Frame:
    try:
        return Frame(
            _span_from_json(doc, frame["predicate"]),
            frame.get("roleset", ""),
            tuple(
                Argument(
                    argument["label"],
                    _span_from_json(doc, argument),
                    argument.get("score"),
                    argument.get("description", ""),
                )
                for argument in frame.get("arguments", ())
            ),
            frame.get("score"),
            frame.get("roleset_score"),
            frame.get("name", ""),
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


def _is_word(span: Span, word: str) -> bool:
    return word.lower() in (span.text.lower(), span.lemma_.lower())


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _words(span: Span) -> list[str]:
    return [token.text for token in span if not token.is_space]


def _same_tokens(left: Span, right: Span) -> bool:
    return left.doc is right.doc and left.start == right.start and left.end == right.end
