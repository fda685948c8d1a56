"""The cookie against arbitrary and slightly changed input: nothing opens, nothing raises."""

import re
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.http.cookie import Absent, Decoded, Duplicate, SessionCookie, find_cookie
from server.crypto.keyring import Keyring
from tests.support.engine.keys import key

NAME = "__Host-Http-curfew"
TOKEN = "00" + "s" * 22 + ".7." + "t" * 43
COOKIE: Final = SessionCookie(
    NAME,
    Keyring.from_secrets([key("new"), key("old")]).derive("cookie"),
    timedelta(hours=12),
    secure=True,
    clock=lambda: 1_800_000_000.0,
)
VALUE: Final = COOKIE.encode(TOKEN)

latin1 = st.text(st.characters(codec="latin-1"))
near_name = st.sampled_from([NAME, NAME.lower(), f"\xa0{NAME}", f"{NAME}\x85", "a", "", f"={NAME}"])
filler = st.sampled_from(["", " ", "\t", " \t", "\x0b", "\xa0", '"'])
pair = st.tuples(
    filler, near_name, filler, st.sampled_from(["=", "", "=="]), filler, latin1, filler
)
headers = st.lists(st.lists(pair.map("".join) | latin1).map(";".join))


def reference(headers: list[str], name: str) -> str | Absent | Duplicate:
    """Say the same by one regular expression over all headers, each pair on its own."""
    exact = re.compile(rf"[ \t]*{re.escape(name)}[ \t]*=[ \t]*(.*?)[ \t]*", re.DOTALL)
    pairs = [pair for header in headers for pair in header.split(";")]
    found = [match[1] for pair in pairs if (match := exact.fullmatch(pair))]
    match found:
        case [value] if len(value) <= 4096:
            return value
        case [] | [_]:
            return Absent()
        case _:
            return Duplicate()


@pytest.mark.proves("A9")
@given(headers)
def test_find_cookie_agrees_with_the_reference(headers: list[str]) -> None:
    assert find_cookie(headers, NAME) == reference(headers, NAME)


@given(st.lists(st.text()), st.text(min_size=1))
def test_find_cookie_never_raises(headers: list[str], name: str) -> None:
    assert find_cookie(headers, name) is not None


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="=;")))
def test_another_pair_beside_it_hides_nothing(other: str) -> None:
    ours = f"{NAME}={VALUE}"
    assert find_cookie([f"{other}; {ours}"], NAME) == VALUE
    assert find_cookie([ours, other], NAME) == VALUE


@pytest.mark.proves("A4")
@pytest.mark.parametrize("position", range(len(VALUE)))
def test_no_flipped_bit_opens(position: int) -> None:
    for bit in range(8):
        flipped = chr(ord(VALUE[position]) ^ (1 << bit))
        assert COOKIE.decode(VALUE[:position] + flipped + VALUE[position + 1 :]) is None


@pytest.mark.proves("A5")
@pytest.mark.parametrize("length", range(len(VALUE)))
def test_no_truncation_opens(length: int) -> None:
    assert COOKIE.decode(VALUE[:length]) is None
    assert COOKIE.decode(VALUE[len(VALUE) - length :]) is None


@pytest.mark.proves("A5", "A14")
@given(st.text() | st.text("0123456789:|=-+_ 2aA"))
def test_decode_never_raises(value: str) -> None:
    assert COOKIE.decode(value) is None


field = st.builds("{}:{}".format, st.integers(-5, 90), st.text("0123456789|:", max_size=20))


@given(st.lists(field, max_size=6), st.text("0123456789abcdef", max_size=64))
def test_decode_never_raises_on_what_looks_signed(fields: list[str], signature: str) -> None:
    assert COOKIE.decode("|".join(["2", *fields, signature])) is None


@given(st.integers(0, len(VALUE)), st.text(min_size=1))
def test_nothing_can_be_inserted(position: int, inserted: str) -> None:
    assert COOKIE.decode(VALUE[:position] + inserted + VALUE[position:]) is None


@given(st.text(st.characters(codec="ascii"), max_size=2000))
def test_every_ascii_token_makes_the_round_trip_through_both_headers(token: str) -> None:
    header = COOKIE.set_header(token, max_age_seconds=60)
    value = find_cookie([header.partition(";")[0]], NAME)
    assert isinstance(value, str)
    assert COOKIE.decode(value) == Decoded(token, stale_key=False)
    assert header.isascii()
    assert header.isprintable()
