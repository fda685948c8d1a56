"""What visitors without an account keep: counted exactly, and refused beyond the limits."""

import os
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import redis

from server.core.events import TokenRotated
from server.core.reasons import Reason
from server.core.session import Device, Json, Rules, Session
from server.core.token import SEED_BYTES, make_sid
from server.core.visitors import VisitorLimits, bytes_of
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.clock import StoreClock
from server.store.codec import SessionCodec
from server.store.contract import (
    Conflict,
    Created,
    EpochChanged,
    Missing,
    NoRoom,
    Saved,
    Stored,
    Tombstone,
)
from server.store.entries import Entries
from server.store.names import ShardNames
from server.store.scripts import Scripts
from server.store.sessions import RedisSessionStore
from server.store.visitors import VisitorRecords
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import quiet_context
from tests.support.engine.visitors import visitor_records

RULES = Rules()
KIB: dict[str, Json] = {"k": "x" * (1024 - 8)}
"""With this, a session takes 2 KiB."""
LIMITS = VisitorLimits(
    sessions_per_address=3, bytes_per_address=20 * 1024, sessions_in_all=5, bytes_in_all=30 * 1024
)
TOMBSTONE = 512
HOME, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@dataclass
class Visitors:
    """A store with low limits, as one node sees it."""

    scripts: Scripts
    raw: redis.Redis
    clock: StoreClock

    def under(self, limits: VisitorLimits, rules: Rules = RULES) -> RedisSessionStore:
        """Return the store with these limits."""
        keyring = Keyring.from_secrets([KEY])
        return RedisSessionStore(
            self.scripts._client,
            self.scripts,
            SessionCodec(Sealer(keyring)),
            Entries(keyring, quiet_context(self.clock.now)),
            self.clock,
            rules,
            visitor_records(self.scripts, rules, limits),
            1,
        )

    def session(self, ip: str = HOME, **fields: Any) -> Session:
        """Return a session of a visitor that could be created now."""
        now = self.clock.now()
        made = Session(
            sid=make_sid(0, os.urandom(16)),
            user=None,
            seed=os.urandom(SEED_BYTES),
            created_at=now,
            authenticated_at=None,
            last_active_at=now,
            current_since=now,
            device=Device("a browser", ip),
            data=KIB,
        )
        return replace(made, **fields)

    async def create(self, ip: str = HOME, limits: VisitorLimits = LIMITS, **fields: Any) -> Any:
        """Create a session; return it, or why there is none."""
        made = await create(self.under(limits), self.session(ip, **fields))
        return made.stored if isinstance(made, Created) else made

    def counted(self) -> tuple[int, int]:
        """Return the numbers of sessions and bytes in all."""
        value = self.raw.get("curfew:{00}:visitors:")
        assert value is None or isinstance(value, bytes)
        sessions, size, _ = (value or b"0 0 0").split()
        return int(sessions), int(size)

    def forget_what_was_written(self) -> None:
        """Let a minute pass, as far as the limit on writing goes."""
        for key in self.raw.scan_iter("curfew:{00}:visitors:*"):
            value = self.raw.get(key)
            assert isinstance(value, bytes)
            self.raw.set(key, value.rpartition(b" ")[0] + b" 0", keepttl=True)


async def create(store: RedisSessionStore, session: Session, operation: str = "") -> Any:
    """Create a session in a store."""
    return await store.create(
        session, operation=operation or os.urandom(8).hex(), user_epoch="", initiator="n1"
    )


async def save(store: RedisSessionStore, stored: Stored, **fields: Any) -> Any:
    """Write a session again."""
    session = replace(stored.session, **fields)
    return await store.save(session, based_on=stored.revision, operation=os.urandom(8).hex())


@pytest.fixture
async def visitors(scripts: Scripts, raw: redis.Redis) -> Visitors:
    clock = StoreClock(scripts._client)
    await clock.synchronise()
    return Visitors(scripts, raw, clock)


def full(outcome: object) -> bool:
    """Return whether there was no room."""
    return isinstance(outcome, NoRoom) and outcome.wait > timedelta()


async def test_one_address_keeps_as_many_sessions_as_it_may_and_others_theirs(
    visitors: Visitors,
) -> None:
    made = [await visitors.create() for _ in range(4)]
    assert [full(each) for each in made] == [False, False, False, True]
    assert not full(await visitors.create(ELSEWHERE))
    assert visitors.counted() == (4, 4 * bytes_of(KIB))


