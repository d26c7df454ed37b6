import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc
from thinc.api import Model, fix_random_seed, set_dropout_rate
from torch.nn.functional import gelu, relu

from spacy_mtl.models.heads.pair_query import PairQuery, PairScores, neighbours_of
from spacy_mtl.models.heads.role_labeler import build_role_labeler
from spacy_mtl.models.heads.role_scorers import (
    NEIGHBOUR_WIDTH,
    ArgumentScorer,
    PredicateDetector,
    pairs_of,
)
from spacy_mtl.models.layers import pairs as pair_training
from spacy_mtl.models.layers.torch_layer import build_module
from tests.native import each_way

WIDTH, N_ROLES, N_ROLESETS, REACH, WINDOW = 4, 2, 3, 3, 2
QUERY = PairQuery(
    predicates=np.array([1, 2, 4]),
    starts=np.array([0, 2, 2]),
    ends=np.array([3, 3, 6]),
    candidates=np.array([2, 0, 1]),
    candidate_predicates=np.array([0, 0, 2]),
)


@pytest.fixture(
    params=[(0, 0), (2, 0), (0, WINDOW)], ids=["plain", "with context", "with neighbours"]
)
def argument_scorer(request) -> ArgumentScorer:
    torch.manual_seed(0)
    return ArgumentScorer(WIDTH, N_ROLES, N_ROLESETS, 6, 3, REACH, *request.param).double()


@pytest.fixture
def tokens() -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(6, WIDTH, dtype=torch.float64, requires_grad=True)


def indices(query: PairQuery = QUERY, window: int = WINDOW) -> list[torch.Tensor]:
    return [
        torch.as_tensor(values)
        for values in (
            query.predicates,
            query.starts,
            query.n_pairs,
            query.candidates,
            query.candidate_predicates,
            neighbours_of(query, window),
        )
    ]


# Pairs


@pytest.mark.parametrize(
    ("starts", "ends"),
    [([0, 3], [3, 6]), ([2], [3]), ([], []), ([0, 0, 4], [9, 1, 4]), ([5, 1], [7, 4])],
)
def test_pairs_are_those_of_a_plain_loop(starts, ends):
    expected = [
        (predicate, token)
        for predicate, (start, end) in enumerate(zip(starts, ends, strict=True))
        for token in range(start, end)
    ]
    first, last = torch.tensor(starts, dtype=int), torch.tensor(ends, dtype=int)
    predicate, token = pairs_of(first, last - first)
    assert list(zip(predicate.tolist(), token.tolist(), strict=True)) == expected


def test_neighbours_are_those_within_the_range():
    assert neighbours_of(QUERY, 2).tolist() == [[-1, 0, 2, -1], [-1, -1, -1, -1], [2, 3, 5, -1]]
    assert neighbours_of(QUERY, 0).shape == (3, 0)


# The modules


def test_detector_numbers():
    module = PredicateDetector(2, 2)
    with torch.no_grad():
        module.hidden.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
        module.hidden.bias.copy_(torch.tensor([0.0, 1.0]))
        module.output.weight.copy_(torch.tensor([[2.0, 3.0]]))
        module.output.bias.copy_(torch.tensor([0.5]))
    scores = module(torch.tensor([[1.0, 2.0], [0.0, 0.0]]), 0.0)
    normal = torch.distributions.Normal(0.0, 1.0)
    phi = float(normal.cdf(torch.tensor(1.0)))  # gelu(x) = x * phi(x)
    expected = [2 * phi + 3 * -(1 - phi) + 0.5, 3 * phi + 0.5]
    assert scores[:, 0].tolist() == pytest.approx(expected, abs=1e-6)


def test_detector_gradient():
    torch.manual_seed(0)
    module = PredicateDetector(3, 4).double()
    tokens = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda values: module(values, 0.0), (tokens,))


