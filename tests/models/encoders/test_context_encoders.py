import numpy as np
import pytest
import torch
from spacy.tokens import Doc
from thinc.api import fix_random_seed, set_dropout_rate
from torch.nn import functional as F

from spacy_mtl.models.encoders.attention import LocalAttention, build_hash_embed_attention
from spacy_mtl.models.encoders.bilstm import BiLSTMEncoder, build_hash_embed_bilstm, cut_pieces
from spacy_mtl.models.encoders.doc_encoder import torch_module
from spacy_mtl.models.encoders.embed import EmbeddedWords
from spacy_mtl.models.layers.lstm import pack_sequences
from tests.models.encoders.encoding import assert_close, make_docs
from tests.native import each_way

BUILDERS = [build_hash_embed_attention, build_hash_embed_bilstm]


def make_model(build, docs):
    fix_random_seed(0)
    model = build(width=16, depth=1, embed_size=50)
    model.initialize(X=docs)
    return model


@pytest.mark.parametrize("build", BUILDERS)
def test_output_does_not_depend_on_the_rest_of_the_batch(build):
    docs = make_docs()
    model = make_model(build, docs)
    alone = [model.predict([doc])[0] for doc in docs]
    assert_close(model.predict(docs), alone)
    assert_close(model.predict(docs[::-1]), alone[::-1])


@pytest.mark.parametrize("build", BUILDERS)
def test_training_and_prediction_give_the_same_without_dropout(build):
    docs = make_docs()
    model = make_model(build, docs)
    assert_close(model.begin_update(docs)[0], model.predict(docs))


@pytest.mark.parametrize("build", BUILDERS)
def test_dropout_is_for_training_only(build):
    docs = make_docs()
    model = make_model(build, docs)
    before = model.predict(docs)
    set_dropout_rate(model, 0.5)
    assert_close(model.predict(docs), before, tolerance=0.0)
    assert np.abs(model.begin_update(docs)[0][0] - before[0]).max() > 0.1


@pytest.mark.parametrize("build", BUILDERS)
def test_a_token_sees_words_beyond_the_convolutions(build):
    docs = make_docs()
    model = make_model(build, docs)
    words = ["soup"] * 21
    first, second = model.predict(
        [Doc(docs[0].vocab, words=["waiter", *words]), Doc(docs[0].vocab, words=["the", *words])]
    )
    assert np.abs(first[20] - second[20]).max() > 1e-7


@pytest.mark.parametrize("build", BUILDERS)
def test_every_parameter_gets_a_gradient(build):
    docs = make_docs()
    model = make_model(build, docs)
    vectors, backprop = model.begin_update(docs)
    random = np.random.RandomState(0)
    assert backprop([random.normal(size=rows.shape).astype("f") for rows in vectors]) == []
    for name, parameter in torch_module(model).named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("build", BUILDERS)
def test_long_document_and_no_document(build):
    docs = make_docs()
    model = make_model(build, docs)
    long = Doc(docs[0].vocab, words=[token.text for token in docs[-1]] * 25)
    assert model.predict([long, docs[1]])[0].shape == (20_000, 16)
    assert model.predict([]) == []


@pytest.mark.parametrize("build", BUILDERS)
def test_serialization(build):
    docs = make_docs()
    model = make_model(build, docs)
    loaded = build(width=16, depth=1, embed_size=50).from_bytes(model.to_bytes())
    assert_close(loaded.predict(docs), model.predict(docs), tolerance=0.0)


@pytest.mark.parametrize("lengths", [[5], [3, 9, 1], [4, 4, 4, 4], [1] * 11, [30, 2]])
def test_local_attention_is_attention_under_a_mask(lengths):
    torch.manual_seed(0)
    layer = LocalAttention(width=8, heads=2, reach=4, pieces=3)
    torch.nn.init.normal_(layer.distance_bias)
    tokens = torch.randn(sum(lengths), 8)
    document = torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths))
    query, key, value = (
        part.view(-1, 2, 4).transpose(0, 1)
        for part in layer.project(F.layer_norm(tokens, (8,))).chunk(3, dim=1)
    )
    place = torch.arange(len(tokens))
    distance = place - place[:, None]
    scores = query @ key.transpose(1, 2) / 4**0.5
    scores = scores + layer.distance_bias[:, distance.clamp(-4, 4) + 4]
    is_seen = (distance.abs() <= 4) & (document == document[:, None])
    weights = scores.masked_fill(~is_seen, -torch.inf).softmax(-1)
    attended = (weights @ value).transpose(0, 1).flatten(1)
    expected = layer.mix(torch.cat([tokens, attended], 1))
    torch.testing.assert_close(layer(tokens, document), expected, atol=1e-5, rtol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(layer(tokens, document), expected, atol=1e-5, rtol=1e-4)


@each_way
@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("width", [12, 24, 64, 100])
@pytest.mark.parametrize("lengths", [[3, 0, 5, 1], [1], [257, 2], [9] * 20 + [40, 3]])
def test_prediction_of_lstms_is_torchs(lengths, width, n_threads):
    torch.manual_seed(0)
    encoder = BiLSTMEncoder(width, 1, 1, 3, 2)
    for parameter in encoder.lstm.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.2)
    vectors = torch.cat([torch.zeros(1, width), torch.randn(30, width)])
    word_of_token = torch.randint(1, 31, (sum(lengths),))
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        with torch.inference_mode():
            found = encoder(EmbeddedWords(vectors), word_of_token, lengths, 0.0)
            tokens = encoder.windows(EmbeddedWords(vectors), word_of_token, lengths, 0.0)
            expected = []
            for own in tokens.split(lengths):
                for lstm, norm in zip(encoder.lstm, encoder.norm, strict=True):
                    own = own + norm(lstm(own)[0]) if len(own) else own
                expected.append(own)
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(found, torch.cat(expected), atol=5e-5, rtol=1e-4)


@pytest.mark.parametrize("lengths", [[3, 0, 5, 1], [256], [257], [1000, 2, 300], [0, 7]])
def test_pieces_hold_every_token_with_its_context(lengths):
    token_of_step, n_running, step_of_token = pack_sequences(cut_pieces(lengths))
    n_tokens = sum(lengths)
    assert n_running.sum() == len(token_of_step)
    assert (np.diff(n_running) <= 0).all()
    np.testing.assert_array_equal(token_of_step[step_of_token], np.arange(n_tokens))
    first_of_step = np.cumsum(n_running) - n_running
    document = np.arange(len(lengths)).repeat(lengths)
    for piece in range(n_running[0]):
        tokens = token_of_step[first_of_step[n_running > piece] + piece]
        np.testing.assert_array_equal(np.diff(tokens), 1)
        assert len(set(document[tokens])) == 1
    if max(lengths) <= 256:
        assert len(token_of_step) == n_tokens


@pytest.mark.parametrize(
    "build,settings,named",
    [(build_hash_embed_attention, {"heads": 5}, "heads"), (BUILDERS[1], {"width": 5}, "width")],
)
def test_indivisible_width_is_reported(build, settings, named):
    with pytest.raises(ValueError, match=named):
        build(**settings)
