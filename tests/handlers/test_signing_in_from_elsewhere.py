"""Another site that signs a visitor in as somebody else: every way in, right in all but whence."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from tests.support.clients.authenticator import Authenticator
from tests.support.clients.browser import Browser, json_of, problem_of
from tests.support.clients.client import PASSWORD
from tests.support.clients.factors import PASSKEY_LOGIN, add_passkey, owed
from tests.support.clients.routes import ways_in

PLAIN = {"username": "anna", "password": PASSWORD}
OWING = {"username": "berta", "password": PASSWORD}
ELSEWHERE: list[dict[str, Any]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://evil.localhost:{port}"},
    {"Origin": "http://localhost:1{port}"},
    {"Origin": "https://localhost:{port}"},
    {"Origin": "null", "Sec_Fetch_Site": "same-origin"},
    *({"Origin": None, "Sec_Fetch_Site": each} for each in ("cross-site", "same-site", "none")),
]
SIMPLE = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a")
"""The types that a form of another site can send without asking first."""


@dataclass(frozen=True)
class Way:
    """One address, with what signs in there."""

    path: str
    fields: dict[str, Any]

    @property
    def is_form(self) -> bool:
        """Whether it is a page's."""
        return not self.path.startswith("/api/")

    async def send(self, browser: Browser, **headers: Any) -> HTTPResponse:
        """Send it; other headers than those of our own pages win."""
        if self.is_form:
            return await browser.send("POST", self.path, form=self.fields, **headers)
        return await browser.send("POST", self.path, self.fields, **headers)


async def all_ways(new_browser: Callable[[], Browser]) -> Sequence[Way]:
    """Every way in, for people who exist: Berta has a passkey and recovery codes."""
    await new_browser().sign_up("anna")
    berta, stranger = new_browser(), new_browser()
    await berta.sign_up("berta")
    key = Authenticator(berta.url)
    codes = await add_passkey(berta, key)
    challenge = (await owed(stranger, OWING))["challenge"]

    async def credential() -> dict[str, Any]:
        return key.use(json_of(await stranger.send("POST", f"{PASSKEY_LOGIN}/options", {})))

    return [
        Way("/api/login", PLAIN),
        Way("/login", PLAIN),
        Way("/api/login/second-factor", {"challenge": challenge, "code": codes[0]}),
        Way("/login/second-factor", {"challenge": challenge, "code": codes[1]}),
        Way("/api/login/passkey/options", {}),
        Way("/api/login/passkey", {"credential": await credential()}),
        Way("/login/passkey", {"credential": json.dumps(await credential())}),
        Way("/api/signup", PLAIN | {"username": "clara"}),
        Way("/signup", PLAIN | {"username": "dora"}),
    ]


@pytest.mark.gen_test(timeout=30)
@pytest.mark.proves("A67", "3.5.1", "3.5.2", "7.6.2")
async def test_no_other_site_signs_a_visitor_in(
    new_browser: Callable[[], Browser], http_port: int
) -> None:
    ways = await all_ways(new_browser)
    assert {way.path for way in ways} == ways_in()
    for way in ways:
        visitor = new_browser()
        for headers in ELSEWHERE:
            given = {
                name: value and value.format(port=http_port) for name, value in headers.items()
            }
            refused = await way.send(visitor, **given)
            assert (way.path, given, refused.code) == (way.path, given, 403)
            assert "Set-Cookie" not in refused.headers
            assert way.is_form or problem_of(refused) == "forbidden-origin"
        for media_type in () if way.is_form else SIMPLE:
            refused = await way.send(visitor, Content_Type=media_type)
            assert refused.code in {415, 400}
            assert "Set-Cookie" not in refused.headers
        assert not await visitor.is_live()
    for way in ways:
        done = await way.send(new_browser())
        assert done.code in {200, 201, 303}, (way.path, done.body)
        signs_in = way.path not in {"/api/login/passkey/options", "/api/signup"}
        assert ("Set-Cookie" in done.headers) is signs_in, way.path
