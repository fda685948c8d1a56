"""Cookies that are not ours, or not any more: 401 and nothing worse, and the store is not asked."""

import base64
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tornado.web import create_signed_value

from handlers.http.application import Curfew
from handlers.http.cookie import SessionCookie
from server.crypto.keyring import Keyring, parse_secret
from tests.support.clients.browser import Browser, json_of, problem_of
from tests.support.clients.client import COOKIE
from tests.support.engine.keys import KEY
from tests.support.servers.stores import Store

PURPOSE = "session cookie"
STRANGER = Keyring.from_secrets([KEY])
ASKING = ("mget", "get", "hget", "set", "eval", "evalsha", "fcall", "exists", "zrange")


class Asked:
    """Counts the commands that the store has been asked since.

    Renewals of the lease run scripts too, but are 20 s apart.
    """

    def __init__(self, valkey: Store) -> None:
        self._valkey = valkey
        self._before = self._calls()

    def since(self) -> dict[str, int]:
        """Return which commands, and how often."""
        now = self._calls()
        counts = {name: now[name] - self._before[name] for name in ASKING}
        return {name: count for name, count in counts.items() if count}

    def _calls(self) -> dict[str, int]:
        with self._valkey.client() as client:
            counted: Any = client.info("commandstats")
        return {name: counted.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ASKING}


def token_of(cookie: str) -> str:
    """Return what is signed in a cookie."""
    value = cookie.split("|")[4].partition(":")[2]
    return base64.b64decode(value).decode()


def sign(
    token: str, keyring: Keyring, *, name: str = COOKIE, purpose: str = PURPOSE, at: float = 0.0
) -> str:
    """Return a cookie's value as our own code would make it with these keys."""
    keys, clock = keyring.derive(purpose), lambda: at or time.time()
    return SessionCookie(name, keys, timedelta(days=1), secure=True, clock=clock).encode(token)


def sign_as_tornado(token: str, keyring: Keyring, **options: Any) -> str:
    """Return a cookie's value in another of Tornado's formats, under our newest key."""
    return create_signed_value(keyring.derive(PURPOSE).newest[1], COOKIE, token, **options).decode()


def forgeries(genuine: str, keyring: Keyring) -> dict[str, str | list[str]]:
    """Return `Cookie` headers made from a genuine one, none of which is ours."""
    token, ours = token_of(genuine), f"{COOKIE}={genuine}"
    last, middle = ("0" if genuine[-1] != "0" else "1"), genuine[40]
    values = {
        "empty": "",
        "flipped in its signature": genuine[:-1] + last,
        "flipped in its token": genuine.replace(middle, "A" if middle != "A" else "B", 1),
        "cut": genuine[:-1],
        "cut in front": genuine[1:],
        "longer": genuine + "0",
        "in upper case": genuine.upper(),
        "quoted": f'"{genuine}"',
        "encoded": genuine.replace("|", "%7C"),
        "oversized": genuine + "0" * 4096,
        "huge": "A" * 60_000,
        "no text": "\xff\xfe\xa0",
        "fields of nothing": "2|1:0|10:1|1:a|1:b|c",
        "a number too long": f"2|1:0|{'9' * 3000}:1|1:a|1:b|c",
        "the bare token": token,
        "of another key": sign(token, STRANGER),
        "of another purpose": sign(token, keyring, purpose="csrf"),
        "of another name": sign(token, keyring, name="__Host-other"),
        "too old": sign(token, keyring, at=time.time() - 2 * 86_400),
        "of Tornado's first format": sign_as_tornado(token, keyring, version=1),
        "without a key version": sign_as_tornado(token, keyring, version=2),
        "no token inside": sign("hello", keyring),
        "a first generation of 0": sign(token.replace(".1.", ".0."), keyring),
        "a padded generation": sign(token.replace(".1.", ".01."), keyring),
        "a generation out of reach": sign(token.replace(".1.", ".1000000000."), keyring),
        "no shard": sign("xx" + token[2:], keyring),
        "a line end in the token": sign(token + "\n", keyring),
    }
    return {
        **{what: f"{COOKIE}={value}" for what, value in values.items()},
        "twice": f"{ours}; {ours}",
        "in two headers": [ours, ours],
        "with a planted one behind": f"{ours}; {COOKIE}=x",
        "with a planted one before": f"{COOKIE}=; {ours}",
        "in another case": ours.replace(COOKIE, COOKIE.lower()),
        "behind a strange space": f"\xa0{ours}",
        "without a value": COOKIE,
        "after a comma": f"a=b, {ours}",
    }


