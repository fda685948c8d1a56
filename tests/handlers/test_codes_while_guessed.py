"""Signing in with a second factor while somebody guesses the account's password."""

from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from server.services import Services
from tests.support.clients.browser import Browser, json_of, problem_of
from tests.support.clients.client import PASSWORD
from tests.support.clients.factors import add_app
from tests.support.clients.guessing import ELSEWHERE, fail, log_in, proxied, waits

NEW_PLACE = "192.0.2.77"
HOME = "127.0.0.1"
"""Where she signed up from."""
SECOND_FACTOR = "/api/login/second-factor"

pytestmark = [proxied, pytest.mark.gen_test]


async def challenge_at(browser: Browser, place: str) -> str:
    """Prove the password there."""
    problem: dict[str, Any] = json_of(await log_in(browser, "ada", PASSWORD, at=place))
    assert problem["type"] == "/problems/second-factor-required", problem
    return str(problem["challenge"])


async def prove(browser: Browser, challenge: str, code: str, place: str) -> HTTPResponse:
    """Send the code from there."""
    body = {"challenge": challenge, "code": code}
    return await browser.send("POST", SECOND_FACTOR, body, keep=False, X_Forwarded_For=place)


async def fail_up_to(
    browser: Browser, wait: int, travel: Callable[[float], None], *, at: str = ""
) -> None:
    """Guess passwords of hers as fast as it is allowed, until the next one must wait so long."""
    await fail(browser, "ada", 10, at=at)
    told = 1
    while told < wait:
        travel(told)
        await fail(browser, "ada", 1, at=at)
        answer = await log_in(browser, "ada", PASSWORD, at=at or ELSEWHERE)
        told = int(answer.headers["Retry-After"])


@pytest.mark.proves("A62", "6.1.1")
@pytest.mark.parametrize("place", [NEW_PLACE, HOME])
async def test_who_has_waited_for_the_password_does_not_wait_again_for_the_code(
    browser: Browser,
    new_browser: Callable[[], Browser],
    services: Services,
    travel: Callable[[float], None],
    place: str,
) -> None:
    await browser.sign_up("ada")
    app, _ = await add_app(browser, services.clock.now)
    stranger, ada = new_browser(), new_browser()
    await fail_up_to(stranger, 512, travel, at=HOME if place == HOME else "")
    travel(512)
    challenge = await challenge_at(ada, place)
    assert (await log_in(stranger, "ada", at=place)).code == 401  # takes the turn at once
    waits(await log_in(stranger, "ada", PASSWORD, at=place), 900)
    travel(20)
    signed_in = await prove(ada, challenge, app.code(), place)
    assert signed_in.code == 200, signed_in.body
    assert (await log_in(ada, "ada", at=place)).code == 401  # and all failures are pardoned


@pytest.mark.proves("A62")
async def test_a_right_password_that_is_not_enough_delays_nobody(
    browser: Browser,
    new_browser: Callable[[], Browser],
    services: Services,
    travel: Callable[[float], None],
) -> None:
    await browser.sign_up("ada")
    await add_app(browser, services.clock.now)
    await fail_up_to(new_browser(), 64, travel)
    travel(64)
    for _ in range(5):
        await challenge_at(browser, NEW_PLACE)


@pytest.mark.proves("A60", "A62", "6.3.1")
async def test_wrong_codes_count_at_their_address_and_do_not_delay_the_password(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    await browser.sign_up("ada")
    await add_app(browser, services.clock.now)
    thief, ada = new_browser(), new_browser()
    challenge = await challenge_at(thief, ELSEWHERE)
    for _ in range(20):
        wrong = await prove(thief, challenge, "abcd-efgh-jkmn-pqrs-tuvw-xyz2", ELSEWHERE)
        assert (wrong.code, problem_of(wrong)) == (401, "wrong-second-factor")
    waits(await prove(thief, challenge, "123456", ELSEWHERE), 60)
    await challenge_at(ada, NEW_PLACE)
    assert (await log_in(ada, "ada", at=NEW_PLACE)).code == 401
