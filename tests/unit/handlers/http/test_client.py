"""What a request tells of its client, and how little of it is believed."""

from ipaddress import ip_network

import pytest
from tornado.httputil import HTTPServerRequest

from handlers.http.client import (
    MAX_USER_AGENT,
    REMEMBERED_CHARACTERS,
    DeviceReader,
    Network,
    Report,
)
from server.core.session import Device
from tests.support.clients.requests import request

FIREFOX = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)
PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def device_of(
    asked: HTTPServerRequest, trusted: tuple[Network, ...], report: Report = lambda *_: None
) -> Device:
    """Return the device that a request comes from, read for the first time."""
    return DeviceReader(trusted, report).device_of(asked)


def address(peer: str, *forwarded: str, trusted: tuple[Network, ...] = PROXIES) -> str:
    """Return the client's address behind these `X-Forwarded-For` headers."""
    headers = [("X-Forwarded-For", each) for each in forwarded]
    return device_of(request(*headers, peer=peer), trusted).ip


def test_without_a_forwarded_header_it_is_the_peer() -> None:
    assert address("192.0.2.1") == "192.0.2.1"
    assert address("10.0.0.1") == "10.0.0.1"
    assert address("fd00::1") == "fd00::1"


@pytest.mark.proves("A68", "4.1.3", "15.3.4")
def test_a_peer_that_is_no_trusted_proxy_cannot_name_another_address() -> None:
    assert address("192.0.2.1", "198.51.100.7") == "192.0.2.1"
    assert address("10.0.0.1", "198.51.100.7", trusted=()) == "10.0.0.1"


def test_a_trusted_proxy_names_its_client() -> None:
    assert address("10.0.0.1", "198.51.100.7") == "198.51.100.7"
    assert address("fd00::1", "2001:db8::7") == "2001:db8::7"


@pytest.mark.proves("A68", "4.1.3", "15.3.4")
def test_of_a_chain_the_last_one_that_a_trusted_proxy_saw_counts() -> None:
    assert address("10.0.0.1", "6.6.6.6, 198.51.100.7") == "198.51.100.7"
    assert address("10.0.0.1", "6.6.6.6, 198.51.100.7, 10.0.0.2") == "198.51.100.7"
    assert address("10.0.0.1", "6.6.6.6", "198.51.100.7, fd00::2") == "198.51.100.7"


@pytest.mark.parametrize(
    "forged",
    ["", ",", "unknown", "<script>", "198.51.100.7:http", "[198.51.100.7]", "[2001:db8::7",
     "1.2.3", "::g", "_hidden", "198.51.100.7/8", "0x7f.1", "a" * 9999],
)  # fmt: skip
@pytest.mark.proves("A68", "4.1.3")
def test_what_is_no_address_ends_the_chain(forged: str) -> None:
    assert address("10.0.0.1", forged) == "10.0.0.1"
    assert address("10.0.0.1", f"{forged}, 198.51.100.7") == "198.51.100.7"
    assert address("10.0.0.1", f"198.51.100.7, {forged}, 10.0.0.2") == "10.0.0.2"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("198.51.100.7:51008", "198.51.100.7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ('"[2001:db8::7]:443"', "2001:db8::7"),
        ("[::ffff:198.51.100.7]:51008", "198.51.100.7"),
        ("fe80::7%eth0", "fe80::7"),
        ("[fe80::7%25eth0]:1", "fe80::7"),
    ],
)
@pytest.mark.proves("A68", "4.1.3")
def test_a_proxy_may_write_a_port_behind_its_client(written: str, meant: str) -> None:
    assert address("10.0.0.1", written) == meant
    assert address("10.0.0.1", f"6.6.6.6:1, {written}, 10.0.0.2:9") == meant
    assert address("192.0.2.1", written) == "192.0.2.1", "it is no trusted one"


def told(peer: str, *forwarded: str) -> list[tuple[str, str, str]]:
    """Return what is reported of a request."""
    found = list[tuple[str, str, str]]()
    sent = request(*[("X-Forwarded-For", each) for each in forwarded], peer=peer)
    reader = DeviceReader(PROXIES, lambda *words: found.append(words))
    reader.device_of(sent)
    first = found.copy()
    reader.device_of(sent)  # it is remembered now, and told all the same
    assert found == 2 * first
    return first


