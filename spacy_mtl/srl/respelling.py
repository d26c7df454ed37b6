"""Known words that a word may be if it has a spelling mistake."""

from collections.abc import Iterable


class SpellingIndex:
    """Finds the known words that differ from a word by one mistake (Norvig 2007,
    https://norvig.com/spell-correct.html): a letter too many, too few or wrong, or two swapped. The
    first letter stays, and what lacks or is wrong is a letter of any script.

    The index holds each known word without each of its letters (Garbe 2012,
    https://github.com/wolfgarbe/SymSpell), so that looking a word up takes a few steps per letter
    and not one for every string that it could be.
    """

    def __init__(self, words: Iterable[str]) -> None:
        """Index words.

        words (Iterable[str]): The known words.
        """
        self._words = set(words)
        self._of_shortened: dict[str, tuple[str, ...]] = {}  # words without one of their letters
        for word in sorted(self._words):
            for short in {word[:at] + word[at + 1 :] for at in range(1, len(word))}:
                self._of_shortened[short] = (*self._of_shortened.get(short, ()), word)

    def near(self, word: str) -> list[str]:
        """Find the known words at one mistake from a word.

        word (str): The word.
        RETURNS (List[str]): Those with a letter more come first, then those with one less, those
            with two swapped and those with another one, each from left to right.
        """
        places = range(1, len(word))
        shorter = [word[:at] + word[at + 1 :] for at in places]
        swapped = [word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in places[:-1]]
        found = [
            *(known for at in [*places, len(word)] for known in self._without(word, at)),
            *(known for known in [*shorter, *swapped] if known in self._words),
            *(
                known
                for at, short in zip(places, shorter, strict=True)
                for known in self._without(short, at)
            ),
        ]
        return list(dict.fromkeys(found))

    def _without(self, short: str, at: int) -> list[str]:
        """RETURNS (List[str]): Known words that are this without the letter at a place."""
        return [
            known
            for known in self._of_shortened.get(short, ())
            if known[:at] + known[at + 1 :] == short and known[at].isalpha()
        ]
