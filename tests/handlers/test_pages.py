"""The pages, used as a browser without scripts uses them: links and forms alone."""

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.support.clients.browser import Browser, cookie_of, form_of, json_of, page_of, sent_to
from tests.support.clients.client import PASSWORD

NEW_PASSWORD = "eleven herons on the morning ferry"
HOSTILE = '"><script>alert(1)</script>'


@pytest.mark.gen_test
async def test_one_signs_up_and_is_signed_in(browser: Browser) -> None:
    done = await browser.submit("/signup", "/signup", username="Anna", password=PASSWORD)
    assert cookie_of(done)
    assert await browser.arrival(done) == "/account"
    account = page_of(await browser.send("GET", "/account"))
    assert "this device" in account
    assert "anna" in account
    assert "notes" in page_of(await browser.send("GET", "/"))


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("username", "password", "status", "told"),
    [
        ("an", PASSWORD, 400, "3 to 32 characters"),
        ("berta", "short", 400, "at least 15 characters"),
        ("anna", PASSWORD, 409, "is taken"),
        (HOSTILE, PASSWORD, 400, "uses only the letters"),
    ],
)
async def test_who_cannot_be_signed_up_is_told_why_and_keeps_the_name_typed(
    browser: Browser, username: str, password: str, status: int, told: str
) -> None:
    await browser.send("POST", "/api/signup", {"username": "anna", "password": PASSWORD})
    refused = await browser.submit("/signup", "/signup", username=username, password=password)
    assert refused.code == status
    assert told in page_of(refused)
    assert HOSTILE not in page_of(refused)
    form = form_of(refused, "/signup")
    assert form.pop("remember_offered") == "yes"
    assert form == {"username": username, "password": ""}
    assert "Set-Cookie" not in refused.headers


@pytest.mark.gen_test
@pytest.mark.parametrize("variables", [{"SIGNUP": "closed"}])
async def test_where_sign_up_is_closed_there_is_no_form(browser: Browser) -> None:
    page = page_of(await browser.send("GET", "/signup"))
    assert "Sign-up is closed" in page
    assert "<form" not in page
    refused = await browser.send("POST", "/signup", form={"username": "anna", "password": PASSWORD})
    assert refused.code == 403
    assert "Sign-up is closed" in page_of(refused)


@pytest.mark.gen_test
async def test_one_signs_in_and_goes_on_to_where_one_was_going(browser: Browser) -> None:
    await browser.send("POST", "/api/signup", {"username": "anna", "password": PASSWORD})
    login = sent_to(await browser.send("GET", "/account"))
    assert login == "/login?next=%2Faccount"
    wrong = await browser.submit(login, "/login", username="anna", password=NEW_PASSWORD)
    assert wrong.code == 401
    assert "The user name or the password is wrong." in page_of(wrong)
    form = form_of(wrong, "/login")
    assert form.pop("remember_offered") == "yes"
    assert form == {"username": "anna", "password": "", "next": "/account"}
    assert "Set-Cookie" not in wrong.headers
    right = await browser.submit(login, "/login", username="anna", password=PASSWORD)
    assert await browser.arrival(right) == "/account"
    assert sent_to(await browser.send("GET", "/login?next=/")) == "/"


@pytest.mark.gen_test
async def test_logging_out_is_a_button_and_reading_changes_nothing(browser: Browser) -> None:
    await browser.sign_up("anna")
    assert "ends your session" in page_of(await browser.send("GET", "/logout"))
    assert await browser.is_live()
    done = await browser.submit("/logout", "/logout")
    assert sent_to(done) == "/login?reason=logout"
    assert (cookie_of(done), done.headers["Clear-Site-Data"]) == ("", '"storage"')
    assert "You logged out." in page_of(await browser.send("GET", sent_to(done)))
    assert not await browser.is_live()
    assert "You are not signed in." in page_of(await browser.send("GET", "/logout"))


@pytest.mark.gen_test
async def test_logging_out_of_a_dead_session_tells_why_it_had_ended(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    other = new_browser()
    await browser.sign_up("anna")
    await other.sign_in("anna")
    form = form_of(await browser.send("GET", "/logout"), "/logout")
    await other.send("DELETE", "/api/sessions?scope=others")
    assert sent_to(await browser.send("POST", "/logout", form=form)) == "/login?reason=terminated"


@pytest.mark.gen_test
async def test_a_page_of_an_ended_session_leads_to_the_login_page_with_the_reason(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    other = new_browser()
    await browser.sign_up("anna")
    await other.sign_in("anna")
    await other.send("DELETE", "/api/sessions?scope=others")
    login = sent_to(await browser.send("GET", "/account"))
    assert login == "/login?next=%2Faccount&reason=terminated"
    assert 'data-reason="terminated"' in page_of(await browser.send("GET", login))


@pytest.mark.gen_test
async def test_only_reasons_of_ours_are_told(browser: Browser) -> None:
    for reason in (HOSTILE, "you won", "LOGOUT", ""):
        page = page_of(await browser.send("GET", f"/login?reason={quote(reason)}"))
        assert "data-reason" not in page
        assert HOSTILE not in page


@pytest.mark.gen_test
async def test_forms_and_the_api_take_a_password_to_the_letter(browser: Browser) -> None:
    password = " \x00\x01\t\r\n é😀 & + % = ;  "
    done = await browser.submit("/signup", "/signup", username="anna", password=password)
    assert await browser.arrival(done) == "/account"
    browser.cookie = ""
    await browser.sign_in("anna", password)


@pytest.mark.gen_test
async def test_a_form_without_the_sessions_token_does_nothing(browser: Browser) -> None:
    await browser.sign_up("anna")
    for form in ({}, {"csrf_token": ""}, {"csrf_token": browser.csrf_token[::-1]}):
        refused = await browser.send("POST", "/logout", form=form)
        assert refused.code == 403
        assert "reload the page" in page_of(refused)
        assert browser.sid not in page_of(refused)
    assert await browser.is_live()


@pytest.mark.gen_test
async def test_scripts_are_those_of_ours_alone(browser: Browser) -> None:
    await browser.sign_up("anna")
    seen = set()
    for path in ("/", "/account", "/"):
        answer = await browser.send("GET", path)
        policy = answer.headers["Content-Security-Policy"]
        (nonce,) = re.findall(r"'nonce-([\w-]{22})'", policy)
        tags = re.findall("<script[^>]*>", page_of(answer))
        assert tags
        tags.remove('<script type="application/json" id="texts">')  # data, which nothing runs
        assert all(f'nonce="{nonce}"' in tag and 'src="/static/' in tag for tag in tags)
        assert not re.search(r"\son\w+=|javascript:|<style|style=", page_of(answer))
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        seen.add(nonce)
    assert len(seen) == 3


@pytest.mark.gen_test
async def test_what_is_not_there_is_a_page_for_people_and_a_problem_for_programs(
    browser: Browser,
) -> None:
    for method in ("GET", "POST", "DELETE", "BREW", "OPTIONS"):
        for path in ("/nowhere", "/api", "/account/", "/static", "//", "/%2e%2e/etc", "/login%00"):
            answer = await browser.send(method, path, Origin="http://evil.example")
            assert answer.code == 404
            assert "There is nothing at this address." in page_of(answer)
        for path in ("/api/", "/api/nowhere", "/api/session/", "/api/sessions/a/b"):
            answer = await browser.send(method, path, {})
            assert (answer.code, json_of(answer)["type"]) == (404, "/problems/not-found")