async def test_all_addresses_together_keep_as_many_as_they_may(visitors: Visitors) -> None:
    made = [await visitors.create(f"192.0.2.{number}") for number in range(6)]
    assert [full(each) for each in made] == [False] * 5 + [True]
    assert visitors.counted()[0] == 5


async def test_a_whole_ipv6_network_is_one_address(visitors: Visitors) -> None:
    made = [await visitors.create(f"2001:db8::{number}") for number in range(4)]
    assert [full(each) for each in made] == [False, False, False, True]
    assert not full(await visitors.create("2001:db8:0:1::1"))


async def test_bytes_are_counted_for_each_address_and_in_all(visitors: Visitors) -> None:
    large = {"k": "x" * 9_000}
    assert not full(await visitors.create(data=large))
    assert not full(await visitors.create(data={"k": "x" * 8_000}))
    assert full(await visitors.create(data=large))
    assert not full(await visitors.create(ELSEWHERE, data={"k": "x" * 8_000}))
    assert full(await visitors.create("192.0.2.3", data=large))
    sessions, size = visitors.counted()
    assert sessions == 3
    assert size <= LIMITS.bytes_in_all


async def test_a_session_that_grows_is_counted_as_it_is_and_refused_beyond_the_limit(
    visitors: Visitors,
) -> None:
    store, stored = visitors.under(LIMITS), await visitors.create()
    visitors.forget_what_was_written()
    larger = {"k": "x" * 10_000}
    assert await save(store, stored, data=larger) == Saved(2)
    assert visitors.counted() == (1, bytes_of(larger))
    visitors.forget_what_was_written()
    now = await store.load(stored.session.sid)
    assert isinstance(now, Stored)
    assert full(await save(store, now, data={"k": "x" * 30_000}))
    assert await store.load(stored.session.sid) == now
    assert visitors.counted() == (1, bytes_of(larger))
    assert await save(store, now, data={}) == Saved(3)
    assert visitors.counted() == (1, bytes_of({}))


async def test_what_leaves_the_data_as_it_is_always_has_room(visitors: Visitors) -> None:
    stored = await visitors.create()
    store = visitors.under(VisitorLimits(0, 1, 0, 1))
    for number in range(20):
        moved = replace(stored.session, last_active_at=stored.session.last_active_at + number)
        saved = await save(store, Stored(moved, stored.revision + number))
        assert saved == Saved(stored.revision + number + 1)
    assert visitors.counted() == (1, bytes_of(KIB))


async def test_rewriting_one_session_is_limited_by_the_minute(visitors: Visitors) -> None:
    store, stored, written = visitors.under(LIMITS), await visitors.create(), 0
    outcome: Any = Saved(stored.revision)
    while isinstance(outcome, Saved):
        written += 1
        data: dict[str, Json] = {"k": f"{written:04}" + "y" * 1012}
        outcome = await save(store, Stored(stored.session, outcome.revision), data=data)
    assert written == LIMITS.bytes_per_address // bytes_of(KIB)
    assert isinstance(outcome, NoRoom)
    assert timedelta() < outcome.wait < timedelta(seconds=10)
    visitors.forget_what_was_written()
    assert await save(store, Stored(stored.session, written), data={"k": 1}) == Saved(written + 1)


async def test_an_end_gives_its_room_back_at_once_except_for_the_tombstone(
    visitors: Visitors,
) -> None:
    store, stored = visitors.under(LIMITS), await visitors.create()
    for end_id in ("e1", "e1", "e2"):
        await store.end_session(
            stored.session.sid, user=None, end_id=end_id, reason=Reason.LOGOUT, initiator="n1"
        )
        assert visitors.counted() == (0, TOMBSTONE)
    made = [await visitors.create() for _ in range(4)]
    assert [full(each) for each in made] == [False, False, False, True]


async def test_an_end_of_everything_gives_the_room_back_with_the_records(
    visitors: Visitors,
) -> None:
    store = visitors.under(LIMITS)
    for _ in range(3):
        await visitors.create()
    await store.end_shard(0, end_id="e1", reason=Reason.ADMIN, initiator="n1")
    assert await store.sweep_shard(0) == 3
    assert visitors.counted() == (0, 3 * TOMBSTONE)


