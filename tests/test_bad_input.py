"""What happens on input that is wrong, empty, or larger than one expects.

Each case has a defined result, or an error that says which setting or span group to look at. More
cases are tested where the code is: gold and predicted tokens that differ, in `heads/test_ner.py`,
`heads/test_srl.py` and `srl/test_alignment.py`; arguments that reach out of the sentence, in
`heads/test_srl.py`; stock heads of another width or without their trunk, in `trunk/test_errors.py`;
damaged files, in `test_serialization.py`; annotation files, in `formats`.
"""

import resource
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.training.loop import create_evaluation_callback

from tests.heads.pipelines import parameters_of, train
from tests.heads.roles import CORPUS, WIDTH, make_nlp
from tests.srl.strategies import make_doc

HEADS = ["mtl_ner", "mtl_textcat", "srl"]
LABELS: dict[str, Any] = {
    "mtl_ner": ["PER"],
    "mtl_textcat": ["bad", "good"],
    "srl": {"roles": ["ARG0"], "senses": {"rolesets": ["leave.01"], "forms": {"left": [0]}}},
}
SCORES = {"mtl_ner": "ents_f", "mtl_textcat": "cats_score", "srl": "srl_arguments_f"}
DROPPED: dict[str, Callable[[Doc], Any]] = {
    "mtl_ner": lambda doc: doc.set_ents([], default="missing"),
    "mtl_textcat": lambda doc: doc.cats.clear(),
    "srl": lambda doc: doc.spans.pop("srl"),
}
EMPTIED: dict[str, Callable[[Doc], Any]] = {
    "mtl_ner": lambda doc: doc.set_ents([]),
    "mtl_textcat": lambda doc: doc.cats.clear(),
    "srl": lambda doc: doc.spans.__setitem__("srl", []),
}


def pipeline(width: int = WIDTH) -> Language:
    """A trunk and the three heads, not initialized."""
    nlp = make_nlp()
    for head in ("mtl_ner", "mtl_textcat"):
        nlp.add_pipe(head, config={"model": {"tok2vec": {"width": width}}})
    return nlp


def examples_of(nlp: Language, change: Callable[[Doc], Any] | None = None) -> list[Example]:
    """Examples annotated for all heads, then changed."""
    examples = []
    for number, (text, frames) in enumerate(CORPUS):
        reference = make_doc(text.split(), frames, vocab=nlp.vocab)
        reference.set_ents([Span(reference, 0, 1, "PER")] if number < 3 else [])
        reference.cats = {"good": float(number % 2), "bad": float(1 - number % 2)}
        if change is not None:
            change(reference)
        examples.append(Example(Doc(nlp.vocab, words=text.split()), reference))
    return examples


@pytest.fixture(scope="module")
def trained() -> Language:
    nlp = pipeline()
    train(nlp, examples_of(nlp))
    assert all(nlp.evaluate(examples_of(nlp))[score] == 1.0 for score in SCORES.values())
    return nlp


# Labels


def test_unknown_labels_at_evaluation_are_missed(trained):
    def rename(doc):
        doc.set_ents([Span(doc, 0, 1, "ALIEN")])
        doc.cats = {**doc.cats, "ugly": 0.0}
        doc.spans["srl"] = [
            Span(doc, span.start, span.end, "V", kb_id="other.09", span_id=span.id)
            if span.label_ == "V"
            else Span(doc, span.start, span.end, "ARG9", span_id=span.id)
            for span in doc.spans["srl"]
        ]

    scores = trained.evaluate(examples_of(trained, rename))
    assert scores["ents_f"] == 0.0
    assert scores["ents_per_type"]["ALIEN"]["r"] == 0.0
    assert scores["srl_predicates_f"] == 1.0
    assert scores["srl_rolesets_acc"] == 0.0
    assert scores["srl_arguments_f"] == 0.0
    assert scores["srl_arguments_unlabelled_f"] == 1.0
    assert scores["srl_arguments_per_role"]["ARG9"]["r"] == 0.0
    assert scores["cats_score"] == 1.0


def test_documents_with_none_but_unknown_categories_are_missed_with_a_warning(trained):
    def replace(doc):
        doc.cats = {"ugly": 1.0}

    with pytest.warns(UserWarning, match="no component has count as missed: 'ugly' \\(5\\)"):
        scores = trained.evaluate(examples_of(trained, replace))
    assert scores["cats_score"] == scores["cats_micro_r"] == 0.0


