"""Literal numbers are those that the original programs gave, run by benchmarks/compare_scorers.py
(srl-eval.pl, eval09.pl and PriMeSRL-Eval)."""

from typing import Any

import pytest
from hypothesis import given, settings
from spacy import registry
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from benchmarks.compare_scorers import (
    conll05_numbers,
    conll09_numbers,
    count,
    prime_numbers,
    random_examples,
    write_indexed,
)
from spacy_mtl.srl import IndexedFrame
from spacy_mtl.srl.scoring import (
    Conll09Counts,
    HeadFrame,
    PrimeArgument,
    PrimeCounts,
    PrimeFrame,
    conll09_counts,
    prime_counts,
    score_srl,
)
from spacy_mtl.srl.scoring.prime_frames import span_of_head
from spacy_mtl.srl.scoring.primesrl import Outcome, joined
from tests.srl.strategies import PlainFrame
from tests.srl.test_scoring import make_example, pairs_of_frames

OFFICIAL = ["conll05", "conll09", "primesrl", "primesrl_spans"]


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return random_examples(200, seed=7)


def test_conll05_numbers_are_those_of_srl_eval(examples: list[Example]) -> None:
    assert conll05_numbers(count(examples, "conll05")) == {
        "propositions": 200,
        "perfect": "37.50",
        "Overall": (213, 106, 259, "66.77", "45.13", "53.86"),
        "ARG0": (31, 14, 31, "68.89", "50.00", "57.94"),
        "ARG1": (53, 31, 69, "63.10", "43.44", "51.46"),
        "ARG2": (18, 3, 17, "85.71", "51.43", "64.29"),
        "ARGA": (14, 10, 22, "58.33", "38.89", "46.67"),
        "ARGM-LOC": (11, 7, 21, "61.11", "34.38", "44.00"),
        "ARGM-TMP": (25, 15, 34, "62.50", "42.37", "50.51"),
        "R-ARG0": (31, 14, 29, "68.89", "51.67", "59.05"),
        "R-ARG1": (13, 5, 17, "72.22", "43.33", "54.17"),
        "R-ARGM-LOC": (17, 7, 19, "70.83", "47.22", "56.67"),
    }


def test_conll09_numbers_are_those_of_eval09(examples: list[Example]) -> None:
    numbers = conll09_numbers(count(examples, "conll09"))
    assert numbers["Labeled precision"] == (258, 127, 405, 194, "64.27")
    assert numbers["Labeled recall"] == (258, 127, 520, 200, "53.47")
    assert numbers["Labeled F1"] == ("58.38",)
    assert numbers["Unlabeled precision"] == (327, 168, 405, 194, "82.64")
    assert numbers["Unlabeled recall"] == (327, 168, 520, 200, "68.75")
    assert numbers["Unlabeled F1"] == ("75.06",)
    assert numbers["Proposition precision"] == (50, 194, "25.77")
    assert numbers["Proposition recall"] == (50, 200, "25.00")
    assert numbers["Proposition F1"] == ("25.38",)
    assert numbers["Exact semantic match"] == (8, 70, "11.43")
    assert numbers["C-ARG1"] == (79, 41, 59)
    assert numbers["R-ARGM-LOC"] == (36, 17, 28)


def test_primesrl_numbers_are_those_of_primesrl_eval(examples: list[Example]) -> None:
    numbers = prime_numbers(count(examples, "primesrl"))
    assert numbers["PredicateId"] == (0.865979381443, 0.84, 0.852791878173)
    assert numbers["Predicate"] == (0.634020618557, 0.615, 0.624365482234)
    assert numbers["ArgumentHead"] == (0.455882352941, 0.366430260047, 0.40629095675)
    assert numbers["CoreArgHead"] == (0.427983539095, 0.348993288591, 0.384473197782)
    assert numbers["ContextArgHead"] == (0.525773195876, 0.408, 0.459459459459)
    assert numbers["CoreArgHead counts"] == {
        "Correct": 104,
        "SameSpanDiffValue": 7,
        "SameValueDiffSpan": 27,
        "Missing": 160,
        "Spurious": 105,
    }


def test_primesrl_numbers_of_spans_are_those_of_primesrl_eval(examples: list[Example]) -> None:
    numbers = prime_numbers(count(examples, "primesrl_spans"))
    assert numbers["ArgumentHead"] == (0.435294117647, 0.34988179669, 0.387942332896)
    assert numbers["CoreArgHead"] == (0.407407407407, 0.332214765101, 0.365988909427)
    assert numbers["ContextArgHead"] == (0.505154639175, 0.392, 0.441441441441)


