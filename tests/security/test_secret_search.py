"""No secret is in any log, frame, page, URL, metric or error of the whole test run.

The search is proved here on planted leaks, and fed by all other tests. When the last of them is
over, `tests.support.secrets.search_at_end` searches what they saw, and fails the run on a finding.
"""

import asyncio
import html
import json
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from handlers.http.cookie import SessionCookie
from server.core.one_time_codes import recovery_code
from server.core.token import csrf_token, issue_token
from server.crypto.keyring import Keyring, secret_text
from tests.support.clients.client import COOKIE as SESSION_COOKIE
from tests.support.clients.client import PASSWORD, Client, frame
from tests.support.running.runs import run_pytest
from tests.support.secrets.leaks import SEARCH, Finding, LeakSearch
from tests.support.secrets.listening import note_answer, note_request
from tests.support.secrets.search_at_end import LEAKED
from tests.support.secrets.store_secrets import KEEPERS, note_derived
from tests.support.servers.server import CurfewServer

SEED = bytes(range(100, 132))
SID = "00" + "A" * 22
TOKEN = issue_token(SID, SEED, 7)
SECRET_KEY = sha256(b"a secret key").digest()
KEYRING = Keyring.from_secrets([SECRET_KEY])
COOKIE = SessionCookie(
    SESSION_COOKIE, KEYRING.derive("session cookie"), max_age=timedelta(days=1), secure=True
).encode(str(TOKEN))
CSRF = csrf_token(SEED)
STRANGE_PASSWORD = 'Käse & "Wein" \\ am Hafen'
STORE_PASSWORD = "the store opens for whom it knows"
SCANNED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SETUP = "c2V0dXAgb2YgYW4gYXBw_sealed-for-a-while"
CHALLENGE = "Y2hhbGxlbmdlIG9mIGE-second_factor"
CODES = [recovery_code(bytes(range(number, number + 15))) for number in (1, 2)]
FORM = f"""<form>
  <input type="hidden" name="csrf_token" value="{CSRF}">
  <input type="hidden" name="setup" value="{SETUP}">
  <input type="hidden" name="challenge" value="{CHALLENGE}">
  <code id="totp-secret" class="secret">{SCANNED}</code>
  <ol id="recovery-codes" class="secrets"><li><code class="secret">{CODES[1]}</code></li></ol>
</form>"""
CSRF_ANSWER = json.dumps({"session": {}, "csrf_token": CSRF})
FACTOR_ANSWER = json.dumps(
    {
        "secret": SCANNED,
        "uri": f"otpauth://totp/Curfew:ada?secret={SCANNED}&issuer=Curfew",
        "setup": SETUP,
        "challenge": CHALLENGE,
        "recovery_codes": CODES,
    }
)
LEAKS = {
    "cookie": (f"GET /?cookie={COOKIE}", "cookie"),
    "signature": (f"Cookie: x={COOKIE.rpartition('|')[2]}", "signature of a cookie"),
    "token": (f'{{"token": "{TOKEN}"}}', "token"),
    "end-of-token": (f"secret={TOKEN.secret}", "token"),
    "token-amid-letters": (f"prefix{TOKEN.secret}suffix", "token"),
    "seed-literal": (f"{{'seed': {SEED!r}}}", "seed"),
    "seed-hexadecimal": (SEED.hex().upper(), "seed"),
    "seed-base64": (b64encode(SEED).decode(), "seed"),
    "secret-key": (secret_text(SECRET_KEY), "secret key"),
    "derived-key": (KEYRING.derive("session cookie").newest[1].hex(), "derived key"),
    "password": (f"a line with {PASSWORD}.", "password"),
    "password-of-form": (urlencode({"password": PASSWORD}), "password"),
    "password-of-address": (f"GET /?password={quote(PASSWORD)}", "password"),
    "password-in-json": (json.dumps(STRANGE_PASSWORD), "password"),
    "password-in-page": (f"<p>{html.escape(STRANGE_PASSWORD)}</p>", "password"),
    "store": (f"redis://curfew:{STORE_PASSWORD}@127.0.0.1", "password of the store"),
    "csrf": (f"csrf={CSRF}", "CSRF token"),
    "csrf-in-script": (f'<script data-token="{CSRF}">', "CSRF token"),
    "csrf-in-its-field": (f'{{"csrf_token": "{CSRF}"}}', "CSRF token"),
    "app": (f"totp {SCANNED} scanned", "secret of an app"),
    "app-in-its-field": (f'{{"secret": "{SCANNED}"}}', "secret of an app"),
    "setup": (f'{{"setup": "{SETUP}"}}', "setup of an app"),
    "challenge": (f'{{"challenge": "{CHALLENGE}"}}', "challenge"),
    "recovery-code": (f"tried {CODES[0]}", "recovery codes"),
    "recovery-code-of-page": (f"tried {CODES[1]}", "recovery codes"),
}


