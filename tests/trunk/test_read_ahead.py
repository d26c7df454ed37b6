"""A trunk that reads ahead gives the same documents in the same order."""

import threading

import pytest
from spacy.util import raise_error

from tests.trunk.pipelines import OURS, TRUNK, annotations, make_nlp

HEADS = ["ner", "tagger", "textcat"]
TEXTS = [f"Ada likes Paris {'very ' * number}much ." for number in range(11)]


def make_pair(n_ahead):
    nlp = make_nlp(OURS, HEADS, encoder="spacy_mtl.HashEmbedCNN.v1")
    ahead = make_nlp(OURS, HEADS, encoder="spacy_mtl.HashEmbedCNN.v1")
    ahead.get_pipe(TRUNK).read_ahead = n_ahead
    return nlp, ahead


def boom(docs):
    raise ArithmeticError(f"{len(docs)} documents")


@pytest.mark.parametrize("n_ahead", [1, 3, 50])
@pytest.mark.parametrize("batch_size", [1, 4, 50])
def test_documents_are_as_without(n_ahead, batch_size):
    nlp, ahead = make_pair(n_ahead)
    expected = list(nlp.pipe(TEXTS, batch_size=batch_size))
    found = list(ahead.pipe(TEXTS, batch_size=batch_size))
    assert [doc.text for doc in found] == TEXTS
    assert list(map(annotations, found)) == list(map(annotations, expected))
    assert all((a.tensor == b.tensor).all() for a, b in zip(found, expected, strict=True))
    assert list(ahead.pipe([])) == []


@pytest.mark.parametrize("n_ahead", [0, 1, 2])
def test_stream_is_read_so_far_ahead_in_the_callers_thread(n_ahead):
    ahead = make_pair(n_ahead)[1]
    read, threads = [], set()

    def stream():
        for text in TEXTS:
            read.append(text)
            threads.add(threading.current_thread())
            yield text

    docs = ahead.pipe(stream(), batch_size=2)
    for number in range(4):
        next(docs)
        assert len(read) == 2 * (number // 2 + 1 + n_ahead)
    docs.close()
    assert threads == {threading.current_thread()}


def test_network_runs_in_another_thread_that_ends_with_the_stream(monkeypatch):
    ahead = make_pair(1)[1]
    trunk, threads = ahead.get_pipe(TRUNK), []
    predict = trunk.predict

    def watched(docs):
        threads.append(threading.current_thread())
        return predict(docs)

    monkeypatch.setattr(trunk, "predict", watched, raising=False)
    docs = ahead.pipe(TEXTS, batch_size=2)
    next(docs)
    docs.close()
    assert threads and threading.current_thread() not in threads
    assert not any(thread.is_alive() for thread in threads)


def test_error_reaches_the_error_handler_with_its_documents(monkeypatch):
    ahead = make_pair(1)[1]
    trunk = ahead.get_pipe(TRUNK)
    predict = trunk.predict
    monkeypatch.setattr(
        trunk,
        "predict",
        lambda docs: boom(docs) if TEXTS[2] in {doc.text for doc in docs} else predict(docs),
        raising=False,
    )
    failed = []
    trunk.set_error_handler(lambda name, proc, docs, error: failed.append((name, docs, error)))
    found = list(ahead.pipe(TEXTS, batch_size=2))
    assert [doc.text for doc in found] == [*TEXTS[:2], *TEXTS[4:]]
    ((name, docs, error),) = failed
    assert name == TRUNK and [doc.text for doc in docs] == TEXTS[2:4]
    assert str(error) == "2 documents"
    trunk.set_error_handler(raise_error)
    with pytest.raises(ArithmeticError):
        list(ahead.pipe(TEXTS, batch_size=2))


def test_setting_is_in_the_config_and_checked():
    nlp = make_nlp(OURS, [])
    assert nlp.config["components"][TRUNK]["read_ahead"] == 0
    with pytest.raises(ValueError, match="read_ahead is -1"):
        nlp.add_pipe(OURS, name="other", config={"read_ahead": -1})
