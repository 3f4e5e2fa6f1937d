"""The local page answers its own browser, and nobody else."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from bidsanon.report.serving import HTML, Answer, LocalServer, json_answer

pytestmark = pytest.mark.enable_socket
JSON = {"Content-Type": "application/json"}


class Echo:
    """A site that says what it was asked."""

    def get(self, path: str) -> Answer | None:
        return Answer(content=f"got {path}".encode(), kind=HTML) if path != "none" else None

    def post(self, path: str, content: dict[str, Any]) -> Answer | None:
        return json_answer({"path": path, **content}, is_last=path == "end")


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer(Echo()) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ask(
    server: LocalServer,
    path: str = "",
    *,
    method: str = "GET",
    body: bytes | None = None,
    token: str | None = None,
    **headers: str,
) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, f"/{token or server.token}/{path}", body=body, headers=named)
    answer = connection.getresponse()
    return answer.status, answer.read(), dict(answer.getheaders())


def own(server: LocalServer) -> dict[str, str]:
    return {"Origin": f"http://127.0.0.1:{server.server_port}", "Content_Type": "application/json"}


def test_it_listens_on_this_computer_alone(server: LocalServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert len(server.token) >= 40
    assert server.url == f"http://127.0.0.1:{server.server_port}/{server.token}/"


def test_whoever_has_the_address_is_answered(server: LocalServer) -> None:
    status, content, headers = ask(server, "a/page")
    assert (status, content) == (200, b"got a/page")
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert not [name for name in headers if name.lower().startswith("access-control")]
    assert ask(server, "none")[0] == 404


@pytest.mark.parametrize("token", ["x", "", "%00", ".."])
def test_without_the_token_nothing_is_there(server: LocalServer, token: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    connection.request("GET", f"/{token}/")
    assert connection.getresponse().status == 404
    almost = server.token[:-1] + ("a" if server.token[-1] != "a" else "b")
    assert ask(server, token=almost)[0] == 404
    assert ask(server, method="POST", body=b"{}", token=almost, **own(server))[0] == 404


@pytest.mark.parametrize(
    "header",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": "127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_another_site_is_refused_even_with_the_token(
    server: LocalServer, header: dict[str, str]
) -> None:
    assert ask(server, **header)[0] == 403
    status, _, _ = ask(server, method="POST", body=b"{}", **{**own(server), **header})
    assert status == 403


def test_a_decision_needs_the_pages_own_origin(server: LocalServer) -> None:
    sent = b'{"verdict": "accepted"}'
    status, content, _ = ask(server, "x", method="POST", body=sent, **own(server))
    assert (status, json.loads(content)) == (200, {"path": "x", "verdict": "accepted"})
    without = {"Content_Type": "application/json"}
    assert ask(server, "x", method="POST", body=sent, **without)[0] == 403
    other = {"Origin": f"http://localhost:{server.server_port}", **without}
    assert ask(server, "x", method="POST", body=sent, **other)[0] == 403


def test_the_other_name_of_this_computer_is_good_too(server: LocalServer) -> None:
    host = f"localhost:{server.server_port}"
    headers = {"Host": host, "Origin": f"http://{host}", "Content_Type": "application/json"}
    assert ask(server, method="POST", body=b"{}", **headers)[0] == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[]", "application/json"),
        (b"{", "application/json"),
        (b"[" * 9000, "application/json"),
        (b'{"a": "' + b"x" * 20_000 + b'"}', "application/json"),
        (b"{}", "text/plain"),
        (b"verdict=accepted", "application/x-www-form-urlencoded"),
    ],
)
def test_what_the_page_would_not_send_is_refused(
    server: LocalServer, body: bytes, kind: str
) -> None:
    headers = {**own(server), "Content_Type": kind}
    assert ask(server, method="POST", body=body, **headers)[0] == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "HEAD"])
def test_nothing_else_can_be_asked(server: LocalServer, method: str) -> None:
    assert ask(server, method=method)[0] == 501


def test_a_browser_that_asks_for_fifty_pictures_at_once_gets_them() -> None:
    """They connect before anybody is served: what the queue cannot hold would wait for seconds."""
    with LocalServer(Echo()) as server:
        connections = [socket.socket() for _ in range(50)]
        for connection in connections:
            connection.settimeout(0.5)
            connection.connect(("127.0.0.1", server.server_port))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        request = f"GET /{server.token}/a HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\n\r\n"
        for connection in connections:
            connection.settimeout(60)
            connection.sendall(request.encode())
        answers = []
        for connection in connections:
            with connection.makefile("rb") as answer:
                answers.append(answer.read())
            connection.close()
        server.shutdown()
        thread.join()
    assert all(answer.endswith(b"\r\n\r\ngot a") for answer in answers)


def test_it_ends_once_the_last_request_is_answered() -> None:
    with LocalServer(Echo()) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        assert ask(running, "end", method="POST", body=b"{}", **own(running))[0] == 200
        thread.join(60)
        assert not thread.is_alive()


def test_nothing_is_logged(server: LocalServer, capfd: pytest.CaptureFixture[str]) -> None:
    ask(server, "a")
    ask(server, "a", token="wrong")  # noqa: S106 - that it is wrong is the point
    assert capfd.readouterr() == ("", "")
