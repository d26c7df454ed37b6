"""Which rolesets a word can have."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from .endings import LemmaEndings
from .english import american_spellings, lemma_guesses
from .inventory import FrameInventory
from .respelling import SpellingIndex

_CORRECTED_LENGTH = 8  # letters of a word whose spelling may be corrected
_KEPT_WORDS = 20_000  # looked up before, whose candidates are kept
_OF_THE_VERB = 0.5  # occurrences that the verb's other forms count as, beside those of the form
Sense = tuple[str, str]  # word form in lower case, roleset


class SenseInventory:
    """The rolesets that a word form can have, and a guess for words never seen.

    Candidates for a form are the rolesets that it had in training, the commonest first, and then
    the others of the same verbs: a "gave" seen as `give.01` can be `give_up.07`, too. For a form
    never seen they are the rolesets of its lemma, where stripping an English suffix, or changing
    the ending as words seen change theirs, leads to one that was seen; or those of the commonest
    seen form that a long word misspells by one letter. Failing that, a word gets its lemma's first
    sense: `google.01`. Where no roleset was seen at all, there are none to guess.

    A frame inventory, if there is one, takes away the rolesets that it does not allow. It knows
    more words by their aliases, and a word of which no roleset was seen gets its first roleset
    there.
    """

    def __init__(
        self,
        rolesets: Sequence[str] = (),
        forms: dict[str, list[int]] | None = None,
        counts: dict[str, list[int]] | None = None,
    ) -> None:
        """Create an inventory.

        rolesets (Sequence[str]): All rolesets seen, e.g. "give.01".
        forms (Optional[Dict[str, List[int]]]): For each form in lower case, indices of its
            rolesets, the commonest first.
        counts (Optional[Dict[str, List[int]]]): How often the form had each of them; once where
            None.
        """
        self.rolesets = list(rolesets)
        self.forms = dict(forms or {})
        self.counts = dict(counts or {form: [1] * len(known) for form, known in self.forms.items()})
        self._by_verb: dict[str, list[int]] = defaultdict(list)
        for index, roleset in enumerate(self.rolesets):
            self._by_verb[verb_of(roleset)].append(index)
        self._endings = LemmaEndings(
            (form, verb) for form, known in self.forms.items() for verb in self._verbs(known)
        )
        self._spellings: SpellingIndex | None = None  # made when it is needed
        self._index = {roleset: index for index, roleset in enumerate(self.rolesets)}
        self._frames: FrameInventory | None = None
        self._roleset_counts = [0.5] * len(self.rolesets)  # each half a time more than seen
        for form, known in self.forms.items():
            for index, count in zip(known, self.counts[form], strict=True):
                self._roleset_counts[index] += count
        self._verb_counts = {
            verb: sum(self._roleset_counts[index] for index in own)
            for verb, own in self._by_verb.items()
        }
        self._candidates: dict[str, list[int]] = {}  # of forms seen, allowed by the frames
        # tuples of numbers: Python's collector of cycles does not look at them again and again
        self._looked_up: dict[str, tuple[tuple[int, ...], tuple[float, ...]]] = {}
        self._fallbacks: dict[str, str] = {}  # of words of which nothing was seen
        self._left_out: dict[tuple[str, int], tuple[float, ...]] = {}  # priors, in training
        self.use_frames(None)

    def use_frames(self, frames: FrameInventory | None) -> None:
        """Restrict the rolesets to those of a frame inventory, or don't any more.

        frames (Optional[FrameInventory]): The inventory.
        """
        self._frames = frames
        self._candidates = {
            form: self._allowed([*known, *self._others(known)])
            for form, known in self.forms.items()
        }
        self._looked_up, self._fallbacks, self._left_out = {}, {}, {}

    @classmethod
    def from_corpus(cls, senses: Iterable[Sense]) -> "SenseInventory":
        """Count the senses of a corpus.

        senses (Iterable[Tuple[str, str]]): Form in lower case and roleset of each predicate.
        RETURNS (SenseInventory): The inventory.
        """
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for form, roleset in senses:
            if roleset:
                counts[form][roleset] += 1
        rolesets = sorted({roleset for counter in counts.values() for roleset in counter})
        index = {roleset: i for i, roleset in enumerate(rolesets)}
        ordered = {
            form: sorted(counter.items(), key=lambda item: (-item[1], item[0]))
            for form, counter in sorted(counts.items())
        }
        forms = {form: [index[r] for r, _ in known] for form, known in ordered.items()}
        return cls(
            rolesets, forms, {form: [n for _, n in known] for form, known in ordered.items()}
        )

    def __len__(self) -> int:
        return len(self.rolesets)

    def index(self, roleset: str) -> int:
        """RETURNS (int): The position of a roleset, -1 if it was never seen."""
        return self._index.get(roleset, -1)

    def candidates(self, form: str) -> tuple[int, ...]:
        """Find the rolesets that a word can have.

        form (str): The word in lower case.
        RETURNS (Tuple[int, ...]): Indices into `rolesets`; empty if nothing is known of the word.
        """
        return self._look_up(form)[0]

    def log_priors(self, form: str) -> tuple[float, ...]:
        """Tell how probable each roleset of a word is before its sentence is read: from what the
        form had in training, and, for the rest, what all forms of the verb had.

        form (str): The word in lower case.
        RETURNS (Tuple[float, ...]): Natural logarithms, in the order of `candidates`.
        """
        return self._look_up(form)[1]

    def log_priors_without(self, form: str, index: int) -> tuple[float, ...]:
        """Tell how probable each roleset of a word would be had one occurrence not been counted: in
        training what is to be told must not be among what it is told from.

        form (str): The word in lower case.
        index (int): The roleset that the word had there; -1 for one that was not counted.
        RETURNS (Tuple[float, ...]): Natural logarithms, in the order of `candidates`.
        """
        known = self._left_out.get((form, index))
        if known is None:
            priors = self._count_priors(form, self.candidates(form), index)
            known = self._left_out[form, index] = priors
        return known

    def _look_up(self, form: str) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """RETURNS (Tuple[Tuple[int, ...], Tuple[float, ...]]): Candidates and log priors, of words
        met before as they were then.
        """
        known = self._looked_up.get(form)
        if known is None:
            if len(self._looked_up) >= _KEPT_WORDS:
                self._looked_up = {}
            candidates = tuple(self._find_candidates(form))
            known = self._looked_up[form] = (candidates, self._count_priors(form, candidates))
        return known

    def _find_candidates(self, form: str) -> list[int]:
        known = self._candidates.get(form)
        if known is not None:
            return known
        for spelling in [form, *american_spellings(form)]:
            for lemma in [*lemma_guesses(spelling), *self._endings.guess(spelling)]:
                if lemma in self._by_verb:
                    return self._allowed(self._by_verb[lemma])
        if len(form) >= _CORRECTED_LENGTH and not self._listed(form):
            if self._spellings is None:
                shortest = _CORRECTED_LENGTH - 1  # lacks a letter
                self._spellings = SpellingIndex(f for f in self.forms if len(f) >= shortest)
            near = self._spellings.near(form)
            if near:
                return self._candidates[max(near, key=lambda spelling: sum(self.counts[spelling]))]
        for roleset in self._listed(form):
            if roleset in self._index:
                return [self._index[r] for r in self._listed(form) if r in self._index]
        return []

    def _count_priors(
        self, form: str, candidates: Sequence[int], left_out: int = -1
    ) -> tuple[float, ...]:
        counts = dict(zip(self.forms.get(form, ()), self.counts.get(form, ()), strict=True))
        if counts.get(left_out):
            counts[left_out] -= 1
        else:
            left_out = -1
        total = sum(counts.values()) + _OF_THE_VERB
        return tuple(
            math.log((counts.get(i, 0) + _OF_THE_VERB * self._share(i, left_out)) / total)
            for i in candidates
        )

    def _share(self, index: int, left_out: int) -> float:
        """RETURNS (float): The share of a roleset among those of its verb, but for one occurrence
        of a roleset that is left out."""
        verb = verb_of(self.rolesets[index])
        count, total = self._roleset_counts[index], self._verb_counts[verb]
        if left_out >= 0 and verb == verb_of(self.rolesets[left_out]):
            count, total = count - (index == left_out), total - 1
        return count / total

    def fallback(self, form: str) -> str:
        """RETURNS (str): The first sense of a word of which nothing was seen: that of the frame
        inventory, or else its own first sense; empty if no roleset was seen at all.
        """
        if not self.rolesets:
            return ""
        known = self._fallbacks.get(form)
        if known is None:
            if len(self._fallbacks) >= _KEPT_WORDS:
                self._fallbacks = {}
            known = self._fallbacks[form] = self._first_sense(form)
        return known

    def _first_sense(self, form: str) -> str:
        if listed := self._listed(form):
            return listed[0]
        guesses = lemma_guesses(form)
        lemma = guesses[-1] if len(guesses) > 1 else self._endings.likeliest(form)
        return f"{lemma}.01"

    def _verbs(self, known: Sequence[int]) -> list[str]:
        """RETURNS (List[str]): The words that rolesets are senses of, each once."""
        return list(dict.fromkeys(verb_of(self.rolesets[index]) for index in known))

    def _others(self, known: Sequence[int]) -> list[int]:
        """RETURNS (List[int]): The other rolesets of the same words."""
        same = (index for verb in self._verbs(known) for index in self._by_verb[verb])
        return [index for index in same if index not in known]

    def _allowed(self, known: list[int]) -> list[int]:
        if self._frames is None:
            return known
        return [index for index in known if self._frames.allows(self.rolesets[index])]

    def _listed(self, form: str) -> list[str]:
        """RETURNS (List[str]): The word's rolesets in the frame inventory."""
        if self._frames is not None:
            for lemma in lemma_guesses(form):
                if rolesets := self._frames.rolesets_of(lemma):
                    return rolesets
        return []

    def to_json(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The arguments of `SenseInventory`."""
        return {"rolesets": self.rolesets, "forms": self.forms, "counts": self.counts}


def lemma_of(roleset: str) -> str:
    """RETURNS (str): The lemma of a roleset: "give" of "give.01"."""
    return roleset.rsplit(".", 1)[0]


def verb_of(roleset: str) -> str:
    """RETURNS (str): The first word of a roleset's lemma: "give" of "give_up.07"."""
    return lemma_of(roleset).split("_")[0]
