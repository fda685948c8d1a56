"""No secret is in any log, frame, page, URL, metric or error of the whole test run.

The search is proved here on planted leaks, and fed by all other tests.
"""

import asyncio
import json
from base64 import b64encode
from datetime import timedelta

import pytest

from handlers.cookie import SessionCookie
from server.core.token import csrf_token, issue_token
from server.crypto.keyring import Keyring, new_secret, parse_secret
from tests.support.client import COOKIE as SESSION_COOKIE
from tests.support.client import PASSWORD, Client, frame
from tests.support.leaks import SEARCH, Finding, LeakSearch
from tests.support.listening import note_answer, note_request
from tests.support.server import RUNNING, CurfewServer

SEED = bytes(range(100, 132))
SID = "00" + "A" * 22
TOKEN = issue_token(SID, SEED, 7)
COOKIE = SessionCookie(
    SESSION_COOKIE,
    Keyring.from_secrets([parse_secret(new_secret())]).derive("session cookie"),
    max_age=timedelta(days=1),
    secure=True,
).encode(str(TOKEN))
CSRF = csrf_token(SEED)
FORM = f'<form><input type="hidden" name="csrf_token" value="{CSRF}"></form>'
CSRF_ANSWER = json.dumps({"session": {}, "csrf_token": CSRF})


@pytest.fixture
def search() -> LeakSearch:
    """One that knows a person's secrets."""
    search = LeakSearch()
    note_request(search, json.dumps({"username": "ada", "password": PASSWORD}).encode())
    headers = [("Set-Cookie", f"{SESSION_COOKIE}={COOKIE}; Path=/; Secure")]
    note_answer(search, "sign-in", headers, CSRF_ANSWER.encode())
    search.key(SEED, "seed")
    return search


@pytest.mark.parametrize(
    ("leak", "kind"),
    [
        (f"GET /?cookie={COOKIE}", "cookie"),
        (f"Cookie: x={COOKIE.rpartition('|')[2]}", "signature of a cookie"),
        (f'{{"token": "{TOKEN}"}}', "token"),
        (f"secret={TOKEN.secret}", "token"),
        (f"prefix{TOKEN.secret}suffix", "token"),
        (f"{{'seed': {SEED!r}}}", "seed"),
        (SEED.hex().upper(), "seed"),
        (b64encode(SEED).decode(), "seed"),
        (f"a line with {PASSWORD}.", "password"),
        (f"csrf={CSRF}", "CSRF token"),
        (f'<script data-token="{CSRF}">', "CSRF token"),
    ],
)
def test_a_planted_leak_is_found_with_its_place_and_not_shown(
    search: LeakSearch, leak: str, kind: str
) -> None:
    search.wrote("an innocent place", "nothing of interest", "log")
    search.wrote("the planted place", f"before {leak} after", "log")
    found = search.findings()
    assert Finding(kind, "the planted place") in found
    assert {each.place for each in found} == {"the planted place"}
    shown = repr(found)
    assert not any(secret in shown for secret in (TOKEN.secret, PASSWORD, CSRF, COOKIE))


def test_a_leak_is_found_also_when_its_secret_is_learned_later() -> None:
    search = LeakSearch()
    search.wrote("a log", SEED.hex(), "log")
    assert search.findings() == []
    search.key(SEED, "seed")
    assert search.findings() == [Finding("seed", "a log")]


def test_secrets_in_their_own_places_are_no_leak(search: LeakSearch) -> None:
    search.wrote("a page", FORM, "HTTP")
    search.wrote("the answer to GET /api/session", CSRF_ANSWER, "HTTP")
    search.wrote("a log", f"session {SID} of ada ended", "log")
    assert search.findings() == []


async def use(server: CurfewServer) -> None:
    """A little of everything, so that the search has something to do when it runs alone."""
    async with Client(server.url) as ada, Client(server.url) as stranger:
        await ada.sign_up("ada")
        async with ada.open_socket() as socket:
            await frame(socket, "hello")
            await ada.request("POST", "/api/session/rotate")
            await frame(socket, "rotated")
        wrong = {"username": "ada", "password": PASSWORD[::-1]}
        await stranger.request("POST", "/api/login", wrong)
        for path in ("/account", "/api/sessions", "/metrics", "/nothing", "/api/activity"):
            await ada.request("GET", path)
        ada.csrf_token = "wrong"
        await ada.request("POST", "/api/logout")
    await asyncio.to_thread(server.command, "sessions", "list")


@pytest.mark.proves("16.2.5", "14.2.1", "3.3.4", "A56", "A83")
def test_nothing_that_the_program_wrote_holds_a_secret() -> None:
    with CurfewServer() as server:
        asyncio.run(use(server))
    for running in RUNNING:
        running.tell()
    assert SEARCH.findings() == []
    assert {"HTTP", "frame", "log", "command"} <= set(SEARCH.written)
    secrets, size = SEARCH.size
    assert secrets >= 10
    assert size > 10_000
