"""Listen to all clients of the tests, for `tests.support.secrets.leaks`."""

import functools
import http.client
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame

from server.telemetry.log_format import JsonFormatter
from tests.support.secrets.leaks import LeakSearch
from tests.support.secrets.shown import recovery_codes_in
from tests.support.secrets.store_secrets import note_session


def listen(search: LeakSearch) -> None:
    """Have every HTTP client, socket and logger of this process report."""
    _listen_to_httpx(search)
    _listen_to_httpx_in_threads(search)
    _listen_to_http_client(search)
    _listen_to_tornado(search)
    _listen_to_sockets(search)
    logging.getLogger().addHandler(_Log(search))


def note_request(search: LeakSearch, body: bytes) -> None:
    """Notice passwords and recovery codes in what a client sends, as JSON or as a form."""
    if b"password" not in body and b"code" not in body:
        return
    try:
        fields: Any = json.loads(body)
    except ValueError:
        fields = {name: each[0] for name, each in parse_qs(body.decode(errors="replace")).items()}
    if isinstance(fields, Mapping):
        for name, value in fields.items():
            if "password" in name and isinstance(value, str):
                search.password(value)
            if name == "code" and isinstance(value, str):
                for code in recovery_codes_in(value):
                    search.word(code, "recovery codes")


def note_answer(
    search: LeakSearch,
    place: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    port: int | None = None,
) -> None:
    """Notice an answer: its cookie is a secret, and everything else is output.

    Args:
        search: what notices.
        place: where, for whoever reads a finding.
        headers: all of them.
        body: all of it.
        port: of the server; the seed of a session that begins is looked up where that keeps it.
    """
    lines = []
    for name, value in headers:
        shown = value
        if name.lower() == "set-cookie":
            cookie, _, attributes = value.partition("=")[2].partition(";")
            note_session(search, port, search.cookie(cookie))
            shown = attributes
        lines.append(f"{name}: {shown}")
    head = "\r\n".join(lines).encode(errors="replace")
    search.answered(place, head + b"\r\n\r\n" + body, "HTTP")


def _listen_to_httpx(search: LeakSearch) -> None:
    send = httpx.AsyncClient.send

    @functools.wraps(send)
    async def listening(
        self: httpx.AsyncClient, request: httpx.Request, **options: Any
    ) -> httpx.Response:
        if not options.get("stream"):
            note_request(search, await request.aread())
        response = await send(self, request, **options)
        if response.is_closed:
            _note_httpx(search, response)
        return response

    httpx.AsyncClient.send = listening  # type: ignore[method-assign]


def _listen_to_httpx_in_threads(search: LeakSearch) -> None:
    """To answers only: what is sent here is made up, and no password of anybody's."""
    send = httpx.Client.send

    @functools.wraps(send)
    def listening(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        response = send(self, request, **options)
        if response.is_closed:
            _note_httpx(search, response)
        return response

    httpx.Client.send = listening  # type: ignore[method-assign]


def _note_httpx(search: LeakSearch, response: httpx.Response) -> None:
    request = response.request
    place = f"the answer to {request.method} {request.url.path}"
    headers = response.headers.multi_items()
    note_answer(search, place, headers, response.content, request.url.port)


def _listen_to_http_client(search: LeakSearch) -> None:
    """The standard library's, which urllib uses."""
    read = http.client.HTTPResponse.read

    @functools.wraps(read)
    def listening(self: http.client.HTTPResponse, amt: int | None = None) -> bytes:
        body = read(self, amt)
        if amt is None:
            note_answer(search, "an answer", self.getheaders(), body)
        return body

    http.client.HTTPResponse.read = listening  # type: ignore[method-assign]


def _listen_to_tornado(search: LeakSearch) -> None:
    fetch = SimpleAsyncHTTPClient.fetch_impl

    @functools.wraps(fetch)
    def listening(
        self: SimpleAsyncHTTPClient, request: HTTPRequest, callback: Callable[[HTTPResponse], None]
    ) -> None:
        note_request(search, request.body or b"")

        def answered(response: HTTPResponse) -> None:
            place = f"the answer to {request.method} {request.url}"
            body, port = response.body or b"", urlsplit(request.url).port
            note_answer(search, place, response.headers.get_all(), body, port)
            callback(response)

        fetch(self, request, answered)

    SimpleAsyncHTTPClient.fetch_impl = listening  # type: ignore[method-assign]


def _listen_to_sockets(search: LeakSearch) -> None:
    process = ClientConnection.process_event

    @functools.wraps(process)
    def listening(self: ClientConnection, event: Any) -> None:
        if isinstance(event, Frame):
            search.wrote("a frame", bytes(event.data), "frame")
        elif event is not None and self.response is None:
            body = event.body or b""
            note_answer(search, "a handshake", event.headers.raw_items(), bytes(body))
        process(self, event)

    ClientConnection.process_event = listening  # type: ignore[method-assign]


class _Log(logging.Handler):
    """What an application in this process logs."""

    def __init__(self, search: LeakSearch) -> None:
        super().__init__()
        self._search = search
        self.setFormatter(JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Notice the line."""
        if record.name.startswith(("curfew.", "server.", "handlers.", "tornado.")):
            line = self.format(record)
            self._search.wrote(f"a line of {record.name}", line, "log of this process")
