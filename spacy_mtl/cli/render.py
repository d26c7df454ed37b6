"""`python -m spacy mtl render`: a page that shows what a pipeline finds."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from spacy.cli._util import Arg, Opt, import_code, setup_gpu
from spacy.language import Language
from spacy.tokens import Doc
from wasabi import msg

from ..display.html import to_html
from .inputs import check_data, cli_errors, load_pipeline, read_examples


def render_cli(
    model: Annotated[str, Arg(help="Name or folder of the pipeline")],
    output: Annotated[Path, Arg(help="HTML file to write", dir_okay=False)],
    texts: Annotated[
        list[str] | None, Opt("--text", "-t", help="A text to show; can be repeated")
    ] = None,
    texts_path: Annotated[
        Path | None, Opt("--texts", "-T", help="UTF-8 file with one text per line")
    ] = None,
    data_path: Annotated[
        Path | None,
        Opt("--data", "-d", help=".spacy file, or folder of them: what it annotates is not shown"),
    ] = None,
    limit: Annotated[
        int, Opt("--limit", "-l", min=0, help="Documents to show of --data, 0 for all")
    ] = 25,
    cats: Annotated[
        int | None, Opt("--cats", min=0, help="Categories to show, the most probable first")
    ] = None,
    sentences: Annotated[
        int | None, Opt("--sentences", min=1, help="Sentences to show of each document")
    ] = None,
    code_path: Annotated[
        Path | None, Opt("--code", "-c", help="Python file with registered functions to import")
    ] = None,
    use_gpu: Annotated[int, Opt("--gpu-id", "-g", help="GPU ID or -1 for CPU")] = -1,
) -> None:
    """
    Write a web page that shows the entities, semantic roles and categories that a pipeline finds
    in texts. The page refers to nothing outside of it.
    """
    import_code(code_path)
    with cli_errors():
        docs: list[str | Doc] = [*(texts or [])]
        if texts_path is not None:
            docs += read_lines(texts_path)
        if data_path is not None:
            check_data(data_path)
        elif not docs:
            raise ValueError("There is nothing to show. Give --text, --texts or --data.")
        setup_gpu(use_gpu)
        nlp = load_pipeline(model)
        if data_path is not None:
            docs += [example.predicted for example in read_examples(nlp, data_path, limit)]
        render(nlp, output, docs, cats=cats, sentences=sentences)
        msg.good(f"Saved a page of {len(docs)} documents to {output}")


def render(
    nlp: Language,
    output: str | Path,
    texts: Iterable[str | Doc],
    *,
    cats: int | None = None,
    sentences: int | None = None,
) -> str:
    """Write a page with what a pipeline finds in texts.

    nlp (Language): The pipeline.
    output (Union[str, Path]): HTML file to write; its folder is made.
    texts (Iterable[Union[str, Doc]]): The texts, or documents that are not annotated yet.
    cats (Optional[int]): How many categories are shown, the most probable first; None for all.
    sentences (Optional[int]): How many sentences of each document are shown; None for all.
    RETURNS (str): The HTML.
    """
    html = to_html(nlp.pipe(texts), page=True, cats=cats, sentences=sentences)
    path = Path(output)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html, encoding="utf8")
    return html


def read_lines(path: str | Path) -> list[str]:
    """Read texts.

    path (Union[str, Path]): UTF-8 file with one text per line.
    RETURNS (List[str]): The lines that are not blank.
    RAISES (ValueError): If there is no such file, or it is blank or not UTF-8.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"File of texts '{path}' not found.")
    try:
        lines = path.read_text(encoding="utf8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"'{path}' is no UTF-8 text: {error}.") from error
    lines = [line.strip() for line in lines if line.strip()]
    if not lines:
        raise ValueError(f"'{path}' holds no text.")
    return lines
