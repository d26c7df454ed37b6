"""Several corpora as one."""

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from ..util.messages import warn
from ..util.settings import NO_ENTRIES
from .annotations import Selection, find_labels, find_rolesets, kinds_of_pipeline, select_tasks
from .faults import FaultReport
from .mixture_table import SourceSummary, count_all_units, render_mixture
from .sampling import Sampler, Sampling, documents_per_pass
from .source import Source, advise

NAME = "spacy_mtl.MixedCorpus.v1"
INIT_SAMPLE = 100  # the documents from which spaCy initializes where [training] max_epochs = -1
LOOK_AHEAD = 1000
# By pipeline, what was printed: `spacy train` makes one reader to initialize and one to train.
_SHOWN_TABLES: WeakKeyDictionary[Language, set[str]] = WeakKeyDictionary()


@registry.readers(NAME)
def create_mixed_corpus(
    sources: dict[str, Any],
    sampling: Sampling = "proportional",
    exponent: float = 1.0,
    final_exponent: float = 0.0,
    anneal_over: int = 0,
    ratios: dict[str, float] = NO_ENTRIES,
    tasks: dict[str, list[str]] = NO_ENTRIES,
    streamed: list[str] | None = None,
    sizes: dict[str, int] = NO_ENTRIES,
    pass_length: int = 0,
    max_length: int = 0,
    seed: int = 0,
    show_table: bool = True,
    skip_malformed: bool = False,
) -> "MixedCorpus":
    """Create a reader that mixes several corpora, each with its own annotation.

    sources (Dict[str, Callable[[Language], Iterable[Example]]]): Any readers, by a name of your
        choice.
    sampling (str): What share of the documents each source gives: "proportional" (to its size),
        "uniform", "temperature" (size to the power `exponent`), "annealed" (the exponent moves) or
        "ratios". See `Sampler`.
    exponent (float): For "temperature" and the start of "annealed".
    final_exponent (float): For the end of "annealed".
    anneal_over (int): Over how many documents given out "annealed" goes to its end.
    ratios (Dict[str, float]): For "ratios", by source.
    tasks (Dict[str, List[str]]): By source, the only tasks that may learn from it: names
        of components, or kinds of annotation (entities, categories, roles, spans, tags, morphs,
        lemmas, deps, sents, links; text: plain words, for a language model). All other annotation
        is removed. A source that is not named keeps all it has.
    streamed (Optional[List[str]]): The sources that are too large for memory: they are read as they
        are needed, in their own order. All others are read once and kept.
    sizes (Dict[str, int]): The number of documents of streamed sources, for the kinds of
        sampling that depend on it.
    pass_length (int): The number of documents of one pass (an epoch, for spaCy). 0 makes it the
        shortest in which every document of the sources in memory is given at least once.
    max_length (int): Documents of more tokens are split at sentence boundaries, with all their
        annotation; 0 never splits.
    seed (int): Seed of order and sampling.
    show_table (bool): Print what the mixture holds when it is first read for a pipeline.
    skip_malformed (bool): Leave out annotation that a component of the pipeline can't learn from,
        such as frames whose arguments overlap, with a warning; instead of an error, which counts
        all of it in the sources that are not streamed.
    RETURNS (MixedCorpus): The reader.
    RAISES (ValueError): If settings contradict each other or name no source.
    """
    sampler = Sampler(sampling, exponent, final_exponent, anneal_over, dict(ratios))
    return MixedCorpus(
        sources,
        sampler,
        tasks=tasks,
        streamed=streamed or [],
        sizes=sizes,
        pass_length=pass_length,
        max_length=max_length,
        seed=seed,
        show_table=show_table,
        skip_malformed=skip_malformed,
    )


