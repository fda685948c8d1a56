"""Signing up, in and out over the API."""

from collections.abc import Callable

import pytest
from tornado.httpclient import HTTPResponse

from server.services import Services
from tests.support.clients.browser import Browser, json_of, lasting_headers, problem_of
from tests.support.clients.client import COOKIE, PASSWORD
from tests.support.engine.hashing import hasher_of, no_place
from tests.support.servers.stores import Store

WRONG = "eleven herons on the morning ferry"
SESSION_FIELDS = {
    "id", "user", "generation", "created_at", "authenticated_at", "last_active_at",
    "idle_expires_at", "absolute_expires_at",
}  # fmt: skip


def credentials(username: str, password: str = PASSWORD) -> dict[str, str]:
    return {"username": username, "password": password}


def set_cookie_attributes(response: HTTPResponse) -> tuple[str, set[str]]:
    """Return the cookie's value, and its attributes but for the Max-Age's number."""
    (header,) = response.headers.get_list("Set-Cookie")
    (name, value), *attributes = (part.strip().partition("=")[::2] for part in header.split(";"))
    assert name == COOKIE
    plain = {f"{key}={given}" if given else key for key, given in attributes if key != "Max-Age"}
    return value, plain


@pytest.mark.gen_test
async def test_signing_up_makes_an_account_and_no_session(browser: Browser) -> None:
    made = await browser.send("POST", "/api/signup", credentials("Anna"))
    assert made.code == 201
    assert json_of(made) == {"user": "anna"}
    assert "Set-Cookie" not in made.headers


@pytest.mark.gen_test
@pytest.mark.proves("A73")
async def test_a_name_is_given_once(browser: Browser) -> None:
    await browser.send("POST", "/api/signup", credentials("anna"))
    for name in ("anna", "ANNA"):
        again = await browser.send("POST", "/api/signup", credentials(name, WRONG))
        assert (again.code, problem_of(again)) == (409, "name-taken")


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("username", "password", "problem"),
    [
        ("an", PASSWORD, "bad-username"),
        ("anna\r\nSet-Cookie: a=b", PASSWORD, "bad-username"),
        ("\N{CYRILLIC SMALL LETTER A}nna", PASSWORD, "bad-username"),
        ("anna", "short", "bad-password"),
        ("anna", "passwordpassword", "bad-password"),
        ("anna", "x" * 1025, "bad-password"),
    ],
)
async def test_a_name_or_password_that_will_not_do_is_refused_with_its_reason(
    browser: Browser, username: str, password: str, problem: str
) -> None:
    refused = await browser.send("POST", "/api/signup", credentials(username, password))
    assert (refused.code, problem_of(refused)) == (400, problem)


@pytest.mark.gen_test
@pytest.mark.parametrize("variables", [{"SIGNUP": "closed"}])
async def test_nobody_signs_up_where_it_is_closed(browser: Browser) -> None:
    refused = await browser.send("POST", "/api/signup", credentials("anna"))
    assert (refused.code, problem_of(refused)) == (403, "signup-closed")
    assert b"/signup" not in (await browser.send("GET", "/login")).body


@pytest.mark.gen_test
@pytest.mark.proves("3.3.1", "3.3.2", "3.3.3", "3.3.4", "A81")
async def test_signing_in_answers_with_the_session_and_a_cookie_for_this_site_alone(
    browser: Browser,
) -> None:
    answer = await browser.sign_up("anna")
    document = json_of(answer)
    assert set(document) == {"session", "csrf_token"}
    session = document["session"]
    assert set(session) == SESSION_FIELDS
    assert (session["user"], session["generation"]) == ("anna", 1)
    assert session["authenticated_at"] == pytest.approx(session["created_at"])
    assert session["last_active_at"] == session["created_at"]
    assert session["idle_expires_at"] == pytest.approx(session["created_at"] + 1800)
    assert session["absolute_expires_at"] == pytest.approx(session["created_at"] + 43_200)
    value, attributes = set_cookie_attributes(answer)
    assert attributes == {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}
    assert answer.headers["Set-Cookie"].count("Max-Age=43199") == 1
    assert session["id"] not in value


@pytest.mark.gen_test
async def test_a_session_is_read_with_its_csrf_token(browser: Browser) -> None:
    signed_in = json_of(await browser.sign_up("anna"))
    read = await browser.send("GET", "/api/session")
    assert read.code == 200
    assert json_of(read) == signed_in
    assert "Set-Cookie" not in read.headers


@pytest.mark.gen_test
@pytest.mark.proves("A1", "7.2.4", "7.2.2")
async def test_signing_in_over_a_session_makes_a_new_one_and_ends_the_old(
    browser: Browser,
) -> None:
    await browser.sign_up("anna")
    old_cookie, old_sid, old_csrf = browser.cookie, browser.sid, browser.csrf_token
    await browser.sign_in("anna")
    assert browser.sid != old_sid
    assert browser.csrf_token != old_csrf
    browser.cookie = old_cookie
    refused = await browser.send("GET", "/api/session")
    assert (refused.code, problem_of(refused)) == (401, "unauthenticated")
    assert json_of(refused)["reason"] == "superseded"


