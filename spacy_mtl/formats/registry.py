"""The formats by name, and reading and writing documents in them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..srl.alignment import IndexedFrame
from . import conll09, conll12, propbank
from .allennlp import read_allennlp, write_allennlp
from .conll05 import COLUMNS as CONLL05_COLUMNS
from .conll05 import parse_layout, read_conll05, write_conll05
from .doc_builder import build_docs
from .doc_sentences import doc_sentences
from .errors import FormatError
from .heads import frames_to_spans
from .report import ConversionReport
from .roles import long_role, short_role
from .sentence import AnnotatedSentence
from .treebank import Treebank, attach_words
from .up import read_up, write_up1, write_up1_misc, write_up2

Reader = Callable[[Path, ConversionReport], Iterator[AnnotatedSentence]]
Writer = Callable[[Iterable[AnnotatedSentence], ConversionReport], Iterator[str]]
LABELS: dict[str, Callable[[str], str]] = {
    "propbank": long_role,
    "conll": short_role,
    "keep": str,
}
_SYNTAX = {"tags", "lemmas", "morphology", "dependencies"}
_UD = {*_SYNTAX, "universal tags", "documents", "sentence IDs"}


@dataclass(frozen=True)
class Format:
    """A format for semantic roles.

    description (str): What it is, for a list of formats.
    read (Reader): Yields the sentences of a file.
    write (Writer): Yields the text of a file.
    carries (frozenset[str]): What the format has room for beside words and frames.
    labels (str): How it spells roles, a key of `LABELS`.
    suffixes (tuple[str, ...]): How names of its files end, where nothing else does.
    pattern (str): Which files of a folder are read.
    """

    description: str
    read: Reader
    write: Writer
    carries: frozenset[str]
    labels: str
    suffixes: tuple[str, ...] = ()
    pattern: str = "*"


FORMATS: dict[str, Format] = {
    "conll05": Format(
        "CoNLL-2005 (and 2004) columns with bracketed arguments",
        read_conll05,
        write_conll05,
        frozenset({"tags", "entities"}) | CONLL05_COLUMNS,
        "conll",
        (".conll05", ".props", ".props.gz"),
    ),
    "conll09": Format(
        "CoNLL-2009, syntax and heads of arguments",
        conll09.read_conll09,
        conll09.write_conll09,
        frozenset(_SYNTAX) | conll09.COLUMNS,
        "conll",
        (".conll09",),
    ),
    "conll12": Format(
        "CoNLL-2012, OntoNotes in columns",
        conll12.read_conll12,
        conll12.write_conll12,
        frozenset({"tags", "lemmas", "entities", "coreference", "documents"}) | conll12.COLUMNS,
        "propbank",
        (".conll12", "_gold_conll", "_auto_conll"),
        "*_conll",
    ),
    "propbank": Format(
        "PropBank's columns with words",
        propbank.read_propbank,
        propbank.write_propbank,
        frozenset({"tags", "documents"}) | propbank.COLUMNS,
        "propbank",
        (),
        "*.gold_conll",
    ),
    "gold_skel": Format(
        "PropBank's columns without words (--words names the treebank)",
        propbank.read_propbank,
        propbank.write_gold_skel,
        frozenset({"tags", "documents"}) | propbank.COLUMNS,
        "propbank",
        (".gold_skel",),
        "*.gold_skel",
    ),
    "up1": Format(
        "Universal PropBank 1.0, heads of arguments in columns",
        read_up,
        write_up1,
        frozenset(_UD),
        "conll",
        (),
        "*.conllu",
    ),
    "up1-misc": Format(
        "Universal PropBank 1.0 for English, heads of arguments in MISC",
        read_up,
        write_up1_misc,
        frozenset(_UD | {"spaces"}),
        "propbank",
        (),
        "*.conllu",
    ),
    "up2": Format(
        "Universal PropBank 2.0 (CoNLL-U Plus), heads and spans of arguments",
        read_up,
        write_up2,
        frozenset(_UD | {"spaces"}),
        "conll",
        (".conllup",),
        "*.conllup",
    ),
    "allennlp": Format(
        "JSON of AllenNLP's predictor, one sentence a line",
        read_allennlp,
        write_allennlp,
        frozenset(),
        "propbank",
        (".jsonl", ".json"),
        "*.json*",
    ),
}


def guess_format(path: str | Path) -> str | None:
    """Tell the format of a file from its name.

    path (str | Path): The file.
    RETURNS (str | None): A key of `FORMATS`; None if the name does not tell.
    """
    name = Path(path).name
    for key, form in FORMATS.items():
        if name.endswith(form.suffixes):
            return key
    return None


def find_files(path: str | Path, pattern: str) -> list[Path]:
    """List what to read.

    path (str | Path): A file, or a folder.
    pattern (str): Which files of a folder and the folders below it count, e.g. "*.gold_skel".
    RETURNS (list[Path]): The files, sorted.
    RAISES (FileNotFoundError): If there is no file.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    files = sorted(file for file in path.rglob(pattern) if file.is_file())
    if not files:
        raise FileNotFoundError(
            f"'{path}' does not exist, or is a folder without files named {pattern}"
        )
    return files


