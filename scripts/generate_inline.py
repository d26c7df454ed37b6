"""Generate training text in the inline format (docs/inline-format.md) from templates.

The text only adds to the hand-written training corpus: it shows many words in many roles. It must
not go into the development or test corpus, where it would measure the templates.

Words, verbs and templates are in `assets/templates`; `inline_templates.py` reads them.
"""

import random
import re
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Annotated

import typer
from inline_templates import BOUND_SLOTS, MARK, SLOT, Style, Templates, Verb, read_templates
from wasabi import msg

TEMPLATES = Path(__file__).parents[1] / "assets" / "templates"
STYLES = ("news", "mail", "review")
SENTIMENTS = ("positive", "negative", "neutral")


@dataclass
class _Scene:
    """The people and organisations of one document, and what it has used so far."""

    fillers: dict[str, list[str]]
    bound: dict[str, str]
    pronoun: str
    used: set[str] = field(default_factory=set)
    mentioned: bool = False


@dataclass(frozen=True)
class _Phrase:
    """A noun phrase with marks, the slot that it came from, and its number."""

    text: str
    slot: str
    plural: bool = False

    def agree(self, singular: str, plural: str) -> str:
        """Choose the verb form that agrees; "I" takes the plural form except of "be"."""
        if self.text == "I":
            return {"was": "was", "is": "am"}.get(singular, plural)
        return plural if self.plural else singular


@dataclass
class _Frame:
    """The places of a predicate and its arguments in a sentence."""

    spans: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def predicate(self) -> int:
        return next(start for label, start, _ in self.spans if label.startswith("V="))


_LETTER = re.compile(r"(?<=[<,])([a-z])(?=[.:])")
_ARTICLE = re.compile(r"\ba_ ((?:<[^ >]+ |\[[A-Z]+: )*)(\w+)")
_PRONOUNS = {"I": _Phrase("I", "I"), "we": _Phrase("we", "we", plural=True)}


