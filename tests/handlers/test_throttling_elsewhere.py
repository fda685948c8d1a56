"""Guessing where nobody signs in: proofs, sign-up, pages; and what is remembered of all of it."""

import logging
from collections.abc import Callable

import pytest

from tests.support.clients.browser import Browser, json_of, page_of, problem_of
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
    audited = [each for each in caplog.records if each.name == "curfew.audit"]
    lines = [each for each in audited if each.getMessage().startswith(("authn", "user"))]
    told = [(vars(each)["event"], vars(each).get("user")) for each in lines]
    assert told == [
        ("user_created", "anna"),
        ("authn_login_fail", "anna"),
        *[("authn_login_fail", None)] * 10,
        ("authn_login_fail_max", None),
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