@pytest.mark.gen_test
@pytest.mark.proves("A4", "A5", "A8", "A13", "A14", "9.1.1", "9.1.2")
async def test_what_is_not_ours_is_refused_without_asking_the_store(
    browser: Browser, app: Curfew, valkey: Store
) -> None:
    await browser.sign_up("anna")
    genuine, browser.cookie = browser.cookie, ""
    await app.services.activity.finish()
    asked = Asked(valkey)
    for what, header in forgeries(genuine, app.services.keyring).items():
        refused = await browser.send("GET", "/api/session", Cookie=header)
        assert (what, refused.code, problem_of(refused)) == (what, 401, "unauthenticated")
        assert json_of(refused)["reason"] == "unauthenticated"
        assert "Set-Cookie" not in refused.headers
        page = await browser.send("GET", "/account", Cookie=header)
        assert (what, page.code) == (what, 303)
        act = await browser.send("POST", "/api/logout", Cookie=header)
        assert (what, act.code) == (what, 401)
        assert (what, asked.since()) == (what, {})
    browser.cookie = genuine
    assert (await browser.send("GET", "/api/session")).code == 200
    assert asked.since() == {"mget": 1}


@pytest.mark.gen_test
@pytest.mark.proves("A2")
async def test_a_genuine_signature_over_an_unknown_or_unissued_token_is_refused(
    browser: Browser, app: Curfew, valkey: Store
) -> None:
    await browser.sign_up("anna")
    genuine = browser.cookie
    sid, _, secret = token_of(genuine).split(".")
    await app.services.activity.finish()
    asked = Asked(valkey)
    tokens = (f"{sid}.1.{'A' * 43}", f"{sid}.2.{secret}", f"00{'A' * 22}.1.{secret}")
    for token in tokens:
        browser.cookie = sign(token, app.services.keyring)
        refused = await browser.send("GET", "/api/session")
        assert (refused.code, json_of(refused)["reason"]) == (401, "unauthenticated")
        assert "Set-Cookie" not in refused.headers
    unknown = 1  # about which a master is asked once more
    assert asked.since() == {"mget": len(tokens), "exists": unknown}
    browser.cookie = genuine
    assert (await browser.send("GET", "/api/session")).code == 200


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "others",
    [
        "a=b; {}; c=d",
        "a;{};=;;",
        "a=b;\t {} \t;c=d",
        'a="; {}',
        "{}; __host-http-curfew=x",
        "\xff={0}; {0}",
    ],
)
async def test_other_cookies_beside_ours_do_no_harm(browser: Browser, others: str) -> None:
    await browser.sign_up("anna")
    header = others.format(f"{COOKIE}={browser.cookie}")
    assert (await browser.send("GET", "/api/session", Cookie=header)).code == 200


NEWEST = "NobodyKnowsThisKeyNobodyKnowsThisKeyNobody0"
RETIRED = "AnotherKeyThatOpensNothingAnotherKeyThatOp4"


@pytest.mark.gen_test
@pytest.mark.parametrize("variables", [{"SECRET_KEYS": f"{NEWEST},{RETIRED}"}])
@pytest.mark.proves("A7", "11.2.2")
async def test_a_cookie_under_a_retired_key_is_read_and_written_under_the_newest(
    browser: Browser, new_browser: Callable[[], Browser], app: Curfew
) -> None:
    await browser.sign_up("anna")
    retired = Keyring.from_secrets([parse_secret(RETIRED)])
    token = token_of(browser.cookie)
    other = new_browser()
    other.cookie = sign(token, retired)
    answer = await other.send("GET", "/api/session")
    assert answer.code == 200
    assert token_of(other.cookie) == token
    signed_at = float(other.cookie.split("|")[2].partition(":")[2])
    assert other.cookie == sign(token, app.services.keyring, at=signed_at)
    assert "Set-Cookie" not in (await other.send("GET", "/api/session")).headers
