"""A small HTTP server for pages on one's own computer: a thread for each request, limits on time
and size, and answers to nobody but the page itself.

It is for trying things out. Behind a public address, put an application server and a proxy in its
place.
"""

import io
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from ipaddress import ip_address
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

# What a WSGI server gives an application, and how the application answers.
Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

MAX_CONNECTIONS = 32
REQUEST_SECONDS = 10.0  # from the connection to the last byte of the request
ANSWER_SECONDS = 10.0  # for a client to take the answer
CLOSE_SECONDS = 1.0  # for a client that is still sending, to take an answer that came before
SECURITY_HEADERS = [
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "same-origin"),  # without any, browsers send "Origin: null" with the form
    ("Cache-Control", "no-store"),
]
_BUSY = b"HTTP/1.0 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_HOST = re.compile(r"[\w.-]+(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?", re.ASCII)


class PageServer(ThreadingMixIn, WSGIServer):
    """A WSGI server with a thread for each of at most `MAX_CONNECTIONS` connections. More are
    refused at once."""

    daemon_threads = True
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, host: str, port: int, app: App) -> None:
        """Create a server, which does not serve yet.

        host (str): The address.
        port (int): The port; 0 for any that is free.
        app (Callable): The WSGI application. It gets only requests of its own pages, see `guard`.
        """
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__((host, port), PageHandler)
        self.set_app(guard(app, host))

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a request in a thread, if there is one left. Internal.

        request (socket): The connection.
        client_address (Tuple[str, int]): Where it comes from.
        """
        if not self._slots.acquire(blocking=False):
            with suppress(OSError):
                request.settimeout(0)
                request.send(_BUSY)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread could be started
            self._slots.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a request. Internal.

        request (socket): The connection.
        client_address (Tuple[str, int]): Where it comes from.
        """
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()


class PageHandler(WSGIRequestHandler):
    """Reads a request within `REQUEST_SECONDS` and answers it."""

    server_version = "spacy-mtl"
    sys_version = ""
    default_request_version = "HTTP/1.0"
    error_message_format = "%(code)d\n"
    error_content_type = "text/plain; charset=utf-8"

    def setup(self) -> None:
        """Give the whole request one deadline. Internal."""
        super().setup()
        self.rfile.close()
        self._reader = _DeadlineReader(self.connection, REQUEST_SECONDS)
        self.rfile = io.BufferedReader(self._reader)

    def handle(self) -> None:
        """Answer the request, if it arrives in time. Internal."""
        try:
            super().handle()
        except TimeoutError:
            self.log_message("%s", "the request did not arrive in time")
        except ConnectionError as error:
            self.log_message("the connection was lost: %s", error)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request, without repeating any of it. Internal.

        code (int): The HTTP status.
        message (Optional[str]): Not used.
        explain (Optional[str]): Not used.
        """
        super().send_error(code)

    def finish(self) -> None:
        """Close the connection. Internal.

        A client that is still sending, such as a text that is too long, would lose the answer
        together with the connection: it gets a moment to see it.
        """
        with suppress(OSError, ValueError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self._reader.deadline = time.monotonic() + CLOSE_SECONDS
            while self.rfile.read1(2**16):
                pass
        super().finish()


class _DeadlineReader(io.RawIOBase):
    """What comes in on a connection until a deadline, however slowly it comes."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self.connection = connection
        self.deadline = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the request took too long")
        self.connection.settimeout(seconds)
        try:
            return self.connection.recv_into(buffer)
        finally:
            self.connection.settimeout(ANSWER_SECONDS)


def guard(app: App, host: str) -> App:
    """Refuse requests that pages of other sites make through a browser.

    Such a page can't read the answers of another site, unless it makes its own name point to this
    computer: the name of the host is checked. And it can send a form to another site: the origin of
    the request is checked.

    app (Callable): The WSGI application.
    host (str): The address that it is served on.
    RETURNS (Callable): The application behind the checks.
    """

    def guarded(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if not is_own_host(environ.get("HTTP_HOST", ""), host):
            refusal = "421 Misdirected Request", "This is not the host that was asked for."
        elif not is_same_origin(environ):
            refusal = "403 Forbidden", "Other sites may not use this page."
        else:
            return app(environ, start_response)
        status, explanation = refusal
        body = f"{explanation}\n".encode("ascii")
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
        ]
        start_response(status, [*headers, *SECURITY_HEADERS])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return guarded


def is_own_host(value: str, host: str) -> bool:
    """Tell whether a request asks for this server by a name that no other site can have.

    value (str): The header `Host`.
    host (str): The address that is served on. Where it is this computer's own, such as
        "localhost", only names of this computer are; else all IP addresses are as well.
    RETURNS (bool): Whether it does.
    """
    if not _HOST.fullmatch(value):
        return False
    name = urlsplit(f"//{value}").hostname or ""
    if name in ("localhost", host.lower()):
        return True
    is_public = not _is_loopback(host)
    if is_public and name == socket.gethostname().lower():
        return True
    return _is_loopback(name) or (is_public and _is_address(name))


def is_same_origin(environ: Environ) -> bool:
    """Tell whether a request comes from a page of this server, or from no page at all.

    environ (Dict[str, Any]): The request.
    RETURNS (bool): Whether it does. A link from elsewhere is followed: it says nothing but "GET /".
    """
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None:
        host = environ["HTTP_HOST"].lower()
        return bool(origin.lower() in (f"http://{host}", f"https://{host}"))
    is_link = environ["REQUEST_METHOD"] in ("GET", "HEAD")
    return is_link or environ.get("HTTP_SEC_FETCH_SITE", "none") in ("none", "same-origin")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return name == "localhost" or (_is_address(name) and ip_address(name).is_loopback)
