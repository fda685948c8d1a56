"""Requests as bytes, and connections that send them, from an address of one's choice."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from tests.support.clients.client import COOKIE

ATTACKER: Final = "127.0.0.1"
OTHER: Final = "127.0.0.9"
PATIENCE: Final = 20.0
"""Seconds until a client gives an answer up."""


@dataclass(frozen=True, slots=True)
class Target:
    """The server, and what the client has there.

    Attributes:
        port: where it listens.
        is_tls: whether it speaks TLS.
        cookie: of the client's own session; empty without one.
        csrf_token: of that session.
    """

    port: int
    is_tls: bool = False
    cookie: str = ""
    csrf_token: str = ""

    @property
    def host(self) -> bytes:
        """The server's own host and origin, as header lines."""
        scheme = b"https" if self.is_tls else b"http"
        return b"Host: 127.0.0.1:%d\r\nOrigin: %s://127.0.0.1:%d\r\n" % (
            self.port,
            scheme,
            self.port,
        )

    @property
    def session(self) -> bytes:
        """What says whose request it is, as header lines."""
        lines = f"Cookie: {COOKIE}={self.cookie}\r\nX-CSRF-Token: {self.csrf_token}\r\n"
        return lines.encode()


Build = Callable[[Target], bytes]
"""Builds what a client sends."""


def get(path: bytes, more: bytes = b"", *, signed_in: bool = False) -> Build:
    """Return what builds a GET request."""

    def build(target: Target) -> bytes:
        own = target.session if signed_in else b""
        return b"GET %s HTTP/1.1\r\n%s%s%s\r\n" % (path, target.host, own, more)

    return build


def post(
    path: bytes,
    body: bytes,
    *,
    method: bytes = b"POST",
    kind: bytes = b"application/json",
    signed_in: bool = False,
) -> Build:
    """Return what builds a request with a body."""
    head = b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(body))

    def build(target: Target) -> bytes:
        own = target.session if signed_in else b""
        return b"%s %s HTTP/1.1\r\n%s%s%s%s" % (method, path, target.host, own, head, body)

    return build


@asynccontextmanager
async def connected(
    target: Target, address: str = ATTACKER
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect; at the end, cut the connection."""
    context = None
    if target.is_tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", target.port, local_addr=(address, 0), ssl=context
    )
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def answered(reader: asyncio.StreamReader) -> int:
    """Read one answer with a known length; return its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    await reader.readexactly(length)
    return int(head[9:12])
