"""What entries of X-Forwarded-For mean, and how little of one is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.forwarded import (
    LONGEST_ADDRESS,
    Unnamed,
    address_in,
    canonical,
    shape_of,
    why_unnamed,
)


@given(st.ip_addresses(), st.integers(0, 99_999))
def test_every_address_is_read_with_a_port_and_without(address: object, port: int) -> None:
    known = canonical(str(address))
    assert known is not None
    enclosed = f"[{address}]" if ":" in str(address) else str(address)
    for written in (str(address), f" {address}\t", enclosed, f"{enclosed}:{port}"):
        assert address_in(written) == known
        assert address_in(f'"{written.strip()}"') == known


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("2001:db8::7:51008", "2001:db8::7"),
        ('"2001:db8:0:0:0:0:0:7:443"', "2001:db8::7"),
        ("2001:db8::7:443", "2001:db8::7:443"),  # an address, whatever was meant
    ],
)
def test_a_port_behind_an_address_without_brackets_is_one_where_nothing_else_can_be_meant(
    entry: str, address: str
) -> None:
    assert address_in(entry) == address


@pytest.mark.parametrize(
    "entry",
    ["", " ", '"', '""', "unknown", "unknown:80", "_hidden", "_:_", "198.51.100.7:", ":80",
     "198.51.100.7:999999", "198.51.100.7:-1", "198.51.100.7:80:80", "[198.51.100.7]:80", "[]:80",
     "[2001:db8::7]443", "[2001:db8::7]:", "[2001:db8::7", "2001:db8::7]", "[[::1]]", "::g",
     "for=198.51.100.7", "198.51.100.7;198.51.100.8", "http://198.51.100.7", "localhost",
     "\u0661.2.3.4", "198.51.100.7:\u0661", "1" * 9999],
)  # fmt: skip
def test_what_names_no_address_is_none(entry: str) -> None:
    assert address_in(entry) is None


@given(st.text(max_size=2 * LONGEST_ADDRESS))
def test_whatever_is_read_is_an_address_in_its_one_form(entry: str) -> None:
    found = address_in(entry)
    assert found is None or canonical(found) == found


def test_a_link_local_address_has_no_interface() -> None:
    assert canonical("fe80::1%eth0") == "fe80::1"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("", Unnamed.EMPTY),
        (' "" ', Unnamed.EMPTY),
        (" Unknown", Unnamed.UNKNOWN),
        ('"unknown:443"', Unnamed.UNKNOWN),
        ("_a1b2", Unnamed.HIDDEN),
        ("unknowns", Unnamed.OTHER),
        ("198.51.100.7;", Unnamed.OTHER),
    ],
)
def test_a_flaw_is_named(entry: str, why: Unnamed) -> None:
    assert why_unnamed(entry) is why


def test_a_shape_has_no_letter_and_no_digit_of_the_entry() -> None:
    assert shape_of(' "user-17: S3cr\xe9t\x1b[m" ') == '"aaaa-99: a9aa?a?[a"'
    assert len(shape_of("x" * 9999)) == LONGEST_ADDRESS


@given(st.text())
def test_a_shape_is_plain(entry: str) -> None:
    shape = shape_of(entry)
    assert shape.isascii()
    assert shape.isprintable()
    assert not set(shape) & set("bcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678")
