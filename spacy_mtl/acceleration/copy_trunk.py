"""The callback `spacy_mtl.copy_trunk.v1`: begin with the weights of a trained pipeline's trunk."""

from collections.abc import Callable
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.util import load_model, registry
from thinc.api import Config, Model

from ..models.encoders.stock_weights import load_stock_weights
from .trunks import ARCHITECTURE, encoder_nodes, encoder_settings

PLACE = "[initialize.after_init]"
CNN = "hash_embed_cnn"  # the name of its networks


@registry.callbacks("spacy_mtl.copy_trunk.v1")
def create_copy_trunk(
    source: str, component: str = "tok2vec", trunk: str = "tok2vec"
) -> Callable[[Language], None]:
    """Create a callback for `[initialize.after_init]` that gives a trunk the weights of a CNN of
    spaCy, so that components of its pipeline go on as they were behind the new trunk.

    What the CNN reads must be the same, too: `spacy.copy_from_base_model.v1` in
    `[initialize.before_init]` copies tokenizer, norms and vectors.

    source (str): Name or folder of the trained pipeline.
    component (str): The component there that has the CNN.
    trunk (str): The component here that gets the weights. Its network is a
        `spacy_mtl.HashEmbedCNN.v1` with the same settings.
    RETURNS (Callable[[Language], None]): The callback.
    """

    def copy_trunk(nlp: Language) -> None:
        base = load_model(source)
        node = _find_encoder(base, source, component)
        model = _find_trunk(nlp, trunk).model
        settings = encoder_settings(node)
        if settings["include_static_vectors"] and not _same_vectors(nlp, base):
            raise ValueError(
                f"{PLACE} The CNN of '{component}' in '{source}' reads its pipeline's vectors, "
                "which differ here. Copy them by `spacy.copy_from_base_model.v1` in "
                f'[initialize.before_init], with vocab = "{source}".'
            )
        try:
            load_stock_weights(model, node)
        except ValueError as error:
            block: dict[str, Any] = {"@architectures": ARCHITECTURE, **settings}
            lines = Config({"model": block}).to_str().replace("[model]", "").strip()
            raise ValueError(
                f"{PLACE} '{trunk}' can't get the weights of '{component}' in '{source}': {error} "
                f"The settings there, for [components.{trunk}.model]:\n{lines}"
            ) from error
        _link_heads(nlp, trunk)

    return copy_trunk


def _find_encoder(base: Language, source: str, component: str) -> Model[Any, Any]:
    components: dict[str, Any] = dict(base.components)
    if component not in components:
        raise ValueError(
            f"{PLACE} '{source}' has no component '{component}', only {', '.join(components)}."
        )
    model = getattr(components[component], "model", None)
    nodes = encoder_nodes(model) if isinstance(model, Model) else []
    if len(nodes) != 1:
        raise ValueError(
            f"{PLACE} '{component}' in '{source}' has {len(nodes)} encoders of spaCy. Give the "
            "component whose network is a CNN of spaCy, mostly 'tok2vec'."
        )
    return nodes[0]


def _find_trunk(nlp: Language, trunk: str) -> Any:
    if trunk not in nlp.pipe_names:
        raise ValueError(
            f"{PLACE} No component '{trunk}' is initialized here, only "
            f"{', '.join(nlp.pipe_names)}. Set trunk to the name of an mtl_tok2vec that is neither "
            "sourced nor frozen."
        )
    component: Any = nlp.get_pipe(trunk)
    name = getattr(getattr(component, "model", None), "name", None)
    if name != CNN:
        raise ValueError(
            f"{PLACE} The network of '{trunk}' is '{name}'. Only that of a {ARCHITECTURE} can get "
            "the weights of a CNN."
        )
    return component


def _link_heads(nlp: Language, trunk: str) -> None:
    """Connect all heads with the trunk. `Language.initialize` connects only those that it does not
    leave out, such as the new ones; sourced heads that go on learning need the trunk too."""
    component = _find_trunk(nlp, trunk)
    component.listener_map = {}
    for name, head in nlp.components:
        if name != trunk:
            component.find_listeners(head)


def _same_vectors(nlp: Language, base: Language) -> bool:
    ours, theirs = nlp.vocab.vectors, base.vocab.vectors
    return bool(
        ours.shape == theirs.shape
        and np.array_equal(ours.data, theirs.data)
        and list(ours.key2row) == list(theirs.key2row)
    )
