"""What administrators do to other people's sessions and accounts."""

from collections.abc import Callable

import pytest

from server.services import Services
from tests.support.clients.browser import Browser, json_of, problem_of
from tests.support.clients.client import PASSWORD


async def sign_in_as_admin(browser: Browser, services: Services) -> None:
    """Sign in as an administrator."""
    await services.accounts.create("root", PASSWORD, admin=True)
    await browser.sign_in("root")


async def reason_of_the_end(browser: Browser) -> str:
    """Return what the browser's dead session is said to have ended for."""
    return str(json_of(await browser.send("GET", "/api/session"))["reason"])


@pytest.mark.gen_test
async def test_a_users_sessions_are_listed(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    anna = new_browser()
    await anna.sign_up("anna")
    await sign_in_as_admin(browser, services)
    for name in ("anna", "ANNA"):
        listed = await browser.send("GET", f"/api/admin/users/{name}/sessions")
        assert listed.code == 200
        (entry,) = json_of(listed)["sessions"]
        assert (entry["id"], entry["current"]) == (anna.sid, False)


@pytest.mark.gen_test
@pytest.mark.proves("7.4.5", "A35")
async def test_a_users_sessions_are_ended(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    annas = [new_browser(), new_browser()]
    await annas[0].sign_up("anna")
    await annas[1].sign_in("anna")
    await sign_in_as_admin(browser, services)
    ended = await browser.send("DELETE", "/api/admin/users/anna/sessions")
    assert (ended.code, json_of(ended)["sessions"]) == (200, 2)
    assert [await reason_of_the_end(anna) for anna in annas] == ["admin"] * 2
    await annas[0].sign_in("anna")
    assert (await browser.send("GET", "/api/session")).code == 200


@pytest.mark.gen_test
@pytest.mark.proves("7.4.2")
async def test_disabling_ends_all_sessions_and_refuses_sign_in_until_enabled(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    anna = new_browser()
    await anna.sign_up("anna")
    await sign_in_as_admin(browser, services)
    path = "/api/admin/users/anna/disabled"
    disabled = await browser.send("PUT", path, {"disabled": True})
    assert (disabled.code, json_of(disabled)["sessions"]) == (200, 1)
    assert await reason_of_the_end(anna) == "account_disabled"
    credentials = {"username": "anna", "password": PASSWORD}
    anna.cookie = anna.csrf_token = ""
    refused = await anna.send("POST", "/api/login", credentials)
    assert (refused.code, problem_of(refused)) == (401, "wrong-credentials")

    enabled = await browser.send("PUT", path, {"disabled": False})
    assert (enabled.code, json_of(enabled)) == (200, {"user": "anna", "disabled": False})
    assert (await anna.send("POST", "/api/login", credentials)).code == 200


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "sessions", None),
        ("DELETE", "sessions", None),
        ("PUT", "disabled", {"disabled": True}),
    ],
)
async def test_an_unknown_user_is_not_found(
    browser: Browser, services: Services, method: str, path: str, body: object
) -> None:
    await sign_in_as_admin(browser, services)
    for name in ("nobody", "an", "a%2fb", "%00", "a%0d%0ab", "*", "n" * 64):
        refused = await browser.send(method, f"/api/admin/users/{name}/{path}", body)
        assert (refused.code, problem_of(refused)) == (404, "user-not-found")


@pytest.mark.gen_test
@pytest.mark.proves("8.3.2", "A55")
async def test_who_lost_the_role_or_the_account_is_no_administrator_any_more(
    browser: Browser, services: Services
) -> None:
    await sign_in_as_admin(browser, services)
    assert (await browser.send("GET", "/api/admin/users/root/sessions")).code == 200
    await services.accounts.set_disabled("root", disabled=True)
    refused = await browser.send("GET", "/api/admin/users/root/sessions")
    assert (refused.code, problem_of(refused)) == (403, "not-admin")