def test_a_trusted_proxy_that_names_no_client_is_reported() -> None:
    assert told("10.0.0.1") == [("10.0.0.1", "missing", "")]
    assert told("10.0.0.1", "") == [("10.0.0.1", "empty", "")]
    assert told("10.0.0.1", "198.51.100.7, unknown") == [("10.0.0.1", "unknown", " unknown")]
    assert told("10.0.0.1", "_hidden", "10.0.0.2") == [("10.0.0.2", "hidden", "_hidden")]
    assert told("10.0.0.1", "for=198.51.100.7") == [("10.0.0.1", "other", "for=198.51.100.7")]


def test_nothing_is_reported_of_a_client_that_is_known_and_of_what_strangers_say() -> None:
    assert not told("10.0.0.1", "198.51.100.7")
    assert not told("10.0.0.1", "nonsense, 198.51.100.7:80")
    assert not told("10.0.0.1", "10.0.0.2")
    assert not told("192.0.2.1", "nonsense")
    assert not told("192.0.2.1")


def test_an_address_has_one_form() -> None:
    """Whatever kind of socket it came to, and however a proxy writes it."""
    assert address("::ffff:192.0.2.1") == "192.0.2.1"
    assert address("::ffff:10.0.0.1", "198.51.100.7") == "198.51.100.7"
    assert address("10.0.0.1", "::ffff:198.51.100.7") == "198.51.100.7"
    assert address("10.0.0.1", "2001:DB8:0:0::7") == "2001:db8::7"
    assert address("::ffff:192.0.2.1", "198.51.100.7") == "192.0.2.1"


def test_a_long_chain_of_trusted_proxies_ends_with_the_first_stranger() -> None:
    chain = ", ".join(["6.6.6.6", "198.51.100.7", *["10.0.0.9"] * 300])
    assert address("10.0.0.1", chain) == "198.51.100.7"
    assert address("10.0.0.1", ", ".join(["10.0.0.9"] * 300)) == "10.0.0.9"


def test_a_peer_without_an_address_is_no_trusted_one() -> None:
    assert not address("", "198.51.100.7")
    assert address("unix:", "198.51.100.7") == "unix:"


def test_the_device_is_the_user_agent_and_the_address() -> None:
    device = device_of(request(("User-Agent", "test browser"), peer="192.0.2.1"), PROXIES)
    assert device == Device("test browser", "192.0.2.1")
    assert device_of(request(peer="192.0.2.1"), ()) == Device("", "192.0.2.1")


def test_a_user_agent_is_cut_and_loses_its_control_characters() -> None:
    hostile = "a\x9b31m\tb\x85c" + "x" * 9999  # Tornado lets none from below space through but tab
    kept = device_of(request(("User-Agent", hostile)), ()).user_agent
    assert len(kept) == MAX_USER_AGENT
    assert kept.startswith("a 31m b cxxx")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("User-Agent", FIREFOX)],
        [("X-Forwarded-For", "198.51.100.7"), ("User-Agent", SAFARI)],
        [("X-Forwarded-For", ", ".join(["198.51.100.7"] * REMEMBERED_CHARACTERS))],
        [("X-Forwarded-For", "")],
    ],
)
@pytest.mark.parametrize("peer", ["192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", ""])
def test_a_remembered_device_is_the_one_that_is_read_anew(
    headers: list[tuple[str, str]], peer: str
) -> None:
    reader = DeviceReader(PROXIES, lambda *_: None)
    for _ in range(2):
        asked = request(*headers, peer=peer)
        assert reader.device_of(asked) == device_of(asked, PROXIES)


def test_the_latest_devices_are_made_once() -> None:
    reader = DeviceReader(PROXIES, lambda *_: None)
    first, second = (reader.device_of(request(("User-Agent", FIREFOX))) for _ in range(2))
    assert first is second
