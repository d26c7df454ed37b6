"""spaCy's tokenizer, quicker on words that it has not met yet."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import srsly
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.util import (
    compile_infix_regex,
    compile_prefix_regex,
    compile_suffix_regex,
    from_bytes,
    registry,
)
from spacy.vocab import Vocab

from ..util.serialization import ADVICE
from .lexemes import use_quick_getters
from .patterns import skip_letters, whole_search

METHODS = {  # the setting, the method of its pattern, and what that answers without a match
    "prefix_search": ("search", None),
    "suffix_search": ("search", None),
    "infix_finditer": ("finditer", ()),
    "token_match": ("match", None),
    "url_match": ("match", None),
}


@registry.tokenizers("spacy_mtl.FastTokenizer.v1")
def create_fast_tokenizer() -> Callable[[Language], "FastTokenizer"]:
    """Make the tokenizer of a pipeline, with the settings of its language, as
    `spacy.Tokenizer.v1` does.

    RETURNS (Callable[[Language], FastTokenizer]): Makes the tokenizer.
    """

    def make_tokenizer(nlp: Language) -> FastTokenizer:
        language = nlp.Defaults
        prefixes, suffixes, infixes = language.prefixes, language.suffixes, language.infixes
        return FastTokenizer(
            nlp.vocab,
            rules=language.tokenizer_exceptions,
            prefix_search=compile_prefix_regex(prefixes).search if prefixes else None,
            suffix_search=compile_suffix_regex(suffixes).search if suffixes else None,
            infix_finditer=compile_infix_regex(infixes).finditer if infixes else None,
            token_match=language.token_match,
            url_match=language.url_match,
        )

    return make_tokenizer


class FastTokenizer(Tokenizer):
    """A `Tokenizer` that finds the same tokens in less time.

    spaCy looks for prefixes, suffixes, infixes and URLs in each string between spaces that it has
    not met before. Their patterns mostly need a character that is no letter, which shows in their
    syntax (see `needs_other_than_letters`): in words of ASCII letters there is nothing to look for.
    Patterns of which that is not sure are used as they are. The vocabulary, too, finds the
    attributes of new words in less time (see `use_quick_getters`).
    """

    def __init__(
        self,
        vocab: Vocab,
        rules: dict[str, list[dict[int, str]]] | None = None,
        prefix_search: Callable[[str], Any] | None = None,
        suffix_search: Callable[[str], Any] | None = None,
        infix_finditer: Callable[[str], Any] | None = None,
        token_match: Callable[[str], Any] | None = None,
        url_match: Callable[[str], Any] | None = None,
        faster_heuristics: bool = True,
        max_cache_size: int = 10_000,
    ) -> None:
        """Create a tokenizer.

        vocab (Vocab): The vocabulary.
        rules (Optional[Dict[str, List[Dict[int, str]]]]): Exceptions.
        prefix_search (Optional[Callable[[str], Any]]): The `search` of a compiled pattern.
        suffix_search (Optional[Callable[[str], Any]]): The same.
        infix_finditer (Optional[Callable[[str], Any]]): The `finditer` of a compiled pattern.
        token_match (Optional[Callable[[str], Any]]): The `match` of a compiled pattern.
        url_match (Optional[Callable[[str], Any]]): The same.
        faster_heuristics (bool): See `spacy.tokenizer.Tokenizer`.
        max_cache_size (int): Strings whose tokens are kept.
        """
        use_quick_getters(vocab)
        searches = (prefix_search, suffix_search, infix_finditer, token_match, url_match)
        super().__init__(
            vocab,
            rules,
            *(
                skip_letters(search, otherwise)
                for search, (_, otherwise) in zip(searches, METHODS.values(), strict=True)
            ),
            faster_heuristics=faster_heuristics,
            max_cache_size=max_cache_size,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        searches = (
            whole_search(getattr(self, name), method) for name, (method, _) in METHODS.items()
        )
        settings = (self.faster_heuristics, self.max_cache_size)
        return type(self), (self.vocab, self.rules, *searches, *settings)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "FastTokenizer":
        """Load the tokenizer from disk.

        path (Union[str, Path]): The file.
        exclude (Iterable[str]): Names of parts to leave out.
        RETURNS (FastTokenizer): The tokenizer itself.
        RAISES (ValueError): If the file is missing, or is not that of a tokenizer.
        """
        try:
            data = Path(path).read_bytes()
            if not METHODS.keys() & srsly.msgpack_loads(data).keys():
                raise ValueError("it holds something else")
            self.from_bytes(data, exclude=exclude)
        except Exception as error:  # any: damaged bytes may say anything
            raise ValueError(
                f"The tokenizer can't be loaded: its file '{path}' is missing, truncated or not "
                f"that of a tokenizer ({type(error).__name__}: {error}). {ADVICE}"
            ) from error
        return self

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "FastTokenizer":
        """Load the tokenizer from bytes.

        bytes_data (bytes): What `to_bytes` gave, of this class or of spaCy's.
        exclude (Iterable[str]): Names of parts to leave out.
        RETURNS (FastTokenizer): The tokenizer itself.
        """
        exclude = tuple(exclude)
        super().from_bytes(bytes_data, exclude=(*exclude, "exceptions"))
        for name, (_, otherwise) in METHODS.items():
            setattr(self, name, skip_letters(getattr(self, name), otherwise))
        rules: list[Any] = []
        from_bytes(bytes_data, {"exceptions": rules.append}, exclude)
        if rules:
            self.rules = rules[0]  # last: spaCy tokenizes them
        return self
