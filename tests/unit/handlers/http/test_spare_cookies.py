"""The cookies beside the session cookie: their name says whose they are, and is signed."""

from dataclasses import replace
from datetime import timedelta
from math import inf

from handlers.http.spare_cookies import MAX_SPARES, Spare, SpareCookies
from server.core.token import issue_token
from server.crypto.keyring import Keyring
from tests.support.clients.client import COOKIE
from tests.support.engine.browsing import new_session
from tests.support.engine.keys import KEY, key

SESSION = new_session(0.0)
TOKEN = issue_token(SESSION.sid, SESSION.seed, 1)


def spares(secret: bytes = KEY) -> SpareCookies:
    """Return those of a server with this key."""
    return SpareCookies(COOKIE, Keyring.from_secrets([secret]).derive("c"), timedelta(hours=1))


def sent(spare: Spare, by: SpareCookies | None = None) -> str:
    """Return what a browser sends back."""
    return (by or spares()).set_header(spare, max_age_seconds=9).partition(";")[0]


def named(refused_below: int = 1) -> Spare:
    """Return the spare of the session since its token of this number."""
    return Spare(spares().name_for(replace(SESSION, refused_below=refused_below)), TOKEN, 7.5)


def test_what_is_set_is_read_again() -> None:
    visitor = Spare(spares().visitor, TOKEN, inf)
    assert spares().presented([f"a=b; {sent(named())}; {sent(visitor)}"]) == [named(), visitor]


def test_each_session_and_each_change_of_privilege_has_a_name_of_its_own() -> None:
    names = {named().name, named(refused_below=2).name, spares().visitor, COOKIE}
    names.add(spares().name_for(replace(SESSION, sid="00" + "z" * 22)))
    assert len(names) == 5
    assert all(each.startswith(COOKIE) for each in names)  # and so has the browser's protection


def test_a_value_counts_under_its_own_name_and_key_only() -> None:
    name, _, value = sent(named()).partition("=")
    other = named(refused_below=2).name
    for cookies in (
        f"{other}={value}",
        f"{spares().visitor}={value}",
        f"{COOKIE}-x={value}",
        f"{COOKIE}-={value}",
        f"{name.upper()}={value}",
        f"{name}={value}0",
        sent(named(), spares(key("other"))),
    ):
        assert spares().presented([cookies]) == [], cookies


def test_of_two_with_one_name_neither_counts() -> None:
    assert spares().presented([sent(named()), sent(named())]) == []


def test_only_the_last_few_are_looked_at() -> None:
    many = [named(refused_below=number) for number in range(1, MAX_SPARES + 3)]
    assert spares().presented(["; ".join(map(sent, many))]) == many[-MAX_SPARES:]


def test_it_is_cleared_under_its_name() -> None:
    assert spares().clear_header(named().name).startswith(f"{named().name}=; Path=/; Max-Age=0")
