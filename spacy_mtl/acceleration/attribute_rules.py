"""The rules of an attribute ruler, looked up by the values of a token's attributes.

spaCy's matcher tries each rule at each token. Most rules ask for some values of one token. What a
value satisfies is found once, and which rules a combination of such values satisfies, once too.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import srsly
from spacy.attrs import IDS
from spacy.matcher import Matcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

Condition = tuple[int, str]  # an attribute, and the JSON of what is asked of it
Rule = list[list[dict[str, Any]]]  # patterns, each one dict for a token
Match = tuple[int, int, int]  # number of the rule, start, end
_NAMES = {number: name for name, number in IDS.items()}
_OWN_STRINGS = {"MORPH", "ENT_IOB"}  # what the matcher compares is not the hash of what is written
_OTHER_NAMES = {"TEXT": "ORTH", "IS_SENT_START": "SENT_START"}


class UnsupportedRule(ValueError):
    """A rule that can't be looked up by token."""


class AttributeRules:
    """Finds the matches of rules.

    A condition is an attribute and what a rule asks of it: a value, or a dict such as
    `{"IN": [...]}`. Conditions that are not a list of values are tried with spaCy's matcher, once
    for each value.
    """

    def __init__(self, vocab: Vocab, rules: Sequence[Rule]) -> None:
        """Prepare the rules.

        vocab (Vocab): The vocabulary.
        rules (Sequence[List[List[Dict[str, Any]]]]): The patterns of each rule.
        RAISES (UnsupportedRule): If a pattern has operators, extension attributes or tokens of
            which it asks nothing.
        """
        self.vocab = vocab
        by_token = [[list(map(_conditions, pattern)) for pattern in rule] for rule in rules]
        self.of_token: list[tuple[int, frozenset[Condition]]] = []
        self.beginnings: list[frozenset[Condition]] = []
        self.longer = Matcher(vocab)
        self.longest = 0
        for number, patterns in enumerate(by_token):
            if all(len(pattern) == 1 for pattern in patterns):
                self.of_token += [(number, frozenset(pattern[0])) for pattern in patterns]
            else:
                self.beginnings += [frozenset(pattern[0]) for pattern in patterns]
                self.longest = max(self.longest, *map(len, patterns))
                self.longer.add(str(number), rules[number])
        all_asked = [asked for _, asked in self.of_token] + self.beginnings
        conditions = sorted(frozenset().union(*all_asked))
        self.attrs: list[int | str] = list(dict.fromkeys(attr for attr, _ in conditions))
        self.lookups = [
            _Satisfied(vocab, [condition for condition in conditions if condition[0] == attr])
            for attr in self.attrs
        ]
        self._found: dict[tuple[frozenset[Condition], ...], tuple[list[int], bool]] = {}

    def find(self, doc: Doc) -> list[Match]:
        """Find the matches in a document.

        doc (Doc): The document.
        RETURNS (List[Tuple[int, int, int]]): The number of the rule, start and end of each match,
            each once, in no order.
        """
        matches: list[Match] = []
        columns = doc.to_array(self.attrs).reshape(len(doc), -1).T.tolist()
        satisfied = [
            lookup.of_values(doc, values)
            for lookup, values in zip(self.lookups, columns, strict=True)
        ]
        for place, key in enumerate(zip(*satisfied, strict=True)):
            found = self._found.get(key)
            if found is None:
                found = self._found[key] = self._look_up(frozenset().union(*key))
            numbers, begins = found
            for number in numbers:
                matches.append((number, place, place + 1))
            if begins:
                matches.extend(self._match_longer(doc, place))
        return matches

    def _look_up(self, satisfied: frozenset[Condition]) -> tuple[list[int], bool]:
        """The rules of one token, and whether a longer one may begin there."""
        numbers = {number for number, asked in self.of_token if asked <= satisfied}
        return sorted(numbers), any(asked <= satisfied for asked in self.beginnings)

    def _match_longer(self, doc: Doc, place: int) -> Iterator[Match]:
        span = doc[place : place + self.longest]
        for match_id, start, end in self.longer(span, allow_missing=True):
            if start == 0:
                yield int(self.vocab.strings[match_id]), place, place + end


class _Satisfied:
    """Which conditions on an attribute its values satisfy."""

    def __init__(self, vocab: Vocab, conditions: Sequence[Condition]) -> None:
        self.vocab = vocab
        self.conditions = conditions
        self.of_value: dict[int, frozenset[Condition]] = {}
        self.listed: dict[int, set[Condition]] = {}
        self.matcher = Matcher(vocab)  # for the conditions that are no list of values
        for number, (attr, text) in enumerate(conditions):
            name, asked = _NAMES[attr], srsly.json_loads(text)
            values = asked["IN"] if isinstance(asked, dict) and set(asked) == {"IN"} else [asked]
            if name in _OWN_STRINGS or not all(isinstance(value, str) for value in values):
                self.matcher.add(str(number), [[{name: asked}]])
                continue
            for value in values:
                self.listed.setdefault(vocab.strings.add(value), set()).add((attr, text))

    def of_values(self, doc: Doc, values: Sequence[int]) -> list[frozenset[Condition]]:
        """The conditions that the value at each token satisfies."""
        known = self.of_value
        for place, value in enumerate(values):
            if value not in known:
                known[value] = frozenset(self.listed.get(value, set()) | self._match(doc, place))
        return [known[value] for value in values]

    def _match(self, doc: Doc, place: int) -> set[Condition]:
        if not len(self.matcher):
            return set()
        matches = self.matcher(doc[place : place + 1], allow_missing=True)
        strings = self.vocab.strings
        return {self.conditions[int(strings[match_id])] for match_id, _, _ in matches}


def _conditions(token: dict[str, Any]) -> list[Condition]:
    """What a rule asks of a token."""
    found = []
    for attr, asked in token.items():
        name = attr.upper() if isinstance(attr, str) else ""
        name = _OTHER_NAMES.get(name, name)
        if name not in IDS:
            raise UnsupportedRule(f"a pattern has '{attr}'")
        found.append((IDS[name], srsly.json_dumps(asked, sort_keys=True)))
    if not found:
        raise UnsupportedRule("a pattern has a token of which it asks nothing")
    return found
