"""The cookie: genuine or nothing, and set to be kept safe."""

import base64
import hmac
from datetime import timedelta

import pytest
from tornado.httputil import HTTPHeaders
from tornado.web import create_signed_value

from handlers.http.cookie import Decoded, SessionCookie, find_cookie
from server.crypto.keyring import Keyring
from tests.support.clients.client import COOKIE
from tests.support.engine.keys import KEY, key

NAME = COOKIE
OLD = KEY
NEW = key("new")
TOKEN = "00" + "s" * 22 + ".7." + "t" * 43
NOW = 1_800_000_000.0


def cookie(
    *secrets: bytes, name: str = NAME, at: float = NOW, secure: bool = True
) -> SessionCookie:
    """Return the cookie of a server with these keys, at this time."""
    keys = Keyring.from_secrets(secrets or [NEW]).derive("cookie")
    return SessionCookie(name, keys, timedelta(hours=12), secure, lambda: at)


def test_a_signed_token_comes_back() -> None:
    assert cookie().decode(cookie().encode(TOKEN)) == Decoded(TOKEN, stale_key=False)


def test_a_cookie_survives_its_way_through_the_header() -> None:
    value = cookie().encode(TOKEN)
    assert find_cookie([f"a=1; {NAME}={value}"], NAME) == value


@pytest.mark.proves("A7")
def test_an_old_key_is_read_and_reported() -> None:
    value = cookie(OLD).encode(TOKEN)
    assert cookie(NEW, OLD).decode(value) == Decoded(TOKEN, stale_key=True)


@pytest.mark.proves("A7")
def test_a_retired_key_is_not_read() -> None:
    assert cookie(NEW).decode(cookie(OLD).encode(TOKEN)) is None


@pytest.mark.proves("A7")
def test_only_the_newest_key_writes() -> None:
    value = cookie(NEW, OLD).encode(TOKEN)
    assert cookie(OLD).decode(value) is None
    assert cookie(NEW).decode(value) == Decoded(TOKEN, stale_key=False)
    assert cookie(OLD, NEW).decode(value) == Decoded(TOKEN, stale_key=True)


@pytest.mark.proves("A13", "9.2.2")
def test_another_purpose_with_the_same_secret_is_not_read() -> None:
    keys = Keyring.from_secrets([NEW]).derive("csrf")
    other = SessionCookie(NAME, keys, timedelta(hours=12), secure=True, clock=lambda: NOW)
    assert cookie().decode(other.encode(TOKEN)) is None


def test_a_renamed_cookie_is_not_read() -> None:
    assert cookie().decode(cookie(name="__Host-other").encode(TOKEN)) is None


@pytest.mark.proves("9.2.1")
def test_a_signature_lives_as_long_as_max_age() -> None:
    value = cookie().encode(TOKEN)
    twelve_hours = 12 * 3600
    assert cookie(at=NOW + twelve_hours).decode(value) is not None
    assert cookie(at=NOW + twelve_hours + 1).decode(value) is None


def test_a_signature_from_a_server_whose_clock_is_ahead_is_read() -> None:
    assert cookie(at=NOW - 300).decode(cookie().encode(TOKEN)) is not None


@pytest.mark.proves("A8", "9.1.2")
def test_version_1_is_refused_even_when_correctly_signed() -> None:
    keys = Keyring.from_secrets([NEW]).derive("cookie")
    value = create_signed_value(keys.newest[1], NAME, TOKEN, version=1, clock=lambda: NOW)
    assert cookie().decode(value.decode()) is None


def resigned(key: bytes, key_version: str, *, version: str = "2") -> str:
    """Return a value correctly signed by this key that names any version."""
    fields = [key_version, str(int(NOW)), NAME, base64.b64encode(TOKEN.encode()).decode()]
    text = "|".join([version, *(f"{len(field)}:{field}" for field in fields), ""])
    return text + hmac.new(key, text.encode(), "sha256").hexdigest()


