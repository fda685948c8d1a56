"""A person's own sessions over the API: listing, ending, rotating, proving the password again."""

from collections.abc import Callable

import pytest

from server.services import Services
from tests.support.clients.browser import Browser, cookie_of, json_of, problem_of
from tests.support.clients.client import PASSWORD

NEW_PASSWORD = "eleven herons on the morning ferry"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
WINDOW = 301
HALF_OF_THE_IDLE_TIMEOUT = 901


async def reason_of_the_end(browser: Browser) -> str:
    """Return what the browser's dead session is said to have ended for."""
    answer = await browser.send("GET", "/api/session")
    assert answer.code == 401
    return str(json_of(answer)["reason"])


@pytest.mark.gen_test
@pytest.mark.proves("7.5.2", "8.2.3")
async def test_all_sessions_are_listed_with_their_devices(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    other, stranger = new_browser(), new_browser()
    await browser.sign_up("anna")
    await stranger.sign_up("berta")
    signed_in = await other.send(
        "POST", "/api/login", {"username": "anna", "password": PASSWORD}, User_Agent=FIREFOX
    )
    other_sid = json_of(signed_in)["session"]["id"]
    listed = json_of(await browser.send("GET", "/api/sessions"))
    assert set(listed) == {"sessions"}
    assert {each["id"]: each["current"] for each in listed["sessions"]} == {
        browser.sid: True,
        other_sid: False,
    }
    entry = next(each for each in listed["sessions"] if each["id"] == other_sid)
    assert set(entry) == {
        "id", "current", "device", "ip", "created_at", "last_active_at", "sockets"
    }  # fmt: skip
    assert (entry["device"], entry["ip"], entry["sockets"]) == ("Firefox on Linux", "127.0.0.1", 0)


@pytest.mark.gen_test
@pytest.mark.proves("7.5.2", "A36")
async def test_another_own_session_can_be_ended(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    other = new_browser()
    await browser.sign_up("anna")
    await other.sign_in("anna")
    ended = await browser.send("DELETE", f"/api/sessions/{other.sid}")
    assert (ended.code, json_of(ended)["sessions"]) == (200, 1)
    assert "Set-Cookie" not in ended.headers
    assert await reason_of_the_end(other) == "terminated"
    assert await browser.is_live()


@pytest.mark.gen_test
async def test_ending_the_own_session_by_its_id_is_a_logout(browser: Browser) -> None:
    await browser.sign_up("anna")
    cookie = browser.cookie
    ended = await browser.send("DELETE", f"/api/sessions/{browser.sid}")
    assert (ended.code, json_of(ended)["sessions"], cookie_of(ended)) == (200, 1, "")
    browser.cookie = cookie
    assert await reason_of_the_end(browser) == "logout"


@pytest.mark.gen_test
@pytest.mark.proves("A36", "8.2.2")
async def test_unknown_and_foreign_sessions_are_the_same_404(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    stranger, left = new_browser(), new_browser()
    await browser.sign_up("anna")
    await stranger.sign_up("berta")
    await left.sign_in("anna")
    await left.send("POST", "/api/logout")
    answers = [
        await browser.send("DELETE", f"/api/sessions/{sid}")
        for sid in (stranger.sid, left.sid, "00" + "A" * 22, "x", "%00", "..%2f", "a%0d%0ab", "*")
    ]
    assert {problem_of(answer) for answer in answers} == {"session-not-found"}
    assert len({(answer.code, answer.body) for answer in answers}) == 1
    assert answers[0].code == 404
    assert await stranger.is_live()


@pytest.mark.gen_test
async def test_the_others_can_be_ended_together(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    others = [new_browser(), new_browser()]
    await browser.sign_up("anna")
    for other in others:
        await other.sign_in("anna")
    ended = await browser.send("DELETE", "/api/sessions?scope=others")
    assert (ended.code, json_of(ended)["sessions"]) == (200, 2)
    assert [await reason_of_the_end(other) for other in others] == ["terminated"] * 2
    assert await browser.is_live()


@pytest.mark.gen_test
async def test_all_can_be_ended_this_one_too(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    other = new_browser()
    await browser.sign_up("anna")
    await other.sign_in("anna")
    ended = await browser.send("DELETE", "/api/sessions?scope=all")
    assert (ended.code, json_of(ended)["sessions"], cookie_of(ended)) == (200, 2, "")
    assert await reason_of_the_end(other) == "terminated"


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "query", ["", "?scope=", "?scope=mine", "?Scope=all", "?scope=others&scope=all"]
)
async def test_another_scope_ends_nothing(browser: Browser, query: str) -> None:
    await browser.sign_up("anna")
    refused = await browser.send("DELETE", f"/api/sessions{query}")
    assert (refused.code, problem_of(refused)) == (400, "bad-request")
    assert await browser.is_live()


@pytest.mark.gen_test
async def test_rotating_gives_the_next_token_and_keeps_the_session(browser: Browser) -> None:
    signed_in = json_of(await browser.sign_up("anna"))["session"]
    former = browser.cookie
    rotated = await browser.send("POST", "/api/session/rotate")
    assert (rotated.code, json_of(rotated)) == (200, {"generation": 2})
    assert browser.cookie != former
    read = json_of(await browser.send("GET", "/api/session"))
    assert read["session"]["id"] == browser.sid
    assert read["csrf_token"] == browser.csrf_token
    assert read["session"]["absolute_expires_at"] == signed_in["absolute_expires_at"]


STALE = [
    ("DELETE", "/api/sessions/00AAAAAAAAAAAAAAAAAAAAAA", None),
    ("DELETE", "/api/sessions?scope=others", None),
    ("DELETE", "/api/sessions?scope=all", None),
    ("PUT", "/api/password", {"current_password": PASSWORD, "new_password": NEW_PASSWORD}),
]


@pytest.mark.gen_test
@pytest.mark.parametrize(("method", "path", "body"), STALE)
@pytest.mark.proves("7.5.1", "7.5.2", "A69")
async def test_what_matters_asks_for_a_recent_password(
    browser: Browser, travel: Callable[[float], None], method: str, path: str, body: object
) -> None:
    await browser.sign_up("anna")
    travel(WINDOW)
    refused = await browser.send(method, path, body)
    assert (refused.code, problem_of(refused)) == (403, "reauthentication-required")
    assert await browser.is_live()

    former = browser.cookie
    proved = await browser.send("POST", "/api/session/reauthenticate", {"password": PASSWORD})
    assert proved.code == 200
    assert json_of(proved)["session"]["generation"] == 2
    assert browser.cookie != former
    assert (await browser.send(method, path, body)).code in {200, 404}


@pytest.mark.gen_test
async def test_a_wrong_password_opens_no_window_and_changes_no_token(
    browser: Browser, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("anna")
    travel(WINDOW)
    for wrong in (NEW_PASSWORD, "", "x" * 5000):
        refused = await browser.send("POST", "/api/session/reauthenticate", {"password": wrong})
        assert (refused.code, problem_of(refused)) == (403, "wrong-password")
        assert "Set-Cookie" not in refused.headers
    assert (await browser.send("DELETE", "/api/sessions?scope=all")).code == 403


@pytest.mark.gen_test
@pytest.mark.proves("A26", "7.2.4")
async def test_the_former_token_is_refused_once_the_password_was_proved(browser: Browser) -> None:
    await browser.sign_up("anna")
    former = browser.cookie
    await browser.send("POST", "/api/session/reauthenticate", {"password": PASSWORD})
    latter, browser.cookie = browser.cookie, former
    refused = await browser.send("GET", "/api/session")
    assert (refused.code, problem_of(refused)) == (401, "token-overtaken")
    browser.cookie = latter
    assert await browser.is_live()


@pytest.mark.gen_test
@pytest.mark.proves("A34", "7.4.3", "6.2.2")
async def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    other = new_browser()
    await browser.sign_up("anna")
    await other.sign_in("anna")
    former = browser.cookie
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    changed = await browser.send("PUT", "/api/password", body)
    assert (changed.code, json_of(changed)["sessions"]) == (200, 1)
    assert browser.cookie != former
    assert await browser.is_live()
    assert await reason_of_the_end(other) == "credential_changed"
    assert await services.accounts.verify("anna", PASSWORD) is None
    assert await services.accounts.verify("anna", NEW_PASSWORD) is not None


@pytest.mark.gen_test
@pytest.mark.proves("7.4.3")
async def test_a_new_password_can_leave_the_other_sessions_alone(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    other = new_browser()
    await browser.sign_up("anna")
    await other.sign_in("anna")
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    changed = await browser.send("PUT", "/api/password", {**body, "end_other_sessions": False})
    assert changed.code == 200
    assert await other.is_live()


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("current", "new", "status", "problem"),
    [
        (NEW_PASSWORD, NEW_PASSWORD, 403, "wrong-password"),
        (PASSWORD, "short", 400, "bad-password"),
        (PASSWORD, "x" * 1025, 400, "bad-password"),
    ],
)
@pytest.mark.proves("A69", "6.2.2")
async def test_a_password_is_not_changed_to_what_will_not_do_or_without_the_current_one(
    browser: Browser, services: Services, current: str, new: str, status: int, problem: str
) -> None:
    await browser.sign_up("anna")
    refused = await browser.send(
        "PUT", "/api/password", {"current_password": current, "new_password": new}
    )
    assert (refused.code, problem_of(refused)) == (status, problem)
    assert "Set-Cookie" not in refused.headers
    assert await services.accounts.verify("anna", PASSWORD) is not None


@pytest.mark.gen_test
@pytest.mark.proves("7.3.1")
async def test_a_request_that_nobody_is_behind_does_not_keep_the_session_alive(
    browser: Browser, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("anna")
    for _ in range(3):
        travel(HALF_OF_THE_IDLE_TIMEOUT)
        assert await browser.is_live()
    travel(HALF_OF_THE_IDLE_TIMEOUT)
    for path in ("/account", "/api/session"):
        answer = await browser.send("GET", path, Curfew_Activity="none")
        assert answer.code == 200
    travel(HALF_OF_THE_IDLE_TIMEOUT)
    assert await reason_of_the_end(browser) == "idle_timeout"
