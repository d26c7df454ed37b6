"""What spaCy's own trunk loses in silence, and this package's does not.

Each promise is checked on both: spaCy's `tok2vec` has to show the misbehaviour, so that a test says
so once it is mended there.
"""

import pytest
from spacy.training.initialize import init_nlp
from spacy.util import registry
from thinc.api import Config

from tests.trunk.pipelines import (
    EARLY_RETURNING,
    ENCODERS,
    FACTORIES,
    HEADS,
    OURS,
    STOCK,
    STOCK_ENCODER,
    TRUNK,
    gradient_norm,
    head_config,
    make_examples,
    make_nlp,
    parameters,
    run_loop,
    unannotated_for,
    update,
)


def first_head_for(last: str) -> str:
    """A head whose gradient must not depend on the last head."""
    return "tagger" if last == "textcat_multilabel" else "textcat_multilabel"


def assert_survives(factory: str, norm: float) -> None:
    if factory == OURS:
        assert norm > 0.01
    else:
        assert norm == 0.0


@pytest.mark.parametrize("last", EARLY_RETURNING)
@pytest.mark.parametrize("factory", FACTORIES)
def test_gradient_survives_when_last_head_skips_the_batch(factory, last):
    nlp = make_nlp(factory, ["textcat_multilabel", last])
    losses = update(nlp, unannotated_for(nlp, last))
    assert losses["textcat_multilabel"] > 0
    assert_survives(factory, gradient_norm(nlp))


@pytest.mark.parametrize("first", EARLY_RETURNING)
@pytest.mark.parametrize("factory", FACTORIES)
def test_gradient_arrives_when_another_than_the_last_head_skips_the_batch(factory, first):
    nlp = make_nlp(factory, [first, "textcat_multilabel"])
    update(nlp, unannotated_for(nlp, first))
    assert gradient_norm(nlp) > 0.01


@pytest.mark.parametrize("last", HEADS)
@pytest.mark.parametrize("factory", FACTORIES)
def test_gradient_survives_when_last_head_is_excluded(factory, last):
    nlp = make_nlp(factory, [first_head_for(last), last])
    update(nlp, make_examples(nlp), exclude=[last])
    assert_survives(factory, gradient_norm(nlp))


@pytest.mark.parametrize("last", HEADS)
@pytest.mark.parametrize("factory", FACTORIES)
def test_gradient_survives_when_last_head_is_disabled(factory, last):
    nlp = make_nlp(factory, [first_head_for(last), last])
    with nlp.select_pipes(disable=[last]):
        update(nlp, make_examples(nlp))
        assert_survives(factory, gradient_norm(nlp))


@pytest.mark.parametrize("last", HEADS)
@pytest.mark.parametrize("factory", FACTORIES)
def test_gradient_survives_when_last_head_raises(factory, last, monkeypatch):
    nlp = make_nlp(factory, [first_head_for(last), last])

    with monkeypatch.context() as patch:
        patch.setattr(nlp.get_pipe(last), "model", None)
        with pytest.raises(AttributeError):
            update(nlp, make_examples(nlp))
    assert_survives(factory, gradient_norm(nlp))


@registry.readers("test_trunk_examples")
def make_reader():
    return make_examples


FROZEN_LAST = """
[paths]
base = null

[nlp]
lang = "xx"
pipeline = ["tok2vec", "NEW", "LAST"]

[components]

[components.LAST]
source = ${paths.base}

[corpora]

[corpora.train]
@readers = "test_trunk_examples"

[corpora.dev]
@readers = "test_trunk_examples"

[training]
frozen_components = ["LAST"]
seed = 0
gpu_allocator = null
"""


def init_with_frozen_last(factory, last, base, trunk):
    new = first_head_for(last)
    text = FROZEN_LAST.replace("LAST", last).replace("NEW", new)
    config = Config().from_str(text, overrides={"paths.base": str(base)})
    config["components"][TRUNK] = trunk
    config["components"][new] = {"factory": new, **head_config(new)}
    return init_nlp(config)


@pytest.mark.parametrize("last", HEADS)
@pytest.mark.parametrize("factory", FACTORIES)
def test_sourced_trunk_trains_when_last_head_is_frozen(factory, last, tmp_path):
    make_nlp(factory, [last]).to_disk(tmp_path)
    nlp = init_with_frozen_last(factory, last, tmp_path, {"source": str(tmp_path)})
    before = parameters(nlp)
    run_loop(nlp, exclude=[last])
    assert (parameters(nlp) == before).all() == (factory == STOCK)


@pytest.mark.parametrize("last", ["ner", "tagger"])
@pytest.mark.parametrize("factory", FACTORIES)
def test_new_trunk_trains_when_last_head_is_frozen(factory, last, tmp_path):
    make_nlp(factory, [last]).to_disk(tmp_path)
    trunk = {"factory": factory, "model": ENCODERS[STOCK_ENCODER]}
    nlp = init_with_frozen_last(factory, last, tmp_path, trunk)
    before = parameters(nlp)
    run_loop(nlp, exclude=[last])
    assert (parameters(nlp) != before).any()
