"""What is hardly HTTP: refused, and the server goes on."""

import re
from collections.abc import Iterator

import pytest

from handlers.serving.process import MAX_HEADER_BYTES
from tests.support.clients.raw_http import Answer, exchange
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer

JSON = b"Content-Type: application/json\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """With its own limits, shared by the tests of the file."""
    with CurfewServer() as running:
        yield running


@pytest.fixture(autouse=True)
def goes_on(server: CurfewServer) -> Iterator[None]:
    """Whatever was sent, the server answers the next one, and has logged no error of its own."""
    yield
    assert exchange(server.port, b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
    assert " ERROR " not in server.log
    assert "Traceback" not in server.log


def send(server: CurfewServer, head: bytes, rest: bytes = b"", *, end: bool = False) -> Answer:
    """Send a request to the server's own host; `head` goes on to the end of its headers."""
    line, _, headers = head.partition(b"\r\n")
    host = b"Host: 127.0.0.1:%d\r\n" % server.port
    return exchange(server.port, line + b"\r\n" + host + headers + b"\r\n" + rest, end=end)


@pytest.mark.parametrize(
    "line",
    [
        b"GET /",
        b"GET  / HTTP/1.1",
        b"GET / HTTP/2.0",
        b"GET / HTTP/9",
        b"GET / index HTTP/1.1",
        b"G\xc3\x89T / HTTP/1.1",
        b"GET /\x01 HTTP/1.1",
        b"GET /\x1b[31m HTTP/1.1",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0",
        b"",
    ],
)
def test_a_line_that_is_no_request_is_refused(server: CurfewServer, line: bytes) -> None:
    assert send(server, line + b"\r\n").status == 400


@pytest.mark.proves("A76", "4.2.1")
@pytest.mark.parametrize(
    "headers",
    [
        b"Host: evil.example\r\n",
        b"a b: c\r\n",
        b"no colon\r\n",
        b": nothing\r\n",
        b"A: a\x00b\r\n",
        b"A: a\x1bb\r\n",
        b"A: a\rB: b\r\n",
        b"Content-Length: x\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 1, 2\r\n",
        b"Content-Length: 1\r\nContent-Length: 2\r\n",
        b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: \x0bchunked\r\n",
        b"Content-Length : 0\r\n",
        b"Content-Length: +0\r\n",
        b"Content-Length: 0x0\r\n",
        b"Content-Length: 0_0\r\n",
        b"Content-Length: \r\n",
        b" folded: at the start\r\n",
    ],
)
def test_headers_that_are_none_are_refused(server: CurfewServer, headers: bytes) -> None:
    assert send(server, b"GET / HTTP/1.1\r\n" + headers).status == 400


@pytest.mark.proves("A76", "4.2.1")
def test_what_is_refused_takes_its_connection_along(server: CurfewServer) -> None:
    """What follows on it cannot be told apart from the refused request's body."""
    host = b"Host: 127.0.0.1:%d\r\n" % server.port
    smuggled = b"GET /healthz HTTP/1.1\r\n" + host + b"\r\n"
    for headers in (
        b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 0\r\n",
        b"Content-Length : 0\r\n",
    ):
        sent = b"GET / HTTP/1.1\r\n" + host + headers + b"\r\n" + smuggled
        answer = exchange(server.port, sent, read_all=True)
        assert re.findall(rb"HTTP/1.1 (\d+)", answer.raw) == [b"400"]
        assert answer.closed


@pytest.mark.proves("A77", "4.1.4")
@pytest.mark.parametrize("method", [b"TRACE", b"TRACK", b"PROPFIND", b"DEBUG", b"LINK", b"get"])
@pytest.mark.parametrize("path", [b"/", b"/api/session", b"/api/login", b"/ws", b"/nowhere"])
def test_no_other_method_is_answered_nor_echoed(
    server: CurfewServer, method: bytes, path: bytes
) -> None:
    answer = send(server, method + b" " + path + b" HTTP/1.1\r\nX-Echo: told\r\n")
    assert answer.status in {400, 403, 404, 405, 426}
    assert b"told" not in answer.raw


@pytest.mark.proves("4.2.2")
@pytest.mark.parametrize("path", [b"/", b"/login", b"/api/session", b"/healthz", b"/nowhere"])
def test_a_head_says_the_size_of_what_get_sends(server: CurfewServer, path: bytes) -> None:
    got = send(server, b"GET " + path + b" HTTP/1.1\r\n").raw
    head, _, body = got.partition(b"\r\n\r\n")
    asked = send(server, b"HEAD " + path + b" HTTP/1.1\r\n").raw
    assert asked.endswith(b"\r\n\r\n")
    size = re.compile(rb"Content-Length: (\d+)")
    assert size.findall(head) == size.findall(asked) == [b"%d" % len(body)]