def head_frame(at: int, roleset: str, *arguments: tuple[str, int]) -> HeadFrame:
    return HeadFrame((at, at + 1), roleset, arguments)


def values(score: Any) -> tuple[int, int, int]:
    return score.tp, score.fp, score.fn


def test_conll09_compares_the_part_after_the_dot() -> None:
    def right(gold: str, predicted: str) -> int:
        return conll09_counts([head_frame(1, gold)], [head_frame(1, predicted)]).senses.tp

    assert right("give.01", "take.1") == 1
    assert right("give.01", "give.02") == 0
    assert right("give.XX", "give.01") == 0
    assert right("a.b.1", "c.b.1") == 0
    assert right("solo", "solo") == 1
    assert right(".01", "x.01") == 0


def test_conll09_credits_arguments_without_the_sense_and_counts_spurious_predicates() -> None:
    gold = [head_frame(1, "give.01", ("A0", 0), ("A1", 3)), head_frame(5, "go.01", ("A0", 0))]
    predicted = [head_frame(1, "give.02", ("A0", 0), ("A2", 3)), head_frame(7, "be.01", ("A1", 0))]
    result = conll09_counts(gold, predicted)
    assert values(result.predicates) == (1, 1, 1)
    assert values(result.senses) == (0, 2, 2)
    assert values(result.arguments) == (1, 2, 2)
    assert values(result.unlabelled) == (2, 1, 1)
    assert values(result.propositions) == (0, 2, 2)
    assert values(result.labelled_dependencies) == (1, 4, 4)
    assert values(result.unlabelled_dependencies) == (3, 2, 2)


def test_conll09_splits_labels_and_counts_a_head_once_for_each() -> None:
    result = conll09_counts(
        [head_frame(1, "a.01", ("A0|A1", 0))], [head_frame(1, "a.01", ("A1", 0))]
    )
    assert values(result.arguments) == (1, 0, 1)
    assert values(result.unlabelled) == (1, 0, 1)


