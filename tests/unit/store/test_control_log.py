"""The streams: what is read resumes where it stopped, and what was lost is noticed."""

import gc
import time
from datetime import timedelta
from typing import Any, Final

import pytest
import redis
from redis.asyncio import Redis

from server.core.errors import StoreUnavailable
from server.core.events import (
    Acknowledgement,
    EntryRejection,
    Event,
    MessageSent,
    SessionsChanged,
)
from server.crypto.keyring import Keyring
from server.store import acl
from server.store.clock import StoreClock
from server.store.connection import open_reader
from server.store.control_log import (
    BEGINNING,
    ENTRIES_PER_READ,
    MAX_MESSAGES,
    RedisControlLog,
    _end,
    _lost_entries,
    _streams,
)
from server.store.entries import Entries, as_mapping
from server.store.names import ShardNames
from server.store.scripts import Scripts
from server.store.stream_contract import Position
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import quiet_context

NAMES: Final = ShardNames(0)
NOW: Final = 1_000_000.0
KEYRING: Final = Keyring.from_secrets([KEY])
SHORT: Final = timedelta(milliseconds=1)


def entries(node: str = "n1") -> Entries:
    """A node's entries."""
    return Entries(KEYRING, quiet_context(lambda: NOW, node=node))


def log_of(
    client: Redis, node: str = "n1", *, reader: Redis | None = None, serves: bool = True
) -> RedisControlLog:
    """A node's view of the streams of one shard."""
    return RedisControlLog(
        reader or client,
        client,
        Scripts(client),
        entries(node),
        StoreClock(client),
        1,
        node,
        SHORT,
        serves=serves,
    )


def append(raw: redis.Redis, event: Event, *, stream: str = NAMES.control) -> None:
    """Append an event as a script does."""
    fields: Any = as_mapping(entries().sign(event))
    raw.xadd(stream, fields)


async def test_what_comes_after_the_tail_is_read_once_and_in_order(
    client: Redis, raw: redis.Redis
) -> None:
    log = log_of(client)
    append(raw, SessionsChanged("before"))
    positions = await log.tail()
    for user in ("ann", "bob"):
        append(raw, SessionsChanged(user))
    batch = await log.read(positions)
    assert batch.events == [SessionsChanged("ann"), SessionsChanged("bob")]
    assert (batch.is_last, batch.lost_entries, batch.refused) == (True, False, [])
    again = await log.read(batch.positions)
    assert again.events == []
    assert again.positions == batch.positions


async def test_a_batch_that_is_full_is_not_the_last(client: Redis, raw: redis.Redis) -> None:
    log = log_of(client)
    positions = await log.tail()
    for number in range(ENTRIES_PER_READ + 1):
        append(raw, SessionsChanged(str(number)))
    first = await log.read(positions)
    assert (len(first.events), first.is_last) == (ENTRIES_PER_READ, False)
    rest = await log.read(first.positions)
    assert (rest.events, rest.is_last) == ([SessionsChanged(str(ENTRIES_PER_READ))], True)


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


async def test_the_first_read_after_a_failure_does_not_wait(
    client: Redis, raw: redis.Redis
) -> None:
    patience = timedelta(milliseconds=400)
    quiet = RedisControlLog(
        client, client, Scripts(client), entries(), StoreClock(client), 1, "n1", patience
    )
    positions = await quiet.tail()

    async def seconds_of_a_read() -> float:
        started = time.monotonic()
        await quiet.read(positions)
        return time.monotonic() - started

    assert await seconds_of_a_read() > 0.3
    raw.replicaof("127.0.0.1", "1")
    with pytest.raises(StoreUnavailable):
        await quiet.read(positions)
    raw.replicaof("NO", "ONE")
    positions = await quiet.tail()
    assert await seconds_of_a_read() < 0.3
    assert await seconds_of_a_read() > 0.3


def begin_another_history(raw: redis.Redis) -> None:
    """Promote a replica, which this store is for a moment."""
    raw.replicaof("127.0.0.1", "1")
    raw.replicaof("NO", "ONE")


async def test_a_message_arrives_and_its_stream_stays_short(
    client: Redis, raw: redis.Redis
) -> None:
    log, message = log_of(client), MessageSent("ann", "c1", b"\x00 box")
    positions = await log.tail()
    await log.send(message)
    assert (await log.read(positions)).events == [message]
    for _ in range(2 * MAX_MESSAGES):
        append(raw, message, stream=NAMES.messages)
    await log.send(message)
    kept = raw.xlen(NAMES.messages)
    assert isinstance(kept, int)
    assert MAX_MESSAGES <= kept < 1.2 * MAX_MESSAGES  # trimmed by whole blocks, for speed