@pytest.mark.proves("9.1.3")
def test_the_key_version_decides_which_key_is_asked() -> None:
    newest, key = Keyring.from_secrets([NEW]).derive("cookie").newest
    assert cookie().decode(resigned(key, str(newest))) == Decoded(TOKEN, stale_key=False)
    for version in ("0", "1", str(newest + 1), "-1", "", "x", "9" * 500):
        assert cookie().decode(resigned(key, version)) is None
    for version in ("1", "3", "02", "22", "999", "1000", ""):
        assert cookie().decode(resigned(key, str(newest), version=version)) is None


def test_a_signature_without_key_version_is_not_read() -> None:
    _, key = Keyring.from_secrets([NEW]).derive("cookie").newest
    value = create_signed_value(key, NAME, TOKEN, version=2, clock=lambda: NOW)
    assert value.startswith(b"2|1:0|")
    assert cookie().decode(value.decode()) is None


def test_not_even_a_genuine_value_may_be_longer_than_browsers_keep() -> None:
    version, key = Keyring.from_secrets([NEW]).derive("cookie").newest
    value = create_signed_value(
        {version: key}, NAME, "t" * 3000, version=2, clock=lambda: NOW, key_version=version
    )
    assert len(value) > 4096
    assert cookie().decode(value.decode()) is None


@pytest.mark.proves("A4")
def test_parts_of_two_genuine_cookies_do_not_mix() -> None:
    one = cookie().encode(TOKEN)
    other = cookie().encode(TOKEN.replace("7", "8"))
    assert cookie().decode(one[:-64] + other[-64:]) is None
    assert cookie().decode(other[:-64] + one[-64:]) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2",
        "2|",
        "2|1:0",
        "2|1:0|10:1800000000|",
        "2|-1:0|-1:|-1:|-1:|",
        "2|" + "9" * 4000 + ":0|",
        "|" * 4096,
        "x" * 10_000_000,
        "\x00",
        "é",
        "\ud800",
        "\uff12|1:0|",
        f'"{TOKEN}"',
        TOKEN,
    ],
    ids=str,
)
def test_nothing_a_client_sends_raises(value: str) -> None:
    assert cookie().decode(value) is None


def test_the_signature_is_compared_exactly() -> None:
    value = cookie().encode(TOKEN)
    assert cookie().decode(value.upper()) is None
    assert cookie().decode(value[:-64] + value[-64:].upper()) is None
    assert cookie().decode(value + "\n") is None
    assert cookie().decode(" " + value) is None
    assert cookie().decode(value[:-64]) is None


def test_the_token_is_not_in_the_repr() -> None:
    assert TOKEN not in repr(cookie().decode(cookie().encode(TOKEN)))


@pytest.mark.proves("3.3.1", "3.3.2")
def test_the_header_that_sets_it() -> None:
    value = cookie().encode(TOKEN)
    assert cookie().set_header(TOKEN, max_age_seconds=1800) == (
        f"{NAME}={value}; Path=/; Max-Age=1800; HttpOnly; SameSite=Lax; Secure"
    )


def test_the_header_that_clears_it() -> None:
    assert cookie().clear_header() == (
        f"{NAME}=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; "
        "HttpOnly; SameSite=Lax; Secure"
    )


def test_without_secure_only_that_word_is_missing() -> None:
    plain = cookie(name="curfew", secure=False)
    assert plain.set_header(TOKEN, max_age_seconds=5).endswith("; HttpOnly; SameSite=Lax")
    assert plain.clear_header().endswith("; HttpOnly; SameSite=Lax")


@pytest.mark.parametrize("seconds", [0, -1, -(10**9)])
def test_a_session_without_time_left_is_dropped_by_the_browser(seconds: int) -> None:
    assert "; Max-Age=0; " in cookie().set_header(TOKEN, max_age_seconds=seconds)