@pytest.mark.gen_test
async def test_somebody_else_may_sign_in_in_the_same_browser(browser: Browser) -> None:
    await browser.sign_up("anna")
    made = await browser.send("POST", "/api/signup", credentials("berta"))
    assert made.code == 201
    await browser.sign_in("berta")
    assert json_of(await browser.send("GET", "/api/session"))["session"]["user"] == "berta"


@pytest.mark.gen_test
@pytest.mark.proves("A2", "A1")
async def test_an_id_that_a_client_brings_is_never_adopted(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    await browser.sign_up("anna")
    thief = new_browser()
    for planted in (browser.sid, f"{browser.sid}.1.{'A' * 43}", browser.cookie):
        thief.cookie = planted
        thief.csrf_token = browser.csrf_token
        await thief.sign_in("anna")
        assert thief.sid != browser.sid


@pytest.mark.gen_test
@pytest.mark.proves("A64", "6.3.8")
async def test_wrong_unknown_and_disabled_are_answered_alike_to_the_byte(
    browser: Browser, services: Services
) -> None:
    for name in ("anna", "berta"):
        await browser.send("POST", "/api/signup", credentials(name))
    await services.accounts.set_disabled("berta", disabled=True)
    answers = [
        await browser.send("POST", "/api/login", body)
        for body in (
            credentials("anna", WRONG),
            credentials("nobody-here"),
            credentials("no name at all\n"),
            credentials("berta"),
            credentials("berta", WRONG),
            credentials("anna", ""),
        )
    ]
    assert {problem_of(answer) for answer in answers} == {"wrong-credentials"}
    seen = {
        (
            answer.code,
            answer.body,
            lasting_headers(answer),
        )
        for answer in answers
    }
    assert len(seen) == 1
    assert len({len(answer.headers["X-Request-ID"]) for answer in answers}) == 1
    assert answers[0].code == 401
    assert "Set-Cookie" not in answers[0].headers


@pytest.mark.gen_test
@pytest.mark.proves("A66", "15.2.2")
async def test_too_many_passwords_at_once_are_told_to_come_back(
    browser: Browser, services: Services
) -> None:
    with no_place(hasher_of(services)):
        answers = [
            await browser.send("POST", "/api/login", credentials("anna")),
            await browser.send("POST", "/api/signup", credentials("anna")),
        ]
    for answer in answers:
        assert (answer.code, problem_of(answer)) == (503, "busy")
        assert answer.headers["Retry-After"] == "1"
        assert "Set-Cookie" not in answer.headers


@pytest.mark.gen_test
async def test_logging_out_ends_the_session_and_clears_the_browser(
    browser: Browser, valkey: Store
) -> None:
    await browser.sign_up("anna")
    cookie = browser.cookie
    answer = await browser.send("POST", "/api/logout")
    assert answer.code == 200
    receipt = json_of(answer)
    assert set(receipt) == {
        "event", "state", "sessions", "sockets_closed", "nodes", "durability", "elapsed_ms"
    }  # fmt: skip
    assert (receipt["state"], receipt["sessions"]) == ("complete", 1)
    assert receipt["nodes"] == {"acked": 1, "lease_expired": 0, "waiting": 0}
    assert receipt["durability"] == valkey.durability
    assert answer.headers["Clear-Site-Data"] == '"storage"'
    value, attributes = set_cookie_attributes(answer)
    assert not value
    assert attributes == {
        "Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"
    }  # fmt: skip
    assert "Max-Age=0;" in answer.headers["Set-Cookie"]

    browser.cookie = cookie
    refused = await browser.send("GET", "/api/session")
    assert refused.code == 401
    assert json_of(refused)["reason"] == "logout"
    assert json_of(refused)["event"] == receipt["event"]
    assert "Set-Cookie" not in refused.headers


@pytest.mark.gen_test
async def test_logging_out_twice_is_told_so(browser: Browser) -> None:
    await browser.sign_up("anna")
    cookie = browser.cookie
    await browser.send("POST", "/api/logout")
    browser.cookie = cookie
    again = await browser.send("POST", "/api/logout")
    assert (again.code, json_of(again)["reason"]) == (401, "logout")


@pytest.mark.gen_test
async def test_a_visitor_has_no_session_and_gets_no_cookie(browser: Browser) -> None:
    refused = await browser.send("GET", "/api/session")
    assert (refused.code, problem_of(refused)) == (401, "unauthenticated")
    assert (json_of(refused)["reason"], json_of(refused)["event"]) == ("unauthenticated", None)
    for path in ("/", "/login", "/signup", "/logout", "/api/session/data", "/healthz", "/readyz"):
        answer = await browser.send("GET", path)
        assert answer.code == 200
        assert "Set-Cookie" not in answer.headers