def test_framer_scores_are_those_of_a_plain_loop(argument_scorer, tokens):
    tags, senses = argument_scorer(tokens, *indices(), 0.0)
    expected_tags, expected_senses = [], []
    for predicate, start, end in zip(QUERY.predicates, QUERY.starts, QUERY.ends, strict=True):
        pairs = [
            argument_scorer.predicate(tokens[predicate])
            + argument_scorer.token.weight @ tokens[token]
            + argument_scorer.distance.weight[token - predicate + REACH]
            for token in range(start, end)
        ]
        hidden = relu(torch.stack(pairs))
        for layer in argument_scorer.context:
            hidden = hidden + layer.norm(layer.lstm(hidden)[0])
        expected_tags.extend(argument_scorer.tag(hidden))
    for candidate, number in zip(QUERY.candidates, QUERY.candidate_predicates, strict=True):
        own = argument_scorer.roleset.weight[candidate]
        predicate = argument_scorer.sense(tokens[QUERY.predicates[number]])
        if argument_scorer.neighbour is not None:
            places = argument_scorer.neighbour_sense.weight.split(NEIGHBOUR_WIDTH, dim=1)
            for place, token in zip(places, neighbours_of(QUERY, WINDOW)[number], strict=True):
                if token >= 0:
                    predicate = predicate + place @ argument_scorer.neighbour(tokens[token])
        expected_senses.append(gelu(predicate) @ own[:-1] + own[-1])
    assert tags.shape == (8, 1 + N_ROLES + 1)
    assert senses.shape == (3, 1)
    assert torch.allclose(tags, torch.stack(expected_tags))
    assert torch.allclose(senses[:, 0], torch.stack(expected_senses))


@pytest.mark.parametrize("block_pairs", [1, 3, 1024])
def test_scores_of_prediction_in_blocks_are_those_of_training(
    argument_scorer, tokens, block_pairs, monkeypatch
):
    monkeypatch.setattr(pair_training, "BLOCK_PAIRS", block_pairs)
    trained = argument_scorer(tokens, *indices(), 0.0)
    with torch.inference_mode():
        predicted = argument_scorer(tokens, *indices(), 0.0)
    for own, expected in zip(predicted, trained, strict=True):
        assert len(own) == len(expected) and own.shape[1] >= expected.shape[1]
        assert torch.allclose(own[:, : expected.shape[1]], expected)  # more mean nothing


@each_way
@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize(("width", "n_roles"), [(6, 1), (16, 9), (20, 51), (128, 90)])
def test_scores_of_prediction_are_those_of_training(width, n_roles, n_threads):
    random = np.random.default_rng(0)
    predicates = np.sort(random.integers(0, 300, 70))
    starts = np.maximum(predicates - random.integers(0, 9, 70), 0)
    ends = np.minimum(predicates + random.integers(0, 9, 70), 300)  # some ranges are empty
    none = np.zeros(0, dtype=int)
    rows = indices(PairQuery(predicates, starts, ends, none, none))
    module = ArgumentScorer(WIDTH, n_roles, 1, width, 3, 9, 0, 0)
    vectors = torch.randn(300, WIDTH)
    expected, _ = module(vectors, *rows, 0.0)
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        with torch.inference_mode():
            found, _ = module(vectors, *rows, 0.0)
    finally:
        torch.set_num_threads(before)
    assert len(found) == len(expected) > 300
    torch.testing.assert_close(found[:, : 2 + n_roles], expected.detach(), atol=1e-5, rtol=1e-5)


@each_way
def test_changed_weights_count_at_once():
    module = ArgumentScorer(WIDTH, N_ROLES, N_ROLESETS, 6, 3, REACH, 0, 0)
    vectors = torch.randn(6, WIDTH)

    def scores():
        with torch.inference_mode():
            return module(vectors, *indices(), 0.0)[0][:, : 2 + N_ROLES].clone()

    before = scores()
    with torch.no_grad():
        module.tag.weight += 1.0
        module.tag.bias -= 2.0
    expected, _ = module(vectors, *indices(), 0.0)
    assert not torch.allclose(scores(), before)
    torch.testing.assert_close(scores(), expected.detach())


