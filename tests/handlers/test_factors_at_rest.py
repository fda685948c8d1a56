"""What the store holds of second factors, and what follows when somebody changes it."""

import json
from collections.abc import Callable

import pytest

from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.services import Services
from server.store.accounts import PURPOSE
from settings import Settings
from tests.support.clients.authenticator import Authenticator, from_base64url
from tests.support.clients.browser import Browser, json_of, problem_of
from tests.support.clients.factors import add_app, add_passkey
from tests.support.secrets.contents import everything, found_in, key_like
from tests.support.servers.stores import Store

FIELDS_BEFORE = ("user", "password_hash", "admin", "disabled", "created_at")

pytestmark = pytest.mark.gen_test


@pytest.mark.proves("6.5.2", "6.7.1")
async def test_the_store_shows_no_code_no_secret_and_no_key(
    browser: Browser, services: Services, valkey: Store
) -> None:
    await browser.sign_up("ada")
    begun = json_of(await browser.send("POST", "/api/totp"))
    _, codes = await add_app(browser, services.clock.now)
    key = Authenticator(browser.url)
    await add_passkey(browser, key)
    secrets: list[str | bytes] = [begun["secret"], *codes, key.id, from_base64url(key.id)]
    secrets += [code.replace("-", "") for code in codes]
    with valkey.client() as raw:
        assert found_in(everything(raw), secrets) == []


async def test_an_account_from_before_there_were_second_factors_has_none(
    browser: Browser, services: Services, configuration: Settings, valkey: Store
) -> None:
    await browser.sign_up("ada")
    account = await services.accounts.find("ada")
    assert account is not None
    record = {name: getattr(account, name) for name in FIELDS_BEFORE}
    sealer = Sealer(Keyring.from_secrets(configuration.secret_keys))
    box = sealer.seal(json.dumps(record).encode(), purpose=PURPOSE, context="ada")
    with valkey.client() as raw:
        raw.set(key_like(raw, "account:ada"), b"3 op \n" + box)
    await browser.sign_in("ada")
    assert await services.accounts.find("ada") == account
    await add_passkey(browser, Authenticator(browser.url))
    changed = await services.accounts.find("ada")
    assert changed is not None
    assert changed.factors.enabled


async def test_a_handle_that_was_led_elsewhere_opens_no_account(
    browser: Browser, new_browser: Callable[[], Browser], valkey: Store
) -> None:
    await browser.sign_up("ada")
    key = Authenticator(browser.url)
    await add_passkey(browser, key)
    await new_browser().sign_up("berta")
    handle = from_base64url(key.handle).decode()
    for user in ("berta", "nobody-here", "\xff"):
        with valkey.client() as raw:
            raw.set(key_like(raw, f"handle:{handle}"), user.encode("latin-1"))
        options = json_of(await new_browser().send("POST", "/api/login/passkey/options", {}))
        body = {"credential": key.use(options)}
        refused = await new_browser().send("POST", "/api/login/passkey", body)
        assert (refused.code, problem_of(refused)) == (401, "passkey-refused")


async def test_a_used_challenge_is_forgotten_when_it_would_have_expired(
    browser: Browser, valkey: Store
) -> None:
    await browser.sign_up("ada")
    await add_passkey(browser, Authenticator(browser.url))
    with valkey.client() as raw:
        assert 0 < int(raw.pttl(key_like(raw, "used:*"))) <= 300_000
