"""What reaches the server from outside: slow, large, broken and foreign requests."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import pytest
import spacy
from spacy.language import Language

import spacy_mtl.display.page_server as page_server
from spacy_mtl.display.html import to_html
from spacy_mtl.display.page_server import PageServer, is_own_host
from spacy_mtl.display.server import MAX_BODY_BYTES, make_app, make_page_server
from tests.trained import Trained

pytest_plugins = ["tests.trained"]

FORM = "Content-Type: application/x-www-form-urlencoded"


@contextmanager
def serving(nlp: Language) -> Iterator[PageServer]:
    server = make_page_server(make_app(nlp=nlp), port=0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def server() -> Iterator[PageServer]:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PLACE", "pattern": "Leeds"}])  # type: ignore[attr-defined]
    with serving(nlp) as server:
        yield server


def connect(server: PageServer) -> socket.socket:
    return socket.create_connection(("localhost", server.server_port), timeout=30)


def receive(connection: socket.socket) -> tuple[str, str, str]:
    """RETURNS (Tuple[str, str, str]): Status, headers and body."""
    answer = b""
    while data := connection.recv(2**16):
        answer += data
    head, _, body = answer.decode("utf8").partition("\r\n\r\n")
    status, _, headers = head.partition("\r\n")
    return status.partition(" ")[2], headers, body


def send(server: PageServer, data: bytes) -> tuple[str, str, str]:
    with connect(server) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return receive(connection)


def request(
    server: PageServer, *headers: str, method: str = "GET", path: str = "/", body: bytes = b""
) -> tuple[str, str, str]:
    """Send a request. It asks for the right host unless it names another."""
    lines = [f"{method} {path} HTTP/1.1", *headers]
    if not any(line.startswith("Host:") for line in headers):
        lines.append(f"Host: localhost:{server.server_port}")
    if body and not any(line.startswith("Content-Length:") for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return send(server, "\r\n".join([*lines, "", ""]).encode("utf8") + body)


def post(server: PageServer, text: str, *headers: str) -> tuple[str, str, str]:
    body = urlencode({"text": text}).encode("ascii")
    return request(server, FORM, *headers, method="POST", body=body)


# Who is answered


def test_own_page_is_answered(server: PageServer) -> None:
    own = f"localhost:{server.server_port}"
    status, _, page = post(server, "We left Leeds.", f"Origin: http://{own}")
    assert status == "200 OK" and "PLACE" in page
    for host in (own, f"127.0.0.1:{server.server_port}", "[::1]:1", "LOCALHOST", "127.0.0.2"):
        assert request(server, f"Host: {host}")[0] == "200 OK"
    assert post(server, "We left Leeds.", "Sec-Fetch-Site: same-origin")[0] == "200 OK"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:80",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil@localhost",
        "localhost/",
        "localhost:80:80",
        "8.8.8.8",
        "[::1",
        "",
        "löcalhost",
        "localhost, evil.example",
    ],
)
def test_other_hosts_are_refused(server: PageServer, host: str) -> None:
    status, headers, body = request(server, f"Host: {host}")
    assert status == "421 Misdirected Request"
    assert "text/plain" in headers and len(body) < 100 and "evil" not in headers + body


def test_request_without_a_host_or_with_two_is_refused(server: PageServer) -> None:
    for lines in (b"", b"Host: localhost\r\nHost: evil.example\r\n"):
        answer = send(server, b"GET / HTTP/1.1\r\n" + lines + b"\r\n")
        assert answer[0] == "421 Misdirected Request"


@pytest.mark.parametrize(
    "header",
    [
        "Origin: https://evil.example",
        "Origin: null",
        "Origin: http://localhost:1",
        "Origin: http://localhost.evil.example",
        "Origin:",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ],
)
def test_forms_of_other_sites_are_refused(server: PageServer, header: str) -> None:
    status, _, page = post(server, "We left Leeds.", header)
    assert status == "403 Forbidden"
    assert "Leeds" not in page and "PLACE" not in page


def test_links_of_other_sites_bring_no_text(server: PageServer) -> None:
    link = "/?text=We+left+Leeds"
    status, _, page = request(server, "Sec-Fetch-Site: cross-site", path=link)
    assert status == "200 OK"
    assert "Leeds" not in page


@pytest.mark.parametrize(
    "name, host, is_own",
    [
        ("192.168.1.5:5000", "0.0.0.0", True),
        ("[fe80::1]", "0.0.0.0", True),
        (socket.gethostname(), "0.0.0.0", True),
        ("localhost", "0.0.0.0", True),
        ("evil.example", "0.0.0.0", False),
        ("192.168.1.5", "127.0.0.1", False),
        (f"{socket.gethostname()}.evil.example", "localhost", False),
        ("pages.example", "pages.example", True),
    ],
)
def test_a_server_open_to_others_is_asked_for_by_address(
    name: str, host: str, is_own: bool
) -> None:
    assert is_own_host(name, host) == is_own


def test_no_page_can_be_framed_sniffed_or_stored(server: PageServer) -> None:
    for answer in (
        request(server),
        request(server, "Host: evil.example"),
        post(server, "text", "Origin: null"),
        request(server, path="/no"),
        request(server, method="PUT"),
    ):
        headers = answer[1]
        assert "default-src 'none'" in headers and "frame-ancestors 'none'" in headers
        assert "X-Frame-Options: DENY" in headers
        assert "X-Content-Type-Options: nosniff" in headers
        assert "Cache-Control: no-store" in headers
        assert "Referrer-Policy: same-origin" in headers


# What is sent


def test_html_in_a_text_is_escaped(server: PageServer) -> None:
    status, _, page = post(server, '<script>alert(1)</script></textarea><img src=x onerror="1">')
    assert status == "200 OK"
    assert "<script" not in page and "<img" not in page
    assert page.count("</textarea>") == 1
    assert "&lt;script&gt;" in page


def test_wrong_methods_and_pages_are_refused(server: PageServer) -> None:
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE", "<b>"):
        status, headers, page = request(server, method=method)
        assert status == "405 Method Not Allowed"
        assert "Allow: GET, HEAD, POST" in headers and "<b>" not in page
    assert request(server, method="HEAD")[2] == ""
    for path in ("/favicon.ico", "/%2e%2e/etc", "http://evil.example/", "//evil.example"):
        assert request(server, path=path)[0] == "404 Not Found"


def test_json_is_refused_not_answered_with_a_page(server: PageServer) -> None:
    body = b'{"text": "We left Leeds."}'
    json = "Content-Type: application/json"
    assert request(server, json, method="POST", body=body)[0] == "415 Unsupported Media Type"
    assert post(server, "We left Leeds.", "Accept: application/json")[0] == "406 Not Acceptable"
    for accept in ("*/*", "text/*;q=0.8", "text/html,application/xhtml+xml;q=0.9"):
        assert post(server, "We left Leeds.", f"Accept: {accept}")[0] == "200 OK"


@pytest.mark.parametrize(
    "body",
    [b"text=%ff%fe", b"text=\xff\xfe", b"text=%ed%a0%80", "text=Zürich".encode("utf-16")],
)
def test_broken_encodings_are_refused(server: PageServer, body: bytes) -> None:
    status, _, page = request(server, FORM, method="POST", body=body)
    assert status == "400 Bad Request"
    assert "not UTF-8" in page


def test_utf8_is_read_with_and_without_percent_signs(server: PageServer) -> None:
    for body in ("text=Zürich שלום\0".encode(), urlencode({"text": "Zürich שלום\0"}).encode()):
        status, _, page = request(server, FORM, method="POST", body=body)
        assert status == "200 OK"
        assert page.count("Zürich שלום") == 2


@pytest.mark.parametrize("length", ["", "-1", "x", "1_0", "+5", "1e3", "٣"])
def test_request_that_does_not_say_how_long_it_is_is_refused(
    server: PageServer, length: str
) -> None:
    answer = request(server, FORM, f"Content-Length: {length}", method="POST", body=b"text=a")
    assert answer[0] == "411 Length Required"


def test_chunks_are_refused(server: PageServer) -> None:
    chunks = "Transfer-Encoding: chunked"
    answer = request(server, FORM, chunks, method="POST", body=b"6\r\ntext=a\r\n0\r\n\r\n")
    assert answer[0] == "411 Length Required"


def test_large_body_is_refused_before_it_is_sent_and_after(server: PageServer) -> None:
    for length in (MAX_BODY_BYTES + 1, 10**30):
        answer = request(server, FORM, f"Content-Length: {length}", method="POST")
        assert answer[0] == "413 Content Too Large"
    body = b"text=" + b"x" * MAX_BODY_BYTES
    assert request(server, FORM, method="POST", body=body)[0] == "413 Content Too Large"


def test_incomplete_body_is_refused(server: PageServer) -> None:
    answer = request(server, FORM, "Content-Length: 100", method="POST", body=b"text=Leeds")
    assert answer[0] == "400 Bad Request"
    assert "incomplete" in answer[2] and "PLACE" not in answer[2]


@pytest.mark.parametrize(
    "data, status",
    [
        (b"", ""),
        (b"\r\n\r\n", ""),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400"),
        (b"GET / HTTP/9.9 <b>\r\n\r\n", "400"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", "414"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", "431"),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", "431"),
    ],
)
def test_what_is_no_request_gets_a_number_and_nothing_of_its_own(
    server: PageServer, data: bytes, status: str
) -> None:
    answer, headers, body = send(server, data)
    assert answer[:3] == status
    assert body.strip() == status
    assert "<b>" not in answer + headers


def test_pipeline_that_fails_says_so_and_serves_on() -> None:
    nlp = spacy.blank("en")
    app = make_app(nlp=nlp)
    with serving(nlp) as server:
        server.set_app(page_server.guard(app, "localhost"))
        make_doc, nlp.make_doc = nlp.make_doc, lambda text: 1 / 0  # type: ignore[method-assign]
        status, _, page = post(server, "We left Leeds.")
        assert status == "500 Internal Server Error"
        assert "ZeroDivisionError" not in page
        nlp.make_doc = make_doc  # type: ignore[method-assign]
        assert post(server, "We left Leeds.")[0] == "200 OK"


# How many, and how slowly


@pytest.mark.parametrize(
    "start",
    [
        "",
        "GET / HTTP/1.1\r\nX: ",
        f"POST / HTTP/1.1\r\nHost: localhost\r\n{FORM}\r\nContent-Length: 100000\r\n\r\n",
    ],
    ids=["request line", "headers", "body"],
)
def test_client_that_sends_slowly_is_cut_off(
    server: PageServer, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_server, "REQUEST_SECONDS", 0.3)
    with connect(server) as connection:
        connection.sendall(start.encode("ascii"))
        with pytest.raises(ConnectionError):
            for _ in range(500):  # 25 seconds
                connection.sendall(b"x")
                time.sleep(0.05)
    assert request(server)[0] == "200 OK"


def test_slow_body_is_answered_with_its_reason(
    server: PageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_server, "REQUEST_SECONDS", 0.3)
    with connect(server) as connection:
        lines = ["POST / HTTP/1.1", "Host: localhost", FORM, "Content-Length: 9", "", "text"]
        connection.sendall("\r\n".join(lines).encode("ascii"))
        assert receive(connection)[0] == "408 Request Timeout"


def test_waiting_clients_do_not_block_others_until_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_server, "MAX_CONNECTIONS", 3)
    with serving(spacy.blank("en")) as server:
        idle = [connect(server) for _ in range(2)]
        assert request(server)[0] == "200 OK"
        wait_for(lambda: request(server)[0] == "200 OK")  # its slot is free again
        idle.append(connect(server))
        wait_for(lambda: receive(connect(server))[0] == "503 Service Unavailable")
        for connection in idle:
            connection.close()
        wait_for(lambda: request(server)[0] == "200 OK")


def wait_for(is_done: Callable[[], bool]) -> None:
    for _ in range(200):
        try:
            if is_done():
                return
        except ConnectionError:  # refused while the request was still being sent
            pass
        time.sleep(0.05)
    pytest.fail("waited for too long")


def test_answers_to_concurrent_clients_are_those_of_the_pipeline(trained: Trained) -> None:
    texts = [
        f"{giver} gave us {what} tea . We left {place} ." * length
        for giver in ("Ann Lee", "Bob", "Carol", "Dan Orr")
        for what in ("good", "bad")
        for place in ("Leeds", "Paris")
        for length in (1, 3)
    ]
    nlp = spacy.load(trained.model)
    expected = {text: to_html(nlp(text), page=False) for text in texts}
    open_url = build_opener(ProxyHandler({})).open
    with serving(spacy.load(trained.model)) as server:

        def ask(text: str) -> bool:
            data = urlencode({"text": text}).encode("ascii")
            url = f"http://localhost:{server.server_port}/"
            with open_url(Request(url, data=data), timeout=60) as answer:
                return expected[text] in answer.read().decode("utf8")

        with ThreadPoolExecutor(8) as clients:
            assert all(clients.map(ask, texts * 3))
