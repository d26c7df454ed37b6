"""A corpus reader that splits long documents without losing annotation."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Corpus, Example
from spacy.util import registry

from .splitting import split_doc


@registry.readers("spacy_mtl.Corpus.v1")
def create_corpus(
    path: str | Path | None,
    max_length: int = 0,
    limit: int = 0,
    augmenter: Callable[..., Any] | None = None,
) -> "SplittingCorpus":
    """Create a reader of `.spacy` files that splits long documents at sentence boundaries.

    Shorter training documents make batches of more even size, in which the documents differ more:
    see `docs/measurements.md` for what that is worth.

    path (Optional[Union[str, Path]]): A `.spacy` file or a folder of them.
    max_length (int): The number of tokens above which a document is split; 0 never splits.
    limit (int): Read at most so many documents; 0 reads all.
    augmenter (Optional[Callable]): Makes variants of examples; see spaCy's `Corpus`.
    RETURNS (SplittingCorpus): The reader.
    RAISES (ValueError): If there is no path or `max_length` is negative.
    """
    if path is None:
        raise ValueError(
            "spacy_mtl.Corpus.v1: no path is given. Set it in the config, or on the command line "
            "as in --paths.train train.spacy."
        )
    if max_length < 0:
        raise ValueError(f"spacy_mtl.Corpus.v1: max_length is {max_length}; set 0 or more.")
    return SplittingCorpus(path, max_length=max_length, limit=limit, augmenter=augmenter)


class SplittingCorpus(Corpus):
    """spaCy's `Corpus`, but documents of more than `max_length` tokens are split by `split_doc`
    instead of being cut into sentences without categories and span groups, or dropped.
    """

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
