"""The number of live sessions follows every write, without a look at all keys."""

import asyncio

import pytest
import redis
from redis.asyncio import Redis

from server.core.durations import milliseconds
from server.core.reasons import Reason
from server.store.live_sessions import LiveSessions
from server.store.names import ShardNames
from server.store.scripts import FOLDER, Scripts
from server.store.sessions import RECORD_KEPT_AFTER_EXPIRY

HOUR_MS = 3600 * 1000
NAMES = ShardNames(0)


@pytest.fixture
def live(scripts: Scripts) -> LiveSessions:
    return LiveSessions(scripts, 1)


async def create(
    scripts: Scripts,
    sid: str,
    ttl_ms: int = 2 * HOUR_MS,
    limit: int = 9,
    user: str = "ada",
    epoch: str = "",
) -> None:
    """Create a session, of Ada's by default."""
    keys = [NAMES.session(sid), NAMES.tombstone(sid), NAMES.epoch]
    keys += [NAMES.index(user), NAMES.user_epoch(user), NAMES.control]
    now = 2_000_000_000
    reply = await scripts.run(
        "create",
        keys,
        [f"op-{sid}", sid, f"1 op-{sid} {epoch}\nsealed", ttl_ms, now, epoch, "", limit,
         NAMES.prefix, "evicted", HOUR_MS, 3 * HOUR_MS, 2, "a", "b", "c", "d"],
    )  # fmt: skip
    assert reply[0] == b"created"


async def end(scripts: Scripts, sid: str) -> None:
    """End it."""
    keys = [NAMES.session(sid), NAMES.tombstone(sid), NAMES.epoch]
    keys += [NAMES.index("ada"), NAMES.control, NAMES.nodes, NAMES.renewals]
    await scripts.run("end_session", keys, ["end", sid, Reason.LOGOUT.value, HOUR_MS, "a", "b"])


async def end_adas(scripts: Scripts) -> None:
    """End all of Ada's."""
    keys = [NAMES.index("ada"), NAMES.user_epoch("ada"), NAMES.control, NAMES.nodes]
    keys += [NAMES.completed_end("all"), NAMES.epoch, NAMES.renewals]
    args: list[str | int] = ["all", "logout", "", HOUR_MS, NAMES.prefix, HOUR_MS, "a", "b"]
    await scripts.run("end_user", keys, args)


async def end_everything(scripts: Scripts) -> None:
    """End all sessions of the shard; its epoch is `e` then."""
    keys = [NAMES.epoch, NAMES.control, NAMES.nodes, NAMES.completed_end("e"), NAMES.renewals]
    await scripts.run("end_shard", keys, ["e", "admin", HOUR_MS, "a", "b"])


async def test_a_session_counts_once_from_its_creation_to_its_end(
    scripts: Scripts, live: LiveSessions
) -> None:
    assert await live.count() == 0
    await create(scripts, "one")
    await create(scripts, "two")
    await create(scripts, "two")  # the reply was lost
    assert await live.count() == 2
    keys = [NAMES.epoch, NAMES.control]
    keys += [NAMES.session("one"), NAMES.tombstone("one"), NAMES.index("ada")]
    write: list[str | int] = ["op-2", 1, "2 op-2 \n", 3 * HOUR_MS, 2_000_000_000, "one", 0]
    assert await scripts.run("save", keys, [HOUR_MS, *write]) == [[b"saved"]]
    assert await live.count() == 2
    await end(scripts, "one")
    await end(scripts, "one")
    assert await live.count() == 1


async def test_sessions_that_are_evicted_or_end_with_their_user_do_not_count(
    scripts: Scripts, live: LiveSessions
) -> None:
    for sid in ("one", "two", "three"):
        await create(scripts, sid, limit=2)
    assert await live.count() == 2
    await end_adas(scripts)
    assert await live.count() == 0


async def test_a_session_that_expired_does_not_count(scripts: Scripts, live: LiveSessions) -> None:
    await create(scripts, "over", ttl_ms=HOUR_MS - 1000)
    await create(scripts, "living")
    assert await live.count() == 1


async def test_an_end_of_everything_begins_at_zero(scripts: Scripts, live: LiveSessions) -> None:
    await create(scripts, "one")
    await end_everything(scripts)
    assert await live.count() == 0


@pytest.mark.parametrize("ends_all_of_user", [False, True])
async def test_what_ended_with_everything_is_not_taken_off_twice(
    scripts: Scripts,
    live: LiveSessions,
    ends_all_of_user: bool,  # noqa: FBT001
) -> None:
    await create(scripts, "one")
    await end_everything(scripts)
    await create(scripts, "other", user="bob", epoch="e")
    await (end_adas(scripts) if ends_all_of_user else end(scripts, "one"))
    assert await live.count() == 1


async def test_sessions_of_people_who_are_remembered_for_weeks_count(
    scripts: Scripts, live: LiveSessions
) -> None:
    await create(scripts, "one", ttl_ms=30 * 24 * HOUR_MS)
    assert await live.count() == 1


async def test_the_scripts_know_how_long_a_record_is_kept_after_its_session(
    raw: redis.Redis,
) -> None:
    source = (FOLDER / "parts/live.lua").read_text()
    kept_ms = raw.eval(f"{source}\nreturn HOUR", 1, NAMES.epoch)
    assert kept_ms == milliseconds(RECORD_KEPT_AFTER_EXPIRY)


async def test_minutes_that_are_over_are_forgotten(live: LiveSessions, raw: redis.Redis) -> None:
    raw.zadd(f"{NAMES.prefix}live:", {"29000000": 7, "99000000": 2})
    assert await live.count() == 2
    assert raw.zrange(f"{NAMES.prefix}live:", 0, -1) == [b"99000000"]


async def test_the_counts_are_few_keys_that_expire_by_themselves(
    scripts: Scripts, raw: redis.Redis
) -> None:
    for number in range(20):
        await create(scripts, f"one-{number}", limit=100)
    keys = list(raw.scan_iter(f"{NAMES.prefix}live:*"))
    assert 1 <= len(keys) <= 2, "a minute has one"
    for key in keys:
        left = raw.pttl(key)
        assert isinstance(left, int)
        assert 0 < left <= HOUR_MS + 60_000


async def test_sessions_of_all_minutes_are_counted(scripts: Scripts) -> None:
    live = LiveSessions(scripts, 1)
    for number in range(30):
        await create(scripts, f"one-{number}", ttl_ms=HOUR_MS * (number + 2), limit=100)
    assert await live.count() == 30


async def test_an_outage_keeps_the_last_number(gone: Redis) -> None:
    told: list[int] = []
    running = asyncio.create_task(LiveSessions(Scripts(gone), 1).run(told.append))
    await asyncio.sleep(0.05)
    assert not running.done()
    assert told == []
    running.cancel()
