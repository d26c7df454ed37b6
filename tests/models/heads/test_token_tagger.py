import numpy as np
import pytest
import spacy
import torch
from spacy.ml.models import build_hash_embed_cnn_tok2vec
from spacy.tokens import Doc
from thinc.api import Model, fix_random_seed, set_dropout_rate

from spacy_mtl.models.heads.token_tagger import TagScorer, build_token_tagger
from spacy_mtl.models.layers.flat import output_width

VOCAB = spacy.blank("en").vocab


def encoder(width=12):
    fix_random_seed(0)
    return build_hash_embed_cnn_tok2vec(
        width=width,
        depth=1,
        embed_size=100,
        window_size=1,
        maxout_pieces=2,
        subword_features=True,
        pretrained_vectors=None,
    )


def make_docs(*lengths):
    return [Doc(VOCAB, words=[f"w{i}" for i in range(n)]) for n in lengths]


OWN = {"private_width": 5, "private_rows": 11}


def built(hidden_width=0, n_tags=5, random=True, **settings):
    model = build_token_tagger(tok2vec=encoder(), hidden_width=hidden_width, **settings)
    model.set_dim("nO", n_tags)
    model.initialize(X=make_docs(2))
    if random:
        randomize(model)
    return model


def randomize(model):
    torch.manual_seed(0)
    for parameter in model.layers[1].shims[0]._model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)


@pytest.mark.parametrize("settings", [{}, {"hidden_width": 7}, OWN, {"hidden_width": 7, **OWN}])
def test_gives_one_row_per_token(settings):
    model = built(**settings)
    docs = make_docs(3, 0, 1)
    scores = model.predict(docs)
    assert scores.shape == (4, 5)
    assert np.allclose(scores[:3], model.predict(docs[:1]), atol=1e-5)
    assert model.predict(make_docs(0)).shape == (0, 5)


@pytest.mark.parametrize("settings", [{}, OWN, {"hidden_width": 7, **OWN}])
def test_scores_start_at_zero(settings):
    assert not built(random=False, **settings).predict(make_docs(3)).any()


def test_outputs_are_known_once_built_and_after_loading(tmp_path):
    for settings in ({}, {"hidden_width": 7}, OWN, {"hidden_width": 7, **OWN}):
        model = build_token_tagger(tok2vec=encoder(), **settings)
        assert not model.has_dim("nO")
        trained = built(**settings)
        trained.to_disk(tmp_path / "model")
        for loaded in (
            model.from_bytes(trained.to_bytes()),
            build_token_tagger(tok2vec=encoder(), **settings).from_disk(tmp_path / "model"),
            trained.copy(),
        ):
            assert loaded.get_dim("nO") == 5
            docs = make_docs(3)
            assert np.array_equal(loaded.predict(docs), trained.predict(docs))


def test_networks_saved_before_there_were_own_words_still_load():
    old = built()
    layer = old.layers[1]
    layer.shims[0].cfg = {"width": layer.shims[0].cfg["width"], "n_tags": 5}
    for attribute in ("private_width", "private_rows"):
        del old.attrs[attribute]
    model = build_token_tagger(tok2vec=encoder(), **OWN)
    model.from_bytes(old.to_bytes())
    assert np.array_equal(model.predict(make_docs(3)), old.predict(make_docs(3)))


def test_own_words_tell_tokens_apart_that_the_trunk_does_not():
    model = built(**OWN)
    for node in model.get_ref("tok2vec").walk():
        for name in node.param_names:
            node.set_param(name, node.get_param(name) * 0)
    first, second = model.predict([Doc(VOCAB, words=["Rome", "sleeps"])])
    assert not np.allclose(first, second)


@pytest.mark.parametrize(
    "setting", [{"private_width": -1}, {"private_rows": 0}, {"hidden_width": -2}]
)
def test_sizes_out_of_range_are_refused(setting):
    with pytest.raises(ValueError, match=f"'{next(iter(setting))}' of spacy_mtl.TokenTagger"):
        build_token_tagger(tok2vec=encoder(), **setting)


def test_tok2vec_can_be_found_and_replaced():
    model = built()
    tok2vec = model.get_ref("tok2vec")
    model.replace_node(tok2vec, tok2vec.copy())
    assert model.get_ref("tok2vec") is not tok2vec
    assert model.predict(make_docs(2)).shape == (2, 5)


def test_dropout_acts_in_training_only():
    model = built(hidden_width=7)
    docs = make_docs(6)
    plain = model.predict(docs)
    set_dropout_rate(model, 0.5)
    assert np.array_equal(model.predict(docs), plain)
    model.get_ref("tok2vec").attrs.pop("dropout_rate", None)
    first, second = (model.begin_update(docs)[0] for _ in range(2))
    assert not np.allclose(first, second)
    set_dropout_rate(model, 0.0)
    assert np.allclose(model.begin_update(docs)[0], plain, atol=1e-5)


@pytest.mark.parametrize("hidden_width", [0, 7])
def test_gradient_of_the_network(hidden_width):
    module = TagScorer(4, 3, hidden_width).double()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    names = [name for name, _ in module.named_parameters()]

    def forward(vectors, *parameters):
        own = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(module, own, (vectors, 0.0))

    vectors = torch.randn(5, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(forward, (vectors, *module.parameters()))


def test_gradient_reaches_the_vectors_of_each_document():
    arrays = [np.random.default_rng(0).normal(size=(n, 4)).astype("f") for n in (2, 0, 3)]
    received = []

    def forward(model, docs, is_train):
        return arrays, received.extend

    tok2vec = Model("fixed", forward, dims={"nO": 4})
    model = build_token_tagger(tok2vec=tok2vec, hidden_width=6)
    model.set_dim("nO", 3)
    model.initialize(X=make_docs(2, 0, 3))
    randomize(model)
    docs = make_docs(2, 0, 3)
    scores, backprop = model.begin_update(docs)
    d_scores = np.random.default_rng(1).normal(size=scores.shape).astype("f")
    backprop(d_scores)
    assert [len(gradient) for gradient in received] == [2, 0, 3]
    step = 1e-2
    for doc, token, column in ((0, 1, 2), (2, 2, 0)):
        sums = []
        for sign in (1, -1):
            arrays[doc][token, column] += sign * step
            sums.append(float((model.predict(docs) * d_scores).sum()))
            arrays[doc][token, column] -= sign * step
        expected = (sums[0] - sums[1]) / (2 * step)
        assert received[doc][token, column] == pytest.approx(expected, rel=0.02, abs=1e-3)


def test_width_of_an_encoder_that_does_not_say():
    tok2vec = Model(
        "silent", lambda model, docs, is_train: ([np.zeros((len(d), 9)) for d in docs], None)
    )
    assert output_width(tok2vec, make_docs(2)) == 9
    with pytest.raises(ValueError, match="'silent'.*at least one Doc"):
        output_width(tok2vec, None)
