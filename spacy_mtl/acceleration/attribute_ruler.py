"""The factory `mtl_fast_attribute_ruler`: spaCy's attribute ruler with a quicker search."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from spacy.language import Language
from spacy.pipeline import AttributeRuler
from spacy.tokens import Doc
from spacy.tokens._retokenize import set_token_attrs

from .attribute_rules import AttributeRules, UnsupportedRule


class FastAttributeRuler(AttributeRuler):
    """spaCy's `AttributeRuler`, with the same annotations for less work.

    Rules with operators or extension attributes take spaCy's own path, and all others with them.
    """

    _rules: AttributeRules | None = None
    _is_prepared = False

    def add(self, patterns: Iterable[Any], attrs: dict[Any, Any], index: int = 0) -> None:
        """Add a rule.

        patterns (Iterable[List[Dict]]): Patterns of the matcher.
        attrs (Dict): The attributes to set.
        index (int): The token of the match that gets them.
        """
        self._is_prepared = False
        super().add(patterns, attrs, index)

    def clear(self) -> None:
        """Remove all rules."""
        self._is_prepared = False
        super().clear()

    def match(self, doc: Doc) -> list[tuple[int, int, int, int]]:
        """Find the matches of the rules.

        doc (Doc): The document.
        RETURNS (List[Tuple[int, int, int, int]]): For each match the number of the rule, the hash
            of that number's string, start and end, in the order in which they are applied.
        """
        rules = self._prepared()
        if rules is None or not len(doc):
            return super().match(doc)
        ids = [self.vocab.strings[str(number)] for number in range(len(self.attrs))]
        return sorted((number, ids[number], start, end) for number, start, end in rules.find(doc))

    def set_annotations(self, doc: Doc, matches: Iterable[tuple[int, int, int, int]]) -> None:
        """Set the attributes of matches.

        doc (Doc): The document.
        matches (Iterable[Tuple[int, int, int, int]]): What `match` returned.
        """
        for match in matches:
            number, _, start, end = match
            index = self.indices[number]
            place = start + index if index >= 0 else end + index
            if start <= place < end:
                set_token_attrs(doc[place], self.attrs[number])
            else:
                super().set_annotations(doc, [match])  # raises the error

    def _prepared(self) -> AttributeRules | None:
        """The rules, None if there are none or spaCy's own path is to be taken."""
        if not self._is_prepared:
            self._is_prepared = True
            self._rules = None
            with suppress(UnsupportedRule):
                self._rules = _read_rules(self) if self.attrs else None
        return self._rules


def why_not_looked_up(ruler: Any) -> str | None:
    """Tell whether the rules of an attribute ruler can be looked up by token.

    ruler (AttributeRuler): The attribute ruler.
    RETURNS (Optional[str]): Why they can't, None if they can.
    """
    try:
        _read_rules(ruler)
    except UnsupportedRule as error:
        return f"rules: {error}"
    return None


def _read_rules(ruler: AttributeRuler) -> AttributeRules:
    rules: list[Any] = [rule["patterns"] for rule in ruler.patterns]
    return AttributeRules(ruler.vocab, rules)


@Language.factory(
    "mtl_fast_attribute_ruler",
    default_config={
        "validate": False,
        "scorer": {"@scorers": "spacy.attribute_ruler_scorer.v1"},
    },
)
def make_fast_attribute_ruler(
    nlp: Language, name: str, validate: bool, scorer: Callable | None
) -> FastAttributeRuler:
    """Create an attribute ruler; the settings are those of spaCy's factory `attribute_ruler`.

    nlp (Language): The pipeline.
    name (str): The component's name.
    validate (bool): Whether patterns are validated.
    scorer (Optional[Callable]): The scoring method.
    RETURNS (FastAttributeRuler): The component.
    """
    return FastAttributeRuler(nlp.vocab, name, validate=validate, scorer=scorer)
