import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from spacy_mtl.heads.syntax import UNKNOWN
from tests.heads.pipelines import gradient_of, make_nlp, reloaded, train

SENTENCES = [
    ("Ann saw Bob", ["NNP", "VBD", "NNP"], ["nsubj", "ROOT", "obj"], [1, 1, 1]),
    (
        "the old dog slept",
        ["DT", "JJ", "NN", "VBD"],
        ["det", "amod", "nsubj", "ROOT"],
        [2, 2, 3, 3],
    ),
]
HEAD = "mtl_syntax"


def gold_doc(vocab, text, tags, deps, heads):
    return Doc(vocab, words=text.split(), tags=tags, deps=deps, heads=heads)


def make_examples(nlp, keep=("tags", "deps")):
    examples = []
    for text, tags, deps, heads in SENTENCES:
        gold = gold_doc(nlp.vocab, text, tags, deps, heads)
        if "deps" not in keep:
            gold = Doc(nlp.vocab, words=text.split(), tags=tags)
        if "tags" not in keep:
            gold = Doc(nlp.vocab, words=text.split(), deps=deps, heads=heads)
        examples.append(Example(nlp.make_doc(text), gold))
    return examples


@pytest.fixture(scope="module")
def trained():
    nlp = make_nlp(HEAD)
    train(nlp, make_examples(nlp))
    return nlp


@pytest.mark.parametrize("trunk", ["mtl_tok2vec", "tok2vec", None])
def test_overfits_behind_each_trunk_and_alone(trunk):
    nlp = make_nlp(HEAD, trunk=trunk)
    losses = train(nlp, make_examples(nlp))
    assert losses[HEAD] < 0.3
    if trunk:  # spaCy evaluates documents that the trunk has read
        scores = nlp.evaluate(make_examples(nlp))
        assert scores["syntax_acc"] == 1.0
        assert scores["syntax_acc_per_attribute"] == {"TAG": 1.0, "DEP": 1.0, "HEAD": 1.0}


def test_labels_name_attribute_and_value(trained):
    labels = trained.get_pipe(HEAD).labels
    assert "DEP=nsubj" in labels and "TAG=NNP" in labels
    assert [name for name in labels if name.startswith("HEAD=")] == [
        "HEAD=+0",
        "HEAD=+1",
        "HEAD=+2",
        "HEAD=-1",
    ]


def test_far_heads_count_as_equally_far():
    nlp = make_nlp((HEAD, HEAD, {"attributes": ["HEAD"]}))
    doc = Doc(nlp.vocab, words=["a"] * 20, heads=[19] * 20, deps=["dep"] * 19 + ["ROOT"])
    nlp.initialize(lambda: [Example(nlp.make_doc("a " * 20), doc)])
    assert nlp.get_pipe(HEAD).labels == (
        "HEAD=+0",
        "HEAD=+1",
        "HEAD=+2",
        "HEAD=+3",
        "HEAD=+4",
        "HEAD=+5",
    )


def test_nothing_is_written_and_nothing_computed(trained):
    doc = trained("Ann saw Bob")
    for attribute in ("TAG", "DEP", "POS"):
        assert not doc.has_annotation(attribute)
    head = trained.get_pipe(HEAD)
    unread = trained.make_doc("Ann saw Bob")  # the network would ask for the trunk's vectors
    assert head(unread) is unread
    assert list(head.pipe([unread, doc])) == [unread, doc]


def test_saved_pipelines_tell_the_same(trained, tmp_path):
    for nlp in reloaded(trained, tmp_path):
        assert nlp.get_pipe(HEAD).labels == trained.get_pipe(HEAD).labels
        assert nlp.evaluate(make_examples(nlp))["syntax_acc"] == 1.0