def test_tornado_takes_the_header() -> None:
    headers = HTTPHeaders()
    headers.add("Set-Cookie", cookie().set_header(TOKEN, max_age_seconds=5))
    assert headers.get_list("Set-Cookie")


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a;b", "a=b", "a,b", 'a"b', "a\r\nb", "a\n", "a\x00b", "a\x7f", "é", "a(b)", "a/b"],
)
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cookie name"):
        cookie(name=name)


@pytest.mark.parametrize(
    "name", [NAME, "__Host-x", "__Secure-x", "__Http-x", "__HOST-x", "__secure-x"]
)
def test_a_prefixed_name_without_secure_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not Secure"):
        cookie(name=name, secure=False)
    assert f"{name}=;" in cookie(name=name, secure=True).clear_header()


@pytest.mark.proves("3.3.5", "4.2.5")
def test_size_is_limited_to_what_browsers_keep() -> None:
    fixed = len(NAME) + len(cookie().encode("")) + 3  # the length of the value takes 4 digits
    most = (4096 - fixed) // 4 * 3
    largest = cookie().encode("t" * most)
    assert 4092 < len(NAME) + len(largest) <= 4096
    assert cookie().decode(largest) is not None
    with pytest.raises(ValueError, match="too long"):
        cookie().encode("t" * (most + 1))
    with pytest.raises(ValueError, match="too long"):
        cookie().set_header("t" * 5000, max_age_seconds=1)


@pytest.mark.parametrize("token", ["é", "\ud800", "\x80"])
def test_a_token_is_ascii(token: str) -> None:
    with pytest.raises(ValueError, match="ascii"):
        cookie().encode(token)


@pytest.mark.parametrize("token", ["", "a\r\nSet-Cookie: b=c", "a; Domain=example.org", "\x00"])
def test_no_token_can_change_the_header(token: str) -> None:
    header = cookie().set_header(token, max_age_seconds=1)
    assert header.isprintable()
    assert header.count(";") == 5
    value = find_cookie([header.partition(";")[0]], NAME)
    assert isinstance(value, str)
    assert cookie().decode(value) == Decoded(token, stale_key=False)


def test_by_default_the_wall_clock_is_used() -> None:
    keys = Keyring.from_secrets([NEW]).derive("cookie")
    now = SessionCookie(NAME, keys, timedelta(hours=1), secure=True)
    assert now.decode(now.encode(TOKEN)) is not None
    assert now.decode(cookie(at=0).encode(TOKEN)) is None


def test_a_cookie_follows_its_keyring_to_other_keys() -> None:
    ring = Keyring.from_secrets([OLD])
    follows = SessionCookie(NAME, ring.derive("cookie"), timedelta(hours=1), secure=True)
    old = follows.encode(TOKEN)
    ring.adopt(Keyring.from_secrets([NEW, OLD]))
    assert follows.decode(old) == Decoded(TOKEN, stale_key=True)
    new = follows.encode(TOKEN)
    ring.adopt(Keyring.from_secrets([NEW]))
    assert follows.decode(old) is None
    assert follows.decode(new) == Decoded(TOKEN, stale_key=False)


def test_only_the_cookie_of_a_person_who_is_remembered_is_good_for_long() -> None:
    now = 1_000_000.0
    keys = Keyring.from_secrets([KEY]).derive("c")
    cookie = SessionCookie(
        "c", keys, timedelta(days=1), secure=True, clock=lambda: now, long_max_age=timedelta(days=9)
    )
    ordinary, long_lived = cookie.encode("t"), cookie.encode("t", is_long_lived=True)
    assert cookie.decode(ordinary) == cookie.decode(long_lived) == Decoded("t", stale_key=False)
    now += 2 * 86_400
    assert cookie.decode(ordinary) is None
    assert cookie.decode(long_lived) == Decoded("t", stale_key=False)
    now += 8 * 86_400
    assert cookie.decode(long_lived) is None
    without = SessionCookie("c", keys, timedelta(days=99), secure=True, clock=lambda: now)
    assert without.decode(long_lived) is None
