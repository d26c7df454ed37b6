import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy import registry
from spacy.scorer import PRFScore
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_mtl.srl.alignment import IndexedFrame
from spacy_mtl.srl.scoring import Conll05Counts, conll05_counts, make_srl_scorer, score_srl
from tests.srl.strategies import PlainFrame, make_doc, plain_frames

SCORES = [
    *(f"srl_predicates_{part}" for part in "prf"),
    "srl_rolesets_f",
    "srl_rolesets_acc",
    *(f"srl_arguments_{part}" for part in "prf"),
    "srl_arguments_per_role",
    "srl_arguments_unlabelled_f",
    *(f"srl_conll05_{part}" for part in ("p", "r", "f", "per_role", "perfect")),
]
WORDS = ["She", "gave", "him", "a", "book", "and", "left", "."]
GAVE: PlainFrame = (1, "give.01", [("ARG0", 0, 1), ("ARG2", 2, 3), ("ARG1", 3, 5)])
LEFT: PlainFrame = (6, "leave.01", [("ARG0", 0, 1)])


def make_example(
    gold: list[PlainFrame] | None, predicted: list[PlainFrame] | None, words: list[str] = WORDS
) -> Example:
    return Example(make_doc(words, predicted), make_doc(words, gold))


@st.composite
def pairs_of_frames(
    draw: st.DrawFn,
) -> tuple[list[str], list[PlainFrame], list[PlainFrame]]:
    n_tokens = draw(st.integers(0, 8))
    words = [f"w{i}" for i in range(n_tokens)]
    return words, draw(plain_frames(n_tokens)), draw(plain_frames(n_tokens))


def test_scorer_is_registered() -> None:
    scorer = registry.scorers.get("spacy_mtl.srl_scorer.v1")()
    example = make_example([GAVE], [GAVE])
    assert scorer([example], labels=["ARG0"]) == score_srl([example])


def test_scorer_reads_its_key() -> None:
    example = make_example([GAVE], None)
    example.reference.spans["nominal"] = example.reference.spans.pop("srl")
    scorer = registry.scorers.get("spacy_mtl.srl_scorer.v1")(key="nominal")
    assert scorer([example])["nominal_predicates_r"] == 0.0
    assert set(score_srl([example], key="nominal", prefix="noun")) == {
        name.replace("srl_", "noun_", 1) for name in SCORES
    }


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), plain_frames(n))))
def test_gold_against_itself_is_perfect(case: tuple[int, list[PlainFrame]]) -> None:
    n_tokens, plain = case
    words = [f"w{i}" for i in range(n_tokens)]
    scores = score_srl([make_example(plain, plain, words)])
    has_arguments = any(arguments for _, _, arguments in plain)
    for name in SCORES:
        expected = 1.0
        counts_arguments = ("arguments" in name or "conll05" in name) and "perfect" not in name
        if not plain or (counts_arguments and not has_arguments):
            assert scores[name] is None
        elif name.endswith("_per_role"):
            assert all(score == {"p": 1, "r": 1, "f": 1} for score in scores[name].values())
        else:
            assert scores[name] == pytest.approx(expected), name


@given(pairs_of_frames())
def test_exchanging_gold_and_predicted_exchanges_precision_and_recall(
    case: tuple[list[str], list[PlainFrame], list[PlainFrame]],
) -> None:
    words, left, right = case
    forth = score_srl([make_example(left, right, words)])
    back = score_srl([make_example(right, left, words)])
    for name in SCORES[:-5]:
        other = {"_p": name[:-2] + "_r", "_r": name[:-2] + "_p"}.get(name[-2:], name)
        if name == "srl_arguments_per_role":
            roles = {
                role: {"p": score["r"], "r": score["p"], "f": pytest.approx(score["f"])}
                for role, score in (back[name] or {}).items()
            }
            assert (forth[name] or {}) == roles
        else:
            assert forth[name] == (None if back[other] is None else pytest.approx(back[other]))


@given(pairs_of_frames())
def test_official_precision_ignores_frames_that_are_only_predicted(
    case: tuple[list[str], list[PlainFrame], list[PlainFrame]],
) -> None:
    words, gold, predicted = case
    in_gold = {predicate for predicate, _, _ in gold}
    kept = [frame for frame in predicted if frame[0] in in_gold]
    everything = score_srl([make_example(gold, predicted, words)])
    only_matching = score_srl([make_example(gold, kept, words)])
    for part in "prf":
        assert everything[f"srl_conll05_{part}"] == only_matching[f"srl_conll05_{part}"]


