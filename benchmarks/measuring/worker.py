"""A process of its own for each system, so that none shares caches or threads with another."""

import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .environment import environment, settings
from .text import Tokens, raw_text

if TYPE_CHECKING:
    from thinc.api import Config


class Worker:
    """Runs the methods of a `Station` in a process of its own.

    n_threads (int): Threads of the matrix libraries in it.
    use_blis (bool): Whether thinc multiplies matrices with BLIS there.
    is_compiled (bool): Whether this package may use its compiled kernels there.
    n_loop_threads (Optional[int]): Threads of these; as many as of the libraries where None.
    """

    def __init__(
        self,
        n_threads: int,
        use_blis: bool = True,
        is_compiled: bool = True,
        n_loop_threads: int | None = None,
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        with environment(settings(n_threads, is_compiled, n_loop_threads)):
            self._process = context.Process(target=_serve, args=(theirs, n_threads, use_blis))
            self._process.start()
        theirs.close()

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Run a method of the station.

        method (str): Its name.
        *args (Any): Its arguments.
        **kwargs (Any): Its keyword arguments.
        RETURNS (Any): What it returns.
        RAISES (RuntimeError): If it fails, with its traceback.
        """
        self._connection.send((method, args, kwargs))
        try:
            error, result = self._connection.recv()
        except EOFError:
            self._process.join()
            raise RuntimeError(
                f"The process that ran '{method}' ended with {self._process.exitcode}."
            ) from None
        if error is not None:
            raise RuntimeError(error)
        return result

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.join()


def _serve(connection: Connection, n_threads: int, use_blis: bool) -> None:
    import traceback

    from thinc.api import NumpyOps, set_current_ops

    multiprocessing.set_start_method(None, force=True)  # the platform's, for Language.pipe
    if not use_blis:
        set_current_ops(NumpyOps(use_blis=False))
    station = Station(n_threads)
    while True:
        try:
            method, args, kwargs = connection.recv()
        except EOFError:
            return
        try:
            connection.send((None, getattr(station, method)(*args, **kwargs)))
        except Exception:
            connection.send((traceback.format_exc(), None))


class Station:
    """What is done in the process of one system.

    n_threads (int): Threads of torch.
    """

    def __init__(self, n_threads: int) -> None:
        import torch

        torch.set_num_threads(n_threads)
        self.nlp: Any = None
        self.steps: Iterator[int] | None = None

    def load(self, path: Path, read_ahead: int | None = None) -> list[str]:
        """Load a pipeline.

        path (Path): Its folder.
        read_ahead (Optional[int]): Batches that its trunk reads ahead, where it is of this package.
        RETURNS (List[str]): The names of its components.
        """
        import spacy

        changes: dict[str, Any] = {}
        if read_ahead is not None:
            changes["components.tok2vec.read_ahead"] = read_ahead
        self.nlp = spacy.load(path, config=changes)
        return list(self.nlp.pipe_names)

    def predict(
        self,
        docs: list[Tokens],
        pipes: tuple[str, ...] | None,
        *,
        raw: bool,
        batch_size: int,
        n_process: int = 1,
    ) -> dict[str, float]:
        """Time the prediction of documents.

        docs (List[Tokens]): The documents.
        pipes (Optional[Tuple[str, ...]]): The components to run; None for all.
        raw (bool): Whether to begin with text.
        batch_size (int): Documents in a batch.
        n_process (int): Processes of `Language.pipe`.
        RETURNS (Dict[str, float]): Wall and processor seconds and what was found.
        """
        from .clock import timed
        from .corpora import count_annotation

        inputs = self._texts(docs) if raw else self._docs(docs)
        with self.nlp.select_pipes(enable=list(pipes or self.nlp.pipe_names)):
            found, wall, cpu = timed(
                lambda: list(self.nlp.pipe(inputs, batch_size=batch_size, n_process=n_process))
            )
        return {"wall": wall, "cpu": cpu, **count_annotation(found)}

    def count_products(self, docs: list[Tokens], pipes: tuple[str, ...] | None) -> dict[str, int]:
        """Count which matrix product thinc's layers call while documents are predicted.

        docs (List[Tokens]): The documents.
        pipes (Optional[Tuple[str, ...]]): The components to run; None for all.
        RETURNS (Dict[str, int]): Calls of BLIS and of numpy.
        """
        from .products import counted_products

        with counted_products() as counts:
            self.predict(docs, pipes, raw=False, batch_size=len(docs))
        return counts

    def train_pipeline(self, config: "Config", train: Path, steps: int, path: Path) -> None:
        """Train a new pipeline.

        config (Config): Its config, not interpolated.
        train (Path): The `.spacy` file to train on.
        steps (int): The number of steps.
        path (Path): The folder to write.
        """
        from .training import train_pipeline

        train_pipeline(config, train, steps, path)

    def begin_training(
        self, config: "Config", train: Path, n_words: int, without: tuple[str, ...] = ()
    ) -> None:
        """Get ready to train the loaded pipeline further, on a part of a corpus.

        config (Config): Its config, not interpolated.
        train (Path): The `.spacy` file to train on.
        n_words (int): The words of the part.
        without (Tuple[str, ...]): Components to leave out.
        """
        from .training import (
            make_optimizer,
            read_examples,
            some_examples,
            training_steps,
            with_data,
        )

        for name in set(without) & set(self.nlp.pipe_names):
            self.nlp.remove_pipe(name)
        full = with_data(config, train)
        examples = some_examples(read_examples(self.nlp, full), n_words)
        self.steps = training_steps(self.nlp, full, examples, make_optimizer(full))

    def train(self, n_words: int) -> dict[str, float]:
        """Time some steps of training.

        n_words (int): Train until at least so many words are through.
        RETURNS (Dict[str, float]): Wall and processor seconds, words and steps.
        """
        from .clock import timed

        steps = self.steps
        assert steps is not None, "begin_training comes first"

        def train_words() -> list[int]:
            words: list[int] = []
            while sum(words) < n_words:
                words.append(next(steps))
            return words

        words, wall, cpu = timed(train_words)
        return {"wall": wall, "cpu": cpu, "words": sum(words), "steps": len(words)}

    def compare_trunks(self, docs: list[Tokens], size: dict[str, int]) -> float:
        """Give our CNN the weights of the loaded stock pipeline's trunk.

        docs (List[Tokens]): Documents to compare the outputs on.
        size (Dict[str, int]): The sizes of the trunk.
        RETURNS (float): The largest absolute difference between any two outputs.
        """
        import numpy as np

        from spacy_mtl.models.encoders.cnn import build_hash_embed_cnn
        from spacy_mtl.models.encoders.stock_weights import load_stock_weights

        inputs = self._docs(docs)
        stock = self.nlp.get_pipe("tok2vec").model
        ours = build_hash_embed_cnn(**size)  # type: ignore[arg-type]
        ours.initialize(X=inputs[:10])
        load_stock_weights(ours, stock)
        pairs = zip(stock.predict(inputs), ours.predict(inputs), strict=True)
        return max(float(np.abs(theirs - mine).max(initial=0.0)) for theirs, mine in pairs)

    def product_rates(self) -> dict[str, float]:
        """RETURNS (Dict[str, float]): GFLOP/s of the matrix products that are present."""
        from .products import product_rates

        return product_rates()

    def _docs(self, docs: list[Tokens]) -> list[Any]:
        from spacy.tokens import Doc

        return [Doc(self.nlp.vocab, words=words, spaces=spaces) for words, spaces in docs]

    def _texts(self, docs: list[Tokens]) -> list[str]:
        return [raw_text(tokens) for tokens in docs]
