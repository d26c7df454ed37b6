"""The measurements, section by section."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

from thinc.api import Config
from tqdm import tqdm
from wasabi import msg

from .corpora import SpeedCorpus, write_relabelled
from .fresh import in_fresh_process
from .machine import describe_machine
from .results import Results, Run
from .systems import (
    FIRST_PASS,
    LATER_PASSES,
    NER_ALONE,
    OUR_CNN,
    RECIPES,
    ROLES_ALONE,
    STOCK,
    SWITCHED,
    SYSTEMS,
    THREE_RAW,
    THREE_TOKENIZED,
    WORKLOADS,
    System,
    TrunkSize,
    Workload,
    config_of,
)
from .text import TextStream, Tokens, Window, of_length, tokens_of
from .worker import Worker

SECTIONS = ("predict", "cores", "train", "memory", "load", "length", "batch", "labels")
LENGTHS = (20, 100, 500, 2000, 20_000)
BATCH_SIZES = (1, 8, 64, 512)
LABELS = (4, 50, 200)
WORDS_IN_BATCH = 5000  # where the length of documents varies
SHORT = 20  # tokens of a document where the batch size varies
CHECK_WORDS = 2000
TRUNK_TOLERANCE = 1e-4
N_PROCESS = 2
BATCHES_OF_A_PROCESS = 4  # at least, with several
READ_AHEAD = 2  # batches, so that the trunk's thread seldom waits for the heads'


@dataclass(frozen=True)
class Options:
    """What to measure, and how much of it.

    config (Path): The config of this package's pipeline.
    cache (Path): The folder of the pipelines trained for the benchmark.
    only (Tuple[str, ...]): The sections to measure.
    rounds (int): Rounds on the first corpus; the others get at most `few_rounds`.
    few_rounds (int): Rounds of the sections other than prediction.
    words (int): Tokens of each measurement.
    growth_words (int): Tokens of each measurement of growth.
    core_words (int): Tokens of each measurement with several cores.
    steps (int): Training steps of each pipeline before it is timed.
    label_steps (int): Training steps where the number of labels varies.
    batch_size (int): Documents in a batch.
    threads (int): Threads of each process.
    loads (int): How many new processes load each pipeline.
    size (TrunkSize): The size of the stock trunk and of our CNN.
    textcat (str): The stock text classifier.
    models (Dict[str, Path]): Trained pipelines to use, by "stock" and "shipped".
    """

    config: Path
    cache: Path
    only: tuple[str, ...]
    rounds: int
    few_rounds: int
    words: int
    growth_words: int
    core_words: int
    steps: int
    label_steps: int
    batch_size: int
    threads: int
    loads: int
    size: TrunkSize
    textcat: str
    models: dict[str, Path] = field(default_factory=dict)


class Runner:
    """Makes all measurements that the options ask for.

    options (Options): What to measure.
    corpora (Sequence[SpeedCorpus]): The corpora. Prediction is measured on all of them, the rest
        on the first.
    output (Path): The JSON file that gets the results, again and again as they come.
    """

    def __init__(self, options: Options, corpora: Sequence[SpeedCorpus], output: Path) -> None:
        self.options = options
        self.corpora = corpora
        self.output = output
        self.results = Results(
            machine=describe_machine(),
            settings=json.loads(json.dumps(asdict(options), default=str)),
        )

    def run(self) -> Results:
        """Measure everything.

        RETURNS (Results): What was found.
        """
        self._measure_products()
        for number, corpus in enumerate(self.corpora):
            stream = TextStream(tokens_of(corpus.docs))
            self.results.corpora[corpus.name] = {
                "words": stream.n_words,
                "distinct": stream.n_distinct,
                **corpus.gold_counts(),
            }
            models = {name: self._model(name, corpus) for name in ("stock", "cnn", "shipped")}
            if number == 0:
                self._measure_all(corpus, stream, models)
            elif "predict" in self.options.only:
                with self._crew(models) as crew:
                    self._predict(corpus, stream, crew, self.options.few_rounds)
            self.results.to_disk(self.output)
        return self.results

    def _measure_all(
        self, corpus: SpeedCorpus, stream: TextStream, models: dict[str, Path]
    ) -> None:
        only = self.options.only
        if {"predict", "cores", "length", "batch"} & set(only):
            with self._crew(models) as crew:
                if "predict" in only:
                    self._predict(corpus, stream, crew, self.options.rounds)
                self._grow(corpus, stream, crew)
                if "cores" in only:
                    self._use_cores(corpus, stream, crew, models)
        if "train" in only:
            self._train(corpus, models)
        self._start_afresh(corpus, stream, models)
        if "labels" in only:
            self._vary_labels(corpus, stream)

    # Preparation

    def _config(self, model: str, steps: int) -> Config:
        options = self.options
        return config_of(model, options.config, options.size, options.textcat, steps)

    def _model(self, model: str, corpus: SpeedCorpus) -> Path:
        if model in self.options.models:
            return self.options.models[model]
        return self._trained(model, corpus.name, corpus.train, self.options.steps)

    def _trained(self, model: str, name: str, train: Path, steps: int) -> Path:
        """A pipeline trained for the benchmark, kept for the next time."""
        config = self._config(model, steps)
        key = crc32(train.read_bytes(), crc32(config.to_bytes()))
        path = self.options.cache / f"{name}-{model}-{steps}-{key:08x}"
        if not (path / "config.cfg").is_file():
            msg.info(f"Training {model} on {name} for {steps} steps: {path}")
            with _workers(1, use_blis=False) as worker:
                worker.call("train_pipeline", config, train, steps, path)
        return path

    @contextmanager
    def _crew(self, models: dict[str, Path]) -> Iterator[dict[System, Worker]]:
        """A process with a loaded pipeline for each system."""
        crew = {
            system: Worker(self.options.threads, system.use_blis, system.is_compiled)
            for system in SYSTEMS
        }
        try:
            for system, worker in crew.items():
                _load(worker, models[system.model], system)
            yield crew
        finally:
            for worker in crew.values():
                worker.close()

    def _measure_products(self) -> None:
        with _workers(self.options.threads) as worker:
            self.results.machine["gflops"] = worker.call("product_rates")

    # Sections

    def _check(self, corpus: SpeedCorpus, stream: TextStream, crew: dict[System, Worker]) -> None:
        """See that each system does what its name says, and warm it up."""
        docs = stream.take(CHECK_WORDS).docs
        products: dict[str, Any] = {}
        for system, worker in crew.items():
            pipes = WORKLOADS[0].pipes(system)
            products[system.name] = worker.call("count_products", docs, pipes)
        used = products[STOCK.name]["blis"], products[SWITCHED.name]["numpy"]
        if not all(used) or products[STOCK.name]["numpy"] or products[SWITCHED.name]["blis"]:
            raise RuntimeError(f"The stock rows do not use the product they name: {products}")
        checks: dict[str, Any] = {"products": products}
        if "stock" not in self.options.models:
            size = self.options.size.settings()
            difference = crew[STOCK].call("compare_trunks", docs, size)
            if difference > TRUNK_TOLERANCE:
                raise RuntimeError(
                    f"Our CNN with stock weights differs from stock by {difference}, more than "
                    f"{TRUNK_TOLERANCE}: the trunks are not the same, and not to be compared."
                )
            checks["trunk_difference"] = difference
        self.results.checks[corpus.name] = checks

    def _predict(
        self, corpus: SpeedCorpus, stream: TextStream, crew: dict[System, Worker], rounds: int
    ) -> None:
        self._check(corpus, stream, crew)
        total = rounds * len(WORKLOADS) * len(crew)
        with tqdm(total=total, desc=f"{corpus.name}: prediction", unit="run") as bar:
            for number in range(rounds):
                for workload in WORKLOADS:
                    window = stream.take(self.options.words)
                    for system, worker in _rotated(crew, number):
                        found = self._call(worker, window.docs, workload, system)
                        self._note("predict", corpus, workload, system, "", number, found, window)
                        bar.update()
                self.results.to_disk(self.output)

    def _use_cores(
        self,
        corpus: SpeedCorpus,
        stream: TextStream,
        crew: dict[System, Worker],
        models: dict[str, Path],
    ) -> None:
        if self.results.machine["cores"] < N_PROCESS:
            msg.warn("One core only: nothing to measure with two")
            return
        rounds, workload = self.options.few_rounds, THREE_RAW
        ours = [system for system in SYSTEMS if system.ours]
        n_runs = rounds * (len(crew) + 2 * len(ours))
        with (
            ExitStack() as stack,
            tqdm(total=n_runs, desc=f"{corpus.name}: two cores", unit="run") as bar,
        ):
            threaded: dict[System, Worker] = {}
            ahead: dict[System, Worker] = {}
            for system in ours:
                compiled = system.is_compiled
                n_threads = 1 if system.uses_kernels else N_PROCESS  # of torch
                threaded[system] = stack.enter_context(
                    _workers(n_threads, compiled=compiled, n_loop_threads=N_PROCESS)
                )
                _load(threaded[system], models[system.model], system)
                ahead[system] = stack.enter_context(_workers(1, compiled=compiled))
                _load(ahead[system], models[system.model], system, read_ahead=READ_AHEAD)
            for number in range(rounds):
                window = stream.take(self.options.core_words)
                # each process gets several batches
                size = max(1, len(window.docs) // (N_PROCESS * BATCHES_OF_A_PROCESS))
                how = {"batch_size": min(size, self.options.batch_size)}
                for system, worker in _rotated(crew, number):
                    found = self._call(
                        worker, window.docs, workload, system, n_process=N_PROCESS, **how
                    )
                    setting = f"n_process={N_PROCESS}"
                    self._note("cores", corpus, workload, system, setting, number, found, window)
                    bar.update()
                for setting, workers in (
                    (f"{N_PROCESS} threads", threaded),
                    (f"read_ahead={READ_AHEAD}", ahead),
                ):
                    for system, worker in _rotated(workers, number):
                        found = self._call(worker, window.docs, workload, system, **how)
                        self._note(
                            "cores", corpus, workload, system, setting, number, found, window
                        )
                        bar.update()

    def _grow(self, corpus: SpeedCorpus, stream: TextStream, crew: dict[System, Worker]) -> None:
        """The same number of words in documents of other lengths, and in batches of other sizes."""
        lengths = [n for n in LENGTHS if n <= self.options.growth_words]
        series = {
            "length": [(n, n, max(1, WORDS_IN_BATCH // n)) for n in lengths],
            "batch": [(n, SHORT, n) for n in BATCH_SIZES],
        }
        for section, points in series.items():
            if section not in self.options.only:
                continue
            total = self.options.few_rounds * len(points) * len(crew)
            with tqdm(total=total, desc=f"{corpus.name}: {section}", unit="run") as bar:
                for number in range(self.options.few_rounds):
                    for setting, length, batch_size in points:
                        window = stream.take(self.options.growth_words)
                        docs = of_length(window, length)
                        for system, worker in _rotated(crew, number):
                            found = self._call(
                                worker, docs, THREE_TOKENIZED, system, batch_size=batch_size
                            )
                            self._note(
                                section,
                                corpus,
                                THREE_TOKENIZED,
                                system,
                                str(setting),
                                number,
                                found,
                                window,
                            )
                            bar.update()

    def _vary_labels(self, corpus: SpeedCorpus, stream: TextStream) -> None:
        """Pipelines that learned other numbers of entity labels and roles."""
        tasks = [(system, NER_ALONE) for system in (STOCK, SWITCHED, OUR_CNN)]
        tasks.append((OUR_CNN, ROLES_ALONE))
        for n_labels in LABELS:
            name = f"{corpus.name}-{n_labels}-labels"
            train = self.options.cache / f"{name}.spacy"
            write_relabelled(corpus.train, train, entity_labels=n_labels, roles=n_labels)
            models = {
                model: self._trained(model, name, train, self.options.label_steps)
                for model in ("stock", "cnn")
            }
            with self._crew({**models, "shipped": models["cnn"]}) as crew:
                for number in range(self.options.few_rounds):
                    window = stream.take(self.options.words)
                    for system, workload in tasks:
                        found = self._call(crew[system], window.docs, workload, system)
                        setting = str(n_labels)
                        self._note(
                            "labels", corpus, workload, system, setting, number, found, window
                        )

    def _train(self, corpus: SpeedCorpus, models: dict[str, Path]) -> None:
        """Training on a part of the corpus: its first pass, in which gold annotation is aligned,
        and later ones."""
        rounds, words = self.options.few_rounds, self.options.words // 2
        total = len(RECIPES) * (1 + rounds) * len(SYSTEMS)
        with (
            self._crew(models) as crew,
            tqdm(total=total, desc=f"{corpus.name}: training", unit="run") as bar,
        ):
            for recipe in RECIPES:
                workload = Workload(f"training, {recipe.name}", (), None, raw=False)
                for system, worker in crew.items():
                    config = recipe.apply(self._config(system.model, NO_END))
                    worker.call("begin_training", config, corpus.train, words, recipe.without)
                for number in range(1 + rounds):
                    setting = LATER_PASSES if number else FIRST_PASS
                    for system, worker in _rotated(crew, number):
                        found = worker.call("train", words)
                        self._note("train", corpus, workload, system, setting, number, found)
                        bar.update()

    def _start_afresh(
        self, corpus: SpeedCorpus, stream: TextStream, models: dict[str, Path]
    ) -> None:
        """Memory and load time, each in a new process."""
        tasks: list[dict[str, Any]] = []
        compiled = [system for system in SYSTEMS if system.is_compiled]
        window = stream.take(self.options.growth_words)
        with tempfile.TemporaryDirectory() as folder:
            texts = Path(folder) / "window.json"
            texts.write_text(json.dumps(window.docs))
            if "memory" in self.options.only:
                tasks += [
                    {"system": "import spaCy", "imports": ["spacy"], "hide_torch": True},
                    {"system": "import spaCy with torch", "imports": ["spacy"]},
                    {
                        "system": "torch: a backward pass",
                        "imports": ["spacy"],
                        "torch_step": "backward",
                    },
                    {
                        "system": "torch: and a step of Adam",
                        "imports": ["spacy"],
                        "torch_step": "optimizer",
                    },
                    {"system": "import spacy-mtl", "imports": OUR_IMPORTS},
                ]
                for system in compiled:
                    task = self._fresh_task(system, models)
                    config = self._config(system.model, NO_END).to_str()
                    training = {"config": config, "train": str(corpus.train)}
                    tasks.append({**task, "window": str(texts)})
                    tasks.append({**task, **training, "n_words": self.options.words})
            if "load" in self.options.only:
                loading = [self._fresh_task(system, models) for system in compiled]
                tasks += [dict(task) for _ in range(self.options.loads) for task in loading]
            for task in tqdm(tasks, desc="memory and load time", unit="process", disable=not tasks):
                system_name = task.pop("system")
                found = in_fresh_process(**task, batch_size=self.options.batch_size)
                self.results.fresh.append({"system": system_name, **found})
        self.results.to_disk(self.output)

    # One measurement

    def _fresh_task(self, system: System, models: dict[str, Path]) -> dict[str, Any]:
        return {
            "system": system.name,
            "imports": OUR_IMPORTS if system.ours else ["spacy"],
            "hide_torch": not system.ours,
            "use_blis": system.use_blis,
            "model": str(models[system.model]),
        }

    def _call(
        self, worker: Worker, docs: list[Tokens], workload: Workload, system: System, **how: int
    ) -> dict[str, float]:
        how = {"batch_size": self.options.batch_size, **how}
        result: dict[str, float] = worker.call(
            "predict", docs, workload.pipes(system), raw=workload.raw, **how
        )
        return {**result, "words": sum(len(words) for words, _ in docs)}

    def _note(
        self,
        section: str,
        corpus: SpeedCorpus,
        workload: Workload,
        system: System,
        setting: str,
        number: int,
        found: dict[str, float],
        window: Window | None = None,
    ) -> None:
        counts = {k: v for k, v in found.items() if k not in ("words", "wall", "cpu")}
        if window is not None:
            counts |= {"distinct": window.distinct, "new": window.new}
        self.results.runs.append(
            Run(
                section=section,
                corpus=corpus.name,
                workload=workload.name,
                system=system.name,
                setting=setting,
                round=number,
                words=int(found["words"]),
                wall=found["wall"],
                cpu=found["cpu"],
                found=counts,
            )
        )


OUR_IMPORTS = ["spacy", "torch", "spacy_mtl.trunk.factory", "spacy_mtl.heads.srl.component"]
NO_END = 100_000  # training steps in a schedule that is not followed to its end


@contextmanager
def _workers(
    n_threads: int,
    use_blis: bool = True,
    compiled: bool = True,
    n_loop_threads: int | None = None,
) -> Iterator[Worker]:
    worker = Worker(n_threads, use_blis, compiled, n_loop_threads)
    try:
        yield worker
    finally:
        worker.close()


def _load(worker: Worker, path: Path, system: System, read_ahead: int | None = None) -> None:
    missing = {"tok2vec", "ner", "textcat"} - set(worker.call("load", path, read_ahead))
    if missing:
        raise ValueError(f"The pipeline {path} has no component {', '.join(sorted(missing))}.")


def _rotated(crew: dict[System, Worker], by: int) -> list[tuple[System, Worker]]:
    """The systems in another order each round, so that none always follows the same one."""
    order = list(crew.items())
    by %= len(order)
    return order[by:] + order[:by]
