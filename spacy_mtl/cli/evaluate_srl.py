"""Options of `python -m spacy mtl evaluate` for semantic role components."""

from collections.abc import Sequence

from spacy.language import Language
from spacy.training import Example
from wasabi import Printer

from ..heads.srl.component import SemanticRoleHead
from ..srl.argument_heads import head_frames
from ..srl.predicates import give_predicates
from ..srl.scoring.scorer import count_without_parse, make_srl_scorer, scores_of


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


def check_srl_scores(nlp: Language, examples: Sequence[Example]) -> None:
    """Make sure that the data has what the scores of semantic role components need.

    nlp (Language): The pipeline.
    examples (Sequence[Example]): The data.
    RAISES (ValueError): If references lack a dependency parse that scores by head words need, or
        that gives the heads of arguments to a component of `argument_kind = "heads"`.
    """
    references = [example.reference for example in examples]
    for name, head in nlp.pipeline:
        if not isinstance(head, SemanticRoleHead):
            continue
        key = head.cfg["spans_key"]
        if head.cfg["argument_kind"] == "heads":
            for reference in references:
                head_frames(reference, key)
        for score in scores_of(head.scorer):
            n_lacking = count_without_parse(references, key, score)
            if n_lacking:
                raise ValueError(
                    f"The score '{score}' of '{name}' needs a dependency parse in the references, "
                    f"which {n_lacking} of {len(references)} documents of the data lack. Add gold "
                    "heads to the data, or choose other scores with --srl-scores, such as conll05 "
                    "or primesrl_spans."
                )


def give_predicates_to_heads(nlp: Language, examples: Sequence[Example], msg: Printer) -> None:
    """Give the gold predicates to semantic role components, and say how many can't be given.

    nlp (Language): The pipeline.
    examples (Sequence[Example]): The examples, whose predicted documents get them.
    msg (Printer): Prints.
    RAISES (ValueError): If there is no such component, or no document has its annotation.
    """
    heads = srl_heads(nlp, "--gold-predicates")
    for head in heads:
        if not any(map(head.is_annotated, examples)):
            raise ValueError(
                f"--gold-predicates: none of {len(examples)} documents is annotated with "
                f"{head.annotation}, so that '{head.name}' can't be given predicates."
            )
        head.cfg["predicates"] = "given"
    keys = {head.cfg["spans_key"] for head in heads}
    n_unaligned = sum(give_predicates(eg, key) for eg in examples for key in sorted(keys))
    if n_unaligned:
        msg.warn(
            f"{n_unaligned} gold predicates are no token of the pipeline's tokenizer: they count "
            "as missed."
        )
