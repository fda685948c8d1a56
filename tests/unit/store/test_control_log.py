"""The streams: what is read resumes where it stopped."""

import gc
import time
from datetime import timedelta
from typing import Any, Final

import pytest
import redis
from redis.asyncio import Redis

from server.core.errors import StoreUnavailable
from server.core.events import Acknowledgement, EntryRejection, MessageSent, SessionsChanged
from server.store import acl
from server.store.clock import StoreClock
from server.store.connection import open_reader
from server.store.control_log import ENTRIES_PER_READ, MAX_MESSAGES, RedisControlLog, entries_of
from server.store.entries import Entries, as_mapping
from server.store.scripts import Scripts
from tests.support.engine.quiet import quiet_context
from tests.support.engine.streams import KEYRING, NAMES, SHORT, append, connections, entries, log_of


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


ENTRY: Final = (b"1-0", {b"kind": b"changed"})


@pytest.mark.parametrize(
    "reply",
    [[[b"stream", [ENTRY]]], {b"stream": [ENTRY]}, {b"stream": [[ENTRY]]}],
    ids=["RESP2", "RESP3", "RESP3 nested"],
)
def test_a_reply_is_read_in_every_shape_that_the_client_gives_it(reply: Any) -> None:
    assert entries_of(reply) == [("stream", [ENTRY])]


@pytest.mark.parametrize("reply", [None, [], {}])
def test_no_reply_is_no_entries(reply: Any) -> None:
    assert entries_of(reply) == []


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


async def test_a_store_that_refuses_the_read_has_not_said_that_nothing_happened(
    client: Redis, raw: Any
) -> None:
    log = log_of(client)
    positions = await log.tail()
    raw.execute_command("ACL", "SETUSER", acl.USER, "-xread")
    try:
        with pytest.raises(StoreUnavailable, match="NoPermissionError"):
            await log.read(positions)
    finally:
        raw.execute_command("ACL", "SETUSER", acl.USER, "+xread")
