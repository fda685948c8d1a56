"""The account page without scripts: each of its forms, and what it then shows."""

from collections.abc import Callable

import pytest

from server.core.errors import StoreUnavailable
from server.services import Services
from tests.support.clients.browser import Browser, cookie_of, form_of, page_of, sent_to
from tests.support.clients.client import PASSWORD

NEW_PASSWORD = "eleven herons on the morning ferry"


@pytest.mark.gen_test
async def test_sessions_are_ended_from_the_account_page(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    others = [new_browser(), new_browser(), new_browser()]
    await browser.sign_up("anna")
    for other in others:
        await other.sign_in("anna")
    one = await browser.submit("/account", f"/account/sessions/{others[0].sid}/end")
    assert one.code == 200
    assert "1 session ended, confirmed by 1 server in" in page_of(one)
    assert [await other.is_live() for other in others] == [False, True, True]
    rest = await browser.submit("/account", "/account/sessions/end")
    assert "2 sessions ended, confirmed by 1 server in" in page_of(rest)
    none = await browser.send(
        "POST",
        "/account/sessions/end",
        form={"csrf_token": browser.csrf_token, "scope": "others"},
    )
    assert "There was no session left to end." in page_of(none)
    assert [await other.is_live() for other in others] == [False] * 3
    assert await browser.is_live()


@pytest.mark.gen_test
async def test_all_sessions_are_ended_from_the_account_page_this_one_too(browser: Browser) -> None:
    await browser.sign_up("anna")
    done = await browser.submit("/account", "/account/sessions/end", scope="all")
    assert (sent_to(done), cookie_of(done)) == ("/login?reason=terminated", "")


@pytest.mark.gen_test
async def test_the_own_session_may_be_ended_by_its_form_too(browser: Browser) -> None:
    await browser.sign_up("anna")
    form = {"csrf_token": browser.csrf_token}
    done = await browser.send("POST", f"/account/sessions/{browser.sid}/end", form=form)
    assert (sent_to(done), cookie_of(done)) == ("/login?reason=logout", "")


@pytest.mark.gen_test
async def test_a_session_that_is_not_there_is_told_on_the_page(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    stranger = new_browser()
    await browser.sign_up("anna")
    await stranger.sign_up("berta")
    form = {"csrf_token": browser.csrf_token}
    refused = await browser.send("POST", f"/account/sessions/{stranger.sid}/end", form=form)
    assert refused.code == 404
    assert "You have no live session with this id." in page_of(refused)
    assert await stranger.is_live()


@pytest.mark.gen_test
async def test_the_password_is_changed_from_the_account_page(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    other = new_browser()
    await browser.sign_up("anna")
    await other.sign_in("anna")
    fields = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    wrong = await browser.submit(
        "/account", "/account/password", **fields | {"current_password": NEW_PASSWORD}
    )
    assert wrong.code == 403
    assert "The password is wrong." in page_of(wrong)
    short = await browser.submit("/account", "/account/password", **fields | {"new_password": "a"})
    assert short.code == 400
    assert "at least 15 characters" in page_of(short)

    done = await browser.submit("/account", "/account/password", **fields)
    assert "Your password was changed." in page_of(done)
    assert "1 session ended" in page_of(done)
    assert await browser.is_live()
    assert not await other.is_live()
    await other.sign_in("anna", NEW_PASSWORD)

    unticked = form_of(await browser.send("GET", "/account"), "/account/password")
    del unticked["end_other_sessions"]
    back = {"current_password": NEW_PASSWORD, "new_password": PASSWORD}
    done = await browser.send("POST", "/account/password", form=unticked | back)
    assert "Your password was changed." in page_of(done)
    assert await other.is_live()


@pytest.mark.gen_test
async def test_reading_the_address_of_a_form_leads_to_its_page(
    browser: Browser, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("anna")
    travel(301)
    for path in (
        "/account/password", "/account/sessions/end", f"/account/sessions/{browser.sid}/end"
    ):  # fmt: skip
        assert sent_to(await browser.send("GET", path)) == "/account"


@pytest.mark.gen_test
async def test_sessions_are_shown_and_ended_while_accounts_cannot_be_asked(
    browser: Browser,
    new_browser: Callable[[], Browser],
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An application may keep them in a database that is down."""
    other = new_browser()
    await browser.sign_up("anna")
    await other.sign_in("anna")

    async def fails(_: str) -> None:
        raise StoreUnavailable("accounts", "ConnectionRefusedError")

    monkeypatch.setattr(services.accounts, "find", fails)
    done = await browser.submit("/account", "/account/sessions/end")
    assert done.code == 200
    assert "1 session ended, confirmed by 1 server in" in page_of(done)
    assert not await other.is_live()
