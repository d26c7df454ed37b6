"""Documents that all runs share."""

from dataclasses import dataclass, field
from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_mtl.corpora.splitting import split_doc


@dataclass(frozen=True)
class SharedCorpus:
    """Training and development examples of one vocabulary, read once for all runs.

    vocab (Vocab): The vocabulary; every pipeline is built on it.
    train (List[Example]): Pieces of training documents.
    dev (List[Example]): Whole development documents.
    test (List[Example]): Whole documents that nothing was chosen on; none where not wanted.
    """

    vocab: Vocab
    train: list[Example]
    dev: list[Example]
    test: list[Example] = field(default_factory=list)

    @property
    def train_words(self) -> int:
        """RETURNS (int): Tokens of one pass."""
        return sum(len(example.reference) for example in self.train)

    @property
    def dev_words(self) -> int:
        """RETURNS (int): Tokens of the development documents."""
        return sum(len(example.reference) for example in self.dev)


def read_corpus(
    train: Path, dev: Path, max_length: int = 100, limit: int = 0, test: Path | None = None
) -> SharedCorpus:
    """Read `.spacy` files. All runs get the gold tokens and sentence boundaries.

    train (Path): The training documents.
    dev (Path): The development documents.
    max_length (int): Training documents of more tokens are split at sentence boundaries.
    limit (int): Read at most so many documents of each file; 0 reads all.
    test (Optional[Path]): Further documents to score on.
    RETURNS (SharedCorpus): The examples.
    """
    vocab = spacy.blank("en").vocab  # with the attributes of words that the trunk reads
    train_docs = read_docs(train, vocab, limit)
    pieces = [piece for doc in train_docs for piece in split_doc(doc, max_length)]
    return SharedCorpus(
        vocab,
        [with_gold_sentences(piece) for piece in pieces if len(piece)],
        read_whole(dev, vocab, limit),
        read_whole(test, vocab, limit) if test is not None else [],
    )


def read_whole(path: Path, vocab: Vocab, limit: int = 0) -> list[Example]:
    """Read documents to score on.

    path (Path): A `.spacy` file.
    vocab (Vocab): The vocabulary.
    limit (int): Read at most so many; 0 reads all.
    RETURNS (List[Example]): Those that have tokens.
    """
    return [with_gold_sentences(doc) for doc in read_docs(path, vocab, limit) if len(doc)]


def read_docs(path: Path, vocab: Vocab, limit: int = 0) -> list[Doc]:
    """Read a `.spacy` file.

    path (Path): The file.
    vocab (Vocab): The vocabulary.
    limit (int): Read at most so many documents; 0 reads all.
    RETURNS (List[Doc]): The documents.
    """
    docs = list(DocBin().from_disk(path).get_docs(vocab))
    return docs[:limit] if limit else docs


def with_gold_sentences(reference: Doc) -> Example:
    """Make an example whose predicted document has the gold tokens and sentences, and no more.

    reference (Doc): The annotated document.
    RETURNS (Example): The example.
    """
    starts = [bool(token.is_sent_start) for token in reference]
    predicted = Doc(
        reference.vocab,
        words=[token.text for token in reference],
        spaces=[bool(token.whitespace_) for token in reference],
        sent_starts=starts if reference.has_annotation("SENT_START") else None,
    )
    return Example(predicted, reference)
