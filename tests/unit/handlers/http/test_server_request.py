"""Requests are as Tornado makes them, and refused as Tornado refuses them."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
)

from handlers.http.server_request import RequestDelegate

CONTEXT = SimpleNamespace(remote_ip="192.0.2.7", protocol="https")
CONNECTION = cast("HTTPConnection", SimpleNamespace(context=CONTEXT))
SERVER = object()
MOMENT = {"_start_time"}


def request(target: str, headers: HTTPHeaders, version: str = "HTTP/1.1") -> HTTPServerRequest:
    """Return the request that a handler would get."""
    found = list[HTTPServerRequest]()

    def find(request: HTTPServerRequest) -> HTTPMessageDelegate:
        found.append(request)
        return HTTPMessageDelegate()

    line = RequestStartLine("GET", target, version)
    RequestDelegate(find, SERVER, CONNECTION).headers_received(line, headers)
    return found[0]


def theirs(target: str, headers: HTTPHeaders, version: str = "HTTP/1.1") -> HTTPServerRequest:
    """Return Tornado's."""
    return HTTPServerRequest(
        start_line=RequestStartLine("GET", target, version),
        headers=headers,
        connection=CONNECTION,
        server_connection=SERVER,
    )


def attributes(request: HTTPServerRequest) -> dict[str, Any]:
    return {name: value for name, value in vars(request).items() if name not in MOMENT}


@pytest.mark.parametrize("target", ["/", "/a/b", "/a?b=c&b=d", "/a?", "*", "http://a/b", "/%3f"])
@pytest.mark.parametrize("host", ["app.example", "App.Example:8443", "[::1]:80", "a.example:"])
def test_a_request_has_all_that_tornados_has(target: str, host: str) -> None:
    headers = HTTPHeaders({"Host": host, "X-One": "1"})
    ours, tornados = request(target, headers), theirs(target, headers)
    assert attributes(ours) == attributes(tornados)
    assert ours.request_time() - tornados.request_time() < 5
    assert ours.arguments is not ours.query_arguments, "a body's arguments come to one of them"


def test_the_first_version_needs_no_host() -> None:
    headers = HTTPHeaders()
    assert request("/", headers, "HTTP/1.0").host == theirs("/", headers, "HTTP/1.0").host


@pytest.mark.parametrize("hosts", [[], ["a", "b"], ["a,b"], ["a b"], ["a/b"], [""]])
def test_what_tornado_refuses_is_refused(hosts: list[str]) -> None:
    headers = HTTPHeaders()
    for each in hosts:
        headers.add("Host", each)
    outcomes = list[str]()
    for make in (request, theirs, request):
        try:
            outcomes.append(make("/", headers).host_name)
        except HTTPInputError as error:
            outcomes.append(str(error))
    assert len(set(outcomes)) == 1


def test_whoever_answers_is_told_everything() -> None:
    told = list[str]()

    class Answering(HTTPMessageDelegate):
        """Notes what it is told."""

        def data_received(self, chunk: bytes) -> None:
            """Note it."""
            told.append(chunk.decode())

        def finish(self) -> None:
            """Note it."""
            told.append("finish")

        def on_connection_close(self) -> None:
            """Note it."""
            told.append("close")

    delegate = RequestDelegate(lambda _: Answering(), SERVER, CONNECTION)
    delegate.on_connection_close()
    assert not told, "nobody answers yet"
    line = RequestStartLine("POST", "/", "HTTP/1.1")
    delegate.headers_received(line, HTTPHeaders({"Host": "a"}))
    delegate.data_received(b"piece")
    delegate.finish()
    delegate.on_connection_close()
    assert told == ["piece", "finish", "close"]
