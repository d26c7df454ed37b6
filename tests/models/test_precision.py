import numpy as np
import pytest
import torch
from thinc.api import fix_random_seed

from spacy_mtl.models import precision as precision_module
from spacy_mtl.models.attention import build_hash_embed_attention
from spacy_mtl.models.bilstm import build_hash_embed_bilstm
from spacy_mtl.models.cnn import build_hash_embed_cnn
from spacy_mtl.models.doc_encoder import torch_module

from .encoding import make_docs

BUILDERS = [build_hash_embed_cnn, build_hash_embed_bilstm, build_hash_embed_attention]


@pytest.mark.parametrize("build", BUILDERS)
def test_precision_can_change_after_training(build, monkeypatch):
    monkeypatch.setattr(precision_module, "has_fast_bfloat16", lambda: True)
    docs = make_docs()[:4]
    trained = build(width=16, depth=2, embed_size=50)
    trained.initialize(X=docs)
    half = build(width=16, depth=2, embed_size=50, precision="bfloat16")
    half.from_bytes(trained.to_bytes())
    assert all(p.dtype == torch.float32 for p in torch_module(half).parameters())
    ours, full = half.predict(docs), trained.predict(docs)
    assert ours[0].dtype == np.float32
    assert 1e-4 < np.abs(ours[0] - full[0]).max() < 0.1


@pytest.mark.parametrize("build", BUILDERS)
def test_training_in_bfloat16_is_near_that_in_float32(build, monkeypatch):
    monkeypatch.setattr(precision_module, "has_fast_bfloat16", lambda: True)
    docs = make_docs()[:4]
    outputs, gradients = [], []
    for precision in ("float32", "bfloat16"):
        fix_random_seed(0)
        model = build(width=16, depth=2, embed_size=50, precision=precision)
        model.initialize(X=docs)
        vectors, backprop = model.begin_update(docs)
        random = np.random.RandomState(0)
        backprop([random.normal(size=rows.shape).astype("f") for rows in vectors])
        outputs.append(np.concatenate(vectors))
        parameters = torch_module(model).named_parameters()
        gradients.append({name: parameter.grad for name, parameter in parameters})
    assert 1e-4 < np.abs(outputs[0] - outputs[1]).max() < 0.1
    for name, full in gradients[0].items():
        half = gradients[1][name]
        assert half.dtype == torch.float32
        assert (half - full).norm() < 0.15 * full.norm(), name


def test_processor_without_bfloat16_uses_float32_and_says_so(monkeypatch):
    monkeypatch.setattr(precision_module, "has_fast_bfloat16", lambda: False)
    with pytest.warns(UserWarning, match="using float32"):
        assert precision_module.product_dtype("bfloat16") == torch.float32


def test_unknown_precision_is_named():
    with pytest.raises(ValueError, match="float8"):
        build_hash_embed_cnn(precision="float8")
