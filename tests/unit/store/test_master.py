"""Connections to a master: each asks where it leads, and all are dropped when one leads nowhere."""

import asyncio
import builtins
from datetime import timedelta
from pathlib import Path
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
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,  # noqa: A004 likewise
)

from server.core.counts import FAILURES, StoreCounts
from server.store import acl
from server.store.connection import open_client, open_reader
from server.store.master import MasterLink, failure_of, leads_elsewhere
from tests.support.running.waiting import until
from tests.support.servers.two_masters import WHERE, TwoMasters, connections, use
from tests.support.servers.valkey import ValkeyServer


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


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (TimeoutError("no answer"), "timeout"),
        (builtins.TimeoutError(), "timeout"),
        (ConnectionError("gone"), "connection"),
        (ConnectionRefusedError(), "connection"),
        (ReadOnlyError("You can't write", status_code="READONLY"), "not_master"),
        (OutOfMemoryError("command not allowed", status_code="OOM"), "full"),
        (NoPermissionError("no", status_code="NOPERM"), None),
        (NoScriptError("load it"), None),
        (ResponseError("no such key"), None),
    ],
    ids=repr,
)
def test_failures_are_told_from_answers(error: Exception, why: str | None) -> None:
    assert failure_of(error) == why
    assert why is None or why in FAILURES


async def test_answers_are_timed_and_failures_counted(valkey: ValkeyServer, tmp_path: Path) -> None:
    seconds: list[float] = []
    failed: list[str] = []
    counts = StoreCounts(seconds.append, failed.append)
    async with open_client(valkey.url, MasterLink(counts=counts)) as client:
        await client.get(WHERE)
        before = len(seconds)
        async with client.pipeline(transaction=False) as pipeline:
            pipeline.get(WHERE)
            pipeline.get(WHERE)
            await pipeline.execute()
        assert len(seconds) == before + 1, "a batch is one way there and back"
    assert all(0 < each < 5 for each in seconds)
    async with open_client(f"unix://{tmp_path}/nothing.sock", MasterLink(counts=counts)) as gone:
        with pytest.raises(ConnectionError):
            await gone.get(WHERE)
    assert failed == ["connection"]


async def test_reads_that_wait_in_the_store_are_not_timed(valkey: ValkeyServer) -> None:
    seconds: list[float] = []
    counts = StoreCounts(seconds.append)
    async with open_reader(valkey.url, MasterLink(counts=counts)) as reader:
        await reader.xread({f"{WHERE}s": "$"}, block=20)
    assert seconds == []


async def test_one_refusal_drops_every_connection(
    two: TwoMasters, link: tuple[Redis, Redis]
) -> None:
    client, reader = link
    two.demote()
    two.move()
    with pytest.raises(ReadOnlyError):
        await client.set("curfew:x", "")
    assert [await each.get(WHERE) for each in (client, reader)] == [b"second", b"second"]

    async def are_gone() -> bool:
        return connections(two.first) == 0

    await until(are_gone)


async def test_a_refusal_inside_a_pipeline_counts_as_well(
    two: TwoMasters, link: tuple[Redis, Redis]
) -> None:
    client, reader = link
    two.demote()
    two.move()
    pipeline = cast("Any", client.pipeline(transaction=False))
    pipeline.get(WHERE).set("curfew:x", "").get(WHERE)
    found = await pipeline.execute(raise_on_error=False)
    assert [found[0], found[2]] == [b"first", b"first"]
    assert isinstance(found[1], ReadOnlyError)
    assert [await each.get(WHERE) for each in (client, reader)] == [b"second", b"second"]


async def test_a_blocking_read_of_a_master_that_loses_its_role_ends_at_once(
    two: TwoMasters, link: tuple[Redis, Redis]
) -> None:
    client, reader = link
    reading = asyncio.create_task(cast("Any", reader).xread({"curfew:s": "$"}, block=1_000))
    await asyncio.sleep(0.1)
    two.demote()
    two.move()
    with pytest.raises(ResponseError, match="UNBLOCKED"):
        await reading
    assert [await each.get(WHERE) for each in (client, reader)] == [b"second", b"second"]


async def test_a_connection_in_use_is_dropped_when_its_command_is_done(
    two: TwoMasters, link: tuple[Redis, Redis]
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
    assert await reader.get(WHERE) == b"second"


async def test_no_connection_to_a_replica_is_used(two: TwoMasters) -> None:
    two.demote()
    async with open_client(two.url) as client:
        with pytest.raises(ReadOnlyError, match="role is slave"):
            await client.get(WHERE)
        two.move()
        assert await client.get(WHERE) == b"second"


async def test_who_may_not_ask_for_the_role_trusts_the_address(two: TwoMasters) -> None:
    with two.first.client() as owner:
        cast("Any", owner).execute_command("ACL", "SETUSER", acl.USER, "-info")
        try:
            async with open_client(two.url) as client:
                assert await client.get(WHERE) == b"first"
        finally:
            cast("Any", owner).execute_command("ACL", "SETUSER", acl.USER, "+info")


async def test_a_new_connection_to_another_server_drops_the_older_ones(
    two: TwoMasters, link: tuple[Redis, Redis]
) -> None:
    """The first is a master still, and would never say that it was left."""
    client, reader = link
    two.move()
    await use(client, 12)  # more than there are connections
    assert [await each.get(WHERE) for each in (client, reader)] == [b"second", b"second"]


async def test_a_connection_is_opened_anew_at_a_certain_age(two: TwoMasters) -> None:
    async with open_client(two.url, MasterLink(kept_for=timedelta(milliseconds=300))) as client:
        assert await client.get(WHERE) == b"first"
        two.move()
        assert await client.get(WHERE) == b"first"
        await asyncio.sleep(0.35)
        assert await client.get(WHERE) == b"second"


async def test_an_answer_that_does_not_come_closes_the_idle_connections(
    two: TwoMasters, link: tuple[Redis, Redis]
) -> None:
    client, _ = link
    two.first.freeze()
    try:
        two.move()
        with pytest.raises(TimeoutError):
            await client.get(WHERE)
        await use(client, 5)  # at once: no other waits for the frozen one
        assert await client.get(WHERE) == b"second"
    finally:
        two.first.thaw()


@pytest.mark.parametrize(("settled_after", "kept"), [(timedelta(), 1), (timedelta(hours=1), 5)])
async def test_a_server_that_goes_on_refusing_does_not_cost_every_connection_each_time(
    two: TwoMasters, settled_after: timedelta, kept: int
) -> None:
    with two.first.client() as owner:
        owner.config_set("min-replicas-to-write", 1)
    async with open_client(two.url, MasterLink(settled_after=settled_after)) as client:
        for _ in range(2):
            await use(client, 5)
            with pytest.raises(ResponseError, match="NOREPLICAS"):
                await client.set("curfew:x", "")
        await client.get(WHERE)
        assert connections(two.first) == kept
