"""The JSON of AllenNLP's predictor for semantic roles, one object a sentence:

    {"verbs": [{"verb": "gave", "description": "[ARG0: She] [V: gave] ...",
                "tags": ["B-ARG0", "B-V", ...]}], "words": ["She", "gave", ...]}

The key "frame" of a verb holds its roleset, and "lemma" its lemma, as in transformer-srl.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..srl.alignment import IndexedFrame
from .brackets import LabelledSpan
from .columns import read_text
from .errors import FormatError
from .propositions import PREDICATE_LABEL, narrow_predicate, split_roleset
from .report import ConversionReport
from .sentence import AnnotatedSentence

_SPACE = re.compile(r"\s*")
_TAG = re.compile(r"O|[BI]-(.+)")
_KNOWN_KEYS = {"verb", "description", "tags", "frame", "lemma"}


def read_allennlp(path: str | Path, report: ConversionReport) -> Iterator[AnnotatedSentence]:
    """Read a file with one object, one object a line, or an array of objects.

    path (str | Path): The file, UTF-8.
    report (ConversionReport): Where to count what can't be carried over.
    YIELDS (AnnotatedSentence): The sentences.
    RAISES (FormatError): With file and the line at which an object begins, where it is malformed.
    """
    text = read_text(path)
    for start, value in _read_values(path, text):
        line = text.count("\n", 0, start) + 1
        yield _read_sentence(path, line, value, report)


def _read_values(path: str | Path, text: str) -> Iterator[tuple[int, Any]]:
    """Read the objects of a file, one behind the other or in an array."""
    decoder = json.JSONDecoder()
    position = _skip(text, 0)
    in_array = text[position : position + 1] == "["
    if in_array:
        position = _skip(text, position + 1)
    while position < len(text) and not (in_array and text[position] == "]"):
        try:
            value, end = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise FormatError(
                path, error.lineno, f"no valid JSON: {error.msg} at column {error.colno}"
            ) from None
        yield position, value
        position = _skip(text, end)
        if in_array and text[position : position + 1] == ",":
            position = _skip(text, position + 1)
        elif in_array and text[position : position + 1] != "]":
            line = text.count("\n", 0, position) + 1
            raise FormatError(path, line, "expected ',' or ']' behind an object of the array")


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _read_sentence(
    path: str | Path, line: int, value: Any, report: ConversionReport
) -> AnnotatedSentence:
    words = value.get("words") if isinstance(value, dict) else None
    verbs = value.get("verbs") if isinstance(value, dict) else None
    if not _is_strings(words) or not words or not isinstance(verbs, list):
        raise FormatError(
            path, line, "expected an object with 'words', a list of texts, and 'verbs', a list"
        )
    frames = [_read_verb(path, line, words, number, verb) for number, verb in enumerate(verbs)]
    for verb in verbs:
        for key in sorted(set(verb) - _KNOWN_KEYS):
            report.add_line(f"values of a verb's key {key!r}", path, line, repr(verb[key])[:40])
    for key in sorted(set(value) - {"words", "verbs"}):
        report.add_line(f"values of the key {key!r}", path, line, repr(value[key])[:40])
    return AnnotatedSentence(path=str(path), lines=[line] * len(words), words=words, frames=frames)


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


def _read_verb(
    path: str | Path, line: int, words: Sequence[str], number: int, verb: Any
) -> IndexedFrame:
    where = f"verb {number + 1}"
    tags = verb.get("tags") if isinstance(verb, dict) else None
    if not isinstance(tags, list) or not _is_strings(tags) or len(tags) != len(words):
        raise FormatError(
            path,
            line,
            f"{where}: expected 'tags' with one tag for each of the {len(words)} words, found"
            f" {len(tags) if isinstance(tags, list) else tags!r}",
        )
    spans = _read_tags(path, line, where, tags)
    predicates = [span for span in spans if span.label == PREDICATE_LABEL]
    if len(predicates) != 1:
        raise FormatError(
            path,
            line,
            f"{where}, {verb.get('verb')!r}: expected one span tagged V, found {len(predicates)}",
        )
    at = predicates[0].start
    _, *others = narrow_predicate(at, spans)
    arguments = tuple((span.label, span.start, span.end) for span in others)
    roleset = verb.get("frame", "")
    if not isinstance(roleset, str):
        raise FormatError(path, line, f"{where}: expected a text as 'frame', found {roleset!r}")
    return IndexedFrame(at, roleset, arguments)


def _read_tags(path: str | Path, line: int, where: str, tags: Sequence[str]) -> list[LabelledSpan]:
    """Read BIO tags; an "I-" that continues nothing is malformed."""
    spans: list[LabelledSpan] = []
    for i, tag in enumerate(tags):
        match = _TAG.fullmatch(tag)
        continues = bool(spans) and spans[-1].end == i and spans[-1].label == tag[2:]
        if not match or (tag.startswith("I-") and not continues):
            raise FormatError(
                path,
                line,
                f"{where}: expected 'O', 'B-LABEL' or 'I-LABEL' behind the same label at word"
                f" {i + 1}, found {tag!r}",
            )
        if tag.startswith("B-"):
            spans.append(LabelledSpan(tag[2:], i, i + 1))
        elif tag.startswith("I-"):
            spans[-1] = LabelledSpan(tag[2:], spans[-1].start, i + 1)
    return spans


def write_allennlp(
    sentences: Iterable[AnnotatedSentence], report: ConversionReport
) -> Iterator[str]:
    """Write sentences as JSON, one a line.

    sentences (Iterable[AnnotatedSentence]): The sentences.
    report (ConversionReport): Where to count what the format has no room for; nothing here.
    YIELDS (str): The line of each sentence.
    """
    for sentence in sentences:
        verbs = [_write_verb(sentence, frame) for frame in sentence.frames or ()]
        value = {"verbs": verbs, "words": sentence.words}
        yield json.dumps(value, ensure_ascii=False) + "\n"


def _write_verb(sentence: AnnotatedSentence, frame: IndexedFrame) -> dict[str, Any]:
    spans = [(PREDICATE_LABEL, frame.predicate, frame.predicate + 1), *frame.arguments]
    spans.sort(key=lambda span: span[1])
    tags = ["O"] * len(sentence.words)
    pieces: list[str] = []
    position = 0
    for label, start, end in spans:
        tags[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
        pieces += sentence.words[position:start]
        pieces.append(f"[{label}: {' '.join(sentence.words[start:end])}]")
        position = end
    pieces += sentence.words[position:]
    verb = {
        "verb": sentence.words[frame.predicate],
        "description": " ".join(pieces),
        "tags": tags,
    }
    if frame.roleset:
        verb["frame"] = frame.roleset
        verb["lemma"] = split_roleset(frame.roleset)[0]
    return verb
