"""Arbitrary requests to one running server: never a server error, never a hang."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.clients.client import COOKIE, PASSWORD
from tests.support.clients.raw_http import exchange
from tests.support.clients.routes import all_routes
from tests.support.servers.server import CurfewServer

bounded = settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])

CREDENTIALS = {"username": "anna", "password": PASSWORD}
"""The one place of the password: elsewhere the server would be right to write it down."""


DATA = "/api/session/data"
"""It answers with what it was given, whatever that is."""


class Person:
    """Somebody who is signed in, and signs in again when a request has ended the session."""

    def __init__(self, server: CurfewServer) -> None:
        self.server = server
        self.csrf_token = self.cookie = ""
        self._http = httpx.Client(base_url=server.url, headers={"Origin": server.url})
        self._http.post("/api/signup", json=CREDENTIALS).raise_for_status()

    def be_signed_in(self) -> None:
        """Sign in, unless that is so."""
        cookie = {"Cookie": f"{COOKIE}={self.cookie}"}
        if self._http.get("/api/session", headers=cookie).status_code != 200:
            self._http.cookies.clear()
            answer = self._http.post("/api/login", json=CREDENTIALS).raise_for_status()
            self.cookie = answer.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
            self.csrf_token = answer.json()["csrf_token"]

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    with CurfewServer() as running:
        yield running
        assert " ERROR " not in running.log, running.log
        assert "Traceback" not in running.log, running.log


@pytest.fixture(scope="module")
def person(server: CurfewServer) -> Iterator[Person]:
    person = Person(server)
    yield person
    person.close()


words = st.sampled_from(
    ["username", "password", "current_password", "new_password", "end_other_sessions", "disabled",
     "scope", "next", "reason", "csrf_token", "anna", "all", "others", "http://[", "\x00"]
)  # fmt: skip
texts = words | st.text(max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
pairs = st.lists(st.tuples(texts, texts), max_size=4)
queries = pairs.map(lambda each: "&".join(f"{quote(k)}={quote(v)}" for k, v in each))
visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40)
operations = st.sampled_from(
    [(method, route.path) for route in all_routes() for method in sorted(route.methods)]
)
methods = st.sampled_from(
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"]
)
prefixes = st.sampled_from(["/api/sessions/", "/static/", "/account/sessions/", "/api/admin/", "/"])
elsewhere = st.tuples(methods, st.builds(str.__add__, prefixes, visible | texts.map(quote)))
targets = operations | operations | operations | elsewhere
bodies = (
    (json_values | st.just(CREDENTIALS)).map(lambda value: json.dumps(value).encode())
    | queries.map(str.encode)
    | st.binary(max_size=200)
)
media_types = st.sampled_from(
    ["application/json", "application/json", "application/x-www-form-urlencoded",
     "multipart/form-data; boundary=a", "text/plain", ""]
)  # fmt: skip
header_text = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=60)
cookies = st.sampled_from(["{}", "{}", "a=b; {}", '"{}"', "{}; {}", "{}x", ""]) | header_text
tokens = st.sampled_from(["{}", "{}", "{}", "{}x", ""])
own_headers = st.dictionaries(
    st.sampled_from(
        ["User-Agent", "Sec-Fetch-Site", "Accept-Language", "X-Forwarded-For",
         "If-None-Match", "Range", "Upgrade", "Connection", "Content-Encoding", "Accept-Encoding",
         "If-Modified-Since", "Sec-WebSocket-Version", "Sec-WebSocket-Key", "Authorization"]
    ),
    header_text | st.sampled_from(["websocket", "Upgrade", "13", "bytes=0-1,5-", "gzip", "en;q=x"]),
    max_size=3,
)  # fmt: skip


@pytest.mark.proves("A58", "2.2.1")
@bounded
@given(targets, queries, bodies, media_types, cookies, own_headers, tokens)
def test_no_request_is_a_server_error(
    person: Person,
    target: tuple[str, str],
    query: str,
    body: bytes,
    media_type: str,
    cookie: str,
    more: dict[str, str],
    token: str,
) -> None:
    person.be_signed_in()
    method, path = target
    if path == DATA:
        body = body.replace(PASSWORD.encode(), b"no secret of ours")
    headers = {
        "Host": f"127.0.0.1:{person.server.port}",
        "Origin": person.server.url,
        "Content-Type": media_type,
        "Content-Length": str(len(body)),
        "Cookie": cookie.replace("{}", f"{COOKIE}={person.cookie}"),
        "X-CSRF-Token": token.replace("{}", person.csrf_token),
        **more,
    }
    lines = [
        f"{method} {path}?{query} HTTP/1.1",
        *(f"{k}: {v}" for k, v in headers.items()),
        "",
        "",
    ]
    answer = exchange(person.server.port, "\r\n".join(lines).encode("latin-1") + body)
    assert 100 < answer.status < 500 or answer.status == 503, answer


@pytest.mark.proves("A76")
@bounded
@given(st.binary() | st.lists(st.sampled_from(
    [b"GET ", b"POST ", b"/", b"/api/login", b" HTTP/1.1", b"\r\n", b"\n", b"Host: a", b"\r\n\r\n",
     b"Content-Length: 5", b"Transfer-Encoding: chunked", b"5\r\n", b"{}", b"0\r\n\r\n", b"\x00",
     b"Cookie: ", b"\xff", b" ", b":"]
), max_size=12).map(b"".join))  # fmt: skip
def test_no_bytes_are_a_server_error_or_wait_for_ever(server: CurfewServer, sent: bytes) -> None:
    assert exchange(server.port, sent, end=True).status < 500


def test_afterwards_the_server_serves(person: Person) -> None:
    person.cookie = ""
    person.be_signed_in()
    assert person.cookie
