"""One client floods, flat out and from a process of its own; the others hardly notice."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.clients.client import Client
from tests.support.clients.people import People
from tests.support.clients.sockets import PING, TEXT, frame, raw_frame
from tests.support.servers.server import ROOT

pytestmark = pytest.mark.alone

PINGS = 20
TRIES = 3
"""Of which the best counts: others use the machine too, but never all the time."""
LATENCY_SECONDS = 0.1
NOISE = 4
"""A machine that is busy without any flood answers late too: then so many times as late."""
FLOODS = {
    "pings": (b"", raw_frame(PING, b"")),
    "empty fragments": (raw_frame(TEXT, b"", final=False), raw_frame(0x0, b"", final=False)),
    "messages": (b"", raw_frame(TEXT, b'{"type":"message","data":1}')),
}
"""What a connection begins with, and what follows without end."""


@asynccontextmanager
async def flooding(client: Client, first: bytes, data: bytes) -> AsyncIterator[None]:
    """A process that sends `data` again and again, and comes back whenever it is cut."""
    script = ROOT / "tests" / "support" / "clients" / "flooder.py"
    flooder = await asyncio.create_subprocess_exec(
        sys.executable,
        script,
        client.url,
        client.http.headers["Cookie"],
        first.hex(),
        data.hex(),
        stdout=asyncio.subprocess.PIPE,
    )
    assert flooder.stdout is not None
    await flooder.stdout.readline()
    try:
        yield
        assert flooder.returncode is None
    finally:
        flooder.kill()
        await flooder.communicate()


async def nearly_slowest(client: Client) -> float:
    """How long a round trip of a signed-in socket takes, but for the slowest tenth."""
    seconds = []
    async with client.open_socket() as socket:
        await frame(socket, "hello")
        for _ in range(PINGS):
            began = time.monotonic()
            await socket.send('{"type":"ping"}')
            await frame(socket, "pong")
            seconds.append(time.monotonic() - began)
            await asyncio.sleep(0.03)
    return sorted(seconds)[int(PINGS * 0.9)]


@pytest.mark.proves("A52")
@pytest.mark.parametrize(("first", "data"), FLOODS.values(), ids=FLOODS.keys())
async def test_the_others_are_answered_within_100_ms_while_one_floods(
    people: People, first: bytes, data: bytes
) -> None:
    honest, flooder = await people.somebody(), await people.somebody()
    quiet = await nearly_slowest(honest)
    async with flooding(flooder, first, data):
        flooded = min([await nearly_slowest(honest) for _ in range(TRIES)])
    assert flooded < max(LATENCY_SECONDS, NOISE * quiet)
