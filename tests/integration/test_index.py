"""Visitors leave nothing behind, and nobody's list costs more because others have sessions."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import redis

from server.core.reasons import Reason
from server.core.session import Device, Rules
from server.sessions.verdicts import LiveSession
from server.store.names import ShardNames
from tests.support.engine.crashing import Node, open_node
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import ValkeyServer

NAMES = ShardNames(0)
VISITS = 10_000
CONNECTIONS = 4
AT_ONCE = 100
PATHS = ["/api/session/data", "/", "/login", "/logout", "/api/session"]
OTHERS = 1_000_000
ADD_OTHERS = """
for number = ARGV[1], ARGV[2] do
  local user, sid = 'other-' .. number, string.format('00%022d', number)
  redis.call('ZADD', ARGV[3] .. 'user:' .. user, ARGV[4], sid)
  redis.call('SET', ARGV[3] .. 'session:' .. sid, '1 op \\nbox')
end
"""
OF_CONNECTIONS = {"config|resetstat", "hello", "client|setname", "info", "time"}
"""Commands that open a connection, watch it, and read the store's clock. How many there are depends
on the time that passes: a pool opens another connection while a reply is slow."""
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@pytest.fixture
def raw(valkey: ValkeyServer) -> Iterator[redis.Redis]:
    with valkey.client() as client:
        yield client


@pytest.fixture
async def node(store_url: str) -> AsyncIterator[Node]:
    async with open_node(store_url, Rules(max_sessions_per_user=5)) as node:
        yield node


async def visit(server: CurfewServer, number: int) -> Counter[int]:
    """Send requests without a cookie over one connection; how often each status came."""
    statuses: Counter[int] = Counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for start in range(0, number, AT_ONCE):
        paths = [PATHS[place % len(PATHS)] for place in range(start, start + AT_ONCE)]
        host = f"Host: 127.0.0.1:{server.port}\r\n\r\n"
        writer.write("".join(f"GET {path} HTTP/1.1\r\n{host}" for path in paths).encode())
        for _ in paths:
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"set-cookie" not in head.lower()
            length = _LENGTH.search(head)
            assert length is not None, head
            await reader.readexactly(int(length[1]))
            statuses[int(head.split(b" ", 2)[1])] += 1
    writer.close()
    await writer.wait_closed()
    return statuses


async def test_visitors_leave_no_key_and_get_no_cookie(store_url: str, raw: redis.Redis) -> None:
    with CurfewServer(store_url=store_url, processes="2") as server:
        notes = NAMES.key_versions("*")
        eventually(lambda: len(list(raw.scan_iter(notes))) == 2)  # both have begun
        before = set(raw.scan_iter())
        counts = await asyncio.gather(
            *(visit(server, VISITS // CONNECTIONS) for _ in range(CONNECTIONS))
        )
        assert set(raw.scan_iter()) == before
    refused = VISITS // len(PATHS)  # what asks for a session
    assert sum(counts, Counter()) == {200: VISITS - refused, 401: refused}


async def commands_of(raw: redis.Redis, act: Callable[[], Awaitable[Any]]) -> dict[str, int]:
    """What the store executed meanwhile, the commands inside scripts too."""
    raw.config_resetstat()
    await act()
    stats: Any = raw.info("commandstats")
    calls = {name.removeprefix("cmdstat_"): told["calls"] for name, told in stats.items()}
    return {name: number for name, number in calls.items() if name not in OF_CONNECTIONS}


async def life(node: Node, raw: redis.Redis) -> list[dict[str, int]]:
    """Commands for signing in at the limit, listing, ending one, and ending all."""
    live: list[LiveSession] = []

    async def sign_in() -> None:
        epochs = await node.sessions.epochs("ann")
        made = await node.sessions.sign_in("ann", epochs, Device(), None)
        assert isinstance(made, LiveSession)
        live.append(made)

    for _ in range(5):
        await sign_in()
    counts = [await commands_of(raw, sign_in)]
    counts += [await commands_of(raw, lambda: node.sessions.sessions_of("ann"))]
    last = live[-1].session
    counts += [await commands_of(raw, lambda: node.terminations.one(last, Reason.TERMINATED))]
    counts += [await commands_of(raw, lambda: node.terminations.all_of("ann", Reason.ADMIN))]
    assert await node.sessions.sessions_of("ann") == []
    return counts


async def test_a_million_sessions_of_others_cost_a_user_nothing(
    node: Node, raw: redis.Redis
) -> None:
    await life(node, raw)  # loads the scripts
    alone = await life(node, raw)
    add = raw.register_script(ADD_OTHERS)
    try:
        for start in range(0, OTHERS, 10_000):
            add(args=[start, start + 9_999, NAMES.prefix, 9e9])
        assert raw.dbsize() > 2 * OTHERS
        assert await life(node, raw) == alone
    finally:
        raw.flushall(asynchronous=True)  # the next test would wait for it
    assert not {"scan", "keys"} & {name for each in alone for name in each}
