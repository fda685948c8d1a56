"""The pages of administrators, without scripts: who sees them, search, and ends with receipts."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

from handlers.pages.admin import PAGE
from server.core.audit import AuditEvent
from server.core.reasons import NoSession, Reason
from server.core.session import Device
from server.services import Services
from server.sessions.verdicts import LiveSession
from tests.support.clients.browser import Browser, cookie_of, json_of, page_of, sent_to
from tests.support.clients.client import PASSWORD
from tests.support.clients.routes import NOBODY, all_routes

PATHS = [each.path for each in all_routes() if each.path.startswith("/admin")]
LOOKS = ["/admin", "/admin/live", f"/admin/users/{NOBODY}", f"/admin/sessions/{NOBODY}"]
FORMS = [f"/admin/users/{NOBODY}/end", f"/admin/sessions/{NOBODY}/end"]


async def sign_in_as_admin(browser: Browser, services: Services, name: str = "root") -> None:
    """Sign in as an administrator."""
    await services.accounts.create(name, PASSWORD, admin=True)
    await browser.sign_in(name)


def test_these_are_all_pages_of_administrators() -> None:
    assert sorted(PATHS) == sorted(LOOKS + FORMS)


@pytest.mark.gen_test
@pytest.mark.proves("8.1.1", "7.4.5")
async def test_nobody_else_sees_them_or_can_send_their_forms(browser: Browser) -> None:
    await browser.sign_up("anna")
    form = {"csrf_token": browser.csrf_token}
    refused = [await browser.send("GET", path) for path in LOOKS]
    refused += [await browser.send("POST", path, form=form) for path in FORMS]
    assert [each.code for each in refused] == [403] * len(PATHS)
    assert all("Your account does not have this right." in page_of(each) for each in refused)
    assert "/admin" not in page_of(await browser.send("GET", "/account"))


@pytest.mark.gen_test
@pytest.mark.proves("7.5.3")
async def test_they_ask_for_the_password_if_it_was_proved_too_long_ago(
    browser: Browser,
    new_browser: Callable[[], Browser],
    services: Services,
    travel: Callable[[float], None],
) -> None:
    anna = new_browser()
    await anna.sign_up("anna")
    await sign_in_as_admin(browser, services)
    travel(301)
    for path in LOOKS:
        assert sent_to(await browser.send("GET", path)) == f"/reauthenticate?next={quote(path, '')}"
    form = {"csrf_token": browser.csrf_token}
    asked = await browser.send("POST", "/admin/users/anna/end", form=form)
    assert asked.code == 403
    assert "Enter your password to end all sessions of anna." in page_of(asked)
    assert await anna.is_live()
    wrong = await browser.send(
        "POST", "/admin/users/anna/end", form={**form, "password": PASSWORD[::-1]}
    )
    assert wrong.code == 403
    assert await anna.is_live()
    ended = await browser.send("POST", "/admin/users/anna/end", form={**form, "password": PASSWORD})
    assert "1 session ended, confirmed by 1 server in" in page_of(ended)
    assert not await anna.is_live()


@pytest.mark.gen_test
async def test_a_form_without_the_token_ends_nothing(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    anna = new_browser()
    await anna.sign_up("anna")
    await sign_in_as_admin(browser, services)
    for path in ("/admin/users/anna/end", f"/admin/sessions/{anna.sid}/end"):
        assert (await browser.send("POST", path, form={})).code == 403
    assert await anna.is_live()


@pytest.mark.gen_test
async def test_people_are_listed_page_by_page_and_found_by_how_their_names_begin(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    names = [f"user-{number:02d}" for number in range(PAGE + 1)]
    for name in names:
        await services.accounts.create(name, PASSWORD)
    anna = new_browser()
    await anna.sign_up("Anna")
    await sign_in_as_admin(browser, services)
    assert 'href="/admin"' in page_of(await browser.send("GET", "/account"))
    first = page_of(await browser.send("GET", "/admin"))
    assert "1 session · no open tab" in first
    assert "<bdi>Anna</bdi>" in first
    assert ("/admin/users/anna" in first, "/admin/users/user-22" in first) == (True, True)
    assert f"/admin/users/{names[-1]}" not in first
    assert 'href="/admin?after=user-22"' in first
    second = page_of(await browser.send("GET", "/admin?after=user-22"))
    assert ("/admin/users/anna" in second, f"/admin/users/{names[-1]}" in second) == (False, True)
    assert "Next page" not in second

    found = page_of(await browser.send("GET", "/admin?q=+USER-"))
    assert "/admin/users/anna" not in found
    assert "q=USER-&amp;after=user-24" in found
    rest = page_of(await browser.send("GET", "/admin?q=USER-&after=user-24"))
    assert f"/admin/users/{names[-1]}" in rest
    assert "/admin/users/anna" not in rest
    nobody = page_of(await browser.send("GET", "/admin?q=%3Cb%3Enobody"))
    assert "name begins like this." in nobody
    assert "&lt;b&gt;nobody" in nobody


@pytest.mark.gen_test
async def test_one_session_is_found_by_its_id_and_ended(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    annas = [new_browser(), new_browser()]
    await annas[0].sign_up("anna")
    await annas[1].sign_in("anna")
    await sign_in_as_admin(browser, services)
    sid = annas[0].sid
    found = await browser.send("GET", f"/admin?q={sid}")
    assert sent_to(found) == f"/admin/sessions/{sid}"
    assert "anna" in page_of(await browser.send("GET", sent_to(found)))
    ended = await browser.submit("/admin/users/anna", f"/admin/sessions/{sid}/end")
    assert "1 session ended, confirmed by 1 server in" in page_of(ended)
    assert annas[1].sid in page_of(ended)
    assert [await anna.is_live() for anna in annas] == [False, True]
    for path in (f"/admin/sessions/{sid}", "/admin/users/nobody-here"):
        assert (await browser.send("GET", path)).code == 404


@pytest.mark.gen_test
async def test_a_visitors_session_is_found_and_ended(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    visitor = new_browser()
    await visitor.send("PATCH", "/api/session/data", {"a": 1})
    await sign_in_as_admin(browser, services)
    sid = json_of(await visitor.send("GET", "/api/session"))["session"]["id"]
    path = f"/admin/sessions/{sid}"
    assert "A visitor without an account" in page_of(await browser.send("GET", path))
    ended = await browser.submit(path, f"{path}/end")
    assert "1 session ended" in page_of(ended)
    gone = await browser.send("GET", f"/admin?q={sid}")
    assert "There is no live session with this id." in page_of(gone)


@pytest.mark.gen_test
async def test_a_session_that_has_outlived_its_account_is_ended_with_a_receipt(
    browser: Browser, services: Services
) -> None:
    await sign_in_as_admin(browser, services)
    epochs = await services.sessions.epochs("moved")
    made = await services.sessions.sign_in("moved", epochs, Device("Test/1", "192.0.2.1"), None)
    assert isinstance(made, LiveSession)
    path = f"/admin/sessions/{made.session.sid}"
    ended = await browser.submit(path, f"{path}/end")
    assert ended.code == 200
    assert "1 session ended" in page_of(ended)
    assert isinstance(await services.sessions.current(made.session.sid), NoSession)


@pytest.mark.gen_test
async def test_administrators_can_end_themselves(browser: Browser, services: Services) -> None:
    await sign_in_as_admin(browser, services)
    done = await browser.submit("/admin/users/root", "/admin/users/root/end")
    assert (sent_to(done), cookie_of(done)) == ("/login?reason=admin", "")


@pytest.mark.gen_test
async def test_nodes_and_the_latest_ends_are_shown_and_looks_are_audited(
    browser: Browser,
    new_browser: Callable[[], Browser],
    services: Services,
    caplog: pytest.LogCaptureFixture,
) -> None:
    anna = new_browser()
    await anna.sign_up("anna")
    await sign_in_as_admin(browser, services)
    await services.terminations.all_of("anna", Reason.LOGOUT)
    caplog.set_level("INFO", "curfew.audit")
    shown = page_of(await browser.send("GET", "/admin/live"))
    for words in (services.metrics.node, "answered this page", "/admin/users/anna", "Logged out"):
        assert words in shown
    german = page_of(await browser.send("GET", "/admin/live", Accept_Language="de"))
    assert "Abgemeldet" in german
    acts = [each for each in caplog.records if each.message == AuditEvent.ADMIN_ACT.value]
    assert [vars(each)["act"] for each in acts] == ["watch_ends"] * 2
    await browser.send("GET", "/admin/live", Curfew_Activity="none")
    assert len([each for each in caplog.records if each.message == "authz_admin"]) == 2
