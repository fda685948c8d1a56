"""Guessing is slowed down: told alike to everybody, before anything is looked at."""

import logging
from collections.abc import Callable, Iterator

import pytest
from tornado.httpclient import HTTPResponse

from server.accounts import StoredAccounts
from server.core.throttling import CEILING, LONGEST_DELAY
from server.services import Services
from tests.support.browser import Browser, json_of, page_of, problem_of
from tests.support.client import PASSWORD

WRONG = "eleven herons on the morning ferry"
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.1"

proxied = pytest.mark.parametrize("variables", [{"TRUSTED_PROXIES": "127.0.0.1"}])
"""Tests say where a request comes from, as a trusted proxy would."""


def credentials(username: str, password: str = WRONG) -> dict[str, str]:
    return {"username": username, "password": password}


async def log_in(
    browser: Browser, username: str, password: str = WRONG, *, at: str = ELSEWHERE
) -> HTTPResponse:
    """Try once, without keeping a cookie."""
    body = credentials(username, password)
    return await browser.send("POST", "/api/login", body, keep=False, X_Forwarded_For=at)


async def fail(browser: Browser, username: str, times: int, *, at: str = "") -> None:
    """Fail so often, each time from another address unless one is said."""
    for number in range(times):
        tried = await log_in(browser, username, at=at or f"203.0.113.{number}")
        assert (tried.code, problem_of(tried)) == (401, "wrong-credentials")


def waits(answer: HTTPResponse, seconds: int) -> None:
    """Check that the answer is to wait so long."""
    assert (answer.code, problem_of(answer)) == (429, "throttled")
    assert answer.headers["Retry-After"] == str(seconds)
    assert "Set-Cookie" not in answer.headers


@pytest.fixture
def no_hashing(services: Services) -> Iterator[Callable[[], None]]:
    """Takes all places of the hashing threads; whatever needs one is then told `busy`."""
    assert isinstance(services.accounts, StoredAccounts)
    places, taken = services.accounts._hasher._places, 0

    def take_all() -> None:
        nonlocal taken
        while places.acquire(blocking=False):
            taken += 1

    yield take_all
    for _ in range(taken):
        places.release()


@proxied
@pytest.mark.gen_test
@pytest.mark.proves("A59", "A64", "6.3.8")
async def test_right_wrong_unknown_and_disabled_are_throttled_alike_to_the_byte_and_unhashed(
    browser: Browser, services: Services, no_hashing: Callable[[], None]
) -> None:
    names = ["anna", "berta", "nobody-here", "no name at all\n"]
    for name in names[:2]:
        await browser.send("POST", "/api/signup", credentials(name, PASSWORD))
    await services.accounts.set_disabled("berta", disabled=True)
    for name in names:
        await fail(browser, name, 10)
    no_hashing()
    answers = [
        await log_in(browser, name, password) for name in names for password in (PASSWORD, WRONG)
    ]
    for answer in answers:
        waits(answer, 1)
    seen = {
        (each.body, tuple(pair for pair in each.headers.get_all() if pair[0] != "Date"))
        for each in answers
    }
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
    browser: Browser, services: Services, no_hashing: Callable[[], None]
) -> None:
    await browser.send("POST", "/api/signup", credentials("anna", PASSWORD))
    no_hashing()
    for _ in range(15):
        assert problem_of(await log_in(browser, "anna", PASSWORD)) == "busy"
    assert isinstance(services.accounts, StoredAccounts)
    services.accounts._hasher._places.release()
    assert (await log_in(browser, "anna", PASSWORD)).code == 200
    services.accounts._hasher._places.acquire()


@pytest.mark.gen_test
@pytest.mark.proves("A69")
@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/api/session/reauthenticate", {}, "password"),
        ("PUT", "/api/password", {"new_password": PASSWORD[::-1]}, "current_password"),
    ],
)
async def test_a_thief_with_a_cookie_guesses_as_slowly_and_delays_no_sign_in(
    browser: Browser,
    new_browser: Callable[[], Browser],
    travel: Callable[[float], None],
    method: str,
    path: str,
    body: dict[str, str],
    field: str,
) -> None:
    await browser.sign_up("anna")
    for _ in range(10):
        tried = await browser.send(method, path, body | {field: WRONG})
        assert (tried.code, problem_of(tried)) == (403, "wrong-password")
    waits(await browser.send(method, path, body | {field: PASSWORD}), 1)
    await new_browser().sign_in("anna")
    travel(1)
    assert (await browser.send(method, path, body | {field: PASSWORD})).code == 200


