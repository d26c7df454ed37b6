import numpy as np
import pytest
import torch

from spacy_mtl.models import precision as precision_module
from spacy_mtl.models.attention import build_hash_embed_attention
from spacy_mtl.models.bilstm import build_hash_embed_bilstm
from spacy_mtl.models.cnn import build_hash_embed_cnn
from spacy_mtl.models.doc_encoder import torch_module

from .encoding import assert_close, make_docs

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
    assert_close(half.begin_update(docs)[0], full)


def test_processor_without_bfloat16_uses_float32_and_says_so(monkeypatch):
    monkeypatch.setattr(precision_module, "has_fast_bfloat16", lambda: False)
    with pytest.warns(UserWarning, match="using float32"):
        assert precision_module.product_dtype("bfloat16") == torch.float32


def test_unknown_precision_is_named():
    with pytest.raises(ValueError, match="float8"):
        build_hash_embed_cnn(precision="float8")
