"""One address's crowd does not stretch the requests of others: on a real server and real sockets.

What is compared is how much of the crowd's work begins while somebody else's request is under way.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network

import pytest
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from handlers.front.server import FrontServer
from handlers.front.turns import BESIDE_OTHERS
from handlers.http.connection_limits import ConnectionLimits
from tests.support.running.waiting import until

CROWD, OTHER = "127.0.0.5", "127.0.0.6"
CONNECTIONS = 60
TURNS = 200
"""Of the loop, that the request of somebody else takes."""
SLACK = 3
"""What may have begun just before, and what the loop's clock rounds away."""
CROWDED = b"GET /crowd HTTP/1.1\r\nHost: a\r\n\r\n"
OTHERS = b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n"


class Crowd(RequestHandler):
    """Counts the crowd's requests."""

    begun = 0

    async def get(self) -> None:
        """Count one."""
        Crowd.begun += 1
        await asyncio.sleep(0)


class Other(RequestHandler):
    """Says how much of the crowd began meanwhile, and how long that took."""

    async def get(self) -> None:
        """Take many turns of the loop."""
        loop, before = asyncio.get_running_loop(), Crowd.begun
        began = loop.time()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        self.write(f"{Crowd.begun - before} {loop.time() - began}")


class Serving:
    """A server in this process, and those who connect to it.

    Attributes:
        server: the server.
    """

    def __init__(self, *trusted: str) -> None:
        self.server = FrontServer(
            Application([("/crowd", Crowd), ("/other", Other)], log_function=lambda _: None),
            connection_limits=ConnectionLimits(1000, [ip_network(each) for each in trusted]),
        )
        listening, self._port = bind_unused_port()
        self.server.add_socket(listening)
        self._writers = list[asyncio.StreamWriter]()

    async def connect(self, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect from an address."""
        local = (address, 0)
        opened = await asyncio.open_connection("127.0.0.1", self._port, local_addr=local)
        self._writers.append(opened[1])
        return opened

    async def close(self) -> None:
        """Close everything."""
        for writer in self._writers:
            writer.close()
        self.server.stop()
        await self.server.close_all_connections()
        for writer in self._writers:
            with suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def serving_behind(*trusted: str) -> AsyncIterator[Serving]:
    """Serve behind trusted proxies."""
    made = Serving(*trusted)
    try:
        async with asyncio.timeout(20):
            yield made
    finally:
        await made.close()


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    """Serve for one test."""
    async with serving_behind() as made:
        yield made


def named(request: bytes, client: str) -> bytes:
    """Return a request as a proxy hands it on, or as whoever wants to be somebody else sends it."""
    return request[:-2] + b"X-Forwarded-For: %s\r\n\r\n" % client.encode()


async def told(reader: asyncio.StreamReader) -> tuple[int, float]:
    """Return what the other request's answer says."""
    await reader.readuntil(b"\r\n\r\n")
    begun, _, seconds = (await reader.read(100)).decode().partition(" ")
    return int(begun), float(seconds)


@pytest.mark.proves("A66", "15.2.2")
async def test_little_of_a_crowd_begins_while_a_request_of_somebody_else_is_under_way(
    serving: Serving,
) -> None:
    crowd = [await serving.connect(CROWD) for _ in range(CONNECTIONS)]
    reader, writer = await serving.connect(OTHER)
    for _, each in crowd:
        each.write(CROWDED * 20)
    writer.write(OTHERS)
    begun, seconds = await told(reader)
    assert begun <= SLACK + seconds * BESIDE_OTHERS.per_second
    for each_reader, _ in crowd:  # in between, the crowd has all of the process
        await each_reader.readuntil(b"\r\n\r\n")


async def test_each_client_behind_a_trusted_proxy_has_its_own_part() -> None:
    async with serving_behind(CROWD) as serving:
        crowd = [await serving.connect(CROWD) for _ in range(CONNECTIONS)]
        reader, writer = await serving.connect(CROWD)
        for client in ("203.0.113.5", "203.0.113.6"):  # so that neither is taken for alone
            writer.write(named(CROWDED, client))
            await reader.readuntil(b"\r\n\r\n")
        for _, each in crowd:
            each.write(named(CROWDED, "203.0.113.5") * 20)
        writer.write(named(OTHERS, "203.0.113.6"))
        begun, seconds = await told(reader)
        assert begun <= SLACK + seconds * BESIDE_OTHERS.per_second
        for each_reader, _ in crowd:
            await each_reader.readuntil(b"\r\n\r\n")


async def test_a_crowd_has_one_part_whoever_it_says_that_it_is(serving: Serving) -> None:
    crowd = [await serving.connect(CROWD) for _ in range(CONNECTIONS)]
    reader, writer = await serving.connect(OTHER)
    for number, (_, each) in enumerate(crowd):
        each.write(named(CROWDED, f"203.0.113.{number}"))
    writer.write(OTHERS)
    begun, seconds = await told(reader)
    assert begun <= SLACK + seconds * BESIDE_OTHERS.per_second
    for each_reader, _ in crowd:
        await each_reader.readuntil(b"\r\n\r\n")


async def test_a_client_that_leaves_behind_a_proxy_before_its_turn_is_not_served() -> None:
    async with serving_behind(CROWD) as serving:
        crowd = [await serving.connect(CROWD) for _ in range(CONNECTIONS)]
        reader, writer = await serving.connect(CROWD)
        writer.write(named(OTHERS, "203.0.113.6"))
        for _, each in crowd:
            each.write(named(CROWDED, "203.0.113.5"))
        await told(reader)
        for _, each in crowd:
            each.transport.abort()
        before = Crowd.begun

        async def is_alone() -> bool:
            return len(serving.server._open) == 1

        await until(is_alone)
        assert Crowd.begun - before <= CONNECTIONS // 4


async def test_little_of_a_crowd_that_connects_is_served_meanwhile(serving: Serving) -> None:
    reader, writer = await serving.connect(OTHER)
    writer.write(OTHERS)
    crowd = await asyncio.gather(*(serving.connect(CROWD) for _ in range(CONNECTIONS)))
    for _, each in crowd:
        each.write(CROWDED)
    begun, seconds = await told(reader)
    assert begun <= SLACK + seconds * BESIDE_OTHERS.per_second
    for each_reader, _ in crowd:
        await each_reader.readuntil(b"\r\n\r\n")


async def test_connections_that_wait_for_their_turn_are_closed_when_the_server_ends(
    serving: Serving,
) -> None:
    _, writer = await serving.connect(OTHER)
    writer.write(OTHERS)
    crowd = [await serving.connect(CROWD) for _ in range(5)]
    await serving.server.close_all_connections()
    for reader, _ in crowd:
        with suppress(ConnectionResetError):
            assert await reader.read(1) == b""


async def test_nothing_of_a_crowd_that_has_left_is_handled_although_it_was_not_read(
    serving: Serving,
) -> None:
    reader, writer = await serving.connect(OTHER)
    crowd = [await serving.connect(CROWD) for _ in range(CONNECTIONS)]
    writer.write(OTHERS)
    for _, each in crowd:
        each.write(CROWDED * 400)
    await told(reader)
    for _, each in crowd:
        each.transport.abort()
    before = Crowd.begun

    async def is_alone() -> bool:
        return len(serving.server._open) == 1

    await until(is_alone)
    assert Crowd.begun - before <= CONNECTIONS // 4
