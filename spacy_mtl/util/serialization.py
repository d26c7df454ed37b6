"""Saving and loading of components, and what makes documents quicker to send."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import srsly
from spacy import util
from spacy.vocab import Vocab

CHECKSUM = "model_crc32"
ADVICE = "Copy the whole pipeline again from where it was trained, or train it again."


class CheckedFiles:
    """A trainable component that notices when its saved files are damaged or do not belong
    together. It goes before `TrainablePipe` among a class's bases.

    The file `cfg` holds the checksum of the file `model`, so that labels of one training are never
    read with the network of another. The checksum finds accidents; it is no signature.
    """

    name: str
    vocab: Vocab
    model: Any
    cfg: dict[str, Any]

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Save the component.

        path (Union[str, Path]): The component's folder.
        exclude (Iterable[str]): Names of parts to leave out: "cfg", "vocab" or "model".
        """
        exclude = tuple(exclude)
        cfg, network = dict(self.cfg), b""
        if "model" not in exclude:
            network = self.model.to_bytes()
            cfg[CHECKSUM] = crc32(network)
        writers: dict[str, Callable[[Path], Any]] = {
            "cfg": lambda file: srsly.write_json(file, cfg),
            "vocab": lambda folder: self.vocab.to_disk(folder, exclude=exclude),
            "model": lambda file: file.write_bytes(network),
        }
        util.to_disk(path, writers, exclude)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "CheckedFiles":
        """Load the component. Both files are checked before anything is changed.

        path (Union[str, Path]): The component's folder.
        exclude (Iterable[str]): Names of parts to leave out: "cfg", "vocab" or "model".
        RETURNS (CheckedFiles): The component itself.
        RAISES (ValueError): If a file is missing, empty, truncated, of another component or of
            another training.
        """
        exclude, folder = tuple(exclude), Path(path)
        files = {
            part: self._read_file(folder / part) for part in ("cfg", "model") if part not in exclude
        }
        cfg: dict[str, Any] = {}
        if "cfg" in files:
            cfg = self._parse_cfg(folder / "cfg", files["cfg"])
            checksum = cfg.pop(CHECKSUM, None)
            if "model" in files and checksum != crc32(files["model"]):
                raise self._error(
                    f"its file '{folder / 'model'}' ({len(files['model'])} bytes) is truncated or "
                    f"was changed, or was not saved together with '{folder / 'cfg'}'. {ADVICE}"
                )
        self.cfg.update(cfg)
        if "vocab" not in exclude:
            with self._explained(f"its folder '{folder / 'vocab'}' is damaged"):
                self.vocab.from_disk(folder / "vocab", exclude=exclude)
        if "model" in files:
            self._load_network(files["model"], f"its file '{folder / 'model'}'")
        return self

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "CheckedFiles":
        """Load the component from bytes.

        bytes_data (bytes): What `to_bytes` gave.
        exclude (Iterable[str]): Names of parts to leave out: "cfg", "vocab" or "model".
        RETURNS (CheckedFiles): The component itself.
        RAISES (ValueError): If the bytes are truncated, or of another component.
        """
        exclude = tuple(exclude)
        readers: dict[str, Callable[[bytes], Any]] = {
            "cfg": lambda data: self.cfg.update(self._parse_cfg("cfg", data)),
            "vocab": lambda data: self.vocab.from_bytes(data, exclude=exclude),
            "model": lambda data: self._load_network(data, "'model'"),
        }
        with self._explained("its bytes are truncated, or of something else"):
            util.from_bytes(bytes_data, readers, exclude)
        return self

    def _read_file(self, file: Path) -> bytes:
        if not file.is_file():
            raise self._error(f"its file '{file}' is missing. {ADVICE}")
        data = file.read_bytes()
        if not data:
            raise self._error(f"its file '{file}' is empty. {ADVICE}")
        return data

    def _parse_cfg(self, source: Path | str, data: bytes) -> dict[str, Any]:
        try:
            cfg = srsly.json_loads(data)
        except ValueError as error:
            raise self._error(f"'{source}' is truncated or no JSON ({error}). {ADVICE}") from error
        if not isinstance(cfg, dict):
            raise self._error(f"'{source}' does not hold settings, but {cfg!r:.50}. {ADVICE}")
        return cfg

    def _load_network(self, data: bytes, source: str) -> None:
        with self._explained(
            f"{source} ({len(data)} bytes) is truncated, or was saved with other settings than "
            f"[components.{self.name}] of config.cfg has now",
            "If config.cfg was edited, undo that.",
        ):
            self.model.from_bytes(data)

    @contextmanager
    def _explained(self, problem: str, advice: str = "") -> Iterator[None]:
        try:
            yield
        except LoadingError:
            raise
        except Exception as error:  # any: damaged bytes may say anything
            raise self._error(
                f"{problem} ({type(error).__name__}: {error}). {ADVICE} {advice}".rstrip()
            ) from error

    def _error(self, problem: str) -> "LoadingError":
        return LoadingError(f"Component '{self.name}' can't be loaded: {problem}")


class LoadingError(ValueError):
    """What was saved of a component is damaged, or not its own."""


@cache
def cache_srsly_entry_points() -> None:
    """Let srsly look for encoders in the installed packages once, not each time.

    `srsly.msgpack_dumps` and `msgpack_loads` go through the entry points of all installed packages
    at each call, some 0.2 milliseconds, and `Doc.to_bytes` makes three calls and one more for each
    span group: in `nlp.pipe(n_process=2)` that took longer than finding what is sent. What the
    packages offer is registered here as if they had done so themselves; the results are the same.
    """
    for registry in (srsly.msgpack_encoders, srsly.msgpack_decoders):
        offered = registry.get_entry_points()
        registry.entry_points = False
        for name in offered.keys() - registry.get_all().keys():  # what is registered goes first
            registry.register(name, func=offered[name])
