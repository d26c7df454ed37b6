"""Which rolesets a word can have."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Literal

from spacy.tokens import Token

from .endings import LemmaEndings
from .english import american_spellings, lemma_guesses
from .inventory import FrameInventory
from .respelling import SpellingIndex

_CORRECTED_LENGTH = 8  # letters of a word whose spelling may be corrected
_KEPT_WORDS = 20_000  # looked up before, whose candidates are kept
_OF_THE_VERB = 0.5  # occurrences that the verb's other forms count as, beside those of the form
_FIRST_SENSE = ".01"
_SHARED_START = 3  # letters that a word and a roleset named after it begin with
UnseenWords = Literal["english", "lemma", "unknown"]
Sense = tuple[str, str]  # word form in lower case, roleset


class SenseInventory:
    """The rolesets that a word form can have, and a guess for words never seen.

    Candidates for a form are the rolesets that it had in training, the commonest first, and then
    the others of the same verbs: a "gave" seen as `give.01` can be `give_up.07`, too. What words
    never seen can have goes by `unseen_words`:

    "english": the rolesets of the lemma, where stripping an English suffix, or changing the ending
    as words seen change theirs, leads to one that was seen; or those of the commonest seen form
    that a long word misspells by one letter. Failing that, its lemma's first sense: `google.01`.
    "lemma": the same with the document's own lemmas in place of English rules. Where a document has
    none, there is no lemma's first sense to guess; nor where rolesets are not named after the
    words of the language, as if French words have rolesets of English verbs.
    "unknown": none.

    No first sense is guessed, either, where no roleset that was seen is one (`give.01`).

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
        self._unseen_words: UnseenWords = "english"
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
        self._fallbacks: dict[tuple[str, str], str] = {}  # of words of which nothing was seen
        self._left_out: dict[tuple[str, int], tuple[float, ...]] = {}  # priors, in training
        self.use_frames(None)

    def use_frames(self, frames: FrameInventory | None) -> None:
        """Restrict the rolesets to those of a frame inventory, or don't any more.

        frames (Optional[FrameInventory]): The inventory.
        """
        self._frames = frames
        self._clear()

    def guess_by(self, unseen_words: UnseenWords) -> None:
        """Choose how to guess the rolesets of words never seen.

        unseen_words (str): "english", as it is to begin with, "lemma" or "unknown".
        """
        self._unseen_words = unseen_words
        self._clear()

    def _clear(self) -> None:
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

    def word_of(self, token: Token) -> str:
        """Find the word that a token's rolesets are looked up by.

        token (Token): The token.
        RETURNS (str): Its form in lower case; its lemma for a form never seen, if that decides.
        """
        form = token.lower_
        if self._unseen_words == "lemma" and form not in self.forms:
            return own_lemma(token) or form
        return form

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
        for lemma in self._lemmas(form):
            if lemma in self._by_verb:
                return self._allowed(self._by_verb[lemma])
        is_long = len(form) >= _CORRECTED_LENGTH
        if is_long and self._unseen_words != "unknown" and not self._listed(form):
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

    def _lemmas(self, form: str) -> Iterator[str]:
        """YIELDS (str): What the lemma of a form never seen may be, the likeliest first."""
        if self._unseen_words == "english":
            for spelling in [form, *american_spellings(form)]:
                yield from lemma_guesses(spelling)
                yield from self._endings.guess(spelling)
        elif self._unseen_words == "lemma":
            yield form
            yield from self._endings.guess(form)

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

    def fallback(self, word: str, lemma: str = "") -> str:
        """Guess the roleset of a word of which nothing was seen.

        word (str): What `word_of` gave.
        lemma (str): Its lemma in the document, see `own_lemma`; not looked at by English rules.
        RETURNS (str): The first roleset of the frame inventory, or else the word's own first
            sense; empty where that can't be told.
        """
        known = self._fallbacks.get((word, lemma))
        if known is None:
            if len(self._fallbacks) >= _KEPT_WORDS:
                self._fallbacks = {}
            known = self._fallbacks[word, lemma] = self._first_sense(word, lemma)
        return known

    def _first_sense(self, word: str, lemma: str) -> str:
        if not self.rolesets:
            return ""
        if listed := self._listed(word):
            return listed[0]
        if self._unseen_words == "english":
            guesses = lemma_guesses(word)
            lemma = guesses[-1] if len(guesses) > 1 else self._endings.likeliest(word)
        elif self._unseen_words == "unknown" or not self._are_own_words:
            return ""
        return lemma + _FIRST_SENSE if lemma and self._has_first_senses else ""

    @cached_property
    def _has_first_senses(self) -> bool:
        return any(roleset.endswith(_FIRST_SENSE) for roleset in self.rolesets)

    @cached_property
    def _are_own_words(self) -> bool:
        """Whether rolesets are named after words of the language: most forms begin as theirs do."""
        n_alike = sum(
            any(form[:_SHARED_START] == verb[:_SHARED_START] for verb in self._verbs(known))
            for form, known in self.forms.items()
        )
        return 2 * n_alike > len(self.forms)

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
            is_english = self._unseen_words == "english"
            for lemma in lemma_guesses(form) if is_english else [form]:
                if rolesets := self._frames.rolesets_of(lemma):
                    return rolesets
        return []

    def to_json(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The arguments of `SenseInventory`."""
        return {"rolesets": self.rolesets, "forms": self.forms, "counts": self.counts}


def own_lemma(token: Token) -> str:
    """Read the lemma of a token as rolesets are named.

    token (Token): The token.
    RETURNS (str): In lower case; empty where the document has none ("_" in CoNLL-U).
    """
    lemma = "_".join(token.lemma_.lower().split())
    return "" if lemma == "_" else lemma


def lemma_of(roleset: str) -> str:
    """RETURNS (str): The lemma of a roleset: "give" of "give.01"."""
    return roleset.rsplit(".", 1)[0]


def verb_of(roleset: str) -> str:
    """RETURNS (str): The first word of a roleset's lemma: "give" of "give_up.07"."""
    return lemma_of(roleset).split("_")[0]