def test_training_goes_on_with_unknown_labels(trained):
    def rename(doc):
        doc.set_ents([Span(doc, 0, 1, "ALIEN")])
        doc.cats = {"ugly": 1.0}

    losses = trained.update(examples_of(trained, rename), sgd=False)
    trained.get_pipe("tok2vec").flush()
    assert losses["mtl_textcat"] == 0.0  # not annotated
    assert losses["mtl_ner"] > 0.0  # no entities


@pytest.mark.parametrize("head", HEADS)
def test_head_whose_annotation_never_occurs_is_named(head):
    nlp = pipeline()
    with pytest.raises(ValueError) as error:
        nlp.initialize(lambda: examples_of(nlp, DROPPED[head]))
    message = str(error.value)
    assert f"'{head}' has no labels to learn: none of {len(CORPUS)} training" in message
    assert "[corpora.train]" in message
    assert f"[initialize.components.{head}] labels" in message


@pytest.mark.parametrize("head", ["mtl_ner", "srl"])
def test_head_without_any_label_is_named(head):
    nlp = pipeline()
    with pytest.raises(ValueError) as error:
        nlp.initialize(lambda: examples_of(nlp, EMPTIED[head]))
    n_docs = len(CORPUS)
    assert f"'{head}' has no labels to learn: {n_docs} of {n_docs}" in str(error.value)
    assert "but hold no label" in str(error.value)


@pytest.mark.parametrize("head", HEADS)
def test_head_with_given_labels_waits_for_its_annotation(head):
    nlp = pipeline()
    nlp.config["initialize"]["components"][head] = {"labels": LABELS[head]}
    losses = train(nlp, examples_of(nlp, DROPPED[head]), steps=1)
    assert losses[head] == 0.0
    before = parameters_of(nlp, head)
    optimizer = nlp.resume_training()
    nlp.update(examples_of(nlp, DROPPED[head]), sgd=optimizer)
    assert np.array_equal(parameters_of(nlp, head), before)


@pytest.mark.parametrize("head", HEADS)
def test_evaluation_corpus_without_a_heads_annotation_scores_the_others(trained, head):
    examples = examples_of(trained, DROPPED[head])
    scores = trained.evaluate(examples)
    assert scores[SCORES[head]] is None
    assert [scores[SCORES[other]] for other in HEADS if other != head] == [1.0, 1.0]
    weights = dict.fromkeys(SCORES.values(), 1 / 3)
    weighted, _ = create_evaluation_callback(trained, lambda nlp: examples, weights)()
    assert weighted == pytest.approx(2 / 3)


# The trunk


@pytest.mark.parametrize("head", ["mtl_ner", "mtl_textcat"])
def test_listener_of_another_width_is_named(head):
    nlp = make_nlp()
    nlp.add_pipe(head, config={"model": {"tok2vec": {"width": 48}}})
    with pytest.raises(ValueError) as error:
        nlp.initialize(lambda: examples_of(nlp))
    assert f"'{head}' expects vectors of width 48, but its trunk 'tok2vec' gives 32" in str(
        error.value
    )
    assert f"[components.{head}.model.tok2vec] width" in str(error.value)


def test_semantic_role_listener_of_another_width_is_named():
    nlp = make_nlp()
    nlp.remove_pipe("srl")
    nlp.add_pipe("mtl_srl", name="srl", config={"model": {"tok2vec": {"width": 48}}})
    with pytest.raises(ValueError, match=r"'srl' expects .* 48, .*\[components.srl.model.tok2vec"):
        nlp.initialize(lambda: examples_of(nlp))


@pytest.mark.parametrize("head", HEADS)
def test_prediction_without_the_trunk_says_so(trained, head):
    with trained.select_pipes(enable=[head]):
        with pytest.raises(ValueError, match=f"'{head}' reads the trunk 'tok2vec', but .* did not"):
            trained("Ann gave Bob a book yesterday .")
        assert len(trained("")) == 0


# Documents


@pytest.mark.parametrize("texts", [[""], ["", ""], ["   "], ["\n\n\n", ""], ["Ann"], ["Ann", ""]])
def test_odd_documents_are_annotated(trained, texts):
    docs = list(trained.pipe(texts))
    assert [doc.text for doc in docs] == texts
    for doc in docs:
        assert sum(doc.cats.values()) == pytest.approx(1.0)
        assert "srl" in doc.spans
        assert doc.tensor.shape[0] == len(doc)
        if not doc.text.strip():
            assert doc.ents == () and len(doc.spans["srl"]) == 0
    assert trained.evaluate([Example(trained.make_doc(doc.text), doc) for doc in docs])