def test_conll09_exact_sentences() -> None:
    gold = [head_frame(1, "a.01"), head_frame(6, "b.01", ("A0", 5))]
    result = conll09_counts(gold, gold[:1], lambda predicate: predicate[0] // 5, 3)
    assert (result.exact, result.sentences) == (2, 3)
    total = Conll09Counts()
    total += result
    total += result
    assert total.to_scores("x")["x_exact"] == pytest.approx(4 / 6)


def prime_frame(
    at: int, roleset: str, *arguments: tuple[str, int, int], heads: tuple[int, ...] = ()
) -> PrimeFrame:
    return PrimeFrame(
        (at, at + 1),
        roleset,
        tuple(
            PrimeArgument(
                label,
                ((heads[i], heads[i] + 1),) if heads else ((start, end),),
                ((start, end),),
            )
            for i, (label, start, end) in enumerate(arguments)
        ),
    )


def core(gold: PrimeFrame, predicted: PrimeFrame) -> dict[str, int]:
    return {o.value: n for o, n in prime_counts([gold], [predicted]).core.items() if n}


def test_primesrl_core_arguments_need_the_right_roleset_and_modifiers_do_not() -> None:
    gold = prime_frame(3, "go.01", ("ARG0", 0, 2), ("ARGM-TMP", 5, 7))
    wrong = prime_frame(3, "go.02", ("ARG0", 0, 2), ("ARGM-TMP", 5, 7))
    result = prime_counts([gold], [wrong])
    assert result.core == {Outcome.MISSING: 1, Outcome.SPURIOUS: 1}
    assert result.context[Outcome.CORRECT] == 1
    scores = result.to_scores("x")
    assert scores["x_predicates_f"] == pytest.approx(1.0)
    assert scores["x_senses_f"] == 0.0
    assert scores["x_f"] == pytest.approx(1 / 2)


def test_primesrl_joins_continuations_to_the_first_of_their_role() -> None:
    gold = prime_frame(3, "go.01", ("A1", 0, 2), ("C-A1", 5, 7))
    assert core(gold, gold) == {"Correct": 1}
    assert core(gold, prime_frame(3, "go.01", ("A1", 0, 2))) == {"SameValueDiffSpan": 1}
    before = prime_frame(3, "go.01", ("C-A1", 0, 2), ("A1", 5, 7))
    assert core(gold, before) == {"Correct": 1}
    orphan = prime_frame(3, "go.01", ("C-A1", 0, 2))
    assert core(prime_frame(3, "go.01", ("A1", 0, 2)), orphan) == {"Correct": 1}


def test_primesrl_continuations_of_continuations() -> None:
    main, second, third = (
        PrimeArgument(label, ((start, start + 1),), ((start, start + 1),))
        for label, start in (("A1", 0), ("C-A1", 2), ("C-C-A1", 4))
    )
    assert joined([third]) == [PrimeArgument("C-A1", third.head, third.span)]
    assert joined([second, third]) == [
        PrimeArgument("A1", second.head, second.span),
        PrimeArgument("C-A1", third.head, third.span),
    ]
    pieces = ((0, 1), (2, 3))
    assert joined([main, second, third]) == [PrimeArgument("A1", pieces, pieces)]
    all_pieces = (*pieces, (4, 5))
    assert joined([third, second, main]) == [PrimeArgument("A1", all_pieces, all_pieces)]


def test_primesrl_joins_pieces_by_their_start() -> None:
    # Spans derived from subtrees can overlap. Of two with the same start the main one is first.
    main = PrimeArgument("A1", ((3, 4),), ((0, 5),))
    piece = PrimeArgument("C-A1", ((1, 2),), ((0, 2),))
    assert joined([piece, main]) == [PrimeArgument("A1", ((1, 2), (3, 4)), ((0, 5), (0, 2)))]


def test_primesrl_reference_is_right_only_with_what_it_refers_to() -> None:
    gold = prime_frame(5, "go.01", ("A0", 0, 2), ("R-A0", 3, 4))
    assert core(gold, gold) == {"Correct": 2}
    other = prime_frame(5, "go.01", ("A0", 0, 1), ("R-A0", 3, 4))
    assert core(gold, other) == {"SameValueDiffSpan": 2}
    alone = prime_frame(5, "go.01", ("R-A0", 3, 4))
    assert core(gold, alone) == {"Missing": 2, "Spurious": 1}


def test_primesrl_same_head_is_right_with_another_span() -> None:
    gold = prime_frame(5, "go.01", ("A0", 0, 3), heads=(2,))
    assert core(gold, prime_frame(5, "go.01", ("A0", 1, 3), heads=(2,))) == {
        "SameHeadSameValueDiffSpan": 1
    }
    assert core(gold, prime_frame(5, "go.01", ("A0", 0, 3), heads=(1,))) == {
        "SameValueSameSpanDiffHead": 1
    }
    result = PrimeCounts()
    result += prime_counts([gold], [prime_frame(5, "go.01", ("A0", 1, 3), heads=(2,))])
    assert result.to_scores("x")["x_core_f"] == pytest.approx(1.0)


def test_primesrl_wrong_label_is_missing_and_spurious() -> None:
    gold = prime_frame(5, "go.01", ("A0", 0, 3))
    result = prime_counts([gold], [prime_frame(5, "go.01", ("A1", 0, 3))])
    assert result.core[Outcome.OTHER_LABEL] == 1
    scores = result.to_scores("x")
    assert (scores["x_p"], scores["x_r"]) == (0.0, 0.0)


def test_primesrl_counts_no_other_labels() -> None:
    frame = prime_frame(5, "go.01", ("ARGA", 0, 3), ("C-V", 6, 7))
    assert core(frame, frame) == {}


def parsed(words: str, heads: list[int], deps: list[str], lemmas: list[str] | None = None) -> Doc:
    split = words.split()
    return Doc(Vocab(), split, heads=heads, deps=deps, lemmas=lemmas or split)


def test_primesrl_derives_spans_from_subtrees() -> None:
    doc = parsed(
        "in old Rome , he died of thirst ,",
        [2, 2, 5, 5, 5, 5, 7, 5, 7],
        ["case", "amod", "obl", "punct", "nsubj", "ROOT", "case", "nmod", "punct"],
    )
    died = doc[5]
    assert span_of_head(doc[2], died) == (0, 2)  # the preposition of an oblique stays
    assert span_of_head(doc[7], died) == (7, 7)  # that of another word goes, as does the comma
    assert span_of_head(died, died) == (1, 7)
    assert span_of_head(doc[4], died) == (4, 4)


def test_primesrl_subtree_is_cut_at_gaps_and_at_the_predicate() -> None:
    doc = parsed("a b c d e", [2, 3, 3, 3, 2], ["dep", "dep", "dep", "ROOT", "dep"])
    assert span_of_head(doc[2], doc[3]) == (2, 2)
    relative = parsed("dogs that bark", [0, 2, 0], ["ROOT", "nsubj", "acl"])
    assert span_of_head(relative[0], relative[2]) == (0, 0)


def test_scores_by_head_words_say_what_they_need() -> None:
    gold: list[PlainFrame] = [(1, "give.01", [("ARG1", 3, 5)])]
    with pytest.raises(ValueError, match="dependency parse.*'a book'"):
        score_srl([make_example(gold, gold)], scores=["conll09"])
    with pytest.raises(ValueError, match="dependency parse.*'primesrl_spans'"):
        score_srl([make_example(gold, gold)], scores=["primesrl"])


def test_arguments_of_one_token_need_no_parse() -> None:
    gold: list[PlainFrame] = [(1, "give.01", [("ARG0", 0, 1)])]
    scores = score_srl([make_example(gold, gold)], scores=["conll09"])
    assert scores["srl_conll09_f"] == pytest.approx(1.0)
    assert scores["srl_conll09_exact"] == 1.0


def test_unknown_scores_are_refused() -> None:
    make = registry.scorers.get("spacy_mtl.srl_scorer.v1")
    for scores in (["conll12"], "conll05"):
        with pytest.raises(ValueError, match="'conll05', 'conll09', 'primesrl', 'primesrl_spans'"):
            make(scores=scores)


def test_registered_scorer_makes_the_chosen_scores() -> None:
    gold: list[PlainFrame] = [(1, "give.01", [("ARG0", 0, 1)])]
    example = make_example(gold, gold)
    scorer = registry.scorers.get("spacy_mtl.srl_scorer.v1")(scores=["primesrl_spans"])
    scores = scorer([example], spans_key="srl")
    assert scores == score_srl([example], scores=["primesrl_spans"])
    assert scores["srl_primesrl_spans_core_f"] == pytest.approx(1.0)
    assert not any("conll05" in name for name in scores)


def test_heads_do_not_depend_on_the_predicted_tokens() -> None:
    reference = parsed("She saw New York", [1, 1, 3, 1], ["nsubj", "ROOT", "compound", "obj"])
    write_indexed(reference, [IndexedFrame(1, "see.01", (("ARG1", 2, 4),))])
    predicted = Doc(
        reference.vocab, ["She", "saw", "New", "Yo", "rk"], [True, True, True] + [False] * 2
    )
    write_indexed(predicted, [IndexedFrame(1, "see.01", (("ARG1", 3, 5),))])
    scores = score_srl([Example(predicted, reference)], scores=OFFICIAL)
    assert scores["srl_conll09_f"] == pytest.approx(1.0)
    assert scores["srl_primesrl_f"] == pytest.approx(1.0)
    assert scores["srl_primesrl_spans_f"] == 0.0
    assert scores["srl_conll05_f"] == 0.0


@settings(max_examples=40)
@given(pairs_of_frames())
def test_official_scores_of_gold_against_itself_are_perfect(
    case: tuple[list[str], list[PlainFrame], list[PlainFrame]],
) -> None:
    words, gold, _ = case
    for name, value in score_srl(
        [make_example(gold, gold, words)], scores=["conll05", "primesrl_spans"]
    ).items():
        if name.endswith(("_p", "_r", "_f", "_perfect")):
            assert value is None or value == pytest.approx(1.0), name


@settings(max_examples=40)
@given(pairs_of_frames())
def test_primesrl_exchanges_precision_and_recall_with_gold_and_predicted(
    case: tuple[list[str], list[PlainFrame], list[PlainFrame]],
) -> None:
    words, gold, predicted = case
    scores = score_srl([make_example(gold, predicted, words)], scores=["conll05", "primesrl_spans"])
    swapped = score_srl([make_example(predicted, gold, words)], scores=["primesrl_spans"])
    for part in ("predicates", "senses", "core", "context"):
        forth = scores[f"srl_primesrl_spans_{part}_p"]
        back = swapped[f"srl_primesrl_spans_{part}_r"]
        assert forth == (None if back is None else pytest.approx(back))
