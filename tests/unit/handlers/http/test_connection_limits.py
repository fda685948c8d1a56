"""Connections are counted in all and by peer, and never take every file."""

from ipaddress import ip_network

import pytest

from handlers.http.connection_limits import ConnectionLimits
from server.core.open_files import FEWEST_CONNECTIONS, KEPT_FREE, UNLIMITED

PROXY, PEER, OTHER = "10.0.0.1", "192.0.2.1", "192.0.2.2"


def filled(connection_limits: ConnectionLimits, peer: str) -> int:
    """How many connections of a peer fit in."""
    for number in range(1_000):
        if not connection_limits.has_room_for(peer):
            return number
        connection_limits.enter(peer)
    raise AssertionError


@pytest.mark.proves("A52")
def test_no_single_address_takes_all_places() -> None:
    connection_limits = ConnectionLimits(100)
    assert filled(connection_limits, PEER) == 50
    assert filled(connection_limits, OTHER) == 50
    assert not connection_limits.has_room_for("192.0.2.3")


@pytest.mark.proves("A52")
def test_the_addresses_of_one_ipv6_customer_are_one() -> None:
    connection_limits = ConnectionLimits(100)
    for number in range(50):
        assert connection_limits.has_room_for(f"2001:db8:1:2::{number:x}")
        connection_limits.enter(f"2001:db8:1:2::{number:x}")
    assert not connection_limits.has_room_for("2001:db8:1:2:ffff::")
    assert filled(connection_limits, "2001:db8:1:3::1") == 50
    for number in range(50):
        connection_limits.leave(f"2001:db8:1:2::{number:x}")
    assert connection_limits.has_room_for("2001:db8:1:2:ffff::")


def test_a_trusted_proxy_may_take_them() -> None:
    assert filled(ConnectionLimits(100, [ip_network("10.0.0.0/8")]), PROXY) == 100


def test_the_last_tenth_is_kept_from_sockets() -> None:
    connection_limits = ConnectionLimits(100)
    for number in range(90):
        assert connection_limits.has_room_for_a_socket
        connection_limits.enter(str(number))
    assert not connection_limits.has_room_for_a_socket
    assert connection_limits.has_room_for(PEER)


def test_who_leaves_makes_room() -> None:
    connection_limits = ConnectionLimits(100)
    for peer in (PEER, OTHER):
        filled(connection_limits, peer)
    connection_limits.leave(PEER)
    assert filled(connection_limits, PEER) == 1
    for _ in range(50):
        connection_limits.leave(PEER)
        connection_limits.leave(OTHER)
    assert connection_limits._by_network == {}


@pytest.mark.parametrize(
    ("files", "most"), [(1024, 1024 - KEPT_FREE), (100, FEWEST_CONNECTIONS), (-1, UNLIMITED)]
)
def test_there_are_as_many_places_as_files_left(
    monkeypatch: pytest.MonkeyPatch, files: int, most: int
) -> None:
    monkeypatch.setattr(
        "handlers.http.connection_limits.resource.getrlimit", lambda _: (files, files)
    )
    assert ConnectionLimits.of_this_process(())._most == most


def test_a_client_is_whom_a_trusted_proxy_names_and_nobody_else_is_believed() -> None:
    limits = ConnectionLimits(100, [ip_network("203.0.113.0/24")])
    assert limits.client_behind("203.0.113.9", "192.0.2.1") == "192.0.2.1"
    assert limits.client_behind("203.0.113.9", "192.0.2.1, 203.0.113.7") == "192.0.2.1"
    assert limits.client_behind("198.51.100.1", "192.0.2.1") == "198.51.100.1"
    for unnamed in (None, "unknown"):
        assert limits.client_behind("203.0.113.9", unnamed) == "203.0.113.9"
