"""Sealing again under the newest key: everything stays what it was, and what ended stays ended."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import pytest
import redis

from server.core.account import Account
from server.core.activity import ActivityEntry
from server.core.audit import AuditEvent
from server.core.session import Rules
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.accounts import AccountStore
from server.store.activity import ActivityStore
from server.store.clock import StoreClock
from server.store.codec import SessionCodec
from server.store.contract import Missing, Stored
from server.store.entries import Entries
from server.store.names import ShardNames
from server.store.scripts import Scripts
from server.store.sealed_records import Resealed, SealedRecord, SealedRecords
from server.store.sessions import RedisSessionStore
from tests.conformance.subjects import created
from tests.support.engine.keys import key
from tests.support.engine.quiet import Unaudited, quiet_context
from tests.support.engine.store_client import open_store_client
from tests.support.engine.visitors import visitor_records
from tests.support.servers.stores import Store

NAMES = ShardNames(0)
OLD = Keyring.from_secrets([key("old")])
BOTH = Keyring.from_secrets([key("new"), key("old")])
NEWEST = BOTH.versions[0]


@dataclass
class Side:
    """A store as somebody with some keys sees it; enough of a subject for `created`."""

    store: RedisSessionStore
    accounts: AccountStore
    activity: ActivityStore
    records: SealedRecords
    now: Callable[[], float]
    between: Callable[[], object] = int
    """Done between reading a record and writing it again."""


@pytest.fixture
async def sides(store_url: str) -> AsyncIterator[tuple[Side, Side]]:
    """With the old key alone, and with both."""
    async with open_store_client(store_url) as client:
        clock = StoreClock(client)
        await clock.synchronise()
        scripts = Scripts(client)

        def side(ring: Keyring) -> Side:
            def new_id() -> str:
                made.between()
                return os.urandom(16).hex()

            sealer, entries = Sealer(ring), Entries(ring, quiet_context(clock.now))
            codec, visitors = SessionCodec(sealer), visitor_records(scripts, Rules())
            store = RedisSessionStore(client, scripts, codec, entries, clock, Rules(), visitors, 1)
            accounts = AccountStore(client, scripts, sealer, 1, Unaudited())
            activity = ActivityStore(client, scripts, sealer, 1, Unaudited())
            records = SealedRecords(client, store, accounts, activity, new_id)
            made = Side(store, accounts, activity, records, clock.now)
            return made

        yield side(OLD), side(BOTH)


@pytest.fixture
def raw(valkey: Store) -> Iterator[redis.Redis]:
    with valkey.client() as client:
        yield client


async def test_records_are_the_same_under_the_newest_key(sides: tuple[Side, Side]) -> None:
    old, both = sides
    before = [await created(old) for _ in range(3)]  # type: ignore[arg-type]  # it asks no more
    ann = Account("ann", "hash", admin=True, disabled=False, created_at=1.5)
    assert await old.accounts.save(ann, based_on=0, operation="o1")
    seen = ActivityEntry(AuditEvent.LOGIN_SUCCESS, since=1.5, at=1.5)
    assert await old.activity.save("ann", [seen], based_on=0, operation="o2")
    kinds = {"session": 3, "account": 1, "activity": 1}
    assert (await both.records.counts(int)) == {
        (kind, OLD.versions[0]): number for kind, number in kinds.items()
    }
    async for record in both.records.all():
        assert await both.records.reseal(record) is Resealed.DONE
    assert (await both.records.counts(int)) == {
        (kind, NEWEST): number for kind, number in kinds.items()
    }
    assert (await both.activity.load("ann")).entries == (seen,)
    for each in before:
        loaded = await both.store.load(each.session.sid)
        assert isinstance(loaded, Stored)
        assert (loaded.session, loaded.stale_key) == (each.session, False)
    stored = await both.accounts.load("ann")
    assert stored is not None
    assert stored.account == ann


async def test_what_goes_between_reading_and_writing_does_not_come_back(
    sides: tuple[Side, Side], raw: redis.Redis
) -> None:
    old, both = sides
    sid = (await created(old)).session.sid  # type: ignore[arg-type]  # it asks no more
    both.between = lambda: raw.delete(NAMES.session(sid), NAMES.account("ann"))
    await both.records.reseal(SealedRecord("session", sid, None))
    assert await both.store.load(sid) == Missing()
    ann = Account("ann", "hash", admin=False, disabled=False, created_at=1.5)
    assert await old.accounts.save(ann, based_on=0, operation="o1")
    await both.records.reseal(SealedRecord("account", "ann", None))
    assert await both.accounts.load("ann") is None


async def test_another_writer_is_not_overwritten(
    sides: tuple[Side, Side], raw: redis.Redis
) -> None:
    """Its record stands; what it wrote with the old key is sealed again after it."""
    old, both = sides
    stored = await created(old)  # type: ignore[arg-type]  # it asks no more
    name = NAMES.session(stored.session.sid)
    codec = SessionCodec(Sealer(OLD))
    writes = iter([codec.encode(stored.session, revision=7, operation="theirs")])
    both.between = lambda: [raw.set(name, value) for value in writes]
    record = SealedRecord("session", stored.session.sid, None)
    assert await both.records.reseal(record) is Resealed.DONE
    loaded = await both.store.load(stored.session.sid)
    assert isinstance(loaded, Stored)
    assert (loaded.revision, loaded.stale_key) == (8, False)


async def test_what_opens_under_no_key_is_told_and_left_alone(
    sides: tuple[Side, Side], raw: redis.Redis
) -> None:
    _, both = sides
    raw.set(NAMES.session("00" + "A" * 22), b"1 o \ngarbage")
    raw.set(NAMES.account("ann"), b"")
    found = [record async for record in both.records.all()]
    assert {record.version for record in found} == {None}
    assert [await both.records.reseal(each) for each in found] == [Resealed.UNREADABLE] * 2
    assert raw.get(NAMES.account("ann")) == b""
