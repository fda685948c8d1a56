"""Passkeys over the API: made, used in place of the password and after it, removed."""

from collections.abc import Callable

import pytest
from tornado.httpclient import HTTPResponse

from server.services import Services
from tests.support.clients.authenticator import Authenticator, from_base64url
from tests.support.clients.browser import Browser, json_of, problem_of
from tests.support.clients.client import PASSWORD
from tests.support.clients.factors import (
    PASSKEY_AGAIN as AGAIN,
)
from tests.support.clients.factors import (
    PASSKEY_LOGIN as LOGIN,
)
from tests.support.clients.factors import (
    add_app,
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