@proxied
@pytest.mark.gen_test
@pytest.mark.proves("A64")
async def test_asking_which_names_are_taken_is_slowed_down(browser: Browser) -> None:
    await browser.send("POST", "/api/signup", credentials("anna", PASSWORD))
    taken, free = credentials("anna", PASSWORD), credentials("berta", PASSWORD)
    for _ in range(20):
        refused = await browser.send("POST", "/api/signup", taken, X_Forwarded_For=ELSEWHERE)
        assert problem_of(refused) == "name-taken"
        bad = await browser.send("POST", "/api/signup", taken | {"password": "short"})
        assert problem_of(bad) == "bad-password"
    waits(await browser.send("POST", "/api/signup", taken, X_Forwarded_For=ELSEWHERE), 60)
    waits(await browser.send("POST", "/api/signup", free, X_Forwarded_For=ELSEWHERE), 60)
    assert (await browser.send("POST", "/api/signup", free, X_Forwarded_For=HOME)).code == 201


@pytest.mark.gen_test
async def test_the_pages_say_how_long_to_wait(
    browser: Browser, new_browser: Callable[[], Browser], travel: Callable[[float], None]
) -> None:
    await browser.sign_up("anna")
    wrong = {"password": WRONG, "csrf_token": browser.csrf_token}
    change = {"current_password": WRONG, "new_password": WRONG, "csrf_token": browser.csrf_token}
    visitor = new_browser()
    forms = [
        (visitor, "/login", credentials("anna")),
        (visitor, "/signup", credentials("anna", PASSWORD)),
        (browser, "/reauthenticate", wrong),
        (browser, "/account/password", change),
    ]
    for who, path, form in forms:
        for _ in range(20 if path == "/signup" else 10):
            answer = await who.send("POST", path, form=form)
            if answer.code == 429:  # both proofs share one counter
                break
        told = await who.send("POST", path, form=form)
        assert told.code == 429
        wait = int(told.headers["Retry-After"])
        unit = "second" if wait == 1 else "seconds"
        text = f"There were too many tries. Wait {wait} {unit}, then try again."
        assert text in page_of(told)
    travel(700)
    assert "Wait" not in page_of(await visitor.send("GET", "/login"))


@proxied
@pytest.mark.gen_test
@pytest.mark.proves("16.3.1")
async def test_the_log_names_accounts_and_never_what_was_typed_in_place_of_one(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "curfew.audit")
    await browser.send("POST", "/api/signup", credentials("anna", PASSWORD))
    await fail(browser, "anna", 1)
    await fail(browser, "hunter2.hunter2", 10)
    waits(await log_in(browser, "hunter2.hunter2"), 1)
    await browser.sign_in("anna")
    for password in (WRONG, PASSWORD):
        await browser.send("POST", "/api/session/reauthenticate", {"password": password})
        change = {"current_password": password, "new_password": PASSWORD[::-1]}
        await browser.send("PUT", "/api/password", change)
    lines = [each for each in caplog.records if each.name == "curfew.audit"]
    told = [(vars(each)["event"], vars(each).get("user")) for each in lines]
    assert told == [
        ("user_created", "anna"),
        ("authn_login_fail", "anna"),
        *[("authn_login_fail", None)] * 10,
        ("authn_login_throttled", None),
        ("authn_login_success", "anna"),
        ("authn_login_fail", "anna"),
        ("authn_password_change_fail", "anna"),
        ("authn_reauthenticated", "anna"),
        ("authn_password_change", "anna"),
    ]
    assert (vars(lines[12])["by"], vars(lines[12])["ip"]) == ("account", ELSEWHERE)
    everything = " ".join(str(vars(each)) for each in caplog.records)
    assert not any(each in everything for each in ("hunter2", WRONG, PASSWORD, PASSWORD[::-1]))


@pytest.mark.gen_test
async def test_outcomes_are_counted_without_names(browser: Browser) -> None:
    await browser.sign_up("anna")
    await browser.send("POST", "/api/signup", credentials("anna", PASSWORD))
    for _ in range(11):
        await log_in(browser, "anna")
    text = (await browser.send("GET", "/metrics")).body.decode()
    counted = {
        (line.split('act="')[1].split('"')[0], line.split('outcome="')[1].split('"')[0]): line
        for line in text.splitlines()
        if line.startswith("curfew_tries_total{")
    }
    numbers = {key: float(line.rpartition(" ")[2]) for key, line in counted.items()}
    assert numbers == {
        ("sign_up", "succeeded"): 1,
        ("sign_up", "failed"): 1,
        ("sign_in", "succeeded"): 1,
        ("sign_in", "failed"): 10,
        ("sign_in", "throttled"): 1,
    }
    assert json_of(await browser.send("GET", "/api/session"))["session"]["user"] == "anna"
