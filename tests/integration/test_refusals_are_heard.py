"""What is refused before it is read learns why: directly, behind nginx, and behind HAProxy."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest

from tests.support.clients.raw_http import Answer, exchange
from tests.support.running.ports import free_port
from tests.support.servers.balancers import haproxy, nginx
from tests.support.servers.server import CurfewServer

NGINX = """
    client_max_body_size 0;
    large_client_header_buffers 8 64k;
    server {{
        listen 127.0.0.1:{port};
        proxy_http_version {version};
        proxy_request_buffering {buffering};
        proxy_set_header Host $http_host;
        proxy_set_header Connection "";
        location / {{ proxy_pass http://127.0.0.1:{server}; }}
    }}
"""
HAPROXY = """
global
    tune.bufsize 131072
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend all
    bind 127.0.0.1:{port}
    default_backend curfew
backend curfew
    server one 127.0.0.1:{server}
"""
WAYS = ("direct", "nginx", "nginx 1.0", "nginx that streams", "haproxy")
MUCH = 40_000_000
PIECE = b"x" * 100_000
TOO_LARGE = {
    "type": "/problems/body-too-large",
    "title": "The body is too large",
    "status": 413,
    "detail": "A request's body has at most 128 KiB.",
}


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Shared by the tests of the file."""
    with CurfewServer() as running:
        yield running


@pytest.fixture(scope="module")
def ports(server: CurfewServer) -> Iterator[dict[str, int]]:
    """Where the server is reached in each way."""
    there = {"direct": server.port} | {way: free_port() for way in WAYS[1:]}
    servers = "".join(
        NGINX.format(port=there[way], server=server.port, version=version, buffering=buffering)
        for way, version, buffering in (
            ("nginx", "1.1", "on"), ("nginx 1.0", "1.0", "on"), ("nginx that streams", "1.1", "off")
        )
    ).replace("client_max_body_size 0;\n    large_client_header_buffers 8 64k;", "", 2)  # fmt: skip
    configuration = HAPROXY.format(port=there["haproxy"], server=server.port)
    with ExitStack() as stack:
        stack.enter_context(nginx(servers, there["nginx"]))
        stack.enter_context(haproxy(configuration, there["haproxy"]))
        yield there


def post(port: int, host: str, size: int, *, chunked: bool) -> tuple[int, object]:
    """Send a body as most libraries do: all of it, before the answer is read."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json", "Host": host}
    headers |= {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(size)}
    body = (PIECE for _ in range(size // len(PIECE)))
    connection.request("POST", "/api/login", body, headers, encode_chunked=chunked)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told


@pytest.mark.parametrize("size", [200_000, 1_200_000, MUCH])
@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
@pytest.mark.parametrize("way", WAYS)
def test_who_sends_too_much_is_told_so_whatever_stands_between(
    ports: dict[str, int], way: str, size: int, *, chunked: bool
) -> None:
    host = f"127.0.0.1:{ports['direct']}"
    assert post(ports[way], host, size, chunked=chunked) == (413, TOO_LARGE)


def send(port: int, lines: bytes, body: bytes = b"") -> Answer:
    """Send a request with these lines, and a Host."""
    first, _, rest = lines.partition(b"\r\n")
    return exchange(port, b"%b\r\nHost: a\r\n%b\r\n%b" % (first, rest, body))


@pytest.mark.parametrize("way", [way for way in WAYS if way.startswith(("direct", "haproxy"))])
def test_who_asks_first_is_refused_before_it_has_sent_a_byte(
    ports: dict[str, int], way: str
) -> None:
    """Nginx asks for the body itself."""
    lines = b"POST /api/login HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %d\r\n" % MUCH
    answer = send(ports[way], lines)
    assert answer.status == 413
    assert json.loads(answer.raw.partition(b"\r\n\r\n")[2]) == TOO_LARGE


@pytest.mark.parametrize("size", [17_000, 60_000])
@pytest.mark.parametrize("way", WAYS)
def test_too_many_headers_and_a_long_address_are_named(
    ports: dict[str, int], way: str, size: int
) -> None:
    answer = send(ports[way], b"GET / HTTP/1.1\r\nCookie: a=%b\r\n" % (b"b" * size))
    assert answer.status == 431
    assert b'"/problems/headers-too-large"' in answer.raw
    answer = send(ports[way], b"GET /?%b HTTP/1.1\r\n" % (b"a" * size))
    assert answer.status == 414
    assert b'"/problems/target-too-long"' in answer.raw


@pytest.mark.parametrize(
    ("lines", "status", "kind"),
    [
        (b"GET /a b HTTP/1.1\r\n", 400, "bad-request"),
        (b"GET / HTTP/1.1\r\nContent-Length: x\r\n", 400, "bad-request"),
        (b"GET / HTTP/2.0\r\n", 400, "bad-request"),
        (b"GET / HTTP/1.2\r\n", 400, "bad-request"),
        (b"PRI * HTTP/2.0\r\n", 400, "bad-request"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n", 501, "unknown-coding"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101, 431, "headers-too-large"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n", 400, "bad-request"),
    ],
)
def test_every_refusal_is_an_answer_that_says_what_is_wrong(
    server: CurfewServer, lines: bytes, status: int, kind: str
) -> None:
    answer = send(server.port, lines, PIECE * 50)
    assert answer.status == status
    head, _, body = answer.raw.partition(b"\r\n\r\n")
    assert json.loads(body)["type"] == f"/problems/{kind}"
    assert json.loads(body)["status"] == status
    for line in (b"Connection: close", b"Content-Type: application/problem+json; charset=UTF-8",
                 b"Cache-Control: no-store", b"X-Content-Type-Options: nosniff"):  # fmt: skip
        assert line in head.split(b"\r\n")


def test_a_head_that_is_refused_has_no_body(server: CurfewServer) -> None:
    sent = b"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n"
    answer = exchange(server.port, sent, read_all=True)
    assert answer.status == 413
    assert answer.raw.endswith(b"\r\n\r\n")
    assert re.search(rb"\r\nContent-Length: [1-9]", answer.raw)


def test_a_request_that_never_ends_is_told_that_it_took_too_long(server: CurfewServer) -> None:
    began = time.monotonic()
    with ExitStack() as stack:
        waiting = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 20))
            for _ in range(3)
        ]
        waiting[0].sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        waiting[1].sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
        for each in waiting[:2]:
            answer = each.recv(2000)
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b'"/problems/request-timeout"' in answer
            assert not each.recv(1)
        assert not waiting[2].recv(1), "who has sent nothing waits for no answer"
    assert 9 < time.monotonic() - began < 15


def test_a_refusal_is_heard_by_who_sends_slowly(server: CurfewServer) -> None:
    """For longer than the time that a silent peer gets."""
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % MUCH)
        for _ in range(7):
            connection.sendall(PIECE)
            time.sleep(1)  # the pace of a mobile network
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
