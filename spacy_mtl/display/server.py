"""A page in the browser that shows documents, and what a pipeline finds in texts typed into it."""

import threading
import traceback
import webbrowser
from collections.abc import Callable, Collection, Iterable, Mapping
from contextvars import copy_context
from functools import partial
from html import escape
from urllib.parse import parse_qs

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import find_available_port
from wasabi import msg

from .html import Style, to_html, to_page
from .page_server import SECURITY_HEADERS, App, Environ, PageServer, StartResponse

DEFAULT_PORT = 5000
MAX_BODY_BYTES = 1_000_000
MAX_CHARACTERS = 100_000
MAX_FIELDS = 10
TEXT_FIELD = "text"
FORM_TYPE = "application/x-www-form-urlencoded"
HEADERS = [("Content-Type", "text/html; charset=utf-8"), *SECURITY_HEADERS]
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


class RequestError(ValueError):
    """A request that gets no text analysed.

    status (str): The HTTP status.
    message (str): What is wrong with it.
    """

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


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
    app: App,
    port: int = DEFAULT_PORT,
    host: str = "localhost",
    *,
    auto_select_port: bool = False,
) -> PageServer:
    """Make the server, which does not serve yet.

    app (Callable): The WSGI application, see `make_app`.
    port (int): The port; 0 for any that is free.
    host (str): The address.
    auto_select_port (bool): Whether to take the next free port if this one is in use.
    RETURNS (PageServer): The server.
    RAISES (ValueError): If the port is in use or can't be opened.
    """
    try:
        return PageServer(host, find_available_port(port, host, auto_select_port), app)
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
) -> App:
    """Make the WSGI application behind `serve`. It may be called in several threads at once.

    docs (Union[Doc, Iterable[Doc]]): The documents that it shows first.
    nlp (Optional[Language]): The pipeline for texts typed into the page; without it there is no box
        for them. It analyses one text at a time.
    draw (Callable[..., str]): Makes HTML of documents, with the keyword `page`.
    RETURNS (Callable): The application.
    RAISES (ValueError): If `draw` can't draw the documents.
    """
    docs = [docs] if isinstance(docs, Doc) else list(docs)
    first = docs[0] if docs else None
    shown = draw(docs, page=False)
    lock = threading.Lock()
    context = copy_context()  # holds thinc's device, which is that of the CPU in a new thread

    def analyse(text: str) -> str:
        assert nlp is not None
        with lock:
            return context.run(lambda: draw(nlp(text), page=False))

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        status, content, text, error = "200 OK", shown, "", ""
        try:
            check_request(environ, takes_texts=nlp is not None)
            if environ["REQUEST_METHOD"] == "POST":
                text = read_text(environ)
                content = analyse(text) if text.strip() else shown
        except ValueError as problem:
            status, content, error = "400 Bad Request", "", str(problem)
            if isinstance(problem, RequestError):
                status = problem.status
        except Exception:
            status, content, error = "500 Internal Server Error", "", "The pipeline failed."
            traceback.print_exc(file=environ.get("wsgi.errors"))
        note = f'<p class="mtl-error" role="alert">{escape(error)}</p>' if error else ""
        if nlp is not None:
            note = FORM.format(field=TEXT_FIELD, text="\n" + escape(text), error=note)
        page = to_page(f"{note}\n{content}", "spaCy multi-task pipeline", first).encode("utf8")
        methods = "GET, HEAD" if nlp is None else "GET, HEAD, POST"
        allowed = [("Allow", methods)] if status.startswith("405") else []
        start_response(status, [*HEADERS, *allowed, ("Content-Length", str(len(page)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [page]

    return app


def check_request(environ: Environ, *, takes_texts: bool) -> None:
    """Check what a request asks for.

    environ (Dict[str, Any]): The request.
    takes_texts (bool): Whether texts can be sent.
    RAISES (RequestError): If there is no such thing.
    """
    if environ.get("PATH_INFO", "/") not in ("", "/"):
        raise RequestError("404 Not Found", "There is no such page.")
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD", *(["POST"] if takes_texts else [])):
        raise RequestError("405 Method Not Allowed", "This page takes no texts.")
    accepted = environ.get("HTTP_ACCEPT", "*/*")
    if not any(kind in accepted for kind in ("text/html", "text/*", "*/*", "xhtml")):
        raise RequestError("406 Not Acceptable", "This page is HTML, and nothing else.")


def read_text(environ: Environ) -> str:
    """Read the text that a form was sent with.

    environ (Dict[str, Any]): The request.
    RETURNS (str): The text; empty if there is none.
    RAISES (RequestError): If it is too long, broken or not from a form.
    """
    if environ.get("CONTENT_TYPE", FORM_TYPE).partition(";")[0].strip().lower() != FORM_TYPE:
        raise RequestError("415 Unsupported Media Type", f"This page takes {FORM_TYPE}.")
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit()) or "HTTP_TRANSFER_ENCODING" in environ:
        raise RequestError("411 Length Required", "The request does not say how long it is.")
    if len(length) > 9 or int(length) > MAX_BODY_BYTES:
        raise RequestError(
            "413 Content Too Large",
            f"The text is too long: it takes {length:.20} bytes, and this page takes up to "
            f"{MAX_BODY_BYTES}.",
        )
    try:
        body = environ["wsgi.input"].read(int(length))
    except TimeoutError as error:
        raise RequestError("408 Request Timeout", "The text took too long to arrive.") from error
    if len(body) < int(length):
        raise ValueError("The text is incomplete.")
    try:
        fields = parse_qs(body.decode("utf8"), errors="strict", max_num_fields=MAX_FIELDS)
    except UnicodeDecodeError as error:
        raise ValueError("The text is not UTF-8.") from error
    text = fields.get(TEXT_FIELD, [""])[0].replace("\r\n", "\n")
    if len(text) > MAX_CHARACTERS:
        raise RequestError(
            "413 Content Too Large",
            f"The text is too long: it has {len(text)} characters, and this page takes up to "
            f"{MAX_CHARACTERS}.",
        )
    return text
