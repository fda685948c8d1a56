"""What only the Redis store has: scripts to lose, keys to expire, bytes to spoil."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Final

import pytest

from server.core.events import TokenRotated
from server.core.reasons import Reason
from server.store.contract import Missing, Saved, Stored, Tombstone, Unreadable
from server.store.names import ShardNames
from tests.conformance.subjects import RedisSubject, created, listed, new_id, redis_subject

NAMES: Final = ShardNames(0)
HOUR: Final = 3600.0
ABSOLUTE: Final = 12 * HOUR


@pytest.fixture
async def subject(store_url: str) -> AsyncIterator[RedisSubject]:
    async with redis_subject(store_url, shards=1) as subject:
        yield subject


def ttl(subject: RedisSubject, key: str) -> float:
    """Seconds a key has left; -1 is for ever."""
    milliseconds = subject.raw.pttl(key)
    assert isinstance(milliseconds, int)
    return milliseconds if milliseconds < 0 else milliseconds / 1000


def end(subject: RedisSubject, sid: str, event: str = "e1") -> Awaitable[object]:
    """End one of ann's sessions."""
    return subject.store.end_session(
        sid, user="ann", end_id=event, reason=Reason.LOGOUT, initiator="n1"
    )


async def test_scripts_are_loaded_again_where_the_server_lost_them(subject: RedisSubject) -> None:
    async def everything(before_each: Callable[[], object]) -> None:
        before_each()
        stored = await created(subject)
        sid = stored.session.sid
        before_each()
        saved = await subject.store.save(stored.session, based_on=1, operation=new_id())
        assert saved == Saved(2)
        before_each()
        await subject.store.count_sockets("ann", sid, "n1", 1)
        before_each()
        await subject.join("n1")
        before_each()
        assert [each.sockets for each in await subject.store.list_user("ann")] == [1]
        before_each()
        await end(subject, sid)
        before_each()
        end_id = new_id()
        await subject.store.end_user(
            "ann", keep=None, end_id=end_id, reason=Reason.ADMIN, initiator="n1"
        )
        await created(subject)
        before_each()
        await subject.store.end_shard(0, end_id=new_id(), reason=Reason.ADMIN, initiator="n1")
        before_each()
        assert await subject.store.sweep_shard(0) == 1

    await everything(subject.raw.script_flush)
    await everything(lambda: None)


async def test_every_key_of_a_session_goes_by_itself(subject: RedisSubject) -> None:
    now = subject.now()
    young, old = [await created(subject, last_active_at=now - ago) for ago in (0, 60)]
    await subject.store.count_sockets("ann", young.session.sid, "n1", 1)
    assert 1.5 * HOUR - 2 < ttl(subject, NAMES.session(young.session.sid)) < 1.5 * HOUR + 1
    assert ttl(subject, NAMES.session(old.session.sid)) < 1.5 * HOUR - 59
    for key in (NAMES.index("ann"), NAMES.sockets("ann")):
        assert ABSOLUTE < ttl(subject, key) < ABSOLUTE + 2 * HOUR
    await end(subject, young.session.sid)
    tombstone = NAMES.tombstone(young.session.sid)
    assert ABSOLUTE < ttl(subject, tombstone) < ABSOLUTE + 2 * HOUR
    await subject.store.end_user("ann", keep=None, end_id="e2", reason=Reason.ADMIN, initiator="n1")
    assert 0 < ttl(subject, NAMES.user_epoch("ann")) <= 24 * HOUR


async def test_the_traces_of_a_remembered_session_live_as_long_as_its_record(
    subject: RedisSubject,
) -> None:
    week = 7 * 24 * HOUR
    kept = await created(subject, remember=True)
    await subject.store.count_sockets("ann", kept.session.sid, "n1", 1)
    record = ttl(subject, NAMES.session(kept.session.sid))
    assert week < record < week + 2 * HOUR
    for key in (NAMES.index("ann"), NAMES.sockets("ann")):
        assert ttl(subject, key) == pytest.approx(record, abs=2)
    await subject.store.save(kept.session, based_on=1, operation=new_id())
    assert ttl(subject, NAMES.index("ann")) == pytest.approx(record, abs=2)
    other = await created(subject, remember=True)
    await end(subject, kept.session.sid)
    assert ttl(subject, NAMES.tombstone(kept.session.sid)) == pytest.approx(record, abs=2)
    await subject.store.end_user("ann", keep=None, end_id="e2", reason=Reason.ADMIN, initiator="n1")
    assert ttl(subject, NAMES.tombstone(other.session.sid)) == pytest.approx(record, abs=2)


