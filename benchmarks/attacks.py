"""What somebody else's requests take while one address attacks, beside what they take in quiet.

    python -m benchmarks.attacks [name ...]

Starts a server by `run.py`, signs a user in, and asks for the session fifty times a second from one
loopback address, first in quiet and then while another address attacks from a process of its own.
Somebody else signs in four times a second meanwhile. Prints the median and the worst latency of
both, and every answer that was not 200.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from statistics import median
from typing import Final

from tests.support.clients.client import COOKIE, PASSWORD, Client
from tests.support.servers.server import ROOT, CurfewServer

SECONDS: Final = 6.0
EVERY: Final = 0.02
SIGN_INS_EVERY: Final = 0.25
ATTACKER: Final = "127.0.0.1"
OTHER: Final = "127.0.0.9"
CROWD: Final = 100
"""Connections of the attacker."""


@dataclass
class Seen:
    """What one client has measured.

    Attributes:
        latencies: in seconds, of requests that were answered.
        refused: how often each status other than 200 came; 0 is a connection that was cut.
    """

    latencies: list[float] = field(default_factory=list)
    refused: dict[int, int] = field(default_factory=dict)

    def row(self) -> str:
        """Say the median, the worst, and what was refused."""
        if not self.latencies:
            return f"nothing answered, {self.refused}"
        worst = max(self.latencies)
        return f"{median(self.latencies) * 1e3:7.1f} {worst * 1e3:8.1f}  {self.refused or ''}"


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


async def somebody_else(port: int, asked: bytes, every: float, seconds: float) -> Seen:
    """Ask the same again and again on one connection."""
    seen, until = Seen(), time.perf_counter() + seconds
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(OTHER, 0))
    while (began := time.perf_counter()) < until:
        writer.write(asked)
        try:
            async with asyncio.timeout(20):
                status = await answered(reader)
        except (OSError, EOFError):
            status = 0
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(OTHER, 0))
        if status == HTTPStatus.OK:
            seen.latencies.append(time.perf_counter() - began)
        else:
            seen.refused[status] = seen.refused.get(status, 0) + 1
        await asyncio.sleep(every)
    writer.close()
    return seen


Attack = Callable[[int], Awaitable[None]]


def host(port: int) -> bytes:
    """Return the server's own host and origin, as header lines."""
    return b"Host: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\n" % (port, port)


async def again(port: int, request: bytes, *, reads: bool = True, stays: bool = True) -> None:
    """Send a request for ever: on one connection as long as it stays open, or each on a new one."""
    while True:
        with suppress(OSError, EOFError, TimeoutError):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=(ATTACKER, 0)
            )
            try:
                while True:
                    writer.write(request)
                    if not reads:
                        await writer.drain()
                        break
                    async with asyncio.timeout(20):
                        await answered(reader)
                    if not stays:
                        break
            finally:
                writer.transport.abort()
        await asyncio.sleep(0)


def crowd(build: Callable[[bytes], bytes], **how: bool) -> Attack:
    """Return the attack that sends a request on many connections at once."""

    async def attack(port: int) -> None:
        request = build(host(port))
        await asyncio.gather(*(again(port, request, **how) for _ in range(CROWD)))

    return attack


def get(path: bytes, more: bytes = b"") -> Callable[[bytes], bytes]:
    """Return what builds a GET request."""
    return lambda host: b"GET %s HTTP/1.1\r\n%s%s\r\n" % (path, host, more)


def post(path: bytes, body: bytes, method: bytes = b"POST") -> Callable[[bytes], bytes]:
    """Return what builds a request with JSON."""
    head = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    return lambda host: b"%s %s HTTP/1.1\r\n%s%s%s" % (method, path, host, head, body)


def chunked(host: bytes) -> bytes:
    """Return a sign-in whose body comes in crumbs."""
    head = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return b"POST /api/login HTTP/1.1\r\n" + host + head + b"1\r\nx\r\n" * 200_000


def small_chunks(host: bytes) -> bytes:
    """Return a sign-in whose chunks are just allowed."""
    head = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    piece = b"40\r\n" + b"x" * 64 + b"\r\n"
    return b"POST /api/login HTTP/1.1\r\n" + host + head + piece * 15_000 + b"0\r\n\r\n"


