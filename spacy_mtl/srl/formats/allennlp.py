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

from ..alignment import IndexedFrame
from .bio import read_frame, write_tags
from .columns import drop_sentence, is_text, read_text
from .propositions import PREDICATE_LABEL, split_roleset
from .report import ConversionReport
from .sentence import AnnotatedSentence

_SPACE = re.compile(r"\s*")
_RESUME = re.compile(r"[\r\n]\s*(?=\{)")  # where an object may begin behind malformed JSON
_TAGS_KEY = '"tags"'
_KNOWN_KEYS = {"verb", "description", "tags", "frame", "lemma"}


def read_allennlp(path: str | Path, report: ConversionReport) -> Iterator[AnnotatedSentence]:
    """Read a file with one object, one object a line, or an array of objects.

    path (str | Path): The file, UTF-8.
    report (ConversionReport): Where to count what can't be carried over or is malformed.
    YIELDS (AnnotatedSentence): The sentences.
    RAISES (FormatError): With file and the line at which an object begins, where it is malformed.
    """
    text = read_text(path, report)
    line, counted = 1, 0
    for start, end, value in _read_values(path, text, report):
        line += text.count("\n", counted, start)
        counted = start
        n_tags = text.count(_TAGS_KEY, start, end)
        sentence = _read_sentence(path, line, value, n_tags, report)
        if sentence is not None:
            yield sentence


def _read_values(
    path: str | Path, text: str, report: ConversionReport
) -> Iterator[tuple[int, int, Any]]:
    """Read the objects of a file, one behind the other or in an array.

    YIELDS (tuple[int, int, Any]): Where it begins and ends, and what it is.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_unique)
    position = _skip(text, 0)
    in_array = text[position : position + 1] == "["
    if in_array:
        position = _skip(text, position + 1)
    while position < len(text) and not (in_array and text[position] == "]"):
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            position = _resume(path, text, position, error, report)
            continue
        yield position, end, value
        position = _skip(text, end)
        if in_array and text[position : position + 1] == ",":
            position = _skip(text, position + 1)
        elif in_array and text[position : position + 1] != "]":
            _expect_border(path, text, position, report)
    if in_array and position < len(text):
        position = _skip(text, position + 1)
    elif in_array:
        _expect_border(path, text, position, report)
    if position < len(text):
        surplus = ValueError("expected nothing behind the array")
        _resume(path, text, position, surplus, report, to_end=True)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): An object. A key that stands twice would lose a value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a key stands twice among {[key for key, _ in pairs]}")
    return found


def _expect_border(path: str | Path, text: str, position: int, report: ConversionReport) -> None:
    line = text.count("\n", 0, position) + 1
    message = "expected ',' or ']' behind an object of the array"
    report.malformed("borders of objects that are missing", path, line, message)


def _resume(
    path: str | Path,
    text: str,
    position: int,
    error: Exception,
    report: ConversionReport,
    *,
    to_end: bool = False,
) -> int:
    """Count malformed JSON, and find the next line that an object begins at."""
    match = None if to_end else _RESUME.search(text, position + 1)
    end = match.end() if match else len(text)
    if isinstance(error, json.JSONDecodeError):
        line, detail = error.lineno, f"{error.msg} at column {error.colno}"
    else:
        line, detail = text.count("\n", 0, position) + 1, str(error)
    frames = text.count(_TAGS_KEY, position, end)
    message = f"no valid JSON: {detail}"
    drop_sentence(report, "objects that are no valid JSON", path, line, message, frames)
    return end


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _read_sentence(
    path: str | Path, line: int, value: Any, n_tags: int, report: ConversionReport
) -> AnnotatedSentence | None:
    words = value.get("words") if isinstance(value, dict) else None
    verbs = value.get("verbs") if isinstance(value, dict) else None
    if not _is_strings(words) or not isinstance(verbs, list) or (verbs and not words):
        message = "expected an object with 'words', a list of texts, and 'verbs', a list"
        kind = "objects that are no sentence with verbs"
        drop_sentence(report, kind, path, line, message, n_tags)
        return None
    if not words:
        report.add_line("sentences without words", path, line, "'words' is empty", sentences=1)
        report.see(sentences=1)
        return None
    for key in sorted(set(value) - {"words", "verbs"}):
        report.add_line(f"values of the key {key!r}", path, line, repr(value[key])[:40])
    report.see(sentences=1)
    read = (_read_verb(path, line, words, i, verb, report) for i, verb in enumerate(verbs, 1))
    frames = [frame for frame in read if frame is not None]
    return AnnotatedSentence(path=str(path), lines=[line] * len(words), words=words, frames=frames)


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, str) and item and is_text(item) for item in value
    )


def _read_verb(
    path: str | Path,
    line: int,
    words: Sequence[str],
    number: int,
    verb: Any,
    report: ConversionReport,
) -> IndexedFrame | None:
    where = f"verb {number}"
    tags = verb.get("tags") if isinstance(verb, dict) else None
    if not isinstance(tags, list) or not _is_strings(tags) or len(tags) != len(words):
        found = len(tags) if isinstance(tags, list) else repr(tags)[:40]
        report.malformed(
            "verbs without a tag a word",
            path,
            line,
            f"{where}: expected 'tags' with one tag for each of the {len(words)} words, found"
            f" {found}",
            frames=1,
        )
        report.see(frames=1)
        return None
    for key in sorted(set(verb) - _KNOWN_KEYS):
        report.add_line(f"values of a verb's key {key!r}", path, line, repr(verb[key])[:40])
    roleset = verb.get("frame", "")
    if not isinstance(roleset, str) or not is_text(roleset):
        message = f"{where}: expected a text as 'frame', found {repr(roleset)[:40]}"
        report.malformed("rolesets that are no text", path, line, message)
        roleset = ""
    where = f"{where}, {verb.get('verb')!r}"
    return read_frame(path, [line] * len(words), where, tags, None, roleset, report)


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
    pieces: list[str] = []
    position = 0
    for label, start, end in spans:
        pieces += sentence.words[position:start]
        pieces.append(f"[{label}: {' '.join(sentence.words[start:end])}]")
        position = end
    pieces += sentence.words[position:]
    verb = {
        "verb": sentence.words[frame.predicate],
        "description": " ".join(pieces),
        "tags": write_tags(frame, len(sentence.words)),
    }
    if frame.roleset:
        verb["frame"] = frame.roleset
        verb["lemma"] = split_roleset(frame.roleset)[0]
    return verb