def test_hand_counted_scores() -> None:
    predicted: list[PlainFrame] = [
        (1, "give.02", [("ARG0", 0, 1), ("ARG1", 2, 3), ("ARG1", 3, 4)]),
        (4, "book.01", [("ARG0", 0, 1)]),
    ]
    scores = score_srl([make_example([GAVE, LEFT], predicted)])
    assert scores["srl_predicates_p"] == pytest.approx(1 / 2)
    assert scores["srl_predicates_r"] == pytest.approx(1 / 2)
    assert scores["srl_predicates_f"] == pytest.approx(1 / 2)
    assert scores["srl_rolesets_f"] == 0.0
    assert scores["srl_rolesets_acc"] == 0.0
    # Right: ARG0 of gave. Predicted 4, gold 4.
    assert scores["srl_arguments_p"] == pytest.approx(1 / 4)
    assert scores["srl_arguments_r"] == pytest.approx(1 / 4)
    # Also right without label: "him".
    assert scores["srl_arguments_unlabelled_f"] == pytest.approx(2 / 4)
    per_role = scores["srl_arguments_per_role"]
    assert set(per_role) == {"ARG0", "ARG1", "ARG2"}
    assert per_role["ARG0"] == {"p": 1 / 2, "r": 1 / 2, "f": pytest.approx(1 / 2)}
    assert per_role["ARG2"] == {"p": 0, "r": 0, "f": 0}
    # The frame of "book" does not count.
    assert scores["srl_conll05_p"] == pytest.approx(1 / 3)
    assert scores["srl_conll05_r"] == pytest.approx(1 / 4)


def test_roleset_accuracy_is_among_the_predicates_found() -> None:
    predicted: list[PlainFrame] = [GAVE, (5, "and.01", [])]
    scores = score_srl([make_example([GAVE, LEFT], predicted)])
    assert scores["srl_rolesets_acc"] == 1.0
    assert scores["srl_rolesets_f"] == pytest.approx(1 / 2)


def test_gold_predicates_without_roleset_do_not_count_for_rolesets() -> None:
    gold: list[PlainFrame] = [GAVE, (6, "", [])]
    scores = score_srl([make_example(gold, [GAVE, LEFT])])
    assert scores["srl_predicates_f"] == pytest.approx(1.0)
    assert scores["srl_rolesets_acc"] == 1.0
    assert scores["srl_rolesets_f"] == pytest.approx(1.0)
    without = score_srl([make_example([(6, "", [])], [LEFT])])
    assert without["srl_rolesets_f"] is None
    assert without["srl_rolesets_acc"] is None


def test_pieces_of_the_predicate_are_no_arguments() -> None:
    gold: list[PlainFrame] = [(1, "give.01", [("C-V", 5, 6), ("ARG0", 0, 1)])]
    predicted: list[PlainFrame] = [(1, "give.01", [("C-V", 4, 5), ("ARG0", 0, 1)])]
    scores = score_srl([make_example(gold, predicted)])
    assert scores["srl_arguments_f"] == pytest.approx(1.0)
    assert scores["srl_conll05_f"] == pytest.approx(1.0)
    assert set(scores["srl_arguments_per_role"]) == {"ARG0"}


def test_references_without_annotation_are_not_scored() -> None:
    examples = [make_example(None, [GAVE]), make_example([LEFT], [LEFT])]
    assert score_srl(examples)["srl_predicates_p"] == pytest.approx(1.0)
    scores = score_srl(examples[:1])
    assert set(scores) == set(SCORES)
    assert all(value is None for value in scores.values())
    assert score_srl([]) == scores


def test_annotated_reference_without_frames_counts_spurious_predictions() -> None:
    scores = score_srl([make_example([], [GAVE]), make_example([GAVE], [GAVE])])
    assert scores["srl_predicates_p"] == pytest.approx(1 / 2)
    assert scores["srl_arguments_p"] == pytest.approx(1 / 2)
    assert scores["srl_conll05_p"] == pytest.approx(1.0)


def test_predicted_document_without_group_has_no_frames() -> None:
    scores = score_srl([make_example([GAVE], None)])
    assert scores["srl_predicates_f"] == 0.0
    assert scores["srl_arguments_r"] == 0.0
    assert scores["srl_rolesets_acc"] == 0.0
    assert scores["srl_conll05_f"] == 0.0


def test_empty_documents_have_no_scores() -> None:
    scores = score_srl([make_example([], [], words=[])])
    assert all(value is None for value in scores.values())


def test_scores_do_not_depend_on_tokenization() -> None:
    vocab = Vocab()
    gold = make_doc(
        ["She", "saw", "New", "York", "\n"],
        [(1, "see.01", [("ARG0", 0, 1), ("ARG1", 2, 5)])],
        vocab=vocab,
    )
    predicted = make_doc(
        ["S", "he", "saw", "New York"],
        [(2, "see.01", [("ARG0", 0, 2), ("ARG1", 3, 4)])],
        vocab=vocab,
        spaces=[False, True, True, False],
    )
    for example in (Example(predicted, gold), Example(gold, predicted)):
        scores = score_srl([example])
        for name in SCORES:
            if not name.endswith("_per_role"):
                assert scores[name] == pytest.approx(1.0), name