@pytest.mark.parametrize("words", [[], ["\n"], [" ", "\n "], ["Ann"]])
def test_odd_documents_can_be_trained_on(words):
    nlp = pipeline()
    nlp.initialize(lambda: examples_of(nlp))
    reference = make_doc(words, [], vocab=nlp.vocab)
    reference.set_ents([])
    reference.cats = {"good": 1.0, "bad": 0.0}
    odd = Example(Doc(nlp.vocab, words=words), reference)
    for batch in ([odd], [odd, odd], [odd, *examples_of(nlp)]):
        losses = nlp.update(batch, sgd=nlp.resume_training())
        assert np.isfinite(list(losses.values())).all()
    assert all(np.isfinite(parameters_of(nlp, head)).all() for head in [*HEADS, "tok2vec"])


def test_pipeline_can_be_initialized_on_odd_documents():
    nlp = pipeline()
    empty = Example(Doc(nlp.vocab), Doc(nlp.vocab))
    nlp.initialize(lambda: [empty, *examples_of(nlp)])
    nlp.update([empty, *examples_of(nlp)], sgd=nlp.resume_training())


def test_document_of_100_000_tokens(trained):
    words = [word for text, _ in CORPUS for word in text.split()]
    words = (words * (100_000 // len(words) + 1))[:100_000]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes
    doc = trained(Doc(trained.vocab, words=words))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2_000_000
    assert len(doc.ents) > 1000
    assert len(doc.spans["srl"]) > 1000
    assert sum(doc.cats.values()) == pytest.approx(1.0)


# Gold annotation


def test_overlapping_gold_entities_are_refused():
    nlp = pipeline()
    overlapping = {"entities": [(0, 7, "PER"), (4, 11, "PER")]}
    with pytest.raises(ValueError, match="E103|E1010"):
        Example.from_dict(nlp.make_doc("Ann Lee met"), overlapping)


def with_frames(nlp: Language, *spans: tuple[int, int, str, int]) -> Example:
    """An example whose span group holds these spans as they are: start, end, label, frame."""
    words = ["Ann", "left", "him", "money", "."]
    reference = Doc(nlp.vocab, words=words)
    reference.spans["srl"] = [
        Span(reference, start, end, label, kb_id="leave.01" if label == "V" else "", span_id=number)
        for start, end, label, number in spans
    ]
    return Example(Doc(nlp.vocab, words=words), reference)


BAD_FRAMES = {
    "predicate twice": (
        [(1, 2, "V", 0), (0, 1, "ARG0", 0), (1, 2, "V", 1)],
        r"Two frames in doc.spans\['srl'\] of .* start at token 1: 'left' and 'left'",
    ),
    "overlapping arguments": (
        [(1, 2, "V", 0), (2, 4, "ARG1", 0), (3, 4, "ARG2", 0)],
        r"Bad frame for 'left' at token 1 in doc.spans\['srl'\] of .*: ARG1 'him money'.* overlap",
    ),
    "argument over the predicate": (
        [(1, 2, "V", 0), (0, 3, "ARG0", 0)],
        r"Bad frame for 'left' at token 1 in doc.spans\['srl'\] .*: ARG0 'Ann left him'.* overlap",
    ),
    "argument without a predicate": (
        [(0, 1, "ARG0", 3)],
        r"frames in doc.spans\['srl'\] of .*: the argument 'ARG0' at tokens 0-1 \('Ann'\)",
    ),
}


@pytest.mark.parametrize("case", BAD_FRAMES)
def test_bad_frames_are_refused_wherever_they_come(trained, case):
    spans, message = BAD_FRAMES[case]
    bad = with_frames(trained, *spans)
    nlp = pipeline()
    with pytest.raises(ValueError, match=message):
        nlp.initialize(lambda: [*examples_of(nlp), with_frames(nlp, *spans)])
    try:
        with pytest.raises(ValueError, match=message):
            trained.update([bad], sgd=False)
    finally:
        trained.get_pipe("tok2vec").flush()
    with pytest.raises(ValueError, match=message):
        trained.evaluate([bad])


def test_frames_without_arguments_are_learnt_and_scored(trained):
    example = with_frames(trained, (1, 2, "V", 0))
    losses = trained.update([example], sgd=False)
    trained.get_pipe("tok2vec").flush()
    assert losses["srl"] > 0.0
    scores = trained.evaluate([example])
    assert scores["srl_predicates_f"] == 1.0
    assert scores["srl_arguments_r"] == 0.0


def test_frame_of_several_tokens_counts_by_its_first(trained):
    example = with_frames(trained, (1, 3, "V", 0), (0, 1, "ARG0", 0))
    assert trained.evaluate([example])["srl_predicates_f"] == 1.0
