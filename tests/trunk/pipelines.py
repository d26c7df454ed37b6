"""Tiny pipelines, examples and measurements shared by the tests of the trunk."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.loop import train_while_improving
from spacy.util import registry
from thinc.api import Optimizer, fix_random_seed

WIDTH = 16
TRUNK = "tok2vec"
STOCK, OURS = "tok2vec", "mtl_tok2vec"
FACTORIES = [STOCK, OURS]
HEADS = [
    "ner",
    "parser",
    "tagger",
    "morphologizer",
    "senter",
    "textcat",
    "textcat_multilabel",
    "spancat",
]
EARLY_RETURNING = ["ner", "parser", "spancat"]

ENCODERS: dict[str, dict[str, Any]] = {
    "spacy.HashEmbedCNN.v2": {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "width": WIDTH,
        "depth": 1,
        "embed_size": 100,
        "window_size": 1,
        "maxout_pieces": 2,
        "subword_features": True,
        "pretrained_vectors": None,
    },
    "spacy_mtl.HashEmbedCNN.v1": {
        "@architectures": "spacy_mtl.HashEmbedCNN.v1",
        "width": WIDTH,
        "depth": 1,
        "embed_size": 100,
        "window_size": 1,
        "maxout_pieces": 2,
        "subword_features": True,
        "pretrained_vectors": None,
    },
    "spacy.Tok2Vec.v2": {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": WIDTH,
            "attrs": ["NORM", "SUFFIX"],
            "rows": [100, 100],
            "include_static_vectors": False,
        },
        "encode": {
            "@architectures": "spacy.MaxoutWindowEncoder.v2",
            "width": WIDTH,
            "window_size": 1,
            "maxout_pieces": 2,
            "depth": 1,
        },
    },
}
STOCK_ENCODER = "spacy.HashEmbedCNN.v2"

ANNOTATIONS: list[dict[str, Any]] = [
    {
        "words": ["Ada", "likes", "London", ".", "She", "walks", "."],
        "tags": ["N", "V", "N", "P", "R", "V", "P"],
        "pos": ["PROPN", "VERB", "PROPN", "PUNCT", "PRON", "VERB", "PUNCT"],
        "morphs": ["Number=Sing", "", "Number=Sing", "", "", "", ""],
        "heads": [1, 1, 1, 1, 5, 5, 5],
        "deps": ["nsubj", "ROOT", "obj", "punct", "nsubj", "ROOT", "punct"],
        "sent_starts": [1, -1, -1, -1, 1, -1, -1],
        "entities": ["U-PER", "O", "U-LOC", "O", "O", "O", "O"],
        "spans": {"sc": [(0, 3, "PER"), (10, 16, "LOC")]},
        "cats": {"GOOD": 1.0, "BAD": 0.0},
    },
    {
        "words": ["Bob", "hates", "rain", ".", "He", "sleeps", "."],
        "tags": ["N", "V", "N", "P", "R", "V", "P"],
        "pos": ["PROPN", "VERB", "NOUN", "PUNCT", "PRON", "VERB", "PUNCT"],
        "morphs": ["Number=Sing", "", "", "", "", "", ""],
        "heads": [1, 1, 1, 1, 5, 5, 5],
        "deps": ["nsubj", "ROOT", "obj", "punct", "nsubj", "ROOT", "punct"],
        "sent_starts": [1, -1, -1, -1, 1, -1, -1],
        "entities": ["U-PER", "O", "O", "O", "O", "O", "O"],
        "spans": {"sc": [(0, 3, "PER")]},
        "cats": {"GOOD": 0.0, "BAD": 1.0},
    },
    {
        "words": ["Paris", "smells", "nice", "."],
        "tags": ["N", "V", "J", "P"],
        "pos": ["PROPN", "VERB", "ADJ", "PUNCT"],
        "morphs": ["Number=Sing", "", "", ""],
        "heads": [1, 1, 1, 1],
        "deps": ["nsubj", "ROOT", "obj", "punct"],
        "sent_starts": [1, -1, -1, -1],
        "entities": ["U-LOC", "O", "O", "O"],
        "spans": {"sc": [(0, 5, "LOC")]},
        "cats": {"GOOD": 1.0, "BAD": 0.0},
    },
]


def head_config(name: str, width: int = WIDTH, upstream: str = "*") -> dict[str, Any]:
    """The settings of a small built-in head behind a trunk.

    name (str): The head's factory.
    width (int): The width that its listener expects.
    upstream (str): The trunk that its listener names.
    RETURNS (Dict[str, Any]): The settings.
    """
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": width, "upstream": upstream}
    if name in ("ner", "parser"):
        model = {
            "@architectures": "spacy.TransitionBasedParser.v2",
            "state_type": name,
            "extra_state_tokens": False,
            "hidden_width": 16,
            "maxout_pieces": 2,
            "use_upper": True,
        }
    elif name.startswith("textcat"):
        model = {
            "@architectures": "spacy.TextCatReduce.v1",
            "exclusive_classes": name == "textcat",
            "use_reduce_first": False,
            "use_reduce_last": False,
            "use_reduce_max": False,
            "use_reduce_mean": True,
        }
    elif name == "spancat":
        model = {
            "@architectures": "spacy.SpanCategorizer.v1",
            "reducer": {"@layers": "spacy.mean_max_reducer.v1", "hidden_size": 16},
            "scorer": {"@layers": "spacy.LinearLogistic.v1", "nO": None, "nI": None},
        }
    else:
        model = {"@architectures": "spacy.Tagger.v2"}
    config: dict[str, Any] = {"model": {**model, "tok2vec": listener}}
    if name == "parser":
        config["min_action_freq"] = 1
    if name == "spancat":
        config["suggester"] = {"@misc": "test_suggester"}
    return config


@registry.misc("test_suggester")
def make_suggester() -> Any:
    """Suggest single tokens, but none in documents with a word "nothing"."""
    suggest_tokens = registry.misc.get("spacy.ngram_suggester.v1")(sizes=[1])

    def suggest(docs: Sequence[Doc], *, ops: Any = None) -> Any:
        if any(token.text == "nothing" for doc in docs for token in doc):
            docs = [doc[:0].as_doc() for doc in docs]
        return suggest_tokens(docs, ops=ops)

    return suggest


def make_nlp(
    factory: str,
    heads: Sequence[str],
    *,
    encoder: str = STOCK_ENCODER,
    initialize: bool = True,
    balancer: dict[str, Any] | None = None,
    seed: int = 0,
) -> Language:
    """A trunk and heads, the heads named like their factories.

    factory (str): The trunk's factory.
    heads (Sequence[str]): The heads' factories.
    encoder (str): The trunk's network.
    initialize (bool): Whether to initialize the pipeline on `make_examples`.
    balancer (Optional[Dict[str, Any]]): Settings of StaticWeights, for the trunk of this package;
        where None, gradients are added as they are.
    seed (int): Seed of the initial weights, the same for each component whatever its position.
    RETURNS (Language): The pipeline.
    """
    fix_random_seed(seed)
    nlp = spacy.blank("xx")
    config: dict[str, Any] = {"model": ENCODERS[encoder]}
    if factory == OURS:
        config["balancer"] = {
            "@misc": "spacy_mtl.StaticWeights.v1",
            **({"per_unit": False} if balancer is None else balancer),
        }
    nlp.add_pipe(factory, name=TRUNK, config=config)
    for head in heads:
        nlp.add_pipe(head, config=head_config(head))
    if initialize:
        nlp.initialize(lambda: make_examples(nlp))
        settle_weights(nlp, seed)
    return nlp


def settle_weights(nlp: Language, seed: int = 0) -> None:
    """Give all parameters values that depend on nothing but the component's name and `seed`, and
    none that is zero: a head whose last layer is zero sends no gradient to the trunk.
    """
    for name, component in nlp.pipeline:
        if not hasattr(component, "model"):
            continue
        random = np.random.RandomState(sum(map(ord, name)) + seed)
        for node in component.model.walk():
            for param in node.param_names:
                if node.has_param(param):
                    shape = node.get_param(param).shape
                    node.set_param(param, random.normal(0, 0.3, shape).astype("f"))
            for shim in node.shims:
                for tensor in shim._model.parameters():
                    values = random.normal(0, 0.3, tuple(tensor.shape)).astype("f")
                    tensor.data = torch.from_numpy(values)


def make_examples(nlp: Language, keep: Iterable[str] | None = None) -> list[Example]:
    """The annotated documents.

    nlp (Language): The pipeline.
    keep (Optional[Iterable[str]]): The annotations to keep besides the words; all where None.
    RETURNS (List[Example]): The examples.
    """
    kept = None if keep is None else {"words", *keep}
    return [
        make_example(
            nlp, **{key: value for key, value in gold.items() if kept is None or key in kept}
        )
        for gold in ANNOTATIONS
    ]


def make_example(nlp: Language, words: Sequence[str], **gold: Any) -> Example:
    """One example with tokenized text and some annotation."""
    return Example.from_dict(Doc(nlp.vocab, words=words), {"words": words, **gold})


def unannotated_for(nlp: Language, head: str) -> list[Example]:
    """A batch with categories and tags that makes a head return early."""
    examples = make_examples(nlp, keep=["cats", "tags"])
    if head == "spancat":
        words = ["nothing", "here"]
        examples.append(make_example(nlp, words, tags=["N", "N"], cats=ANNOTATIONS[0]["cats"]))
    return examples


class Recorder:
    """In the place of an optimizer: keeps the gradients, changes no parameter."""

    learn_rate = 0.0

    def __init__(self) -> None:
        self.gradients: list[np.ndarray] = []
        self.owners: list[int] = []

    def __call__(
        self, key: Any, weights: np.ndarray, gradient: np.ndarray, **kwargs: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        self.gradients.append(np.array(gradient).ravel())
        self.owners.append(key[0])
        gradient *= 0.0
        return weights, gradient

    @property
    def flat(self) -> np.ndarray:
        """All gradients as one vector, empty where no parameter has one."""
        return np.concatenate([np.zeros(0, dtype="f"), *self.gradients])

    def of(self, component: Any) -> np.ndarray:
        """The gradients of one component as one vector."""
        own = {node.id for node in component.model.walk()}
        own |= {shim.id for node in component.model.walk() for shim in node.shims}
        pairs = zip(self.gradients, self.owners, strict=True)
        return np.concatenate([np.zeros(0, dtype="f"), *[g for g, owner in pairs if owner in own]])


def take_gradient(nlp: Language, name: str = TRUNK) -> np.ndarray:
    """Call a component's `finish_update` as `spacy train` does, and return the gradients that the
    optimizer gets, as one vector.
    """
    recorder = Recorder()
    nlp.get_pipe(name).finish_update(recorder)
    return recorder.flat


def gradient_norm(nlp: Language, name: str = TRUNK) -> float:
    """The norm of what `take_gradient` returns."""
    return float(np.linalg.norm(take_gradient(nlp, name)))


def update(nlp: Language, examples: list[Example], **kwargs: Any) -> dict[str, float]:
    """One `nlp.update` as `spacy train` does it, without an optimizer.

    Seeds the random numbers: `ner` and `parser` use a little dropout whatever they are told.
    """
    fix_random_seed(0)
    losses: dict[str, float] = {}
    nlp.update(examples, sgd=False, losses=losses, **kwargs)  # type: ignore[arg-type]
    return losses


def train(nlp: Language, examples: list[Example], sgd: Optimizer, **kwargs: Any) -> None:
    """One training step as `spacy train` does it."""
    update(nlp, examples, **kwargs)
    exclude = kwargs.get("exclude", ())
    for name, component in nlp.pipeline:
        if name not in exclude and getattr(component, "is_trainable", False):
            component.finish_update(sgd)


def parameters(nlp: Language, name: str = TRUNK) -> np.ndarray:
    """All parameters of a component as one vector."""
    parts = []
    for node in nlp.get_pipe(name).model.walk():
        parts.extend(node.get_param(param) for param in node.param_names if node.has_param(param))
        for shim in node.shims:
            parts.extend(p.detach().numpy() for p in shim._model.parameters())
    return np.concatenate([np.array(part).ravel() for part in parts])


def annotations(doc: Doc) -> dict[str, Any]:
    """What a pipeline predicted for a document."""
    return {
        "tensor": np.asarray(doc.tensor).round(4).tolist(),
        "tokens": [
            (t.tag_, t.pos_, str(t.morph), t.dep_, t.head.i, t.is_sent_start, t.ent_type_)
            for t in doc
        ],
        "ents": [(ent.start, ent.end, ent.label_) for ent in doc.ents],
        "spans": [(s.start, s.end, s.label_) for s in doc.spans.get("sc", [])],
        "cats": {label: round(score, 4) for label, score in doc.cats.items()},
    }


def predict(nlp: Language, **kwargs: Any) -> list[dict[str, Any]]:
    """The predictions for the words of the annotated documents."""
    docs = [Doc(nlp.vocab, words=gold["words"]) for gold in ANNOTATIONS]
    return [annotations(doc) for doc in nlp.pipe(docs, **kwargs)]


def count_backward(nlp: Language) -> list[int]:
    """Count the backward passes of the trunk's network from now on.

    nlp (Language): The pipeline.
    RETURNS (List[int]): Gets the number of documents of each batch that is passed back.
    """
    model = nlp.get_pipe(TRUNK).model
    forward = model._func
    calls: list[int] = []

    def counted(model: Any, docs: Any, is_train: bool) -> Any:
        outputs, backprop = forward(model, docs, is_train)

        def counted_backprop(gradient: Any) -> Any:
            calls.append(len(docs))
            return backprop(gradient)

        return outputs, counted_backprop

    model._func = counted
    return calls


def run_loop(nlp: Language, exclude: Sequence[str] = (), **kwargs: Any) -> list[Any]:
    """Two steps of the loop of `spacy train` on the annotated documents, without dropout.

    nlp (Language): The pipeline.
    exclude (Sequence[str]): The frozen components.
    **kwargs: Arguments of `train_while_improving` with other values.
    RETURNS (List[Tuple[List[Example], Dict[str, Any], Optional[bool]]]): What the loop yields.
    """
    settings: dict[str, Any] = {
        "dropout": 0.0,
        "eval_frequency": 100,
        "accumulate_gradient": 1,
        "patience": 0,
        "max_steps": 2,
        "annotating_components": [],
        "before_update": None,
        **kwargs,
    }
    return list(
        train_while_improving(
            nlp,
            nlp.create_optimizer(),
            [(0, make_examples(nlp)), (1, make_examples(nlp))],
            lambda: (0.0, {}),
            exclude=list(exclude),
            **settings,
        )
    )