def pipelined(times: int) -> Callable[[bytes], bytes]:
    """Return what builds many requests at once."""
    return lambda host: get(b"/")(host) * times


async def never_reading(port: int) -> None:
    """Ask often, read nothing, and stay."""
    kept = []
    for _ in range(900):
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=(ATTACKER, 0), limit=1
            )
            writer.write(get(b"/openapi.json")(host(port)) * 60)
            kept.append((reader, writer))
    await asyncio.sleep(60)


async def sign_ups(port: int) -> None:
    """Make accounts, sixteen at a time."""

    async def one(number: int) -> None:
        made = 0
        while True:
            made += 1
            name = b"flood-%d-%d-%d" % (number, made, time.monotonic_ns() % 10**6)
            body = b'{"username":"%s","password":"a quiet lantern over the harbour"}' % name
            with suppress(OSError, EOFError, TimeoutError):
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", port, local_addr=(ATTACKER, 0)
                )
                writer.write(post(b"/api/signup", body)(host(port)))
                async with asyncio.timeout(20):
                    await answered(reader)
                writer.close()

    await asyncio.gather(*(one(number) for number in range(16)))


LANGUAGES: Final = b"Accept-Language: " + b"a-b-c;q=0.1," * 1200 + b"en\r\n"
ATTACKS: Final[dict[str, Attack]] = {
    "quiet (nobody attacks)": lambda _: asyncio.sleep(60),
    "C pipelined, then gone": crowd(pipelined(1200), reads=False),
    "D never reading": never_reading,
    "E crumbs": crowd(chunked),
    "E small chunks": crowd(small_chunks),
    "E header lines": crowd(get(b"/", b"A: b\r\n" * 2000)),
    "E 90 header lines": crowd(get(b"/", b"".join(b"A%d: b\r\n" % n for n in range(90)))),
    "E languages": crowd(get(b"/login", LANGUAGES)),
    "E ordinary pages": crowd(get(b"/login")),
    "E new connections": crowd(get(b"/healthz"), stays=False),
    "E wrong sign-ins": crowd(post(b"/api/login", b'{"username":"nobody","password":"x y z"}')),
    "F sign-ups": sign_ups,
    "G anonymous data": crowd(
        post(b"/api/session/data", b'{"set":{"a":"%s"}}' % (b"x" * 60_000), b"PATCH")
    ),
}


async def others(port: int, cookie: str, seconds: float) -> tuple[Seen, Seen]:
    """Ask for the session, and sign in, meanwhile."""
    credentials = b'{"username":"%s","password":"%s"}' % (b"somebody-new", PASSWORD.encode())
    session = get(b"/api/session", f"Cookie: {COOKIE}={cookie}\r\n".encode())(host(port))
    sign_in = post(b"/api/login", credentials)(host(port))
    return await asyncio.gather(
        somebody_else(port, session, EVERY, seconds),
        somebody_else(port, sign_in, SIGN_INS_EVERY, seconds),
    )


async def measure(server: CurfewServer, cookie: str, name: str) -> None:
    """Print one attack's rows: of session requests, and of sign-ins."""
    quiet = await others(server.port, cookie, SECONDS / 2)
    attacker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.attacks", "--attack", name, str(server.port), cwd=ROOT
    )
    try:
        await asyncio.sleep(1.0)
        attacked = await others(server.port, cookie, SECONDS)
    finally:
        attacker.kill()
        await attacker.wait()
    for row, before, during in zip((name, "    sign-ins"), quiet, attacked, strict=True):
        ratio = median(during.latencies or [9]) / median(before.latencies)
        print(f"{row:24} {before.row()}  | {during.row()} | {ratio:5.1f}x", flush=True)
    await asyncio.sleep(0.5)


async def main(names: list[str]) -> None:
    """Measure the given attacks, or all."""
    with CurfewServer() as server:
        await Client(server.url).sign_up("somebody-new")
        client = await Client(server.url).sign_up("somebody")
        print(f"{'':24} quiet: median worst (ms) | attacked: median worst (ms) | medians' ratio")
        for name in names or ATTACKS:
            await measure(server, client.cookie, name)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--attack"]:
        asyncio.run(ATTACKS[sys.argv[2]](int(sys.argv[3])))  # type: ignore[arg-type]
    else:
        asyncio.run(main(sys.argv[1:]))
