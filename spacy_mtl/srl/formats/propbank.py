"""PropBank's `gold_skel` files and the same with words: semantic roles beside trees in columns.

Source: https://github.com/propbank/propbank-release.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from ..alignment import IndexedFrame
from .columns import encode, write_rows
from .gold_skel import SkelSentence, read_gold_skel, split_predicate
from .propositions import split_roleset, write_column
from .report import ConversionReport
from .sentence import NO_WORD, AnnotatedSentence, filled

_NOTHING = "-"
_TREE = "propbank:tree"
_LEMMA = "propbank:lemma"
COLUMNS = frozenset({_TREE, _LEMMA})


def read_propbank(path: str | Path, report: ConversionReport) -> Iterator[AnnotatedSentence]:
    """Read a `gold_skel` file, or one in which the words stand in the place of "[WORD]".

    path (str | Path): The file, UTF-8.
    report (ConversionReport): Where to count malformed parts.
    YIELDS (AnnotatedSentence): The sentences; trees and lemmas of predicates as columns.
    RAISES (FormatError): With file and line, where a line does not follow the format.
    """
    for sentence in read_gold_skel(path, report):
        yield _convert(path, sentence)


def _convert(path: str | Path, skel: SkelSentence) -> AnnotatedSentence:
    sentence = AnnotatedSentence(
        path=str(path),
        lines=skel.lines,
        document=skel.document,
        words=skel.words,
        tags=filled(skel.tags, _NOTHING),
        frames=[],
    )
    for frame in skel.frames:
        _, *spans = split_predicate(frame)
        arguments = tuple((span.label, span.start, span.end) for span in spans)
        sentence.frames = [
            *(sentence.frames or ()),
            IndexedFrame(frame.predicate, frame.roleset, arguments),
        ]
    if any(tree != "*" for tree in skel.trees):
        sentence.columns[_TREE] = skel.trees
    if skel.lemmas != _lemmas(sentence):
        sentence.columns[_LEMMA] = skel.lemmas
    return sentence


def _lemmas(sentence: AnnotatedSentence) -> list[str]:
    """The lemmas of the rolesets."""
    lemmas = [_NOTHING] * len(sentence.words)
    for frame in sentence.frames or ():
        lemmas[frame.predicate] = split_roleset(frame.roleset)[0] or _NOTHING
    return lemmas


def write_propbank(
    sentences: Iterable[AnnotatedSentence], report: ConversionReport
) -> Iterator[str]:
    """Write sentences as PropBank does, with their words.

    sentences (Iterable[AnnotatedSentence]): The sentences.
    report (ConversionReport): Where to count what the format has no room for.
    YIELDS (str): The lines of each sentence.
    RAISES (ValueError): If a label can't be written in brackets.
    """
    for document, group in groupby(sentences, key=lambda sentence: sentence.document):
        name = encode([document], 1, _NOTHING, report)[0]
        for number, sentence in enumerate(group):
            yield _write_sentence(sentence, name, number, report)


def write_gold_skel(
    sentences: Iterable[AnnotatedSentence], report: ConversionReport
) -> Iterator[str]:
    """Write sentences as PropBank publishes them, with "[WORD]" for each word.

    sentences (Iterable[AnnotatedSentence]): The sentences.
    report (ConversionReport): Where to count what the format has no room for.
    YIELDS (str): The lines of each sentence.
    RAISES (ValueError): If a label can't be written in brackets.
    """
    yield from write_propbank(map(_without_words, sentences), report)


def _without_words(sentence: AnnotatedSentence) -> AnnotatedSentence:
    sentence.words = [NO_WORD] * len(sentence.words)
    return sentence


def _write_sentence(
    sentence: AnnotatedSentence, name: str, number: int, report: ConversionReport
) -> str:
    length = len(sentence.words)
    frames = sorted(sentence.frames or (), key=lambda frame: frame.predicate)
    if any(not frame.roleset for frame in frames):
        kept = [frame for frame in frames if frame.roleset]
        report.add(
            "predicates without a roleset, with their arguments",
            " ".join(sentence.words[:5]),
            count=len(frames) - len(kept),
            frames=len(frames) - len(kept),
            arguments=sum(len(frame.arguments) for frame in frames if not frame.roleset),
        )
        frames = kept
    rolesets = [_NOTHING] * length
    for frame in frames:
        rolesets[frame.predicate] = "_".join(frame.roleset.split())
    return write_rows(
        [
            [name] * length,
            [str(number)] * length,
            list(map(str, range(length))),
            encode(sentence.words, length, "_", report),
            encode(sentence.tags, length, _NOTHING, report),
            encode(sentence.columns.get(_TREE), length, "*", None),
            encode(sentence.columns.get(_LEMMA, _lemmas(sentence)), length, _NOTHING, None),
            rolesets,
            *(write_column(frame, length) for frame in frames),
        ]
    )
