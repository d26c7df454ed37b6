"""Read what `generate_inline.py` writes text from: names, fillers, verbs, patterns and sentences.

They are YAML files in one folder, `assets/templates`. Each says at its top how to add to it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from string import Template
from typing import Annotated, TypeVar

import srsly
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

SLOT = re.compile(r"\{(\w+)\}")
MARK = re.compile(r"<([^ >]+) |\[([A-Z]+): |[>\]]")
_INNERMOST_MARK = re.compile(
    r"<([a-z]:[\w$.-]+|[a-z]\.[\w$-]+(,[a-z]\.[\w$-]+)*) [^<>\[\]]*>|\[[A-Z]+: [^<>\[\]]*\]"
)

BOUND_SLOTS = {"P1", "P1s", "P2", "first1", "first2", "O1", "O2"}
_BUILT_IN_SLOTS = BOUND_SLOTS | {"he1", "person", "place", "org"}
_PATTERN_SLOTS = {"greeting", "role", "speaker", "tfuture", "tpast", "who"}
_MOST_POLAR = 4  # sentences with the document's sentiment that one document may need
_PATTERN_WORDS = set(
    "roleset base past part ing present role subject object_role object object_mark rest tpast"
    " tfuture modal has was comes works who object_was object_is object_has receiver"
    " receiver_was".split()
)


def _check_marks(text: str, outside: str = "") -> str:
    """Check that marks are well-formed and closed, and that each frame has one predicate.

    text (str): A template.
    outside (str): The letters of frames whose predicates are outside of the text.
    RETURNS (str): The text.
    RAISES (ValueError): What is wrong.
    """
    rest, marks = SLOT.sub("", text), 1
    while marks:
        rest, marks = _INNERMOST_MARK.subn("", rest)
    if stray := re.search(r"[<>\[\]{}]", rest):
        known = "{slot}, <a:give.01 ...>, <a.ARG0 ...> or [PER: ...]"
        raise ValueError(f"{stray.group()!r} in {rest!r} does not belong to a complete {known}")
    predicates = Counter([*outside, *re.findall(r"<(\w):", text)])
    for frame in sorted({*predicates, *re.findall(r"[<,](\w)\.", text)}):
        if predicates[frame] != 1:
            raise ValueError(f"{predicates[frame]} predicates <{frame}:...> for frame {frame!r}")
    return text


def _check_forms(text: str) -> str:
    if not re.fullmatch(r"\S+( \S+){4}|\S+", text):
        raise ValueError(
            "give the base of a regular verb, or base, past, participle, -ing and third"
        )
    return text


def _check_complement(text: str) -> str:
    return _check_marks(text, outside="a") if text.startswith("<") else text


def _check_words(text: str) -> str:
    for match in Template.pattern.finditer(text):
        if match["named"] not in _PATTERN_WORDS:
            known = ", ".join(f"${word}" for word in sorted(_PATTERN_WORDS))
            raise ValueError(f"unknown word {match.group()!r}; known are {known}")
    return text


_Entry = TypeVar("_Entry")
Some = Annotated[list[_Entry], Field(min_length=1)]
Two = Annotated[list[_Entry], Field(min_length=2)]  # a document's two people differ in them
Text = Annotated[str, Field(min_length=1)]
Name = Annotated[Text, Field(pattern=r"^[^<>{}\[\]]+$")]
NamePattern = Annotated[Text, Field(pattern=r"^([^<>{}\[\]]|\{stem\}|\{city\})+$")]
Marked = Annotated[Text, AfterValidator(_check_marks)]
Complement = Annotated[str, AfterValidator(_check_complement)]
Pattern = Annotated[Marked, AfterValidator(_check_words)]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Organisations(_Data):
    """Names of organisations: a stem and a kind, or the pattern of an institution."""

    stems: Some[Name]
    kinds: Some[Name]
    institutions: Some[NamePattern]


class Names(_Data):
    """Names of people, places and organisations."""

    female: Some[Name]
    male: Some[Name]
    surnames: Two[Name]
    places: Some[Name]
    organisations: Organisations


class Fillers(_Data):
    """The fillers of each slot: for any document, and for those with a sentiment."""

    any: dict[str, Some[Marked]]
    positive: dict[str, Some[Marked]]
    negative: dict[str, Some[Marked]]

    def of(self, sentiment: str) -> dict[str, list[str]]:
        """RETURNS (dict[str, list[str]]): The fillers for documents with a sentiment."""
        polar = {"positive": self.positive, "negative": self.negative}
        return {**self.any, **polar.get(sentiment, {})}


class Verb(_Data):
    """A verb with its PropBank roles; verbs.yml explains the keys."""

    roleset: Text
    forms: Annotated[str, AfterValidator(_check_forms)]
    role: Text = "ARG0"
    subjects: Some[Text]
    object: Annotated[str, Field(pattern=r"^(\S+ \S+)?$")] = ""
    complements: list[Complement] = [""]
    recipient: bool = False

    @property
    def object_role(self) -> str:
        return self.object.partition(" ")[0]

    @property
    def object_slot(self) -> str:
        return self.object.partition(" ")[2]


class Verbs(_Data):
    """Verbs, and groups that they may name instead of several subjects or complements."""

    subjects: dict[str, Some[Text]]
    complements: dict[str, Some[Complement]]
    verbs: Some[Verb]

    @model_validator(mode="after")
    def _replace_groups(self) -> "Verbs":
        for verb in self.verbs:
            verb.subjects = _ungroup(verb.subjects, self.subjects)
            verb.complements = _ungroup(verb.complements, self.complements)
        return self


def _ungroup(entries: list[str], groups: dict[str, list[str]]) -> list[str]:
    return [each for entry in entries for each in groups.get(entry, [entry])]


class Patterns(_Data):
    """Clause patterns by what they ask of the verb and its subject."""

    modals: Some[Name]
    any: Some[Pattern]
    named: Some[Pattern]
    person: Some[Pattern]
    object: Some[Pattern]
    thing: Some[Pattern]
    recipient: Some[Pattern]


class Style(_Data):
    """Sentences of one style; those of `either` are for both positive and negative documents."""

    either: list[Marked] = []
    positive: Some[Marked]
    negative: Some[Marked]
    neutral: Some[Marked]


class Sentences(_Data):
    """Sentences by style."""

    news: Style
    mail: Style
    review: Style


class Templates(_Data):
    """All that text is written from; each field is one file."""

    names: Names
    fillers: Fillers
    verbs: Verbs
    patterns: Patterns
    sentences: Sentences


def read_templates(folder: Path) -> Templates:
    """Read and check the files of a folder.

    folder (Path): A folder with names.yml, fillers.yml, verbs.yml, patterns.yml and sentences.yml.
    RETURNS (Templates): What is in them.
    RAISES (ValueError): If a file is missing or something in it is wrong; the message names the
        file and the key of each mistake.
    """
    try:
        data = {name: _read_file(folder / f"{name}.yml") for name in Templates.model_fields}
        templates = Templates.model_validate(data)
        mistakes = list(_find_mistakes(templates))
    except ValidationError as error:
        mistakes = [
            (".".join(map(str, each["loc"])), f"{each['msg']}; found {str(each['input'])[:60]!r}")
            for each in error.errors()
        ]
    if mistakes:
        parts = [(*key.partition(".")[::2], mistake) for key, mistake in mistakes]
        lines = [f"{folder / file}.yml: {key or 'the file'}: {text}" for file, key, text in parts]
        raise ValueError("\n".join(lines))
    return templates


def _read_file(path: Path) -> object:
    try:
        return srsly.read_yaml(path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


_Mistakes = Iterator[tuple[str, str]]  # the key, beginning with the file, and what is wrong there


def _find_mistakes(templates: Templates) -> _Mistakes:
    """Find slots that do not exist where they are used, or cannot be filled."""
    fillers = templates.fillers
    slots = {one: _BUILT_IN_SLOTS | set(fillers.of(one)) for one in ("any", "positive", "negative")}
    slots["either"] = slots["positive"] & slots["negative"]
    slots["neutral"] = slots["any"]
    for slot in sorted(_PATTERN_SLOTS - set(fillers.any)):
        yield "fillers.any", f"the slot {slot!r} is missing; clause patterns need it"
    for sentiment, of_slots in fillers:
        for slot, texts in of_slots.items():
            key = f"fillers.{sentiment}.{slot}"
            if slot in _BUILT_IN_SLOTS:
                yield key, "this slot is filled with names; choose another name"
            yield from _check_slots(key, texts, slots[sentiment])
        yield from _check_cycles(f"fillers.{sentiment}", fillers.of(sentiment))
    for name, patterns in templates.patterns:
        yield from _check_slots(f"patterns.{name}", patterns, slots["any"])
    for name, style in templates.sentences:
        for sentiment, texts in style:
            yield from _check_slots(f"sentences.{name}.{sentiment}", texts, slots[sentiment])
        for sentiment in ("positive", "negative"):
            if (found := len(style.either) + len(getattr(style, sentiment))) < _MOST_POLAR:
                mistake = f"{found} sentences with those of `either`; give {_MOST_POLAR} or more"
                yield f"sentences.{name}.{sentiment}", mistake
    phrases = BOUND_SLOTS | set(fillers.any)
    for index, verb in enumerate(templates.verbs.verbs):
        key = f"verbs.verbs.{index}"
        for slot in sorted(set(verb.subjects) - phrases):
            yield f"{key}.subjects", f"{slot!r} is neither a slot nor a group"
        if verb.object and verb.object_slot not in phrases:
            yield f"{key}.object", f"{verb.object_slot!r} is not a slot"
        for text in verb.complements:
            if text and not text.startswith("<"):
                yield f"{key}.complements", f"{text!r} is neither a group nor <a.ROLE ...>"
        yield from _check_slots(f"{key}.complements", verb.complements, slots["any"])


def _check_slots(key: str, texts: list[str], known: set[str]) -> _Mistakes:
    for index, text in enumerate(texts):
        for slot in sorted(set(SLOT.findall(text)) - known):
            names = ", ".join(sorted(known))
            yield f"{key}.{index}", f"{text!r} has the unknown slot {{{slot}}}; known: {names}"


def _check_cycles(key: str, fillers: dict[str, list[str]]) -> _Mistakes:
    uses = {slot: SLOT.findall(" ".join(texts)) for slot, texts in fillers.items()}
    try:
        TopologicalSorter(uses).prepare()
    except CycleError as error:
        yield key, f"slots fill one another endlessly: {' <- '.join(error.args[1])}"
