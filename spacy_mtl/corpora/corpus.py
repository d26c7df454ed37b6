"""A corpus reader that splits long documents without losing annotation."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus, Example
from spacy.training.corpus import FILE_TYPE, walk_corpus
from spacy.util import registry
from spacy.vocab import Vocab

from .faults import FaultReport
from .splitting import split_doc

NAME = "spacy_mtl.Corpus.v1"


@registry.readers(NAME)
def create_corpus(
    path: str | Path | None,
    max_length: int = 0,
    limit: int = 0,
    augmenter: Callable[..., Any] | None = None,
    skip_malformed: bool = False,
) -> "SplittingCorpus":
    """Create a reader of `.spacy` files that splits long documents at sentence boundaries.

    Shorter training documents make batches of more even size, in which the documents differ more:
    see `docs/measurements.md` for what that is worth.

    path (Optional[Union[str, Path]]): A `.spacy` file or a folder of them.
    max_length (int): The number of tokens above which a document is split; 0 never splits.
    limit (int): Read at most so many documents; 0 reads all.
    augmenter (Optional[Callable]): Makes variants of examples; see spaCy's `Corpus`.
    skip_malformed (bool): Leave out annotation that a component of the pipeline can't learn from,
        such as frames whose arguments overlap, with a warning; instead of an error, which counts
        all of it.
    RETURNS (SplittingCorpus): The reader.
    RAISES (ValueError): If there is no path or `max_length` is negative.
    """
    if path is None:
        raise ValueError(
            f"{NAME}: no path is given. Set it in the config, or on the command line "
            "as in --paths.train train.spacy."
        )
    if max_length < 0:
        raise ValueError(f"{NAME}: max_length is {max_length}; set 0 or more.")
    return SplittingCorpus(
        path,
        max_length=max_length,
        limit=limit,
        augmenter=augmenter,
        skip_malformed=skip_malformed,
    )


class SplittingCorpus(Corpus):
    """spaCy's `Corpus`, but documents of more than `max_length` tokens are split by `split_doc`
    instead of being cut into sentences without categories and span groups, or dropped.
    """

    def __init__(self, path: str | Path, *, skip_malformed: bool = False, **settings: Any) -> None:
        """Create a reader; nothing is read yet. See `create_corpus`."""
        super().__init__(path, **settings)
        self.skip_malformed = skip_malformed

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Read the corpus.

        nlp (Language): The pipeline.
        YIELDS (Example): The examples. After the first document with annotation that can't be
            learned from, unless it is to be left out, no more examples come: the rest is read to
            count all such annotation.
        RAISES (FaultyAnnotation): If there is any; at the end.
        RAISES (ValueError): If a file can't be read.
        """
        report = FaultReport(nlp)
        yield from self.read(nlp, partial(report.check, skip=self.skip_malformed))
        report.finish(f"set skip_malformed = true for {NAME} of '{self.path}' to leave it out")

    def read(self, nlp: Language, check: Callable[[Doc, str], Doc | None]) -> Iterator[Example]:
        """Read the corpus, and let each document be checked before it is split.

        nlp (Language): The pipeline.
        check (Callable[[Doc, str], Optional[Doc]]): Gets a document and its place, for messages;
            gives the document to use, or None for none.
        YIELDS (Example): The examples.
        RAISES (ValueError): If a file can't be read.
        """
        checked = (check(doc, place) for doc, place in self._read_docs(nlp.vocab))
        for example in self.make_examples(nlp, (doc for doc in checked if doc is not None)):
            yield from self.augmenter(nlp, example)

    def _read_docs(self, vocab: Vocab) -> Iterator[tuple[Doc, str]]:
        """Read the documents that are not empty, each with its place."""
        n_docs = 0
        for file in walk_corpus(self.path, FILE_TYPE):
            for number, doc in enumerate(_docs_of_file(file, vocab), start=1):
                if len(doc):
                    yield doc, f"{file}, document {number}"
                    n_docs += 1
                    if n_docs == self.limit:
                        return

    def make_examples(self, nlp: Language, reference_docs: Iterable[Doc]) -> Iterator[Example]:
        """Make an example of each piece of each document.

        nlp (Language): The pipeline, for its tokenizer.
        reference_docs (Iterable[Doc]): The annotated documents.
        YIELDS (Example): The examples.
        """
        for reference in reference_docs:
            pieces = split_doc(reference, self.max_length) if self.max_length else [reference]
            for piece in pieces:
                if len(piece):
                    yield self._make_example(nlp, piece, False)


def _docs_of_file(file: Path, vocab: Vocab) -> Iterator[Doc]:
    try:
        yield from DocBin().from_disk(file).get_docs(vocab)
    except OSError:
        raise
    except Exception as error:  # any: whatever a broken file makes spaCy raise
        raise ValueError(
            f"'{file}' can't be read: it is truncated or no .spacy file. "
            f"{type(error).__name__}: {error}"
        ) from error
