"""`python -m spacy mtl serve`: try a pipeline in the browser."""

from pathlib import Path
from typing import Annotated

from spacy.cli._util import Arg, Opt, import_code, setup_gpu

from ..display.server import DEFAULT_PORT, serve
from .inputs import cli_errors, load_pipeline
from .render import read_lines


def serve_cli(
    model: Annotated[str, Arg(help="Name or folder of the pipeline")],
    texts: Annotated[
        list[str] | None, Opt("--text", "-t", help="A text to show first; can be repeated")
    ] = None,
    texts_path: Annotated[
        Path | None,
        Opt("--file", "-f", help="UTF-8 file with texts to show first, one in each line"),
    ] = None,
    port: Annotated[int, Opt("--port", "-p", min=0, max=65535, help="Port")] = DEFAULT_PORT,
    host: Annotated[
        str, Opt("--host", "-H", help="Address; 0.0.0.0 lets other computers in")
    ] = "localhost",
    auto_select_port: Annotated[
        bool, Opt("--auto-select-port", "-a", help="Take the next free port if it is in use")
    ] = False,
    no_browser: Annotated[
        bool, Opt("--no-browser", "-B", help="Don't open the page in the browser")
    ] = False,
    code_path: Annotated[
        Path | None, Opt("--code", "-c", help="Python file with registered functions to import")
    ] = None,
    use_gpu: Annotated[int, Opt("--gpu-id", "-g", help="GPU ID or -1 for CPU")] = -1,
) -> None:
    """
    Open a page in the browser that shows what a pipeline finds in texts, with a box for texts of
    your own.
    """
    import_code(code_path)
    with cli_errors():
        shown = [*(texts or []), *(read_lines(texts_path) if texts_path is not None else [])]
        setup_gpu(use_gpu)
        nlp = load_pipeline(model)
        serve(
            nlp.pipe(shown),
            nlp=nlp,
            port=port,
            host=host,
            auto_select_port=auto_select_port,
            open_browser=not no_browser,
        )
