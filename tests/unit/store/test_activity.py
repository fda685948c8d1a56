from datetime import timedelta
from typing import Final

import pytest
import redis
from redis.asyncio import Redis

from server.core.activity import ActivityEntry
from server.core.audit import AuditEvent
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.activity import ActivityStore, StoredActivity, content_of, entries_from
from server.store.names import ShardNames
from server.store.scripts import Scripts
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import Unreadable

KEY_NAME: Final = ShardNames(0).activity("ann")
NEWER: Final = ActivityEntry(AuditEvent.LOGIN_SUCCESS, at=2.0, since=1.0, ip="192.0.2.1")
OLDER: Final = ActivityEntry(AuditEvent.PASSWORD_CHANGED, at=1.0, since=1.0, device="a browser")


@pytest.fixture
def unreadable() -> Unreadable:
    return Unreadable()


@pytest.fixture
def activity(client: Redis, scripts: Scripts, unreadable: Unreadable) -> ActivityStore:
    sealer = Sealer(Keyring.from_secrets([KEY]))
    return ActivityStore(client, scripts, sealer, 1, unreadable)


async def test_a_list_comes_back_in_its_order(activity: ActivityStore) -> None:
    assert await activity.load("ann") == StoredActivity()
    assert await activity.save("ann", [NEWER, OLDER], based_on=0, operation="o")
    assert await activity.load("ann") == StoredActivity((NEWER, OLDER), 1)


async def test_the_second_of_two_writers_does_not_overwrite_the_first(
    activity: ActivityStore,
) -> None:
    assert await activity.save("ann", [NEWER], based_on=0, operation="first")
    assert not await activity.save("ann", [OLDER], based_on=0, operation="second")


async def test_a_list_is_kept_for_90_days_after_its_latest_entry(
    activity: ActivityStore, raw: redis.Redis
) -> None:
    await activity.save("ann", [OLDER], based_on=0, operation="a")
    raw.pexpire(KEY_NAME, 1_000)
    await activity.save("ann", [NEWER, OLDER], based_on=1, operation="b")
    left_ms = raw.pttl(KEY_NAME)
    assert isinstance(left_ms, int)
    assert timedelta(days=89, hours=23) < timedelta(milliseconds=left_ms) <= timedelta(days=90)


@pytest.mark.parametrize("garbage", [b"3 op \nno box", b"3 op x y \nno box", b"no header", b""])
async def test_a_list_that_does_not_open_is_reported_and_begun_anew(
    activity: ActivityStore, unreadable: Unreadable, raw: redis.Redis, garbage: bytes
) -> None:
    raw.set(KEY_NAME, garbage)
    found = await activity.load("ann")
    assert found.entries == ()
    assert unreadable.users == ["ann"]
    assert await activity.save("ann", [NEWER], based_on=found.revision, operation="o")
    assert (await activity.load("ann")).entries == (NEWER,)


def test_an_event_that_only_a_newer_version_knows_is_left_out() -> None:
    content = content_of([NEWER, OLDER])
    assert entries_from(content) == (NEWER, OLDER)
    assert isinstance(content["entries"], list)
    first = content["entries"][0]
    assert isinstance(first, dict)
    first["event"] = "authn_by_thought"
    assert entries_from(content) == (OLDER,)
