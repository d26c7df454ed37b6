"""The scorer of the semantic role component, which makes any of the known counts."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Literal, get_args

from spacy import registry
from spacy.tokens import Doc
from spacy.training import Example

from .conll05 import Conll05Counts, conll05_counts
from .conll09 import Conll09Counts, conll09_counts
from .frames import (
    PREDICATE_LABELS,
    CharacterFrame,
    character_frames,
    character_offsets,
    check_same_text,
    without_unknown,
)
from .heads import head_frames
from .prime_frames import prime_frames_of_heads, prime_frames_of_spans
from .primesrl import PrimeCounts, prime_counts
from .symmetric import SymmetricCounts

OfficialScore = Literal["conll05", "conll09", "primesrl", "primesrl_spans"]
OFFICIAL_SCORES: tuple[OfficialScore, ...] = get_args(OfficialScore)
DEFAULT_SCORES: tuple[OfficialScore, ...] = ("conll05",)
HEAD_SCORES: tuple[OfficialScore, ...] = ("conll09", "primesrl")

OfficialCounts = Conll05Counts | Conll09Counts | PrimeCounts


@registry.scorers("spacy_mtl.srl_scorer.v1")
def make_srl_scorer(
    key: str | None = None, scores: Sequence[str] = DEFAULT_SCORES
) -> Callable[..., dict[str, Any]]:
    """Build the scorer of the semantic role component.

    The names of the scores begin with the span group, so that two components with different groups
    are scored apart.

    key (Optional[str]): The span group that holds the frames; where None, the component's own,
        `spans_key`.
    scores (Sequence[str]): The official counts to make beside this package's own: "conll05",
        "conll09", "primesrl" and "primesrl_spans"; see `score_srl`.
    RETURNS (Callable[[Iterable[Example]], Dict[str, Any]]): See `score_srl`.
    RAISES (ValueError): If a score is unknown.
    """
    check_scores(scores)
    return partial(_score_component, key=key, scores=tuple(scores))


def check_scores(scores: Sequence[str]) -> None:
    """Make sure that scores are known.

    scores (Sequence[str]): Their names.
    RAISES (ValueError): If one is not.
    """
    for name in [scores] if isinstance(scores, str) else scores:
        if name not in OFFICIAL_SCORES or name is scores:
            raise ValueError(
                f"Unknown scores of semantic roles {name!r}: expected a list of "
                f"{', '.join(map(repr, OFFICIAL_SCORES))}."
            )


def _score_component(
    examples: Iterable[Example], *, key: str | None, scores: Sequence[str], **cfg: Any
) -> dict[str, Any]:
    """Score as a component's scorer, which spaCy also gives all settings of the component. A
    function of the module, so that pipelines can be pickled."""
    key = key or cfg.get("spans_key", "srl")
    return score_srl(examples, key=key, prefix=key, scores=scores)


def scores_of(scorer: Callable[..., dict[str, Any]] | None) -> tuple[str, ...]:
    """Tell which official counts a scorer makes.

    scorer (Optional[Callable]): A component's scorer.
    RETURNS (Tuple[str, ...]): The scores; none for a scorer that `make_srl_scorer` did not make.
    """
    if isinstance(scorer, partial) and scorer.func is _score_component:
        return tuple(scorer.keywords["scores"])
    return ()


def count_without_parse(references: Iterable[Doc], key: str, score: str) -> int:
    """Count the references that lack a dependency parse which a score by head words needs.

    references (Iterable[Doc]): The references.
    key (str): The span group that holds the frames.
    score (str): The name of the score.
    RETURNS (int): How many lack it.
    """
    if score not in HEAD_SCORES:
        return 0
    unparsed = [doc for doc in references if key in doc.spans and not doc.has_annotation("DEP")]
    if score == "primesrl":
        return len(unparsed)
    return sum(
        any(len(span) > 1 for span in doc.spans[key] if span.label_ not in PREDICATE_LABELS)
        for doc in unparsed
    )


def score_srl(
    examples: Iterable[Example],
    *,
    key: str = "srl",
    prefix: str = "srl",
    scores: Sequence[str] = DEFAULT_SCORES,
) -> dict[str, Any]:
    """Score predicted frames against gold frames.

    Only examples whose reference has the span group are scored; a predicted document without it has
    no frames. Where a faulty frame was left out of the reference (see `drop_faulty_frames`),
    predictions count neither way. A score is None where there is nothing, gold or predicted, to
    score. `V` and its continuation `C-V` are parts of the predicate, not arguments.

    examples (Iterable[Example]): The examples.
    key (str): The span group that holds the frames.
    prefix (str): First part of the names of the scores.
    scores (Sequence[str]): The official counts to make: "conll05" (see `conll05_counts`), "conll09"
        (`conll09_counts`), "primesrl" (`prime_counts` of head words, as its authors' program
        counts) and "primesrl_spans" (`prime_counts` of the spans as annotated).
    RETURNS (Dict[str, Any]): With the prefix "srl":
        srl_predicates_p/r/f: predicates found.
        srl_rolesets_f: predicates found with the right roleset.
        srl_rolesets_acc: share of right rolesets among the predicates found. Both leave out gold
            predicates without a roleset.
        srl_arguments_p/r/f: arguments with the right predicate, span and label; all arguments of
            missed predicates are missed, all of spurious predicates are excess.
        srl_arguments_per_role: dict of role to p, r and f.
        srl_arguments_unlabelled_f: the same without regard to the label.
        srl_conll05_..., srl_conll09_..., srl_primesrl_..., srl_primesrl_spans_...: the scores that
            `to_scores` of the counts gives.
    RAISES (ValueError): If the texts of the two documents differ in more than whitespace and case,
        if a group does not have the layout of `write_frames`, if a score is unknown, or if scores
        by head words ("conll09", "primesrl") find no dependency parse in a reference.
    """
    check_scores(scores)
    symmetric = SymmetricCounts()
    totals: dict[str, Any] = {name: new_counts(name) for name in OFFICIAL_SCORES if name in scores}
    for example in examples:
        if key not in example.reference.spans:
            continue
        check_same_text(example)
        gold = character_frames(example.reference, key)
        predicted = without_unknown(character_frames(example.predicted, key), example, key)
        symmetric.add(gold, predicted)
        for name in totals:
            totals[name] += official_counts(name, gold, predicted, example.reference)
    result = symmetric.to_scores(prefix)
    for name, total in totals.items():
        result.update(total.to_scores(f"{prefix}_{name}"))
    return result


def new_counts(name: str) -> OfficialCounts:
    """Make counts of nothing.

    name (str): The name of the score.
    RETURNS (Union[Conll05Counts, Conll09Counts, PrimeCounts]): The counts.
    """
    if name == "conll05":
        return Conll05Counts()
    return Conll09Counts() if name == "conll09" else PrimeCounts()


def official_counts(
    name: str,
    gold: Sequence[CharacterFrame],
    predicted: Sequence[CharacterFrame],
    reference: Doc,
) -> OfficialCounts:
    """Count the frames of a document by the rules of an official scorer.

    name (str): The name of the score.
    gold (Sequence[CharacterFrame]): The gold frames.
    predicted (Sequence[CharacterFrame]): The predicted frames.
    reference (Doc): The reference, whose parse gives the head words, and whose sentences count for
        "conll09".
    RETURNS (Union[Conll05Counts, Conll09Counts, PrimeCounts]): The counts.
    RAISES (ValueError): If the reference lacks the parse.
    """
    if name == "conll05":
        return conll05_counts(gold, predicted)
    if name == "conll09":
        sentence_of, n_sentences = _sentences(reference)
        return conll09_counts(
            head_frames(gold, reference),
            head_frames(predicted, reference),
            sentence_of,
            n_sentences,
        )
    if name == "primesrl":
        return prime_counts(
            prime_frames_of_heads(gold, reference), prime_frames_of_heads(predicted, reference)
        )
    return prime_counts(prime_frames_of_spans(gold), prime_frames_of_spans(predicted))


def _sentences(doc: Doc) -> tuple[Callable[[tuple[int, int]], int], int]:
    """RETURNS (Tuple[Callable[[Tuple[int, int]], int], int]): The number of a predicate's sentence,
    and the number of all sentences; one if there are no boundaries."""
    if not doc.has_annotation("SENT_START"):
        return (lambda predicate: 0), int(len(doc) > 0)
    offsets = character_offsets(doc)
    starts = [offsets[sentence.start] for sentence in doc.sents]
    return (lambda predicate: bisect_right(starts, predicate[0]) - 1), len(starts)