class Generator:
    """Writes documents, the same ones for the same seed."""

    def __init__(self, templates: Templates, seed: int) -> None:
        """Start the random numbers.

        templates (Templates): What to write from.
        seed (int): The seed.
        """
        self.templates = templates
        self.names = templates.names
        self.random = random.Random(seed)
        self.seed = seed
        self.frames = 0
        self.scene = self._make_scene("neutral")

    def write_document(self, index: int) -> str:
        """Write one document.

        index (int): Its number, part of its name; it also sets its sentiment and style.
        RETURNS (str): The document in the inline format.
        """
        sentiment = SENTIMENTS[index % len(SENTIMENTS)]
        style = STYLES[index // len(SENTIMENTS) % len(STYLES)]
        self.scene = self._make_scene(sentiment)
        length = self.random.randint(2, 5)
        polar = 0 if sentiment == "neutral" else -(-2 * length // 3)
        templates = self.random.sample(self._sentences(style, sentiment), polar)
        kinds = [*templates, *[""] * (length - polar)]
        self.random.shuffle(kinds)
        sentences = [
            self._from_template(kind) if kind else self._write_neutral(style) for kind in kinds
        ]
        if style == "mail":
            if self.random.random() < 0.7:
                sentences.insert(0, self._from_template("{greeting}"))
            if self.random.random() < 0.4:
                sentences.append(self._from_template("Kind regards, [PER: {first1}]"))
        name = f"generated-{self.seed}-{index:05d}"
        return f"=== {name} | sentiment: {sentiment}\n" + "\n".join(sentences)

    def _sentences(self, style: str, sentiment: str) -> list[str]:
        style_sentences: Style = getattr(self.templates.sentences, style)
        either = [] if sentiment == "neutral" else style_sentences.either
        return either + getattr(style_sentences, sentiment)

    def _make_scene(self, sentiment: str) -> _Scene:
        """Choose the people and organisations of a document."""
        female = self.random.random() < 0.5
        first = self.random.choice(self.names.female if female else self.names.male)
        other = self.random.choice(self.names.male if female else self.names.female)
        surname, second = self.random.sample(self.names.surnames, 2)
        firms = [self._organisation(), self._organisation()]
        while firms[0] == firms[1]:
            firms[1] = self._organisation()
        bound = {
            "P1": f"[PER: {first} {surname}]",
            "P1s": f"[PER: {self.random.choice((first, surname))}]",
            "P2": f"[PER: {other} {second}]",
            "first1": first,
            "first2": other,
            "O1": firms[0],
            "O2": firms[1],
        }
        return _Scene(self.templates.fillers.of(sentiment), bound, "she" if female else "he")

    def _organisation(self) -> str:
        """Make the name of a company or an institution, with its article."""
        parts = self.names.organisations
        stem = self.random.choice(parts.stems)
        kind = self.random.random()
        if kind < 0.15:
            return f"[ORG: {stem}]"
        if kind < 0.6:
            return f"[ORG: {stem} {self.random.choice(parts.kinds)}]"
        name = self.random.choice(parts.institutions).replace("{stem}", stem)
        name = name.replace("{city}", self.random.choice(self.names.places))
        article = "" if name.endswith((" University", " College", " Council")) else "the "
        return f"{article}[ORG: {name}]"

    def _write_neutral(self, style: str) -> str:
        """Write a sentence without sentiment, from a template or a clause pattern."""
        if self.random.random() < 0.3:
            return self._from_template(self.random.choice(self._sentences(style, "neutral")))
        return self._from_template(self._fill_pattern(style))

    def _fill_pattern(self, style: str) -> str:
        """Choose a clause pattern and a verb that suits it, and put the verb in."""
        verb = self.random.choice(self.templates.verbs.verbs)
        weights = {"any": 6.0, "named": 1.0}
        if "P1" in verb.subjects:
            weights["person"] = 1.0
        if verb.object:
            weights["object"] = 3.0
        if verb.object and verb.object_slot not in BOUND_SLOTS and verb.role == "ARG0":
            weights["thing"] = 1.5
        if verb.recipient:
            weights["recipient"] = 2.0
        group = self.random.choices(list(weights), list(weights.values()))[0]
        pattern = self.random.choice(getattr(self.templates.patterns, group))
        pronouns = style != "news" and group == "any"
        return self._put_verb(pattern, verb, pronouns)

    def _put_verb(self, pattern: str, verb: Verb, pronouns: bool) -> str:
        """Replace the `$words` of a clause pattern by a verb and its arguments."""
        taken = {verb.object_slot, *SLOT.findall(pattern)}
        subject = self._choose_subject(verb, taken, pronouns)
        taken.add(subject.slot)
        thing = self._phrase(verb.object_slot, taken) if verb.object else _Phrase("", "")
        rests = [rest for rest in verb.complements if not taken & set(SLOT.findall(rest))]
        receiver = self._phrase("who", taken)
        base, past, part, ing, third = _inflect(verb.forms)
        words = {
            "roleset": verb.roleset,
            "role": verb.role,
            "subject": subject.text,
            "base": base,
            "past": past,
            "part": part,
            "ing": ing,
            "present": subject.agree(third, base),
            "object": thing.text,
            "object_role": verb.object_role,
            "object_mark": f"<a.{verb.object_role} {thing.text}>" if verb.object else "",
            "rest": self._maybe(self.random.choice(rests)) if rests else "",
            "tpast": self._maybe("<a.ARGM-TMP {tpast}>"),
            "tfuture": self._maybe("<a.ARGM-TMP {tfuture}>"),
            "modal": self.random.choice(self.templates.patterns.modals),
            "has": subject.agree("has", "have"),
            "was": subject.agree("was", "were"),
            "comes": subject.agree("comes", "come"),
            "works": subject.agree("works", "work"),
            "who": "which" if subject.slot in ("O1", "O2") else "who",
            "object_was": thing.agree("was", "were"),
            "object_is": thing.agree("is", "are"),
            "object_has": thing.agree("has", "have"),
            "receiver": receiver.text,
            "receiver_was": receiver.agree("was", "were"),
        }
        text = Template(pattern).substitute(words)
        if "{speaker}" in text:
            text = text.replace("{speaker}", self._phrase("speaker", taken).text)
        return text

    def _choose_subject(self, verb: Verb, taken: set[str], pronouns: bool) -> _Phrase:
        """Choose who or what does it, not someone who is already in the sentence."""
        slots = [slot for slot in verb.subjects if slot not in taken] or ["role"]
        if pronouns and "role" in slots and self.random.random() < 0.5:
            return _PRONOUNS[self.random.choice(("I", "I", "we"))]
        slot = self.random.choice(slots)
        if slot == "P1" and self.scene.mentioned and pronouns and self.random.random() < 0.5:
            return _Phrase(self.scene.pronoun, "P1")
        return self._phrase(slot, taken)

    def _phrase(self, slot: str, taken: set[str]) -> _Phrase:
        """Fill a slot by a noun phrase that may stand as a subject."""
        if slot in self.scene.bound:
            return _Phrase(self._fill(slot), slot)
        people = taken | ({"he1"} if taken & {"P1", "I", "we"} else set())
        options = [
            option
            for option in self.scene.fillers[slot]
            if option not in ("me", "us|p") and not people & set(SLOT.findall(option))
        ]
        if not options:
            raise ValueError(
                f"fillers.yml: any.{slot}: no filler can stand in a sentence with {sorted(people)};"
                " add one without slots"
            )
        option = self._pick(options)
        text, _, number = option.partition("|")
        return _Phrase(self._expand(text), slot, number == "p")

    def _maybe(self, text: str) -> str:
        return text if self.random.random() < 0.5 else ""

    def _pick(self, options: list[str]) -> str:
        """Choose one of the options, one that the document does not have yet if there is one."""
        fresh = [option for option in options if option not in self.scene.used]
        option = self.random.choice(fresh or options)
        self.scene.used.add(option)
        return option

    def _fill(self, slot: str) -> str:
        """Fill one slot."""
        if slot == "he1":
            return self.scene.pronoun if self.scene.mentioned else self._fill("P1")
        if slot in self.scene.bound:
            again = slot == "P1" and self.scene.mentioned and self.random.random() < 0.4
            self.scene.mentioned |= slot == "P1"
            return self.scene.bound["P1s" if again else slot]
        if slot == "person":
            first = self.random.choice(self.names.female + self.names.male)
            return f"[PER: {first} {self.random.choice(self.names.surnames)}]"
        if slot == "place":
            return f"[LOC: {self._pick(self.names.places)}]"
        if slot == "org":
            return self._organisation()
        return self._expand(self._pick(self.scene.fillers[slot]).partition("|")[0])

    def _expand(self, template: str) -> str:
        """Give the frames of a template names of their own, and fill its slots."""
        numbers: dict[str, str] = {}
        for letter in _LETTER.findall(template):
            if letter not in numbers:
                self.frames += 1
                numbers[letter] = f"{letter}{self.frames}"
        renamed = _LETTER.sub(lambda match: numbers[match.group(1)], template)
        return SLOT.sub(lambda match: self._fill(match.group(1)), renamed)

    def _from_template(self, template: str) -> str:
        """Write a sentence of a template and its frames in the inline format."""
        marked = self._expand(template)
        marked = re.sub(r" +", " ", marked)
        marked = re.sub(r" (?=[>.,?!])", "", marked)
        return _write_sentence(_ARTICLE.sub(_choose_article, marked))


def _inflect(forms: str) -> list[str]:
    """List base, past, participle, -ing and third person; the base of a regular verb is enough."""
    if " " in forms:
        return forms.split()
    stem = forms.removesuffix("e")
    past = f"{stem}ed"
    third = f"{forms}es" if forms.endswith(("sh", "ch", "ss")) else f"{forms}s"
    if forms.endswith("y") and forms[-2:-1] not in "aeo":
        past, third = f"{forms[:-1]}ied", f"{forms[:-1]}ies"
    return [forms, past, past, f"{stem}ing", third]


def _choose_article(match: re.Match[str]) -> str:
    """Choose "a" or "an" by the word that follows, behind any marks."""
    marks, word = match.groups()
    vowel = word[0].lower() in "aeiou" and not word.lower().startswith(("uni", "use", "eu", "one"))
    return f"{'an' if vowel or word.startswith('hour') else 'a'} {marks}{word}"


def _write_sentence(marked: str) -> str:
    """Turn a sentence with marks into a sentence line and its frame lines."""
    text = ""
    opened: list[tuple[str, int]] = []
    entities: list[tuple[str, int, int]] = []
    frames: dict[str, _Frame] = {}
    position = 0
    for match in MARK.finditer(marked):
        text += marked[position : match.start()]
        position = match.end()
        if match.group(1) or match.group(2):
            opened.append((match.group(1) or match.group(2), len(text)))
            continue
        mark, start = opened.pop()
        if match.group() == "]":
            entities.append((mark, start, len(text)))
        elif ":" in mark:
            name, _, roleset = mark.partition(":")
            frames.setdefault(name, _Frame()).spans.append((f"V={roleset}", start, len(text)))
        else:
            for role in mark.split(","):
                name, _, label = role.partition(".")
                frames.setdefault(name, _Frame()).spans.append((label, start, len(text)))
    text += marked[position:]
    first = next(index for index, character in enumerate(text) if character.isalnum())
    text = text[:first] + text[first].upper() + text[first + 1 :]
    ordered = sorted(frames.values(), key=lambda frame: frame.predicate)
    lines = [_bracket(text, entities), *(f"> {_bracket(text, frame.spans)}" for frame in ordered)]
    return "\n".join(lines) + "\n"


def _bracket(text: str, spans: list[tuple[str, int, int]]) -> str:
    """Put brackets around stretches of a text."""
    line = ""
    written = 0
    for label, start, end in sorted(spans, key=lambda span: span[1]):
        line += f"{text[written:start]}[{label}: {text[start:end]}]"
        written = end
    return line + text[written:]


def generate_inline(documents: int, seed: int, templates: Path = TEMPLATES) -> str:
    """Write training documents in the inline format.

    documents (int): How many.
    seed (int): The same seed gives the same text.
    templates (Path): The folder of words, verbs and templates.
    RETURNS (str): The file's text. Every document has entities, the frames of all its verbs, and a
        sentiment; styles and sentiments take turns.
    RAISES (ValueError): If a file of templates is missing or has mistakes.
    """
    generator = Generator(read_templates(templates), seed)
    return "\n".join(generator.write_document(index) for index in range(documents))


def main(
    output: Annotated[Path, typer.Argument(help="The file to write")],
    documents: Annotated[int, typer.Option(help="How many documents", min=1)] = 400,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers")] = 0,
    templates: Annotated[Path, typer.Option(help="Folder of words and templates")] = TEMPLATES,
) -> None:
    """Generate training text in the inline format."""
    try:
        text = generate_inline(documents, seed, templates)
    except ValueError as error:
        typer.echo(str(error), err=True)
        msg.fail("Nothing was written", exits=1)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
