"""Damaged files of every format: an error with file and line, or a count of all that was there."""

import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.vocab import Vocab

from spacy_mtl.srl.formats.errors import FormatError
from spacy_mtl.srl.formats.registry import count_units, read_docs
from spacy_mtl.srl.formats.report import ON_ERROR, UNITS, ConversionReport
from tests.srl.formats.mutations import mutate, samples

SAMPLES = samples()
VOCAB = Vocab()


def read_damaged(
    path: Path, name: str, on_error: str, options: dict[str, Any]
) -> ConversionReport | None:
    """Read a file and check that nothing is lost without being counted; None if it is an error."""
    report = ConversionReport()
    try:
        docs = list(read_docs(path, name, VOCAB, report, on_error=on_error, **options))
    except FormatError as error:
        assert str(error).startswith(f"{path}:{error.line}: ")
        assert error.line >= 1
        return None
    kept = count_units(docs)
    for unit in UNITS:
        assert report.read[unit] == kept[unit] + report.dropped[unit], unit
    assert on_error != "stop" or not report.repairs
    return report


def text_lines(text: str) -> list[str]:
    return [line for line in re.split("\r\n|\r|\n", text) if line.strip()]


def tab_rows(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text_lines(text)]


def space_rows(text: str) -> list[list[str]]:
    return [re.split("[ \t]+", line.strip(" \t")) for line in text_lines(text)]


# How many frames a file has at least, by the cells that mark them.
COUNTERS: dict[str, Callable[[str], int]] = {
    "conll08": lambda text: sum(len(r) > 10 and r[10] not in ("", "_") for r in tab_rows(text)),
    "conll09": lambda text: sum(
        len(r) > 13 and (r[12] == "Y" or r[13] not in ("", "_")) for r in tab_rows(text)
    ),
    "conll12": lambda text: sum(
        len(r) > 11 and r[7] != "-" and not r[0].startswith(("#begin", "#end"))
        for r in space_rows(text)
    ),
    "propbank": lambda text: sum(len(r) > 7 and r[7] != "-" for r in space_rows(text)),
    "deep_srl": lambda text: len(text_lines(text)),
    "allennlp": lambda text: text.count('"tags"'),
    "inline": lambda text: sum(line.strip().startswith(">") for line in text_lines(text)),
}


@pytest.fixture(autouse=True, scope="module")
def one_tokenizer() -> Iterator[None]:
    """Make the tokenizer of the inline format once, not for each file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spacy, "blank", cache(spacy.blank))
        yield


def check_sample(folder: Path, sample: str, on_error: str, n_files: int) -> None:
    name, text, options = SAMPLES[sample]
    rng = random.Random(f"{sample} {on_error}")
    path = folder / "file"
    n_read = 0
    for number in range(n_files):
        data = mutate(text, rng)
        path.write_bytes(data)
        try:
            report = read_damaged(path, name, on_error, options)
        except Exception as error:
            raise AssertionError(f"damaged file {number}: {data!r}") from error
        n_read += report is not None
        if report is None or sample not in COUNTERS:
            continue
        n_frames = COUNTERS[sample](data.decode("utf-8-sig", errors="surrogateescape"))
        assert report.read["frames"] >= n_frames, f"damaged file {number}: {data!r}"
    assert n_read > n_files / (20 if on_error == "stop" else 4)


@pytest.mark.parametrize("on_error", ON_ERROR)
@pytest.mark.parametrize("sample", SAMPLES)
def test_undamaged_files_are_read_whole(tmp_path: Path, sample: str, on_error: str) -> None:
    name, text, options = SAMPLES[sample]
    path = tmp_path / "file"
    path.write_text(text, encoding="utf-8")
    report = read_damaged(path, name, on_error, options)
    assert report is not None and not report.repairs
    assert report.read["frames"] >= 2
    assert not report.dropped


@pytest.mark.parametrize("on_error", ON_ERROR)
@pytest.mark.parametrize("sample", SAMPLES)
def test_nothing_is_lost_in_silence(tmp_path: Path, sample: str, on_error: str) -> None:
    check_sample(tmp_path, sample, on_error, 50)


@pytest.mark.slow
@pytest.mark.parametrize("on_error", ON_ERROR)
@pytest.mark.parametrize("sample", SAMPLES)
def test_nothing_is_lost_in_silence_in_many_files(
    tmp_path: Path, sample: str, on_error: str
) -> None:
    check_sample(tmp_path, sample, on_error, 2000)