def read_docs(
    path: str | Path,
    name: str,
    vocab: Vocab,
    report: ConversionReport,
    *,
    treebank: Treebank | None = None,
    columns: str | None = None,
    arguments: str = "spans",
    labels: str = "propbank",
    project: bool = False,
    n_sents: int = 1,
) -> Iterator[Doc]:
    """Read documents with frames in `doc.spans["srl"]`.

    path (str | Path): A file, or a folder with files of the format.
    name (str): The format, a key of `FORMATS`.
    vocab (Vocab): Vocabulary of the Docs.
    report (ConversionReport): Where to count what can't be carried over.
    treebank (Treebank | None): Where to take the words from if the format leaves them out.
    columns (str | None): Layout of CoNLL-2005, see `parse_layout`.
    arguments (str): "spans" or "heads": what to read where a file has both (up2).
    labels (str): How to spell roles: "propbank" (ARG0), "conll" (A0), or "keep" as they are.
    project (bool): Whether to widen arguments of one token to what depends on it.
    n_sents (int): Sentences in a Doc where the format has no documents, 0 for all of a file.
    YIELDS (Doc): The documents.
    RAISES (FormatError): With file and line, where a file does not follow its format.
    RAISES (ValueError): If an option does not suit.
    """
    form = _format(name)
    read = form.read
    if name == "conll05" and columns is not None:
        read = partial(read_conll05, layout=parse_layout(columns))
    elif columns is not None:
        raise ValueError(f"columns can be named for the format conll05, not for {name!r}")
    if name.startswith("up"):
        read = partial(read_up, arguments=arguments)
    files = find_files(path, form.pattern)
    batches: Iterable[Iterable[AnnotatedSentence]] = (read(file, report) for file in files)
    if treebank is not None:
        sentences = list(chain.from_iterable(batches))
        batches = [attach_words(sentences, treebank, report)]
    for batch in batches:
        prepared = (_prepare(sentence, labels, project, report) for sentence in batch)
        yield from build_docs(prepared, vocab, report, n_sents=n_sents)


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise ValueError(f"unknown format {name!r}; use one of {', '.join(FORMATS)}")
    return FORMATS[name]


def _prepare(
    sentence: AnnotatedSentence, labels: str, project: bool, report: ConversionReport
) -> AnnotatedSentence:
    """Spell roles as wanted, and widen arguments if wanted."""
    if sentence.frames is None:
        return sentence
    frames = _spelled(sentence, labels)
    if project:
        place = f"{sentence.path}:{sentence.line()}"
        frames = frames_to_spans(frames, sentence.heads, place, report)
    return replace(sentence, frames=frames)


def _spelled(sentence: AnnotatedSentence, labels: str) -> list[IndexedFrame]:
    if labels not in LABELS:
        raise ValueError(f"unknown spelling of roles {labels!r}; use one of {', '.join(LABELS)}")
    spell = LABELS[labels]
    return [
        replace(
            frame,
            arguments=tuple((spell(label), start, end) for label, start, end in frame.arguments),
        )
        for frame in sentence.frames or ()
    ]


def write_docs(
    docs: Iterable[Doc],
    name: str,
    report: ConversionReport,
    *,
    columns: str | None = None,
    labels: str | None = None,
) -> Iterator[str]:
    """Write documents with frames in `doc.spans["srl"]`.

    docs (Iterable[Doc]): The documents.
    name (str): The format, a key of `FORMATS`.
    report (ConversionReport): Where to count what the format has no room for.
    columns (str | None): Layout of CoNLL-2005, see `parse_layout`.
    labels (str | None): How to spell roles: "propbank" (ARG0), "conll" (A0), or "keep" as they are;
        as the format does if None.
    YIELDS (str): The file's text, piece by piece.
    RAISES (ValueError): If a document can't be written, or an option does not suit.
    """
    form = _format(name)
    write: Writer = form.write
    if name == "conll05" and columns is not None:
        write = partial(write_conll05, layout=parse_layout(columns))
    elif columns is not None:
        raise ValueError(f"columns can be named for the format conll05, not for {name!r}")
    spelling = form.labels if labels is None else labels
    sentences = (
        replace(sentence, frames=_spelled(sentence, spelling))
        for sentence in doc_sentences(docs, form.carries, report)
    )
    yield from write(sentences, report)


__all__ = [
    "FORMATS",
    "Format",
    "FormatError",
    "find_files",
    "guess_format",
    "read_docs",
    "write_docs",
]
