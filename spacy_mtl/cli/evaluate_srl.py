"""Options of `python -m spacy mtl evaluate` for semantic role components."""

from collections.abc import Iterable, Sequence

from spacy.language import Language
from spacy.training import Example
from wasabi import Printer

from ..heads.srl import SemanticRoleHead
from ..srl.predicates import give_predicates
from ..srl.scoring.scorer import make_srl_scorer


def srl_heads(nlp: Language, option: str) -> list[SemanticRoleHead]:
    """Find the semantic role components of a pipeline.

    nlp (Language): The pipeline.
    option (str): What they are needed for.
    RETURNS (List[SemanticRoleHead]): The components that are not disabled.
    RAISES (ValueError): If there is none.
    """
    heads = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, SemanticRoleHead)]
    if not heads:
        raise ValueError(
            f"{option} needs a component 'mtl_srl', and the pipeline has none: it has "
            f"{', '.join(nlp.pipe_names) or 'no component'}."
        )
    return heads


def set_srl_scores(nlp: Language, scores: Sequence[str]) -> None:
    """Let semantic role components make other official scores than their config says.

    nlp (Language): The pipeline.
    scores (Sequence[str]): See `score_srl`.
    RAISES (ValueError): If a score is unknown, or there is no such component.
    """
    scores = [score.strip() for score in scores if score.strip()]
    for head in srl_heads(nlp, "--srl-scores"):
        head.scorer = make_srl_scorer(scores=scores)


def give_predicates_to_heads(nlp: Language, examples: Iterable[Example], msg: Printer) -> None:
    """Give the gold predicates to semantic role components, and say how many can't be given.

    nlp (Language): The pipeline.
    examples (Iterable[Example]): The examples, whose predicted documents get them.
    msg (Printer): Prints.
    RAISES (ValueError): If there is no such component.
    """
    heads = srl_heads(nlp, "--gold-predicates")
    for head in heads:
        head.cfg["predicates"] = "given"
    keys = {head.cfg["spans_key"] for head in heads}
    n_unaligned = sum(give_predicates(eg, key) for eg in examples for key in sorted(keys))
    if n_unaligned:
        msg.warn(
            f"{n_unaligned} gold predicates are no token of the pipeline's tokenizer: they count "
            "as missed."
        )
