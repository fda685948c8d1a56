"""What a request brings in its cookies, and how long it is remembered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.http.cookie import Decoded, SessionCookie
from handlers.http.presented_cookies import (
    REMEMBERED_CHARACTERS,
    REMEMBERED_SECONDS,
    CookieReader,
    PresentedCookies,
)
from handlers.http.spare_cookies import Spare, SpareCookies
from server.core.token import Token, issue_token
from server.crypto.keyring import Keyring, new_secret, parse_secret
from tests.support.clients.client import COOKIE
from tests.support.engine.browsing import new_session
from tests.support.engine.keys import KEY

NOW = 1_800_000_000.0
SESSION = replace(new_session(NOW), user="ann")
MAX_AGE = timedelta(hours=1)


class Counting(SessionCookie):
    """Counts how often a value is checked."""

    checked = 0

    def decode(self, value: str) -> Decoded | None:
        """Count, and check."""
        self.checked += 1
        return super().decode(value)


class Jar:
    """Reads cookies, and writes them."""

    def __init__(self) -> None:
        self.now = NOW
        self.keyring = Keyring.from_secrets([KEY])
        keys = self.keyring.derive("c")
        self.cookie = Counting(COOKIE, keys, MAX_AGE, True, lambda: self.now)
        self.spares = SpareCookies(COOKIE, keys, MAX_AGE)
        self.reader = CookieReader(COOKIE, self.cookie, self.spares, lambda: self.now)
        self.keyring.subscribe(self.reader.forget)

    def pair(self, token: Token) -> str:
        """Return the session cookie of a token."""
        return f"{COOKIE}={self.cookie.encode(str(token))}"

    def read(self, *headers: str, is_browser: bool = False) -> PresentedCookies:
        """Return what a request with these `Cookie` headers brings."""
        return self.reader.read(headers, is_browser=is_browser)


@pytest.fixture
def jar() -> Jar:
    """Reads cookies, and writes them."""
    return Jar()


def token(number: int = 1) -> Token:
    """Return a genuine token."""
    return issue_token(SESSION.sid, SESSION.seed, number)


def test_a_genuine_cookie_brings_its_token(jar: Jar) -> None:
    found = jar.read(f"other=1; {jar.pair(token())}", is_browser=True)
    assert (found.token, list(found.tokens)) == (token(), [token()])
    assert (found.any, found.is_browser, found.stale_key, found.refused) == (True, True, False, "")


@pytest.mark.parametrize("headers", [(), ("other=1",), (f"{COOKIE}",)])
def test_without_one_there_is_no_token_and_nothing_to_record(
    jar: Jar, headers: Sequence[str]
) -> None:
    found = jar.read(*headers)
    assert (found.token, list(found.tokens), found.any, found.refused) == (None, [], False, "")


def test_a_forged_one_does_not_count_and_is_told_each_time(jar: Jar) -> None:
    for _ in range(2):
        found = jar.read(jar.pair(token())[:-1] + "0")
        assert (found.token, found.any, found.refused) == (None, True, "forged")


def test_of_two_none_counts_whether_in_one_header_or_in_two(jar: Jar) -> None:
    pairs = jar.pair(token()), jar.pair(token(2))
    for found in (jar.read("; ".join(pairs)), jar.read(*pairs)):
        assert (list(found.tokens), found.refused) == ([], "duplicate")


def test_a_spare_comes_behind_the_session_cookies_token(jar: Jar) -> None:
    spare = Spare(jar.spares.name_for(SESSION), token(2), NOW)
    pair = jar.spares.set_header(spare, max_age_seconds=9).partition(";")[0]
    assert list(jar.read(f"{jar.pair(token())}; {pair}").tokens) == [token(), token(2)]
    assert list(jar.read(pair).tokens) == [token(2)]


def test_the_same_header_is_read_once_in_a_minute(jar: Jar) -> None:
    header = jar.pair(token())
    assert jar.read(header) is jar.read(header)
    assert jar.cookie.checked == 1
    jar.now += REMEMBERED_SECONDS
    assert jar.read(header).token == token()
    assert jar.cookie.checked == 2


def test_no_cookie_of_an_earlier_minute_stays_in_memory(jar: Jar) -> None:
    for number in range(1, 6):
        jar.read(jar.pair(token(number)))
    jar.now += REMEMBERED_SECONDS
    jar.read(jar.pair(token(9)))
    assert jar.reader._remembered.cache_info().currsize == 1
    assert jar.cookie._remembered.cache_info().currsize == 1


def test_who_sends_it_is_not_mixed_up(jar: Jar) -> None:
    header = jar.pair(token())
    assert not jar.read(header).is_browser
    assert jar.read(header, is_browser=True).is_browser


def test_a_cookie_that_is_too_old_counts_no_more(jar: Jar) -> None:
    header = jar.pair(token())
    assert jar.read(header).token == token()
    jar.now += MAX_AGE.total_seconds() + REMEMBERED_SECONDS
    assert jar.read(header).token is None


def test_other_keys_make_other_cookies_genuine(jar: Jar) -> None:
    header = jar.pair(token())
    assert jar.read(header).token == token()
    jar.keyring.adopt(Keyring.from_secrets([parse_secret(new_secret())]))
    assert jar.read(header).refused == "forged"


def test_a_long_header_is_read_each_time(jar: Jar) -> None:
    header = f"other={'x' * REMEMBERED_CHARACTERS}; {jar.pair(token())}"
    assert jar.read(header) == jar.read(header)
    assert jar.cookie.checked == 2
