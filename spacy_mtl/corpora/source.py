"""One named source of a mixed corpus."""

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from .annotations import Selection, keep_annotations, keeps_part
from .corpus import SplittingCorpus
from .faults import Fault, FaultReport, FaultyAnnotation
from .splitting import split_doc

Reader = Callable[[Language], Iterable[Example]]
DocCheck = Callable[[Doc, str], Doc | None]


class Source:
    """The examples of one reader: split, limited to some tasks, and given out one by one without
    end.

    A loaded source is read once and kept in memory; each round gives all of it, in a new order. A
    streamed source is read as it is given out, in the reader's order, and again from the start
    when it ends.
    """

    def __init__(
        self,
        name: str,
        reader: Reader,
        config_key: str,
        *,
        is_streamed: bool,
        skip_malformed: bool = False,
    ) -> None:
        """Describe a source; nothing is read yet.

        name (str): Its name.
        reader (Callable[[Language], Iterable[Example]]): Reads it.
        config_key (str): Where it stands in the config, for messages.
        is_streamed (bool): Whether it may be too large to keep.
        skip_malformed (bool): Whether annotation that can't be learned from is left out. A reader
            `spacy_mtl.Corpus.v1` can say so, too.
        """
        self.name = name
        self.skip_malformed = skip_malformed or bool(getattr(reader, "skip_malformed", False))
        self.config_key = config_key
        self.is_streamed = is_streamed
        self.n_empty = 0
        self._reader = reader
        self._waiting: deque[Example] = deque()
        self._loaded: list[Example] = []
        self._stream: Iterator[Example] | None = None
        self._n_rounds = 0  # of the stream, completed
        self._has_spoken = False  # of what was left out of the stream

    def read(
        self,
        nlp: Language,
        max_length: int,
        selection: Selection | None,
        report: FaultReport | None = None,
    ) -> Iterator[Example]:
        """Read the source once, from start to end.

        nlp (Language): The pipeline.
        max_length (int): Documents of more tokens are split at sentence boundaries; 0 never.
        selection (Optional[Selection]): The annotations to keep; all where None.
        report (Optional[FaultReport]): Counts annotation that can't be learned from. Where None, as
            in a stream, the first document with any is an error or a warning.
        YIELDS (Example): Its examples. Empty documents are counted and left out.
        RAISES (ValueError): If the reader fails or gives no document.
        """
        n_examples = 0
        n_empty = 0
        counts = FaultReport(nlp) if report is None else report
        check = partial(self._check, selection, counts, report is None)
        for example in self._read_or_explain(nlp, check):
            if not len(example.reference):
                n_empty += 1
                continue
            for piece in _split(nlp, example, max_length):
                n_examples += 1
                yield piece if selection is None else _select(piece, selection)
        self.n_empty = n_empty
        if not n_examples and not counts.is_error:
            found = f"{n_empty} documents, all of them empty" if n_empty else "no document"
            raise ValueError(
                f"[{self.config_key}] The source '{self.name}' gave {found}. Check its path, its "
                "limit and its lengths, or remove it."
            )

    def open(
        self, nlp: Language, max_length: int, selection: Selection | None, report: FaultReport
    ) -> None:
        """Load the source, or start its stream. Does nothing where that was done.

        nlp (Language): The pipeline.
        max_length (int): See `read`.
        selection (Optional[Selection]): See `read`.
        report (FaultReport): Counts annotation that can't be learned from. What a stream holds is
            not known before it is read: there, it is an error when it is met.
        """
        if self.is_streamed and self._stream is None:
            self._stream = self._endless(nlp, max_length, selection)
        elif not self.is_streamed and not self._loaded:
            self._loaded = list(self.read(nlp, max_length, selection, report))

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

    def _read_or_explain(self, nlp: Language, check: DocCheck) -> Iterator[Example]:
        try:
            if isinstance(self._reader, SplittingCorpus):
                yield from self._reader.read(nlp, check)
                return
            for number, example in enumerate(self._reader(nlp), start=1):
                checked = check(example.reference, f"document {number}")
                if checked is example.reference:
                    yield example
                elif checked is not None:
                    yield Example(example.predicted, checked)
        except FaultyAnnotation:
            raise
        except (OSError, ValueError) as error:
            raise ValueError(
                f"[{self.config_key}] The source '{self.name}' can't be read: {error}"
            ) from error

    def _check(
        self,
        selection: Selection | None,
        report: FaultReport,
        says_at_once: bool,
        doc: Doc,
        place: str,
    ) -> Doc | None:
        """Check a document for what is kept of its annotation."""

        def is_kept(fault: Fault) -> bool:
            return selection is None or any(
                keeps_part(selection, fault.part, key) for key in fault.keys
            )

        place = f"source '{self.name}', {place}"
        checked = report.check(doc, place, skip=self.skip_malformed, is_kept=is_kept)
        if says_at_once and (report.is_error or (checked is not doc and not self._has_spoken)):
            self._has_spoken = True
            report.finish(advise(self.config_key))
        return checked


def advise(config_key: str) -> str:
    """RETURNS (str): How the user can let annotation that can't be learned from be left out."""
    return f"set skip_malformed = true in [{config_key}] to leave it out"


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
