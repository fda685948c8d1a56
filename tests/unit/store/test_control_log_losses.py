"""Entries that a node will never get are noticed: they were trimmed, or went with their store."""

from typing import Any

import pytest
import redis
from redis.asyncio import Redis

from server.core.errors import StoreUnavailable
from server.core.events import Acknowledgement, MessageSent, SessionsChanged
from server.store import acl
from server.store.control_log import BEGINNING, _lost_entries, end_of
from server.store.entries import as_mapping
from server.store.stream_contract import Position
from tests.support.engine.streams import NAMES, append, begin_another_history, entries, log_of


async def test_entries_that_were_trimmed_unread_are_noticed(
    client: Redis, raw: redis.Redis
) -> None:
    log = log_of(client)
    positions = await log.tail()
    for _ in range(3):
        append(raw, SessionsChanged("ann"))
    raw.xtrim(NAMES.control, maxlen=2, approximate=False)
    assert (await log.read(positions)).lost_entries


async def test_entries_that_were_trimmed_after_they_were_read_are_not_lost(
    client: Redis, raw: redis.Redis
) -> None:
    log = log_of(client)
    append(raw, SessionsChanged("ann"))
    batch = await log.read({**await log.tail(), NAMES.control: BEGINNING})
    raw.xtrim(NAMES.control, maxlen=0, approximate=False)
    append(raw, SessionsChanged("bob"))
    batch = await log.read(batch.positions)
    assert (batch.events, batch.lost_entries) == ([SessionsChanged("bob")], False)


async def test_a_store_that_lost_its_data_is_noticed(client: Redis, raw: redis.Redis) -> None:
    log = log_of(client)
    append(raw, SessionsChanged("ann"))
    positions = await log.tail()
    raw.flushall()
    assert (await log.read(positions)).lost_entries


async def test_another_history_may_lack_entries_though_all_numbers_fit(
    client: Redis, raw: redis.Redis
) -> None:
    """A promoted replica can have had as many entries of its own as it never got."""
    log = log_of(client)
    append(raw, SessionsChanged("ann"))
    positions = await log.tail()
    begin_another_history(raw)
    append(raw, SessionsChanged("bob"))
    assert (await log.read(positions)).lost_entries
    batch = await log.read(await log.tail())
    assert (batch.events, batch.lost_entries) == ([], False)
    append(raw, SessionsChanged("eve"))
    batch = await log.read(batch.positions)
    assert (batch.events, batch.lost_entries) == ([SessionsChanged("eve")], False)
    begin_another_history(raw)
    assert (await log.read(batch.positions)).lost_entries


async def test_the_streams_of_a_replica_prove_nothing(client: Redis, raw: redis.Redis) -> None:
    """Where a connection outlived the change of role."""
    log = log_of(client)
    positions = await log.tail()
    append(raw, SessionsChanged("ann"))
    raw.replicaof("127.0.0.1", "1")
    try:
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="ReadOnlyError"):
                await log.read(positions)
        with pytest.raises(StoreUnavailable, match="ReadOnlyError"):
            await log.tail()
    finally:
        raw.replicaof("NO", "ONE")


async def test_a_server_that_does_not_tell_its_history_is_followed_all_the_same(
    client: Redis, raw: Any
) -> None:
    log = log_of(client)
    raw.execute_command("ACL", "SETUSER", acl.USER, "-info")
    try:
        positions = await log.tail()
        append(raw, SessionsChanged("ann"))
        batch = await log.read(positions)
    finally:
        raw.execute_command("ACL", "SETUSER", acl.USER, "+info")
    assert (batch.events, batch.lost_entries) == ([SessionsChanged("ann")], False)
    assert not (await log.read(batch.positions)).lost_entries


async def test_a_stream_that_began_anew_below_the_position_is_read_from_its_beginning(
    client: Redis, raw: redis.Redis
) -> None:
    """As after an expiry, if the store's clock was set back."""
    log, done = log_of(client), Acknowledgement("n3", {"e1": 2})
    message = MessageSent("ann", "c1", b"box")
    for name, found in ((NAMES.replies("n1"), done), (NAMES.messages, message)):
        signed = entries("n3").sign(message)
        if found is done:
            signed = entries("n3").sign_acknowledgement("n1", done)
        fields: Any = as_mapping(signed)
        positions = {**await log.tail(), name: Position("9999999999999-0", 1)}
        raw.xadd(name, fields)
        first = await log.read(positions)
        assert (first.is_last, first.positions[name]) == (False, BEGINNING)
        assert [*first.events, *first.acknowledgements] == []
        second = await log.read(first.positions)
        assert [*second.events, *second.acknowledgements] == [found]
        raw.delete(name)


def info(last: str, added: int, length: int) -> dict[str, Any]:
    """What XINFO says of a stream."""
    return {"last-generated-id": last.encode(), "entries-added": added, "length": length}


@pytest.mark.parametrize(
    ("found", "position", "lost"),
    [
        (info("9-0", 5, 5), Position("9-0", 5), False),  # nothing new
        (info("9-0", 5, 2), Position("5-0", 3), False),  # what was read is trimmed
        (info("9-0", 5, 1), Position("5-0", 3), True),  # one more is trimmed
        (info("9-0", 2, 2), Position("5-0", 3), True),  # fewer entries than were read
        (info("4-9", 9, 9), Position("5-0", 3), True),  # it ends before what was read
        (info("10-0", 5, 5), Position("9-0", 3), False),  # ids are numbers, not texts
        (redis.ResponseError("no such key"), Position("5-0", 3), True),
        (redis.ResponseError("no such key"), BEGINNING, False),
    ],
)
def test_what_a_stream_tells_of_lost_entries(
    found: Any,
    position: Position,
    lost: bool,  # noqa: FBT001 a case
) -> None:
    assert _lost_entries(found, position) is lost


def test_a_stream_that_cannot_be_asked_is_not_an_empty_one() -> None:
    with pytest.raises(StoreUnavailable, match="NoPermissionError"):
        end_of(redis.exceptions.NoPermissionError("no"))
