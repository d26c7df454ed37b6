"""What the commands read: pipelines and annotated documents, with errors that a user can act on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spacy.language import Language
from spacy.training import Corpus, Example
from spacy.util import is_package, load_model
from wasabi import msg


@contextmanager
def failing_clearly() -> Iterator[None]:
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


def read_examples(nlp: Language, path: str | Path, limit: int = 0) -> list[Example]:
    """Read annotated documents, tokenized by the pipeline as spaCy's own evaluation does.

    nlp (Language): The pipeline.
    path (Union[str, Path]): A `.spacy` file, or a folder of such files.
    limit (int): The largest number of documents, 0 for all.
    RETURNS (List[Example]): One for each document that has tokens.
    RAISES (ValueError): If there is no such file, or no document in it.
    """
    check_data(path)
    try:
        examples = list(Corpus(path, limit=limit)(nlp))
    except Exception as error:  # any: whatever a broken file makes the reader raise
        raise ValueError(
            f"'{path}' can't be read: it is truncated or no .spacy file. "
            f"{type(error).__name__}: {error}"
        ) from error
    if not examples:
        raise ValueError(f"'{path}' holds no document with tokens.")
    return examples
