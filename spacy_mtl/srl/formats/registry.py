"""The formats by name, and reading and writing documents in them."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..alignment import IndexedFrame
from ..frames import group_spans
from . import conll05, conll08, conll09, conll12, propbank
from .allennlp import read_allennlp, write_allennlp
from .bio_columns import read_bio, write_bio
from .deep_srl import read_deep_srl, write_deep_srl
from .doc_builder import build_docs
from .doc_sentences import SRL_GROUP, doc_sentences
from .errors import FormatError
from .heads import frames_to_spans
from .inline import read_inline, write_inline
from .report import ConversionReport, check_on_error
from .roles import long_role, short_role
from .sentence import AnnotatedSentence
from .treebank import Treebank, attach_words
from .up import read_up, write_up1, write_up1_misc, write_up2

LABELS: dict[str, Callable[[str], str]] = {
    "propbank": long_role,
    "conll": short_role,
    "keep": str,
}
_SYNTAX = {"tags", "lemmas", "morphology", "dependencies"}
_UD = {*_SYNTAX, "universal tags", "documents", "sentence IDs"}
_NO_OPTIONS: frozenset[str] = frozenset()
_COLUMNS = frozenset({"columns"})
_ARGUMENTS = frozenset({"arguments"})
_HINT = (
    "; to read the rest, drop such parts with --on-error skip, or mend them where possible with"
    " --on-error repair (on_error= in Python)"
)


@dataclass(frozen=True)
class Format:
    """A format for semantic roles.

    description (str): What it is, for a list of formats.
    suffixes (tuple[str, ...]): How names of its files end, where nothing else does.
    pattern (str): Which files of a folder are read.
    options (frozenset[str]): The options that are its own: "columns" (of reader and writer) and
        "arguments" (of the reader).
    on_error (str): What becomes of malformed parts of a sentence if nothing is said, see
        `ConversionReport`; a sentence that is malformed as a whole is an error then. "repair" is
        for formats that only programs write: nobody mends such a file by hand, and the faults are
        those of a model's decoder.
    """

    description: str
    suffixes: tuple[str, ...] = ()
    pattern: str = "*"
    options: frozenset[str] = _NO_OPTIONS
    on_error: str = "stop"


@dataclass(frozen=True, kw_only=True)
class SentenceFormat(Format):
    """A format that is read into and written from sentences.

    read (Callable[..., Iterator[AnnotatedSentence]]): Yields the sentences of a file; takes the
        path, the report, and the format's own options.
    write (Callable[..., Iterator[str]]): Yields the text of a file; takes the sentences, the
        report, and "columns" if that is an option.
    carries (frozenset[str]): What the format has room for beside words and frames.
    labels (str): How it spells roles, a key of `LABELS`.
    """

    read: Callable[..., Iterator[AnnotatedSentence]]
    write: Callable[..., Iterator[str]]
    carries: frozenset[str]
    labels: str


@dataclass(frozen=True, kw_only=True)
class DocFormat(Format):
    """A format that is read into and written from Docs.

    read (Callable[[list[Path], Vocab, ConversionReport], Iterator[Doc]]): Yields the documents of
        files.
    write (Callable[[list[Doc]], bytes]): Makes the content of a file.
    """

    read: Callable[[list[Path], Vocab, ConversionReport], Iterator[Doc]]
    write: Callable[[list[Doc]], bytes]


def _read_inline(files: list[Path], vocab: Vocab, report: ConversionReport) -> Iterator[Doc]:
    seen: dict[str, str] = {}
    tokenizer = spacy.blank("en", vocab=vocab).tokenizer
    for file in files:
        yield from read_inline(file, tokenizer, seen=seen, report=report)


def _read_spacy(files: list[Path], vocab: Vocab, report: ConversionReport) -> Iterator[Doc]:
    for file in files:
        try:
            docs = list(DocBin().from_disk(file).get_docs(vocab))
        except Exception as error:  # any: whatever a broken file makes the reader raise
            raise ValueError(
                f"'{file}' can't be read: it is truncated or no .spacy file."
                f" {type(error).__name__}: {error}"
            ) from error
        for doc in docs:
            report.see(**count_units([doc]))
            yield doc


FORMATS: dict[str, SentenceFormat | DocFormat] = {
    "conll05": SentenceFormat(
        "CoNLL-2005 (and 2004) columns with bracketed arguments",
        suffixes=(".conll05", ".props", ".props.gz"),
        options=_COLUMNS,
        read=conll05.read_conll05,
        write=conll05.write_conll05,
        carries=frozenset({"tags", "entities"}) | conll05.COLUMNS,
        labels="conll",
    ),
    "conll08": SentenceFormat(
        "CoNLL-2008, syntax and heads of arguments",
        suffixes=(".conll08",),
        read=conll08.read_conll08,
        write=conll08.write_conll08,
        carries=frozenset({"tags", "lemmas", "dependencies"}) | conll08.COLUMNS,
        labels="conll",
    ),
    "conll09": SentenceFormat(
        "CoNLL-2009, syntax and heads of arguments",
        suffixes=(".conll09",),
        read=conll09.read_conll09,
        write=conll09.write_conll09,
        carries=frozenset(_SYNTAX) | conll09.COLUMNS,
        labels="conll",
    ),
    "conll12": SentenceFormat(
        "CoNLL-2012, OntoNotes in columns",
        suffixes=(".conll12", "_gold_conll", "_auto_conll"),
        pattern="*_conll",
        read=conll12.read_conll12,
        write=conll12.write_conll12,
        carries=frozenset({"tags", "lemmas", "entities", "coreference", "documents"})
        | conll12.COLUMNS,
        labels="propbank",
    ),
    "propbank": SentenceFormat(
        "PropBank's columns with words",
        pattern="*.gold_conll",
        read=propbank.read_propbank,
        write=propbank.write_propbank,
        carries=frozenset({"tags", "documents"}) | propbank.COLUMNS,
        labels="propbank",
    ),
    "gold_skel": SentenceFormat(
        "PropBank's columns without words (--words names the treebank)",
        suffixes=(".gold_skel",),
        pattern="*.gold_skel",
        read=propbank.read_propbank,
        write=propbank.write_gold_skel,
        carries=frozenset({"tags", "documents"}) | propbank.COLUMNS,
        labels="propbank",
    ),
    "up1": SentenceFormat(
        "Universal PropBank 1.0, heads of arguments in columns",
        pattern="*.conllu",
        options=_ARGUMENTS,
        read=read_up,
        write=write_up1,
        carries=frozenset(_UD),
        labels="conll",
    ),
    "up1-misc": SentenceFormat(
        "Universal PropBank 1.0 for English, heads of arguments in MISC",
        pattern="*.conllu",
        options=_ARGUMENTS,
        read=read_up,
        write=write_up1_misc,
        carries=frozenset(_UD | {"spaces"}),
        labels="propbank",
    ),
    "up2": SentenceFormat(
        "Universal PropBank 2.0 (CoNLL-U Plus), heads and spans of arguments",
        suffixes=(".conllup",),
        pattern="*.conllup",
        options=_ARGUMENTS,
        read=read_up,
        write=write_up2,
        carries=frozenset(_UD | {"spaces"}),
        labels="conll",
    ),
    "bio": SentenceFormat(
        "BIO tags in columns: word, mark of predicates, a column for each predicate",
        suffixes=(".bio",),
        options=_COLUMNS,
        read=read_bio,
        write=write_bio,
        carries=frozenset({"tags", "lemmas"}),
        labels="propbank",
    ),
    "deep_srl": SentenceFormat(
        "BIO tags in lines: predicate's index, words, '|||', tags",
        read=read_deep_srl,
        write=write_deep_srl,
        carries=frozenset(),
        labels="conll",
    ),
    "allennlp": SentenceFormat(
        "JSON of AllenNLP's predictor, one sentence a line",
        suffixes=(".jsonl", ".json"),
        pattern="*.json*",
        on_error="repair",
        read=read_allennlp,
        write=write_allennlp,
        carries=frozenset(),
        labels="propbank",
    ),
    "inline": DocFormat(
        "sentences as text, with annotation in brackets",
        pattern="*.txt",
        read=_read_inline,
        write=lambda docs: write_inline(docs).encode("utf-8"),
    ),
    "spacy": DocFormat(
        "spaCy's binary format",
        suffixes=(".spacy",),
        pattern="*.spacy",
        read=_read_spacy,
        write=lambda docs: DocBin(docs=docs, store_user_data=True).to_bytes(),
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


def find_format(name: str) -> SentenceFormat | DocFormat:
    """Look a format up.

    name (str): A key of `FORMATS`.
    RETURNS (SentenceFormat | DocFormat): The format.
    RAISES (ValueError): If there is none of this name.
    """
    if name not in FORMATS:
        raise ValueError(f"unknown format {name!r}; use one of {', '.join(FORMATS)}")
    return FORMATS[name]


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
    labels: str | None = None,
    project: bool = False,
    n_sents: int = 1,
    on_error: str | None = None,
) -> Iterator[Doc]:
    """Read documents with frames in `doc.spans["srl"]`.

    path (str | Path): A file, or a folder with files of the format.
    name (str): The format, a key of `FORMATS`.
    vocab (Vocab): Vocabulary of the Docs.
    report (ConversionReport): Where to count what is read, and what can't be carried over. Its
        `on_error` and `keep_sentences` become what is said here.
    treebank (Treebank | None): Where to take the words from if the format leaves them out.
    columns (str | None): Names of the columns in front of those of the predicates, or of a layout:
        see `conll05.parse_layout` and `bio_columns.parse_columns`.
    arguments (str): "spans" or "heads": what to read where a file has both (up2).
    labels (str | None): How to spell roles: "propbank" (ARG0), "conll" (A0), or "keep" as they are;
        "propbank" if None.
    project (bool): Whether to widen arguments of one token to what depends on it.
    n_sents (int): Sentences in a Doc where the format has no documents, 0 for all of a file.
    on_error (str | None): What becomes of malformed parts of the input: "stop", "skip" or "repair",
        see `ConversionReport`. If None, what the format says: "stop" but for "allennlp", where
        frames with malformed tags are mended or dropped, and other faults are errors.
    YIELDS (Doc): The documents.
    RAISES (FormatError): With file and line, where a file does not follow its format.
    RAISES (ValueError): If an option does not suit.
    """
    form = find_format(name)
    report.on_error = on_error or ("stop" if report.strict else form.on_error)
    report.keep_sentences = on_error is None
    check_on_error(report.on_error, report.strict)
    own = _own_options(name, {"columns": columns, "arguments": arguments})
    files = find_files(path, form.pattern)
    try:
        if isinstance(form, SentenceFormat):
            batches: Iterable[Iterable[AnnotatedSentence]] = (
                form.read(file, report, **own) for file in files
            )
            if treebank is not None:
                sentences = list(chain.from_iterable(batches))
                batches = [attach_words(sentences, treebank, report)]
            for batch in batches:
                prepared = (_prepare(s, labels or "propbank", project, report) for s in batch)
                yield from build_docs(prepared, vocab, report, n_sents=n_sents)
        elif treebank is not None or project or labels is not None:
            raise ValueError(f"--words, --project and --labels are not for the format {name!r}")
        else:
            yield from form.read(files, vocab, report)
    except FormatError as error:
        if not error.recoverable:
            raise
        raise FormatError(error.path, error.line, error.message + _HINT) from None


def _own_options(name: str, given: dict[str, str | None]) -> dict[str, str]:
    """Check the options that only some formats have. RETURNS (dict[str, str]): Those it has."""
    if given.get("arguments", "spans") not in ("spans", "heads"):
        raise ValueError(f"--arguments is 'spans' or 'heads', not {given['arguments']!r}")
    own = {}
    for option, value in given.items():
        if value is None:
            continue
        if option in FORMATS[name].options:
            own[option] = value
        elif value != "spans":
            takers = [key for key, form in FORMATS.items() if option in form.options]
            raise ValueError(f"{option} can be given for {', '.join(takers)}, not for {name!r}")
    return own


def count_units(docs: Iterable[Doc]) -> dict[str, int]:
    """Count the units of a report in documents. The rest of a predicate of several tokens is an
    argument.

    docs (Iterable[Doc]): The documents.
    RETURNS (dict[str, int]): Sentences, frames and arguments.
    RAISES (ValueError): If the frames of a document are not as `write_frames` makes them.
    """
    units = {"sentences": 0, "frames": 0, "arguments": 0}
    for doc in docs:
        has_starts = doc.has_annotation("SENT_START")
        units["sentences"] += sum(1 for _ in doc.sents) if has_starts else int(len(doc) > 0)
        for predicate, arguments in group_spans(doc, SRL_GROUP):
            n_words = sum(not token.is_space for token in predicate)
            units["frames"] += 1
            units["arguments"] += len(arguments) + (n_words > 1)
    return units


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
    """Write documents with frames in `doc.spans["srl"]` as text.

    docs (Iterable[Doc]): The documents.
    name (str): The format, a key of `FORMATS` but "spacy".
    report (ConversionReport): Where to count what the format has no room for.
    columns (str | None): Names of the columns in front of those of the predicates, as in
        `read_docs`.
    labels (str | None): How to spell roles: "propbank" (ARG0), "conll" (A0), or "keep" as they are;
        as the format does if None.
    YIELDS (str): The file's text, piece by piece.
    RAISES (ValueError): If a document can't be written, or an option does not suit.
    """
    form = find_format(name)
    own = _own_options(name, {"columns": columns})
    if isinstance(form, DocFormat):
        yield form.write(list(docs)).decode("utf-8")
        return
    spelling = form.labels if labels is None else labels
    sentences = (
        replace(sentence, frames=_spelled(sentence, spelling))
        for sentence in doc_sentences(docs, form.carries, report)
    )
    yield from form.write(sentences, report, **own)


def write_file(
    docs: Iterable[Doc],
    path: str | Path,
    name: str,
    report: ConversionReport,
    *,
    columns: str | None = None,
    labels: str | None = None,
) -> None:
    """Write documents with frames in `doc.spans["srl"]` into a file, which appears when it is
    whole: an error leaves a file that is already there as it is.

    docs (Iterable[Doc]): The documents.
    path (str | Path): The file.
    name (str): The format, a key of `FORMATS`.
    report (ConversionReport): Where to count what the format has no room for.
    columns (str | None): As in `write_docs`.
    labels (str | None): As in `write_docs`.
    RAISES (ValueError): If a document can't be written, or an option does not suit.
    RAISES (OSError): If the file can't be written.
    """
    form = find_format(name)
    if isinstance(form, DocFormat):
        _own_options(name, {"columns": columns})
        data = form.write(list(docs))
    else:
        pieces = write_docs(docs, name, report, columns=columns, labels=labels)
        data = "".join(pieces).encode("utf-8")
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():  # such as /dev/stdout
        path.write_bytes(data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


__all__ = [
    "FORMATS",
    "DocFormat",
    "Format",
    "FormatError",
    "SentenceFormat",
    "count_units",
    "find_files",
    "find_format",
    "guess_format",
    "read_docs",
    "write_docs",
    "write_file",
]