def test_gold_that_no_predicted_token_can_express_is_missed() -> None:
    vocab = Vocab()
    gold = make_doc(
        ["I", "do", "n't", "see"],
        [(3, "see.01", [("ARG0", 0, 1), ("ARGM-NEG", 2, 3)]), (1, "do.01", [("ARG0", 0, 1)])],
        vocab=vocab,
        spaces=[True, False, True, False],
    )
    predicted = make_doc(
        ["I", "don't", "see"],
        [(2, "see.01", [("ARG0", 0, 1), ("ARGM-NEG", 1, 2)]), (1, "do.01", [("ARG0", 0, 1)])],
        vocab=vocab,
    )
    scores = score_srl([Example(predicted, gold)])
    assert scores["srl_predicates_p"] == pytest.approx(1 / 2)
    assert scores["srl_predicates_r"] == pytest.approx(1 / 2)
    assert scores["srl_arguments_p"] == pytest.approx(1 / 3)
    assert scores["srl_arguments_r"] == pytest.approx(1 / 3)
    assert scores["srl_conll05_p"] == pytest.approx(1 / 2)
    assert scores["srl_conll05_r"] == pytest.approx(1 / 3)


def test_different_texts_are_refused() -> None:
    vocab = Vocab()
    gold = make_doc(["She", "left"], [(1, "leave.01", [])], vocab=vocab)
    with pytest.raises(ValueError, match="E949"):
        score_srl([Example(Doc(vocab, ["He", "left"]), gold)])


def frame(predicate: int, *arguments: tuple[str, int, int]) -> IndexedFrame:
    return IndexedFrame(predicate, "", arguments)


def counts(
    gold: list[IndexedFrame], predicted: list[IndexedFrame]
) -> dict[str, tuple[int, int, int]]:
    result = conll05_counts(gold, predicted)
    return {role: (score.tp, score.fp, score.fn) for role, score in result.per_role.items()}


def test_conll05_discontinuous_argument_counts_once() -> None:
    gold = [frame(3, ("A1", 0, 2), ("C-A1", 4, 6))]
    assert counts(gold, gold) == {"A1": (1, 0, 0)}
    assert counts(gold, [frame(3, ("A1", 0, 2))]) == {"A1": (0, 1, 1)}
    assert counts(gold, [frame(3, ("A1", 0, 2), ("C-A1", 4, 7))]) == {"A1": (0, 1, 1)}
    assert counts(gold, [frame(3, ("A1", 0, 2), ("A1", 4, 6))]) == {"A1": (0, 2, 1)}


def test_conll05_continuation_joins_the_nearest_before_it() -> None:
    gold = [frame(9, ("A1", 0, 1), ("A1", 2, 3), ("C-A1", 4, 5))]
    assert counts(gold, gold) == {"A1": (2, 0, 0)}
    assert counts(gold, [frame(9, ("A1", 0, 1), ("A1", 2, 3))]) == {"A1": (1, 1, 1)}
    shuffled = [frame(9, ("C-A1", 4, 5), ("A1", 2, 3), ("A1", 0, 1))]
    assert counts(gold, shuffled) == {"A1": (2, 0, 0)}


def test_conll05_orphan_continuation_is_an_ordinary_argument() -> None:
    gold = [frame(3, ("C-A1", 0, 2))]
    assert counts(gold, [frame(3, ("A1", 0, 2))]) == {"A1": (1, 0, 0)}
    after = [frame(3, ("C-A1", 0, 2), ("A1", 4, 6))]
    assert counts(after, [frame(3, ("A1", 0, 2), ("A1", 4, 6))]) == {"A1": (2, 0, 0)}


def test_conll05_references_are_roles_of_their_own() -> None:
    gold = [frame(3, ("A0", 0, 1), ("R-A0", 1, 2), ("C-R-A0", 4, 5))]
    assert counts(gold, gold) == {"A0": (1, 0, 0), "R-A0": (1, 0, 0)}


def test_conll05_missed_and_spurious_propositions() -> None:
    gold, spurious = frame(1, ("A0", 0, 1), ("A1", 2, 3)), frame(4, ("A0", 0, 1))
    assert counts([gold], [spurious]) == {"A0": (0, 0, 1), "A1": (0, 0, 1)}
    assert counts([], [spurious]) == {}


def test_conll05_propositions_and_totals() -> None:
    gold = [frame(1, ("A0", 0, 1)), frame(5, ("V", 5, 6), ("C-V", 6, 7)), frame(8, ("A0", 0, 1))]
    total = Conll05Counts()
    total += conll05_counts(gold, [gold[0], frame(8, ("A1", 0, 1))])
    total += conll05_counts(gold[:1], gold[:1])
    assert (total.propositions, total.perfect) == (4, 3)
    overall = total.overall
    assert isinstance(overall, PRFScore)
    assert (overall.tp, overall.fp, overall.fn) == (2, 1, 1)


def test_component_scorer_uses_the_span_group_of_the_component() -> None:
    doc = Doc(Vocab(), words=["Ann", "reads"])
    doc.spans["roles"] = [Span(doc, 1, 2, "V", kb_id="read.01")]
    scores = make_srl_scorer()([Example(doc, doc)], spans_key="roles", threshold=0.5)
    assert scores["roles_predicates_f"] == 1.0
    assert not [name for name in scores if name.startswith("srl_")]
