"""What happened in training, as JSON lines."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import srsly

from ..trunk.records import StepRecord
from ..util.finite import without_infinity


class StepFile:
    """A file with one line for each batch and each evaluation.

    A batch: `{"step", "trunk", "tasks": {TASK: {"loss", "units", "norm", "weight"}}, "cosines":
    {"TASK TASK"}}`; see `spacy_mtl.trunk.records`. An evaluation: `{"step", "epoch", "score",
    "scores",
    "losses"}`.
    """

    def __init__(self, path: str | Path) -> None:
        """Create the file.

        path (Union[str, Path]): The file.
        RAISES (ValueError): If it exists already.
        """
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = self.path.open("x", encoding="utf8")
        except FileExistsError as error:
            raise ValueError(
                f"[training.logger] output_file: '{path}' exists already. Remove it, or name "
                "another file."
            ) from error

    def write_batch(self, step: int, trunk: str, record: StepRecord) -> None:
        """Write a line about a batch.

        step (int): The number of the training step, from 0 as in spaCy.
        trunk (str): The trunk's name.
        record (StepRecord): What happened.
        """
        self._write({"step": step, "trunk": trunk, **asdict(record)})

    def write_evaluation(self, step: int, info: dict[str, Any]) -> None:
        """Write a line about an evaluation.

        step (int): The number of the training step, from 0 as in spaCy.
        info (Dict[str, Any]): What spaCy gives to loggers.
        """
        self._write(
            {
                "step": step,
                "epoch": info.get("epoch"),
                "score": None if info.get("score") is None else float(info["score"]),
                "scores": _numbers(info.get("other_scores") or {}),
                "losses": _numbers(info["losses"]),
            }
        )
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(srsly.json_dumps(without_infinity(line)) + "\n")


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) or hasattr(value, "item")
    }
