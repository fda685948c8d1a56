"""Connections to a master: each asks where it leads, and all are dropped when one leads nowhere."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,  # noqa: A004 the client's own
    MasterDownError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,  # noqa: A004 likewise
)

from server.store import acl
from server.store.connection import open_client, open_reader
from server.store.master import MasterLink, leads_elsewhere
from tests.support.running.waiting import until
from tests.support.servers.proxy import Proxy
from tests.support.servers.valkey import PASSWORD, ValkeyServer

KEY = "curfew:{00}:where"


@pytest.mark.parametrize(
    ("error", "elsewhere"),
    [
        (ReadOnlyError("You can't write", status_code="READONLY"), True),
        (MasterDownError("Link with MASTER is down", status_code="MASTERDOWN"), True),
        (BusyLoadingError("Valkey is loading", status_code="LOADING"), True),
        (ClusterDownError("The cluster is down", status_code="CLUSTERDOWN"), True),
        (MovedError("1 127.0.0.1:1", status_code="MOVED"), True),
        (AskError("1 127.0.0.1:1", status_code="ASK"), True),
        (ResponseError("UNBLOCKED force unblock, instance state changed"), True),
        (ResponseError("NOREPLICAS Not enough good replicas to write."), True),
        (ResponseError("MISCONF Errors writing to the AOF file"), True),
        (OutOfMemoryError("command not allowed", status_code="OOM"), False),
        (NoPermissionError("no", status_code="NOPERM"), False),
        (AuthenticationError("WRONGPASS", status_code="WRONGPASS"), False),
        (ResponseError("BUSY a script runs"), False),
        (ResponseError("the word READONLY elsewhere"), False),
        (ConnectionError("gone"), False),
        (OSError("READONLY"), False),
        (None, False),
    ],
    ids=repr,
)
def test_some_answers_say_that_this_is_no_master_that_serves(
    error: BaseException | None,
    elsewhere: bool,  # noqa: FBT001 a case
) -> None:
    assert leads_elsewhere(error) is elsewhere


class Two:
    """Two masters of their own behind a balancer, each of which says which it is."""

    def __init__(self, stack: ExitStack) -> None:
        self.first, self.second = (
            stack.enter_context(ValkeyServer(tcp=True)) for _ in ("first", "second")
        )
        self.balancer = stack.enter_context(Proxy(self.first.port))
        self.url = f"redis://{acl.USER}:{PASSWORD}@127.0.0.1:{self.balancer.port}"
        for name, server in (("first", self.first), ("second", self.second)):
            with server.client() as owner:
                owner.set(KEY, name)

    def move(self) -> None:
        """Let new connections lead to the second."""
        self.balancer.point_at(self.second.port)

    def demote(self) -> None:
        """Make the first a replica of nobody that is there."""
        with self.first.client() as owner:
            owner.replicaof("127.0.0.1", "1")


@pytest.fixture(scope="module")
def stores() -> Iterator[Two]:
    with ExitStack() as stack:
        yield Two(stack)


@pytest.fixture
def two(stores: Two) -> Iterator[Two]:
    yield stores
    with stores.first.client() as owner:
        owner.replicaof("NO", "ONE")
        owner.config_set("min-replicas-to-write", 0)
    stores.balancer.point_at(stores.first.port)


def connections(server: ValkeyServer) -> int:
    """How many connections of ours the server has."""
    with server.client() as owner:
        return sum(each["name"] == "curfew" for each in owner.client_list())


async def use(client: Redis, number: int) -> None:
    """Open so many connections, and leave them idle."""
    await asyncio.gather(*(client.get(KEY) for _ in range(number)))


@pytest.fixture
async def link(two: Two) -> AsyncIterator[tuple[Redis, Redis]]:
    """A client and a reader that are dropped together."""
    together = MasterLink()
    async with open_client(two.url, together) as client, open_reader(two.url, together) as reader:
        await use(client, 5)
        await reader.get(KEY)
        assert connections(two.first) == 6
        yield client, reader


async def test_one_refusal_drops_every_connection(two: Two, link: tuple[Redis, Redis]) -> None:
    client, reader = link
    two.demote()
    two.move()
    with pytest.raises(ReadOnlyError):
        await client.set("curfew:x", "")
    assert [await each.get(KEY) for each in (client, reader)] == [b"second", b"second"]

    async def are_gone() -> bool:
        return connections(two.first) == 0

    await until(are_gone)


async def test_a_refusal_inside_a_pipeline_counts_as_well(
    two: Two, link: tuple[Redis, Redis]
) -> None:
    client, reader = link
    two.demote()
    two.move()
    pipeline = cast("Any", client.pipeline(transaction=False))
    pipeline.get(KEY).set("curfew:x", "").get(KEY)
    found = await pipeline.execute(raise_on_error=False)
    assert [found[0], found[2]] == [b"first", b"first"]
    assert isinstance(found[1], ReadOnlyError)
    assert [await each.get(KEY) for each in (client, reader)] == [b"second", b"second"]


async def test_a_blocking_read_of_a_master_that_loses_its_role_ends_at_once(
    two: Two, link: tuple[Redis, Redis]
) -> None:
    client, reader = link
    reading = asyncio.create_task(cast("Any", reader).xread({"curfew:s": "$"}, block=1_000))
    await asyncio.sleep(0.1)
    two.demote()
    two.move()
    with pytest.raises(ResponseError, match="UNBLOCKED"):
        await reading
    assert [await each.get(KEY) for each in (client, reader)] == [b"second", b"second"]


async def test_a_connection_in_use_is_dropped_when_its_command_is_done(
    two: Two, link: tuple[Redis, Redis]
) -> None:
    client, reader = link
    reading = asyncio.create_task(cast("Any", reader).xread({"curfew:s": "$"}, block=300))
    await asyncio.sleep(0.1)
    with two.first.client() as owner:
        owner.config_set("min-replicas-to-write", 1)  # which ends no blocking read
    two.move()
    with pytest.raises(ResponseError, match="NOREPLICAS"):
        await client.set("curfew:x", "")
    assert not await reading
    assert await reader.get(KEY) == b"second"


async def test_no_connection_to_a_replica_is_used(two: Two) -> None:
    two.demote()
    async with open_client(two.url) as client:
        with pytest.raises(ReadOnlyError, match="role is slave"):
            await client.get(KEY)
        two.move()
        assert await client.get(KEY) == b"second"


async def test_who_may_not_ask_for_the_role_trusts_the_address(two: Two) -> None:
    with two.first.client() as owner:
        cast("Any", owner).execute_command("ACL", "SETUSER", acl.USER, "-info")
        try:
            async with open_client(two.url) as client:
                assert await client.get(KEY) == b"first"
        finally:
            cast("Any", owner).execute_command("ACL", "SETUSER", acl.USER, "+info")


async def test_a_new_connection_to_another_server_drops_the_older_ones(
    two: Two, link: tuple[Redis, Redis]
) -> None:
    """The first is a master still, and would never say that it was left."""
    client, reader = link
    two.move()
    await use(client, 12)  # more than there are connections
    assert [await each.get(KEY) for each in (client, reader)] == [b"second", b"second"]


async def test_a_connection_is_opened_anew_at_a_certain_age(two: Two) -> None:
    async with open_client(two.url, MasterLink(kept_for=timedelta(milliseconds=300))) as client:
        assert await client.get(KEY) == b"first"
        two.move()
        assert await client.get(KEY) == b"first"
        await asyncio.sleep(0.35)
        assert await client.get(KEY) == b"second"


async def test_an_answer_that_does_not_come_closes_the_idle_connections(
    two: Two, link: tuple[Redis, Redis]
) -> None:
    client, _ = link
    two.first.freeze()
    try:
        two.move()
        with pytest.raises(TimeoutError):
            await client.get(KEY)
        await use(client, 5)  # at once: no other waits for the frozen one
        assert await client.get(KEY) == b"second"
    finally:
        two.first.thaw()


@pytest.mark.parametrize(("settled_after", "kept"), [(timedelta(), 1), (timedelta(hours=1), 5)])
async def test_a_server_that_goes_on_refusing_does_not_cost_every_connection_each_time(
    two: Two, settled_after: timedelta, kept: int
) -> None:
    with two.first.client() as owner:
        owner.config_set("min-replicas-to-write", 1)
    async with open_client(two.url, MasterLink(settled_after=settled_after)) as client:
        for _ in range(2):
            await use(client, 5)
            with pytest.raises(ResponseError, match="NOREPLICAS"):
                await client.set("curfew:x", "")
        await client.get(KEY)
        assert connections(two.first) == kept


@pytest.mark.parametrize("scheme", ["redis", "rediss", "unix"])
async def test_every_kind_of_connection_is_watched(scheme: str, tmp_path: Any) -> None:
    url = f"unix://{tmp_path}/none.sock" if scheme == "unix" else f"{scheme}://127.0.0.1:1"
    pool = cast("Any", MasterLink().open_pool(url))
    assert pool.connection_class.__name__.startswith("_Checked")
    with pytest.raises((RedisError, OSError)):
        await pool.get_connection()
