"""Passkeys that are not what they say, by an authenticator that lies where it is told to."""

from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from server.services import Services
from tests.support.clients.authenticator import Authenticator, to_base64url
from tests.support.clients.browser import Browser, json_of, problem_of
from tests.support.clients.client import PASSWORD
from tests.support.clients.factors import (
    PASSKEY_AGAIN as AGAIN,
)
from tests.support.clients.factors import (
    PASSKEY_LOGIN as LOGIN,
)
from tests.support.clients.factors import (
    add_passkey,
    owed,
)
from tests.support.clients.factors import (
    sign_in_by_passkey as sign_in,
)
from tests.support.clients.factors import (
    with_passkey as key_of,
)

ADA = {"username": "ada", "password": PASSWORD}
OPTIONS = f"{LOGIN}/options"

pytestmark = pytest.mark.gen_test


def refused(answer: HTTPResponse) -> bool:
    return (answer.code, problem_of(answer)) == (401, "passkey-refused")


@pytest.mark.parametrize("counter", [5, 4, 0])
async def test_a_copied_passkey_is_refused_by_its_counter(
    browser: Browser, new_browser: Callable[[], Browser], counter: int
) -> None:
    key = await key_of(browser, counter=4)
    assert (await sign_in(new_browser(), key)).code == 200
    key.counter, key.counts = counter, False
    assert refused(await sign_in(new_browser(), key))
    key.counter = 6
    assert (await sign_in(new_browser(), key)).code == 200


@pytest.mark.proves("6.5.7")
@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "http://localhost:1"},
        {"origin": "https://localhost"},
        {"origin": "null"},
        {"site": "example.org"},
        {"verifies": False},
        {"handle": to_base64url(b"00" + b"A" * 22)},
        {"handle": to_base64url(b"ada")},
        {"handle": ""},
        {"id": to_base64url(bytes(32))},
    ],
    ids=str,
)
async def test_what_is_not_as_it_must_be_is_refused(
    browser: Browser, new_browser: Callable[[], Browser], lie: dict[str, Any]
) -> None:
    key = await key_of(browser)
    for name, value in lie.items():
        setattr(key, name, value)
    assert refused(await sign_in(new_browser(), key))


async def test_a_wrong_signature_and_a_foreign_challenge_are_refused(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    key = await key_of(browser)
    other = new_browser()
    signed = key.use(json_of(await other.send("POST", OPTIONS, {})))
    signed["response"]["signature"] = key.use({"challenge": "AAAA"})["response"]["signature"]
    assert refused(await other.send("POST", LOGIN, {"credential": signed}))
    made_up = key.use({"challenge": to_base64url(bytes(64))})
    assert refused(await other.send("POST", LOGIN, {"credential": made_up}))
    for path in ("/api/passkeys/options", f"{AGAIN}/options"):
        foreign = key.use(json_of(await browser.send("POST", path)))
        assert refused(await other.send("POST", LOGIN, {"credential": foreign}))


@pytest.mark.parametrize(
    "credential",
    [
        {},
        {"id": 1},
        {"id": "x", "rawId": "x", "type": "public-key", "response": {}},
        {"id": "é", "rawId": "\x00", "type": "public-key", "response": {"userHandle": "!"}},
        {
            "id": "AAAA",
            "rawId": "AAAA",
            "type": "public-key",
            "response": {
                "clientDataJSON": to_base64url(b"[" * 5000),
                "authenticatorData": "AAAA",
                "signature": "AAAA",
                "userHandle": "_____w",
                "attestationObject": to_base64url(b"\x9f" * 5000),
            },
        },
    ],
)
async def test_garbage_in_place_of_a_passkey_is_refused_quietly(
    browser: Browser, credential: dict[str, Any]
) -> None:
    assert refused(await browser.send("POST", LOGIN, {"credential": credential}))
    await browser.sign_up("ada")
    body = {"credential": credential, "name": "key"}
    answer = await browser.send("POST", "/api/passkeys", body)
    assert (answer.code, problem_of(answer)) == (409, "setup-expired")
    answer = await browser.send("POST", AGAIN, {"credential": credential})
    assert (answer.code, problem_of(answer)) == (403, "wrong-passkey")


async def test_a_disabled_account_is_refused_like_a_wrong_passkey(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    key = await key_of(browser)
    unknown = await sign_in(new_browser(), Authenticator(browser.url, handle=key.handle))
    await services.accounts.set_disabled("ada", disabled=True)
    disabled = await sign_in(new_browser(), key)
    assert refused(disabled)
    assert disabled.body == unknown.body


async def test_nobody_is_let_in_by_the_passkey_of_somebody_else(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    await key_of(browser)
    berta = new_browser()
    await berta.sign_up("berta")
    hers = Authenticator(browser.url)
    await add_passkey(berta, hers)
    challenge = (await owed(new_browser(), ADA))["challenge"]
    assert refused(await sign_in(new_browser(), hers, challenge=challenge))
    options = json_of(await browser.send("POST", f"{AGAIN}/options"))
    answer = await browser.send("POST", AGAIN, {"credential": hers.use(options)})
    assert (answer.code, problem_of(answer)) == (403, "wrong-passkey")
    options = json_of(await browser.send("POST", "/api/passkeys/options"))
    body = {"credential": Authenticator(browser.url).make(options), "name": "key"}
    answer = await berta.send("POST", "/api/passkeys", body)
    assert (answer.code, problem_of(answer)) == (409, "setup-expired")


async def test_an_authenticator_that_names_another_account_is_refused_after_the_password_too(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    key = await key_of(browser)
    challenge = (await owed(new_browser(), ADA))["challenge"]
    key.handle = to_base64url(b"00" + b"A" * 22)
    assert refused(await sign_in(new_browser(), key, challenge=challenge))
    options = json_of(await browser.send("POST", f"{AGAIN}/options"))
    answer = await browser.send("POST", AGAIN, {"credential": key.use(options)})
    assert (answer.code, problem_of(answer)) == (403, "wrong-passkey")


@pytest.mark.parametrize(
    "lie", [{"verifies": False}, {"site": "example.org"}, {"origin": "http://localhost:1"}], ids=str
)
async def test_a_passkey_made_elsewhere_or_without_its_user_is_not_kept(
    browser: Browser, lie: dict[str, Any]
) -> None:
    await browser.sign_up("ada")
    options = json_of(await browser.send("POST", "/api/passkeys/options"))
    key = Authenticator(**{"origin": browser.url} | lie)
    body = {"credential": key.make(options), "name": "key"}
    answer = await browser.send("POST", "/api/passkeys", body)
    assert (answer.code, problem_of(answer)) == (400, "bad-passkey")
