"""A page for the person at this computer alone: served on 127.0.0.1, to whoever has its address.

The address holds a token that is asked for at each request. A page of another site that finds the
port has no token, and what it sends is told by its Origin; one whose name was made to lead to
127.0.0.1 (DNS rebinding) is told by its Host. Nothing is cached, logged or shown in a frame.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Protocol

LOCAL = "127.0.0.1"
HTML, CSS, SCRIPT, PNG, JSON = (
    "text/html; charset=utf-8",
    "text/css; charset=utf-8",
    "text/javascript; charset=utf-8",
    "image/png",
    "application/json",
)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_LARGEST_REQUEST = 1 << 14
_TIMEOUT_S = 30
_MOST_WAITING = 128
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is sent back.

    Attributes
    ----------
    content
        Its bytes.
    kind
        Its media type.
    status
        200, or what went wrong.
    is_last
        Whether nothing is served after it.
    """

    content: bytes
    kind: str
    status: HTTPStatus = HTTPStatus.OK
    is_last: bool = False


def json_answer(
    content: object, *, status: HTTPStatus = HTTPStatus.OK, is_last: bool = False
) -> Answer:
    """Return an answer in JSON."""
    encoded = json.dumps(content).encode()
    return Answer(content=encoded, kind=JSON, status=status, is_last=is_last)


class Site(Protocol):
    """What is served. It is asked by several threads at once."""

    def get(self, path: str) -> Answer | None:
        """Return what is at a path below the token; None where nothing is."""

    def post(self, path: str, content: dict[str, Any]) -> Answer | None:
        """Do what is asked at a path; None where nothing can be."""


class LocalServer(ThreadingHTTPServer):
    """Serves a site on 127.0.0.1.

    Parameters
    ----------
    site
        What is served.
    port
        0 for one that is free.

    Raises
    ------
    OSError
        If the port is taken.
    """

    daemon_threads = True
    block_on_close = False
    # Of the base's 5, a browser that opens a page's pictures all at once may be refused some.
    request_queue_size = _MOST_WAITING

    def __init__(self, site: Site, *, port: int = 0) -> None:
        self.site = site
        self.token = secrets.token_urlsafe(32)
        super().__init__((LOCAL, port), _Handler)

    @property
    def hosts(self) -> tuple[str, ...]:
        """What a browser calls this server."""
        return tuple(f"{name}:{self.server_port}" for name in (LOCAL, "localhost"))

    @property
    def url(self) -> str:
        """The address, with the token."""
        return f"http://{LOCAL}:{self.server_port}/{self.token}/"

    def end(self) -> None:
        """Let :meth:`serve_forever` return, once the request that asked for it is answered."""
        threading.Thread(target=self.shutdown, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that left; there is nobody to read it."""


class _Handler(BaseHTTPRequestHandler):
    """Answers one request, if it is from the page itself."""

    server: LocalServer
    server_version = "bidsanon"
    sys_version = ""
    timeout = _TIMEOUT_S
    error_message_format = "%(message)s\n"
    error_content_type = "text/plain; charset=utf-8"
    _OWN: ClassVar = {"", "same-origin", "none"}

    def do_GET(self) -> None:
        """Answer what only asks."""
        path = self._admitted()
        if path is not None:
            self._answer(self.server.site.get(path))

    def do_POST(self) -> None:
        """Answer what changes something."""
        path = self._admitted()
        if path is None:
            return
        if self.headers.get("Origin") not in self._origins():
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        content = self._content()
        if content is None:
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        self._answer(self.server.site.post(path, content))

    def _admitted(self) -> str | None:
        """Return the path below the token; None where the request is refused."""
        token, _, path = self.path.removeprefix("/").partition("/")
        # Compared first, and always in the same time.
        known = hmac.compare_digest(token.encode(), self.server.token.encode())
        from_the_page = (
            self.headers.get("Host") in self.server.hosts
            and self.headers.get("Sec-Fetch-Site", "") in self._OWN
            and self.headers.get("Origin") in {None, *self._origins()}
        )
        if known and from_the_page:
            return path
        self._refuse(HTTPStatus.NOT_FOUND if from_the_page else HTTPStatus.FORBIDDEN)
        return None

    def _origins(self) -> set[str]:
        """Return the one origin that may ask: that of the host that is asked."""
        return {f"http://{self.headers.get('Host')}"}

    def _content(self) -> dict[str, Any] | None:
        """Return the JSON object that was sent; None where it is none, or too long."""
        length = self.headers.get("Content-Length", "")
        if self.headers.get_content_type() != JSON or not length.isdecimal():
            return None
        if int(length) > _LARGEST_REQUEST:
            return None
        try:
            content = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None

    def _refuse(self, status: HTTPStatus) -> None:
        self._answer(Answer(content=b"", kind="text/plain; charset=utf-8", status=status))

    def _answer(self, answer: Answer | None) -> None:
        if answer is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        self.send_response(answer.status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)
        if answer.is_last:
            self.server.end()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Log nothing: the token stands in each request."""
