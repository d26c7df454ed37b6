"""What the commands read: pipelines and annotated documents, with errors that a user can act on."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from spacy.language import Language
from spacy.training import Example
from spacy.util import is_package, load_model
from wasabi import msg

from ..corpora.corpus import create_corpus
from ..corpora.faults import FaultReport


@contextmanager
def cli_errors() -> Iterator[None]:
    """Run a command's work; end the process with exit code 1 and the message of an expected error,
    without a traceback.

    RAISES (SystemExit): In place of `ValueError` and `OSError`.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        msg.fail(str(error), exits=1)


def load_pipeline(model: str | Path) -> Language:
    """Load a trained pipeline.

    model (Union[str, Path]): The name of an installed package, or a folder.
    RETURNS (Language): The pipeline.
    RAISES (ValueError): If there is no such pipeline, or it is incomplete or broken.
    """
    path = Path(model)
    if not path.exists() and not (isinstance(model, str) and is_package(model)):
        raise ValueError(
            f"Pipeline '{model}' not found: it is neither an installed package nor a folder. "
            "Give the folder that 'spacy train' wrote, e.g. training/model-best."
        )
    if path.exists() and not (path / "config.cfg").exists():
        raise ValueError(
            f"'{model}' is no pipeline: it holds no config.cfg. Give the folder that "
            "'spacy train' wrote, e.g. training/model-best."
        )
    try:
        return load_model(model)
    except Exception as error:  # any: whatever a broken file makes a component raise
        raise ValueError(
            f"Pipeline '{model}' can't be loaded. {type(error).__name__}: {error}"
        ) from error


def check_data(path: str | Path) -> None:
    """Make sure that there is a file of documents, before time is spent on a pipeline for it.

    path (Union[str, Path]): A `.spacy` file, or a folder of such files.
    RAISES (ValueError): If it is neither.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"Data '{path}' not found. Give a .spacy file or a folder of such files.")
    if path.is_dir() and not any(path.rglob("*.spacy")):
        raise ValueError(f"The folder '{path}' holds no .spacy file.")
    if not path.is_dir() and path.suffix != ".spacy":
        raise ValueError(f"'{path}' is no .spacy file. Make one with 'spacy convert'.")


def read_examples(
    nlp: Language,
    path: str | Path,
    limit: int = 0,
    *,
    check: bool = False,
    skip_malformed: bool = False,
) -> list[Example]:
    """Read annotated documents, tokenized by the pipeline as spaCy's own evaluation does.

    nlp (Language): The pipeline.
    path (Union[str, Path]): A `.spacy` file, or a folder of such files.
    limit (int): The largest number of documents, 0 for all.
    check (bool): Whether the annotation is to be scored: if it can't be, it is an error.
    skip_malformed (bool): Leave such annotation out, with a warning, instead.
    RETURNS (List[Example]): One for each document that has tokens.
    RAISES (ValueError): If there is no such file, no document in it, or what it holds can't be read
        or scored.
    """
    check_data(path)
    corpus = create_corpus(path, limit=limit)
    report = FaultReport(nlp)
    checked = partial(report.check, skip=skip_malformed)
    examples = list(corpus.read(nlp, checked if check else lambda doc, place: doc))
    report.finish("leave it out with --skip-malformed")
    if not examples:
        raise ValueError(f"'{path}' holds no document with tokens.")
    return examples
