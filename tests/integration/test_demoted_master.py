"""A master that became a replica, behind a balancer that moves new connections only: it is left."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from server.store import acl
from tests.support.clients.client import PASSWORD, Client, frame
from tests.support.clients.people import People, people_of, user_of
from tests.support.clients.sockets import end_of
from tests.support.running.processes import eventually
from tests.support.running.waiting import until
from tests.support.servers.proxy import Proxy
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import PASSWORD as STORE_PASSWORD
from tests.support.servers.valkey import ValkeyServer

pytestmark = pytest.mark.waits  # they measure how soon a node is back

BACK_WITHIN = 1.0
"""Seconds from the moment when a new connection leads to a master."""
LEASE = 2.0


@dataclass(frozen=True)
class Pair:
    """Two Valkeys behind a balancer, and a server of two processes.

    Attributes:
        old: the master at the beginning.
        new: its replica.
        balancer: leads to the master; it moves new connections only.
        server: knows nothing but the balancer.
    """

    old: ValkeyServer
    new: ValkeyServer
    balancer: Proxy
    server: CurfewServer

    def promote(self) -> None:
        """Make the replica a master, with what it has."""
        with self.new.client() as owner:
            owner.replicaof("NO", "ONE")

    def demote(self) -> None:
        """Let the old master live on as a replica of the new one."""
        with self.old.client() as owner:
            owner.replicaof("127.0.0.1", str(self.new.port))

    def move(self) -> None:
        """Let new connections lead to the new master."""
        self.balancer.point_at(self.new.port)

    def connections_to_the_old(self) -> int:
        """How many of the server's connections lead to the old master."""
        with self.old.client() as owner:
            return sum(each["name"] == "curfew" for each in owner.client_list())


@pytest.fixture
def pair() -> Iterator[Pair]:
    kept = {"appendonly": "yes", "repl_diskless_sync_delay": "0"}
    with ExitStack() as stack:
        old = stack.enter_context(ValkeyServer(tcp=True, **kept))
        replica = ValkeyServer(tcp=True, replicaof=f"127.0.0.1 {old.port}", **kept)
        new = stack.enter_context(replica)
        with new.client() as owner:
            eventually(lambda: owner.info("replication")["master_link_status"] == "up")
        balancer = stack.enter_context(Proxy(old.port))
        server = CurfewServer(
            store_url=f"redis://{acl.USER}:{STORE_PASSWORD}@127.0.0.1:{balancer.port}",
            node_lease=f"{LEASE:g}s",
            processes="2",
        )
        stack.enter_context(server)
        yield Pair(old, new, balancer, server)
        assert "Traceback" not in server.log, server.log


async def is_written(client: Client) -> bool:
    """Whether a write of the session is accepted."""
    answer = await client.request("PATCH", "/api/session/data", {"at": time.time()})
    assert answer.status_code in {200, 503}
    return answer.status_code == 200


async def statuses(client: Client, path: str, times: int) -> set[int]:
    """What several requests at once are answered, by whichever process."""
    asked = [client.request("GET", path) for _ in range(times)]
    return {each.status_code for each in await asyncio.gather(*asked)}


async def is_ready(client: Client) -> bool:
    """Whether every process is."""
    return await statuses(client, "/readyz", 8) == {200}


async def prove_that_all_is_well(people: People) -> None:
    """A new session works everywhere, and its end is told to its sockets by every process."""
    client = await people.somebody()
    assert await statuses(client, "/api/session", 8) == {200}
    sockets = [await client.open_socket() for _ in range(6)]
    for each in sockets:
        await frame(each, "hello")
    receipt = (await client.request("POST", "/api/logout")).json()
    told = (receipt["state"], receipt["nodes"]["acked"], receipt["sockets_closed"])
    assert told == ("complete", 2, 6)
    assert {(await end_of(each)).reason for each in sockets} == {"logout"}


async def test_a_failover_within_a_lease_is_hardly_noticed(pair: Pair) -> None:
    async with people_of(pair.server.url) as people:
        ann = await people.somebody()
        async with ann.open_socket() as socket:
            await frame(socket, "hello")
            pair.promote()
            pair.demote()
            pair.move()
            moved_at = time.monotonic()
            await until(lambda: is_written(ann))
            await until(lambda: is_ready(ann))
            assert time.monotonic() - moved_at < BACK_WITHIN
            await socket.send('{"type":"ping"}')
            await frame(socket, "pong")
            await prove_that_all_is_well(people)
            await asyncio.to_thread(eventually, lambda: pair.connections_to_the_old() == 0)
            await asyncio.sleep(LEASE)  # what kept to the old master would have lost its lease
            assert await is_ready(ann)
            await socket.send('{"type":"ping"}')
            await frame(socket, "pong")


