"""An administrator ends somebody with a thousand open sockets, while all of them come back."""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence

import pytest

from tests.support.clients.client import PASSWORD, Client
from tests.support.clients.people import People, people_of, user_of
from tests.support.clients.sockets import RawSocket
from tests.support.running.waiting import until
from tests.support.servers.server import HASTY, CurfewServer
from tests.support.servers.stores import Store
from tests.support.servers.workers import megabytes_of_workers

SOCKETS = 1_000
SESSIONS = 4
AT_ONCE = 100
COMMANDS_EACH = 4.0
"""At most for a handshake with a dead cookie: its tombstone is looked at, and what nodes do."""
GROWTH_MB = 15.0
"""A thousand sockets that stay take several times as much."""


@pytest.fixture(scope="module")
def server(valkey: Store) -> Iterator[CurfewServer]:
    """Two processes that limit nobody."""
    valkey.flush()
    with CurfewServer(script=HASTY, processes="2", store_url=valkey.url) as running:
        yield running


@pytest.mark.proves("A35", "7.4.5", "A52")
async def test_all_close_memory_comes_back_and_whoever_returns_is_told_cheaply(
    server: CurfewServer, valkey: Store
) -> None:
    added = server.command("user", "add", "root", "--admin", given=f"{PASSWORD}\n")
    assert added.returncode == 0, added.stderr
    async with people_of(server.url) as people:
        root = await (await people.visitor()).sign_in("root")
        sizes = []
        for _ in range(2):
            ended = await ended_by(root, people)
            await until(lambda: hubs_are_empty(root))
            sizes.append(await asyncio.to_thread(megabytes_of_workers, server))
        with valkey.client() as store:
            before = store.info("stats")["total_commands_processed"]
            storm = await opened([ended[n % SESSIONS] for n in range(SOCKETS)])
            ends = await ends_of(storm)
            spent = store.info("stats")["total_commands_processed"] - before
    assert ends == [("ended", 4401)] * SOCKETS
    assert spent < COMMANDS_EACH * SOCKETS
    assert sizes[1] - sizes[0] < GROWTH_MB


async def ended_by(root: Client, people: People) -> list[Client]:
    """Somebody whose sessions were ended with a thousand open sockets; the cookies are kept."""
    clients = [await people.somebody()]
    while len(clients) < SESSIONS:
        clients.append(await people.again(clients[0]))
    user = await user_of(clients[0])
    sockets = await opened([clients[n % SESSIONS] for n in range(SOCKETS)])
    assert {await first_of(each) for each in sockets} == {"hello"}
    receipt = (await root.request("DELETE", f"/api/admin/users/{user}/sessions")).json()
    assert (receipt["state"], receipt["sessions"]) == ("complete", SESSIONS)
    assert receipt["sockets_closed"] == SOCKETS
    assert receipt["nodes"]["acked"] == 2
    assert await ends_of(sockets) == [("ended", 4401)] * SOCKETS
    return clients


async def opened(clients: Sequence[Client]) -> list[RawSocket]:
    """A socket of each, some at a time."""
    sockets: list[RawSocket] = []
    for start in range(0, len(clients), AT_ONCE):
        opening = [RawSocket.open(client) for client in clients[start : start + AT_ONCE]]
        sockets += await asyncio.gather(*opening)
    return sockets


async def first_of(socket: RawSocket) -> str:
    """The type of the first frame."""
    _, payload = await socket.receive()
    return str(json.loads(payload)["type"])


async def ends_of(sockets: Sequence[RawSocket]) -> list[tuple[str, int]]:
    """The last frame and the close code of each, read to the end."""
    ends = []
    for socket in sockets:
        frames, code = await socket.until_close()
        ends.append((frames[-1]["type"], code))
        await socket.close()
    return ends


async def hubs_are_empty(client: Client) -> bool:
    """Whether both processes say that they hold nothing; a new connection reaches one of them."""
    told: dict[str, float] = {}
    for _ in range(8):
        answer = await client.request("GET", "/metrics", Connection="close")
        for name in ("sockets_open", "sessions_with_sockets"):
            found = re.search(rf'curfew_{name}{{node="(\w+)"}} (\S+)', answer.text)
            assert found is not None
            told[f"{name} {found[1]}"] = float(found[2])
    return len(told) == 4 and not any(told.values())