class MixedCorpus:
    """A reader of several sources, whose documents come in random order, all sources mixed.

    Each call gives one pass. Where spaCy streams (`[training] max_epochs = -1`) there is one call
    for each epoch; streams go on where the pass before left off. Where it does not, there is a
    single call, and spaCy keeps and shuffles what it gave.
    """

    def __init__(
        self,
        readers: Mapping[str, Callable[[Language], Iterable[Example]]],
        sampler: Sampler,
        *,
        tasks: Mapping[str, Sequence[str]],
        streamed: Sequence[str],
        sizes: Mapping[str, int],
        pass_length: int,
        max_length: int,
        seed: int,
        show_table: bool,
        skip_malformed: bool,
    ) -> None:
        """Check the settings; nothing is read yet. See `create_mixed_corpus`."""
        self.readers = dict(readers)
        self.sampler = sampler
        self.tasks = {name: list(names) for name, names in tasks.items()}
        self.streamed = list(streamed)
        self.sizes = dict(sizes)
        self.pass_length = pass_length
        self.max_length = max_length
        self.seed = seed
        self.show_table = show_table
        self.skip_malformed = skip_malformed
        self._sources: dict[str, Source] = {}
        self._nlp: Language | None = None
        self._n_passes = 0
        self._n_drawn = 0
        self._check_settings()

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Give one pass.

        nlp (Language): The pipeline.
        YIELDS (Example): Examples of all sources, mixed.
        RAISES (ValueError): If a source can't be read or is empty, or the settings do not fit the
            pipeline.
        """
        if nlp is not self._nlp:
            self._start(nlp)
            self._nlp = nlp  # not before: what could not be read is tried again
        if self.streamed and _max_epochs(nlp, self._config_key(nlp)) not in (None, -1):
            yield from self._read_once(nlp)
        else:
            yield from self._mix(nlp)

    def _start(self, nlp: Language) -> None:
        key = self._config_key(nlp)
        max_epochs = _max_epochs(nlp, key)
        if self.sampler.kind == "annealed" and max_epochs not in (None, -1):
            raise ValueError(
                f"[{key}] sampling is 'annealed', but [training] max_epochs is {max_epochs}: spaCy "
                "then reads the corpus once and shuffles it, so that nothing could change over "
                "time. Set max_epochs = -1, or another sampling."
            )
        self._nlp = None
        self._n_passes = self._n_drawn = 0
        self._sources = {
            name: Source(
                name,
                reader,
                f"{key}.sources.{name}",
                is_streamed=name in self.streamed,
                skip_malformed=self.skip_malformed,
            )
            for name, reader in self.readers.items()
        }
        if self.streamed and max_epochs not in (None, -1):
            warn(
                f"[{key}] streamed names {', '.join(self.streamed)}, but [training] max_epochs is "
                f"{max_epochs}: every source is read to its end, and `spacy train` keeps all of it "
                "in memory. Set max_epochs = -1 to stream (`spacy init labels` reads all labels "
                "like this, and needs no memory for it)."
            )
            return
        report = FaultReport(nlp)
        for name, source in self._sources.items():
            source.open(nlp, self.max_length, self._selection(nlp, name), report)
        report.finish(advise(key))
        if self.show_table:
            self._show_table(nlp)

    def _read_once(self, nlp: Language) -> Iterator[Example]:
        report = FaultReport(nlp)
        for name, source in self._sources.items():
            yield from source.read(nlp, self.max_length, self._selection(nlp, name), report)
        report.finish(advise(self._config_key(nlp)))

    def _mix(self, nlp: Language) -> Iterator[Example]:
        generator = random.Random(f"{self.seed} {self._n_passes}")
        is_first = self._n_passes == 0
        if not self._is_partial():
            for source in self._sources.values():
                source.start_round(generator)
        first = self._label_cover(nlp) if is_first else []
        n_drawn_before = self._n_drawn
        drawn: list[tuple[Source, Example]] = []
        finished = False
        try:
            for name in itertools.chain(first, self._order(generator, first)):
                source = self._sources[name]
                example = source.draw(generator)
                if is_first and len(drawn) < LOOK_AHEAD:
                    drawn.append((source, example))
                self._n_drawn += 1
                yield example
            finished = True
        finally:
            if finished:
                self._n_passes += 1
            elif is_first and self._n_drawn - n_drawn_before == len(drawn):
                self._put_back(drawn)  # a look at the first documents only, to initialize
                self._n_drawn = n_drawn_before

    def _order(self, generator: random.Random, taken: Sequence[str]) -> Iterator[str]:
        """The sources of the documents to come, one pass of them."""
        per_pass = self._documents_per_pass()
        if per_pass is None:
            names = list(self._sources)
            while True:
                shares = self._shares()
                yield from generator.choices(names, [shares[name] for name in names])
        elif self.sampler.kind == "annealed":
            names = list(self._sources)
            for _ in range(sum(per_pass.values()) - len(taken)):
                shares = self._shares()
                yield from generator.choices(names, [shares[name] for name in names])
        else:
            remaining = [
                name for name, number in per_pass.items() for _ in range(number - taken.count(name))
            ]
            generator.shuffle(remaining)
            yield from remaining

    def _put_back(self, drawn: Sequence[tuple[Source, Example]]) -> None:
        for source in self._sources.values():
            source.put_back([example for owner, example in drawn if owner is source])

    def _shares(self) -> dict[str, float]:
        return self.sampler.shares(self._sizes(), self._n_drawn)

    def _sizes(self) -> dict[str, int]:
        """Documents by source; 1 for streams whose size is not known and not needed."""
        return {
            name: self.sizes.get(name, 1) if source.is_streamed else len(source.examples)
            for name, source in self._sources.items()
        }

    def _loaded_sizes(self) -> dict[str, int]:
        return {name: n for name, n in self._sizes().items() if name not in self.streamed}

    def _documents_per_pass(self) -> dict[str, int] | None:
        """Documents of each source in one pass; None where a pass has no end."""
        shares = self._shares()
        if self.pass_length:
            return documents_per_pass(self._sizes(), shares, self.pass_length)
        loaded = self._loaded_sizes()
        if not loaded:
            return None
        if self.sampler.kind == "annealed":
            return {name: max(1, round(sum(loaded.values()) * shares[name])) for name in shares}
        known = documents_per_pass(loaded, shares, 0)
        total = max(number / shares[name] for name, number in known.items())
        return {name: known.get(name, max(1, round(total * shares[name]))) for name in shares}

    def _is_partial(self) -> bool:
        """Whether a pass may leave documents for the next one."""
        return bool(self.pass_length) or self.sampler.kind == "annealed"

    def _label_cover(self, nlp: Language) -> list[str]:
        """Let the first document with each label come first, where spaCy will look at no more than
        the first documents to find labels. Rolesets, which can be thousands, come after all other
        labels, as far as spaCy will look.

        RETURNS (List[str]): The sources of these documents, in the order they come.
        """
        key = self._config_key(nlp)
        if not self.streamed and _max_epochs(nlp, key) != -1:
            return []
        label_covers, roleset_covers = [], []
        for name, source in self._sources.items():
            ahead = source.peek(LOOK_AHEAD) if source.is_streamed else source.examples
            for_labels = _with_new(find_labels, ahead)
            for_rolesets = _with_new(find_rolesets, ahead, for_labels)
            if not source.is_streamed and self._is_partial() and not self._n_drawn:
                source.start_round(random.Random(f"{self.seed} {name}"))
            source.bring_forward([*for_labels, *for_rolesets])
            label_covers.append([name] * len(for_labels))
            roleset_covers.append([name] * len(for_rolesets))
        n_for_labels = sum(map(len, label_covers))
        order = [*_in_turn(label_covers), *_in_turn(roleset_covers)]
        if len(order) > INIT_SAMPLE and _max_epochs(nlp, key) == -1:
            warn(
                f"[{key}] {len(order)} documents are needed to see every label, but with "
                f"[training] max_epochs = -1 spaCy initializes from {INIT_SAMPLE}. Run `spacy init "
                "labels CONFIG FOLDER --training.max_epochs 1` and name its files in "
                "[initialize.components]."
            )
        order = order[: max(INIT_SAMPLE, n_for_labels)]
        per_pass = self._documents_per_pass()
        if per_pass is None:
            return order
        return [name for i, name in enumerate(order) if order[:i].count(name) < per_pass[name]]

    def _selection(self, nlp: Language, name: str) -> Selection | None:
        if name not in self.tasks:
            return None
        return select_tasks(nlp, self.tasks[name], f"{self._config_key(nlp)}.tasks.{name}")

    def _show_table(self, nlp: Language) -> None:
        table = self._render_table(nlp)
        shown = _SHOWN_TABLES.setdefault(nlp, set())
        if table not in shown:
            shown.add(table)
            print(table, flush=True)

    def _render_table(self, nlp: Language) -> str:
        shares = self._shares()
        per_pass = self._documents_per_pass()
        summaries = []
        for name, source in self._sources.items():
            known = source.peek(LOOK_AHEAD) if source.is_streamed else source.examples
            summaries.append(
                SourceSummary(
                    name,
                    n_documents=len(known),
                    is_streamed=source.is_streamed,
                    n_empty=source.n_empty,
                    share=shares[name],
                    n_words=sum(len(example.reference) for example in known),
                    per_pass=None if per_pass is None else per_pass[name],
                    units=count_all_units(known),
                )
            )
        lines = [f"[{self._config_key(nlp)}] {NAME}, sampling = {self.sampler.kind}"]
        lines.append(render_mixture(summaries, kinds_of_pipeline(nlp)))
        if self.streamed:
            lines.append(f"+: streamed; counted in its first {LOOK_AHEAD} documents at most.")
        return "\n".join(lines)

    def _config_key(self, nlp: Language) -> str:
        """Where this reader stands in the pipeline's config, as far as can be told."""
        for name, block in nlp.config.get("corpora", {}).items():
            if _describes(block, self.readers):
                return f"corpora.{name}"
        return "corpora"

    def _check_settings(self) -> None:
        if not self.readers:
            raise ValueError(f"{NAME}: there are no sources. Add blocks [corpora.*.sources.NAME].")
        self.sampler.check(list(self.readers), "corpora")
        named = {"tasks": self.tasks, "streamed": self.streamed, "sizes": self.sizes}
        for setting, names in named.items():
            for name in names:
                if name not in self.readers:
                    raise ValueError(
                        f"{NAME}: {setting} names '{name}', but the sources are "
                        f"{', '.join(self.readers)}."
                    )
        for name, reader in self.readers.items():
            if not callable(reader):
                raise ValueError(
                    f"[corpora.*.sources.{name}] must be a reader, with a setting @readers; found "
                    f"{reader!r:.80}."
                )
        for name in self.sizes:
            if name not in self.streamed:
                raise ValueError(f"{NAME}: sizes names '{name}', which is not streamed: remove it.")
        missing = [name for name in self.streamed if name not in self.sizes]
        if missing and self.sampler.needs_sizes:
            raise ValueError(
                f'{NAME}: sampling = "{self.sampler.kind}" depends on sizes, but that of the '
                f"streamed source '{missing[0]}' is not known. Set it in sizes, or set sampling to "
                "uniform or ratios."
            )
        for setting, value in [("pass_length", self.pass_length), ("max_length", self.max_length)]:
            if value < 0:
                raise ValueError(f"{NAME}: {setting} is {value}; set 0 or more.")


def _with_new(
    find: Callable[[Doc], set[tuple[str, Any]]],
    examples: Sequence[Example],
    taken: Sequence[Example] = (),
) -> list[Example]:
    """RETURNS (List[Example]): The examples with labels that none before it has, nor those taken
    already."""
    known = set().union(*(find(example.reference) for example in taken))
    chosen = []
    for example in examples:
        labels = find(example.reference)
        if not labels <= known:
            chosen.append(example)
            known |= labels
    return chosen


def _in_turn(lists: Sequence[Sequence[str]]) -> list[str]:
    items = itertools.chain.from_iterable(itertools.zip_longest(*lists))
    return [item for item in items if item is not None]


def _max_epochs(nlp: Language, config_key: str) -> int | None:
    """What `spacy train` was told; None where this reader is not part of the pipeline's config."""
    if config_key == "corpora":
        return None
    return nlp.config.get("training", {}).get("max_epochs")


def _describes(block: Any, readers: Mapping[str, Any]) -> bool:
    return (
        isinstance(block, Mapping)
        and block.get("@readers") == NAME
        and set(block.get("sources", {})) == set(readers)
    )
