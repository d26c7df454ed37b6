import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.attrs import DEP, HEAD, SENT_START
from spacy.tokens import Doc
from spacy.training import Example

from spacy_mtl.acceleration import arc_eager, parser
from spacy_mtl.acceleration.parser import FastDependencyParser
from tests.acceleration.pipelines import cnn, transition_model

WORDS = ["soup", "Ann", "in", ".", "?", '"', "(", ")", "...", "was", ",", "\n"]
LABELS = ["nsubj", "obj", "punct", "nsubj||obj"]


def fast_parser(nlp):
    stock = nlp.get_pipe("parser")
    return FastDependencyParser(nlp.vocab, stock.model, name="parser", moves=stock.moves)


@pytest.fixture(scope="module", params=[True, False], ids=["upper", "no upper"])
def nlp(request):
    """A parser with random weights, which reaches states that a trained one hardly does."""
    nlp = spacy.blank("xx")
    model = {**transition_model("parser", cnn(depth=1)), "use_upper": request.param}
    component = nlp.add_pipe("parser", config={"model": model})
    for label in LABELS:
        component.add_label(label)
    doc = Doc(nlp.vocab, ["a", "b"], heads=[0, 0], deps=["ROOT", "obj"])
    nlp.initialize(lambda: [Example(nlp.make_doc("a b"), doc)])
    return nlp


def randomize(nlp, seed):
    component = nlp.get_pipe("parser")
    component.model.attrs["unseen_classes"].clear()
    random = np.random.RandomState(seed)
    for name in ("lower", "upper"):
        layer = component.model.get_ref(name)
        for param in layer.param_names:
            shape = layer.get_param(param).shape
            layer.set_param(param, random.normal(size=shape).astype("f"))
    shift, attach = random.uniform(-3, 3, size=2)
    scores = component.model.get_ref("upper" if layer.param_names else "lower").get_param("b")
    for number in range(component.moves.n_moves):
        kind = component.moves.get_class_name(number)[0]
        scores[number] += {"S": shift, "L": attach, "R": attach}.get(kind, 0)


def random_texts(seed):
    random = np.random.RandomState(seed)
    starts = [None] * 8 + [True, False]
    return [
        [
            (WORDS[random.randint(len(WORDS))], starts[random.randint(10)])
            for _ in range(random.randint(50))
        ]
        for _ in range(random.randint(1, 6))
    ] + [[]]


def make_docs(nlp, texts):
    return [
        Doc(nlp.vocab, [word for word, _ in text], sent_starts=[start for _, start in text])
        for text in texts
    ]


def arrays(docs):
    return [doc.to_array([HEAD, DEP, SENT_START]).tolist() for doc in docs]


@settings(max_examples=40)
@given(seed=st.integers(0, 2**16), reach=st.sampled_from([1, 2, 8]))
def test_it_parses_as_spacy_does(nlp, seed, reach):
    randomize(nlp, seed)
    texts = random_texts(seed)
    stock, fast = nlp.get_pipe("parser"), fast_parser(nlp)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arc_eager, "REACH", reach)
        patch.setattr(parser, "TOKENS_PER_STEP", 0)
        patch.setattr(parser, "TABLE_BYTES", 2**13)
        assert arrays(fast.pipe(make_docs(nlp, texts))) == arrays(stock.pipe(make_docs(nlp, texts)))


def test_lockstep_is_used_where_it_pays(nlp):
    randomize(nlp, 0)
    fast = fast_parser(nlp)
    many, few = [[("soup", None), (".", None)]] * 30, [[("soup", None)] * 30]
    assert all(isinstance(parse, parser.Arcs) for parse in fast.predict(make_docs(nlp, many)))
    assert not isinstance(fast.predict(make_docs(nlp, few))[0], parser.Arcs)


def test_heads_set_before_are_left_to_spacy(nlp):
    randomize(nlp, 0)
    texts = [[("soup", None), (".", None)]] * 30
    first, second = make_docs(nlp, texts), make_docs(nlp, texts)
    for docs in (first, second):
        docs[3] = Doc(nlp.vocab, ["soup", "."], heads=[1, 1], deps=["obj", "ROOT"])
    assert arrays(fast_parser(nlp).pipe(first)) == arrays(nlp.get_pipe("parser").pipe(second))


def test_subtokens_are_left_to_spacy():
    names = ["S", "D", "L-subtok", "R-subtok", "B-ROOT"]
    assert arc_eager.ArcMoves.from_names(names, set()) is None


def test_unseen_actions_are_taken_only_where_no_other_is_allowed():
    moves = arc_eager.ArcMoves.from_names(["S", "D", "L-obj", "R-obj", "B-ROOT", "D-obj"], {5})
    only_reduce, scores = moves.penalties[2], np.array([0, -50, 0, 0, 0, 9], dtype="f")
    assert (scores + only_reduce).argmax() == 1
    assert arc_eager.ArcMoves.from_names(["S", "D", "L-obj"], {0}) is None