def test_framer_gradient(argument_scorer, tokens):
    names, parameters = zip(*argument_scorer.named_parameters(), strict=True)

    def scores(values, *weights):
        given = dict(zip(names, weights, strict=True))
        return torch.func.functional_call(argument_scorer, given, (values, *indices(), 0.0))

    assert torch.autograd.gradcheck(scores, (tokens, *parameters))


@pytest.mark.parametrize("window", [0, 1])
def test_a_neighbour_can_tell_the_roleset_of_the_same_predicate_vector(window):
    torch.manual_seed(0)
    module = ArgumentScorer(3, N_ROLES, 2, 6, 4, REACH, 0, window)
    tokens = torch.eye(3)[[0, 1, 0, 2]]  # one predicate twice, each time with another particle
    starts, at = np.array([0, 2]), np.array([0, 1])
    query = PairQuery(starts, starts, starts + 2, np.tile(at, 2), np.repeat(at, 2))
    rows = indices(query, window)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
    for _ in range(60):
        scores = module(tokens, *rows, 0.0)[1].view(2, 2)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(scores, torch.tensor([0, 1])).backward()
        optimizer.step()
    if window:
        assert scores.argmax(1).tolist() == [0, 1]
    else:
        assert torch.equal(scores[0], scores[1])


def test_every_parameter_of_the_argument_scorer_gets_a_gradient(argument_scorer, tokens):
    tags, senses = argument_scorer(tokens, *indices(), 0.0)
    (tags.square().sum() + senses.square().sum()).backward()
    assert all(parameter.grad.any() for parameter in argument_scorer.parameters())


def test_tokens_out_of_range_get_no_gradient(argument_scorer):
    tokens = torch.randn(8, WIDTH, dtype=torch.float64, requires_grad=True)
    tags, senses = argument_scorer(tokens, *indices(), 0.0)
    (tags.sum() + senses.sum()).backward()
    assert tokens.grad[:6].any(dim=1).all()
    assert not tokens.grad[6:].any()


def test_dropout_is_for_training_only(argument_scorer, tokens):
    argument_scorer.train()
    dropped = argument_scorer(tokens, *indices(), 0.5)[0]
    argument_scorer.eval()
    plain = argument_scorer(tokens, *indices(), 0.0)[0]
    assert torch.equal(argument_scorer(tokens, *indices(), 0.5)[0], plain)
    assert not torch.allclose(dropped, plain)


def test_detector_dropout_is_for_training_only(tokens):
    module = PredicateDetector(WIDTH, 50).double()
    module.train()
    dropped = module(tokens, 0.5)
    module.eval()
    assert torch.equal(module(tokens, 0.5), module(tokens, 0.0))
    assert not torch.allclose(dropped, module(tokens, 0.0))


# The thinc layers


def fixed_vectors(docs):
    return [np.arange(len(doc) * WIDTH, dtype="f").reshape(-1, WIDTH) / 10 for doc in docs]


@pytest.fixture(params=[0, WINDOW], ids=["predicate only", "with neighbours"])
def model(request) -> Model:
    fix_random_seed(0)

    def forward(model, docs, is_train):
        return fixed_vectors(docs), lambda gradient: model.attrs["seen"].append(gradient) or []

    tok2vec = Model("fixed", forward, dims={"nO": WIDTH}, attrs={"seen": []})
    model = build_role_labeler(
        tok2vec=tok2vec,
        hidden_width=5,
        sense_width=3,
        max_distance=REACH,
        sense_window=request.param,
    )
    model.attrs["sense_window"] = request.param  # for those that build its like
    model.initialize(X=[])
    build_module(model.get_ref("detector"), width=WIDTH)
    build_module(
        model.get_ref("argument_scorer"), width=WIDTH, n_roles=N_ROLES, n_rolesets=N_ROLESETS
    )
    return model


def like(model: Model, **settings) -> Model:
    """A model of the same sizes, not built yet."""
    return build_role_labeler(
        tok2vec=model.get_ref("tok2vec").copy(),
        hidden_width=5,
        sense_width=3,
        max_distance=REACH,
        sense_window=model.attrs["sense_window"],
        **settings,
    )


