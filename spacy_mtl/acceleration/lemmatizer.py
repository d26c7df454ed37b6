"""The factory `mtl_fast_lemmatizer`: spaCy's lemmatizer, which looks at each word once."""

from collections.abc import Callable
from typing import Any

from spacy.language import Language
from spacy.pipeline import Lemmatizer
from spacy.util import registry
from thinc.api import Model

STOCK = "lemmatizer"
INDEX = "lemma_index"  # the table of base forms, a list for each part of speech
_OF_WORD_ALONE = {  # lemmatizers that look at nothing but text, part of speech and morphology
    "spacy.pipeline.lemmatizer",
    *(f"spacy.lang.{lang}.lemmatizer" for lang in ("ca", "el", "en", "fr", "it", "mk", "nl", "pl")),
}


class IndexedList(list[str]):
    """A list that tells whether it holds a word without going through all of its items."""

    _items: frozenset[str] = frozenset()
    _n_items = -1

    def __contains__(self, item: object) -> bool:
        if len(self) != self._n_items:
            self._items, self._n_items = frozenset(self), len(self)
        return item in self._items


class CachedLemmas:
    """A lemmatizer's `lemmatize`, with a cache and with base forms that are found by hash.

    spaCy goes through the list of all base forms for each form that a rule gives. It keeps the
    lemmas that rules give, but not those of base forms, of which it looks up the morphology each
    time. As with its own cache, changes of the tables do not concern words that were met before.
    """

    def __init__(self, lemmatizer: Lemmatizer) -> None:
        """Create the cache.

        lemmatizer (Lemmatizer): Finds the lemmas.
        """
        self.lemmatizer = lemmatizer
        self.lemmatize = lemmatizer.lemmatize
        self.lemmas: dict[tuple[int, int, int], list[str]] = {}
        self._index: Any = None

    def __call__(self, token: Any) -> list[str]:
        """Find the lemmas of a token.

        token (Token): The token.
        RETURNS (List[str]): Its lemmas.
        """
        key = (token.orth, token.pos, token.morph.key)
        lemmas = self.lemmas.get(key)
        if lemmas is None:
            self._use_index()
            lemmas = self.lemmatize(token)
            if token.pos:  # else it warns each time
                self.lemmas[key] = lemmas
        return lemmas

    def _use_index(self) -> None:
        lookups = self.lemmatizer.lookups
        if not lookups.has_table(INDEX) or lookups.get_table(INDEX) is self._index:
            return
        self._index = lookups.get_table(INDEX)
        for pos, forms in list(self._index.items()):
            if type(forms) is list:
                self._index[pos] = IndexedList(forms)


def why_not_cached(lemmatizer: Any) -> str | None:
    """Tell whether a lemmatizer's lemmas depend on more than the word.

    lemmatizer (Lemmatizer): The lemmatizer.
    RETURNS (Optional[str]): Why its lemmas can't be kept, None if they can.
    """
    if type(lemmatizer).__module__ in _OF_WORD_ALONE:
        return None
    return f"lemmas of {type(lemmatizer).__name__} may depend on more than word, POS and MORPH"


@Language.factory(
    "mtl_fast_lemmatizer",
    assigns=["token.lemma"],
    default_config={
        "model": None,
        "mode": "lookup",
        "overwrite": False,
        "scorer": {"@scorers": "spacy.lemmatizer_scorer.v1"},
    },
    default_score_weights={"lemma_acc": 1.0},
)
def make_fast_lemmatizer(
    nlp: Language,
    model: Model | None,
    name: str,
    mode: str,
    overwrite: bool,
    scorer: Callable | None,
) -> Lemmatizer:
    """Create the lemmatizer of the pipeline's language; the settings are those of spaCy's factory
    `lemmatizer`.

    nlp (Language): The pipeline.
    model (Optional[Model]): Not used.
    name (str): The component's name.
    mode (str): The language's mode, such as "rule" or "lookup".
    overwrite (bool): Whether to overwrite lemmas that are set.
    scorer (Optional[Callable]): The scoring method.
    RETURNS (Lemmatizer): The component.
    """
    of_language = nlp.get_factory_name(STOCK)
    make = registry.factories.get(of_language if of_language in registry.factories else STOCK)
    lemmatizer: Lemmatizer = make(
        nlp=nlp, model=model, name=name, mode=mode, overwrite=overwrite, scorer=scorer
    )
    if why_not_cached(lemmatizer) is None:
        lemmatizer.lemmatize = CachedLemmas(lemmatizer)
    return lemmatizer
