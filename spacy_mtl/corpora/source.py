"""One named source of a mixed corpus."""

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from .annotations import Selection, keep_annotations
from .splitting import split_doc

Reader = Callable[[Language], Iterable[Example]]


class Source:
    """The examples of one reader: split, limited to some tasks, and given out one by one without
    end.

    A loaded source is read once and kept in memory; each round gives all of it, in a new order. A
    streamed source is read as it is given out, in the reader's order, and again from the start
    when it ends.
    """

    def __init__(self, name: str, reader: Reader, config_key: str, *, is_streamed: bool) -> None:
        """Describe a source; nothing is read yet.

        name (str): Its name.
        reader (Callable[[Language], Iterable[Example]]): Reads it.
        config_key (str): Where it stands in the config, for messages.
        is_streamed (bool): Whether it may be too large to keep.
        """
        self.name = name
        self.config_key = config_key
        self.is_streamed = is_streamed
        self.n_empty = 0
        self._reader = reader
        self._waiting: deque[Example] = deque()
        self._loaded: list[Example] = []
        self._stream: Iterator[Example] | None = None
        self._n_rounds = 0  # of the stream, completed

    def read(
        self, nlp: Language, max_length: int, selection: Selection | None
    ) -> Iterator[Example]:
        """Read the source once, from start to end.

        nlp (Language): The pipeline.
        max_length (int): Documents of more tokens are split at sentence boundaries; 0 never.
        selection (Optional[Selection]): The annotations to keep; all where None.
        YIELDS (Example): Its examples. Empty documents are counted and left out.
        RAISES (ValueError): If the reader fails or gives no document.
        """
        n_examples = 0
        n_empty = 0
        for example in self._read_or_explain(nlp):
            if not len(example.reference):
                n_empty += 1
                continue
            for piece in _split(nlp, example, max_length):
                n_examples += 1
                yield piece if selection is None else _select(piece, selection)
        self.n_empty = n_empty
        if not n_examples:
            found = f"{n_empty} documents, all of them empty" if n_empty else "no document"
            raise ValueError(
                f"[{self.config_key}] The source '{self.name}' gave {found}. Check its path, its "
                "limit and its lengths, or remove it."
            )

    def open(self, nlp: Language, max_length: int, selection: Selection | None) -> None:
        """Load the source, or start its stream. Does nothing where that was done.

        nlp (Language): The pipeline.
        max_length (int): See `read`.
        selection (Optional[Selection]): See `read`.
        """
        if self.is_streamed and self._stream is None:
            self._stream = self._endless(nlp, max_length, selection)
        elif not self.is_streamed and not self._loaded:
            self._loaded = list(self.read(nlp, max_length, selection))

    @property
    def examples(self) -> Sequence[Example]:
        """RETURNS (Sequence[Example]): All examples of a loaded source."""
        return self._loaded

    def peek(self, number: int) -> list[Example]:
        """Look at what comes next in a stream, without taking it out.

        number (int): How many examples to look at.
        RETURNS (List[Example]): The examples; fewer where the whole source is shorter.
        """
        while len(self._waiting) < number and self._stream is not None:
            self._waiting.append(next(self._stream))
            if self._n_rounds:  # the one just read is the first of the next round
                return list(self._waiting)[:-1]
        return list(self._waiting)[:number]

    def start_round(self, generator: random.Random) -> None:
        """Begin a loaded source anew, in a new order.

        generator (random.Random): Draws the order.
        """
        if not self.is_streamed:
            self._waiting = deque(generator.sample(self._loaded, len(self._loaded)))

    def bring_forward(self, examples: Sequence[Example]) -> None:
        """Let some of the waiting examples come first.

        examples (Sequence[Example]): Examples of this source, in the order wanted.
        """
        moved = {id(example) for example in examples}
        self._waiting = deque(
            [*examples, *(example for example in self._waiting if id(example) not in moved)]
        )

    def draw(self, generator: random.Random) -> Example:
        """Take the next example.

        generator (random.Random): Draws the order of the next round.
        RETURNS (Example): The example.
        """
        if not self._waiting:
            if self._stream is not None:
                return next(self._stream)
            self.start_round(generator)
        return self._waiting.popleft()

    def put_back(self, examples: Sequence[Example]) -> None:
        """Let examples come again before all others.

        examples (Sequence[Example]): Examples of this source, in the order they were drawn.
        """
        self._waiting.extendleft(reversed(examples))

    def _endless(
        self, nlp: Language, max_length: int, selection: Selection | None
    ) -> Iterator[Example]:
        while True:
            yield from self.read(nlp, max_length, selection)
            self._n_rounds += 1

    def _read_or_explain(self, nlp: Language) -> Iterator[Example]:
        try:
            yield from self._reader(nlp)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"[{self.config_key}] The source '{self.name}' can't be read: {error}"
            ) from error


def _split(nlp: Language, example: Example, max_length: int) -> list[Example]:
    if not max_length or len(example.reference) <= max_length:
        return [example]
    pieces = split_doc(example.reference, max_length)
    if len(pieces) == 1:
        return [example]
    return [Example(_unannotated(nlp, piece), piece) for piece in pieces]


def _unannotated(nlp: Language, piece: Doc) -> Doc:
    """The pipeline's own tokens where the text is known, as in spaCy's `Corpus`."""
    if piece.has_unknown_spaces:
        return Doc(
            nlp.vocab,
            words=[token.text for token in piece],
            spaces=[bool(token.whitespace_) for token in piece],
        )
    return nlp.make_doc(piece.text)


def _select(example: Example, selection: Selection) -> Example:
    return Example(example.predicted, keep_annotations(example.reference, selection))
