"""Accounts over HTTP: administrators list, delete and rename them; people delete their own."""

from collections.abc import Callable

import pytest

from server.core.account import Account
from server.core.errors import StoreUnavailable
from server.services import Services
from tests.handlers.test_admin import reason_of_the_end, sign_in_as_admin
from tests.support.clients.browser import Browser, json_of, page_of, problem_of, sent_to
from tests.support.clients.client import COOKIE, PASSWORD

USERS = "/api/admin/users"

pytestmark = pytest.mark.gen_test


async def test_accounts_are_listed_in_pages(browser: Browser, services: Services) -> None:
    for name in ("anna", "ben", "cleo"):
        await services.accounts.create(name, PASSWORD)
    await sign_in_as_admin(browser, services)
    first = json_of(await browser.send("GET", f"{USERS}?limit=3"))
    assert [each["user"] for each in first["users"]] == ["anna", "ben", "cleo"]
    assert first["next"] == "cleo"
    last = json_of(await browser.send("GET", f"{USERS}?limit=3&after=cleo"))
    assert (last["users"][0]["user"], last["users"][0]["admin"], last["next"]) == (
        "root", True, None,
    )  # fmt: skip
    one = json_of(await browser.send("GET", f"{USERS}/ANNA"))
    assert one == first["users"][0]
    assert one == {
        "user": "anna",
        "name": "anna",
        "admin": False,
        "disabled": False,
        "second_factor": False,
        "created_at": one["created_at"],
        "renaming_to": None,
    }
    assert PASSWORD not in str(first)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1e1", "", "9" * 30, "\u0661"])
async def test_a_wrong_page_is_refused(browser: Browser, services: Services, limit: str) -> None:
    await sign_in_as_admin(browser, services)
    refused = await browser.send("GET", f"{USERS}?limit={limit}".encode().decode("latin-1"))
    assert (refused.code, problem_of(refused)) == (400, "bad-request")


