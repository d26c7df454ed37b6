"""How words of a corpus lead to their lemmas by their endings."""

from collections import Counter, defaultdict
from collections.abc import Iterable

_MIN_STEM = 3  # letters that a word and its lemma share, and that are left when an ending is cut
_MAX_CONTEXT = 6  # letters before the cut that an ending is remembered with
_MIN_SHARE = 0.1  # of the words with an ending that a change must have
_MIN_WORDS = 3  # with an ending and a change that is taken for granted
_MAJORITY = 0.6


class LemmaEndings:
    """Changes of endings, learned from words whose lemma is known: "investigation" is of
    "investigate", so an "interrogation" may be of "interrogate".

    Each pair of a word and its lemma is one change: letters to cut, letters to add. It is
    remembered with every ending of the word that contains the cut, as the rules that Jongejan and
    Dalianis (2009, https://aclanthology.org/P09-1017) learn are; the longest ending that a new word
    shares with those seen comes first.
    """

    def __init__(self, lemmas: Iterable[tuple[str, str]]) -> None:
        """Learn the changes.

        lemmas (Iterable[Tuple[str, str]]): Words and their lemmas.
        """
        self._changes: defaultdict[str, Counter[tuple[int, str]]] = defaultdict(Counter)
        self._likely: dict[str, tuple[tuple[int, str], ...]] = {}
        self._leading: dict[str, tuple[int, tuple[int, str] | None]] = {}
        for word, lemma in lemmas:
            n_shared = _shared_prefix(word, lemma)
            if n_shared < min(_MIN_STEM, len(lemma)):
                continue
            cut = len(word) - n_shared
            for size in range(cut, min(len(word) - 1, cut + _MAX_CONTEXT) + 1):
                self._changes[word[len(word) - size :]][cut, lemma[n_shared:]] += 1

    def guess(self, word: str) -> list[str]:
        """Guess lemmas.

        word (str): A word.
        RETURNS (List[str]): Guesses, the likeliest first; the word itself can be one.
        """
        guesses: dict[str, None] = {}
        for start in range(1, len(word) + 1):
            for cut, added in self._likely_changes(word[start:]):
                if len(word) - cut >= _MIN_STEM:
                    guesses[word[: len(word) - cut] + added] = None
        return list(guesses)

    def _likely_changes(self, ending: str) -> tuple[tuple[int, str], ...]:
        """RETURNS (Tuple[Tuple[int, str], ...]): Cuts and additions, the commonest first."""
        if ending not in self._changes:
            return ()
        likely = self._likely.get(ending)
        if likely is None:
            changes = self._changes[ending]
            least = _MIN_SHARE * changes.total()
            ranked = sorted(changes.items(), key=lambda item: (-item[1], item))
            likely = tuple(change for change, count in ranked if count >= least)
            self._likely[ending] = likely
        return likely

    def likeliest(self, word: str) -> str:
        """Guess one lemma.

        word (str): A word.
        RETURNS (str): What the longest ending that several words share with this one makes of it,
            if they mostly agree; else the word itself.
        """
        for start in range(1, len(word) + 1):
            ending = word[start:]
            if ending in self._changes:
                n_words, change = self._leading_change(ending)
                if n_words >= _MIN_WORDS:
                    if change is None or len(word) - change[0] < _MIN_STEM:
                        break
                    return word[: len(word) - change[0]] + change[1]
        return word

    def _leading_change(self, ending: str) -> tuple[int, tuple[int, str] | None]:
        """RETURNS (Tuple[int, Optional[Tuple[int, str]]]): How many words have an ending, and the
        cut and addition of most of them, if they mostly agree."""
        leading = self._leading.get(ending)
        if leading is None:
            changes = self._changes[ending]
            total = changes.total()
            change, count = max(changes.items(), key=lambda item: (item[1], item))
            agreed = change if count >= _MAJORITY * total else None
            leading = self._leading[ending] = total, agreed
        return leading


def _shared_prefix(word: str, lemma: str) -> int:
    """RETURNS (int): The number of letters that both begin with."""
    pairs = enumerate(zip(word, lemma, strict=False))
    return next((i for i, (one, other) in pairs if one != other), min(len(word), len(lemma)))
