import io
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_mtl.display.server import (
    MAX_BODY_BYTES,
    MAX_CHARACTERS,
    make_app,
    make_page_server,
    serve,
)


@pytest.fixture
def nlp() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PLACE", "pattern": "Leeds"}])  # type: ignore[attr-defined]
    return nlp


def ask(app: Any, method: str = "GET", path: str = "/", body: bytes = b"") -> tuple[str, str]:
    """RETURNS (Tuple[str, str]): Status and page."""
    answers: list[str] = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    parts = app(environ, lambda status, headers: answers.append(status))
    return answers[0], b"".join(parts).decode("utf8")


def post(app: Any, text: str) -> tuple[str, str]:
    return ask(app, "POST", body=urlencode({"text": text}).encode("ascii"))


def test_page_shows_documents_and_a_box_for_texts(nlp: Language) -> None:
    status, page = ask(make_app([nlp("We left Leeds.")], nlp=nlp))
    assert status == "200 OK"
    assert page.startswith("<!DOCTYPE html>")
    assert "PLACE" in page
    assert '<form class="mtl-form" method="post"' in page
    assert '<html lang="en" dir="ltr">' in page


def test_typed_text_is_analysed_and_stays_in_the_box(nlp: Language) -> None:
    status, page = post(
        make_app(nlp=nlp), "Leeds <script>alert(1)</script> & Zürich שלום\r\n</textarea>"
    )
    assert status == "200 OK"
    assert page.count("PLACE") == 1
    assert "<script>" not in page
    assert page.count("</textarea>") == 1
    assert page.count("Zürich שלום") == 2


def test_nothing_typed_shows_the_first_documents(nlp: Language) -> None:
    app = make_app([nlp("We left Leeds.")], nlp=nlp)
    assert post(app, " \n")[1].count("PLACE") == 1
    assert ask(app, "POST")[0] == "200 OK"


def test_without_pipeline_there_is_no_box() -> None:
    doc = Doc(Vocab(), ["Leeds"])
    doc.ents = [Span(doc, 0, 1, "PLACE")]
    app = make_app(doc)
    assert "<form" not in ask(app)[1]
    assert post(app, "x")[0] == "405 Method Not Allowed"


def test_wrong_requests_are_answered(nlp: Language) -> None:
    app = make_app(nlp=nlp)
    assert ask(app, path="/favicon.ico")[0] == "404 Not Found"
    assert ask(app, "PUT")[0] == "405 Method Not Allowed"
    assert ask(app, "HEAD") == ("200 OK", "")
    status, page = ask(app, "POST", body=b"text=%ff%fe")
    assert (status, "not UTF-8" in page) == ("400 Bad Request", True)
    status, page = ask(app, "POST", body=b"text=" + b"x" * MAX_BODY_BYTES)
    assert (status, "too long" in page) == ("413 Content Too Large", True)
    status, page = post(app, "x" * (MAX_CHARACTERS + 1))
    assert (status, "too long" in page) == ("413 Content Too Large", True)
    assert ask(app, "POST", body=b"a=b&" * 20)[0] == "400 Bad Request"
    nlp.max_length = 10
    status, page = post(app, "eleven chars")
    assert (status, "E088" in page) == ("400 Bad Request", True)


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_busy_port_is_reported(busy_port: int) -> None:
    with pytest.raises(ValueError, match=f"port {busy_port} of localhost.*auto_select_port"):
        serve(Doc(Vocab()), port=busy_port)


def test_next_port_is_taken_on_request(busy_port: int) -> None:
    with pytest.warns(UserWarning, match="W124"):
        server = make_page_server(make_app(), busy_port, auto_select_port=True)
    assert server.server_port > busy_port
    server.server_close()


def test_page_is_served(nlp: Language) -> None:
    server = make_page_server(make_app(nlp("Leeds"), nlp=nlp), port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        open_url = build_opener(ProxyHandler({})).open
        with open_url(f"http://localhost:{server.server_port}/", timeout=30) as answer:
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
            assert "PLACE" in answer.read().decode("utf8")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_unknown_style_is_refused_before_serving() -> None:
    with pytest.raises(ValueError, match="'dep'"):
        serve(Doc(Vocab()), style="dep", port=0)  # type: ignore[arg-type]
