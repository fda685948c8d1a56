"""Bodies that no route takes: each a clear refusal, nothing done, and the session goes on."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from handlers.http.body import MAX_BODY_BYTES
from server.services import Services
from tests.support.clients.browser import Browser, json_of, problem_of
from tests.support.clients.client import PASSWORD
from tests.support.clients.routes import NOBODY, UNSAFE, all_routes


@dataclass(frozen=True)
class Taker:
    """A route that takes JSON.

    Attributes:
        fields: of a body that it takes.
        optional: fields that may be left out.
    """

    method: str
    path: str
    fields: dict[str, Any] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


DATA = Taker("PATCH", "/api/session/data")
END_OTHERS = {"end_other_sessions": True}
OPTIONAL_END = frozenset(END_OTHERS)
CLOSED = [
    Taker("POST", "/api/signup", {"username": "berta", "password": PASSWORD}),
    Taker(
        "POST",
        "/api/login",
        {"username": "root", "password": PASSWORD, "remember": True},
        frozenset({"remember"}),
    ),
    Taker("POST", "/api/login/second-factor", {"challenge": "c", "code": "123456"}),
    Taker("POST", "/api/login/passkey/options", {"challenge": "c"}, frozenset({"challenge"})),
    Taker(
        "POST",
        "/api/login/passkey",
        {"credential": {}, "remember": False},
        frozenset({"remember"}),
    ),
    Taker(
        "POST",
        "/api/session/reauthenticate",
        {"password": PASSWORD, "code": "123456"},
        frozenset({"code"}),
    ),
    Taker("POST", "/api/session/reauthenticate/passkey", {"credential": {}}),
    Taker("PUT", "/api/totp", {"setup": "s", "code": "123456", **END_OTHERS}, OPTIONAL_END),
    Taker("POST", "/api/recovery-codes", END_OTHERS, OPTIONAL_END),
    Taker("POST", "/api/passkeys", {"credential": {}, "name": "key", **END_OTHERS}, OPTIONAL_END),
    Taker("PUT", f"/api/admin/users/{NOBODY}/disabled", {"disabled": True}),
    Taker(
        "PUT",
        f"/api/admin/users/{NOBODY}/admin",
        {"admin": True, "force": False},
        frozenset({"force"}),
    ),
    Taker("PUT", f"/api/admin/users/{NOBODY}/name", {"name": "somebody"}),
    Taker(
        "PUT",
        "/api/password",
        {"current_password": PASSWORD, "new_password": PASSWORD * 2, **END_OTHERS},
        OPTIONAL_END,
    ),
]
ALL = [*CLOSED, DATA]
WITHOUT_BODY = {
    *(("POST", f"/api/{path}") for path in ("logout", "session/rotate", "totp")),
    *(("POST", f"/api/{path}/options") for path in ("passkeys", "session/reauthenticate/passkey")),
    *(("DELETE", f"/api/{path}") for path in ("totp", f"passkeys/{NOBODY}")),
    *(("DELETE", f"/api/{path}") for path in ("sessions", f"sessions/{NOBODY}")),
    ("DELETE", f"/api/admin/users/{NOBODY}/sessions"),
    ("DELETE", f"/api/admin/users/{NOBODY}"),
    ("DELETE", "/api/account"),
}

NOT_JSON = [
    b"",
    b" ",
    b"{",
    b"{}{}",
    b"{'password': 1}",
    b'{"password": NaN}',
    b'{"a": -Infinity}',
    b'{"a": 1e999}',
    b'{"a": 1, "a": 1}',
    b'{"disabled": true, "disabled": false}',
    b'{"a": "\xff"}',
    b'{"a": "\xed\xa0\x80"}',
    b'{"a": "\n"}',
    b"\xef\xbb\xbf{}",
    '{"a": 1}'.encode("utf-16"),
    b'{"a": ' + b"9" * 5000 + b"}",
    b'{"a":' * 20_000,
    b'{"a":' + b"[" * 60_000 + b"]" * 60_000 + b"}",
    b"\x00",
    b"\x1f\x8b\x08\x00",
]
JSON_THAT_CANNOT_BE_HANDED_ON = [
    rb'{"a": "\ud800"}',
    rb'{"a": [{"b": "x\udfffy"}]}',
    rb'{"\uDC00": 1}',
    b'{"a":' + b"[" * 33 + b"]" * 33 + b"}",
    b'{"a":' + b"[" * 960 + b"]" * 960 + b"}",
    b'{"a":' * 500 + b"1" + b"}" * 500,
]
NO_OBJECT = [b"[]", b'"a"', b"1", b"null", b"true", b'[{"a": 1}]']
VALUES = [None, True, 1, 1.5, "text", [], {}, ["a"], {"a": 1}]


async def sign_in(browser: Browser, services: Services) -> None:
    """Sign in as somebody who may do everything."""
    await services.accounts.create("root", PASSWORD, admin=True)
    await browser.sign_in("root")


async def send(browser: Browser, taker: Taker, raw: bytes, **headers: str | None) -> HTTPResponse:
    """Send a body as it is."""
    given: dict[str, Any] = {"Content_Type": "application/json", **headers}
    return await browser.send(taker.method, taker.path, raw=raw, **given)


async def is_unharmed(browser: Browser, refused: HTTPResponse) -> None:
    """Check that nothing was done: same session, same cookie, no data."""
    assert "Set-Cookie" not in refused.headers
    read = await browser.send("GET", "/api/session")
    assert (read.code, json_of(read)["session"]["id"]) == (200, browser.sid)
    assert json_of(await browser.send("GET", "/api/session/data")) == {}


def test_no_route_that_takes_json_is_left_out() -> None:
    acting = {
        (method, route.path)
        for route in all_routes()
        for method in UNSAFE
        if method in route.methods and route.path.startswith("/api/")
    }
    assert {(taker.method, taker.path) for taker in ALL} == acting - WITHOUT_BODY


@pytest.mark.gen_test
@pytest.mark.parametrize("taker", ALL, ids=str)
async def test_what_is_not_json_is_refused(
    browser: Browser, services: Services, taker: Taker
) -> None:
    await sign_in(browser, services)
    for raw in [*NOT_JSON, *JSON_THAT_CANNOT_BE_HANDED_ON, *NO_OBJECT]:
        refused = await send(browser, taker, raw)
        assert (raw, refused.code, problem_of(refused)) == (raw, 400, "bad-request")
    await is_unharmed(browser, refused)


@pytest.mark.gen_test
@pytest.mark.parametrize("taker", ALL, ids=str)
@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/jsonx",
        "application/problem+json",
        "application/json, application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
        "é",
    ],
)
@pytest.mark.proves("3.5.2", "A58")
async def test_another_media_type_is_refused(
    browser: Browser, services: Services, taker: Taker, media_type: str | None
) -> None:
    await sign_in(browser, services)
    raw = json.dumps(taker.fields).encode()
    refused = await send(browser, taker, raw, Content_Type=media_type)
    assert (refused.code, problem_of(refused)) in {
        (415, "unsupported-media-type"),
        (400, "bad-request"),  # Tornado reads forms before a handler is asked
    }
    await is_unharmed(browser, refused)


@pytest.mark.gen_test
@pytest.mark.parametrize("taker", CLOSED, ids=str)
@pytest.mark.proves("A70", "15.3.5", "2.2.1")
async def test_every_field_has_its_type(browser: Browser, services: Services, taker: Taker) -> None:
    await sign_in(browser, services)
    for name, right in taker.fields.items():
        for value in VALUES:
            if type(value) is not type(right):
                refused = await browser.send(taker.method, taker.path, taker.fields | {name: value})
                assert (value, refused.code, problem_of(refused)) == (value, 400, "bad-request")
                assert f"`{name}`" in json_of(refused)["detail"]
    await is_unharmed(browser, refused)


@pytest.mark.gen_test
@pytest.mark.parametrize("taker", CLOSED, ids=str)
@pytest.mark.proves("A72", "A58", "15.3.3")
async def test_every_field_must_be_there_and_no_other(
    browser: Browser, services: Services, taker: Taker
) -> None:
    await sign_in(browser, services)
    for missing in set(taker.fields) - taker.optional:
        body = {name: value for name, value in taker.fields.items() if name != missing}
        refused = await browser.send(taker.method, taker.path, body)
        assert (refused.code, problem_of(refused)) == (400, "bad-request")
        assert f"`{missing}` is missing" in json_of(refused)["detail"]
    for unknown in ("admin", "Password", "password ", "", "__proto__", "<b>é\r\n", "x" * 9999):
        refused = await browser.send(taker.method, taker.path, taker.fields | {unknown: 1})
        assert (refused.code, problem_of(refused)) == (400, "bad-request")
        assert len(json_of(refused)["detail"]) < 400
        assert json_of(refused)["detail"].isprintable()
    await is_unharmed(browser, refused)


@pytest.mark.gen_test
@pytest.mark.parametrize("taker", ALL, ids=str)
@pytest.mark.proves("A58")
async def test_a_body_may_take_128_kib_and_no_byte_more(
    browser: Browser, services: Services, taker: Taker
) -> None:
    await sign_in(browser, services)
    longest = b'{"password":"' + b"p" * (MAX_BODY_BYTES - 15) + b'"}'
    for raw, statuses in (
        (longest, {400, 413 if taker is DATA else 403}),
        (b"{" + longest, {413}),
        (b"{" * 2**20, {413}),
    ):
        refused = await send(browser, taker, raw)
        assert refused.code in statuses
        assert (problem_of(refused) == "body-too-large") is (len(raw) > MAX_BODY_BYTES)
        assert len(refused.body) < 400
    await is_unharmed(browser, refused)


@pytest.mark.gen_test
@pytest.mark.proves("A75")
async def test_line_ends_in_fields_reach_no_header(browser: Browser, services: Services) -> None:
    await sign_in(browser, services)
    split = "root\r\nSet-Cookie: planted=1\r\n\r\n<html>"
    password = split.replace("1", "2")  # another: what is no secret is shown again
    answers = [
        await browser.send("POST", "/api/login", {"username": split, "password": password}),
        await browser.send("POST", "/api/signup", {"username": split, "password": password * 2}),
        await browser.send("POST", "/login", form={
            "username": split, "password": password, "next": split,
            "csrf_token": browser.csrf_token,
        }),
        await browser.send("PATCH", "/api/session/data", {split: split}),
        await browser.send("PATCH", "/api/session/data", {split: None}),
        await browser.send("DELETE", "/api/sessions?scope=all%0d%0aSet-Cookie:%20planted=1"),
        await browser.send("GET", "/login?next=/%0d%0aSet-Cookie:%20planted=1&reason=a%0d%0ab"),
        await browser.send("GET", "/account/%0d%0aSet-Cookie:%20planted=1"),
    ]  # fmt: skip
    for answer in answers:
        assert answer.code < 500
        assert "planted" not in str(list(answer.headers.get_all()))
    await is_unharmed(browser, answers[0])


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/signup", "/login", "/reauthenticate", "/account/password"])
@pytest.mark.parametrize(
    ("media_type", "raw", "statuses"),
    [
        ("application/x-www-form-urlencoded", b"username=%ff&password=%ff&csrf_token=%ff", {400}),
        ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 5000), {400, 403}),
        ("application/x-www-form-urlencoded", b"%", {403}),
        ("application/json", b'{"csrf_token": "x"}', {403}),
        ("multipart/form-data", b"", {400}),
        ("multipart/form-data; boundary=a", b"--a\r\n\r\n--a--", {400}),
        ("multipart/form-data; boundary=", b"", {400}),
        ("text/plain", b"\x00\xff", {403}),
    ],
)
async def test_a_form_that_is_none_is_refused_on_a_page(
    browser: Browser, services: Services, path: str, media_type: str, raw: bytes, statuses: set[int]
) -> None:
    await sign_in(browser, services)
    refused = await browser.send("POST", path, raw=raw, Content_Type=media_type, X_CSRF_Token=None)
    assert refused.code in statuses
    assert refused.headers["Content-Type"] == "text/html; charset=UTF-8"
    await is_unharmed(browser, refused)