async def test_no_end_of_everything_is_ever_forgotten(subject: RedisSubject) -> None:
    await subject.store.end_shard(0, end_id="e1", reason=Reason.ADMIN, initiator="n1")
    assert ttl(subject, NAMES.epoch) == -1


async def test_a_late_save_does_not_shorten_the_life_of_younger_neighbours(
    subject: RedisSubject,
) -> None:
    old = await created(subject, created_at=subject.now() - ABSOLUTE + 60)
    await created(subject)
    await subject.store.save(old.session, based_on=1, operation=new_id())
    assert ttl(subject, NAMES.index("ann")) > ABSOLUTE


async def test_a_record_that_expired_is_missing_and_stays_so(subject: RedisSubject) -> None:
    stored = await created(subject)
    sid = stored.session.sid
    subject.raw.pexpire(NAMES.session(sid), 0)
    assert await subject.store.load(sid) == Missing()
    saved = await subject.store.save(
        stored.session, based_on=1, operation=new_id(), event=TokenRotated(sid, 2)
    )
    assert saved == Missing()
    assert await subject.store.load(sid) == Missing()
    assert TokenRotated(sid, 2) not in subject.events()


async def test_the_list_prunes_what_has_no_record_and_nothing_else(subject: RedisSubject) -> None:
    kept, gone = [await created(subject) for _ in range(2)]
    lapsed = await created(subject, last_active_at=subject.now() - 1801)
    subject.raw.delete(NAMES.session(gone.session.sid))
    assert subject.raw.zcard(NAMES.index("ann")) == 3
    assert await listed(subject) == {kept.session.sid}
    left = subject.raw.zrange(NAMES.index("ann"), 0, -1)
    assert left == [lapsed.session.sid.encode(), kept.session.sid.encode()]


async def test_no_write_shortens_the_life_of_the_index(subject: RedisSubject) -> None:
    stored = await created(subject)
    before = ttl(subject, NAMES.index("ann"))
    subject.shorten(timedelta(minutes=5))
    await created(subject)
    await subject.store.save(stored.session, based_on=1, operation=new_id())
    assert ttl(subject, NAMES.index("ann")) > before - 60


async def test_index_entries_go_with_their_sessions(subject: RedisSubject) -> None:
    one, two, three = [await created(subject) for _ in range(3)]
    await end(subject, one.session.sid)
    assert subject.raw.zcard(NAMES.index("ann")) == 2
    await subject.store.end_user(
        "ann", keep=two.session.sid, end_id="e2", reason=Reason.ADMIN, initiator="n1"
    )
    assert subject.raw.zrange(NAMES.index("ann"), 0, -1) == [two.session.sid.encode()]
    await end(subject, two.session.sid, "e3")
    assert not subject.raw.exists(NAMES.index("ann"))
    assert isinstance(await subject.store.load(three.session.sid), Tombstone)


@pytest.mark.parametrize("garbage", [b"", b"\n", b"garbage", b"2 op \n", b"x y z\n\x00\xff"])
async def test_a_spoilt_record_opens_nothing_and_can_be_ended(
    subject: RedisSubject, garbage: bytes
) -> None:
    stored, other = await created(subject), await created(subject)
    sid = stored.session.sid
    subject.raw.set(NAMES.session(sid), garbage)
    assert await subject.store.load(sid) == Unreadable()
    saved = await subject.store.save(stored.session, based_on=1, operation=new_id())
    assert not isinstance(saved, Saved)
    assert await listed(subject) == {other.session.sid}
    await end(subject, sid)
    assert not isinstance(await subject.store.load(sid), Stored)
    assert not subject.raw.exists(NAMES.session(sid))


async def test_a_spoilt_record_does_not_stop_the_others(subject: RedisSubject) -> None:
    spoilt = [await created(subject) for _ in range(2)]
    for each in spoilt:
        subject.raw.set(NAMES.session(each.session.sid), b"garbage")
    fine = [await created(subject) for _ in range(3)]
    assert await listed(subject) == {each.session.sid for each in fine}
    await subject.store.end_shard(0, end_id="e1", reason=Reason.ADMIN, initiator="n1")
    assert await subject.store.sweep_shard(0) == 5
    for each in [*spoilt, *fine]:
        assert isinstance(await subject.store.load(each.session.sid), Tombstone)
