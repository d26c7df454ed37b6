"""A head never predicts from a trunk that did not run, however that came about."""

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from tests.heads.pipelines import make_examples, make_nlp
from tests.trained import Trained

pytest_plugins = ["tests.trained"]

TRUNK = "tok2vec"
HEADS = ["ner", "textcat", "srl"]
TEXT = "Ann gave Bob a book in Leeds."


def without(head: str, *more: str) -> list[str]:
    """The other components but the trunk."""
    return [name for name in ("tagger", "parser", "senter", *HEADS) if name != head] + [*more]


def load_without_trunk(model: Path, head: str) -> Language:
    return spacy.load(model, exclude=without(head, TRUNK))


def select(model: Path, head: str) -> Doc:
    nlp = spacy.load(model)
    with nlp.select_pipes(enable=[head]):
        return nlp(TEXT)


def disable(model: Path, head: str) -> Doc:
    nlp = spacy.load(model, exclude=without(head))
    nlp.disable_pipe(TRUNK)
    return nlp(TEXT)


def remove(model: Path, head: str) -> Doc:
    nlp = spacy.load(model, exclude=without(head))
    nlp.remove_pipe(TRUNK)
    return nlp(TEXT)


def source(model: Path, head: str) -> Doc:
    nlp = spacy.blank("en")
    nlp.add_pipe(head, source=spacy.load(model))
    return nlp(TEXT)


def put_before(model: Path, head: str) -> Doc:
    nlp = spacy.load(model, exclude=without(head))
    nlp.add_pipe(head, name="early", source=spacy.load(model), first=True)
    return nlp(TEXT)


WAYS: dict[str, Callable[[Path, str], Doc]] = {
    "exclude": lambda model, head: load_without_trunk(model, head)(TEXT),
    "exclude, in a stream": lambda model, head: next(load_without_trunk(model, head).pipe([TEXT])),
    "exclude and pickle": lambda model, head: pickle.loads(
        pickle.dumps(load_without_trunk(model, head))
    )(TEXT),
    "disable when loading": lambda model, head: spacy.load(
        model, exclude=without(head), disable=[TRUNK]
    )(TEXT),
    "enable when loading": lambda model, head: spacy.load(model, enable=[head])(TEXT),
    "select_pipes": select,
    "disable_pipe": disable,
    "remove_pipe": remove,
    "source": source,
    "head alone": lambda model, head: spacy.load(model).get_pipe(head)(spacy.blank("en")(TEXT)),
    "head before the trunk": put_before,
}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("way", WAYS)
def test_head_without_its_trunk_says_so(trained: Trained, way: str, head: str) -> None:
    with pytest.raises(ValueError, match=f"'{head}' reads the trunk '{TRUNK}', but"):
        WAYS[way](trained.model, head)


@pytest.mark.parametrize("head", HEADS)
def test_head_without_its_trunk_takes_documents_that_have_vectors_or_no_tokens(
    trained: Trained, head: str
) -> None:
    expected = spacy.load(trained.model)(TEXT)
    doc = expected.copy()
    doc.set_ents([])
    doc.cats, doc.spans["srl"] = {}, []
    doc = load_without_trunk(trained.model, head)(doc)
    if head == "ner":
        assert doc.ents
    assert doc.to_json().get({"ner": "ents", "textcat": "cats", "srl": "spans"}[head]) == (
        expected.to_json().get({"ner": "ents", "textcat": "cats", "srl": "spans"}[head])
    )
    assert len(load_without_trunk(trained.model, head)("")) == 0


@pytest.fixture(params=[TRUNK, "mtl_tok2vec"])
def behind(request: pytest.FixtureRequest) -> Iterator[Language]:
    nlp = make_nlp("mtl_textcat", trunk=request.param)
    moods = [("good", {"cats": {"good": 1.0, "bad": 0.0}})]
    nlp.initialize(lambda: make_examples(nlp, moods))
    yield nlp


def test_trunks_of_spacy_are_missed_as_well(behind: Language) -> None:
    assert behind("good").cats
    behind.disable_pipe(behind.pipe_names[0])
    with pytest.raises(ValueError, match="'mtl_textcat' reads"):
        behind("good")


def test_message_names_listener_and_head_where_layers_are_read() -> None:
    layer = {"@architectures": "spacy_mtl.LayerListener.v1", "layer": 0, "width": 24}
    nlp = make_nlp("mtl_textcat")
    nlp.remove_pipe("mtl_textcat")
    nlp.add_pipe("mtl_textcat", config={"model": {"tok2vec": layer}})
    alone = spacy.blank("en")
    alone.add_pipe("mtl_textcat", config={"model": {"tok2vec": layer}})
    with pytest.raises(ValueError, match="LayerListener.v1 of component 'mtl_textcat' found no"):
        alone.get_pipe("mtl_textcat").model.predict([alone("good")])
