"""The attacks by handshakes, of TLS and of WebSockets, and by frames."""

import asyncio
import json
import os
import ssl
from contextlib import suppress
from typing import Final

from benchmarks.attacks.repeating import Attack, at_once, held
from benchmarks.attacks.wire import ATTACKER, PATIENCE, Target, answered, connected, get

UPGRADE: Final = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: curfew.v1\r\n"
)
FINAL: Final = 0x80
TEXT: Final = 0x1
PING: Final = 0x9
MASK: Final = b"\0\0\0\0"
"""With this one, the bytes stay as they are."""


def frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """Return a frame as a client sends it."""
    size = len(payload)
    head = bytes([FINAL * final | opcode])
    if size < 126:  # noqa: PLR2004 - RFC 6455 5.2
        return head + bytes([0x80 | size]) + MASK + payload
    return head + bytes([0x80 | 126]) + size.to_bytes(2) + MASK + payload


def message(**fields: object) -> bytes:
    """Return a message of the protocol."""
    return frame(TEXT, json.dumps(fields).encode())


def socket(sent: bytes, pause: float | None = None, times: int = 50) -> Attack:
    """Return the attack that opens sockets with a session and sends on each as fast as it can.

    Args:
        sent: what is sent.
        pause: seconds before more is sent; None to send only as fast as it is read.
        times: sockets at once.
    """

    async def once(target: Target) -> None:
        async with connected(target) as (reader, writer):
            writer.write(get(b"/ws", UPGRADE, signed_in=True)(target))
            async with asyncio.timeout(PATIENCE):
                await reader.readuntil(b"\r\n\r\n")
            while not reader.at_eof():
                writer.write(sent)
                await writer.drain()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause or 0):
                        await reader.read(65536)

    return at_once(once, times)


def crumbs(sent: bytes) -> Attack:
    """Return the attack that sends frames byte by byte."""

    async def once(target: Target) -> None:
        async with connected(target) as (reader, writer):
            writer.write(get(b"/ws", UPGRADE, signed_in=True)(target))
            async with asyncio.timeout(PATIENCE):
                await reader.readuntil(b"\r\n\r\n")
            while not reader.at_eof():
                for byte in sent:
                    writer.write(bytes([byte]))
                    await asyncio.sleep(0)

    return at_once(once, 60)


async def opened_and_left(target: Target) -> None:
    """Open a socket without a session, and leave."""
    async with connected(target) as (reader, writer):
        writer.write(get(b"/ws", UPGRADE)(target))
        await answered(reader)


async def shaken_and_left(target: Target) -> None:
    """Make a whole TLS handshake, and leave."""
    async with connected(target):
        pass


def client_hello() -> bytes:
    """Return how a TLS handshake begins."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()


async def half_shaken(target: Target) -> None:
    """Begin a TLS handshake, wait until the server has done its part, and leave."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", target.port, local_addr=(ATTACKER, 0)
    )
    try:
        writer.write(HELLO)
        async with asyncio.timeout(PATIENCE):
            await reader.read(65536)
    finally:
        writer.transport.abort()


async def noise(target: Target) -> None:
    """Send what is no handshake."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", target.port, local_addr=(ATTACKER, 0)
    )
    try:
        writer.write(os.urandom(2000))
        await reader.read(65536)
    finally:
        writer.transport.abort()


HELLO: Final = client_hello()
ROOM: Final = message(type="join", room="a room") + message(type="leave", room="a room")
ROOMS: Final = b"".join(message(type="join", room=f"room-{n}") for n in range(150))

SOCKET_ATTACKS: Final[dict[str, Attack]] = {
    "W slow handshakes": held(
        lambda target: get(b"/ws", UPGRADE)(target)[:-2], 400, lambda _: b"a", 0.05
    ),
    "W sockets without a session": at_once(opened_and_left),
    "W messages": socket(message(type="message", data={"a": 1}) * 30),
    "W large messages": socket(message(type="message", data="x" * 60_000)),
    "W pings": socket(frame(PING, b"x" * 100) * 300),
    "W fragments": socket(frame(TEXT, b'{"a', final=False) + frame(0, b"b", final=False) * 150),
    "W frames in crumbs": crumbs(message(type="ping")),
    "W frames in crumbs that never end": crumbs(b"\x81\xfe\xff\xff" + MASK + b"x" * 60_000),
    "W rooms": socket(ROOM * 50),
    "W many rooms": socket(ROOMS),
    "W sockets within the limits": socket(message(type="ping"), pause=0.06, times=60),
}
TLS_ATTACKS: Final[dict[str, Attack]] = {
    "T half handshakes": at_once(half_shaken),
    "T whole handshakes": at_once(shaken_and_left),
    "T noise": at_once(noise),
}
