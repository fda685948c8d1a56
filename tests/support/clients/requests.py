"""Requests as Tornado hands them to a handler, for tests that need no server."""

from types import SimpleNamespace

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine


def request(
    *headers: tuple[str, str],
    peer: str = "127.0.0.1",
    address: str = "/",
    body: bytes = b"",
    host: str = "localhost",
) -> HTTPServerRequest:
    """Return a request with these headers.

    Args:
        headers: name and value of each.
        peer: the address at the other end of the connection.
        address: path and query.
        body: of the request.
        host: of the Host header.
    """
    given = HTTPHeaders({"Host": host})
    for name, value in headers:
        given.add(name, value)
    return HTTPServerRequest(
        start_line=RequestStartLine("POST" if body else "GET", address, "HTTP/1.1"),
        headers=given,
        body=body,
        connection=SimpleNamespace(  # type: ignore[arg-type]  # all that is looked at
            context=SimpleNamespace(remote_ip=peer, protocol="http"),
            set_close_callback=lambda _: None,
        ),
    )
