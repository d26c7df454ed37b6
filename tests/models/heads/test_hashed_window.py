import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_mtl.models.heads.hashed_window import (
    ATTRIBUTES,
    HashedWindowEmbed,
    HashedWords,
    hash_words,
)
from tests.models.heads.test_token_tagger import VOCAB

ROWS = 50
texts = st.lists(st.lists(st.sampled_from("Ann met Bob in Rome .".split()), max_size=4), min_size=1)


def docs_of(*texts):
    return [Doc(VOCAB, words=words) for words in texts]


def make_window(width=3, n_outputs=2):
    torch.manual_seed(0)
    return HashedWindowEmbed(width, ROWS, n_outputs, starts_at_zero=False).eval()


def slowly(window, doc):
    """The outputs of one document, token by token."""
    rows = hash_words([doc], ROWS)
    vectors = [window.vectors[rows.rows[word]].flatten() for word in rows.word_of_token]
    before, own, after = window.linear.weight.chunk(3)
    outputs = []
    for number, vector in enumerate(vectors):
        output = own @ vector
        if number:
            output = output + before @ vectors[number - 1]
        if number + 1 < len(vectors):
            output = output + after @ vectors[number + 1]
        outputs.append(output)
    return torch.stack(outputs)


@given(texts)
def test_a_token_sees_its_neighbours_within_its_document(texts):
    docs, window = docs_of(*texts), make_window()
    outputs = window(hash_words(docs, ROWS), 0.0)
    expected = [slowly(window, doc) for doc in docs if len(doc)]
    assert outputs.shape == (sum(map(len, docs)), 2)
    if expected:
        assert torch.allclose(outputs, torch.cat(expected), atol=1e-5)


def test_each_attribute_has_rows_of_its_own():
    rows = hash_words(docs_of("Ann met Ann in Rome".split()), ROWS)
    assert rows.rows.shape == (4, len(ATTRIBUTES))  # four different words
    assert ((rows.rows // ROWS) == torch.arange(len(ATTRIBUTES))).all()
    numbers = rows.word_of_token.tolist()
    assert numbers[0] == numbers[2] and len(set(numbers)) == 4
    assert rows.followers.tolist() == [1, 2, 3, 4]


def test_starts_at_zero_where_asked():
    rows = hash_words(docs_of(["Ann", "met"]), ROWS)
    assert not HashedWindowEmbed(3, ROWS, 2, starts_at_zero=True)(rows, 0.0).any()
    assert HashedWindowEmbed(3, ROWS, 2, starts_at_zero=False)(rows, 0.0).any()


def test_gradient():
    window = make_window().double()
    rows = HashedWords(
        torch.tensor([[0, 50, 100, 150], [1, 51, 100, 151]]),
        torch.tensor([0, 1, 0, 0]),
        torch.tensor([1, 3]),
    )
    names = [name for name, _ in window.named_parameters()]

    def forward(*parameters):
        own = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(window, own, (rows, 0.0))

    assert torch.autograd.gradcheck(forward, tuple(window.parameters()))
    window(rows, 0.0).sum().backward()
    assert window.vectors.grad.abs().sum(1).nonzero().flatten().tolist() == sorted(
        np.unique(rows.rows.numpy()).tolist()
    )


def test_dropout_acts_in_training_only():
    window, rows = make_window(), hash_words(docs_of(["Ann", "met", "Bob"]), ROWS)
    plain = window(rows, 0.5)
    assert torch.equal(plain, window(rows, 0.0))
    assert not torch.allclose(window.train()(rows, 0.5), plain)
    assert torch.allclose(window(rows, 0.0), plain)
