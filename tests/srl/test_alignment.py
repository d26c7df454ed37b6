from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_mtl.srl import IndexedFrame, aligned_frames, indexed_frames
from tests.srl.strategies import PlainFrame, make_doc, plain_frames


def make_example(
    predicted: list[str],
    predicted_spaces: list[bool] | None,
    gold: list[str],
    gold_spaces: list[bool] | None,
    frames: list[PlainFrame],
) -> Example:
    vocab = Vocab()
    return Example(
        Doc(vocab, words=predicted, spaces=predicted_spaces),
        make_doc(gold, frames, vocab=vocab, spaces=gold_spaces),
    )


def test_indexed_frames_are_plain_numbers() -> None:
    doc = make_doc(["She", "left", "town"], [(1, "leave.01", [("ARG0", 0, 1), ("ARG1", 2, 3)])])
    assert indexed_frames(doc) == [IndexedFrame(1, "leave.01", (("ARG0", 0, 1), ("ARG1", 2, 3)))]
    assert indexed_frames(doc, "other") == []


@given(st.integers(0, 10).flatmap(lambda n: st.tuples(st.just(n), plain_frames(n))))
def test_equal_tokens_align_fully(case: tuple[int, list[PlainFrame]]) -> None:
    n_tokens, plain = case
    words = [f"w{i}" for i in range(n_tokens)]
    example = make_example(words, [False] * n_tokens, words, None, plain)
    assert aligned_frames(example) == (indexed_frames(example.reference), 0, 0)


@given(st.integers(1, 10).flatmap(lambda n: st.tuples(st.just(n), plain_frames(n))))
def test_split_tokens_keep_arguments_and_lose_predicates(
    case: tuple[int, list[PlainFrame]],
) -> None:
    n_tokens, plain = case
    example = make_example(
        list("ab" * n_tokens), [False] * 2 * n_tokens, ["ab"] * n_tokens, None, plain
    )
    n_arguments = sum(len(arguments) for _, _, arguments in plain)
    assert aligned_frames(example) == ([], len(plain), n_arguments)


def test_tokens_split_and_merged_elsewhere() -> None:
    # gold:      I | do | n't | see | New | York | today
    # predicted: I | don't | see | New York | to | day
    example = make_example(
        ["I", "don't", "see", "New York", "to", "day"],
        [True, True, True, True, False, False],
        ["I", "do", "n't", "see", "New", "York", "today"],
        [True, False, True, True, True, True, False],
        [
            (
                3,
                "see.01",
                [
                    ("ARG0", 0, 1),
                    ("ARGM-NEG", 2, 3),
                    ("ARG1", 4, 6),
                    ("ARGM-TMP", 6, 7),
                ],
            ),
            (1, "do.01", [("ARG0", 0, 1)]),
            (0, "i.01", [("ARGM-NEG", 1, 3), ("ARG1", 4, 5), ("ARG2", 5, 7)]),
        ],
    )
    frames, n_unaligned_predicates, n_unaligned_arguments = aligned_frames(example)
    assert frames == [
        IndexedFrame(2, "see.01", (("ARG0", 0, 1), ("ARG1", 3, 4), ("ARGM-TMP", 4, 6))),
        IndexedFrame(0, "i.01", (("ARGM-NEG", 1, 2),)),
    ]
    assert n_unaligned_predicates == 1
    assert n_unaligned_arguments == 4


def test_whitespace_tokens_do_not_matter() -> None:
    example = make_example(
        ["\n", "She", "  ", "left", "New", " ", "York"],
        [False] * 4 + [True, False, False],
        ["She", "left", "New", "York", "\n"],
        None,
        [(1, "leave.01", [("ARG0", 0, 1), ("ARG1", 2, 5)])],
    )
    assert aligned_frames(example) == (
        [IndexedFrame(3, "leave.01", (("ARG0", 1, 2), ("ARG1", 4, 7)))],
        0,
        0,
    )


def test_argument_of_whitespace_only_does_not_align() -> None:
    example = make_example(
        ["She", "left"], None, ["She", "left", "\n"], None, [(1, "leave.01", [("ARG1", 2, 3)])]
    )
    assert aligned_frames(example) == ([IndexedFrame(1, "leave.01", ())], 0, 1)


def test_no_group_and_empty_documents() -> None:
    vocab = Vocab()
    assert aligned_frames(Example(Doc(vocab, ["a"]), Doc(vocab, ["a"]))) == ([], 0, 0)
    assert aligned_frames(make_example([], None, [], None, [])) == ([], 0, 0)
