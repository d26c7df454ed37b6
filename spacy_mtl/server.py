"""A page in the browser that shows documents, and what a pipeline finds in texts typed into it."""

import webbrowser
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from html import escape
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIServer, make_server

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import find_available_port
from wasabi import msg

from .display import Style, to_html, to_page

DEFAULT_PORT = 5000
MAX_BODY_BYTES = 1_000_000
TEXT_FIELD = "text"
HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
]
FORM = """<form class="mtl-form" method="post" action="/">
<style>
.mtl-form {{ font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial,
  sans-serif; max-width: 64rem; margin: 0 auto; padding: 1rem 1rem 0; }}
.mtl-form textarea {{ box-sizing: border-box; width: 100%; min-height: 5.5rem; font: inherit;
  padding: 0.7rem 1rem; border: 1px solid #c5ccd8; border-radius: 10px; resize: vertical; }}
.mtl-form button {{ font: inherit; font-weight: 600; color: #fff; background: #3b4660; border: 0;
  border-radius: 8px; padding: 0.4rem 1.2rem; margin-top: 0.5rem; cursor: pointer; }}
.mtl-error {{ color: #a3271c; margin: 0.75rem 0 0; }}
</style>
<label for="{field}" hidden>Text</label>
<textarea id="{field}" name="{field}" dir="auto" autofocus
  placeholder="Type or paste a text">{text}</textarea>
<button type="submit">Analyse</button>
{error}
</form>"""

# What a WSGI server gives an application, and how the application answers.
Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def serve(
    docs: Doc | Iterable[Doc] = (),
    *,
    nlp: Language | None = None,
    port: int = DEFAULT_PORT,
    host: str = "localhost",
    auto_select_port: bool = False,
    open_browser: bool = False,
    style: Style = "page",
    key: str = "srl",
    colors: Mapping[str, str] | None = None,
    cats: int | Collection[str] | None = None,
    ents: Collection[str] | None = None,
    sentences: int | Collection[int] | None = None,
) -> None:
    """Serve a page that shows documents, until interrupted, as `displacy.serve` does. With a
    pipeline the page has a box for texts of one's own. Only this computer can reach it, unless
    `host` says otherwise.

    docs (Union[Doc, Iterable[Doc]]): The documents.
    nlp (Optional[Language]): The pipeline for texts typed into the page.
    port (int): The port.
    host (str): The address; "0.0.0.0" lets other computers in.
    auto_select_port (bool): Whether to take the next free port if this one is in use.
    open_browser (bool): Whether to open the page in the browser.
    style (str): What is drawn; this and the following as in `to_html`.
    key (str): The span group that holds the frames.
    colors (Optional[Mapping[str, str]]): CSS colours by entity label or role.
    cats (Optional[Union[int, Collection[str]]]): Which categories are shown.
    ents (Optional[Collection[str]]): Which entity labels are shown.
    sentences (Optional[Union[int, Collection[int]]]): Which sentences are shown.
    RAISES (ValueError): If the port is in use, or the style is unknown.
    """
    draw = partial(
        to_html, style=style, key=key, colors=colors, cats=cats, ents=ents, sentences=sentences
    )
    server = make_page_server(
        make_app(docs, nlp=nlp, draw=draw), port, host, auto_select_port=auto_select_port
    )
    url = f"http://{host}:{server.server_port}"
    msg.good(f"Serving on {url}", "Press Ctrl+C to stop.")
    if open_browser:
        webbrowser.open(url)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        msg.info(f"Stopped serving on port {server.server_port}.")
    finally:
        server.server_close()


def make_page_server(
    app: Callable[[Environ, StartResponse], list[bytes]],
    port: int = DEFAULT_PORT,
    host: str = "localhost",
    *,
    auto_select_port: bool = False,
) -> WSGIServer:
    """Make the server, which does not serve yet.

    app (Callable): The WSGI application, see `make_app`.
    port (int): The port; 0 for any that is free.
    host (str): The address.
    auto_select_port (bool): Whether to take the next free port if this one is in use.
    RETURNS (WSGIServer): The server.
    RAISES (ValueError): If the port is in use or can't be opened.
    """
    try:
        return make_server(host, find_available_port(port, host, auto_select_port), app)
    except (ValueError, OSError, OverflowError) as error:
        raise ValueError(
            f"Can't serve on port {port} of {host}: it is in use, or not open to you. Choose "
            "another with port (--port), or let the next free one be taken with auto_select_port "
            "(--auto-select-port)."
        ) from error


def make_app(
    docs: Doc | Iterable[Doc] = (),
    *,
    nlp: Language | None = None,
    draw: Callable[..., str] = to_html,
) -> Callable[[Environ, StartResponse], list[bytes]]:
    """Make the WSGI application behind `serve`.

    docs (Union[Doc, Iterable[Doc]]): The documents that it shows first.
    nlp (Optional[Language]): The pipeline for texts typed into the page; without it there is no box
        for them.
    draw (Callable[..., str]): Makes HTML of documents, with the keyword `page`.
    RETURNS (Callable): The application.
    RAISES (ValueError): If `draw` can't draw the documents.
    """
    docs = [docs] if isinstance(docs, Doc) else list(docs)
    first = docs[0] if docs else None
    shown = draw(docs, page=False)

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        status, content = "200 OK", shown
        text, error = "", ""
        method = environ["REQUEST_METHOD"]
        if environ.get("PATH_INFO", "/") not in ("", "/"):
            status, content, error = "404 Not Found", "", "There is no such page."
        elif method == "POST" and nlp is not None:
            try:
                text = read_text(environ)
                content = draw(nlp(text), page=False) if text.strip() else shown
            except ValueError as problem:
                status, content, error = "400 Bad Request", "", str(problem)
        elif method not in ("GET", "HEAD"):
            status, content, error = "405 Method Not Allowed", "", "This page takes no texts."
        note = f'<p class="mtl-error" role="alert">{escape(error)}</p>' if error else ""
        if nlp is not None:
            note = FORM.format(field=TEXT_FIELD, text="\n" + escape(text), error=note)
        page = to_page(f"{note}\n{content}", "spaCy multi-task pipeline", first).encode("utf8")
        start_response(status, [*HEADERS, ("Content-Length", str(len(page)))])
        return [] if method == "HEAD" else [page]

    return app


def read_text(environ: Environ) -> str:
    """Read the text that a form was sent with.

    environ (Dict[str, Any]): The request.
    RETURNS (str): The text; empty if there is none.
    RAISES (ValueError): If it is too long or broken.
    """
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError as error:
        raise ValueError("The request does not say how long it is.") from error
    if not 0 <= length <= MAX_BODY_BYTES:
        raise ValueError(
            f"The text is too long: it takes {length} bytes, and this page takes up to "
            f"{MAX_BODY_BYTES}."
        )
    try:
        fields = parse_qs(environ["wsgi.input"].read(length).decode("ascii"), errors="strict")
    except UnicodeDecodeError as error:
        raise ValueError("The text is not UTF-8.") from error
    return fields.get(TEXT_FIELD, [""])[0].replace("\r\n", "\n")
