import numpy as np
from spacy.lang.en import English
from spacy.tokens import Doc

from spacy_mtl.srl import give_gold_predicates, give_predicates, indexed_frames, read_frames
from spacy_mtl.srl.given import with_given_predicates

from ..heads.roles import CORPUS, make_examples, make_nlp
from .test_scoring import GAVE, LEFT, make_example


def test_given_predicates_replace_those_found_in_their_document_only() -> None:
    vocab = English().vocab
    docs = [Doc(vocab, ["a", "b", " "]), Doc(vocab, ["c", "d"]), Doc(vocab, ["e"])]
    give_predicates(docs[0], [2, 1, 1])
    give_predicates(docs[2], [])
    found = np.asarray([0, 3, 5])
    starts = np.asarray([0, 3, 5])
    assert with_given_predicates(docs, starts, found).tolist() == [1, 3]
    assert with_given_predicates(docs, starts, found, "other") is found


def test_gold_predicates_are_given_in_predicted_tokens() -> None:
    example = make_example([LEFT, GAVE], None)
    assert give_gold_predicates(example) == 0
    assert [span.start for span in example.predicted.spans["srl_predicates"]] == [1, 6]
    unannotated = make_example(None, None)
    give_gold_predicates(unannotated)
    assert "srl_predicates" not in unannotated.predicted.spans


def test_head_labels_given_predicates_and_no_others() -> None:
    nlp = make_nlp()
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    doc = nlp.make_doc(CORPUS[1][0])
    give_predicates(doc, [0, 3])
    doc = nlp(doc)
    assert [frame.predicate for frame in indexed_frames(doc)] == [0, 3]
    empty = nlp.make_doc(CORPUS[1][0])
    give_predicates(empty, [])
    assert read_frames(nlp(empty)) == []
