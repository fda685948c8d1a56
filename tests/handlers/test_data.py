"""The session's data over the API, and the anonymous sessions that the first write begins."""

from collections.abc import Callable
from typing import Any

import pytest

from server.core.session import MAX_DATA_BYTES
from tests.support.clients.browser import Browser, cookie_of, json_of, problem_of
from tests.support.clients.client import PASSWORD

DATA = "/api/session/data"


@pytest.mark.gen_test
async def test_top_level_keys_are_merged_and_null_removes(browser: Browser) -> None:
    await browser.sign_up("anna")
    assert json_of(await browser.send("GET", DATA)) == {}
    for changes, expected in (
        ({"a": 1, "b": {"c": [None, True]}}, {"a": 1, "b": {"c": [None, True]}}),
        ({"b": {"d": 2}, "": "é"}, {"a": 1, "b": {"d": 2}, "": "é"}),
        ({"a": None, "never": None}, {"b": {"d": 2}, "": "é"}),
        ({}, {"b": {"d": 2}, "": "é"}),
    ):
        answer = await browser.send("PATCH", DATA, changes)
        assert (answer.code, json_of(answer)) == (200, expected)
        assert json_of(await browser.send("GET", DATA)) == expected


@pytest.mark.gen_test
@pytest.mark.proves("7.6.2", "A16")
async def test_a_visitor_gets_a_session_with_the_first_write_and_not_before(
    browser: Browser,
) -> None:
    for nothing in ({}, {"a": None}):
        answer = await browser.send("PATCH", DATA, nothing)
        assert (answer.code, json_of(answer), cookie_of(answer)) == (200, {}, None)
    written = await browser.send("PATCH", DATA, {"basket": [1, 2]})
    assert (written.code, json_of(written)) == (200, {"basket": [1, 2]})
    assert cookie_of(written)
    read = json_of(await browser.send("GET", "/api/session"))
    assert read["session"]["user"] is None
    assert read["session"]["authenticated_at"] is None
    assert json_of(await browser.send("GET", DATA)) == {"basket": [1, 2]}


@pytest.mark.gen_test
@pytest.mark.proves("A1")
async def test_an_anonymous_session_may_be_rotated_and_left_but_nothing_more(
    browser: Browser,
) -> None:
    await browser.send("PATCH", DATA, {"a": 1})
    browser.csrf_token = json_of(await browser.send("GET", "/api/session"))["csrf_token"]
    assert (await browser.send("POST", "/api/session/rotate")).code == 200
    for method, path, body in (
        ("GET", "/api/sessions", None),
        ("DELETE", "/api/sessions?scope=all", None),
        ("POST", "/api/session/reauthenticate", {"password": PASSWORD}),
    ):
        refused = await browser.send(method, path, body)
        assert (refused.code, problem_of(refused)) == (401, "unauthenticated")
    assert (await browser.send("POST", "/api/logout")).code == 200


@pytest.mark.gen_test
@pytest.mark.proves("A1", "7.2.4")
async def test_signing_in_carries_a_visitors_data_over_and_ends_the_anonymous_session(
    browser: Browser,
) -> None:
    made = {"username": "anna", "password": PASSWORD}
    await browser.send("POST", "/api/signup", made)
    await browser.send("PATCH", DATA, {"basket": [1]})
    anonymous = json_of(await browser.send("GET", "/api/session"))
    cookie, browser.csrf_token = browser.cookie, anonymous["csrf_token"]
    await browser.sign_in("anna")
    assert browser.sid != anonymous["session"]["id"]
    assert json_of(await browser.send("GET", DATA)) == {"basket": [1]}
    browser.cookie = cookie
    assert json_of(await browser.send("GET", "/api/session"))["reason"] == "superseded"


@pytest.mark.gen_test
async def test_a_persons_data_is_not_carried_into_another_persons_session(
    browser: Browser,
) -> None:
    await browser.sign_up("anna")
    await browser.send("PATCH", DATA, {"secret": 1})
    await browser.send("POST", "/api/signup", {"username": "berta", "password": PASSWORD})
    await browser.sign_in("berta")
    assert json_of(await browser.send("GET", DATA)) == {}


@pytest.mark.gen_test
@pytest.mark.proves("A31")
async def test_a_write_meant_for_an_ended_session_is_refused_with_the_reason(
    browser: Browser,
) -> None:
    """Else it would begin an anonymous session, whose cookie may replace a newer sign-in's."""
    await browser.sign_up("anna")
    cookie, csrf_token = browser.cookie, browser.csrf_token
    await browser.send("POST", "/api/logout")
    browser.cookie, browser.csrf_token = cookie, csrf_token
    late = await browser.send("PATCH", DATA, {"a": 1})
    assert (late.code, json_of(late)["reason"]) == (401, "logout")
    assert "Set-Cookie" not in late.headers


@pytest.mark.gen_test
async def test_a_write_with_an_overtaken_token_leaves_the_newer_cookie_alone(
    browser: Browser,
) -> None:
    await browser.sign_up("anna")
    overtaken = browser.cookie
    await browser.send("POST", "/api/session/reauthenticate", {"password": PASSWORD})
    latest, browser.cookie = browser.cookie, overtaken
    late = await browser.send("PATCH", DATA, {"a": 1}, keep=False)
    assert late.code == 401
    assert "Set-Cookie" not in late.headers
    browser.cookie = latest
    assert json_of(await browser.send("GET", DATA)) == {}


@pytest.mark.gen_test
@pytest.mark.parametrize("signed_in", [True, False])
async def test_data_may_take_64_kib_and_no_byte_more(browser: Browser, *, signed_in: bool) -> None:
    if signed_in:
        await browser.sign_up("anna")
    most = MAX_DATA_BYTES - len('{"a":""}')
    refused = await browser.send("PATCH", DATA, {"a": "x" * (most + 1)})
    assert (refused.code, problem_of(refused)) == (413, "data-refused")
    assert "65537 bytes; 65536" in json_of(refused)["detail"]
    assert "Set-Cookie" not in refused.headers
    assert json_of(await browser.send("GET", DATA)) == {}
    assert (await browser.send("PATCH", DATA, {"a": "x" * most})).code == 200


@pytest.mark.gen_test
async def test_data_over_the_limit_together_leaves_what_was_there(browser: Browser) -> None:
    await browser.sign_up("anna")
    await browser.send("PATCH", DATA, {"a": "x" * 40_000})
    assert (await browser.send("PATCH", DATA, {"b": "x" * 40_000})).code == 413
    assert set(json_of(await browser.send("GET", DATA))) == {"a"}
    assert (await browser.send("PATCH", DATA, {"a": None, "b": "x" * 40_000})).code == 200


@pytest.mark.gen_test
@pytest.mark.parametrize("body", [[], "a", 1, None, True])
async def test_data_is_an_object(browser: Browser, body: Any) -> None:
    await browser.sign_up("anna")
    raw = b"null" if body is None else None
    refused = await browser.send("PATCH", DATA, body, raw=raw, Content_Type="application/json")
    assert (refused.code, problem_of(refused)) == (400, "bad-request")


@pytest.mark.gen_test
async def test_what_is_read_is_what_was_written(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    deep: Any = "bottom"
    for _ in range(31):
        deep = [deep]
    values = {"é\u0000": "😀\u2028", "n": -0.5, "big": 2**70, "deep": deep, "o": {"__proto__": {}}}
    await browser.sign_up("anna")
    assert (await browser.send("PATCH", DATA, values)).code == 200
    assert json_of(await browser.send("GET", DATA)) == values
    assert json_of(await new_browser().send("GET", DATA)) == {}