@pytest.mark.proves("A75")
@pytest.mark.parametrize(
    "next_page", ["%0d%0aSet-Cookie:%20a=b", "/%0d%0aX-Split:%201", "//evil.example"]
)
def test_nothing_in_the_query_splits_the_headers(server: CurfewServer, next_page: str) -> None:
    answer = send(server, b"GET /login?next=" + next_page.encode() + b" HTTP/1.1\r\n")
    head = answer.raw.partition(b"\r\n\r\n")[0]
    assert b"X-Split" not in head
    assert b"a=b" not in head
    assert b"evil.example" not in head


def test_a_host_must_be_named_once(server: CurfewServer) -> None:
    assert exchange(server.port, b"GET / HTTP/1.1\r\n\r\n").status == 400
    assert exchange(server.port, b"GET / HTTP/1.1\r\nHost: \r\n\r\n").status in {400, 421}
    assert exchange(server.port, b"GET / HTTP/1.0\r\n\r\n").status == 421


@pytest.mark.parametrize(
    "target", [b"*", b"http://127.0.0.1/", b"http://evil.example/", b"a", b"//"]
)
def test_targets_that_are_no_path_lead_nowhere(server: CurfewServer, target: bytes) -> None:
    for method in (b"GET", b"POST", b"OPTIONS", b"CONNECT"):
        assert send(server, method + b" " + target + b" HTTP/1.1\r\n").status in {400, 404}


@pytest.mark.proves("A82b")
def test_no_path_forges_a_line_of_the_log(server: CurfewServer) -> None:
    hostile = b"/\x85ERROR\x9b31m\xff'"
    assert send(server, b"GET " + hostile + b" HTTP/1.1\r\n").status == 404
    eventually(lambda: "404 GET /\\x85ERROR\\x9b31m\\xff'" in server.log)
    assert all(line.isprintable() for line in server.log.split("\n"))


def test_headers_may_take_16_kib_and_no_more(server: CurfewServer) -> None:
    fits = b"Cookie: a=" + b"b" * (MAX_HEADER_BYTES - 200) + b"\r\n"
    assert send(server, b"GET / HTTP/1.1\r\n" + fits).status == 200
    for more in (
        b"Cookie: a=" + b"b" * MAX_HEADER_BYTES + b"\r\n",
        b"A: b\r\n" * MAX_HEADER_BYTES,
        b"X-CSRF-Token: " + b"c" * 2**20 + b"\r\n",
    ):
        assert send(server, b"GET / HTTP/1.1\r\n" + more).status == 431
    assert send(server, b"GET /" + b"a" * 2**20 + b" HTTP/1.1\r\n").status == 414


@pytest.mark.proves("A58")
@pytest.mark.parametrize(("size", "status"), [(2**20 + 1, 413), (2**24, 413), (10**30, 400)])
@pytest.mark.proves("A58")
def test_a_body_over_the_limit_is_refused_before_it_is_read(
    server: CurfewServer, size: int, status: int
) -> None:
    head = b"POST /api/login HTTP/1.1\r\n" + JSON + b"Content-Length: %d\r\n" % size
    waiting = send(server, head + b"Expect: 100-continue\r\n", b"x" * min(size, 2**16))
    assert waiting.status == status
    assert send(server, head, b"x" * min(size, 2**20)).status == status


def test_a_body_a_little_over_the_limit_is_told_so(server: CurfewServer) -> None:
    size = 128 * 1024 + 1
    head = b"POST /api/login HTTP/1.1\r\n" + JSON + b"Content-Length: %d\r\n" % size
    assert send(server, head, b"x" * size).status == 413


@pytest.mark.proves("A76", "4.2.1")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"zz\r\n{}\r\n0\r\n\r\n", 400),
        (b"-1\r\n", 400),
        (b"2\r\n{}{}\r\n0\r\n\r\n", 400),
        (b"ffffffffffffffff\r\n", 413),
        (b"100000\r\n" + b"x" * 2**20 + b"\r\n0\r\n\r\n", 413),
        ((b"8000\r\n" + b"x" * 2**15 + b"\r\n") * 32 + b"0\r\n\r\n", 413),
        (b"1;" + b"x" * 2**17 + b"\r\n", 400),
    ],
)
def test_chunks_that_are_none_or_too_many_are_refused(
    server: CurfewServer, body: bytes, status: int
) -> None:
    head = b"POST /api/login HTTP/1.1\r\n" + JSON + b"Transfer-Encoding: chunked\r\n"
    assert send(server, head, body).status == status


def test_a_body_that_ends_too_early_is_no_request(server: CurfewServer) -> None:
    head = b"POST /api/login HTTP/1.1\r\n" + JSON + b"Content-Length: 100\r\n"
    assert send(server, head, b'{"username":', end=True).status == 0


@pytest.mark.proves("A76")
def test_a_second_request_behind_the_first_is_answered_by_itself(server: CurfewServer) -> None:
    host = b"Host: 127.0.0.1:%d\r\n" % server.port
    first = b"POST /api/login HTTP/1.1\r\n" + host + JSON + b"Content-Length: 2\r\n\r\n{}"
    second = b"GET /healthz HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n"
    answer = exchange(server.port, first + second, read_all=True)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer.raw) == [b"400", b"200"]
