"""Refusals that cost nothing, for a moment."""

from contextlib import suppress
from datetime import timedelta

import pytest

from server.core.errors import VisitorsFull
from server.core.session import Device
from server.sessions.visitor_room import LONGEST_SECONDS, MOST_NETWORKS, VisitorRoom

HOME, ELSEWHERE = Device(ip="192.0.2.1"), Device(ip="192.0.2.2")


class Clock:
    """A clock that stands."""

    time = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.time


def refuse(room: VisitorRoom, device: Device, seconds: float) -> None:
    """Find no room in the store."""
    with pytest.raises(VisitorsFull), room.of(device):
        raise VisitorsFull(timedelta(seconds=seconds))


def asks(room: VisitorRoom, device: Device) -> bool:
    """Return whether the store is asked."""
    with suppress(VisitorsFull), room.of(device):
        return True
    return False


def test_where_there_was_no_room_the_store_is_not_asked_for_a_moment() -> None:
    clock = Clock()
    room = VisitorRoom(clock)
    assert asks(room, HOME)
    refuse(room, HOME, 60)
    assert not asks(room, HOME)
    assert asks(room, ELSEWHERE)
    clock.time += LONGEST_SECONDS
    assert asks(room, HOME)


def test_a_short_wait_is_no_longer_than_it_is() -> None:
    clock = Clock()
    room = VisitorRoom(clock)
    refuse(room, HOME, 0.25)
    clock.time += 0.2
    assert not asks(room, HOME)
    clock.time += 0.1
    assert asks(room, HOME)
    assert not room._full_until


def test_many_networks_take_bounded_memory() -> None:
    room = VisitorRoom(Clock())
    for number in range(MOST_NETWORKS + 10):
        refuse(room, Device(ip=f"2001:db8:{number:x}::1"), 60)
    assert len(room._full_until) == MOST_NETWORKS
    assert not asks(room, Device(ip=f"2001:db8:{MOST_NETWORKS:x}::2"))
