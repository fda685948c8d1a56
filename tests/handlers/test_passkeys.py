"""Passkeys over the API, by a software authenticator that lies where it is told to."""

from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from server.services import Services
from tests.support.authenticator import Authenticator, from_base64url, to_base64url
from tests.support.browser import Browser, json_of, problem_of
from tests.support.client import PASSWORD
from tests.support.factors import add_app, add_passkey, owed

ADA = {"username": "ada", "password": PASSWORD}
OPTIONS, LOGIN = "/api/login/passkey/options", "/api/login/passkey"
AGAIN = "/api/session/reauthenticate/passkey"

pytestmark = pytest.mark.gen_test


async def key_of(browser: Browser, **lies: Any) -> Authenticator:
    """Sign Ada up with a passkey."""
    await browser.sign_up("ada")
    key = Authenticator(browser.url, **lies)
    await add_passkey(browser, key)
    return key


async def sign_in(browser: Browser, key: Authenticator, **challenge: str) -> HTTPResponse:
    options = json_of(await browser.send("POST", OPTIONS, challenge))
    return await browser.send("POST", LOGIN, {"credential": key.use(options)})


def refused(answer: HTTPResponse) -> bool:
    return (answer.code, problem_of(answer)) == (401, "passkey-refused")


async def test_a_passkey_signs_in_without_name_and_password(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    key = await key_of(browser)
    other = new_browser()
    options = json_of(await other.send("POST", OPTIONS, {}))
    assert (options["rpId"], options["userVerification"]) == ("localhost", "required")
    assert options["allowCredentials"] == []
    answer = await sign_in(other, key)
    assert set(json_of(answer)) == {"session", "csrf_token"}
    assert json_of(answer)["session"]["user"] == "ada"
    (kept,) = json_of(await browser.send("GET", "/api/factors"))["passkeys"]
    assert (kept["id"], kept["name"], kept["site"]) == (key.id, "key", "localhost")
    assert kept["last_used_at"] >= kept["added_at"]


async def test_a_passkey_is_a_second_factor_after_the_password(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    key = await key_of(browser)
    other = new_browser()
    problem = await owed(other, ADA)
    assert problem["methods"] == ["passkey", "recovery-code"]
    challenge = problem["challenge"]
    options = json_of(await other.send("POST", OPTIONS, {"challenge": challenge}))
    assert [each["id"] for each in options["allowCredentials"]] == [key.id]
    handle, key.handle = key.handle, ""  # with a list of allowed ones it may be left out
    assert (await sign_in(other, key, challenge=challenge)).code == 200
    assert refused(await sign_in(new_browser(), key))
    key.handle = handle
    assert (await sign_in(new_browser(), key)).code == 200


async def test_an_authenticator_is_told_nothing_of_the_person_but_the_name(
    browser: Browser,
) -> None:
    await browser.sign_up("ada")
    options = json_of(await browser.send("POST", "/api/passkeys/options"))
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "none"
    assert (options["rp"]["id"], options["user"]["name"]) == ("localhost", "ada")
    assert b"ada" not in from_base64url(options["user"]["id"])
    again = json_of(await browser.send("POST", "/api/passkeys/options"))
    assert again["user"]["id"] == options["user"]["id"]
    assert again["challenge"] != options["challenge"]


@pytest.mark.proves("6.5.6")
async def test_a_removed_passkey_is_refused(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    key = await key_of(browser)
    assert (await browser.send("DELETE", f"/api/passkeys/{key.id}")).code == 200
    assert refused(await sign_in(new_browser(), key))
    gone = await browser.send("DELETE", f"/api/passkeys/{key.id}")
    assert (gone.code, problem_of(gone)) == (404, "factor-not-found")
    await new_browser().sign_in("ada")  # by the password alone again


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


@pytest.mark.proves("6.7.2")
async def test_a_challenge_is_used_once_and_in_time(
    browser: Browser, new_browser: Callable[[], Browser], travel: Callable[[float], None]
) -> None:
    key = await key_of(browser)
    other = new_browser()
    options = json_of(await other.send("POST", OPTIONS, {}))
    assert (await other.send("POST", LOGIN, {"credential": key.use(options)})).code == 200
    assert refused(await new_browser().send("POST", LOGIN, {"credential": key.use(options)}))
    options = json_of(await new_browser().send("POST", OPTIONS, {}))
    travel(301)
    assert refused(await new_browser().send("POST", LOGIN, {"credential": key.use(options)}))


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


@pytest.mark.proves("7.5.1", "7.2.4")
async def test_a_passkey_proves_it_again_and_changes_the_token_at_once(
    browser: Browser, travel: Callable[[float], None]
) -> None:
    key = await key_of(browser)
    travel(301)
    assert problem_of(await browser.send("POST", "/api/totp")) == "reauthentication-required"
    before = browser.cookie
    options = json_of(await browser.send("POST", f"{AGAIN}/options"))
    assert (await browser.send("POST", AGAIN, {"credential": key.use(options)})).code == 200
    assert (await browser.send("POST", "/api/totp")).code == 200
    browser.cookie = before
    assert not await browser.is_live()


@pytest.mark.parametrize("name", ["", "   ", "a" * 65, "a\nb", "\u202eyek"])
async def test_a_passkey_has_a_name_that_one_can_see(browser: Browser, name: str) -> None:
    await browser.sign_up("ada")
    options = json_of(await browser.send("POST", "/api/passkeys/options"))
    body = {"credential": Authenticator(browser.url).make(options), "name": name}
    answer = await browser.send("POST", "/api/passkeys", body)
    assert (answer.code, problem_of(answer)) == (400, "bad-passkey-name")


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


async def test_an_account_has_several_passkeys_but_a_bounded_number(browser: Browser) -> None:
    await browser.sign_up("ada")
    codes = [await add_passkey(browser, Authenticator(browser.url), f"{n}") for n in range(10)]
    assert [len(each) for each in codes] == [10] + [0] * 9
    options = json_of(await browser.send("POST", "/api/passkeys/options"))
    assert len(options["excludeCredentials"]) == 10
    body = {"credential": Authenticator(browser.url).make(options), "name": "one more"}
    answer = await browser.send("POST", "/api/passkeys", body)
    assert (answer.code, problem_of(answer)) == (409, "too-many-passkeys")


@pytest.mark.parametrize("variables", [{"ORIGINS": "http://127.0.0.1:1,http://localhost:1"}])
async def test_an_address_can_have_no_passkeys(browser: Browser) -> None:
    there = {"Host": "127.0.0.1:1", "Origin": "http://127.0.0.1:1"}
    answer = await browser.send("POST", OPTIONS, {}, **there)  # type: ignore[arg-type]  # headers
    assert (answer.code, problem_of(answer)) == (409, "passkeys-unavailable")


async def test_with_an_app_and_a_passkey_either_will_do(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    key = await key_of(browser)
    app, codes = await add_app(browser, services.clock.now)
    assert codes == []  # the first factor brought them
    problem = await owed(new_browser(), ADA)
    assert problem["methods"] == ["totp", "passkey", "recovery-code"]
    body = {"challenge": problem["challenge"], "code": app.code()}
    assert (await new_browser().send("POST", "/api/login/second-factor", body)).code == 200
    assert (await sign_in(new_browser(), key)).code == 200
