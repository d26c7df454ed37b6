"""Hypothesis strategies for frames."""

from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_mtl.srl import Argument, Frame, write_frames

ROLES = ["ARG0", "ARG1", "ARG2", "ARGM-TMP", "R-ARG0", "C-ARG1"]
ROLESETS = ["give.01", "give.02", "say.01"]

# Predicate, roleset, arguments.
PlainFrame = tuple[int, str, list[tuple[str, int, int]]]


@st.composite
def plain_frames(draw: st.DrawFn, n_tokens: int) -> list[PlainFrame]:
    """Frames as `make_doc` takes them, at most one a token, over a document of `n_tokens`."""
    predicates = draw(st.lists(st.integers(0, n_tokens - 1), unique=True)) if n_tokens else []
    return [
        (predicate, draw(st.sampled_from(ROLESETS)), draw(_arguments(n_tokens, predicate)))
        for predicate in predicates
    ]


@st.composite
def _arguments(draw: st.DrawFn, n_tokens: int, predicate: int) -> list[tuple[str, int, int]]:
    borders = sorted(draw(st.sets(st.integers(0, n_tokens))) | {predicate, predicate + 1})
    return [
        (draw(st.sampled_from(ROLES)), start, end)
        for start, end in zip(borders, borders[1:], strict=False)
        if start != predicate and draw(st.booleans())
    ]


def make_doc(
    words: list[str],
    frames: list[PlainFrame] | None,
    *,
    vocab: Vocab | None = None,
    spaces: list[bool] | None = None,
) -> Doc:
    """A document of these words with these frames; without the span group if `frames` is None."""
    doc = Doc(Vocab() if vocab is None else vocab, words=words, spaces=spaces)
    if frames is not None:
        write_frames(
            doc,
            [
                Frame(
                    doc[predicate : predicate + 1],
                    roleset,
                    tuple(Argument(label, doc[start:end]) for label, start, end in arguments),
                )
                for predicate, roleset, arguments in frames
            ],
        )
    return doc