@pytest.fixture
def search() -> LeakSearch:
    """One that knows a person's secrets."""
    search = LeakSearch()
    for password in (PASSWORD, STRANGE_PASSWORD):
        note_request(search, json.dumps({"username": "ada", "password": password}).encode())
    search.password(STORE_PASSWORD, "password of the store")
    note_derived(search, [SECRET_KEY])
    headers = [("Set-Cookie", f"{SESSION_COOKIE}={COOKIE}; Path=/; Secure")]
    for body in (CSRF_ANSWER, FACTOR_ANSWER, FORM):
        note_answer(search, "sign-in", headers, body.encode())
    search.key(SEED, "seed")
    return search


@pytest.mark.parametrize(("leak", "kind"), LEAKS.values(), ids=LEAKS.keys())
def test_a_planted_leak_is_found_with_its_place_and_not_shown(
    search: LeakSearch, leak: str, kind: str
) -> None:
    search.wrote("an innocent place", "nothing of interest", "log")
    search.wrote("the planted place", f"before {leak} after", "log")
    found = search.findings()
    assert Finding(kind, "the planted place") in found
    assert {each.place for each in found} == {"the planted place"}
    shown = repr(found)
    secrets = (TOKEN.secret, PASSWORD, CSRF, COOKIE, SCANNED, SETUP, CHALLENGE, *CODES)
    assert not any(secret in shown for secret in secrets)


def test_a_leak_is_found_also_when_its_secret_is_learned_later() -> None:
    search = LeakSearch()
    search.wrote("a log", SEED.hex(), "log")
    assert search.findings() == []
    search.key(SEED, "seed")
    assert search.findings() == [Finding("seed", "a log")]


def test_secrets_in_their_own_places_are_no_leak(search: LeakSearch) -> None:
    search.answered("a page", FORM, "HTTP")
    search.answered("an answer about factors", FACTOR_ANSWER, "HTTP")
    search.answered("the answer to GET /api/session", CSRF_ANSWER, "HTTP")
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
        server.tell()
        assert SEARCH.findings() == []
        assert {"HTTP", "frame", "log", "log of a store", "command"} <= set(SEARCH.written)
        secrets, size = SEARCH.size
        assert secrets >= 10
        assert size > 10_000


async def sign_in_and_out(server: CurfewServer) -> bytes:
    """A session that has ended when the server stops; its seed, read while it lives."""
    async with Client(server.url) as ada:
        await ada.sign_up("ada")
        seed = KEEPERS[server.port].seed_of(ada.sid)
        await ada.request("POST", "/api/logout")
    assert seed is not None
    return seed


def test_the_seed_of_a_session_that_has_ended_is_looked_for() -> None:
    with CurfewServer() as server:
        seed = asyncio.run(sign_in_and_out(server))
    assert SEARCH.kind_of(seed) == "seed"


RUN = """
from tests.support.secrets.leaks import SEARCH

def test_first():
    SEARCH.key(bytes(range(32)), "seed")

def test_second():
    SEARCH.wrote("a planted log", bytes(range(32)).hex() if {leaks} else "nothing", "log")
"""


@pytest.mark.parametrize("processes", [0, 2])
@pytest.mark.proves("16.2.5", "A83")
def test_a_run_that_wrote_a_secret_fails_with_its_kind_and_place(
    tmp_path: Path, processes: int
) -> None:
    for leaks, status in ((False, 0), (True, LEAKED)):
        (tmp_path / "test_run.py").write_text(RUN.format(leaks=leaks))
        done = run_pytest(tmp_path, f"-n{processes}")
        assert done.returncode == status, done.stdout + done.stderr
        assert "2 passed" in done.stdout
        assert ("seed, in a planted log" in done.stdout) is leaks


def test_a_process_that_ended_before_it_searched_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_run.py").write_text("import os\ndef test_ends(): os._exit(1)\n")
    done = run_pytest(tmp_path, "-n1")
    assert done.returncode == LEAKED, done.stdout + done.stderr
    assert "gw0 ended before it searched" in done.stdout
