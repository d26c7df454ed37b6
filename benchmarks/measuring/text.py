"""Text to be timed on: as much as is wanted, with as many new words as real text has."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from spacy.tokens import Doc

CONSONANTS = "bcdfghjklmnpqrstvwxyz"
VOWELS = "aeiou"
DIGITS = "0123456789"

Tokens = tuple[list[str], list[bool]]  # words, and whether a space follows


@dataclass(frozen=True)
class Window:
    """A stretch of text that all systems are timed on.

    docs (List[Tokens]): The documents.
    n_words (int): Their tokens.
    distinct (float): The share of distinct words among the tokens.
    new (float): Distinct words that no earlier window of the stream has had, per token.
    """

    docs: list[Tokens]
    n_words: int
    distinct: float
    new: float


class TextStream:
    """An endless text, of which each measurement takes the next part.

    A program that remembers words must not be timed twice on the same text: it would meet no new
    word. Where the corpus ends, it starts anew with each word that it has only once spelled
    differently. By Good and Turing's estimate the share of these words is the chance that the next
    word of a longer corpus would be a new one.

    docs (Sequence[Tokens]): The corpus.
    RAISES (ValueError): If there is no token in it.
    """

    def __init__(self, docs: Sequence[Tokens]) -> None:
        self.docs = [doc for doc in docs if doc[0]]
        if not self.docs:
            raise ValueError("The corpus to be timed on has no tokens; name another one.")
        counts = Counter(word for words, _ in self.docs for word in words)
        self.n_words = sum(counts.values())
        self.n_distinct = len(counts)
        self.once = {word for word, number in counts.items() if number == 1}
        self._seen: set[str] = set()
        self._source = self._endless()

    def take(self, n_words: int) -> Window:
        """Take the next documents.

        n_words (int): At least so many tokens; the last document is cut to give exactly so many.
        RETURNS (Window): The documents.
        """
        docs: list[Tokens] = []
        missing = n_words
        while missing > 0:
            words, spaces = next(self._source)
            docs.append((words[:missing], spaces[:missing]))
            missing -= len(words)
        forms = [word for words, _ in docs for word in words]
        new = set(forms) - self._seen
        self._seen |= new
        return Window(
            docs,
            n_words,
            distinct=len(set(forms)) / n_words,
            new=len(new) / n_words,
        )

    def _endless(self) -> Iterator[Tokens]:
        for repetition in count():
            for words, spaces in self.docs:
                yield [self._spell(word, repetition) for word in words], spaces

    def _spell(self, word: str, repetition: int) -> str:
        return respell(word, repetition) if word in self.once else word


def respell(word: str, shift: int) -> str:
    """Replace vowels by other vowels, consonants by other consonants and digits by other digits.

    Case, length and the places of other characters stay, so that the word looks like a word.

    word (str): The word.
    shift (int): How far to go in the alphabet; 0 changes nothing.
    RETURNS (str): The word in its new spelling.
    """
    table = {}
    for letters in (CONSONANTS, VOWELS, DIGITS):
        step = shift % len(letters)
        turned = letters[step:] + letters[:step]
        table |= str.maketrans(letters + letters.upper(), turned + turned.upper())
    return word.translate(table)


def tokens_of(docs: Iterable[Doc]) -> list[Tokens]:
    """Take words and spaces out of documents.

    docs (Iterable[Doc]): The documents.
    RETURNS (List[Tokens]): Their words and spaces.
    """
    return [([t.text for t in doc], [bool(t.whitespace_) for t in doc]) for doc in docs]


def raw_text(tokens: Tokens) -> str:
    """Join the tokens of a document.

    tokens (Tokens): Its words and spaces.
    RETURNS (str): Its text.
    """
    words, spaces = tokens
    return "".join(word + " " * space for word, space in zip(words, spaces, strict=True))


def of_length(window: Window, length: int) -> list[Tokens]:
    """Cut the same text into documents of another length.

    window (Window): The text.
    length (int): Tokens of each document; the last one may have fewer.
    RETURNS (List[Tokens]): The documents, with the tokens of the window in their order.
    """
    words = [word for doc in window.docs for word in doc[0]]
    spaces = [space for doc in window.docs for space in doc[1]]
    return [
        (words[start : start + length], spaces[start : start + length])
        for start in range(0, len(words), length)
    ]
