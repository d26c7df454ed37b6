"""The speed of two pipelines, measured side by side."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from spacy.language import Language
from spacy.tokens import Doc


def seconds_of(nlp: Language, docs: Sequence[Doc]) -> float:
    """Measure the processor time that a pipeline's components need.

    nlp (Language): The pipeline.
    docs (Sequence[Doc]): Tokenized documents, left as they are.
    RETURNS (float): Seconds.
    """
    copies = [Doc(nlp.vocab, words=[t.text for t in doc], spaces=_spaces(doc)) for doc in docs]
    start = time.process_time()
    for _ in nlp.pipe(copies):
        pass
    return time.process_time() - start


def compare_speed(
    before: Language, after: Language, docs: Sequence[Doc], rounds: Iterable[Any]
) -> tuple[float, float]:
    """Measure two pipelines in alternating rounds, with torch on one thread.

    before (Language): The first pipeline.
    after (Language): The second pipeline.
    docs (Sequence[Doc]): Tokenized documents.
    rounds (Iterable): One item for each round. The quickest counts.
    RETURNS (Tuple[float, float]): The words per second of the first and the second.
    """
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seconds = [(seconds_of(before, docs), seconds_of(after, docs)) for _ in rounds]
    finally:
        torch.set_num_threads(n_threads)
    words = sum(map(len, docs))
    first, second = (max(min(column), 1e-9) for column in zip(*seconds, strict=True))
    return words / first, words / second


def _spaces(doc: Doc) -> list[bool]:
    return [bool(token.whitespace_) for token in doc]
