"""A stale session: the page asks for the password, and then carries on with what was wanted."""

from collections.abc import Callable

import pytest

from tests.support.clients.browser import Browser, cookie_of, form_of, page_of, sent_to
from tests.support.clients.client import PASSWORD

NEW_PASSWORD = "eleven herons on the morning ferry"
END_MANY = "/account/sessions/end"
STALE = 301


@pytest.fixture
def other(new_browser: Callable[[], Browser]) -> Browser:
    """A second browser of the same person."""
    return new_browser()


async def carry_on(browser: Browser, action: str, **fields: str) -> tuple[str, dict[str, str]]:
    """Send a form with a stale session; the page that asks, and its form."""
    sent = {"csrf_token": browser.csrf_token, **fields}
    asked = await browser.send("POST", action, form=sent)
    assert asked.code == 403
    assert "Set-Cookie" not in asked.headers
    return page_of(asked), form_of(asked, action)


@pytest.mark.gen_test
@pytest.mark.proves("7.5.1", "7.5.3")
async def test_one_session_is_ended_once_the_password_has_come(
    browser: Browser, other: Browser, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("anna")
    await other.sign_in("anna")
    travel(STALE)
    action, former = f"/account/sessions/{other.sid}/end", browser.cookie
    page, form = await carry_on(browser, action)
    assert "Enter your password to end the session on" in page
    assert await other.is_live()

    wrong = await browser.send("POST", action, form=form | {"password": NEW_PASSWORD})
    assert wrong.code == 403
    assert "The password is wrong." in page_of(wrong)
    assert form_of(wrong, action) == form
    assert await other.is_live()

    done = await browser.send("POST", action, form=form | {"password": PASSWORD})
    assert done.code == 200
    assert "1 session ended" in page_of(done)
    assert browser.cookie != former
    assert await browser.is_live()
    assert not await other.is_live()
    again = await browser.send("POST", action, form={"csrf_token": browser.csrf_token})
    assert again.code == 404  # the password is recent now, so it is not asked for


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("scope", "asked"), [("others", "all your other sessions"), ("all", "this one too")]
)
async def test_many_sessions_are_ended_likewise(
    browser: Browser,
    other: Browser,
    travel: Callable[[float], None],
    scope: str,
    asked: str,
) -> None:
    await browser.sign_up("anna")
    await other.sign_in("anna")
    travel(STALE)
    page, form = await carry_on(browser, END_MANY, scope=scope)
    assert asked in page
    assert form["scope"] == scope
    done = await browser.send("POST", END_MANY, form=form | {"password": PASSWORD})
    if scope == "all":
        assert (sent_to(done), cookie_of(done)) == ("/login?reason=terminated", "")
    else:
        assert "1 session ended" in page_of(done)
        assert await browser.is_live()
    assert not await other.is_live()


@pytest.mark.gen_test
async def test_what_cannot_be_done_is_refused_before_a_password_is_asked_for(
    browser: Browser, other: Browser, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("anna")
    await other.sign_up("berta")
    travel(STALE)
    token = {"csrf_token": browser.csrf_token}
    foreign = await browser.send("POST", f"/account/sessions/{other.sid}/end", form=token)
    assert foreign.code == 404
    assert "You have no live session with this id." in page_of(foreign)
    for scope in ("", "everybody", "others\x00", "ALL"):
        refused = await browser.send("POST", END_MANY, form=token | {"scope": scope})
        assert refused.code == 400
    twice = await browser.send(
        "POST", END_MANY, raw=b"scope=all&scope=others&csrf_token=" + browser.csrf_token.encode(),
        X_CSRF_Token=None, Content_Type="application/x-www-form-urlencoded",
    )  # fmt: skip
    assert twice.code == 400
    assert await browser.is_live()
    assert await other.is_live()


@pytest.mark.gen_test
async def test_the_password_alone_does_nothing_without_the_sessions_token(
    browser: Browser, other: Browser, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("anna")
    await other.sign_in("anna")
    travel(STALE)
    former = browser.cookie
    for token in ("", browser.csrf_token[::-1]):
        form = {"csrf_token": token, "scope": "all", "password": PASSWORD}
        refused = await browser.send("POST", END_MANY, form=form)
        assert refused.code == 403
        assert "Set-Cookie" not in refused.headers
    stranger = await browser.send(
        "POST", END_MANY, form=form | {"csrf_token": browser.csrf_token},
        Origin="http://evil.example",
    )  # fmt: skip
    assert stranger.code == 403
    assert browser.cookie == former
    assert await browser.is_live()
    assert await other.is_live()


@pytest.mark.gen_test
async def test_reading_never_carries_anything_out(
    browser: Browser, other: Browser, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("anna")
    await other.sign_in("anna")
    travel(STALE)
    query = f"?scope=all&password={PASSWORD.replace(' ', '+')}&csrf_token={browser.csrf_token}"
    for action in (END_MANY, f"/account/sessions/{other.sid}/end"):
        assert sent_to(await browser.send("GET", action + query)) == "/account"
        posted = await browser.send(
            "POST", action + query, form={"csrf_token": browser.csrf_token, "scope": "all"}
        )
        assert posted.code == 403  # only the body is read
    assert await browser.is_live()
    assert await other.is_live()


@pytest.mark.gen_test
async def test_the_question_repeats_only_the_forms_own_fields_and_no_password(
    browser: Browser, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("anna")
    travel(STALE)
    hostile = '"><script>alert(1)</script>'
    fields = {"scope": "all", "sid": hostile, "new_password": NEW_PASSWORD}
    page, form = await carry_on(browser, END_MANY, **fields)
    assert set(form) == {"csrf_token", "scope", "username", "password"}
    assert hostile not in page
    assert NEW_PASSWORD not in page


@pytest.mark.gen_test
async def test_a_stale_password_form_needs_no_question_since_it_brings_the_password(
    browser: Browser, other: Browser, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("anna")
    await other.sign_in("anna")
    travel(STALE)
    fields = {
        "csrf_token": browser.csrf_token,
        "current_password": NEW_PASSWORD,
        "new_password": NEW_PASSWORD,
        "end_other_sessions": "on",
    }
    for current in (NEW_PASSWORD, ""):
        form = fields | {"current_password": current}
        wrong = await browser.send("POST", "/account/password", form=form)
        assert wrong.code == 403
        assert "The password is wrong." in page_of(wrong)
        assert NEW_PASSWORD not in page_of(wrong)
    form = fields | {"current_password": PASSWORD}
    done = await browser.send("POST", "/account/password", form=form)
    assert "Your password was changed." in page_of(done)
    assert await browser.is_live()
    assert not await other.is_live()
    await other.sign_in("anna", NEW_PASSWORD)


@pytest.mark.gen_test
async def test_a_page_that_needs_a_recent_password_leads_to_the_question_and_back(
    browser: Browser, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("anna")
    travel(STALE)
    question = "/reauthenticate?next=/account"
    wrong = await browser.submit(question, "/reauthenticate", password=NEW_PASSWORD)
    assert wrong.code == 403
    assert "The password is wrong." in page_of(wrong)
    former = browser.cookie
    done = await browser.submit(question, "/reauthenticate", password=PASSWORD)
    assert sent_to(done) == "/account"
    assert browser.cookie != former
