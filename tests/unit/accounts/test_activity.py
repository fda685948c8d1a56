"""The recorder of recent activity: nobody waits for it, and what it drops it counts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from server.accounts import activity
from server.accounts.activity import MAX_WAITING, ActivityRecorder
from server.core.account import Account
from server.core.activity import ActivityEntry
from server.core.audit import AuditEvent
from server.core.errors import StoreUnavailable
from server.core.log_rate_limit import TELL_EVERY
from server.services import Services
from tests.support.servers.valkey import ValkeyServer

Dropped = Callable[[], list[int]]


@pytest.fixture
def store_url(own_valkey: ValkeyServer) -> str:
    """The address of the test's own Valkey."""
    return own_valkey.url


@pytest.fixture
def monotonic() -> list[float]:
    """The moment on the idle recorder's clock."""
    return [1000.0]


@pytest.fixture
def idle(services: Services, monotonic: list[float]) -> ActivityRecorder:
    """A second recorder of the same store, which does not run yet."""
    first = services.activity
    context = replace(first._context, monotonic=lambda: monotonic[0])
    return ActivityRecorder(first._store, services.accounts, context)


@pytest.fixture
def dropped(caplog: pytest.LogCaptureFixture) -> Dropped:
    """Tells how many entries each warning counts."""
    return lambda: [
        vars(each)["count"] for each in caplog.records if each.name == "curfew.activity"
    ]


@asynccontextmanager
async def running(recorder: ActivityRecorder) -> AsyncIterator[None]:
    """Let a recorder write until nothing waits."""
    task = asyncio.create_task(recorder.run())
    yield
    await recorder._nothing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def changed(ip: str, at: float = 1.0) -> ActivityEntry:
    """A changed password."""
    return ActivityEntry(AuditEvent.PASSWORD_CHANGED, at, at, ip=ip)


async def test_what_is_recorded_is_listed_with_the_newest_first(
    services: Services, ada: Account
) -> None:
    entries = [changed(f"192.0.2.{number}", at=float(number)) for number in range(3)]
    for each in entries:
        services.activity.record(ada.user, each)
    await services.activity.finish()
    assert list(await services.activity.of(ada.user)) == entries[::-1]


async def test_an_entry_waits_for_the_answer_that_goes_out_meanwhile(
    services: Services, ada: Account
) -> None:
    services.activity.record(ada.user, changed("192.0.2.1", at=1.0))
    for _ in range(3):  # an answer that needs the store takes turns like these
        await services.accounts.find(ada.user)
    services.activity.record(ada.user, changed("192.0.2.2", at=2.0))
    await services.activity.finish()
    kept = await services.activity._store.load(ada.user)
    assert [each.ip for each in kept.entries] == ["192.0.2.2", "192.0.2.1"]
    assert kept.revision == 1  # both in one write, after it


async def test_a_name_without_an_account_leaves_nothing_and_is_no_loss(
    services: Services, dropped: Dropped
) -> None:
    services.activity.record("nobody", changed("192.0.2.1"))
    await services.activity.finish()
    assert list(await services.activity.of("nobody")) == []
    assert dropped() == []


async def test_two_nodes_that_write_at_once_lose_nothing(
    services: Services, idle: ActivityRecorder, ada: Account
) -> None:
    addresses = [f"192.0.2.{number}" for number in range(20)]
    async with running(idle):
        for one, other in zip(addresses[::2], addresses[1::2], strict=True):
            services.activity.record(ada.user, changed(one))
            idle.record(ada.user, changed(other))
            await asyncio.gather(services.activity.finish(), idle.finish())
    assert {each.ip for each in await idle.of(ada.user)} == set(addresses)


async def test_only_so_many_names_wait_and_one_that_waits_takes_more(
    idle: ActivityRecorder, ada: Account, dropped: Dropped
) -> None:
    for name in [ada.user, *(f"name-{number}" for number in range(MAX_WAITING - 1))]:
        idle.record(name, changed("192.0.2.1"))
    assert dropped() == []
    idle.record("one-more", changed("192.0.2.1"))
    idle.record(ada.user, changed("192.0.2.2"))
    assert dropped() == [1]
    async with running(idle):
        pass
    assert [each.ip for each in await idle.of(ada.user)] == ["192.0.2.2", "192.0.2.1"]


async def test_what_is_dropped_is_told_of_once_in_a_while_and_in_full(
    idle: ActivityRecorder, monotonic: list[float], dropped: Dropped
) -> None:
    for number in range(MAX_WAITING + 5):
        idle.record(f"name-{number}", changed("192.0.2.1"))
    assert dropped() == [1]
    monotonic[0] += TELL_EVERY
    idle.record("one-more", changed("192.0.2.1"))
    assert dropped() == [1, 5]


async def test_who_stops_waits_for_the_last_entries_but_not_long(
    idle: ActivityRecorder, dropped: Dropped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "LAST_WRITES", 0.01)
    idle.record("ada", changed("192.0.2.1"))
    idle.record("ada", changed("192.0.2.2"))
    await idle.finish()
    assert sum(dropped()) == 2


async def test_without_the_store_entries_are_counted_as_lost_and_later_ones_are_kept(
    idle: ActivityRecorder, ada: Account, own_valkey: ValkeyServer, dropped: Dropped
) -> None:
    own_valkey.kill()
    async with running(idle):
        idle.record(ada.user, changed("192.0.2.1"))
        idle.record(ada.user, changed("192.0.2.2"))
        await idle._nothing.wait()
        with pytest.raises(StoreUnavailable):
            await idle.of(ada.user)
        own_valkey.start()
        idle.record(ada.user, changed("192.0.2.3"))
    assert [each.ip for each in await idle.of(ada.user)] == ["192.0.2.3"]
    assert dropped() == [2]