async def test_a_balancer_that_moves_late_is_followed_within_a_second(pair: Pair) -> None:
    async with people_of(pair.server.url) as people:
        ann = await people.somebody()
        pair.promote()
        pair.demote()

        async def is_fenced() -> bool:
            return await statuses(ann, "/readyz", 8) == {503}

        await until(is_fenced)
        pair.move()
        moved_at = time.monotonic()
        await until(lambda: is_ready(ann))
        assert time.monotonic() - moved_at < BACK_WITHIN
        assert await is_written(ann)
        await prove_that_all_is_well(people)
        await asyncio.to_thread(eventually, lambda: pair.connections_to_the_old() == 0)


async def test_what_the_new_master_never_got_is_noticed_at_once(pair: Pair) -> None:
    """The replica had stopped following, and has as many entries of its own meanwhile."""
    async with people_of(pair.server.url) as people:
        kept, lost = await people.somebody(), await people.visitor()
        pair.promote()
        await lost.sign_in(await user_of(kept), PASSWORD)
        async with kept.open_socket() as of_kept, lost.open_socket() as of_lost:
            for each in (of_kept, of_lost):
                await frame(each, "hello")
            pair.demote()
            pair.move()
            moved_at = time.monotonic()
            end = await end_of(of_lost)
            assert time.monotonic() - moved_at < BACK_WITHIN
            assert end.code == 4401
            await of_kept.send('{"type":"ping"}')
            await frame(of_kept, "pong")
        assert (await lost.request("GET", "/api/session")).status_code == 401
        assert (await kept.request("GET", "/api/session")).status_code == 200


async def test_a_master_that_freezes_is_left_with_the_first_answer_that_does_not_come(
    pair: Pair,
) -> None:
    """However many connections to it were idle."""
    async with people_of(pair.server.url) as people:
        ann = await people.somebody()
        await statuses(ann, "/api/sessions", 60)
        pair.old.freeze()
        pair.promote()
        pair.move()
        moved_at = time.monotonic()
        await until(lambda: is_written(ann))
        assert time.monotonic() - moved_at < 2 * BACK_WITHIN
        pair.old.thaw()
        pair.demote()
        await asyncio.to_thread(eventually, lambda: pair.connections_to_the_old() == 0)
        await until(lambda: is_ready(ann))
        await prove_that_all_is_well(people)


def enough_replicas(store: ValkeyServer, least: int) -> Callable[[], None]:
    """Return what lets a master refuse writes while it has fewer replicas."""

    def require() -> None:
        with store.client() as owner:
            owner.config_set("min-replicas-to-write", least)

    return require


async def test_a_master_that_may_not_write_any_more_is_left(pair: Pair) -> None:
    """It lost its replicas, and so stopped by itself: the usual guard against two masters."""
    async with people_of(pair.server.url) as people:
        ann = await people.somebody()
        pair.promote()
        enough_replicas(pair.old, 1)()
        pair.move()
        moved_at = time.monotonic()
        await until(lambda: is_written(ann))
        await until(lambda: is_ready(ann))
        assert time.monotonic() - moved_at < BACK_WITHIN
        await asyncio.to_thread(eventually, lambda: pair.connections_to_the_old() == 0)
        await prove_that_all_is_well(people)


@pytest.fixture
def slow_store() -> Iterator[ValkeyServer]:
    """A store that loads its data so slowly that it answers LOADING for a while."""
    with ValkeyServer(
        tcp=True,
        appendonly="yes",
        appendfsync="always",
        key_load_delay="200",  # microseconds; between two answers it loads 1,024
    ) as store:
        yield store


async def test_a_store_that_starts_again_in_place_is_back_when_it_has_loaded(
    slow_store: ValkeyServer,
) -> None:
    server = CurfewServer(store_url=slow_store.url, node_lease=f"{LEASE:g}s")
    with server, slow_store.client() as owner:
        async with people_of(server.url) as people:
            ann = await people.somebody()
            async with ann.open_socket() as socket:
                await frame(socket, "hello")
                with owner.pipeline() as pipeline:
                    for number in range(10_000):
                        pipeline.set(f"other:{number}", "")
                    pipeline.execute()
                slow_store.kill()
                await asyncio.to_thread(slow_store.start)  # when it answers, it has loaded
                loaded_at = time.monotonic()
                await until(lambda: is_written(ann))
                await until(lambda: is_ready(ann))
                assert time.monotonic() - loaded_at < BACK_WITHIN
                assert "BusyLoadingError" in server.log
                await socket.send('{"type":"ping"}')
                await frame(socket, "pong")
                receipt = (await ann.request("POST", "/api/logout")).json()
                assert (receipt["state"], receipt["sockets_closed"]) == ("complete", 1)
        assert "Traceback" not in server.log, server.log