async def test_an_administrator_deletes_an_account(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    anna = new_browser()
    await anna.sign_up("anna")
    await sign_in_as_admin(browser, services)
    deleted = await browser.send("DELETE", f"{USERS}/anna")
    assert (deleted.code, json_of(deleted)["sessions"]) == (200, 1)
    assert await reason_of_the_end(anna) == "account_deleted"
    again = await browser.send("DELETE", f"{USERS}/anna")
    assert (again.code, problem_of(again)) == (404, "user-not-found")
    cookie = anna.cookie
    await new_browser().sign_up("anna", PASSWORD[::-1])
    assert (await anna.send("GET", "/api/session", Cookie=f"{COOKIE}={cookie}")).code == 401


async def test_the_role_is_given_and_taken(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    anna = new_browser()
    await anna.sign_up("anna")
    await sign_in_as_admin(browser, services)
    assert (await anna.send("GET", USERS)).code == 403
    given = await browser.send("PUT", f"{USERS}/anna/admin", {"admin": True})
    assert (given.code, json_of(given)) == (200, {"user": "anna", "admin": True})
    assert (await anna.send("GET", USERS)).code == 200
    taken = await browser.send("PUT", f"{USERS}/anna/admin", {"admin": False})
    assert (taken.code, json_of(taken)["sessions"]) == (200, 1)
    assert await reason_of_the_end(anna) == "admin"


async def test_the_last_administrator_is_only_removed_by_force(
    browser: Browser, services: Services
) -> None:
    await sign_in_as_admin(browser, services)
    for method, path, body in (
        ("PUT", f"{USERS}/root/admin", {"admin": False}),
        ("DELETE", f"{USERS}/root", None),
        ("DELETE", f"{USERS}/root?force=false", None),
        ("DELETE", "/api/account", None),
    ):
        refused = await browser.send(method, path, body)
        assert (refused.code, problem_of(refused)) == (409, "last-administrator")
    assert problem_of(await browser.send("DELETE", f"{USERS}/root?force=x")) == "bad-request"
    assert (await browser.send("DELETE", f"{USERS}/root?force=true")).code == 200
    assert not await browser.is_live()


async def test_an_administrator_renames_an_account(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    anna = new_browser()
    await anna.sign_up("anna")
    await services.accounts.create("ben", PASSWORD)
    await sign_in_as_admin(browser, services)
    path = f"{USERS}/anna/name"
    for name, problem in (("ben", "name-taken"), ("no name", "bad-username")):
        assert problem_of(await browser.send("PUT", path, {"name": name})) == problem
    renamed = await browser.send("PUT", path, {"name": "Annabel"})
    assert renamed.code == 200
    assert json_of(renamed)["user"] == "annabel"
    assert json_of(renamed)["receipt"]["sessions"] == 1
    assert await reason_of_the_end(anna) == "account_renamed"
    await anna.sign_in("annabel")


async def test_what_an_unfinished_rename_has_left_is_not_changed(
    browser: Browser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(_: object) -> None:
        raise StoreUnavailable("rename")

    await services.accounts.create("anna", PASSWORD)
    await sign_in_as_admin(browser, services)
    with monkeypatch.context() as broken:
        broken.setattr(services.renaming, "_remove", interrupted)
        assert (await browser.send("PUT", f"{USERS}/anna/name", {"name": "annabel"})).code == 503
    for method, path, body in (
        ("PUT", "anna/disabled", {"disabled": True}),
        ("PUT", "anna/disabled", {"disabled": False}),
        ("PUT", "anna/admin", {"admin": True}),
        ("PUT", "anna/admin", {"admin": False}),
        ("PUT", "anna/name", {"name": "anne"}),
        ("DELETE", "anna", None),
        ("DELETE", "annabel", None),
    ):
        refused = await browser.send(method, f"{USERS}/{path}", body)
        assert (refused.code, problem_of(refused)) == (409, "rename-unfinished")
    again = await browser.send("PUT", f"{USERS}/anna/name", {"name": "annabel"})
    assert (again.code, json_of(again)["user"]) == (200, "annabel")
    disabled = await browser.send("PUT", f"{USERS}/annabel/disabled", {"disabled": True})
    assert disabled.code == 200


async def test_an_account_that_goes_meanwhile_is_not_said_to_be_disabled(
    browser: Browser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.accounts.create("anna", PASSWORD)
    await sign_in_as_admin(browser, services)
    find = services.accounts.find

    async def find_late(name: str) -> Account | None:
        found = await find(name)
        if name == "anna":
            await services.account_changes.delete(name)
        return found

    monkeypatch.setattr(services.accounts, "find", find_late)
    refused = await browser.send("PUT", f"{USERS}/anna/disabled", {"disabled": True})
    assert (refused.code, problem_of(refused)) == (404, "user-not-found")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("DELETE", "", None),
        ("PUT", "/admin", {"admin": True}),
        ("PUT", "/name", {"name": "anna"}),
    ],
)
async def test_an_unknown_user_is_not_found(
    browser: Browser, services: Services, method: str, path: str, body: object
) -> None:
    await sign_in_as_admin(browser, services)
    for name in ("nobody", "an", "a%2fb", "%00", "a%0d%0ab", "*", "n" * 400):
        refused = await browser.send(method, f"{USERS}/{name}{path}", body)
        assert (refused.code, problem_of(refused)) == (404, "user-not-found")


async def test_people_delete_their_own_account(
    browser: Browser, new_browser: Callable[[], Browser], travel: Callable[[float], None]
) -> None:
    other = new_browser()
    await browser.sign_up("anna")
    await other.sign_in("anna")
    travel(360)
    stale = await browser.send("DELETE", "/api/account")
    assert (stale.code, problem_of(stale)) == (403, "reauthentication-required")
    await browser.send("POST", "/api/session/reauthenticate", {"password": PASSWORD})
    deleted = await browser.send("DELETE", "/api/account")
    assert (deleted.code, json_of(deleted)["sessions"]) == (200, 2)
    assert deleted.headers["Clear-Site-Data"]
    assert browser.cookie == ""
    assert await reason_of_the_end(other) == "account_deleted"


async def test_the_page_asks_for_the_password_however_recent_it_is(browser: Browser) -> None:
    await browser.sign_up("anna")
    asked = await browser.submit("/account", "/account/delete")
    assert asked.code == 403
    assert "Enter your password to delete the account anna for good." in page_of(asked)
    form = {"csrf_token": browser.csrf_token}
    wrong = await browser.send("POST", "/account/delete", form=form | {"password": "wrong"})
    assert "The password is wrong." in page_of(wrong)
    assert await browser.is_live()

    done = await browser.send("POST", "/account/delete", form=form | {"password": PASSWORD})
    assert sent_to(done) == "/login?reason=account_deleted"
    assert "Your account was deleted." in page_of(await browser.send("GET", sent_to(done)))
    refused = await browser.send("POST", "/api/login", {"username": "anna", "password": PASSWORD})
    assert problem_of(refused) == "wrong-credentials"


async def test_the_page_says_that_the_last_administrator_stays(
    browser: Browser, services: Services
) -> None:
    await sign_in_as_admin(browser, services)
    form = {"csrf_token": browser.csrf_token, "password": PASSWORD}
    refused = await browser.send("POST", "/account/delete", form=form)
    assert refused.code == 409
    assert "You are the only administrator." in page_of(refused)
    assert await browser.is_live()
