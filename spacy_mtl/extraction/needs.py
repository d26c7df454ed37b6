"""What a component of a pipeline needs of the components before it."""

from collections.abc import Iterable, Sequence
from typing import Any

from spacy import ty
from spacy.language import Language

from ..trunk.links import find_trunks

TOKENS = "the tokens"
ENTITIES = frozenset({"doc.ents", "token.ent_iob", "token.ent_type"})
SENTENCES = frozenset({"doc.sents", "token.is_sent_start"})
SPANS = frozenset({"doc.spans"})
WORD_CLASSES = frozenset({"token.tag", "token.pos", "token.morph"})
SYNTAX = frozenset({"token.dep", "token.head"})
ANYTHING = ENTITIES | SENTENCES | SPANS | WORD_CLASSES | SYNTAX | {"doc.cats", "token.lemma"}

# What factories read of a document beside what they declare in `requires`. Those that are not here
# may read anything.
READS: dict[str, frozenset[str]] = {
    "mtl_tok2vec": frozenset(),
    "tok2vec": frozenset(),
    "transformer": frozenset(),
    "curated_transformer": frozenset(),
    "mtl_ner": ENTITIES,
    "mtl_textcat": frozenset(),
    "mtl_srl": SENTENCES,
    "mtl_regression": frozenset(),
    "mtl_syntax": frozenset(),
    "mtl_language_model": frozenset(),
    "mtl_fast_ner": ENTITIES | SENTENCES,
    "mtl_fast_parser": SENTENCES | SYNTAX,
    "ner": ENTITIES | SENTENCES,
    "beam_ner": ENTITIES | SENTENCES,
    "parser": SENTENCES | SYNTAX,
    "beam_parser": SENTENCES | SYNTAX,
    "tagger": frozenset({"token.tag"}),
    "morphologizer": frozenset({"token.pos", "token.morph"}),
    "senter": SENTENCES,
    "sentencizer": SENTENCES,
    "textcat": frozenset(),
    "textcat_multilabel": frozenset(),
    "spancat": SPANS,
    "spancat_singlelabel": SPANS,
    "span_finder": SPANS,
    "trainable_lemmatizer": frozenset({"token.lemma"}),
    "lemmatizer": WORD_CLASSES | {"token.lemma"},
    "mtl_fast_lemmatizer": WORD_CLASSES | {"token.lemma"},
    "entity_linker": ENTITIES | SENTENCES,
}
# What factories write that do not declare it.
WRITES: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        ("attribute_ruler", "mtl_fast_attribute_ruler"),
        WORD_CLASSES | SYNTAX | SENTENCES | {"token.lemma"},
    ),
    "doc_cleaner": frozenset(),
    "mtl_syntax": frozenset(),
    "mtl_language_model": frozenset(),
}
# What networks read if their embedding layers list these attributes.
ATTRS = {
    "TAG": "token.tag",
    "POS": "token.pos",
    "MORPH": "token.morph",
    "LEMMA": "token.lemma",
    "DEP": "token.dep",
    "ENT_TYPE": "token.ent_type",
    "ENT_IOB": "token.ent_iob",
    "SENT_START": "token.is_sent_start",
}


def find_reasons(nlp: Language, heads: Iterable[str]) -> dict[str, str]:
    """Find the components that heads need for the same predictions, trunks among them.

    nlp (Language): The pipeline.
    heads (Iterable[str]): The heads.
    RETURNS (Dict[str, str]): By component, why it is needed, in words.
    """
    reasons: dict[str, str] = {}
    pending = list(dict.fromkeys(heads))
    kept = set(pending)
    while pending:
        name = pending.pop(0)
        needed = {trunk: f"the trunk of '{name}'" for trunk in find_trunks(nlp, name)}
        for other in nlp.component_names[: nlp.component_names.index(name)]:
            common = _writes(nlp, other) & _reads(nlp, name)
            if common and other not in nlp.disabled:
                needed.setdefault(other, f"'{name}' reads {', '.join(sorted(common))}")
        for other, reason in needed.items():
            if other not in kept:
                kept.add(other)
                pending.append(other)
                reasons[other] = reason
    return reasons


def _reads(nlp: Language, name: str) -> set[str]:
    meta = nlp.get_pipe_meta(name)
    own = {TOKENS, *meta.requires, *READS.get(meta.factory, ANYTHING)}
    own |= getattr(nlp.get_pipe(name), "reads", frozenset())
    attrs = _listed_attrs(nlp.get_pipe_config(name))
    return own | {ATTRS[attr] for attr in attrs if attr in ATTRS}


def _writes(nlp: Language, name: str) -> set[str]:
    meta = nlp.get_pipe_meta(name)
    if isinstance(dict(nlp.components)[name], ty.ListenedToComponent):
        return set()
    declared = WRITES.get(meta.factory, frozenset(meta.assigns))
    if not declared and meta.factory not in WRITES:
        declared = ANYTHING
    return {*declared, TOKENS} if meta.retokenizes else set(declared)


def _listed_attrs(config: Any) -> list[str]:
    """RETURNS (List[str]): All that the settings `attrs` of a config list, at any depth."""
    if isinstance(config, dict):
        own = config.get("attrs")
        found = [str(attr) for attr in own] if isinstance(own, Sequence) else []
        return found + [attr for part in config.values() for attr in _listed_attrs(part)]
    return []