async def test_beginning_and_ending_sessions_without_end_comes_to_an_end(
    visitors: Visitors,
) -> None:
    store, begun = visitors.under(LIMITS), 0
    while not full(stored := await visitors.create(data={})):
        visitors.forget_what_was_written()
        begun += 1
        await store.end_session(
            stored.session.sid, user=None, end_id="e1", reason=Reason.LOGOUT, initiator="n1"
        )
    assert begun == (LIMITS.bytes_per_address - bytes_of({})) // TOMBSTONE + 1
    for key in visitors.raw.scan_iter("curfew:{00}:ended:*"):
        assert (visitors.raw.memory_usage(key) or 0) <= TOMBSTONE
        sid = key.rpartition(b":")[2]
        visitors.raw.zadd("curfew:{00}:visitors", {sid: 1})
    assert not full(await visitors.create(data={}))
    assert visitors.counted() == (1, bytes_of({}))


async def test_what_has_gone_by_its_ttl_is_counted_no_more(visitors: Visitors) -> None:
    for _ in range(3):
        await visitors.create()
    listed: Any = visitors.raw.zrange("curfew:{00}:visitors", 0, -1)
    for sid in listed:
        visitors.raw.delete(b"curfew:{00}:session:" + sid)
        visitors.raw.zadd("curfew:{00}:visitors", {sid: 1})
    assert not full(await visitors.create())
    assert visitors.counted() == (1, bytes_of(KIB))
    assert visitors.raw.zcard("curfew:{00}:visitors") == 1


async def test_a_session_from_before_they_were_counted_is_counted_from_its_next_write(
    visitors: Visitors, raw: redis.Redis
) -> None:
    stored = await visitors.create()
    for key in raw.scan_iter("curfew:{00}:visitor*"):
        raw.delete(key)
    assert await save(visitors.under(VisitorLimits(0, 1, 0, 1)), stored) == Saved(2)
    assert visitors.counted() == (1, bytes_of(KIB))


async def test_with_another_key_a_network_is_counted_on_under_its_former_name(
    visitors: Visitors,
) -> None:
    stored, store = await visitors.create(), visitors.under(LIMITS)
    store._visitors = VisitorRecords(visitors.scripts, bytes(32), LIMITS, 10**9)
    assert await save(store, stored, data={}) == Saved(2)
    await store.end_session(
        stored.session.sid, user=None, end_id="e1", reason=Reason.LOGOUT, initiator="n1"
    )
    counts = [visitors.raw.get(key) for key in visitors.raw.scan_iter("curfew:{00}:visitors:*")]
    assert all(isinstance(each, bytes) and each.startswith(b"0 512 ") for each in counts)


async def test_a_repeated_request_is_counted_once(visitors: Visitors) -> None:
    store, session = visitors.under(LIMITS), visitors.session()
    for _ in range(3):
        assert isinstance(await create(store, session, "o1"), Created)
    assert visitors.counted() == (1, bytes_of(KIB))


async def test_what_ended_or_is_overtaken_is_told_and_not_counted(visitors: Visitors) -> None:
    store, stored = visitors.under(LIMITS), await visitors.create()
    stale = Stored(stored.session, 7)
    assert await save(store, stale, data={}) == Conflict()
    assert await create(store, visitors.session(epoch="another")) == EpochChanged()
    assert await create(store, stored.session) == EpochChanged()
    await store.end_session(
        stored.session.sid, user=None, end_id="e1", reason=Reason.LOGOUT, initiator="n1"
    )
    assert isinstance(await save(store, stored, data={}), Tombstone)
    assert isinstance(await create(store, stored.session), Tombstone)
    assert await save(store, Stored(visitors.session(), 1)) == Missing()
    assert visitors.counted() == (0, TOMBSTONE)


async def test_a_save_appends_its_event(visitors: Visitors, raw: redis.Redis) -> None:
    stored = await visitors.create()
    before = raw.xlen(ShardNames(0).control)
    event = TokenRotated(stored.session.sid, 2)
    await visitors.under(LIMITS).save(stored.session, based_on=1, operation="o", event=event)
    assert raw.xlen(ShardNames(0).control) == before + 1


async def test_the_store_learns_no_address_and_forgets_everything(
    visitors: Visitors, raw: redis.Redis
) -> None:
    await visitors.create()
    for key in raw.scan_iter("curfew:{00}:visitor*"):
        assert HOME.encode() not in key
        assert 0 < raw.pttl(key) <= 13 * 3_600_000
