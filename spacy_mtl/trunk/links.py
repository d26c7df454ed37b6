"""Which trunk a component reads, and whether it can."""

from typing import Any

from spacy import ty
from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d


@registry.architectures("spacy_mtl.TrunkListener.v1")
def build_trunk_listener(
    width: int | None = None, upstream: str = "*"
) -> Model[list[Doc], list[Floats2d]]:
    """Build a listener that takes the width of the trunk that it finds.

    It is spaCy's `Tok2VecListener`, whose width need not be named.

    width (Optional[int]): The width that the trunk must have; any where None.
    upstream (str): The trunk's name; "*" for any.
    RETURNS (Model[List[Doc], List[Floats2d]]): The listener.
    """
    return Tok2VecListener(upstream_name=upstream, width=width)  # type: ignore[arg-type]


def take_width(listener: Model[Any, Any], trunk: Model[Any, Any]) -> None:
    """Give a listener the width of its trunk, where it has none yet.

    listener (Model): The listener.
    trunk (Model): The trunk's network. Nothing happens while it does not know its width.
    """
    if listener.has_dim("nO") is None and trunk.has_dim("nO"):
        listener.set_dim("nO", trunk.get_dim("nO"))


def find_trunks(nlp: Language, name: str) -> list[str]:
    """Find the trunks that a component reads.

    nlp (Language): The pipeline.
    name (str): The component.
    RETURNS (List[str]): Their names.
    """
    trunks = [_trunk_of(nlp, name, listener) for listener in _find_listeners(nlp, name)]
    return list(dict.fromkeys(trunk for trunk in trunks if trunk is not None))


def connect_to_trunks(nlp: Language, name: str) -> None:
    """Make sure that a component has the trunks that it reads, and give its listeners their widths.

    nlp (Language): The pipeline.
    name (str): The component.
    RAISES (ValueError): If a trunk is missing or comes behind the component, or nobody says how
        wide its output is.
    """
    for listener in _find_listeners(nlp, name):
        trunk = _trunk_of(nlp, name, listener)
        if trunk is None:
            raise ValueError(_no_trunk_message(nlp, name, listener.upstream_name))
        if not isinstance(listener, Tok2VecListener):  # those of transformers find it themselves
            continue
        take_width(listener, dict(nlp.components)[trunk].model)  # type: ignore[attr-defined]
        if listener.has_dim("nO") is None:
            raise ValueError(
                f"The trunk '{trunk}' does not say how wide its output is. Set "
                f"[components.{name}.model.tok2vec] width."
            )


def _find_listeners(nlp: Language, name: str) -> list[Any]:
    model = getattr(dict(nlp.components)[name], "model", None)
    if not isinstance(model, Model):
        return []
    return [node for node in model.walk() if hasattr(node, "upstream_name")]


def _trunk_of(nlp: Language, name: str, listener: Any) -> str | None:
    """The name of the nearest trunk before a component that its listener can read."""
    before = nlp.component_names[: nlp.component_names.index(name)]
    matching = [trunk for trunk in _find_all_trunks(nlp) if listener.upstream_name in ("*", trunk)]
    return next((trunk for trunk in reversed(before) if trunk in matching), None)


def _find_all_trunks(nlp: Language) -> list[str]:
    return [name for name, part in nlp.components if isinstance(part, ty.ListenedToComponent)]


def _no_trunk_message(nlp: Language, name: str, upstream: str) -> str:
    trunks = _find_all_trunks(nlp)
    found = [trunk for trunk in trunks if upstream in ("*", trunk)]
    reads = f"Component '{name}' reads the vectors of a trunk"
    if found:
        return (
            f"{reads}, but '{found[0]}' comes behind it. Put '{found[0]}' before '{name}': in "
            f'[nlp] pipeline, or with nlp.add_pipe(..., before="{name}").'
        )
    if trunks:
        return (
            f"{reads} named '{upstream}', but the pipeline has only {', '.join(map(repr, trunks))}."
            f' Set [components.{name}.model.tok2vec] upstream = "{trunks[0]}", or "*" for any.'
        )
    return (
        f"{reads}, but the pipeline has none: {', '.join(nlp.component_names)}. Add one, such as "
        f'nlp.add_pipe("mtl_tok2vec", before="{name}"), or give \'{name}\' a network of its own in '
        f"[components.{name}.model.tok2vec]."
    )