async def test_an_acknowledgement_reaches_the_node_that_asked_and_no_other(
    client: Redis, raw: redis.Redis
) -> None:
    asking, other, answering = (log_of(client, node) for node in ("n1", "n2", "n3"))
    waiting = [(each, await each.tail()) for each in (asking, other)]
    done = Acknowledgement("n3", {"e1": 2})
    await answering.acknowledge("n1", done)
    batches = [await each.read(positions) for each, positions in waiting]
    assert [list(each.acknowledgements) for each in batches] == [[done], []]
    left_ms = raw.pttl(NAMES.replies("n1"))
    assert isinstance(left_ms, int)
    assert 0 < left_ms <= 60_000


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


async def test_entries_that_seem_late_are_judged_by_a_fresh_reading_of_the_clock(
    client: Redis, raw: redis.Redis
) -> None:
    clock = StoreClock(client)
    await clock.synchronise()
    ring_entries = Entries(KEYRING, quiet_context(clock.now, node="n1"), clock.steps)
    log = RedisControlLog(client, client, Scripts(client), ring_entries, clock, 1, "n1", SHORT)
    positions = await log.tail()
    fields: Any = as_mapping(ring_entries.sign(SessionsChanged("ann")))
    ahead = int((clock.now() + 600) * 1000)
    raw.xadd(NAMES.control, fields, id=f"{ahead}-0")  # the stream goes on where it was
    clock.learn(clock.now() + 601, asked_at=time.monotonic())
    clock._former.clear()
    batch = await log.read(positions)
    assert (batch.events, batch.refused) == ([SessionsChanged("ann")], [])


async def test_a_command_that_serves_nothing_follows_its_replies_alone(
    client: Redis, raw: redis.Redis
) -> None:
    log = log_of(client, serves=False)
    positions = await log.tail()
    append(raw, SessionsChanged("ann"))
    await log_of(client, "n2").send(MessageSent("ann", "c1", b"box"))
    await log_of(client, "n2").acknowledge("n1", Acknowledgement("n2", {"e1": 0}))
    batch = await log.read(positions)
    assert (batch.events, len(batch.acknowledgements)) == ([], 1)


async def test_an_entry_that_nobody_signed_is_refused_beside_the_others(
    client: Redis, raw: redis.Redis
) -> None:
    log = log_of(client)
    positions = await log.tail()
    raw.xadd(NAMES.control, {"kind": "changed", "user": "ann"})
    append(raw, SessionsChanged("bob"))
    batch = await log.read(positions)
    assert batch.events == [SessionsChanged("bob")]
    assert batch.refused == [EntryRejection.FORGED]


async def test_after_a_failed_read_smaller_replies_are_asked_for(
    client: Redis, raw: redis.Redis, gone: Redis
) -> None:
    log = log_of(client)
    positions = await log.tail()
    for number in range(ENTRIES_PER_READ):
        append(raw, SessionsChanged(str(number)))
    log._reader, reader = gone, log._reader
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="follow"):
            await log.read(positions)
    log._reader = reader
    batch = await log.read(positions)
    assert len(batch.events) == ENTRIES_PER_READ // 16
    while not batch.is_last:
        batch = await log.read(batch.positions)
    assert len((await log.read(positions)).events) == ENTRIES_PER_READ


async def test_after_a_disconnect_a_read_opens_another_connection(
    client: Redis, raw: redis.Redis, store_url: str
) -> None:
    async with open_reader(store_url) as reader:
        log = log_of(client, reader=reader)
        positions = await log.tail()
        await log.read(positions)
        before = connections(raw)
        await log.read(positions)
        assert connections(raw) == before
        await log.disconnect()
        await log.read(positions)
        assert len(connections(raw) - before) == 1


def connections(raw: redis.Redis) -> set[str]:
    """The ids of all connections to the store."""
    found: Any = raw.client_list()
    return {each["id"] for each in found}


ENTRY: Final = (b"1-0", {b"kind": b"changed"})


@pytest.mark.parametrize(
    "reply",
    [[[b"stream", [ENTRY]]], {b"stream": [ENTRY]}, {b"stream": [[ENTRY]]}],
    ids=["RESP2", "RESP3", "RESP3 nested"],
)
def test_a_reply_is_read_in_every_shape_that_the_client_gives_it(reply: Any) -> None:
    assert _streams(reply) == [("stream", [ENTRY])]


@pytest.mark.parametrize("reply", [None, [], {}])
def test_no_reply_is_no_entries(reply: Any) -> None:
    assert _streams(reply) == []


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
        _end(redis.exceptions.NoPermissionError("no"))


async def test_reads_of_streams_that_do_not_exist_leave_no_cycles_behind(client: Redis) -> None:
    log = log_of(client)
    positions = await log.tail()
    await log.read(positions)
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            await log.read(positions)
        assert gc.collect() < 100
    finally:
        gc.enable()