def docs_of(*lengths: int) -> list[Doc]:
    nlp = spacy.blank("en")
    return [Doc(nlp.vocab, words=["word"] * length) for length in lengths]


def test_model_scores_tokens_and_sends_the_gradient_to_its_documents(model):
    docs = docs_of(2, 0, 3)
    scores, backprop = model.begin_update(docs)
    assert scores.shape == (5, 1)
    backprop(np.array([[0], [1], [0], [0], [0]], dtype="f"))
    first, none, last = model.get_ref("tok2vec").attrs["seen"][0]
    assert not first[0].any() and first[1].any()
    assert none.shape == (0, WIDTH)
    assert not last.any()


def test_argument_scorers_backward_is_that_of_autograd(model):
    argument_scorer = model.get_ref("argument_scorer")
    vectors = np.random.default_rng(0).normal(size=(6, WIDTH)).astype("f")
    scores, backprop = argument_scorer.begin_update((vectors, QUERY))
    rng = np.random.default_rng(1)
    d_tags = rng.normal(size=scores.tags.shape).astype("f")
    d_senses = rng.normal(size=scores.senses.shape).astype("f")
    d_tokens = backprop(PairScores(d_tags, d_senses))
    module = argument_scorer.shims[0]._model
    tokens = torch.tensor(vectors, requires_grad=True)
    tags, senses = module(tokens, *indices(), 0.0)
    assert np.allclose(scores.tags, tags.detach())
    assert np.allclose(scores.senses, senses.detach())
    (tags * torch.tensor(d_tags)).sum().add((senses * torch.tensor(d_senses)).sum()).backward()
    assert np.allclose(d_tokens, tokens.grad, atol=1e-6)


def test_layers_predict_the_same_whatever_the_dropout_rate(model):
    vectors = np.random.default_rng(0).normal(size=(6, WIDTH)).astype("f")
    detector, argument_scorer = model.get_ref("detector"), model.get_ref("argument_scorer")
    expected = detector.predict(vectors), argument_scorer.predict((vectors, QUERY))
    trained = detector.begin_update(vectors)[0]
    assert np.allclose(trained, expected[0])
    set_dropout_rate(model, 0.5)
    assert np.array_equal(detector.predict(vectors), expected[0])
    scores = argument_scorer.predict((vectors, QUERY))
    assert np.array_equal(scores.tags, expected[1].tags)
    assert np.array_equal(scores.senses, expected[1].senses)
    assert not np.allclose(detector.begin_update(vectors)[0], trained)


def test_no_candidates_are_no_scores(model):
    query = PairQuery(
        np.array([1]), np.array([0]), np.array([3]), np.zeros(0, dtype=int), np.zeros(0, dtype=int)
    )
    scores = model.get_ref("argument_scorer").predict((np.ones((3, WIDTH), dtype="f"), query))
    assert scores.tags.shape[0] == 3 and scores.tags.shape[1] >= 1 + N_ROLES + 1
    assert scores.senses.shape == (0, 1)


def test_max_distance_must_be_positive():
    with pytest.raises(ValueError, match="max_distance is 0; it must be at least 1"):
        build_role_labeler(tok2vec=Model("none", lambda m, X, t: (X, None)), max_distance=0)


def test_sense_window_must_not_be_negative():
    with pytest.raises(ValueError, match="sense_window is -1; it must be 0"):
        build_role_labeler(tok2vec=Model("none", lambda m, X, t: (X, None)), sense_window=-1)


def test_bytes_keep_the_scores(model):
    docs = docs_of(3)
    expected = model.predict(docs)
    blank = like(model)
    blank.from_bytes(model.to_bytes())
    assert np.array_equal(blank.predict(docs), expected)
    vectors = np.ones((6, WIDTH), dtype="f")
    scores = blank.get_ref("argument_scorer").predict((vectors, QUERY))
    saved = model.get_ref("argument_scorer").predict((vectors, QUERY))
    assert np.array_equal(scores.tags, saved.tags)
    assert np.array_equal(scores.senses, saved.senses)
