"""Recent activity: kept in the background, sealed, bounded, and shown to the account's owner."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from server.core.activity import MAX_ENTRIES, MAX_FAILURES, ActivityEntry
from server.core.audit import AuditEvent
from server.services import Services
from server.store.names import ShardNames
from tests.support.clients.browser import Browser, json_of, page_of
from tests.support.servers.valkey import ValkeyServer

KEY = ShardNames(0).activity("anna")
MARKUP = "<img src=x onerror=alert(1)> Chrome/1.0"


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    """A Valkey for the test alone, which may be killed."""
    with ValkeyServer() as own:
        yield own


@pytest.fixture
def store_url(own_valkey: ValkeyServer) -> str:
    """Where the application's store is."""
    return own_valkey.url


@pytest.fixture
def stored(own_valkey: ValkeyServer) -> Iterator[redis.Redis]:
    with own_valkey.client() as client:
        yield client


async def listed(browser: Browser, services: Services) -> list[dict[str, Any]]:
    """The list, when everything so far is written."""
    await services.activity.finish()
    entries: list[dict[str, Any]] = json_of(await browser.send("GET", "/api/activity"))["activity"]
    return entries


@pytest.mark.gen_test(timeout=30)
@pytest.mark.proves("6.3.5")
async def test_what_happened_is_listed_with_device_address_and_reason(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    await browser.sign_up("anna")
    other = new_browser()
    await other.sign_in("anna")
    await other.send("POST", "/api/logout", User_Agent="Mozilla/5.0 Firefox/140.0")
    newest = (await listed(browser, services))[0]
    at = newest.pop("at")
    assert abs(at - services.clock.now()) < 5
    assert newest == {
        "event": "session_expired",
        "detail": "logout",
        "since": at,
        "count": 1,
        "device": "Firefox",
        "ip": "127.0.0.1",
        "administrator": False,
    }


@pytest.mark.gen_test(timeout=30)
async def test_nobody_sees_the_activity_of_another_account(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    await browser.sign_up("anna")
    other = new_browser()
    await other.sign_up("berta")
    await browser.send("POST", "/api/logout")
    assert "session_expired" not in {each["event"] for each in await listed(other, services)}
    assert (await new_browser().send("GET", "/api/activity")).code == 401


@pytest.mark.gen_test(timeout=30)
@pytest.mark.proves("A82", "3.2.2")
async def test_the_account_page_shows_it_as_text_in_the_readers_language(
    browser: Browser, services: Services
) -> None:
    await browser.sign_up("anna")
    failed = AuditEvent.LOGIN_FAIL
    for _ in range(3):
        services.audit.record(failed, user="anna", ip="192.0.2.1", device=MARKUP)
    await services.activity.finish()
    page = page_of(await browser.send("GET", "/account"))
    assert "Sign-in failed: wrong password" in page
    assert "3 times" in page
    assert "192.0.2.1" in page
    assert "<img" not in page
    german = page_of(await browser.send("GET", "/account", Accept_Language="de"))
    assert "Anmeldung fehlgeschlagen" in german


@pytest.mark.gen_test(timeout=30)
async def test_an_attack_is_added_up_and_leaves_the_rest_of_the_list(
    browser: Browser, services: Services
) -> None:
    await browser.sign_up("anna")
    services.audit.record(AuditEvent.PASSWORD_CHANGED, user="anna", ip="192.0.2.77")
    for number in range(1000):
        services.audit.record(AuditEvent.LOGIN_FAIL, user="anna", ip=f"10.0.{number}.1")
    entries = await listed(browser, services)
    failures = [each for each in entries if each["event"] == "authn_login_fail"]
    assert len(failures) <= MAX_FAILURES
    assert sum(each["count"] for each in failures) == 1000
    assert "192.0.2.77" in {each["ip"] for each in entries}
    assert len(entries) <= MAX_ENTRIES


@pytest.mark.gen_test(timeout=30)
async def test_names_without_an_account_leave_nothing(
    browser: Browser, services: Services, stored: redis.Redis
) -> None:
    await browser.sign_up("anna")
    await services.activity.finish()
    before = set(stored.keys())
    for number in range(300):
        services.audit.record(AuditEvent.LOGIN_FAIL, user=f"nobody-{number}")
    await services.activity.finish()
    assert set(stored.keys()) == before


@pytest.mark.gen_test(timeout=30)
async def test_it_lies_sealed_in_the_store_and_goes_by_itself(
    browser: Browser, services: Services, stored: redis.Redis
) -> None:
    await browser.sign_up("anna")
    services.audit.record(AuditEvent.LOGIN_FAIL, user="anna", ip="192.0.2.1", device="Peculiar")
    await services.activity.finish()
    value = stored.get(KEY)
    assert isinstance(value, bytes)
    assert b"192.0.2.1" not in value
    assert b"Peculiar" not in value
    assert 89 * 86_400 < int(stored.ttl(KEY)) <= 90 * 86_400


@pytest.mark.gen_test(timeout=30)
@pytest.mark.parametrize("garbage", [b"", b"x", b"9" * 5000 + b" op \nbox", b"7 op \n" + bytes(90)])
async def test_a_list_that_does_not_open_is_begun_anew(
    browser: Browser,
    services: Services,
    stored: redis.Redis,
    garbage: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "curfew.audit")
    await browser.sign_up("anna")
    await services.activity.finish()
    stored.set(KEY, garbage)
    assert await listed(browser, services) == []
    told = [vars(each) for each in caplog.records if each.name == "curfew.audit"]
    event = {"event": "crypt_decrypt_fail", "what": "activity", "user": "anna"}
    assert any(event.items() <= each.items() for each in told)
    services.audit.record(AuditEvent.PASSWORD_CHANGED, user="anna")
    assert [each["event"] for each in await listed(browser, services)] == ["authn_password_change"]


@pytest.mark.gen_test(timeout=30)
async def test_another_accounts_list_does_not_open_in_ones_own_place(
    browser: Browser, new_browser: Callable[[], Browser], services: Services, stored: redis.Redis
) -> None:
    other = new_browser()
    await other.sign_up("berta")
    services.audit.record(AuditEvent.PASSWORD_CHANGED, user="berta")
    await browser.sign_up("anna")
    await services.activity.finish()
    stored.set(KEY, stored.get(ShardNames(0).activity("berta")) or b"")
    assert await listed(browser, services) == []


@pytest.mark.gen_test(timeout=30)
async def test_the_account_page_is_there_also_where_the_list_cannot_be_read(
    browser: Browser, stored: redis.Redis
) -> None:
    await browser.sign_up("anna")
    stored.delete(KEY)
    stored.lpush(KEY, "not a string")
    assert (await browser.send("GET", "/account")).code == 200
    assert (await browser.send("GET", "/api/activity")).code == 503


@pytest.mark.gen_test(timeout=60)
async def test_an_outage_delays_nothing_and_what_is_dropped_is_counted(
    browser: Browser,
    services: Services,
    own_valkey: ValkeyServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await browser.sign_up("anna")
    await services.activity.finish()
    own_valkey.kill()
    started = time.monotonic()
    for number in range(5000):
        services.audit.record(AuditEvent.LOGIN_FAIL, user=f"name-{number}")
    assert time.monotonic() - started < 2
    assert len(services.activity._waiting) <= 1000
    async with asyncio.timeout(20):
        while services.activity._waiting:  # noqa: ASYNC110 - nothing tells of what was dropped
            await asyncio.sleep(0.02)
    await services.activity.finish()
    told = [each for each in caplog.records if each.name == "curfew.activity"]
    assert sum(each.__dict__["count"] for each in told) == 5000
    assert len(told) <= 5
    own_valkey.start()


@pytest.mark.gen_test(timeout=30)
async def test_two_writers_at_once_lose_nothing(browser: Browser, services: Services) -> None:
    await browser.sign_up("anna")
    keeper = services.activity
    entries = [entry_of(f"192.0.2.{number}") for number in range(12)]
    await asyncio.gather(*(keeper._saved("anna", [each]) for each in entries[:6]))
    await asyncio.gather(*(keeper._saved("anna", [each]) for each in entries[6:]))
    addresses = {each["ip"] for each in await listed(browser, services)}
    assert {each.ip for each in entries} <= addresses


def entry_of(ip: str) -> ActivityEntry:
    """A changed password."""
    return ActivityEntry(AuditEvent.PASSWORD_CHANGED, 1.0, 1.0, ip=ip)