@pytest.mark.parametrize(("keep", "known"), [("tags", {"TAG"}), ("deps", {"DEP", "HEAD"})])
def test_documents_need_not_have_all_attributes(trained, keep, known):
    head = trained.get_pipe(HEAD)
    examples = make_examples(trained, (keep,))
    assert all(head.is_annotated(example) for example in examples)
    columns = head._columns()
    for name, (_, classes) in zip(columns, head._gold_classes(examples), strict=True):
        assert (classes != UNKNOWN).all() == (name in known)
        assert (classes == UNKNOWN).all() == (name not in known)
    counts = trained.evaluate(examples)["syntax_acc_per_attribute"]
    assert set(counts) == known


def test_unannotated_documents_teach_nothing(trained):
    example = Example(trained.make_doc("Ann saw"), Doc(trained.vocab, words=["Ann", "saw"]))
    assert trained.update([example], sgd=False)[HEAD] == 0.0
    assert not gradient_of(trained, HEAD).any()
    assert trained.evaluate([example])["syntax_acc"] is None


def test_a_value_never_seen_is_unknown_in_training_and_wrong_in_scores(trained):
    gold = Doc(trained.vocab, words=["Ann", "saw"], tags=["NNP", "XXX"])
    example = Example(trained.make_doc("Ann saw"), gold)
    head = trained.get_pipe(HEAD)
    (_, classes) = next(head._gold_classes([example]))
    assert classes[0] != UNKNOWN and classes[1] == UNKNOWN
    assert trained.evaluate([example])["syntax_acc_per_attribute"] == {"TAG": 0.5}


def test_tokens_that_do_not_align_have_no_value(trained):
    gold = gold_doc(trained.vocab, *SENTENCES[0])
    predicted = Doc(
        trained.vocab, words=["Ann", "sa", "w", "Bob"], spaces=[True, False, True, False]
    )
    head = trained.get_pipe(HEAD)
    values = head._gold_values(Example(predicted, gold))
    assert values["TAG"] == ["NNP", None, None, "NNP"]
    assert values["DEP"] == ["nsubj", None, None, "obj"]
    merged = Doc(trained.vocab, words=["Ann saw", "Bob"], spaces=[True, False])
    assert head._gold_values(Example(merged, gold))["TAG"] == [None, "NNP"]


def test_gradient_is_that_of_the_loss():
    nlp = make_nlp((HEAD, HEAD, {"model": {"hidden_width": 0}}))
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    nlp.update(examples, sgd=False)  # gradients only
    found = gradient_of(nlp, HEAD)
    layer = next(node for node in nlp.get_pipe(HEAD).model.walk() if node.shims)
    step = 1e-2
    loss = {}
    start = 0
    for parameter in layer.shims[0]._model.parameters():
        flat = parameter.data.view(-1)
        at = int(np.abs(found[start : start + flat.numel()]).argmax())
        for sign in (1, -1):
            flat[at] += sign * step
            loss[sign] = nlp.update(examples, sgd=False)[HEAD]
            flat[at] -= sign * step
        expected = (loss[1] - loss[-1]) / (2 * step)
        assert found[start + at] == pytest.approx(expected, rel=2e-2)
        start += flat.numel()


@pytest.mark.parametrize("attributes", [[], ["TAG", "TAG"], ["LEMMA"]])
def test_wrong_attributes_are_named(attributes):
    with pytest.raises(ValueError, match=r"\[components.mtl_syntax\] attributes is"):
        make_nlp((HEAD, HEAD, {"attributes": attributes}))


def test_a_corpus_without_syntax_is_an_error():
    nlp = make_nlp(HEAD)
    example = Example(nlp.make_doc("Ann"), Doc(nlp.vocab, words=["Ann"]))
    with pytest.raises(ValueError, match="none of 1 training documents is annotated with any of"):
        nlp.initialize(lambda: [example])


def test_it_can_be_removed(trained):
    copy = spacy.util.load_model_from_config(trained.config).from_bytes(trained.to_bytes())
    before = copy.get_pipe("mtl_tok2vec").predict([copy.make_doc("Ann saw Bob")])
    copy.remove_pipe(HEAD)
    after = copy.get_pipe("mtl_tok2vec").predict([copy.make_doc("Ann saw Bob")])
    assert np.array_equal(before[0], after[0])
