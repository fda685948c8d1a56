"""Reading an inbox: what its entries say, and where the next read begins."""

import time
from datetime import timedelta
from typing import Any

import pytest
import redis
from redis.asyncio import Redis

from server.core.errors import StoreUnavailable
from server.core.room_entries import (
    RoomDeleted,
    RoomEntry,
    RoomMessage,
    RoomPresence,
    RoomRemoval,
)
from server.store import acl
from server.store.connection import open_reader
from server.store.names import ShardNames
from server.store.room_contract import Acknowledged
from server.store.room_inbox import RoomInbox, read_entry
from tests.support.engine.streams import begin_another_history, connections

INBOX = ShardNames(0).inbox("n1")


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"kind": "message", "message": "7", "box": "b", "ack": "", "node": ""},
         RoomMessage(7, b"b")),
        ({"kind": "removed", "user": "ann", "sid": ""}, RoomRemoval("ann")),
        ({"kind": "presence", "person": "u ann", "come": "1"}, RoomPresence("ann", "", True)),
        ({"kind": "presence", "person": "s 1", "come": "0"}, RoomPresence(None, "1", False)),
        ({"kind": "deleted"}, RoomDeleted()),
    ],
)  # fmt: skip
def test_an_entry_says_what_happened(fields: dict[str, str], what: Any) -> None:
    raw = {name.encode(): value.encode() for name, value in fields.items()}
    assert read_entry(raw | {b"room": b"d", b"seq": b"3"}) == RoomEntry("d", 3, what)


@pytest.mark.parametrize(
    "fields", [{}, {b"kind": b"new"}, {b"kind": b"deleted", b"room": b"d", b"seq": b"x"}]
)
def test_what_nobody_understands_says_nothing(fields: dict[bytes, bytes]) -> None:
    assert read_entry(fields) is None


def test_acknowledgements_come_together() -> None:
    fields = {b"kind": b"ack", b"ack": b"m", b"sockets": b"c1 c2"}
    assert read_entry(fields) == Acknowledged("m", ("c1", "c2"))
    more = {b"node": b"n2", b"sent": b"3"}
    assert read_entry(fields | more) == Acknowledged("m", ("c1", "c2"), "n2", 3)
    assert read_entry(fields | more | {b"sent": b""}) == Acknowledged("m", ("c1", "c2"), "n2")


async def test_reading_goes_on_and_begins_anew_in_another_stream(client: Redis) -> None:
    inbox = RoomInbox(client, "n1", 1, timedelta(milliseconds=1))
    entry: dict[Any, Any] = {"kind": "deleted", "room": "d", "seq": 1}
    await client.xadd(INBOX, entry)
    batch = await inbox.read({})
    assert [each.number for each in batch.entries if isinstance(each, RoomEntry)] == [1]
    assert not (await inbox.read(batch.positions)).entries
    await client.delete(INBOX)
    anew = await inbox.read(batch.positions)
    await client.xadd(INBOX, entry | {"seq": 2}, id="1-1")
    again = await inbox.read(anew.positions)
    assert [each.number for each in again.entries if isinstance(each, RoomEntry)] == [2]


async def test_an_inbox_of_a_clusters_shard_reads_no_other(client: Redis) -> None:
    inbox = RoomInbox(client, "n1", 16, timedelta(milliseconds=1), only=3)
    for shard in (2, 3):
        entry: dict[Any, Any] = {"kind": "deleted", "room": f"d{shard}", "seq": 1}
        await client.xadd(ShardNames(shard).inbox("n1"), entry)
    found = (await inbox.read({})).entries
    assert [each.room for each in found if isinstance(each, RoomEntry)] == ["d3"]


async def test_the_first_read_and_one_after_a_failure_wait_for_nothing(
    client: Redis, gone: Redis
) -> None:
    inbox = RoomInbox(client, "n1", 1, timedelta(milliseconds=400))

    async def seconds_of_a_read() -> float:
        started = time.monotonic()
        await inbox.read({})
        return time.monotonic() - started

    assert await seconds_of_a_read() < 0.3
    assert await seconds_of_a_read() > 0.3
    inbox._reader = gone
    with pytest.raises(StoreUnavailable):
        await inbox.read({})
    inbox._reader = client
    assert await seconds_of_a_read() < 0.3


async def test_another_history_is_read_from_its_beginning(client: Redis, raw: redis.Redis) -> None:
    """A promoted replica may lack what was read, and have other entries in its place."""
    inbox = RoomInbox(client, "n1", 1, timedelta(milliseconds=1))
    entry: dict[Any, Any] = {"kind": "deleted", "room": "d", "seq": 1}
    await client.xadd(INBOX, entry)
    before = await inbox.read({})
    begin_another_history(raw)
    batch = await inbox.read(before.positions)
    assert (batch.entries, batch.is_other) == ((), True)
    assert batch.history != before.history
    again = await inbox.read(batch.positions)
    assert (len(again.entries), again.is_other) == (1, False)


async def test_a_store_that_refuses_the_read_is_not_an_empty_inbox(client: Redis, raw: Any) -> None:
    inbox = RoomInbox(client, "n1", 1, timedelta(milliseconds=1))
    raw.execute_command("ACL", "SETUSER", acl.USER, "-xread")
    try:
        with pytest.raises(StoreUnavailable, match="NoPermissionError"):
            await inbox.read({})
    finally:
        raw.execute_command("ACL", "SETUSER", acl.USER, "+xread")


async def test_after_a_disconnect_an_inbox_is_read_over_another_connection(
    raw: redis.Redis, store_url: str
) -> None:
    async with open_reader(store_url) as reader:
        inbox = RoomInbox(reader, "n1", 1, timedelta(milliseconds=1))
        await inbox.read({})
        before = connections(raw)
        await inbox.disconnect()
        await inbox.read({})
        assert len(connections(raw) - before) == 1
