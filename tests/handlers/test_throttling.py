"""Guessing is slowed down: told alike to everybody, before anything is looked at."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from server.core.throttling import CEILING, LONGEST_DELAY
from server.services import Services
from tests.support.clients.browser import Browser, lasting_headers, problem_of
from tests.support.clients.client import PASSWORD
from tests.support.clients.guessing import (
    ELSEWHERE,
    HOME,
    WRONG,
    credentials,
    fail,
    log_in,
    proxied,
    waits,
)
from tests.support.engine.hashing import hasher_of, no_place


@pytest.fixture
def no_hashing(services: Services) -> AbstractContextManager[None]:
    """Takes all places of the hashing threads; whatever needs one is then told `busy`."""
    return no_place(hasher_of(services))


@proxied
@pytest.mark.gen_test
@pytest.mark.proves("A59", "A64", "6.3.8")
async def test_right_wrong_unknown_and_disabled_are_throttled_alike_to_the_byte_and_unhashed(
    browser: Browser, services: Services, no_hashing: AbstractContextManager[None]
) -> None:
    names = ["anna", "berta", "nobody-here", "no name at all\n"]
    for name in names[:2]:
        await browser.send("POST", "/api/signup", credentials(name, PASSWORD))
    await services.accounts.set_disabled("berta", disabled=True)
    for name in names:
        await fail(browser, name, 10)
    with no_hashing:
        answers = [
            await log_in(browser, name, password)
            for name in names
            for password in (PASSWORD, WRONG)
        ]
    for answer in answers:
        waits(answer, 1)
    seen = {(each.body, lasting_headers(each)) for each in answers}
    assert len(seen) == 1


@proxied
@pytest.mark.gen_test
@pytest.mark.proves("A59", "6.1.1", "6.3.1")
async def test_the_wait_doubles_up_to_a_longest_and_a_success_begins_anew(
    browser: Browser, travel: Callable[[float], None]
) -> None:
    await browser.send("POST", "/api/signup", credentials("anna", PASSWORD))
    await fail(browser, "anna", 10)
    for wait in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900):
        waits(await log_in(browser, "anna", PASSWORD), wait)
        travel(wait)
        await fail(browser, "anna", 1)
    waits(await log_in(browser, "anna", PASSWORD), 900)
    travel(900)
    assert (await log_in(browser, "anna", PASSWORD, at=HOME)).code == 200
    await fail(browser, "anna", 10)


@proxied
@pytest.mark.gen_test(timeout=30)
@pytest.mark.proves("A59", "A62")
async def test_after_a_hundred_failures_in_a_row_there_is_one_try_an_hour_and_no_lock(
    browser: Browser, travel: Callable[[float], None]
) -> None:
    await browser.send("POST", "/api/signup", credentials("anna", PASSWORD))
    tries, wait = 0, 0
    while wait <= LONGEST_DELAY.total_seconds():
        travel(wait)
        answer = await log_in(browser, "anna", at=f"203.0.113.{tries}")
        wait = int(answer.headers.get("Retry-After", 0))
        tries += answer.code == 401
    assert tries == CEILING.tries
    waits(await log_in(browser, "anna", PASSWORD), int(CEILING.delay.total_seconds()))
    travel(wait)
    assert (await log_in(browser, "anna", PASSWORD)).code == 200


@proxied
@pytest.mark.gen_test
@pytest.mark.proves("A62", "6.1.1", "6.3.1")
async def test_a_stranger_delays_neither_the_session_nor_the_home_of_a_victim(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    await browser.send("POST", "/api/signup", credentials("anna", PASSWORD))
    at_home = await log_in(browser, "anna", PASSWORD, at=HOME)
    assert at_home.code == 200
    await browser.sign_in("anna")
    stranger = new_browser()
    await fail(stranger, "anna", 10)
    waits(await log_in(stranger, "anna", PASSWORD), 1)
    assert (await log_in(new_browser(), "anna", PASSWORD, at=HOME)).code == 200
    assert await browser.is_live()
    proved = await browser.send(
        "POST", "/api/session/reauthenticate", {"password": PASSWORD}, X_Forwarded_For=ELSEWHERE
    )
    assert proved.code == 200


@proxied
@pytest.mark.gen_test
@pytest.mark.proves("A60")
async def test_one_address_sprays_20_accounts_and_then_one_a_minute(
    browser: Browser, travel: Callable[[float], None]
) -> None:
    await browser.send("POST", "/api/signup", credentials("anna", PASSWORD))
    for number in range(20):
        await fail(browser, f"somebody-{number}", 1, at=ELSEWHERE)
    waits(await log_in(browser, "anna", PASSWORD), 60)
    waits(await log_in(browser, "somebody-new"), 60)
    assert (await log_in(browser, "anna", PASSWORD, at=HOME)).code == 200
    travel(60)
    await fail(browser, "somebody-else", 1, at=ELSEWHERE)
    waits(await log_in(browser, "somebody-else"), 60)


@proxied
@pytest.mark.gen_test
async def test_an_account_of_ones_own_does_not_wipe_the_slate_of_an_address(
    browser: Browser,
) -> None:
    await browser.send("POST", "/api/signup", credentials("mallory", PASSWORD))
    for number in range(20):
        await fail(browser, f"somebody-{number}", 1, at=ELSEWHERE)
        if number < 19:
            assert (await log_in(browser, "mallory", PASSWORD)).code == 200
    waits(await log_in(browser, "anna"), 60)


@pytest.mark.gen_test
async def test_successes_are_never_throttled(browser: Browser) -> None:
    await browser.send("POST", "/api/signup", credentials("anna", PASSWORD))
    for _ in range(25):
        assert (await log_in(browser, "anna", PASSWORD)).code == 200
    for number in range(25):
        made = await browser.send("POST", "/api/signup", credentials(f"person-{number}", PASSWORD))
        assert made.code == 201


@pytest.mark.gen_test
async def test_an_overload_is_no_failure(
    browser: Browser, no_hashing: AbstractContextManager[None]
) -> None:
    await browser.send("POST", "/api/signup", credentials("anna", PASSWORD))
    with no_hashing:
        for _ in range(15):
            assert problem_of(await log_in(browser, "anna", PASSWORD)) == "busy"
    assert (await log_in(browser, "anna", PASSWORD)).code == 200
