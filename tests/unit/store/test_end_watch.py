"""The latest ends, read by somebody who only looks: nothing is written, nothing forged is shown."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import pytest
import redis
from redis.asyncio import Redis

from server.core.errors import StoreUnavailable
from server.core.events import Acknowledgement, Scope, SessionsChanged
from server.core.reasons import Reason
from server.crypto.keyring import Keyring
from server.store.clock import StoreClock
from server.store.end_watch import ENTRIES_PER_READ, KEPT, READS, EndWatch
from server.store.entries import Entries, Fields, as_mapping
from server.store.names import ShardNames
from tests.support.engine.keys import KEY, key
from tests.support.engine.quiet import quiet_context

SID: Final = "00" + "A" * 22


def entries(node: str = "n1", secret: bytes = KEY) -> Entries:
    """A node's entries."""
    return Entries(Keyring.from_secrets([secret]), quiet_context(time.time, node=node))


@pytest.fixture
def end(raw: redis.Redis) -> Callable[..., None]:
    """Appends an end, as the scripts do."""

    def append(end_id: str, *, shard: int = 0, by: Entries | None = None) -> None:
        fields = (by or entries()).sign_end(
            Scope.SESSION, end_id=end_id, initiator="n1", reason=Reason.LOGOUT, shard=shard,
            user="ann", sids=SID,
        )  # fmt: skip
        put(raw, ShardNames(shard).control, (*fields, "at", f"{time.time():.6f}"))

    return append


def put(raw: redis.Redis, stream: str, fields: Fields) -> None:
    """Append an entry."""
    mapping: Any = as_mapping(fields)
    raw.xadd(stream, mapping)


def watch_on(client: Redis, shards: int = 1, *, is_cluster: bool = False) -> EndWatch:
    """Somebody who looks."""
    clock = StoreClock(client)
    clock.learn(time.time(), asked_at=time.monotonic())
    return EndWatch(client, entries("n9"), clock, shards, is_cluster=is_cluster)


async def test_ends_of_all_shards_come_latest_first_and_stay(
    client: Redis, end: Callable[..., None]
) -> None:
    end("first")
    end("second", shard=1)
    watch = watch_on(client, shards=2)
    assert [each.end.end_id for each in await watch.latest()] == ["second", "first"]
    end("third")
    assert [each.end.end_id for each in await watch.latest()] == ["third", "second", "first"]


async def test_the_answers_of_other_nodes_are_those_of_the_end(
    client: Redis, raw: redis.Redis, end: Callable[..., None]
) -> None:
    end("one")
    await asyncio.sleep(0.002)  # the stream counts milliseconds
    for node in ("n2", "n2", "n3"):
        answer = entries(node).sign_acknowledgement("n1", Acknowledgement(node, {"one": 2, "x": 9}))
        put(raw, ShardNames(0).replies("n1"), answer)
    (seen,) = await watch_on(client).latest()
    assert {(each.node, each.closed) for each in seen.done} == {("n2", 2), ("n3", 2)}
    assert seen.seconds is not None
    assert 0 < seen.seconds < 5


async def test_more_answers_than_one_read_takes_are_all_seen(
    client: Redis, raw: redis.Redis, end: Callable[..., None]
) -> None:
    end("one")
    await asyncio.sleep(0.002)
    other: Any = as_mapping(
        entries("n2").sign_acknowledgement("n1", Acknowledgement("n2", {"older": 1}))
    )
    with raw.pipeline() as pipeline:
        for _ in range(ENTRIES_PER_READ):
            pipeline.xadd(ShardNames(0).replies("n1"), other)
        pipeline.execute()
    answer = entries("n2").sign_acknowledgement("n1", Acknowledgement("n2", {"one": 2}))
    put(raw, ShardNames(0).replies("n1"), answer)
    (seen,) = await watch_on(client).latest()
    assert [(each.node, each.closed) for each in seen.done] == [("n2", 2)]


async def test_a_shard_that_fails_once_costs_the_others_no_end(
    client: Redis, raw: redis.Redis, end: Callable[..., None]
) -> None:
    watch = watch_on(client, shards=2)
    end("one")
    raw.set(ShardNames(1).control, "no stream")
    with pytest.raises(StoreUnavailable):
        await watch.latest()
    raw.delete(ShardNames(1).control)
    assert [each.end.end_id for each in await watch.latest()] == ["one"]


async def test_on_a_cluster_the_answers_are_in_the_shard_of_the_end(
    client: Redis, raw: redis.Redis, end: Callable[..., None]
) -> None:
    end("one", shard=3)
    await asyncio.sleep(0.002)
    answer = entries("n2").sign_acknowledgement("n1", Acknowledgement("n2", {"one": 2}))
    put(raw, ShardNames(3).replies("n1"), answer)
    (seen,) = await watch_on(client, 4, is_cluster=True).latest()
    assert [(each.node, each.closed) for each in seen.done] == [("n2", 2)]


async def test_what_nobody_signed_is_not_shown(
    client: Redis, raw: redis.Redis, end: Callable[..., None]
) -> None:
    end("forged", by=entries(secret=key("another")))
    end("true")
    answer = entries("n2", key("another")).sign_acknowledgement(
        "n1", Acknowledgement("n2", {"true": 5})
    )
    put(raw, ShardNames(0).replies("n1"), answer)
    raw.xadd(ShardNames(0).replies("n1"), {"kind": "done"})
    (seen,) = await watch_on(client).latest()
    assert (seen.end.end_id, seen.done) == ("true", ())


async def test_a_flood_of_other_events_is_read_in_parts(
    client: Redis, raw: redis.Redis, end: Callable[..., None]
) -> None:
    changed: Any = as_mapping(entries().sign(SessionsChanged("ann")))
    with raw.pipeline() as pipeline:
        for _ in range(ENTRIES_PER_READ * READS):
            pipeline.xadd(ShardNames(0).control, changed)
        pipeline.execute()
    end("behind")
    watch = watch_on(client)
    assert await watch.latest() == []
    assert [each.end.end_id for each in await watch.latest()] == ["behind"]


async def test_no_more_than_the_latest_are_kept(client: Redis, end: Callable[..., None]) -> None:
    for number in range(KEPT + 1):
        end(f"e{number}")
    seen = await watch_on(client).latest()
    assert (len(seen), seen[-1].end.end_id) == (KEPT, "e1")


async def test_a_store_that_is_gone_is_a_failure(gone: Redis) -> None:
    with pytest.raises(StoreUnavailable):
        await watch_on(gone).latest()


async def test_answers_for_all_initiators_are_those_of_each_of_their_ends(
    client: Redis, raw: redis.Redis, end: Callable[..., None]
) -> None:
    end("one")
    end("two")
    await asyncio.sleep(0.002)
    answer = entries("n2").sign_acknowledgement(None, Acknowledgement("n2", {"one": 2, "two": 0}))
    put(raw, ShardNames(0).acknowledgements, answer)
    seen = await watch_on(client).latest()
    found = {each.end.end_id: [(done.node, done.closed) for done in each.done] for each in seen}
    assert found == {"one": [("n2", 2)], "two": [("n2", 0)]}
