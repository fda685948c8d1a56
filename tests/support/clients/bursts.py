"""Many requests at one moment, each on a connection of its own that is open already."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.clients.client import COOKIE, Client
from tests.support.secrets.leaks import SEARCH

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_COOKIE = re.compile(rb"\r\nset-cookie: " + COOKIE.encode() + rb"=([^;]*)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: of HTTP.
        body: the JSON document.
        token: the token that the answer sets, without signature and time; None if it sets none.
    """

    status: int
    body: Any
    token: bytes | None


class Burst:
    """Sends to one server.

    Args:
        port: of the server.
    """

    def __init__(self, port: int) -> None:
        self._port = port

    async def send(self, client: Client, requests: Sequence[tuple[str, str, Any]]) -> list[Answer]:
        """Send at once what a page of this client would; all with the cookie it has now.

        The connections are opened just before: a server cuts those that ask for nothing for long.

        Args:
            client: its cookie and CSRF token.
            requests: method, path and JSON body, None for no body.
        """
        texts = [self._text(client, *request) for request in requests]
        async with _connections(self._port, len(texts)) as opened:
            for text, (_, writer) in zip(texts, opened, strict=True):
                writer.write(text)
            return list(await asyncio.gather(*(_answer(reader) for reader, _ in opened)))

    def _text(self, client: Client, method: str, path: str, body: Any) -> bytes:
        content = b"" if body is None else json.dumps(body).encode()
        head = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            f"Origin: {client.url}",
            f"Cookie: {COOKIE}={client.cookie}",
            f"X-CSRF-Token: {client.csrf_token}",
            "Content-Type: application/json",
            f"Content-Length: {len(content)}",
        ]
        return "\r\n".join([*head, "", ""]).encode() + content


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    length, cookie = _LENGTH.search(head), _COOKIE.search(head)
    assert length is not None, head
    content = await reader.readexactly(int(length[1]))
    body = json.loads(content)
    if cookie:
        SEARCH.cookie(cookie[1].decode("latin-1"))
    SEARCH.answered("an answer of a burst", _COOKIE.sub(b"", head) + content, "HTTP")
    # A signed value: version, key version, time, name, value, signature, each with its length.
    token = cookie[1].split(b"|")[4] if cookie and b"|" in cookie[1] else None
    return Answer(int(head.split(b" ", 2)[1]), body, token)


@asynccontextmanager
async def _connections(port: int, number: int) -> AsyncIterator[list[_Connection]]:
    opened = await asyncio.gather(
        *(asyncio.open_connection("127.0.0.1", port) for _ in range(number))
    )
    try:
        yield opened
    finally:
        for _, writer in opened:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in opened))
